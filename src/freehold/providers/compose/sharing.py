"""Containers that have the network of another: they live as long as that one runs, and must be started again when it was.

A container joins a network by the other container's number, and loses it when that one is made anew or started again (docs.docker.com,
"Container networks"). `look` asks what is real, `provider` what a plan will do. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from freehold.model import Infra
from freehold.planning.address import Address
from freehold.planning.resource import Fields, Observed
from freehold.providers.compose import places
from freehold.providers.compose.desired import KEPT, STATE, Wanted
from freehold.providers.compose.networking import OF_SERVICE
from freehold.wiring.addresses import home

NETWORK = "network_mode"
_NO_RESTART: Fields = {STATE: None, KEPT: None}  # what differs here starts nothing again

Containers = Mapping[str, Mapping[str, Any]]
"""What Docker says of each, by service."""


def real_network(shown: object, container: Mapping[str, Any], containers: Containers) -> object:
    """The network that a container has, where it was started with that of a service; else what was `shown`."""
    if not isinstance(shown, str) or not shown.startswith(OF_SERVICE):
        return shown
    whose = containers.get(shown.removeprefix(OF_SERVICE))
    if whose is None or container["network"] != f"container:{whose['id']}":
        return f"{shown}, of a container that is gone"
    runs = container["status"] == "running"
    if runs and _moment(whose) > _moment(container):
        return f"{shown}, as it was before that was started again"
    return shown


def with_restarts(
    infra: Infra, services: Mapping[str, Wanted], observed: Mapping[Address, Observed]
) -> Mapping[str, Wanted]:
    """The services as they are to be, where those start again whose network's service will."""
    again = set(_started_again(services, observed))
    return {
        name: _restarted(each)
        if home(infra, each.service).name in again - {name} and _address(each) in observed
        else each
        for name, each in services.items()
    }


def _restarted(wanted: Wanted) -> Wanted:
    after = f"{wanted.fields[NETWORK]}, which is started again"
    return replace(wanted, fields={**wanted.fields, NETWORK: after})


def _started_again(
    services: Mapping[str, Wanted], observed: Mapping[Address, Observed]
) -> Iterator[str]:
    for name, each in services.items():
        seen = observed.get(_address(each))
        if seen is None or _starts(each.fields, seen.fields):
            yield name


def _starts(wanted: Fields, seen: Fields) -> bool:
    """Whether the change makes the container anew, or starts it."""
    stands = str(seen.get(STATE, "")).startswith(("created", "exited"))
    return stands or {**wanted, **_NO_RESTART} != {**seen, **_NO_RESTART}


def _address(wanted: Wanted) -> Address:
    return places.service_address(wanted.service.target, wanted.service.name)


def _moment(container: Mapping[str, Any]) -> str:
    """When it was started: RFC 3339 in UTC, whose digits after the second may be of any number."""
    return str(container["started"]).rstrip("Z")
