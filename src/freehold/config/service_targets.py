"""What targets get because services are placed on them: Docker, what Docker needs of Incus, rules for ports, and the roles of services.

Called by `load` with the model that `build` made, when there are services.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from freehold.config.open_ports import listens_on_target
from freehold.config.service_policies import following_policies
from freehold.model import Domain, Host, Infra, Machine, MachineType, Provision
from freehold.model.services import Service

DOCKER_ROLE = "docker_engine"
"""The role that installs Docker and Compose; it goes to every target of a service that is a container."""

PORTS_ROLE = "host_ports"
"""The role that keeps ports of services for those who may reach them; it goes to hosts, for machines have policies."""

DOCKER_OPTIONS: Mapping[str, str] = {
    "security.nesting": "true",
    "security.idmap.isolated": "true",
}
"""What a container of Incus needs that runs Docker (Incus's FAQ, "How can I run Docker inside an Incus container?").

The second one gives it users of its own: one user of the kernel may have 200 keys (`kernel.keys.maxkeys`, keyrings(7)), runc takes
one per container, and without it all containers of Incus are the same users.

No `security.syscalls.intercept.*`: since Linux 5.11 Docker's overlay2 needs none (whiteouts and `userxattr` work without), and with any of
them Incus 6.0 says of 4 to 40 in 100 commands "Failed to retrieve PID of executing child process" although they run (measured).
"""


def with_services(infra: Infra, services: tuple[Service, ...]) -> Infra:
    """The estate with its services, and targets that are ready for them."""
    placed: dict[str, list[Service]] = {}
    for service in services:
        placed.setdefault(service.target, []).append(service)
    return replace(
        infra,
        services=services,
        policies=(*infra.policies, *following_policies(infra, services)),
        hosts=tuple(_host(host, placed.get(host.key, []), services) for host in infra.hosts),
        domains=tuple(_domain(domain, placed) for domain in infra.domains),
    )


def _domain(domain: Domain, placed: Mapping[str, list[Service]]) -> Domain:
    machines = (_machine(machine, placed.get(machine.key, [])) for machine in domain.machines)
    return replace(domain, machines=tuple(machines))


def _host(host: Host, services: list[Service], every: tuple[Service, ...]) -> Host:
    """The rules stand before Docker and what it runs."""
    if not services:
        return host
    provision = _provision(host.provision, services)
    roles = tuple(dict.fromkeys((PORTS_ROLE, *provision.roles)))
    variables = {f"{PORTS_ROLE}_services": ports_of(services, every), **provision.vars}
    return replace(host, provision=replace(provision, roles=roles, vars=variables))


def ports_of(services: list[Service], every: tuple[Service, ...]) -> list[dict[str, object]]:
    """What the role is told of a host: each open port, and who may come in; `beside`: containers of the host itself too."""
    beside = set(_used_beside(every))
    return [
        {
            "service": service.name,
            "port": number,
            "protocol": offer.protocol.value,
            "from": list(service.reached_from.get(name, ())),
            "beside": (service.name, name) in beside,
        }
        for service in services
        for name, number in service.published.items()
        if (offer := service.descriptor.port(name)) is not None
    ]


def _used_beside(every: tuple[Service, ...]) -> Iterator[tuple[str, str]]:
    """Services in no network of Docker's and their ports that a container in one uses: it calls its computer for them."""
    by_name = {service.name: service for service in every}
    for user in every:
        if _on_target(user, by_name):
            continue
        for name, port in _used(user, by_name):
            other = by_name[name]
            if other.target == user.target and _on_target(other, by_name):
                yield name, port


def _on_target(service: Service, by_name: Mapping[str, Service]) -> bool:
    """Whether it listens on the target's own address: by itself, or because it has the network of one that does."""
    container = service.descriptor.container
    need = container.network_of if container else None
    whose = by_name.get(service.needs.get(need, "")) if need else None
    return _on_target(whose, by_name) if whose else listens_on_target(service.descriptor)


def _used(user: Service, by_name: Mapping[str, Service]) -> Iterator[tuple[str, str]]:
    """Services and their ports that one connects to: what it needs, and what it `reaches`."""
    for need in user.descriptor.needs:
        other = by_name.get(user.needs.get(need.name, ""))
        if other is not None:
            yield from ((other.name, port.name) for port in need.used(other.descriptor))
    for name, ports in user.reaches.items():
        yield from ((name, port) for port in ports)


def _machine(machine: Machine, services: list[Service]) -> Machine:
    """An option that the user wrote stays; a check says where Docker cannot run with it."""
    if not services:
        return machine
    needs_options = machine.type is MachineType.CONTAINER and _runs_docker(services)
    options = DOCKER_OPTIONS if needs_options else {}
    return replace(
        machine,
        config={**options, **machine.config},
        provision=_provision(machine.provision, services),
    )


def _runs_docker(services: list[Service]) -> bool:
    return any(service.as_container for service in services)


def _provision(provision: Provision, services: list[Service]) -> Provision:
    """Docker before the user's own roles, which may want it; the services' after them."""
    docker = (DOCKER_ROLE,) if _runs_docker(services) else ()
    by_role = [service for service in services if not service.as_container]
    own = [service.descriptor.role for service in by_role if service.descriptor.role]
    variables = {
        name: value for service in by_role for name, value in role_variables(service).items()
    }
    return replace(
        provision,
        roles=tuple(dict.fromkeys((*docker, *provision.roles, *own))),
        vars={**variables, **provision.vars},
    )


def role_variables(service: Service) -> dict[str, object]:
    """What the role of a service is told: its settings and version, as variables that begin with the role's name."""
    role = (service.descriptor.role or "").rpartition(".")[2]
    given = {"version": service.version, **service.settings}
    return {f"{role}_{name}": value for name, value in given.items()}
