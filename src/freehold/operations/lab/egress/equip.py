"""The estate as it is where it lives: with egress in a lab that has it. Called wherever infra.yml was read for a verb.

Both from outside, with `--lab`, and from within a control machine of such a lab, so that neither takes away what the other
gave. Everywhere else the estate stays as it is.
"""

import json
from pathlib import Path

from freehold.model import Infra
from freehold.operations.lab.egress.machines import INSIDE, PLACES, Egress, with_egress


def equipped(infra: Infra, *, in_lab: bool, inside: Path = Path(INSIDE)) -> Infra:
    """`in_lab`: the verb works in this computer's lab. Asks nobody and changes nothing."""
    if in_lab:
        from freehold.operations.lab.lab import Lab

        return Lab().equip(infra)
    seen = _seen_from(inside)
    return infra if seen is None else with_egress(infra, seen)


def _seen_from(inside: Path) -> Egress | None:
    """The egress that this computer itself has as a machine of a lab; None when it is none."""
    try:
        places = json.loads((inside / PLACES).read_text())
        files = frozenset(path.name for path in inside.iterdir())
        return Egress(Path(places["socket"]), Path(places["folder"]), files)
    except (OSError, ValueError, KeyError, TypeError):
        return None
