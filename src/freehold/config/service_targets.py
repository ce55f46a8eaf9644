"""What targets get because services are placed on them: Docker, what Docker needs of Incus, and the roles of services.

Called by `load` with the model that `build` made, when there are services.
"""

from collections.abc import Mapping
from dataclasses import replace

from freehold.model import Domain, Host, Infra, Machine, MachineType, Provision
from freehold.model.services import Service

DOCKER_ROLE = "docker_engine"
"""The role that installs Docker and Compose; it goes to every target of a service that is a container."""

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
        hosts=tuple(_host(host, placed.get(host.key, [])) for host in infra.hosts),
        domains=tuple(_domain(domain, placed) for domain in infra.domains),
    )


def _domain(domain: Domain, placed: Mapping[str, list[Service]]) -> Domain:
    machines = (_machine(machine, placed.get(machine.key, [])) for machine in domain.machines)
    return replace(domain, machines=tuple(machines))


def _host(host: Host, services: list[Service]) -> Host:
    return replace(host, provision=_provision(host.provision, services)) if services else host


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
