"""Every diagnostic code of the configuration: its fixed words, what it means, what to do.

`problem` is the only way in which `config` makes a Diagnostic, so that no code can lack its entry here;
`docs/reference/diagnostics.md` is made from this table.
"""

from freehold.config.codes.code import Code
from freehold.config.codes.estate import MACHINES, NETWORK, POLICIES, SNAPSHOTS
from freehold.config.codes.hosts import HOSTS
from freehold.config.codes.inside import INSIDE
from freehold.config.codes.reading import FILES, YAML
from freehold.config.codes.services import CATALOG, SERVICES
from freehold.config.codes.values import NAMES, SCHEMA
from freehold.diagnostics import Diagnostic, Source

__all__ = ["CODES", "GROUPS", "MOST_PROBLEMS", "Code", "problem"]

MOST_PROBLEMS = 1000
"""How many are shown; a broken file must not take minutes and a gigabyte to say so."""

GROUPS = {
    "Files": FILES,
    "YAML": YAML,
    "Keys and values": SCHEMA,
    "Names": NAMES,
    "Networks and addresses": NETWORK,
    "Machines": MACHINES,
    "Hosts": HOSTS,
    "Snapshots": SNAPSHOTS,
    "Policies": POLICIES,
    "What goes inside machines": INSIDE,
    "Services": SERVICES,
    "Descriptors of the catalog": CATALOG,
}

CODES: dict[str, Code] = {code: entry for group in GROUPS.values() for code, entry in group.items()}


def problem(code: str, detail: str, source: Source | None, hint: str | None = None) -> Diagnostic:
    """A Diagnostic with the words of its code; without a `hint` the code's own remedy."""
    entry = CODES[code]
    return Diagnostic(
        severity=entry.severity,
        code=code,
        summary=entry.summary,
        detail=detail,
        source=source,
        hint=hint or entry.remedy,
    )
