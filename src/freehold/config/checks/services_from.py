"""Who may reach the ports of services on hosts: whom `from` names, and that it is known of everybody who needs one."""

from collections.abc import Iterator
from ipaddress import ip_network

from freehold.config.checks.context import Context, suggestion
from freehold.config.places import KeyPath
from freehold.config.placing import Placing
from freehold.config.services import ServicePart
from freehold.diagnostics import Diagnostic, did_you_mean
from freehold.model.protocols import Protocol
from freehold.model.services import EVERYBODY


def sources(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """`from` names ports of the descriptor, and of each somebody who can be told by an address."""
    for name, part, descriptor in placing.known():
        path: KeyPath = ("services", name, "from")
        if part.from_ and part.on not in context.document.hosts:
            if "/" in part.on:
                detail = f"`{name}` runs on the machine `{part.on}`."
                yield context.at_key(path, "from-on-a-machine", detail)
            continue
        known = [port.name for port in descriptor.ports]
        for key, named in part.from_.items():
            if key not in known:
                words = ", ".join(f"`{each}`" for each in known)
                there = f"; there are {words}" if known else ", nor any"
                detail = f"{descriptor.title} has no port `{key}`{there}."
                hint = did_you_mean(key, known)
                yield context.at_key((*path, key), "unknown-port", detail, hint)
            for index, source in enumerate(named):
                yield from _source(context, (*path, key, index), source)


def _source(context: Context, path: KeyPath, source: str) -> Iterator[Diagnostic]:
    hosts = context.tree.names(("hosts",))
    if source == EVERYBODY or source in hosts:
        return
    try:
        ip_network(source)
    except ValueError as error:
        hint = suggestion(source, list(hosts))
        if "host bits" in str(error):
            hint = f"Write `{ip_network(source, strict=False)}`."
        detail = f"`{source}` is neither an address nor a network nor a host of infra.yml."
        yield context.at(path, "invalid-source", detail, hint)


def machines_that_need_hosts(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """Their packets come with the address of whichever computer runs Incus: somebody must say which that is."""
    for name, part, descriptor in placing.known():
        if part.on not in context.document.hosts:
            continue
        for port, users in placing.open_ports.users_elsewhere(name).items():
            offer = descriptor.port(port)
            machines = [user for user in users if "/" in placing.parts[user].on]
            if machines and offer and not offer.published and port not in part.from_:
                yield _untold(context, placing, name, port, machines[0])


def _untold(context: Context, placing: Placing, name: str, port: str, user: str) -> Diagnostic:
    source, target = placing.parts[user].on, placing.parts[name].on
    detail = f"`{user}` on `{source}` needs the port `{port}` of `{name}` on `{target}`, which is open to nobody else."
    hint = (
        f"Add to `{name}` the address by which the computer with the machines reaches `{target}`: "
        f"`from: {{{port}: [ADDRESS]}}`; or open it to all: `from: {{{port}: [all]}}`."
    )
    return context.at_key(("services", name), "untold-source", detail, hint)


def first_ways(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """No rule ends the connection by which a host is entered that is as it was delivered."""
    for name, part, descriptor in placing.known():
        host = context.document.hosts.get(part.on)
        if host is None or host.first is None:
            continue
        numbers = placing.open_ports.published(name)
        for port, sources in placing.open_ports.reached_from(name).items():
            offer = descriptor.port(port)
            is_there = offer is not None and offer.protocol is Protocol.TCP
            if is_there and numbers[port] == host.first.port and EVERYBODY not in sources:
                yield _shut(context, name, part, port, numbers[port])


def _shut(context: Context, name: str, part: ServicePart, port: str, number: int) -> Diagnostic:
    detail = f"`{name}` has its port `{port}` open as {number} for some only, and `first` enters `{part.on}` there: all others would be kept out, and so would Freehold."
    other = number + 8000 if number < 1024 else number + 1
    hint = f"Remove `first` when it is no longer needed, or give `{name}` another number: `ports: {{{port}: {other}}}`."
    return context.at_key(("services", name), "port-taken", detail, hint)


def closed_ports(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """Warnings: open ports that nobody needs, nobody was let into, and nobody said so of."""
    beside = set(_beside(placing))
    for name, part, _ in placing.known():
        users = placing.open_ports.users_elsewhere(name)
        closed = [
            port
            for port, sources in placing.open_ports.reached_from(name).items()
            if not sources and port not in {*part.from_, *users} and (name, port) not in beside
        ]
        if closed:
            yield _closed(context, name, part, closed)


def _closed(context: Context, name: str, part: ServicePart, ports: list[str]) -> Diagnostic:
    words = ", ".join(f"`{port}`" for port in ports)
    detail = f"`{name}` has {words} open on `{part.on}`, and nobody elsewhere may reach it."
    hint = f"Add to `{name}` who may: `from: {{{ports[0]}: [192.168.1.0/24]}}`, `[all]`, or `[]` for nobody."
    return context.at_key(("services", name), "closed-port", detail, hint)


def _beside(placing: Placing) -> Iterator[tuple[str, str]]:
    """Services and ports that another one on the same target uses."""
    for user, part, _ in placing.known():
        for other, port in placing.connects(user):
            if placing.parts[other].on == part.on:
                yield other, port.name
