"""What is dropped, by whom and by which rule, in sentences. Used by the checks of firewalls."""

from collections.abc import Sequence

from freehold.operations.doctor.passage import EXAMPLE, Block, quoted
from freehold.operations.doctor.subject import Subject

_SHOWN = 4  # bridges named in a sentence


def told(subject: Subject, who: str, found: Sequence[Block]) -> str:
    """A sentence for each rule or policy that drops: who, what of which bridges, and the rule itself."""
    ways: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for block in found:
        ways.setdefault((quoted(subject, block), block.bridges), []).append(block.way)
    return " ".join(
        f"{who} drops {' and '.join(dropped)}{_of(bridges)}: {rule}."
        for (rule, bridges), dropped in ways.items()
    )


def _of(bridges: Sequence[str]) -> str:
    if EXAMPLE in bridges:
        return ""
    more = f" and {len(bridges) - _SHOWN} more" if len(bridges) > _SHOWN else ""
    return f" ({', '.join(bridges[:_SHOWN])}{more})"
