"""What the machine between the domains and the table in it say, in the same fields as `desired.py` writes.

Called by `provider.py`. The openings are read as the host's are (`firewall.reading`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freehold.planning.resource import Fields
from freehold.providers.firewall.desired import AS_WRITTEN
from freehold.providers.firewall.reading import contents, difference, opened, structure
from freehold.providers.firewall.router.rules import DROPPED, DROPPED_OTHERS
from freehold.providers.firewall.router.ruleset import commands, skeleton
from freehold.system.nftables import Commands, Listing

if TYPE_CHECKING:
    from freehold.providers.firewall.router.inside import Found, Inside

__all__ = ["Machine", "machine_of", "opened", "rules_of", "zones"]

_IMAGE = "user.freehold.image"  # as the Incus provider marks it
_TYPES = {"container": "container", "virtual-machine": "vm"}
_MEMORIES = {f"set {DROPPED}", f"set {DROPPED_OTHERS}"}


@dataclass(frozen=True, slots=True)
class Machine:
    """The instance: what it was made of, and how it is (Incus's word in lower case, or that it is not there)."""

    state: str = "it is not there"
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def runs(self) -> bool:
        return self.state == "running"


def machine_of(raw: Mapping[str, Any] | None) -> Machine:
    """From `GET /instances/NAME`; None when there is none."""
    if raw is None:
        return Machine()
    nic = raw["devices"].get("eth0", {})
    return Machine(
        raw["status"].lower(),
        {
            "address": nic.get("ipv4.address", ""),
            "image": raw["config"].get(_IMAGE, ""),
            "type": _TYPES[raw["type"]],
        },
    )


def zones(listing: Listing) -> dict[str, dict[str, Any]]:
    """The domains that the table knows, by name."""
    held: dict[str, Any] = {
        entry["set"]["name"]: entry["set"].get("elem", []) for entry in listing if "set" in entry
    }
    admins = {_network(each) for each in held.get("admins", [])}
    found = {}
    for element in held.get("subnets", []):
        subnet, comment = _network(element["elem"]["val"]), element["elem"].get("comment", "")
        found[comment or subnet] = {"subnet": subnet, "admin": subnet in admins}
    return found


def _network(value: Any) -> str:
    if isinstance(value, Mapping) and "elem" in value:
        value = value["elem"]["val"]
    if isinstance(value, Mapping):
        return f"{value['prefix']['addr']}/{value['prefix']['len']}"
    return str(value)


async def rules_of(inside: "Inside", name: str, fields: Fields, found: "Found") -> str:
    """Whether what is loaded is ours to the letter; its own nft may write the same in other words, and is asked."""
    if found.problem:
        return found.problem
    if found.listing is None:
        return "nothing is loaded"
    held = difference(_held(commands(name, fields)), _held(found.listing))
    if held:
        return held
    there = structure(found.listing)
    if not difference(structure(skeleton(name)), there):
        return AS_WRITTEN
    canonical = await inside.written(name)
    return difference(structure(canonical or ()), there) or AS_WRITTEN


def _held(source: Listing | Commands) -> dict[str, list[str]]:
    """What the sets hold, without what the kernel put there itself."""
    return {name: held for name, held in contents(source).items() if name not in _MEMORIES}
