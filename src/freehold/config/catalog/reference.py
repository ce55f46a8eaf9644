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
| `service.name`, `service.target` | the service's name in infra.yml, and where it runs |
| `service.host` | the name under which people reach it (`expose`), none where it has none |
| `version` | its version |
| `settings.NAME` | what infra.yml chose, else the default |
| `ports.NAME` | the number of one of its ports |
| `secrets.NAME` | the path of the file that holds the secret, in the container; never the secret itself |
| `needs.NAME.host` | where the service that meets a need is reached: a name or an IP address |
| `needs.NAME.ports.PORT` | the number by which one of its ports is reached from here |
| `needs.NAME.addresses.PORT` | both, `HOST:PORT`, as it stands in a URL: an IPv6 address is in brackets |
| `needs.NAME.calls_back.PORT` | `HOST:PORT` where that service, in turn, finds a port of this one (`calls_back`) |
| `needs.NAME.settings.NAME` | what was chosen for it |
| `estate.NAME` | what the service has to know of all others, see [below](#estate) |
| `secret("NAME")` | the secret itself; only in a file with `secret: true`, which is delivered like a secret |

A name that is not there is an error, found by `validate`. Templates may stand in words of `command`, `entrypoint`, `health`, `pre` and `post`, in
values of `environment`, in `content` of files, in `expression` and `summary` of alerts. In `tag` only `{{ version }}` may stand.

A need that is `optional` and that nothing meets is none: `{% if needs.login %}`. So is a secret with `from` where infra.yml has no such place, and one that is
`shared_with` the service of such a need. So are needs and secrets whose `when` does not hold.

What may hold blanks or signs of a shell goes into a command of `sh -c` by the filter `quote`: `createdb {{ settings.user | quote }}`.

A password that a program wants as a hash, in a file with `secret: true`: `{{ secret("password") | pbkdf2_sha512(estate.name ~ settings.user) }}` gives
`$pbkdf2-sha512$310000$SALT$KEY`. What stands in the brackets is whose it is: the salt is made of that, so the same password gives the same text.

## `estate`

What a service has to know of all others, worked out from infra.yml alone. Addresses are as seen from the service whose template it is. Lists and
mappings go into YAML by the filter `to_yaml`, which keeps their order: `{{ estate.rules | to_yaml | indent(6) }}`. Alerts do not see it.

| Name | What it is |
|---|---|
| `estate.name` | the estate's name |
| `estate.telegram` | `chat` and `api` of infra.yml's `alerts.telegram`; none without |
| `estate.targets` | hosts and machines with services: `name`, `address`, `services` |
| `estate.scrapes` | with `reaches: [metrics]`, all services with `metrics`, this one too: `service`, `kind`, `target`, `address`, `path`, `scheme` |
| `estate.probes` | what services with `reaches: [probed]` look at: `prober`, `through` (its address), `service`, `kind`, `target`, `host`, `url` as the prober sees it, `module` (`answers`, as a browser, or `tcp`) and `asked`, what the prober is told |
| `estate.names` | the names of what they look at, through the proxy that serves them: as in `probes`, with `address` (the proxy's) in place of `url`, and `ingress`, the proxy |
| `estate.routes` | with `reaches: [exposed]`, what this service serves: all of `exposures`, and `upstream` |
| `estate.exposures` | services with `expose`: `host`, `service`, `kind`, `target`, `scheme`, `public`, `auth`, `ingress` (the service that serves it) |
| `estate.ingress` | the service that serves names: `service`, `target`, `address` (of its target), `host`, `ports` and `addresses` (`HOST:PORT`) as seen from here; none without |
| `estate.rules` | the `alerts` of all services as rules of Prometheus, and those that follow by themselves: `HostDown`, `ServiceDown`, `ProbeFailed`, `NameFailed`, `IngressFailed`, `ProbesDiffer` |
| `estate.inhibitions` | Alertmanager's inhibit rules: what is down hides what needs it |

`kind` is the name of the service's entry in the catalog. Alerts carry the labels `severity`, `service` and `target`; one whose expression does not hold
`service="{{ service.name }}"` takes the last two from its series. Series must carry `service`, `kind` and `target`, those of probes `prober` as well.
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
