"""The reference pages of the catalog: the language of descriptors, a list of all that come with Freehold, a page for each.

`config.reference.write` writes them; tests compare them with `docs/reference`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from freehold.config.catalog.catalog import Catalog
from freehold.config.catalog.described import Section, facts, sections, ways
from freehold.config.reference import section
from freehold.config.schema import descriptor_schema
from freehold.model.descriptors import Descriptor

LANGUAGE_PAGE = "descriptors.md"
FOLDER = "catalog"

_MADE = "This page is made from the catalog itself (`freehold.config.catalog.reference`); a test keeps the two equal."

_INTRODUCTION = """\
# Descriptors

What a service is, is told by a descriptor: one file of YAML for each, `NAME.yml`, where `NAME` is that under `services` in
[infra.yml](infra-yml.md). Those that come with Freehold are [the catalog](catalog/index.md); yours lie in `catalog/` beside
infra.yml, work like them, and go before one of the same name. [How to write one](../how-to/write-a-descriptor.md).

YAML is read as strictly as infra.yml. `freehold validate` checks the descriptors that infra.yml names, templates included;
`freehold catalog list` those of `catalog/` that it does not name too. `freehold schema --catalog` prints the JSON Schema.

This page is made from the schema itself (`freehold.config.catalog.reference`); a test keeps the two equal.

## Names

A service is called as its file is: lower-case letters, digits and hyphens. Settings, ports, data, secrets and needs are named in templates,
so they have `_` in place of hyphens.

## Templates

Templates are [Jinja's](https://jinja.palletsprojects.com/templates/), in its sandbox. They see:

| Name | What it is |
|---|---|
| `service.name` | the service's name in infra.yml |
| `version` | its version |
| `settings.NAME` | what infra.yml chose, else the default |
| `ports.NAME` | the number of one of its ports |
| `secrets.NAME` | the path of the file that holds the secret, in the container; never the secret itself |
| `needs.NAME.host` | where the service that meets a need is reached |
| `needs.NAME.ports.PORT` | the number by which one of its ports is reached from here |
| `needs.NAME.settings.NAME` | what was chosen for it |
| `secret("NAME")` | the secret itself; only in a file with `secret: true`, which is delivered like a secret |

A name that is not there is an error, found by `validate`. Templates may stand in words of `command`, `entrypoint`, `health`, `pre` and `post`, in
values of `environment`, in `content` of files, in `expression` and `summary` of alerts. In `tag` only `{{ version }}` may stand.
"""

_SECTIONS = (
    ("At the top", None),
    ("`container`", "ContainerPart"),
    ("`container.mounts.PATH`", "MountPart"),
    ("`chart`", "ChartPart"),
    ("`settings.NAME`", "SettingPart"),
    ("`ports.NAME`", "PortPart"),
    ("`data.NAME`", "DataPart"),
    ("`files.PATH`", "FilePart"),
    ("`secrets.NAME`", "SecretPart"),
    ("`health`", "HealthPart"),
    ("`metrics`", "MetricsPart"),
    ("`alerts.NAME`", "AlertPart"),
    ("`needs.NAME`", "NeedPart"),
)


def language_page() -> str:
    """`docs/reference/descriptors.md`."""
    schema = descriptor_schema()
    parts = [_INTRODUCTION, *(section(schema, title, name) for title, name in _SECTIONS)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def pages() -> Iterator[tuple[Path, str]]:
    """Every page with its place in `docs/reference`. Raises AssertionError for a descriptor with errors."""
    yield Path(LANGUAGE_PAGE), language_page()
    found = list(_built_in())
    yield Path(FOLDER) / "index.md", _index(found)
    for descriptor in found:
        yield Path(FOLDER) / f"{descriptor.name}.md", entry_page(descriptor)


def _built_in() -> Iterator[Descriptor]:
    catalog = Catalog(None)
    for name in catalog.names():
        entry = catalog.entry(name)
        assert entry is not None, name
        assert entry.descriptor is not None, entry.problems
        yield entry.descriptor


def _index(descriptors: list[Descriptor]) -> str:
    rows = [
        (f"[`{each.name}`]({each.name}.md)", each.title, each.version, ", ".join(ways(each)), each.description)
        for each in descriptors
    ]  # fmt: skip
    heads = ("Name", "Title", "Version", "Runs as", "What it is")
    text = "Services that Freehold knows; `freehold catalog list` shows them with your own. [How to place one](../infra-yml.md), [how to write your own](../../how-to/write-a-descriptor.md)."
    return "\n".join(["# Catalog", "", text, _MADE, "", *_table(heads, rows)]) + "\n"


def entry_page(descriptor: Descriptor) -> str:
    """The page of one service."""
    lines = [f"# {descriptor.title}", "", f"{descriptor.description}. {_MADE}", ""]
    lines += ["```yaml", "services:", f"  {descriptor.name}: {{on: TARGET}}", "```", ""]
    lines += _table(("Fact", ""), list(facts(descriptor)))
    for each in sections(descriptor):
        lines += ["", f"## {_title(each)}", ""]
        heads = tuple(head.capitalize() for head in each.heads)
        lines += _table(heads, [(f"`{row[0]}`", *row[1:]) for row in each.rows])
    return "\n".join(lines) + "\n"


def _title(each: Section) -> str:
    return f"{each.title}: `{each.key}`" if each.key else each.title


def _table(heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
