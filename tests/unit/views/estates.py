"""Representative values for the tests of views: made directly, as the planner and the engine would make them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from freehold.diagnostics import Diagnostic, Severity, Source
from freehold.engine.events import (
    ChangeDone,
    ChangeFailed,
    ChangeInterrupted,
    ChangeSkipped,
    ChangeStarted,
    Event,
    StepReported,
    StepStarted,
)
from freehold.engine.execute import Outcome
from freehold.engine.execute import Status as Ended
from freehold.engine.journal import PastRun
from freehold.engine.run import RunResult
from freehold.operations.machine_status import (
    HostState,
    HostStatus,
    MachineStatus,
    ServiceStatus,
    Status,
)
from freehold.planning.address import Address
from freehold.planning.change import Action, Change, FieldChange, differences
from freehold.planning.plan import Orphan, Plan
from freehold.planning.resource import Impact

LLM = {
    "name": "homelab-llm",
    "type": "container",
    "image": "debian/13",
    "state": "running",
    "description": "",
    "profiles": ["default", "big"],
    "config": {"limits.cpu": "4", "limits.memory": "8GiB"},
    "inherited": {},
    "devices": {
        "eth0": {
            "type": "nic",
            "network": "net-homelab",
            "ipv4.address": "10.100.3.10",
            "hwaddr": "10:66:6a:01:02:03",
            "security.ipv4_filtering": "true",
            "security.mac_filtering": "true",
        },
        "gpu": {"type": "gpu"},
        "models": {
            "type": "disk",
            "path": "/var/lib/ollama",
            "pool": "default",
            "source": "llm.models",
        },
        "root": {"type": "disk", "path": "/", "pool": "default", "size": "20GiB"},
    },
}


def creation(kind: str, domain: str, name: str, desired: Mapping[str, Any]) -> Change:
    return Change(
        address=Address(domain, kind, name),
        action=Action.CREATE,
        reason="does not exist yet",
        fields=tuple(FieldChange(path, None, after) for path, _, after in differences({}, desired)),
        desired=desired,
    )


def update(domain: str, name: str, impact: Impact, *fields: FieldChange) -> Change:
    paths = ", ".join(field.path for field in fields)
    need = {Impact.LIVE: "", Impact.RESTART: ", which needs a restart"}[impact]
    return Change(
        address=Address(domain, "instance", name),
        action=Action.UPDATE,
        reason=f"{paths} differs from infra.yml{need}",
        impact=impact,
        fields=fields,
    )


def replacement(domain: str, name: str, destroys_data: bool = True) -> Change:
    return Change(
        address=Address(domain, "instance", name),
        action=Action.REPLACE,
        reason="image differs from infra.yml, which needs creating it anew",
        impact=Impact.RECREATE,
        destroys_data=destroys_data,
        fields=(FieldChange("image", "debian/12", "debian/13", Impact.RECREATE),),
    )


def deletion(kind: str, domain: str, name: str, destroys_data: bool = False) -> Change:
    return Change(
        address=Address(domain, kind, name),
        action=Action.DELETE,
        reason="infra.yml no longer names it",
        destroys_data=destroys_data,
        fields=(FieldChange("name", name, None),),
    )


def orphan(
    kind: str, domain: str, name: str = "", holds_data: bool = False, protected: bool = False
) -> Orphan:
    return Orphan(address=Address(domain, kind, name), holds_data=holds_data, protected=protected)


BRIDGE = {
    "name": "net-homelab",
    "description": "",
    "config": {"ipv4.address": "10.100.3.1/24", "ipv4.nat": "true"},
}
CREATE_HOMELAB = (
    creation(
        "project", "homelab", "", {"name": "homelab", "description": "Services", "config": {}}
    ),
    creation("bridge", "homelab", "", BRIDGE),
    creation(
        "profile",
        "homelab",
        "big",
        {"name": "big", "description": "", "config": {"limits.memory": "8GiB"}, "devices": {}},
    ),
    creation(
        "volume",
        "homelab",
        "llm/models",
        {"name": "llm.models", "pool": "default", "config": {"size": "100GiB"}},
    ),
    creation("instance", "homelab", "llm", LLM),
)

MIXED = Plan(
    estate="maison",
    changes=(
        *CREATE_HOMELAB,
        update(
            "perso",
            "desktop",
            Impact.LIVE,
            FieldChange("config.limits.memory", "4GiB", "6GiB", Impact.LIVE),
        ),
        replacement("pro", "dev"),
        update(
            "pro",
            "web",
            Impact.RESTART,
            FieldChange("config.security.nesting", None, "true", Impact.RESTART),
            FieldChange("profiles", ["default"], ["default", "big"], Impact.LIVE),
        ),
        deletion("volume", "pro", "old/data", destroys_data=True),
        deletion("profile", "pro", "small"),
    ),
    orphans=(
        orphan("instance", "perso", "attic", holds_data=True),
        orphan("instance", "perso", "safe", holds_data=True, protected=True),
        orphan("bridge", "retired"),
    ),
    unchanged=31,
)

NOTHING = Plan(estate="maison", unchanged=31)

HOSTILE = Plan(
    estate="maison",
    changes=(
        update(
            "[bold]dom[/bold]",
            "\x1b[31mred\x07",
            Impact.LIVE,
            FieldChange(
                "description", "[link=file:///etc]x[/link]", "\u202eevil\nline two", Impact.LIVE
            ),
            FieldChange("config.cloud-init.user-data", "a" * 500, "b" * 500, Impact.LIVE),
        ),
    ),
    orphans=(orphan("instance", "perso", "[red]attic", holds_data=True),),
)

DIAGNOSTICS = (
    Diagnostic(
        code="incus-unavailable",
        summary="Incus cannot be reached",
        detail="/var/lib/incus/unix.socket: there is no such file.",
        hint="Start it, or work in the lab:\n    systemctl start incus\n    freehold --lab plan",
    ),
    Diagnostic(
        code="bad-address",
        summary="This address is not in the domain's subnet",
        detail="10.100.9.10 lies outside 10.100.3.0/24, the subnet that subnet_id 3 gives to the domain "
        "homelab; machines of a domain have addresses of its own subnet.",
        source=Source(
            "infra.yml",
            14,
            17,
            "domains.homelab.machines.llm.ip",
            "            ip: 10.100.9.10  # moved",
        ),
    ),
    Diagnostic(
        code="unknown-key",
        summary="This key does not exist here",
        detail="`memry` is not a key of a machine.",
        source=Source(
            "infra.yml", 9, 9, "domains.homelab.machines.llm.memry", "        memry: 8GiB"
        ),
        hint="Did you mean `memory`?",
    ),
    Diagnostic(
        severity=Severity.WARNING,
        code="unused-profile",
        summary="No machine uses this profile",
        source=Source("infra.d/pro.yml", 3, 5, "domains.pro.profiles.small"),
    ),
)


def _outcomes() -> tuple[Outcome, ...]:
    project, bridge, profile, volume, instance = CREATE_HOMELAB
    desktop, dev = MIXED.changes[5:7]
    refused = Diagnostic(
        code="incus-refused",
        summary="Incus refused a request",
        detail="POST /storage-pools/default/volumes/custom: no space left on device (status 500).",
    )
    return (
        Outcome(project, Ended.DONE),
        Outcome(bridge, Ended.DONE),
        Outcome(profile, Ended.DONE),
        Outcome(volume, Ended.FAILED, (refused,), step="create volume llm.models"),
        Outcome(instance, Ended.SKIPPED, reason="volume:homelab/llm/models was not done"),
        Outcome(desktop, Ended.DONE),
        Outcome(dev, Ended.DONE),
    )


PARTLY = RunResult(_outcomes())
DONE = RunResult(tuple(replace(o, status=Ended.DONE) for o in _outcomes()))
STOPPED = RunResult(
    (
        *_outcomes()[:3],
        replace(
            _outcomes()[3], status=Ended.SKIPPED, diagnostics=(), reason="the run was asked to stop"
        ),
        replace(_outcomes()[4], reason="the run was asked to stop"),
        replace(_outcomes()[6], status=Ended.SKIPPED, reason="stopped before: rebuild pro-dev"),
    ),
    stopped=True,
)
UNSETTLED = RunResult(
    (_outcomes()[5],),
    unsettled=(
        Diagnostic(
            code="not-settled",
            summary="A change was made and is still needed",
            detail="instance:perso/desktop: config.limits.memory did not stay as written; "
            "somebody else may be changing it.",
            hint="Look at what is different now:\n    freehold plan",
        ),
    ),
)

EVENTS: tuple[Event, ...] = (
    ChangeStarted(CREATE_HOMELAB[0]),
    StepStarted(CREATE_HOMELAB[0], "create project homelab"),
    ChangeDone(CREATE_HOMELAB[0], 0.04),
    ChangeStarted(CREATE_HOMELAB[4]),
    StepStarted(CREATE_HOMELAB[4], "create homelab-llm"),
    StepReported(CREATE_HOMELAB[4], "rootfs: 45%"),
    ChangeInterrupted(
        CREATE_HOMELAB[4],
        (
            Diagnostic(
                code="incus-interrupted",
                summary="Incus went away in the middle",
                detail="POST /instances: connection reset.",
            ),
        ),
    ),
    ChangeDone(CREATE_HOMELAB[4], 8.1),
    ChangeFailed(
        CREATE_HOMELAB[3], "create volume llm.models", 0.2, PARTLY.outcomes[3].diagnostics
    ),
    ChangeSkipped(MIXED.changes[6], "volume:homelab/llm/models was not done"),
)

ADMIN = MachineStatus(
    name="admin-ansible",
    machine="admin/ansible",
    domain="admin",
    type="container",
    image="debian/13",
    state="running",
    declared_address="10.100.0.10",
    addresses=("10.100.0.10",),
)
AS_DECLARED = Status(estate="maison", machines=(ADMIN,))
_CORTEX = HostStatus(
    name="cortex",
    address="203.0.113.20",
    user="orion",
    port=2222,
    state=HostState.REACHABLE,
    system="Debian GNU/Linux 13 (trixie)",
    drift=("apt", "variables.host_vars/cortex.yml"),
)
WITH_HOSTS = Status(
    estate="maison",
    machines=(ADMIN,),
    hosts=(
        _CORTEX,
        HostStatus(
            name="hippocampus",
            address="hippocampus.example.org",
            user="root",
            port=22,
            state=HostState.UNREACHABLE,
            problem="hippocampus (root@hippocampus.example.org, port 22): Connection \x1b[31mrefused",
        ),
        HostStatus(
            name="thalamus", address="2001:db8::22", user="root", port=22, state=HostState.MISSING
        ),
    ),
    changes=1,
)
WITH_SERVICES = Status(
    estate="maison",
    machines=(ADMIN,),
    services=(
        ServiceStatus(
            name="db",
            target="cortex",
            image="docker.io/library/postgres:17.6",
            state="healthy",
            serves=True,
        ),
        ServiceStatus(
            name="site",
            target="homelab/web",
            image="registry.example.org/web:1",
            state="exited (137)",
            serves=False,
            ports=("80:8080/tcp",),
            drift=("state",),
        ),
    ),
    changes=1,
)
DRIFTED = Status(
    estate="maison",
    machines=(
        ADMIN,
        MachineStatus(
            name="homelab-llm",
            machine="homelab/llm",
            domain="homelab",
            type="container",
            image="debian/13",
            state="running",
            declared_address="10.100.3.10",
            addresses=("10.100.3.204",),
            drift=("config.limits.memory", "devices.eth0.ipv4.address"),
        ),
        MachineStatus(
            name="homelab-[red]web",
            machine="homelab/[red]web",
            domain="homelab",
            type="vm",
            image="ubuntu/24.04",
            state="stopped",
            declared_address="10.100.3.11",
            drift=("state",),
        ),
        MachineStatus(
            name="pro-dev",
            machine="pro/dev",
            domain="pro",
            type="container",
            image="debian/13",
            state="missing",
            declared_address="10.100.2.10",
        ),
    ),
    orphans=(Address("perso", "instance", "attic"),),
    changes=3,
    problems=1,
)
_START = 1_772_373_802.25  # 2026-03-01 14:03:22 UTC


def past_run(exit_code: int | None, stopped: bool = False, verb: str = "apply") -> PastRun:
    address = "instance:homelab/llm"
    events: list[dict[str, Any]] = [
        {"event": "run-started", "schema": 1, "verb": verb, "pid": 4711},
        {"event": "planned", "changes": [{"address": address}], "summary": {"create": 1}},
        {"event": "change-started", "address": address, "action": "create"},
        {"event": "step", "address": address, "step": "create homelab-llm"},
        {"event": "interrupted", "address": address, "problems": ["Incus went away: reset"]},
        {"event": "change-done", "address": address, "seconds": 8.1},
        {
            "event": "change-failed",
            "address": "volume:pro/a",
            "step": "create",
            "problems": ["full"],
        },
        {
            "event": "change-skipped",
            "address": "instance:pro/b",
            "reason": "volume:pro/a was not done",
        },
        {"event": "something-newer", "address": address},
        {"event": "step"},
    ]
    if exit_code is not None:
        events.append({"event": "run-finished", "exit_code": exit_code, "stopped": stopped})
    timed = tuple({"time": _START + 1.5 * n, **event} for n, event in enumerate(events))
    return PastRun(
        name="20260301T140322.250-" + verb,
        verb=verb,
        pid=4711,
        started=_START,
        seconds=timed[-1]["time"] - _START,
        exit_code=exit_code,
        stopped=stopped,
        summary={
            "create": 12,
            "update": 1,
            "replace": 0,
            "delete": 2,
            "unchanged": 3,
            "orphans": 0,
        },
        events=timed,
    )


RUNS = (
    past_run(0),
    past_run(4),
    past_run(1, stopped=True),
    past_run(None, verb="destroy"),
    past_run(77, verb="[red]\x1b[0m"),
)
