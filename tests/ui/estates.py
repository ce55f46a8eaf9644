"""Estates as the page shows them: made directly, as one look would make them. The same serve the pictures of the docs."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from freehold.diagnostics import Diagnostic, Severity
from freehold.engine.journal import PastRun
from freehold.engine.lock import STATE_FOLDER
from freehold.model import Domain, Host, Infra, Machine, Trust
from freehold.model.descriptors import Descriptor
from freehold.model.exposure import Exposure, Login
from freehold.model.hosts import Ssh
from freehold.model.services import Service
from freehold.operations.machine_status import (
    HostState,
    HostStatus,
    MachineStatus,
    ServiceStatus,
    Status,
)
from freehold.operations.overview.facts import Overview, ServedCertificate
from freehold.operations.overview.needs import needs
from freehold.operations.traffic.check import Check, Kind, Result, TrafficReport
from freehold.operations.traffic.kept import Measured, declared
from freehold.operations.updates import Update
from freehold.planning.address import Address
from freehold.planning.change import Action, Change, FieldChange
from freehold.planning.plan import Orphan, Plan
from freehold.planning.resource import Impact

NOW = datetime(2026, 3, 1, 14, 3, 22, tzinfo=UTC)


def version(
    name: str, runs: str, newest: str, ends: date | None = None, target: str = "cortex"
) -> Update:
    return Update(
        name=name,
        kind=name,
        target=target,
        running=runs,
        wanted=runs,
        newest_in_catalog=newest,
        ends=ends,
    )


def machine(
    domain: str, name: str, address: str, state: str = "running", **more: Any
) -> MachineStatus:
    found = (address,) if state == "running" else ()
    return MachineStatus(
        name=f"{domain}-{name}",
        machine=f"{domain}/{name}",
        domain=domain,
        type=more.pop("type", "container"),
        image="debian/13",
        state=state,
        declared_address=address,
        addresses=more.pop("addresses", found),
        **more,
    )


def host(
    name: str, address: str, state: HostState = HostState.REACHABLE, **more: Any
) -> HostStatus:
    system = "Debian GNU/Linux 13 (trixie)" if state is HostState.REACHABLE else ""
    return HostStatus(
        name=name, address=address, user="orion", port=22, state=state, system=system, **more
    )


def served(name: str, target: str, state: str = "healthy", **more: Any) -> ServiceStatus:
    return ServiceStatus(
        name=name,
        target=target,
        image=f"docker.io/library/{name}:1.0",
        state=state,
        serves=state == "healthy",
        **more,
    )


def placed(name: str, target: str, *needed: str, expose: Exposure | None = None) -> Service:
    descriptor = Descriptor(name=name, title=name.title(), description="…", version="1.0")
    return Service(
        name=name,
        descriptor=descriptor,
        target=target,
        version="1.0",
        needs={each: each for each in needed},
        expose=expose,
    )


def domain(name: str, subnet: int, trust: Trust, machines: Sequence[str]) -> Domain:
    own = tuple(
        Machine(
            domain=name,
            name=each,
            image="debian/13",
            address=IPv4Address(f"10.100.{subnet}.{number}"),
        )
        for number, each in enumerate(machines, start=10)
    )
    network = IPv4Network(f"10.100.{subnet}.0/24")
    return Domain(name=name, subnet_id=subnet, subnet=network, trust=trust, machines=own)


_PUBLIC = Exposure(host="media.example.org", public=True, login=Login.TWO_FACTOR)
INFRA = Infra(
    name="orion",
    base=IPv4Network("10.100.0.0/16"),
    domains=(
        domain("admin", 0, Trust.ADMIN, ["ansible"]),
        domain("home", 3, Trust.TRUSTED, ["chat", "models"]),
    ),
    hosts=(
        Host(name="cortex", address="203.0.113.20", ssh=Ssh(user="orion")),
        Host(name="synapse", address="203.0.113.21", ssh=Ssh(user="orion")),
    ),
    services=(
        placed("alertmanager", "cortex"),
        placed(
            "authelia", "cortex", "redis", expose=Exposure(host="login.example.org", public=True)
        ),
        placed("caddy", "cortex", "authelia"),
        placed("grafana", "cortex", "prometheus", expose=Exposure(host="look.example.org")),
        placed("jellyfin", "synapse", expose=_PUBLIC),
        placed("ollama", "home/models"),
        placed("open-webui", "home/chat", "ollama", expose=Exposure(host="chat.example.org")),
        placed("prometheus", "cortex", "alertmanager"),
        placed("qbittorrent", "synapse"),
        placed("radarr", "synapse", "qbittorrent"),
        placed("redis", "cortex"),
    ),
)
_STATUS = Status(
    estate="orion",
    machines=(
        machine("admin", "ansible", "10.100.0.10"),
        machine("home", "chat", "10.100.3.10"),
        machine("home", "models", "10.100.3.11", type="vm"),
    ),
    hosts=(host("cortex", "203.0.113.20"), host("synapse", "203.0.113.21")),
    services=tuple(served(each.name, each.target) for each in INFRA.services),
)


def run_of(
    verb: str,
    started: datetime,
    seconds: float,
    exit_code: int | None,
    *bars: tuple[str, float, float, str],
    pid: int = 77,
) -> PastRun:
    """A run whose changes have an address, a begin and an end in seconds, and the event that ended them."""
    start = started.timestamp()
    events: list[dict[str, Any]] = [
        {"time": start, "event": "run-started", "verb": verb, "pid": pid}
    ]
    for address, begun, ended, how in bars:
        events.append(
            {
                "time": start + begun,
                "event": "change-started",
                "address": address,
                "action": "create",
            }
        )
        problems = (
            ["Incus refused a request: no space left on device"] if how == "change-failed" else []
        )
        events.append(
            {"time": start + ended, "event": how, "address": address, "problems": problems}
        )
    summary = {
        **dict.fromkeys(("update", "replace", "delete", "orphans"), 0),
        "create": len(bars),
        "unchanged": 4,
    }
    events.append({"time": start, "event": "planned", "changes": [], "summary": summary})
    events.sort(key=lambda event: float(event["time"]))
    if exit_code is not None:
        events.append({"time": start + seconds, "event": "run-finished", "exit_code": exit_code})
    return PastRun(
        name=f"{started:%Y%m%dT%H%M%S}.000-{verb}",
        verb=verb,
        pid=pid,
        started=start,
        seconds=seconds,
        exit_code=exit_code,
        stopped=False,
        summary=summary,
        events=tuple(events),
    )


def kept_run(folder: Path, run: PastRun) -> None:
    """Its journal, as the run would have written it."""
    runs = folder / STATE_FOLDER / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(event) + "\n" for event in run.events]
    (runs / f"{run.name}.jsonl").write_text("".join(lines))


DONE = run_of(
    "apply",
    NOW - timedelta(hours=3),
    58.2,
    0,
    ("firewall:host", 0.1, 0.4, "change-done"),
    ("project:home", 0.2, 0.5, "change-done"),
    ("bridge:home", 0.5, 1.1, "change-done"),
    ("instance:home/chat", 1.2, 14.0, "change-done"),
    ("instance:home/models", 1.2, 21.7, "change-done"),
    ("provision:home/chat", 14.0, 39.5, "change-done"),
    ("service:home/models/ollama", 24.0, 41.0, "change-done"),
    ("service:home/chat/open-webui", 41.0, 58.0, "change-done"),
)
FAILED = run_of(
    "apply",
    NOW - timedelta(minutes=12),
    9.4,
    4,
    ("volume:home/models/data", 0.2, 1.0, "change-failed"),
    ("instance:home/models", 1.0, 1.0, "change-skipped"),
    ("service:synapse/radarr", 0.3, 9.2, "change-done"),
)


def traffic(different: bool = False) -> Measured:
    names = ("admin/ansible", "home/chat", "home/models")
    reasons = {"admin": "admin is trusted as admin", "home": None}
    results = []
    for source in names:
        for target in (*(n for n in names if n != source), "host", "internet"):
            same = source.partition("/")[0] == target.partition("/")[0]
            because = "both are in home" if same else reasons[source.partition("/")[0]]
            open_ = because is not None and target != "host"
            check = Check(
                source=source, target=target, kind=Kind.TCP, address="10.100.3.9", port=22,
                because=because if open_ else None,
            )  # fmt: skip
            wrong = different and (source, target) == ("home/chat", "admin/ansible")
            results.append(Result(check, None if target == "internet" else open_ != wrong, ""))
    report = TrafficReport(
        estate="orion", machines=names, results=tuple(results), outside=None, notes=(), seconds=4.2
    )
    return Measured(report, NOW - timedelta(hours=26), declared(INFRA))


_CERTIFICATES = tuple(
    ServedCertificate(
        host=name,
        service=service,
        ingress="caddy",
        target="cortex",
        begins=NOW + timedelta(days=days - 90),
        expires=NOW + timedelta(days=days),
        issuer="Let's Encrypt",
    )
    for name, service, days in (
        ("chat.example.org", "open-webui", 61),
        ("login.example.org", "authelia", 61),
        ("media.example.org", "jellyfin", 61),
    )
)
_VERSIONS = (
    version("caddy", "2.10.2", "2.10.2"),
    version("grafana", "12.1.1", "12.2.0", date(2026, 6, 24)),
    version("redis", "7.2.11", "8.2.2", date(2026, 3, 20)),
)


def judged(overview: Overview) -> Overview:
    """With what needs somebody, as `look` adds it."""
    return replace(overview, needs=needs(overview))


WELL = judged(
    Overview(
        at=NOW,
        seconds=0.41,
        infra=INFRA,
        plan=Plan(estate="orion", unchanged=31),
        status=_STATUS,
        runs=(DONE,),
        certificates=_CERTIFICATES,
        updates=_VERSIONS[:2],
        isolation=traffic(),
    )
)
_CHANGES = (
    Change(
        address=Address("home", "instance", "models"),
        action=Action.UPDATE,
        reason="config.limits.memory differs from infra.yml",
        impact=Impact.LIVE,
        fields=(FieldChange("config.limits.memory", "8GiB", "12GiB", Impact.LIVE),),
    ),
    Change(
        address=Address("synapse", "service", "radarr"),
        action=Action.UPDATE,
        reason="state differs from infra.yml",
        impact=Impact.RESTART,
        fields=(FieldChange("state", "unhealthy", "healthy", Impact.RESTART),),
    ),
)
TROUBLED = judged(
    replace(
        WELL,
        plan=Plan(
            estate="orion",
            changes=_CHANGES,
            unchanged=29,
            orphans=(
                Orphan(
                    address=Address("old", "instance", "attic"), holds_data=True, protected=False
                ),
            ),
        ),
        status=replace(
            _STATUS,
            machines=(
                *_STATUS.machines[:2],
                replace(_STATUS.machines[2], drift=("config.limits.memory",)),
            ),
            services=tuple(
                replace(each, state="unhealthy", serves=False, drift=("state",))
                if each.name == "radarr"
                else each
                for each in _STATUS.services
            ),
            orphans=(Address("old", "instance", "attic"),),
            changes=2,
        ),
        runs=(FAILED, DONE),
        certificates=(
            replace(
                _CERTIFICATES[0],
                begins=NOW - timedelta(days=81),
                expires=NOW + timedelta(days=9),
            ),
            _CERTIFICATES[1],
            replace(
                _CERTIFICATES[2],
                begins=None,
                expires=None,
                issuer="",
                problem="203.0.113.20 port 443 does not answer",
            ),
        ),
        updates=_VERSIONS,
        isolation=traffic(different=True),
        diagnostics=(
            Diagnostic(
                severity=Severity.WARNING,
                code="protected-orphan",
                summary="A protected orphan is kept",
                detail="instance:old/attic is protected, so --prune leaves it.",
                hint="To delete it all the same, lift the protection first:\n"
                "    incus config unset --project old old-attic security.protection.delete",
            ),
        ),
    )
)
EMPTY = judged(
    Overview(
        at=NOW,
        seconds=0.02,
        infra=Infra(name="maison", base=IPv4Network("10.100.0.0/16")),
        plan=Plan(estate="maison"),
        status=Status(estate="maison"),
    )
)
