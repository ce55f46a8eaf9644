"""Snapshots of instances and of custom volumes: their life, what going back brings, what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from freehold.system.incus.fake import FakeIncus
from tests.contract.site import IMAGE, Site, refused

NEVER = "0001-01-01T00:00:00Z"
LATER = "2031-01-01T00:00:00Z"
ONE = "/instances/one/snapshots"
VOLUMES = "/storage-pools/default/volumes/custom"
DATA = f"{VOLUMES}/one.data"
DISK = {"type": "disk", "path": "/data", "pool": "default", "source": "one.data"}


def take(site: Site, name: str, of: str = ONE, **body: object) -> dict[str, Any]:
    ended: dict[str, Any] = site.send("POST", of, {"name": name, **body}, project=site.project)
    return ended


def go_back(site: Site, snapshot: str, path: str = "/instances/one") -> None:
    site.send("PUT", path, {"restore": snapshot}, project=site.project)


def shown(site: Site, name: str, of: str = ONE) -> dict[str, Any]:
    found: dict[str, Any] = site.get(f"{of}/{name}", project=site.project)
    return found


def names(site: Site, of: str = ONE) -> list[str]:
    return [each["name"] for each in site.get(of, recursion="1", project=site.project)]


def moment(text: str) -> datetime:
    """Incus writes nanoseconds, Python reads microseconds."""
    return datetime.fromisoformat(text[:19] + "+00:00")


@pytest.fixture
def data(site: Site) -> str:
    """A volume `one.data` is there; its path."""
    body = {"name": "one.data", "config": {"size": "1GiB"}, "description": "d"}
    site.send("POST", VOLUMES, body, project=site.project)
    return DATA


def test_a_snapshot_holds_what_the_instance_was(site: Site) -> None:
    site.create("one", config={"user.a": "1"}, devices={"nothing": {"type": "none"}})
    before = site.instance("one")
    ended = take(site, "first")
    site.change("one", config={"user.a": "2"}, devices={"nothing": None})

    snapshot = shown(site, "first")
    assert (snapshot["name"], snapshot["expires_at"]) == ("first", NEVER)
    assert abs(moment(snapshot["created_at"]) - datetime.now(UTC)) < timedelta(seconds=60)
    own = ("architecture", "config", "devices", "ephemeral", "profiles")
    for field in (*own, "expanded_config", "expanded_devices"):
        assert snapshot[field] == before[field], field
    assert (snapshot["last_used_at"], snapshot["stateful"]) == (NEVER, False)
    assert isinstance(snapshot["size"], int)  # bytes, -1 as long as the pool counts none
    assert len(snapshot) == 13
    address = f"/1.0{ONE}/first?project={site.project}"
    assert ended["resources"]["instances_snapshots"] == [address]


def test_snapshots_are_listed_in_the_order_they_were_made(site: Site) -> None:
    site.create("one")
    assert site.get(ONE, project=site.project) == names(site) == []
    for name in ("b", "a.1_x-2", "-c"):
        take(site, name)

    addresses = [f"/1.0{ONE}/{name}?project={site.project}" for name in ("b", "a.1_x-2", "-c")]
    assert site.get(ONE, project=site.project) == addresses
    assert names(site) == ["b", "a.1_x-2", "-c"]
    full = site.get(ONE, recursion="1", project=site.project)
    assert full[0] == shown(site, "b")


def test_full_documents_carry_the_snapshots(site: Site) -> None:
    site.create("one")
    query = {"project": site.project}
    assert site.get("/instances/one", recursion="1", **query)["snapshots"] is None
    take(site, "first")

    for document in (
        site.get("/instances/one", recursion="1", **query),
        site.get("/instances", recursion="2", **query)[0],
    ):
        unmeasured = {**shown(site, "first"), "size": -1}
        assert document["snapshots"] == [unmeasured]
    assert "snapshots" not in site.instance("one")
    assert "snapshots" not in site.get("/instances", recursion="1", **query)[0]


def test_snapshots_without_a_name_are_numbered(site: Site, data: str) -> None:
    site.create("one")
    for of in (ONE, f"{data}/snapshots"):
        for number in range(2):
            site.send("POST", of, {}, project=site.project)
            assert shown(site, f"snap{number}", of)["name"] == f"snap{number}"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"name": "a b"}, 400, "Invalid instance snapshot name: Cannot contain space or / char"),
        ({"name": "a/b"}, 400, 'Invalid snapshot name: Cannot contain "/"'),
        ({"name": "first"}, 400, "UNIQUE constraint failed: instances_snapshots.instance_id"),
        ({"name": 5}, 400, "json: cannot unmarshal"),
        ({"name": "x", "expires_at": "soon"}, 400, 'parsing time "soon"'),
        ({"name": "x", "stateful": True}, 400, "Stateful snapshots require"),
    ],
)
def test_refused_snapshots(site: Site, body: dict[str, object], status: int, words: str) -> None:
    site.create("one")
    take(site, "first")
    with refused(status, words):
        site.send("POST", ONE, body, project=site.project)
    assert names(site) == ["first"]


def test_what_is_not_there(site: Site) -> None:
    assert site.get("/instances/none/snapshots", project=site.project) == []
    with refused(404, 'Failed to fetch instance "none"'):
        names(site, "/instances/none/snapshots")
    with refused(404, 'Failed to fetch instance "none"'):
        take(site, "a", "/instances/none/snapshots")
    with refused(404, 'Failed to fetch instance "none/a"'):
        shown(site, "a", "/instances/none/snapshots")
    with refused(404, "Project not found"):
        site.send("POST", ONE, {"name": "a"}, project="none")
    site.create("one")
    for method in ("PUT", "PATCH", "DELETE"):
        with refused(404, 'Failed to fetch snapshot "a" of instance "one"', "snapshot not found"):
            site.send(method, f"{ONE}/a", {"expires_at": LATER}, project=site.project)


def test_the_expiry_of_a_snapshot(site: Site) -> None:
    site.create("one")
    take(site, "first", expires_at="2030-01-01T00:00:00+02:00")
    assert shown(site, "first")["expires_at"] == "2030-01-01T00:00:00+02:00"
    for given, expected in ((LATER, LATER), (None, LATER), (NEVER, NEVER)):
        site.send("PUT", f"{ONE}/first", {"expires_at": given}, project=site.project)
        assert shown(site, "first")["expires_at"] == expected
    with refused(400, 'parsing time "soon"'):
        site.send("PUT", f"{ONE}/first", {"expires_at": "soon"}, project=site.project)


def test_a_declared_expiry_counts_unless_the_request_says_otherwise(site: Site, data: str) -> None:
    config = {"snapshots.expiry": "2H 1w", "snapshots.schedule": "@daily, 0 3 * * *"}
    site.create("one", config=config)
    site.send("PUT", data, {"config": config}, project=site.project)
    for of in (ONE, f"{data}/snapshots"):
        take(site, "declared", of)
        take(site, "kept", of, expires_at=NEVER)
        snapshot = shown(site, "declared", of)
        lives = moment(snapshot["expires_at"]) - moment(snapshot["created_at"])
        assert abs(lives - timedelta(weeks=1, hours=2)) < timedelta(seconds=5)
        assert shown(site, "kept", of)["expires_at"] == NEVER


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("snapshots.expiry", "soon", "Invalid expiry expression"),
        ("snapshots.expiry", "3d 3d", "Invalid expiry expression"),
        ("snapshots.schedule", "daily", "Schedule must be of the form"),
        ("snapshots.schedule", "@daily 0 3 * * *", "Schedule must be of the form"),
    ],
)
def test_refused_options(site: Site, data: str, option: str, value: str, words: str) -> None:
    site.create("one")
    with refused(400, words):
        site.change("one", config={option: value})
    with refused(500, f'option "{option}": {words}'):
        site.send("PUT", data, {"config": {option: value}}, project=site.project)


def test_going_back_brings_config_and_devices_but_neither_profiles_nor_description(
    site: Site,
) -> None:
    site.send("POST", "/profiles", {"name": "extra"}, project=site.project)
    site.create("one", description="first", config={"user.a": "1"})
    before = site.instance("one")
    take(site, "first")
    site.change(
        "one",
        description="second",
        config={"user.a": "2", "user.b": "2"},
        devices={"nothing": {"type": "none"}},
        profiles=["default", "extra"],
    )
    site.send(
        "PUT", "/instances/one", {"restore": "first", "description": "x"}, project=site.project
    )

    after = site.instance("one")
    generation = "volatile.uuid.generation"
    assert after["config"].pop(generation) != before["config"].pop(generation)
    assert (after["config"], after["devices"]) == (before["config"], before["devices"])
    assert (after["status"], after["created_at"]) == ("Stopped", before["created_at"])
    assert (after["description"], after["profiles"]) == ("", ["default", "extra"])
    assert shown(site, "first")["profiles"] == ["default", "extra"]


@pytest.mark.parametrize("freeze", [False, True])
def test_a_running_instance_ends_running(site: Site, freeze: bool) -> None:
    site.create("one", start=True)
    if freeze:
        site.power("one", "freeze")
        with refused(400, "Instance is frozen"):
            site.run(site.incus.execute(site.project, "one", ["true"]))
    take(site, "first")
    assert site.instance("one")["status"] == ("Frozen" if freeze else "Running")
    used = site.instance("one")["last_used_at"]
    go_back(site, "first")

    assert site.instance("one")["status"] == "Running"
    assert site.instance("one")["last_used_at"] > used


def test_an_ephemeral_instance_survives_going_back(site: Site) -> None:
    site.create("one", start=True, ephemeral=True)
    take(site, "first")
    go_back(site, "first")
    assert (site.instance("one")["status"], site.instance("one")["ephemeral"]) == ("Running", True)


def test_going_back_to_what_is_not_there_changes_nothing(site: Site) -> None:
    site.create("one", start=True)
    take(site, "first")
    before = site.instance("one")
    with refused(400, "Snapshot one/none does not exist"):
        go_back(site, "none")
    with refused(400, "Can't call PATCH in restore mode"):
        site.send("PATCH", "/instances/one", {"restore": "first"}, project=site.project)
    with refused(404, "Instance not found"):
        go_back(site, "first", "/instances/none")
    assert site.instance("one") == before


def test_going_back_does_not_ask_whether_a_volume_is_still_there(site: Site, data: str) -> None:
    site.create("one", devices={"data": DISK}, start=True)
    take(site, "first")
    site.change("one", devices={"data": None})
    site.send("DELETE", data, project=site.project)
    with refused(400, 'Failed start validation for device "data"', "Storage volume not found"):
        go_back(site, "first")
    assert site.instance("one")["status"] == "Stopped"
    assert site.instance("one")["devices"] == {"data": DISK}


def test_going_back_does_not_ask_whether_an_address_is_taken(site: Site) -> None:
    site.create("one", devices={"eth0": site.nic(ipv4_address=site.host(10))})
    take(site, "first")
    site.change("one", devices={"eth0": site.nic(ipv4_address=site.host(11))})
    site.create("two", devices={"eth0": site.nic(ipv4_address=site.host(10))})
    go_back(site, "first")
    with refused(400, "already defined on another NIC"):
        site.power("one", "start")


def test_a_rebuild_needs_the_snapshots_gone(site: Site) -> None:
    site.create("one")
    take(site, "first")
    for source, how in ((IMAGE, "instance from image"), ({"type": "none"}, "as an empty instance")):
        problem = f"Failed rebuilding {how}: Cannot remove an instance volume that has snapshots"
        with refused(400, problem):
            site.send("POST", "/instances/one/rebuild", {"source": source}, project=site.project)
    site.send("DELETE", f"{ONE}/first", project=site.project)
    site.send("POST", "/instances/one/rebuild", {"source": IMAGE}, project=site.project)


def test_snapshots_go_where_their_instance_goes(site: Site) -> None:
    site.create("one", config={"security.protection.delete": "true"})
    for name in ("first", "second"):
        take(site, name)
    site.send("DELETE", f"{ONE}/first", project=site.project)
    site.change("one", config={"security.protection.delete": None})
    site.send("POST", "/instances/one", {"name": "uno"}, project=site.project)
    assert names(site, "/instances/uno/snapshots") == ["second"]

    site.delete("uno")
    site.create("uno")
    assert names(site, "/instances/uno/snapshots") == []


def test_a_snapshot_of_a_volume_is_listed_among_the_volumes(site: Site, data: str) -> None:
    site.create("one", devices={"data": DISK})
    of, query = f"{data}/snapshots", {"project": site.project}
    assert site.get(of, **query) == site.get(of, recursion="1", **query) == []
    ended = take(site, "z", of)
    take(site, "a", of, expires_at=LATER)

    snapshot = shown(site, "z", of)
    assert abs(moment(snapshot["created_at"]) - datetime.now(UTC)) < timedelta(seconds=60)
    own = {"config": {"size": "1GiB"}, "description": "d", "created_at": snapshot["created_at"]}
    assert snapshot == {**own, "name": "z", "expires_at": NEVER, "content_type": "filesystem"}
    assert site.get(of, **query) == [f"/1.0{of}/z", f"/1.0{of}/a"]
    listed = site.get(of, recursion="1", **query)
    assert listed[0] == {**own, "name": "one.data/z", "expires_at": None, "content_type": ""}
    assert (listed[1]["name"], listed[1]["expires_at"]) == ("one.data/a", LATER)

    volume, first, last = site.get(VOLUMES, recursion="1", **query)
    assert [each["name"] for each in (volume, first)] == ["one.data", "one.data/a"]
    assert last == {**volume, **own, "name": "one.data/z", "used_by": []}
    addresses = [f"/1.0{each}?project={site.project}" for each in (data, f"{of}/a", f"{of}/z")]
    assert site.get(VOLUMES, **query) == addresses
    assert ended["resources"]["storage_volume_snapshots"] == addresses[2:]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"name": "a b"}, 400, "Storage name cannot contain white space"),
        ({"name": "a/b"}, 400, 'Storage name cannot contain "/"'),
        ({"name": "first"}, 409, 'Snapshot "first" already in use'),
        ({"name": "x", "expires_at": "soon"}, 400, 'parsing time "soon"'),
    ],
)
def test_refused_snapshots_of_a_volume(
    site: Site, data: str, body: dict[str, object], status: int, words: str
) -> None:
    take(site, "first", f"{data}/snapshots")
    with refused(status, words):
        site.send("POST", f"{data}/snapshots", body, project=site.project)
    with refused(404, "Storage pool volume not found"):
        take(site, "x", f"{VOLUMES}/none/snapshots")
    for method in ("PUT", "PATCH", "DELETE"):
        with refused(404, "Storage pool volume not found"):
            site.send(method, f"{data}/snapshots/none", {}, project=site.project)


def test_a_change_of_a_volumes_snapshot_replaces_it_and_a_patch_does_not(
    site: Site, data: str
) -> None:
    of = f"{data}/snapshots"
    take(site, "first", of)
    for method, body, expected in (
        ("PUT", {"expires_at": LATER, "description": "x"}, (LATER, "x")),
        ("PATCH", {"expires_at": "2032-01-01T00:00:00Z"}, ("2032-01-01T00:00:00Z", "x")),
        ("PUT", {}, (NEVER, "")),
    ):
        site.send(method, f"{of}/first", body, project=site.project)
        snapshot = shown(site, "first", of)
        assert (snapshot["expires_at"], snapshot["description"]) == expected


def test_a_volume_goes_back_while_nothing_that_runs_uses_it(site: Site, data: str) -> None:
    site.create("one", devices={"data": DISK}, start=True)
    take(site, "first", f"{data}/snapshots")
    for snapshot in ("first", "none"):
        with refused(500, "Cannot restore custom volume used by running instances"):
            go_back(site, snapshot, data)
    site.power("one", "stop")
    changed = {"config": {"size": "2GiB"}, "description": "second"}
    site.send("PUT", data, changed, project=site.project)
    go_back(site, "first", data)
    with refused(500, "No such file or directory"):
        go_back(site, "none", data)

    volume = site.get(data, project=site.project)
    assert (volume["config"], volume["description"]) == ({"size": "2GiB"}, "second")


def test_snapshots_go_where_their_volume_goes(site: Site, data: str) -> None:
    for name in ("first", "second"):
        take(site, name, f"{data}/snapshots")
    site.send("DELETE", f"{data}/snapshots/first", project=site.project)
    site.send("POST", data, {"name": "other"}, project=site.project)
    assert names(site, VOLUMES) == ["other", "other/second"]
    site.send("DELETE", f"{VOLUMES}/other", project=site.project)
    site.send("POST", VOLUMES, {"name": "other"}, project=site.project)
    assert names(site, VOLUMES) == ["other"]


def test_the_server_in_memory_brings_content_back() -> None:
    fake = FakeIncus(images=["debian/13"])

    async def connect() -> FakeIncus:
        return fake

    site = Site(connect, 7)
    site.settle()
    site.send("POST", VOLUMES, {"name": "one.data"}, project=site.project)
    site.create("one", start=True)
    content = fake.state.content
    one, data = (site.project, "one"), ("default", site.project, "one.data")
    content[one] = content[data] = "first"
    take(site, "first")
    take(site, "first", f"{DATA}/snapshots")
    content[one] = content[data] = "second"
    go_back(site, "first")
    assert (content[one], content[data]) == ("first", "second")
    go_back(site, "first", DATA)
    assert (content[one], content[data]) == ("first", "first")
    site.close()
