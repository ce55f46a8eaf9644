"""Projects: what a new one is like, what changes it, and what keeps it from going."""

import pytest

from tests.contract.site import FEATURES, Site, refused


def test_a_new_project_gets_features_and_a_default_profile(server: Site) -> None:
    name = server.project
    server.add_project(name)

    project = server.get(f"/projects/{name}")
    assert project["config"] == {
        "features.images": "true",
        "features.profiles": "true",
        "features.storage.buckets": "true",
        "features.storage.volumes": "true",
    }
    assert project["used_by"] == [f"/1.0/profiles/default?project={name}"]
    profile = server.get("/profiles/default", project=name)
    assert profile["description"] == f"Default Incus profile for project {name}"
    assert (profile["config"], profile["devices"]) == ({}, {})


def test_given_features_stay_as_given(server: Site) -> None:
    config = {**FEATURES, "user.freehold.estate": "maison"}
    server.add_project(server.project, config=config, description="a domain")

    project = server.get(f"/projects/{server.project}")
    assert (project["config"], project["description"]) == (config, "a domain")
    assert f"/1.0/projects/{server.project}" in server.get("/projects")
    assert project in server.get("/projects", recursion="1")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 400, "No name provided"),
        ({"name": "a/b"}, 400, "may not contain slashes"),
        ({"name": "a b"}, 400, "may not contain spaces"),
        ({"name": "x", "config": {"foo": "1"}}, 400, 'Invalid project configuration key "foo"'),
        ({"name": "x", "config": {"features.images": "maybe"}}, 400, "Invalid value for a boolean"),
        ({"name": "default"}, 500, "UNIQUE constraint failed"),
    ],
)
def test_refusals_of_a_new_project(
    server: Site, body: dict[str, object], status: int, words: str
) -> None:
    with refused(status, words):
        server.send("POST", "/projects", body)


def test_put_replaces_and_patch_of_config_replaces_config(server: Site) -> None:
    name = server.project
    server.add_project(name, config=FEATURES)

    server.send("PUT", f"/projects/{name}", {"config": {**FEATURES, "user.a": "1"}})
    assert server.get(f"/projects/{name}")["config"] == {**FEATURES, "user.a": "1"}
    assert server.get(f"/projects/{name}")["description"] == ""
    server.send("PATCH", f"/projects/{name}", {"config": {**FEATURES, "user.b": "1"}})
    assert server.get(f"/projects/{name}")["config"] == {**FEATURES, "user.b": "1"}
    server.send("PATCH", f"/projects/{name}", {"description": "new"})
    assert server.get(f"/projects/{name}")["config"] == {**FEATURES, "user.b": "1"}
    with refused(400, 'Invalid project configuration key "foo"'):
        server.send("PUT", f"/projects/{name}", {"config": {"foo": "1"}})


def test_a_feature_left_out_of_a_put_is_switched_off(server: Site) -> None:
    server.add_project(server.project, config=FEATURES)

    server.send("PUT", f"/projects/{server.project}", {"config": {"user.a": "1"}})

    assert server.get(f"/projects/{server.project}")["used_by"] == []
    assert server.get("/profiles/default", project=server.project)["project"] == "default"


def test_features_of_a_project_in_use_cannot_be_switched_off(server: Site) -> None:
    server.add_project(server.project, config=FEATURES)
    server.send("POST", "/profiles", {"name": "big"}, project=server.project)

    config = {**FEATURES, "features.profiles": "false"}
    with refused(400, '"features.profiles" cannot be disabled on non-empty projects'):
        server.send("PUT", f"/projects/{server.project}", {"config": config})


def test_only_an_empty_project_is_deleted_or_renamed(server: Site) -> None:
    name = server.project
    server.add_project(name, config=FEATURES)
    server.send("POST", "/profiles", {"name": "big"}, project=name)

    with refused(500, "Only empty projects can be removed"):
        server.send("DELETE", f"/projects/{name}")
    with refused(400, "Only empty projects can be renamed"):
        server.send("POST", f"/projects/{name}", {"name": f"{name}x"})
    server.send("DELETE", "/profiles/big", project=name)
    server.send("POST", f"/projects/{name}", {"name": f"{name}x"})
    assert server.get("/profiles/default", project=f"{name}x")["project"] == f"{name}x"
    server.send("DELETE", f"/projects/{name}x")
    with refused(404, "Project not found"):
        server.get(f"/projects/{name}x")


def test_missing_and_default_projects(server: Site) -> None:
    with refused(404, "Project not found"):
        server.get("/projects/none")
    with refused(404, "Project not found"):
        server.send("DELETE", "/projects/none")
    with refused(404, "Project not found"):
        server.send("PUT", "/projects/none", {"config": {}})
    with refused(403, "cannot be deleted"):
        server.send("DELETE", "/projects/default")
    for collection in ("/profiles", "/networks", "/images"):
        with refused(404, "Project not found"):
            server.get(collection, project="none")
    assert server.get("/instances", project="none") == []


def test_a_project_without_own_profiles_and_volumes_uses_those_of_default(server: Site) -> None:
    config = {"features.profiles": "false", "features.storage.volumes": "false"}
    server.add_project(server.project, config=config)

    assert server.get("/profiles/default", project=server.project)["project"] == "default"
    volumes = "/storage-pools/default/volumes/custom"
    server.send("POST", volumes, {"name": server.project}, project=server.project)
    assert server.get(f"{volumes}/{server.project}")["project"] == "default"
    server.send("DELETE", f"{volumes}/{server.project}")
