"""Reads what the rules between the domains have let through and dropped. Called by `cli.firewall`; changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass

from freehold.diagnostics import BackendError, Diagnostic
from freehold.engine.planner import Picture
from freehold.model import Infra
from freehold.providers.firewall.counts import Dropped, counted, remembered
from freehold.providers.firewall.router.inside import Inside
from freehold.providers.firewall.ruleset import table_name
from freehold.system.incus.api import Incus
from freehold.system.nftables import Listing, Nftables


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallCounts:
    """What was counted since the rules were loaded. `machine` is the one between the domains, None with rules on the host.

    `passed` and `dropped` are packets between domains by chain; None where nobody counts. `latest` is what was dropped
    within the last hour, None where nobody remembers. `names` tells machines by their addresses. `host_dropped` are the
    packets that the host itself dropped, by chain.
    """

    estate: str
    machine: str | None
    passed: Mapping[str, int] | None
    dropped: Mapping[str, int] | None
    latest: tuple[Dropped, ...] | None
    host_dropped: Mapping[str, int]
    names: Mapping[str, str]


async def read_counts(
    incus: Incus, nftables: Nftables, infra: Infra, picture: Picture
) -> FirewallCounts:
    """Ask the host, and the machine if there is one. Raises BackendError when the host has no rules."""
    name = table_name(infra.name)
    host = await nftables.table(name)
    if host is None:
        raise BackendError(_NO_RULES)
    inside = await _inside(incus, infra, name)
    return FirewallCounts(
        estate=infra.name,
        machine=infra.transfer.key if infra.transfer else None,
        passed=None if inside is None else counted(inside, "accept"),
        dropped=None if inside is None else counted(inside, "drop"),
        latest=None if inside is None else tuple(remembered(inside)),
        host_dropped=counted(host, "drop"),
        names=_names(picture),
    )


async def _inside(incus: Incus, infra: Infra, name: str) -> Listing | None:
    """The table in the machine; None without a machine that answers."""
    if infra.transfer is None:
        return None
    machine = Inside(incus, infra.transfer.domain, infra.transfer.instance)
    return await machine.table(name)


def _names(picture: Picture) -> dict[str, str]:
    return {
        claim: address.path
        for address, seen in picture.observed.items()
        if address.kind == "instance"
        for claim in seen.claims
    }


_NO_RULES = Diagnostic(
    code="no-firewall-rules",
    summary="The estate's firewall rules are not loaded",
    detail="Nothing is counted.",
    hint="Load them:\n    freehold apply",
)
