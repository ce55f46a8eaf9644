"""Ports that services have open on their target: those that the descriptor knows, and each number once."""

from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.config.places import KeyPath
from freehold.config.placing import Placing
from freehold.diagnostics import Diagnostic, did_you_mean
from freehold.model.protocols import Protocol

_LARGEST = 65535

Taken = tuple[str, int, Protocol]
"""Target, number, protocol."""

Opened = tuple[str, str] | None
"""A service and its port; None for the way by which a host is entered."""


def known_ports(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """`ports` names those of the descriptor, with numbers that a port can have."""
    for name, part, descriptor in placing.known():
        known = [port.name for port in descriptor.ports]
        for key, number in part.ports.items():
            path: KeyPath = ("services", name, "ports", key)
            if key not in known:
                words = ", ".join(f"`{each}`" for each in known)
                there = f"; there are {words}" if known else ", nor any"
                detail = f"{descriptor.title} has no port `{key}`{there}."
                yield context.at_key(path, "unknown-port", detail, did_you_mean(key, known))
            elif not 1 <= number <= _LARGEST:
                yield context.at(path, "invalid-port", f"{number} is not between 1 and {_LARGEST}.")
            elif placing.open_ports.on_target(name):
                why = (
                    "has the target's own network"
                    if descriptor.container
                    else "runs without a container"
                )
                detail = (
                    f"{descriptor.title} {why}: its port `{key}` is the one that it listens on."
                )
                yield context.at(path, "fixed-port", detail)


def port_clashes(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """No two on one; the first in the order of names keeps it."""
    first: dict[Taken, Opened] = {
        (name, host.ssh.port, Protocol.TCP): None for name, host in context.document.hosts.items()
    }
    for name, part, descriptor in placing.known():
        for key, number in placing.open_ports.published(name).items():
            port = descriptor.port(key)
            if port is None:
                continue
            other = first.setdefault((part.on, number, port.protocol), (name, key))
            if other != (name, key) and not _told_of_their_network(placing, name, other):
                yield _clash(context, placing, (name, key), number, other)


def _told_of_their_network(placing: Placing, name: str, other: Opened) -> bool:
    """Two services in one network: they clash there, whatever is open on the target."""
    if other is None or other[0] == name:
        return False
    return (placing.network_of(name) or name) == (placing.network_of(other[0]) or other[0])


def _clash(
    context: Context, placing: Placing, port: tuple[str, str], number: int, other: Opened
) -> Diagnostic:
    name, key = port
    target = placing.parts[name].on
    users = placing.open_ports.users_elsewhere(name).get(key, [])
    why = f", because `{users[0]}` on another target needs it" if users else ""
    who = "its SSH" if other is None else f"`{other[0]}`"
    if other is not None and other[0] == name:
        who = f"its port `{other[1]}`"
    detail = (
        f"`{name}` opens its port `{key}` as {number} on `{target}`{why}; {who} has {number} there."
    )
    written = ("services", name, "ports", key)
    path = written if context.tree.has(written) else ("services", name)
    return context.at(path, "port-taken", detail, _hint(placing, port, number, other))


def _hint(placing: Placing, port: tuple[str, str], number: int, other: Opened) -> str:
    """Another number for one whose ports have numbers of infra.yml's choice."""
    target = placing.parts[port[0]].on
    for name, key in (port, other) if other else (port,):
        if not placing.open_ports.on_target(name):
            return f"Add to `{name}`: `ports: {{{key}: {_free(placing, target, number)}}}`."
    return "Place one of them on another target." if other else "Place it on another target."


def _free(placing: Placing, target: str, number: int) -> int:
    """The next one that nobody on the target has."""
    taken = {
        taken
        for name, part, _ in placing.known()
        if part.on == target
        for taken in placing.open_ports.published(name).values()
    }
    start = number + 8000 if number < 1024 else number + 1
    return next(each for each in range(start, _LARGEST) if each not in taken)
