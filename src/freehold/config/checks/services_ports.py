"""Ports that services have open on their target: those that the descriptor knows, and each number once."""

from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.config.open_ports import listens_on_target
from freehold.config.places import KeyPath
from freehold.config.placing import Placing
from freehold.diagnostics import Diagnostic, did_you_mean
from freehold.model.protocols import Protocol

_LARGEST = 65535

Taken = tuple[str, int, Protocol]
"""Target, number, protocol."""


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
            elif listens_on_target(descriptor):
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
    first: dict[Taken, str] = {
        (name, host.ssh.port, Protocol.TCP): "its SSH"
        for name, host in context.document.hosts.items()
    }
    for name, part, descriptor in placing.known():
        for key, number in placing.open_ports.published(name).items():
            port = descriptor.port(key)
            if port is None:
                continue
            other = first.setdefault((part.on, number, port.protocol), f"`{name}`")
            if other != f"`{name}`":
                yield _clash(context, placing, name, (key, number), other)


def _clash(
    context: Context, placing: Placing, name: str, port: tuple[str, int], other: str
) -> Diagnostic:
    key, number = port
    target = placing.parts[name].on
    users = placing.open_ports.users_elsewhere(name).get(key, [])
    why = f", because `{users[0]}` on another target needs it" if users else ""
    detail = f"`{name}` opens its port `{key}` as {number} on `{target}`{why}; {other} has {number} there."
    written = ("services", name, "ports", key)
    path = written if context.tree.has(written) else ("services", name)
    hint = f"Add to `{name}`: `ports: {{{key}: {_free(placing, target, number)}}}`."
    return context.at(path, "port-taken", detail, hint)


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
