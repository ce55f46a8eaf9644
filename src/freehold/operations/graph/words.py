"""What the picture says about machines, hosts, services, domains and policies, as short texts. Pure; used by both kinds of picture."""

import unicodedata
from typing import TYPE_CHECKING

from freehold.model import Domain, Host, Infra, Machine, Policy, Trust

if TYPE_CHECKING:
    from freehold.model.services import Service

TRUST_ORDER = (Trust.ADMIN, Trust.TRUSTED, Trust.SEMI_TRUSTED, Trust.UNTRUSTED)
ENDS = {"host": "this computer", "internet": "the internet"}


def ordered(infra: Infra) -> list[Domain]:
    """The domains, the most trusted first."""
    return sorted(infra.domains, key=lambda domain: (TRUST_ORDER.index(domain.trust), domain.name))


def domain_facts(domain: Domain) -> str:
    """Its network, its bridge."""
    return f"{domain.subnet} · {domain.bridge}"


def trust_in_words(domain: Domain) -> str:
    """The trust, and what admin means."""
    return "admin: may reach every domain" if domain.trust is Trust.ADMIN else domain.trust.value


def machine_facts(machine: Machine) -> list[str]:
    """Everything but the name, a line for each kind of fact."""
    sizes = [
        *([f"{machine.cpu} CPU{'' if machine.cpu == 1 else 's'}"] if machine.cpu else []),
        *([f"{machine.memory} memory"] if machine.memory else []),
        *([f"{machine.disk} disk"] if machine.disk else []),
    ]
    marks = [
        *(["GPU"] if machine.gpu else []),
        *(["control"] if machine.control else []),
        *(["protected"] if machine.protect else []),
    ]
    return [
        str(machine.address) if machine.address else "address allocated at apply",
        f"{machine.type.value} · {machine.image}",
        *([" · ".join(sizes)] if sizes else []),
        *([" · ".join(marks)] if marks else []),
        *([f"profiles: {', '.join(machine.profiles)}"] if machine.profiles else []),
        *(
            f"{volume.name}{f' {volume.size}' if volume.size else ''} at {volume.path}"
            for volume in machine.volumes
        ),
    ]


def host_kind(host: Host) -> str:
    """That it is one, and its processor."""
    return f"host · {host.architecture.value}"


def host_facts(host: Host) -> str:
    """How it is entered by SSH."""
    return f"{host.ssh.user}@{host.address}, port {host.ssh.port}"


def services_of(infra: Infra, target: str) -> "list[Service]":
    """What is placed on a host (its name) or a machine (`domain/machine`)."""
    return [service for service in infra.services if service.target == target]


def service_facts(service: "Service") -> list[str]:
    """Everything but the name, a line for each kind of fact."""
    descriptor = service.descriptor
    opened = [_port(service, name, number) for name, number in service.published.items()]
    return [
        f"{descriptor.name} {service.version}" + ("" if service.as_container else " · by its role"),
        *([f"open: {', '.join(opened)}"] if opened else []),
        *([f"needs: {', '.join(dict.fromkeys(service.needs.values()))}"] if service.needs else []),
    ]


def need_traffic(user: "Service", used: "Service") -> str:
    """What passes from a service to one that it needs: `tcp 5432`; on one computer by the service's own ports."""
    named = {need.name: need for need in user.descriptor.needs}
    ports = [
        port
        for name, other in user.needs.items()
        if other == used.name
        for port in named[name].used(used.descriptor)
    ]
    elsewhere = user.target != used.target
    numbers = {each.name: used.published if elsewhere else {} for each in ports}
    return ", ".join(
        dict.fromkeys(
            _port(used, port.name, numbers[port.name].get(port.name, port.number)) for port in ports
        )
    )


def _port(service: "Service", name: str, number: int) -> str:
    offer = service.descriptor.port(name)
    return f"{offer.protocol.value} {number}" if offer else str(number)


def policy_traffic(policy: Policy) -> str:
    """What passes: `tcp 80, 8000-8100`."""
    ports = ", ".join(str(low) if low == high else f"{low}-{high}" for low, high in policy.ports)
    return f"{policy.protocol.value} {ports}".strip()


def policy_in_words(policy: Policy) -> str:
    """The policy in a line: who reaches whom, how, why."""
    arrow = "↔" if policy.bidirectional else "→"
    reason = f" ({policy.reason})" if policy.reason else ""
    ends = [ENDS.get(end, end) for end in (policy.source, policy.target)]
    return f"{ends[0]} {arrow} {ends[1]}: {policy_traffic(policy)}{reason}"


def shortened(text: str, most: int) -> str:
    """At most `most` columns, with `…` in place of the rest."""
    if columns(text) <= most:
        return text
    while columns(text) > most - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def columns(text: str) -> int:
    """How wide a text is, in widths of a narrow character: two for wide ones (UAX #11), none for combining ones."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
