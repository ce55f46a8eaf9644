"""Packets that lie about who sent them: none may arrive, whoever is asked to believe them. Pure; called by `checks`.

Each machine takes the address of an admin machine (which may open connections everywhere), else one of the other domain's
own network; and that of a neighbour and of its own gateway, whom machines of its domain trust.
"""

from collections.abc import Iterator, Sequence

from freehold.model import Domain, Infra, Trust
from freehold.model.addresses import LAST_STATIC_HOST, host
from freehold.operations.traffic.check import CONTROL, Check, Kind
from freehold.operations.traffic.ends import End, Scope
from freehold.operations.traffic.ports import Ports


def forged_checks(infra: Infra, scope: Scope, ports: Ports) -> Iterator[Check]:
    """For every machine: its control, and a few lies."""
    for source in scope.sources:
        yield _check(source, source, source.address, ports.undeclared, because=CONTROL)
        targets = [target for one, target in scope.pairs if one is source and not target.problem]
        yield from _as_admin(infra, scope, source, targets, ports)
        yield from _as_neighbour(infra, source, targets, ports)


def _as_admin(
    infra: Infra, scope: Scope, source: End, targets: Sequence[End], ports: Ports
) -> Iterator[Check]:
    """To one machine of every other domain, under a name that it has reason to answer."""
    admin = _admin_address(infra, scope, source)
    told = {source.domain}
    for target in targets:
        if target.domain not in told:
            told.add(target.domain)
            forged = admin if admin and admin != target.address else _somebody_near(infra, target)
            yield _check(source, target, forged, ports.undeclared)


def _as_neighbour(
    infra: Infra, source: End, targets: Sequence[End], ports: Ports
) -> Iterator[Check]:
    """To a neighbour, under the name of a third one or of the gateway: no router sees these packets."""
    near = [target for target in targets if target.domain == source.domain]
    if near:
        others = [end.address for end in near[1:]]
        for forged in (str(_domain(infra, source).gateway), *others[:1]):
            yield _check(source, near[0], forged, ports.undeclared)


def _admin_address(infra: Infra, scope: Scope, source: End) -> str | None:
    """That of an admin machine of another domain; None when there is none."""
    admins = {domain.name for domain in infra.domains if domain.trust is Trust.ADMIN}
    found = (e for e in scope.machines if e.domain in admins and e.domain != source.domain)
    return next((end.address for end in found), None)


def _somebody_near(infra: Infra, target: End) -> str:
    """An address of the target's own network that is neither its own nor the host's, which the kernel knows better."""
    last = host(_domain(infra, target).subnet, LAST_STATIC_HOST)
    return str(last if str(last) != target.address else last - 1)


def _domain(infra: Infra, end: End) -> Domain:
    return next(domain for domain in infra.domains if domain.name == end.domain)


def _check(source: End, target: End, forged: str, port: int, because: str | None = None) -> Check:
    return Check(
        source=source.name,
        target=target.name,
        kind=Kind.SPOOFED,
        address=target.address,
        port=port,
        forged=forged,
        because=because,
    )
