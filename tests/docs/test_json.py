"""docs/reference/json.md describes the documents that the code makes: every key of it, and no other."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from freehold.config.catalog.catalog import Entry
from freehold.diagnostics import Diagnostic
from freehold.engine.execute import Outcome, Status
from freehold.engine.journal import PastRun
from freehold.engine.lock import Owner
from freehold.engine.run import RunResult
from freehold.model import Infra
from freehold.model.descriptors import (
    AlertRule,
    AlertSeverity,
    Data,
    Descriptor,
    Need,
    PortOffer,
    SecretNeed,
    Setting,
)
from freehold.operations.alert_test.steps import AlertTest, Step
from freehold.operations.alert_test.steps import Outcome as Arrival
from freehold.operations.blueprints import Blueprint
from freehold.operations.doctor import CheckResult, Finding, Result
from freehold.operations.firewall_counts import FirewallCounts
from freehold.operations.lab import LabStatus
from freehold.operations.machine_status import (
    HostState,
    HostStatus,
    MachineStatus,
)
from freehold.operations.machine_status import Status as EstateStatus
from freehold.operations.snapshots.planner import Seen
from freehold.operations.updates import Update
from freehold.operations.verify import Verification
from freehold.planning.address import Address
from freehold.planning.capacity import Capacity, Taker
from freehold.planning.capacity_demand import Demand
from freehold.planning.capacity_rules import fit
from freehold.planning.change import Action, Change, FieldChange
from freehold.planning.plan import Orphan, Plan
from freehold.providers.firewall.counts import Dropped
from freehold.providers.incus.snapshots.reading import Look, Snapshot, Target
from freehold.providers.secrets.needs import Needed
from freehold.views.alerts import alert_test_document
from freehold.views.blueprints import blueprints_document
from freehold.views.capacity import measured_plan_document
from freehold.views.catalog import catalog_document, descriptor_document
from freehold.views.doctor import doctor_document
from freehold.views.firewall import counts_document
from freehold.views.lab import lab_document
from freehold.views.log import runs_log_document
from freehold.views.orphans import orphans_document
from freehold.views.overview_document import overview_document
from freehold.views.run_document import run_document
from freehold.views.secrets import Listed, secret_document, secrets_document
from freehold.views.snapshots import snapshots_document
from freehold.views.updates import updates_document
from freehold.views.validation import validation_document
from freehold.views.verify import verification_document
from tests.docs.pages import ROOT, blocks
from tests.ui.estates import TROUBLED

PAGE = ROOT / "docs" / "reference" / "json.md"
_PROBLEM = Diagnostic(code="protected", summary="…")
_CHANGE = Change(
    address=Address("homelab", "instance", "llm"),
    action=Action.UPDATE,
    reason="…",
    fields=(FieldChange("config.limits.cpu", "1", "2"),),
)
_PLAN = Plan(
    estate="maison",
    changes=(_CHANGE,),
    orphans=(Orphan(address=_CHANGE.address, holds_data=True, protected=False),),
    diagnostics=(_PROBLEM,),
)
_FIT = fit(Capacity(pool="default", takers=(Taker(address=_CHANGE.address, wanted=Demand()),)))
_HOST = HostStatus(
    name="cortex", address="203.0.113.20", user="orion", port=2222, state=HostState.REACHABLE
)
_MACHINE = MachineStatus(
    name="homelab-llm",
    machine="homelab/llm",
    domain="homelab",
    type="container",
    image="debian/13",
    state="running",
    declared_address="10.100.3.10",
)
_RUN = PastRun("20260301T140322.123-apply", "apply", 1, 0.0, 1.0, 0, False, _PLAN.summary(), ())
_OVERVIEW = replace(
    TROUBLED,
    status=EstateStatus(
        estate="maison",
        machines=(_MACHINE,),
        hosts=(_HOST,),
        services=TROUBLED.status.services[1:2],
    ),
    at_work=Owner(pid=1, host="here", verb="apply", since=0.0),
)
_RESULT = RunResult((Outcome(_CHANGE, Status.DONE),), (_PROBLEM,))
_LAB = LabStatus(
    root=Path("/var/lib/freehold/lab"),
    running=True,
    pid=1,
    since=datetime(2026, 3, 1, tzinfo=UTC),
    incus_version="6.0.4",
    machines=1,
    storage="btrfs",
    disk_used=1,
)
_ENTRY = Entry(
    name="shop",
    own=True,
    descriptor=Descriptor(
        name="shop",
        title="Shop",
        description="…",
        version="1.4",
        settings=(Setting(name="title", description="…"),),
        ports=(PortOffer(name="http", number=8000),),
        needs=(Need(name="database", service="postgresql"),),
        secrets=(SecretNeed(name="password", description="…", path="/run/secrets/password"),),
        data=(Data(name="pictures", path="/srv"),),
        alerts=(
            AlertRule(
                name="down", expression="…", lasts=60, severity=AlertSeverity.WARNING, summary="…"
            ),
        ),
    ),
    problems=(),
)
_COUNTS = FirewallCounts(
    estate="maison",
    machine="admin/sys-firewall",
    passed={},
    dropped={},
    latest=(Dropped(source="", target="", protocol="tcp", port=1, packets=1, seconds_ago=1),),
    host_dropped={},
    names={},
)
_TAKEN = Target(
    domain="homelab",
    machine="llm",
    instance="homelab-llm",
    status="Running",
    made=datetime(2026, 3, 1, tzinfo=UTC),
    snapshots=(Snapshot(name="before", made=datetime(2026, 3, 2, tzinfo=UTC)),),
)
_SEEN = Seen(
    infra=Infra(name="maison", base=IPv4Network("10.100.0.0/16")),
    look=Look((_TAKEN,)),
    domains={"homelab": [_TAKEN]},
    own=None,
    again=False,
)
_UPDATE = Update(
    name="db", kind="postgresql", target="cortex", running="1", wanted="2", newest_in_catalog="2"
)

DOCUMENTS: dict[str, dict[str, Any]] = {
    document["kind"]: document
    for document in (
        measured_plan_document(replace(_PLAN, capacity=(_FIT,))),
        run_document(_PLAN, _RESULT, seconds=1.0),
        counts_document(_COUNTS),
        overview_document(_OVERVIEW),
        verification_document(Verification(_PLAN, 1, (_PROBLEM,))),
        validation_document([_PROBLEM]),
        orphans_document(_PLAN),
        runs_log_document([_RUN]),
        doctor_document([CheckResult("disk", Finding(Result.OK, "…"))]),
        lab_document(_LAB),
        blueprints_document([Blueprint("workstation", "…", {})]),
        catalog_document([_ENTRY]),
        descriptor_document(_ENTRY),
        snapshots_document(_SEEN),
        secrets_document(
            [Listed("db_password", "secrets.yml", Needed("db_password", 32, ("db",)))]
        ),
        secret_document("db_password", b"value"),
        alert_test_document(AlertTest([Step("…", Arrival.SEEN)])),
        updates_document([_UPDATE], date(2026, 11, 22)),
    )
}
_EXAMPLES = {
    document["kind"]: document
    for block in blocks(PAGE)
    if block.language == "json" and (document := json.loads(block.text))
}


def _keys(of: Any, path: str = "") -> Iterator[str]:
    """The paths of all keys, those of a list's items taken together."""
    if isinstance(of, dict):
        for key, value in of.items():
            yield f"{path}{key}"
            yield from _keys(value, f"{path}{key}.")
    elif isinstance(of, list):
        for item in of:
            yield from _keys(item, path)


# Lists that the example leaves empty; what they hold is described once, elsewhere on the page.
_EMPTY = re.compile(r"^(?:changes\.)?(?:diagnostics|orphans)\.")


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_an_example_has_the_keys_that_the_code_makes(kind: str) -> None:
    real, shown = set(_keys(DOCUMENTS[kind])), set(_keys(_EXAMPLES[kind]))
    assert shown - real == {key for key in shown - real if _EMPTY.match(key)}
    assert {key for key in real - shown if not _EMPTY.match(key)} == set()
    assert list(_EXAMPLES[kind])[:2] == ["schema", "kind"]


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_every_key_is_explained(kind: str) -> None:
    section = re.split(r"(?m)^## ", PAGE.read_text(encoding="utf-8"))
    told = next(part for part in section if part.startswith(f"{kind}\n"))
    words = re.sub(r"(?s)```json.*?```", "", told)
    ours = {key for key in _keys(DOCUMENTS[kind]) if key not in {"schema", "kind"}}
    elsewhere = {key for key in ours if _EMPTY.match(key) and kind not in {"validate", "orphans"}}
    counts = {key for key in ours if ".unchanged" in key or re.search(r"summary\.", key)}
    missing = {
        key.split(".")[-1]
        for key in ours - elsewhere - counts
        if f"`{key.split('.')[-1]}`" not in words
    }
    assert missing == set()


def test_no_document_is_missing_on_the_page() -> None:
    assert set(_EXAMPLES) == {*DOCUMENTS, "init"}
    assert all(document["schema"] == 1 for document in _EXAMPLES.values())
