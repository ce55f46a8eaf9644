"""The machines, hosts and services as they are, for people and as JSON. Called by `cli.status`."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, TextIO

from freehold.operations.machine_status import (
    UNKNOWN,
    HostStatus,
    MachineStatus,
    ServiceStatus,
    Status,
)
from freehold.views.tables import Column, table_lines
from freehold.views.terminal import Paper, Style, visible
from freehold.views.words import count, listed

_COLUMNS = [
    Column("machine"),
    Column("type"),
    Column("state"),
    Column("address", folds=True),
    Column("drift", folds=True),
    Column("image"),
]
_HOST_COLUMNS = [
    Column("host"),
    Column("state"),
    Column("address", folds=True),
    Column("drift", folds=True),
    Column("system"),
]
_SERVICE_COLUMNS = [
    Column("service"),
    Column("on"),
    Column("state"),
    Column("ports", folds=True),
    Column("drift", folds=True),
    Column("image", folds=True),
]


def status_document(status: Status) -> dict[str, Any]:
    """As in the contract of `status --json`."""
    return {
        "schema": 1,
        "kind": "status",
        "estate": status.estate,
        "as_declared": status.as_declared,
        "machines": [
            {
                "name": machine.name,
                "machine": machine.machine,
                "domain": machine.domain,
                "type": machine.type,
                "image": machine.image,
                "state": machine.state,
                "declared_address": machine.declared_address,
                "addresses": list(machine.addresses),
                "drift": list(machine.drift),
            }
            for machine in status.machines
        ],
        "hosts": [
            {
                "name": host.name,
                "address": host.address,
                "user": host.user,
                "port": host.port,
                "state": host.state.value,
                "system": host.system,
                "problem": host.problem,
                "drift": list(host.drift),
            }
            for host in status.hosts
        ],
        "services": [
            {
                "name": service.name,
                "on": service.target,
                "image": service.image,
                "state": service.state,
                "serves": service.serves,
                "ports": list(service.ports),
                "drift": list(service.drift),
            }
            for service in status.services
        ],
        "orphans": [str(address) for address in status.orphans],
    }


def render_status(
    status: Status,
    stream: TextIO,
    *,
    command: str = "freehold",
    more: Sequence[str] = (),
    not_measured: Sequence[str] = (),
    is_well: bool = True,
) -> None:
    """Write a table each of the machines, the hosts and the services, the orphans, and whether everything is as declared.

    `more` are lines that stand before the last ones. `not_measured` is what could not be looked at, in words. The last line is green when
    all is as declared and nothing else is the matter (`is_well`).
    """
    paper = Paper(stream)
    if status.machines:
        for line in table_lines(_COLUMNS, list(_rows(status.machines)), paper):
            paper.line(line)
        paper.line()
    if status.hosts:
        for line in table_lines(_HOST_COLUMNS, [_host_row(host) for host in status.hosts], paper):
            paper.line(line)
        paper.line()
    if status.services:
        for line in table_lines(_SERVICE_COLUMNS, [*map(_service_row, status.services)], paper):
            paper.line(line)
        paper.line()
    for line in more:
        paper.line(line)
    for host in status.hosts:
        for said in host.problem.splitlines():
            for line in paper.wrapped(visible(said)):
                paper.line(paper.paint(line, Style.CAUTION))
    if status.orphans:
        paper.line(f"{count(len(status.orphans), 'orphan')}; to see them: {command} orphans")
    green = is_well and status.as_declared and not not_measured
    for line in paper.wrapped(_verdict(status, not_measured, command)):
        paper.line(paper.paint(line, Style.GREEN if green else Style.CAUTION))


def _rows(machines: Sequence[MachineStatus]) -> list[list[str]]:
    """A row for each machine; an empty one between domains."""
    rows: list[list[str]] = []
    for _, group in groupby(machines, key=lambda machine: machine.domain):
        if rows:
            rows.append([])
        rows += [_row(machine) for machine in group]
    return rows


def _row(machine: MachineStatus) -> list[str]:
    drift = listed([visible(path) for path in machine.drift], 4)
    return [
        visible(machine.machine),
        machine.type,
        visible(machine.state),
        address_in_words(machine),
        drift or ("none" if machine.exists else "-"),
        visible(machine.image),
    ]


def _host_row(host: HostStatus) -> list[str]:
    drift = listed([visible(path) for path in host.drift], 4)
    where = f"{visible(host.address)}, port {host.port}"
    return [
        visible(host.name),
        host.state.value,
        where,
        drift or ("none" if host.is_reachable else "-"),
        visible(host.system) or "-",
    ]


def _service_row(service: ServiceStatus) -> list[str]:
    drift = listed([visible(path) for path in service.drift], 4)
    return [
        visible(service.name),
        visible(service.target),
        visible(service.state),
        " ".join(service.ports) or "-",
        drift or ("none" if service.serves else "-"),
        visible(service.image),
    ]


def address_in_words(machine: MachineStatus) -> str:
    """The declared address, and what is different in reality."""
    if not machine.is_running or machine.has_its_address:
        return machine.declared_address
    real = ", ".join(visible(address) for address in machine.addresses) or "no address"
    return f"{machine.declared_address} (has {real})"


def _verdict(status: Status, not_measured: Sequence[str], command: str) -> str:
    dark = listed([visible(each) for each in not_measured])
    unknown = [f"Not measured: {dark}."] if dark else []
    if status.as_declared:
        well = "What could be looked at is" if dark else "Everything is"
        return " ".join([f"{well} as infra.yml says.", *unknown])
    differs = f"{'; '.join(_differences(status))}."
    return " ".join([differs, *unknown, f"To see what apply would do: {command} plan"])


def _differences(status: Status) -> list[str]:
    parts = []
    if status.changes:
        parts.append(f"{count(status.changes, 'resource')} not as infra.yml says")
    if wrong := [m.machine for m in status.machines if m.is_running and not m.has_its_address]:
        parts.append(f"{listed([visible(w) for w in wrong])} without the declared address")
    if away := [host.name for host in status.hosts if not host.is_reachable]:
        parts.append(f"{listed([visible(name) for name in away])} not reachable")
    dark = [each.name for each in status.services if each.state == UNKNOWN]
    if ill := [each.name for each in status.services if not each.serves and each.name not in dark]:
        parts.append(f"{listed([visible(name) for name in ill])} not serving")
    if dark:
        parts.append(f"{listed([visible(name) for name in dark])} not known")
    if status.problems:
        parts.append(count(status.problems, "problem") + " in the way")
    return parts
