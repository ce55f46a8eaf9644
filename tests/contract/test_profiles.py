"""Profiles: their life, what they refuse, and what changing one does to the instances that use it."""

import pytest

from tests.contract.site import Site, refused


def test_a_profile_comes_changes_and_goes(site: Site) -> None:
    query = {"project": site.project}
    body = {"name": "big", "description": "x", "config": {"limits.memory": "8GiB"}}
    site.send("POST", "/profiles", body, project=site.project)

    profile = site.get("/profiles/big", **query)
    assert profile["config"] == {"limits.memory": "8GiB"}
    assert (profile["description"], profile["devices"]) == ("x", {})
    assert (profile["project"], profile["used_by"]) == (site.project, [])
    site.send("PUT", "/profiles/big", {"config": {"limits.cpu": "2"}}, project=site.project)
    assert site.get("/profiles/big", **query)["config"] == {"limits.cpu": "2"}
    assert site.get("/profiles/big", **query)["description"] == ""
    site.send("PATCH", "/profiles/big", {"config": {"user.a": "1"}}, project=site.project)
    assert site.get("/profiles/big", **query)["config"] == {"limits.cpu": "2", "user.a": "1"}
    site.send("DELETE", "/profiles/big", project=site.project)
    with refused(404, "Profile not found"):
        site.get("/profiles/big", **query)


def test_listing_by_project_and_everywhere(site: Site) -> None:
    own = f"/1.0/profiles/default?project={site.project}"

    assert site.get("/profiles", project=site.project) in ([own], ["/1.0/profiles/default"])
    everywhere = site.get("/profiles", recursion="1", **{"all-projects": "true"})
    assert {"default", site.project} <= {each["project"] for each in everywhere}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"name": ""}, "No name provided"),
        ({"name": "a/b"}, "may not contain slashes"),
        ({"name": "p", "config": {"limits.memry": "1"}}, "Unknown configuration key: limits.memry"),
        ({"name": "p", "config": {"limits.memory": "abc"}}, "Invalid value: abc"),
        ({"name": "p", "config": {"limits.memory": "8 GiB"}}, "Invalid value: 8 GiB"),
        ({"name": "p", "config": {"limits.memory": "0"}}, "Memory limit can't be 0"),
        ({"name": "p", "config": {"limits.cpu": "many"}}, "Invalid CPU limit syntax"),
        ({"name": "p", "config": {"limits.cpu": "0"}}, "Invalid cpuset value"),
        ({"name": "p", "config": {"limits.processes": "x"}}, 'Invalid value for an integer "x"'),
        ({"name": "p", "config": {"boot.autostart": "2"}}, 'Invalid value for a boolean "2"'),
        ({"name": "p", "config": {"volatile.uuid": "1"}}, "Volatile keys can only be set on inst"),
        ({"name": "p", "devices": {"x": {"type": "nix"}}}, "Unsupported device type"),
        ({"name": "p", "devices": {"x": {"path": "/"}}}, "Missing device type"),
        ({"name": "p", "devices": {"x": {"type": "nic", "network": "none"}}}, "Network not found"),
        (
            {
                "name": "p",
                "devices": {"x": {"type": "disk", "path": "/", "pool": "default", "a": "1"}},
            },
            'Invalid device option "a"',
        ),
        (
            {
                "name": "p",
                "devices": {"x": {"type": "disk", "path": "/", "pool": "p", "size": "a"}},
            },
            "Invalid value: a",
        ),
    ],
)
def test_refusals_of_a_new_profile(server: Site, body: dict[str, object], words: str) -> None:
    with refused(400, words):
        server.send("POST", "/profiles", body)


@pytest.mark.parametrize(
    "config",
    [
        {"limits.memory": "50%"},
        {"limits.memory": "8"},
        {"limits.cpu": "0-1,3"},
        {"boot.autostart": "True"},
        {"environment.LANG": "C.UTF-8", "user.anything": "x", "limits.kernel.nofile": "5"},
        {"security.secureboot": "false", "security.nesting": "true"},
    ],
)
def test_values_that_are_accepted(site: Site, config: dict[str, str]) -> None:
    site.send("POST", "/profiles", {"name": "p", "config": config}, project=site.project)
    assert site.get("/profiles/p", project=site.project)["config"] == config


def test_the_default_profile_stays(server: Site) -> None:
    with refused(403, "cannot be deleted"):
        server.send("DELETE", "/profiles/default")
    with refused(403, "cannot be renamed"):
        server.send("POST", "/profiles/default", {"name": "other"})


def test_missing_and_existing_profiles(site: Site) -> None:
    with refused(404, "Profile not found"):
        site.send("PUT", "/profiles/none", {"config": {}}, project=site.project)
    with refused(404, "Profile not found"):
        site.send("DELETE", "/profiles/none", project=site.project)
    with refused(500, "The profile already exists"):
        site.send("POST", "/profiles", {"name": "default"}, project=site.project)
    with refused(500, "Invalid value: abc"):
        site.send(
            "PUT", "/profiles/default", {"config": {"limits.memory": "abc"}}, project=site.project
        )


def test_a_profile_that_is_used_stays_and_its_name_follows(site: Site) -> None:
    query = {"project": site.project}
    site.send("POST", "/profiles", {"name": "big", "config": {"user.a": "1"}}, project=site.project)
    site.create("one", profiles=["default", "big"])

    assert site.get("/profiles/big", **query)["used_by"] == [
        f"/1.0/instances/one?project={site.project}"
    ]
    with refused(500, "Profile is currently in use"):
        site.send("DELETE", "/profiles/big", project=site.project)
    with refused(500, 'Profile "default" already exists'):
        site.send("POST", "/profiles/big", {"name": "default"}, project=site.project)
    site.send("POST", "/profiles/big", {"name": "huge"}, project=site.project)
    assert site.instance("one")["profiles"] == ["default", "huge"]
    site.delete("one")
    site.send("DELETE", "/profiles/huge", project=site.project)


def test_a_change_reaches_the_instances(site: Site) -> None:
    site.create("one", config={"user.b": "own"})

    site.send(
        "PATCH",
        "/profiles/default",
        {"config": {"user.a": "1", "user.b": "2"}},
        project=site.project,
    )

    one = site.instance("one")
    assert one["expanded_config"]["user.a"] == "1"
    assert one["expanded_config"]["user.b"] == "own"
    assert "user.a" not in one["config"]


def test_the_root_disk_of_instances_stays(site: Site) -> None:
    site.create("one")

    with refused(500, "At least one instance relies on this profile's root disk device"):
        site.send("PUT", "/profiles/default", {"devices": {}}, project=site.project)


def test_a_change_is_saved_although_an_instance_cannot_follow(site: Site) -> None:
    query = {"project": site.project}
    site.create("one", devices={"eth0": site.nic(ipv4_address=site.host(10))})
    moved = {"ipv4.address": f"{site.elsewhere(1)}/24", "ipv6.address": "none"}
    site.send("PUT", f"/networks/{site.bridge}", {"config": moved})

    with refused(500, "profile change still saved", "Instance: one", "not within network"):
        site.send("PATCH", "/profiles/default", {"config": {"user.a": "1"}}, project=site.project)

    assert site.get("/profiles/default", **query)["config"] == {"user.a": "1"}


def test_a_profile_holds_what_only_virtual_machines_take(site: Site) -> None:
    """As the built-in profile `vm` does; nothing asks the type before an instance uses it."""
    body = {
        "name": "vm",
        "config": {"limits.cpu": "2", "limits.memory": "1GiB", "security.secureboot": "true"},
        "devices": {"agent": {"type": "disk", "source": "agent:config"}},
    }
    site.send("POST", "/profiles", body, project=site.project)
    found = site.get("/profiles/vm", project=site.project)
    assert {key: found[key] for key in body} == body
