"""The certificates under which services are served: asked of the service that serves them, as a browser would. Called by `look`."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from freehold.diagnostics import BackendError
from freehold.model import Infra
from freehold.operations.overview.facts import ServedCertificate
from freehold.planning.selection import Selection
from freehold.providers.compose.places import service_address

if TYPE_CHECKING:  # most estates expose nothing
    from freehold.model.services import Service
    from freehold.system.certificates import Shown

_HTTPS = 443  # RFC 9110, section 4.2.2
_SECONDS = 20.0  # for the lab's process to start and end on a busy computer


@dataclass(frozen=True, slots=True)
class Ingress:
    """A service on `target` that serves others by TLS: where it is reached (empty: not known), and the services by the names that they have."""

    service: str
    target: str
    address: str
    port: int
    names: Mapping[str, str]


def ingresses(
    infra: Infra, addresses: Mapping[str, str], selection: Selection = Selection()
) -> list[Ingress]:
    """The selected ones that are reachable from outside their target. `addresses` are those of the selected machines."""
    found = []
    for service in infra.services:
        if not selection.includes(service_address(service.target, service.name)):
            continue
        names = {
            each.expose.host: each.name
            for each in infra.services
            if each.name in service.serves and each.expose is not None
        }
        port = _port(service)
        if names and port is not None:
            address = _address(infra, service.target, addresses)
            found.append(Ingress(service.name, service.target, address, port, names))
    return found


def _port(service: "Service") -> int | None:
    """Where it speaks TLS on its target's own address; None when it does so nowhere."""
    for offer in service.descriptor.ports:
        if offer.name in service.published and (offer.scheme or offer.name) == "https":
            return service.published[offer.name]
    return next((port for port in service.published.values() if port == _HTTPS), None)


def _address(infra: Infra, target: str, addresses: Mapping[str, str]) -> str:
    host = infra.host(target)
    return host.address if host is not None else addresses.get(target, "")


async def certificates(asked: Sequence[Ingress], lab: int | None) -> tuple[ServedCertificate, ...]:
    """What each shows for each name. `lab` is the process that holds the lab's network; None for this computer's."""
    answers = await asyncio.gather(*(_asked(each, lab) for each in asked))
    return tuple(
        ServedCertificate(
            host=shown.name,
            service=ingress.names[shown.name],
            ingress=ingress.service,
            target=ingress.target,
            begins=shown.beginning,
            expires=shown.expiry,
            issuer=shown.issuer,
            fits=shown.fits,
            problem=shown.problem,
        )
        for ingress, answer in zip(asked, answers, strict=True)
        for shown in answer
    )


async def _asked(ingress: Ingress, lab: int | None) -> "list[Shown]":
    from freehold.system.certificates import Shown, shown_by

    names = sorted(ingress.names)
    if not ingress.address:
        unknown = f"the address of {ingress.target} is not known"
        return [Shown(name, problem=unknown) for name in names]
    if lab is None:
        return await shown_by(ingress.address, ingress.port, names)
    try:
        return await _asked_in_lab(ingress, names, lab)
    except (BackendError, ValueError) as error:
        return [Shown(name, problem=str(error)) for name in names]


async def _asked_in_lab(ingress: Ingress, names: Sequence[str], lab: int) -> "list[Shown]":
    from freehold.system import namespaces, processes
    from freehold.system.certificates import answered, program

    argv = namespaces.enter_argv(lab, program(ingress.address, ingress.port, names), "/")
    done = await asyncio.to_thread(partial(processes.run, argv, timeout=_SECONDS))
    if done.code:
        raise ValueError((done.errors.strip().splitlines() or ["it did not answer"])[-1])
    return answered(done.output)
