"""The computers of `hosts`: whether each lets us in, as root, and is what infra.yml says. Called by `cli.doctor`."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial

from freehold.model import Host, Infra
from freehold.model.hosts import Architecture
from freehold.operations.doctor.finding import Check, Finding, error, not_measured, ok, warning
from freehold.operations.doctor.subject import PATIENCE, Subject
from freehold.operations.host_status import system_name
from freehold.system.processes import find_program, run
from freehold.system.targets import Target, TargetFailed, TargetMissing, Targets

TargetsFor = Callable[[Infra], Targets]

_ASK = "uname -m; command -v python3 >/dev/null && python3 -V; cat /etc/os-release"
_MACHINES = {"x86_64": Architecture.AMD64, "aarch64": Architecture.ARM64}  # uname(1)


def host_checks(subject: Subject, targets_for: TargetsFor) -> Iterator[Check]:
    """One for the program `ssh`, one for each host; none for an estate without hosts."""
    infra = subject.infra
    if infra is None or not infra.hosts:
        return
    yield Check("ssh", _program)
    for host in infra.hosts:
        yield Check(f"host {host.name}", partial(_look, infra, host, targets_for))


def _program(subject: Subject) -> Finding:
    path = find_program("ssh")
    if path is None:
        return error("The program `ssh` is not installed.", "sudo apt install openssh-client")
    return ok(f"{run([str(path), '-V'], timeout=PATIENCE).errors.strip()}.")


def _look(infra: Infra, host: Host, targets_for: TargetsFor, subject: Subject) -> Finding:
    return asyncio.run(_entered(host, targets_for(infra)))


async def _entered(host: Host, targets: Targets) -> Finding:
    try:
        return await _inside(host, targets.target(host.name))
    except TargetMissing as missing:
        return not_measured(missing.diagnostics[0].detail, missing.diagnostics[0].hint)
    except TargetFailed as failure:
        said = failure.diagnostics[0]
        return error(f"{said.summary}: {said.detail}", said.hint)
    finally:
        await targets.close()


async def _inside(host: Host, target: Target) -> Finding:
    machine, *rest = (await target.run(["sh", "-c", _ASK])).output.splitlines()
    found = _MACHINES.get(machine)
    system = system_name("\n".join(rest)) or "a system that does not say its name"
    python = next((line for line in rest if line.startswith("Python ")), None)
    said = f"{system}, {machine}, {python or 'no Python'}; we are root there"
    if found is not host.architecture:
        return warning(
            f"{said}. infra.yml says {host.architecture.value}.",
            f"Write `arch: {found.value}`." if found else "Freehold knows amd64 and arm64 only.",
        )
    return ok(f"{said}." if python else f"{said}. `freehold apply` installs Python.")
