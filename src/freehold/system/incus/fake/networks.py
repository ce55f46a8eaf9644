"""`/networks` of the in-memory Incus: managed bridges, and the unmanaged `lo`. Routes for `server.py`.

All bridges live in the project `default`, as long as projects do not bring networks of their own (Freehold's do not).
"""

from collections.abc import Callable, Iterator, Mapping
from ipaddress import AddressValueError, IPv4Interface, IPv6Interface, NetmaskValueError
from typing import Any

from freehold.system.incus.fake.documents import (
    Document,
    copied,
    listing,
    required_name,
    text_of,
    texts_of,
    url,
)
from freehold.system.incus.fake.options import network_problem
from freehold.system.incus.fake.routing import Refusal, Request, Routes, not_found
from freehold.system.incus.fake.state import State
from freehold.system.incus.fake.usage import bridge_of

_LONGEST_NAME = 15  # IFNAMSIZ of the kernel, without the final zero
_LOOPBACK: Document = {
    "name": "lo",
    "type": "loopback",
    "description": "",
    "config": {},
    "managed": False,
    "status": "",
    "locations": None,
    "project": "default",
}
_VERSIONS: Mapping[str, Callable[[str], IPv4Interface | IPv6Interface]] = {
    "ipv4": IPv4Interface,
    "ipv6": IPv6Interface,
}


def subnet_of(network: Mapping[str, Any]) -> IPv4Interface | None:
    """The gateway and the IPv4 network of a bridge, None when it has none."""
    address = network["config"].get("ipv4.address", "none")
    return None if address == "none" else IPv4Interface(address)


def _list(state: State, request: Request) -> list[Any]:
    if not request.everywhere:
        state.require_project(request.project)
    by_profiles = _profiles_by_network(state)
    return listing(
        request,
        [*sorted(state.networks.values(), key=lambda network: str(network["name"])), _LOOPBACK],
        lambda network: _rendered(state, network, by_profiles),
        lambda network: url("/networks", network["name"]),
    )


def _get(state: State, request: Request, name: str) -> Document:
    state.require_project(request.project)
    if name == "lo":
        return {**copied(_LOOPBACK), "used_by": []}
    if name not in state.networks:
        raise not_found("Network not found")
    return _rendered(state, state.networks[name], _profiles_by_network(state))


def _create(state: State, request: Request) -> None:
    state.require_project(request.project)
    name = required_name(request.body)
    _check_name(name)
    if request.body.get("type", "bridge") not in {"bridge", ""}:
        raise Refusal(400, "Unknown driver")
    if name in state.networks:
        raise Refusal(409, f'Network "{name}" already exists')
    if name == "lo":
        raise Refusal(500, f'Network interface "{name}" already exists')
    config = _with_automatic_values(state, texts_of(request.body, "config"))
    _check_config(state, name, config, refused_with=500)
    state.networks[name] = {
        "name": name,
        "type": "bridge",
        "description": text_of(request.body, "description"),
        "config": config,
        "managed": True,
        "status": "Created",
        "locations": ["none"],
        "project": "default",
    }


def _with_automatic_values(state: State, given: dict[str, str]) -> dict[str, str]:
    """A new bridge gets the addresses that are not given, and NAT for those that it got."""
    config = dict(given)
    for version in _VERSIONS:
        if config.get(f"{version}.address", "auto") == "auto":
            config[f"{version}.address"] = _random_address(state, version)
            config.setdefault(f"{version}.nat", "true")
    return config


def _random_address(state: State, version: str) -> str:
    draw = state.random.randrange
    if version == "ipv4":
        return f"10.{draw(256)}.{draw(256)}.1/24"
    return f"fd42:{draw(65536):x}:{draw(65536):x}:{draw(65536):x}::1/64"


def _replace(state: State, request: Request, name: str) -> Document:
    return _write(state, request, name, texts_of(request.body, "config"))


def _patch(state: State, request: Request, name: str) -> Document:
    current = _managed(state, name)["config"]
    return _write(state, request, name, {**current, **texts_of(request.body, "config")})


def _write(state: State, request: Request, name: str, config: dict[str, str]) -> Document:
    """Nothing is filled in but what says `auto`. A description that is not given is emptied, by PATCH too."""
    network = _managed(state, name)
    for version in _VERSIONS:
        if config.get(f"{version}.address") == "auto":
            config[f"{version}.address"] = _random_address(state, version)
    _check_config(state, name, config, refused_with=400)
    description = text_of(request.body, "description")
    state.networks[name] = {**network, "config": config, "description": description}
    return {}


def _rename(state: State, request: Request, name: str) -> None:
    network = _managed(state, name)
    wanted = required_name(request.body)
    _check_name(wanted)
    if wanted in state.networks:
        raise Refusal(409, f'Network "{wanted}" already exists')
    if _users(state, name, _profiles_by_network(state)):
        raise Refusal(400, "Network is currently in use")
    del state.networks[name]
    state.networks[wanted] = {**network, "name": wanted}


def _delete(state: State, request: Request, name: str) -> Document:
    _managed(state, name)
    if _users(state, name, _profiles_by_network(state)):
        raise Refusal(400, "The network is currently in use")
    del state.networks[name]
    return {}


def _managed(state: State, name: str) -> Document:
    if name not in state.networks:
        raise not_found("Failed loading network: Network not found")
    return state.networks[name]


def _profiles_by_network(state: State) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for (project, name), profile in state.profiles.items():
        for device in profile["devices"].values():
            if (bridge := bridge_of(device)) is not None:
                found.setdefault(bridge, []).append(url("/profiles", name, project))
    return found


def _users(state: State, name: str, by_profiles: Mapping[str, list[str]]) -> list[str]:
    instances = (
        url("/instances", instance, project)
        for project, instance in state.usage.networks.get(name, {})
    )
    return [*by_profiles.get(name, []), *instances]


def _rendered(state: State, network: Document, by_profiles: Mapping[str, list[str]]) -> Document:
    return {**copied(network), "used_by": _users(state, network["name"], by_profiles)}


def _check_name(name: str) -> None:
    if len(name) < 2:
        raise Refusal(400, "Network interface is too short (minimum 2 characters)")
    if len(name) > _LONGEST_NAME:
        raise Refusal(400, f"Network interface is too long (maximum {_LONGEST_NAME} characters)")
    if not all(character.isalnum() or character in "-_.:" for character in name):
        raise Refusal(400, "Network interface contains invalid characters")


def _check_config(state: State, name: str, config: Mapping[str, str], *, refused_with: int) -> None:
    problem = network_problem(name, config) or next(_address_problems(name, config), None)
    if problem:
        raise Refusal(refused_with, problem)
    for other in state.networks.values():
        address = config.get("ipv4.address", "none")
        mine, theirs = address.partition("/")[0], other["config"].get("ipv4.address", "")
        if address != "none" and other["name"] != name and theirs.partition("/")[0] == mine:
            raise Refusal(
                500,
                'The DNS and DHCP service exited prematurely: exit status 2 ("dnsmasq: failed to create listening '
                f'socket for {mine}: Address already in use")',
            )


def _address_problems(name: str, config: Mapping[str, str]) -> Iterator[str]:
    for version, interface in _VERSIONS.items():
        address = config.get(f"{version}.address", "none")
        start = f'Invalid value for network "{name}" option "{version}.address"'
        if address == "none":
            continue
        if "/" not in address:
            yield f"{start}: invalid CIDR address: {address}"
            continue
        try:
            parsed = interface(address)
        except (AddressValueError, NetmaskValueError, ValueError):
            yield f'{start}: Not an {version.replace("ipv", "IPv")} address "{address}"'
            continue
        if parsed.ip == parsed.network.network_address and parsed.network.num_addresses > 1:
            yield f'{start}: Not a usable {version.replace("ipv", "IPv")} address "{address}"'


ROUTES: Routes = {
    ("GET", "/networks"): _list,
    ("POST", "/networks"): _create,
    ("GET", "/networks/{name}"): _get,
    ("PUT", "/networks/{name}"): _replace,
    ("PATCH", "/networks/{name}"): _patch,
    ("POST", "/networks/{name}"): _rename,
    ("DELETE", "/networks/{name}"): _delete,
}
