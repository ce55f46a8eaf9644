"""What a server says about itself, and about requests that it does not know."""

from tests.contract.site import Site, refused


def test_tells_its_version_storage_and_that_we_are_trusted(server: Site) -> None:
    info = server.get("")

    assert info["environment"]["server_version"].startswith("6.")
    assert info["environment"]["storage"] == "btrfs"
    assert info["auth"] == "trusted"
    assert {"projects", "instances", "metadata_configuration"} <= set(info["api_extensions"])


def test_metadata_names_options_their_types_and_whether_they_change_live(server: Site) -> None:
    groups = server.get("/metadata/configuration")["configs"]["instance"]

    options = {
        name: option
        for group in groups.values()
        for entry in group["keys"]
        for name, option in entry.items()
    }
    assert options["limits.memory"]["liveupdate"] == "yes"
    assert options["boot.autostart"]["type"] == "bool"
    assert options["security.secureboot"]["condition"] == "virtual machine"
    assert "user.*" in options


def test_unknown_paths_and_methods(server: Site) -> None:
    with refused(404, "not found"):
        server.get("/no-such-thing")
    with refused(501, "not implemented"):
        server.send("PATCH", "/projects", {})


def test_all_projects_and_one_project_contradict_each_other(server: Site) -> None:
    with refused(400, "Cannot specify a project"):
        server.get("/instances", project="default", **{"all-projects": "true"})


def test_the_pool_is_there(server: Site) -> None:
    assert server.get("/storage-pools") == ["/1.0/storage-pools/default"]
    pool = server.get("/storage-pools/default")
    assert (pool["driver"], pool["status"]) == ("btrfs", "Created")
    assert "/1.0/profiles/default" in pool["used_by"]
    assert [each["name"] for each in server.get("/storage-pools", recursion="1")] == ["default"]
    with refused(404, "Storage pool not found"):
        server.get("/storage-pools/none")


def test_images_are_found_by_alias_and_by_the_start_of_their_fingerprint(server: Site) -> None:
    alias = server.get("/images/aliases/debian%2F13")
    image = server.get(f"/images/{alias['target'][:12]}")

    assert alias["name"] == "debian/13"
    assert alias["type"] == image["type"] == "container"
    assert image["fingerprint"] == alias["target"]
    assert "debian/13" in [each["name"] for each in image["aliases"]]
    assert f"/1.0/images/{alias['target']}" in server.get("/images")
    assert "/1.0/images/aliases/debian%2F13" in server.get("/images/aliases")
    assert server.get("/images/aliases/debian/13") == alias
    with refused(404, "Image alias not found"):
        server.get("/images/aliases/none")
    with refused(404, 'Image "none" not found'):
        server.get("/images/none")


def test_an_alias_comes_and_goes(server: Site) -> None:
    target = server.get("/images/aliases/debian/13")["target"]
    body = {"name": f"test/{server.number}", "target": target}

    server.send("POST", "/images/aliases", body)
    assert server.get(f"/images/aliases/test/{server.number}")["target"] == target
    with refused(409, "already exists"):
        server.send("POST", "/images/aliases", body)
    server.send("DELETE", f"/images/aliases/test/{server.number}")
    with refused(404, "Image alias not found"):
        server.send("DELETE", f"/images/aliases/test/{server.number}")
    with refused(404, "Image not found"):
        server.send("POST", "/images/aliases", {"name": "other", "target": "dead"})
