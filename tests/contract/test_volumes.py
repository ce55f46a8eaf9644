"""Custom storage volumes: their life, who uses them, what they refuse."""

import pytest

from tests.contract.site import Site, refused

VOLUMES = "/storage-pools/default/volumes/custom"
MODELS = f"{VOLUMES}/llm.models"


@pytest.fixture
def query(site: Site) -> dict[str, str]:
    """A volume `llm.models` is there."""
    body = {"name": "llm.models", "config": {"size": "1GiB"}, "content_type": "filesystem"}
    site.send("POST", VOLUMES, body, project=site.project)
    return {"project": site.project}


def test_a_volume_comes_changes_and_goes(site: Site, query: dict[str, str]) -> None:
    volume = site.get(MODELS, **query)
    assert (volume["config"], volume["description"]) == ({"size": "1GiB"}, "")
    assert (volume["type"], volume["content_type"]) == ("custom", "filesystem")
    assert (volume["project"], volume["used_by"]) == (site.project, [])

    site.send(
        "PUT", MODELS, {"config": {"size": "2GiB", "user.a": "1"}, "description": "d"}, **query
    )
    assert site.get(MODELS, **query)["config"] == {"size": "2GiB", "user.a": "1"}
    assert site.get(MODELS, **query)["description"] == "d"
    site.send("PUT", MODELS, {"config": {"size": "1GiB"}}, project=site.project)
    assert site.get(MODELS, **query)["config"] == {"size": "1GiB"}
    assert site.get(MODELS, **query)["description"] == ""
    site.send("PATCH", MODELS, {"config": {"user.b": "2"}}, project=site.project)
    assert site.get(MODELS, **query)["config"] == {"size": "1GiB", "user.b": "2"}
    site.send("DELETE", MODELS, project=site.project)
    with refused(404, "volume not found"):
        site.get(MODELS, **query)


def test_listings(site: Site, query: dict[str, str]) -> None:
    address = f"/1.0{MODELS}?project={site.project}"

    assert site.get(VOLUMES, **query) == [address]
    assert address in site.get(VOLUMES, **{"all-projects": "true"})
    assert address in site.get("/storage-pools/default/volumes", **query)
    assert [each["name"] for each in site.get(VOLUMES, recursion="1", **query)] == ["llm.models"]
    assert address in site.get(f"/projects/{site.project}")["used_by"]
    assert address in site.get("/storage-pools/default")["used_by"]


def test_the_list_of_all_volumes_has_the_disks_of_instances_and_snapshots(
    site: Site, query: dict[str, str]
) -> None:
    site.create("one")
    site.send("POST", "/instances/one/snapshots", {"name": "before"}, project=site.project)
    snapshot = site.get("/instances/one/snapshots/before", **query)
    everything = {"recursion": "1", "all-projects": "true"}
    found = {
        each["name"]: (each["type"], each["created_at"])
        for each in site.get("/storage-pools/default/volumes", **everything)
        if each["project"] == site.project
    }
    instance = site.get("/instances/one", **query)
    assert found == {
        "llm.models": ("custom", site.get(MODELS, **query)["created_at"]),
        "one": ("container", found["one"][1]),
        "one/before": ("container", snapshot["created_at"]),
    }
    assert found["one"][1][:16] == instance["created_at"][:16]
    addresses = site.get("/storage-pools/default/volumes", **query)
    disk = "/1.0/storage-pools/default/volumes/container/one"
    assert f"{disk}?project={site.project}" in addresses
    assert f"{disk}/snapshots/before?project={site.project}" in addresses


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"name": "llm.models"}, 409, "Volume by that name already exists"),
        ({"name": ""}, 400, "No name provided"),
        ({"name": "a/b"}, 400, "may not contain slashes"),
        ({"name": "v", "config": {"sizee": "1"}}, 500, 'option "sizee"'),
        ({"name": "v", "config": {"size": "abc"}}, 500, "Invalid value: abc"),
        ({"name": "v", "config": {"security.shifted": "maybe"}}, 500, "for a boolean"),
    ],
)
def test_refusals_of_a_new_volume(
    site: Site, query: dict[str, str], body: dict[str, object], status: int, words: str
) -> None:
    with refused(status, words):
        site.send("POST", VOLUMES, body, project=site.project)


def test_missing_volumes_pools_and_projects(site: Site) -> None:
    query = {"project": site.project}
    for method in ("PUT", "DELETE"):
        with refused(404, "volume not found"):
            site.send(method, f"{VOLUMES}/none", {"config": {}}, project=site.project)
    with refused(404, "Storage pool not found"):
        site.send("POST", "/storage-pools/none/volumes/custom", {"name": "v"}, project=site.project)
    with refused(404, "Project not found"):
        site.send("POST", VOLUMES, {"name": "v"}, project="none")
    with refused(400, "Invalid storage volume type name"):
        site.get("/storage-pools/default/volumes/bogus", **query)


def test_a_bad_change_is_refused(site: Site, query: dict[str, str]) -> None:
    with refused(500, 'option "bogus"'):
        site.send("PUT", MODELS, {"config": {"bogus": "1"}}, project=site.project)


def test_a_volume_that_an_instance_has_stays(site: Site, query: dict[str, str]) -> None:
    disk = {"type": "disk", "path": "/models", "pool": "default", "source": "llm.models"}
    site.create("llm", devices={"models": disk})

    assert site.get(MODELS, **query)["used_by"] == [f"/1.0/instances/llm?project={site.project}"]
    assert site.get(MODELS, **query)["config"] == {"size": "1GiB"}
    with refused(400, "The storage volume is still in use"):
        site.send("DELETE", MODELS, project=site.project)
    site.delete("llm")
    assert site.get(MODELS, **query)["used_by"] == []
    site.send("DELETE", MODELS, project=site.project)


def test_a_running_container_leaves_its_ids_on_the_volume(
    site: Site, query: dict[str, str]
) -> None:
    site.create("llm", start=True)
    disk = {"type": "disk", "path": "/models", "pool": "default", "source": "llm.models"}
    site.change("llm", devices={"models": disk})

    config = site.get(MODELS, **query)["config"]
    assert set(config) == {"size", "volatile.idmap.last", "volatile.idmap.next"}
    site.change("llm", devices={"models": None})
    assert site.get(MODELS, **query)["used_by"] == []


def test_a_free_volume_is_renamed(site: Site, query: dict[str, str]) -> None:
    site.send("POST", MODELS, {"name": "other"}, project=site.project)
    assert [each["name"] for each in site.get(VOLUMES, recursion="1", **query)] == ["other"]
