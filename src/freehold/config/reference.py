"""The reference pages made from the schemas, the catalog and the table of codes; tests compare them with `docs/reference`.

Renew them with `python -c "from freehold.config.reference import write; write('docs/reference')"`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from freehold.config.codes import GROUPS, Code
from freehold.config.scalars import resolve
from freehold.config.schema import json_schema, later_keys
from freehold.diagnostics import Severity

LANGUAGE_PAGE = "infra-yml.md"
CODES_PAGE = "diagnostics.md"
BEGIN = "<!-- configuration: made by freehold.config.reference -->"
END = "<!-- configuration: end -->"

_INTRODUCTION = """\
# infra.yml

One file describes the estate. `freehold validate` checks it without touching anything; every problem is reported
at once, with file, line, column and key path ([all of them](diagnostics.md)). `freehold schema` prints the JSON
Schema that editors use; the first line of a file made by `freehold init` refers to it.

This page is made from the schema itself (`freehold.config.reference`); a test keeps the two equal.

## Files

`infra.yml` may be split: the files `infra.d/*.yml` beside it are read after it, in the order of their names.
`domains`, `hosts`, `services` and `policies` of all files are put together; every other key may stand in one file only. A name
that two files define is an error.

Files are UTF-8 and at most 8 MiB. YAML is read strictly, because parsers disagree about the rest: keys stand once,
there are no anchors, aliases, merge keys, further documents, or tags but `!secret NAME` for [secrets](../how-to/secrets.md), and a value such as `no`, `010`, `0x1F`,
`1_000`, `22:22` or `2024-01-31` needs quotes when it is meant as text. Nothing is converted silently: `"4"` is
not `4`, and a single value is not a list. A key with nothing behind it is an error.

## Names

Names of estates, domains, machines, profiles and volumes: lower-case letters, digits and hyphens, a letter first, no
hyphen last. Machine `llm` of domain `homelab` is `homelab/llm` here and on the command line, and
`homelab-llm` in Incus, which must be unique in the whole estate and at most 63 characters long.

## Addresses

Each domain has the /24 of `network.base` that its `subnet_id` names. In it, `.1` is the gateway, `.2` to `.199`
are for machines, and `.200` to `.254` are given out by DHCP to instances that Freehold does not know. A machine without `ip` gets an address from
`.10` to `.199` that stays its own when others come and go.
"""

_SECTIONS = (
    ("At the top", None),
    ("`defaults`", "Defaults"),
    ("`network`", "NetworkPart"),
    ("`gpu`", "Gpu"),
    ("`snapshots`", "SnapshotsPart"),
    ("`keep` of `snapshots`", "KeepPart"),
    ("`domains.NAME`", "DomainPart"),
    ("`domains.NAME.profiles.NAME`", "ProfilePart"),
    ("`domains.NAME.machines.NAME`", "MachinePart"),
    ("`gpu` of a machine", "MachineGpuPart"),
    ("`domains.NAME.machines.NAME.volumes.NAME`", "VolumePart"),
    ("`provision`", "Provision"),
    ("`provision.git[]`", "GitCheckout"),
    ("`provision.script[]`", "ScriptRun"),
    ("`provision.files[]` and `provision.templates[]`", "PlacedFile"),
    ("`policies[]`", "PolicyPart"),
    ("`hosts.NAME`", "HostPart"),
    ("`ssh` and `first` of a host", "SshPart"),
    ("`services.NAME`", "ServicePart"),
    ("`services.NAME.expose`", "ExposePart"),
    ("`alerts`", "AlertsPart"),
    ("`alerts.telegram`", "TelegramPart"),
)


def language_page() -> str:
    """`docs/reference/infra-yml.md`."""
    schema = json_schema()
    parts = [_INTRODUCTION]
    parts += [section(schema, title, name) for title, name in _SECTIONS]
    later = ", ".join(f"`{key}`" for key in later_keys())
    parts.append(
        f"## Later\n\nKeys of the language that this version refuses: {later}, and `on` in a domain."
    )
    return "\n\n".join(part.strip() for part in parts) + "\n"


def section(schema: dict[str, Any], title: str, name: str | None) -> str:
    """The part of a page about one class of a schema, or with no `name` about the whole file."""
    part = schema if name is None else schema["$defs"][name]
    return "\n".join([f"## {title}", "", part["description"], "", *_table(schema, part)])


def codes_section() -> str:
    """The part of `docs/reference/diagnostics.md` that is about the configuration, between its two marks."""
    lines = [BEGIN, ""]
    for title, codes in GROUPS.items():
        lines += [f"### {title}", "", "| Code | What it means | What to do |", "|---|---|---|"]
        lines += [_code_row(code, entry) for code, entry in codes.items()]
        lines.append("")
    return "\n".join([*lines, END])


def write(folder: str | Path) -> None:
    """Renew all pages; what others wrote around the marks of that of diagnostics stays."""
    from freehold.config.catalog.reference import pages  # it takes this module's tables

    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    _replace(target / LANGUAGE_PAGE, language_page())
    for name, text in pages():
        (target / name).parent.mkdir(exist_ok=True)
        _replace(target / name, text)
    page = target / CODES_PAGE
    old = page.read_text(encoding="utf-8") if page.exists() else _CODES_HEAD
    before, _, rest = old.partition(BEGIN)
    after = rest.partition(END)[2]
    _replace(page, before + codes_section() + (after or "\n"))


_CODES_HEAD = """\
# Diagnostics

Every problem that Freehold reports has a code that stays the same; `--json` carries it. An error stops the
command, a warning does not.

## Configuration

Problems of `infra.yml` and `infra.d/`; any error among them ends with exit code 3. The language is described in
[infra-yml.md](infra-yml.md).

"""


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _code_row(code: str, entry: Code) -> str:
    warning = " (warning)" if entry.severity is Severity.WARNING else ""
    cells = (f"`{code}`{warning}", f"**{entry.summary}.** {entry.meaning}", entry.remedy)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _table(schema: dict[str, Any], part: dict[str, Any]) -> Iterator[str]:
    yield "| Key | Value | Meaning | Example |"
    yield "|---|---|---|---|"
    required = part.get("required", ())
    for key, field in part["properties"].items():
        must = " (required)" if key in required else ""
        description = field.get("description") or schema["$defs"][_target(field)]["description"]
        cells = (f"`{key}`{must}", _kind(schema, field), description, _example(key, field))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(schema: dict[str, Any], field: dict[str, Any]) -> str:
    """A schema in words."""
    if target := _target(field):
        part = schema["$defs"][target]
        choices = part.get("enum")
        return ", ".join(f"`{choice}`" for choice in choices) if choices else "keys, see below"
    if "anyOf" in field:
        return " or ".join(_kind(schema, choice) for choice in field["anyOf"])
    kind = field.get("type")
    if kind == "array":
        return f"list of {_plural(_kind(schema, field['items']))}"
    if kind == "object":
        values = field.get("additionalProperties") or _only(field.get("patternProperties"))
        inner = _kind(schema, values) if isinstance(values, dict) and values else "any value"
        return f"names with {inner}"
    if isinstance(kind, list):
        return "text, number, `true` or `false`"
    return _scalar(field, str(kind))


def _only(patterns: dict[str, Any] | None) -> Any:
    """What stands below names of one form."""
    return next(iter(patterns.values())) if patterns else None


def _scalar(field: dict[str, Any], kind: str) -> str:
    pattern = field.get("pattern", "")
    if kind == "string":
        if "GiB" in pattern:
            return "size"
        if "smh" in pattern:
            return "time"
        if field.get("format") == "date":
            return "day, as text"
        if pattern == "^/.+":
            return "absolute path"
        return "IPv4 address" if field.get("format") == "ipv4" else "text"
    return {"integer": "whole number", "boolean": "`true` or `false`"}.get(kind, kind)


def _plural(words: str) -> str:
    return {
        "text": "texts",
        "absolute path": "absolute paths",
        "keys, see below": "items, see below",
    }.get(words, words)


def _target(field: dict[str, Any]) -> str:
    return str(field.get("$ref", "")).removeprefix("#/$defs/")


def _example(key: str, field: dict[str, Any]) -> str:
    examples = field.get("examples")
    return f"`{key}: {_flow(examples[0])}`" if examples else ""


def _flow(value: Any) -> str:
    """A value in YAML's flow style, quoted only where it must be."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if isinstance(value, str) and (
        ("-" in value and value[0].isdigit()) or not isinstance(resolve(value), str)
    ):
        return json.dumps(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
