"""What is where: the addresses of services, and the folders that they have on their target. Pure; used by all of this folder."""

from freehold.model import Infra
from freehold.model.services import Service
from freehold.planning.address import Address
from freehold.planning.resource import Fields

SERVICE = "service"
COMPOSE = "compose"
ESTATE_LABEL = "freehold.estate"
SERVICE_LABEL = "freehold.service"
FIELDS_LABEL = "freehold.fields"
"""On each container: the fields that the plan compares, as JSON."""

_ROOT = "/var/lib/freehold"
_ONES_OWN, _INSIDE = "instance", "provision"


def service_address(target: str, name: str) -> Address:
    """`service:cortex/db` on a host, `service:homelab/web/db` on a machine."""
    domain, _, machine = target.partition("/")
    return Address(domain, SERVICE, f"{machine}/{name}" if machine else name)


def compose_address(target: str) -> Address:
    """The Compose file of a target, in the estate's folder."""
    domain, _, machine = target.partition("/")
    return Address(domain, COMPOSE, machine)


def file_name(target: str) -> str:
    """Where that file is in the estate's folder."""
    return f"compose/{target}/compose.yml"


def port_claims(target: str, fields: Fields) -> frozenset[str]:
    """The ports of the target that only one service can have at a time, of its fields' `[ADDRESS:]PORT:NUMBER/PROTOCOL`."""
    claims = set()
    for each in fields.get("ports") or ():
        rest, _, protocol = str(each).partition("/")
        claims.add(f"port {rest.split(':')[-2]}/{protocol} of {target}")
    return frozenset(claims)


def target_of(address: Address) -> str:
    """The target that a service or a Compose file is on."""
    if address.kind == COMPOSE:
        return address.path
    machine, _, name = address.name.partition("/")
    return f"{address.domain}/{machine}" if name else address.domain


def name_of(address: Address) -> str:
    """The name of the service."""
    return address.name.rsplit("/", 1)[-1]


def machine_of(target: str) -> frozenset[Address]:
    """The machine that a target is; nothing for a host."""
    domain, _, machine = target.partition("/")
    return frozenset({Address(domain, _ONES_OWN, machine)} if machine else ())


def grounds(infra: Infra, target: str) -> frozenset[Address]:
    """What must be there before anything runs on a target: the machine, and what goes inside."""
    domain, _, name = target.partition("/")
    place = infra.host(target) or infra.machine(target)
    asks = place is not None and place.provision.asks
    return machine_of(target) | ({Address(domain, _INSIDE, name)} if asks else set())


def own_services(infra: Infra, target: str | None = None) -> list[Service]:
    """The services that run as containers, of one target or of all."""
    return [
        each
        for each in infra.services
        if each.as_container and (target is None or each.target == target)
    ]


def root(estate: str) -> str:
    """The folder of an estate on a target."""
    return f"{_ROOT}/{estate}"


def container_name(estate: str, service: str) -> str:
    """As Compose names the container of a service."""
    return f"{estate}-{service}-1"


def running_file(estate: str) -> str:
    """On the target: the Compose file that says what runs."""
    return f"{root(estate)}/compose/compose.yml"


def files_folder(estate: str, service: str) -> str:
    """On the target: a service's configuration files, by version."""
    return f"{root(estate)}/compose/files/{service}"


def copies_folder(estate: str, service: str) -> str:
    """On the target: the copies of a service's data from before its updates. Only root looks into it."""
    return f"{root(estate)}/copies/{service}"


def secrets_folder(estate: str, service: str = "") -> str:
    """On the target: a service's secrets, by version; those of all without `service`. Only root looks into it."""
    return f"{root(estate)}/secrets/{service}".rstrip("/")


def takeover_mark(folder: str) -> str:
    """Beside a version of secrets, until the service has taken them over; the container does not see it."""
    return f"{folder}/.not-taken-over"
