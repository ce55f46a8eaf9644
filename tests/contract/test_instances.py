"""Instances: creating, reading, renaming, rebuilding and deleting them."""

import pytest

from tests.contract.site import IMAGE, Site, refused


def test_a_new_instance_is_stopped_and_holds_what_the_server_adds(site: Site) -> None:
    fingerprint = site.get("/images/aliases/debian/13")["target"]
    ended = site.create("one", config={"user.a": "1"}, description="first")

    assert ended["resources"]["instances"] == [f"/1.0/instances/one?project={site.project}"]
    one = site.instance("one")
    assert (one["status"], one["status_code"], one["type"]) == ("Stopped", 102, "container")
    assert (one["name"], one["project"], one["profiles"]) == ("one", site.project, ["default"])
    assert (one["description"], one["devices"], one["ephemeral"]) == ("first", {}, False)
    config = one["config"]
    assert config["user.a"] == "1"
    assert config["volatile.base_image"] == fingerprint
    assert config["volatile.apply_template"] == "create"
    assert config["volatile.uuid"] == config["volatile.uuid.generation"]
    assert config["volatile.eth0.hwaddr"].startswith("10:66:6a:")
    assert config["image.os"] == "Debian"
    assert {"volatile.cloud-init.instance-id", "volatile.idmap.base", "volatile.idmap.next"} <= set(
        config
    )
    assert "volatile.last_state.power" not in config
    assert "volatile.eth0.host_name" not in config


def test_what_profiles_bring_is_in_the_expanded_fields_only(site: Site) -> None:
    big = {"name": "big", "config": {"user.a": "profile", "user.b": "profile"}}
    site.send("POST", "/profiles", big, project=site.project)
    site.create("one", profiles=["default", "big"], config={"user.a": "own"})

    one = site.instance("one")
    assert one["expanded_config"]["user.a"] == "own"
    assert one["expanded_config"]["user.b"] == "profile"
    assert "user.b" not in one["config"]
    assert one["expanded_devices"]["eth0"] == site.nic()
    assert one["expanded_devices"]["root"]["pool"] == "default"


def test_a_device_with_a_hardware_address_needs_none_from_the_server(site: Site) -> None:
    site.create("one", devices={"eth0": site.nic(hwaddr="10:66:6a:00:00:01")})

    assert "volatile.eth0.hwaddr" not in site.instance("one")["config"]


def test_created_and_started_in_one_request(site: Site) -> None:
    nic = site.nic(ipv4_address=site.host(10), hwaddr=site.hardware(1))
    site.create("one", start=True, devices={"eth0": nic})

    one = site.instance("one")
    assert (one["status"], one["config"]["volatile.last_state.power"]) == ("Running", "RUNNING")
    assert "volatile.apply_template" not in one["config"]
    assert one["config"]["volatile.eth0.host_name"].startswith("veth")
    assert site.wait_for_address("one") == site.host(10)


def test_reading_one_all_of_a_project_and_all_of_all(site: Site) -> None:
    everywhere = {"all-projects": "true"}
    address = f"/1.0/instances/one?project={site.project}"
    site.create("one", config={"user.a": "1"})

    one = site.instance("one")
    assert site.get("/instances", project=site.project) == [address]
    assert address in site.get("/instances", **everywhere)
    assert site.get("/instances", recursion="1", project=site.project) == [one]
    assert one in site.get("/instances", recursion="1", **everywhere)
    full = site.get("/instances", recursion="2", project=site.project)[0]
    assert full["state"]["status"] == "Stopped"
    assert site.get("/instances", project=site.project, filter="name eq one") == [address]
    assert site.get("/instances", project=site.project, filter="name eq two") == []
    assert site.get("/instances", project=site.project, filter="config.user.a eq 1") == [address]
    assert address in site.get(f"/projects/{site.project}")["used_by"]
    assert address in site.get("/storage-pools/default")["used_by"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"name": "a b"}, 400, "can only contain alphanumeric and hyphen"),
        ({"name": "a_b"}, 400, "can only contain alphanumeric and hyphen"),
        ({"name": "-a"}, 400, "must not start"),
        ({"name": "12"}, 400, "cannot be a number"),
        ({"name": "a" * 64}, 400, "1-63 characters"),
        ({"type": "zzz"}, 400, "Invalid instance type"),
        ({"source": {"type": "zzz"}}, 400, "Unknown source type zzz"),
        ({"source": {"type": "image"}}, 500, "Must specify one of alias, fingerprint"),
        ({"profiles": ["default", "none"]}, 500, 'Requested profile "none" doesn\'t exist'),
    ],
)
def test_refused_at_once(site: Site, body: dict[str, object], status: int, words: str) -> None:
    with refused(status, words):
        site.create(**{"name": "one", **body})  # type: ignore[arg-type]
    assert site.get("/instances", project=site.project) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"source": {"type": "image", "alias": "none"}},
            "Image not provided for instance creation",
        ),
        ({"source": {"type": "image", "fingerprint": "dead"}}, "Image not provided"),
        ({"config": {"limits.memry": "1"}}, "Unknown configuration key: limits.memry"),
        ({"config": {"limits.memory": "abc"}}, "Invalid value: abc"),
        (
            {"config": {"security.secureboot": "true"}},
            "Unknown configuration key: security.secureb",
        ),
        ({"config": {"volatile.foo": "1"}}, "Unknown configuration key: volatile.foo"),
        ({"profiles": []}, "No root device could be found"),
        ({"type": "virtual-machine"}, "doesn't match instance type"),
        ({"devices": {"x": {"type": "nix"}}}, 'Invalid device type "nix"'),
        ({"devices": {"x": {"type": "nic", "network": "none"}}}, "Network not found"),
        (
            {"devices": {"x": {"type": "disk", "path": "/x", "pool": "default", "source": "none"}}},
            "Storage volume not found",
        ),
        (
            {"devices": {"x": {"type": "disk", "path": "/x", "pool": "none", "source": "none"}}},
            "Storage pool not found",
        ),
    ],
)
def test_refused_by_the_operation(site: Site, body: dict[str, object], words: str) -> None:
    with refused(400, words):
        site.create("one", **body)
    assert site.get("/instances", project=site.project) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ipv4_address": "10.9.9.9"}, 'Device IP address "10.9.9.9" not within network'),
        ({"ipv4_address": "abc"}, 'Device IP address "abc" not within network'),
        ({"hwaddr": "zz"}, "Invalid MAC address"),
        ({"bogus": "1"}, 'Invalid device option "bogus"'),
        ({"security.port_isolation": "maybe"}, 'Invalid value for a boolean "maybe"'),
        ({"ipv4_address": "none"}, "none unless using security.ipv4_filtering"),
        (
            {"security.ipv6_filtering": "true", "vlan": "5"},
            "IP filtering cannot be used with VLAN filtering",
        ),
    ],
)
def test_refused_for_its_nic(site: Site, options: dict[str, str], words: str) -> None:
    with refused(400, words):
        site.create("one", devices={"eth0": site.nic(**options)})


FILTERS = {f"security.{what}_filtering": "true" for what in ("mac", "ipv4", "ipv6")}


def test_a_nic_that_sends_from_its_own_address_only_needs_no_declared_one(site: Site) -> None:
    site.create("one", devices={"eth0": site.nic(**FILTERS)}, start=True)
    assert site.wait_for_address("one").startswith(site.host(2)[:-1])
    devices = site.instance("one")["devices"]
    assert {key: devices["eth0"][key] for key in FILTERS} == FILTERS


@pytest.mark.parametrize("value", ["false", "maybe", "1"])
def test_whether_filters_are_truth_values_nobody_asks(site: Site, value: str) -> None:
    site.create("one", devices={"eth0": site.nic(**dict.fromkeys(FILTERS, value))})
    assert site.instance("one")["devices"]["eth0"]["security.mac_filtering"] == value


def test_a_static_address_on_a_bridge_without_dhcp_needs_the_filter(site: Site) -> None:
    bare = f"bare-t{site.number}"
    site.add_network(bare, **{"ipv4.address": "none", "ipv6.address": "none"})
    nic = {"type": "nic", "network": bare, "ipv4.address": "10.9.9.9"}
    with refused(
        400, f'DHCP is disabled (unless using security.ipv4_filtering) on network "{bare}"'
    ):
        site.create("one", devices={"x": nic})
    site.create("one", devices={"x": {**nic, "security.ipv4_filtering": "true"}})


@pytest.mark.parametrize("version", [4, 6])
def test_a_filter_on_somebody_elses_bridge_needs_an_address(site: Site, version: int) -> None:
    nic = {"type": "nic", "nictype": "bridged", "parent": "br-theirs"}
    with refused(400, f"IPv{version} filtering requires a manually specified ipv{version}.address"):
        site.create("one", devices={"x": {**nic, f"security.ipv{version}_filtering": "true"}})


def test_a_name_that_is_taken(site: Site) -> None:
    site.create("one")
    with refused(400, "UNIQUE constraint failed"):
        site.create("one")


def test_a_project_that_does_not_exist(server: Site) -> None:
    with refused(404, "Project not found"):
        server.send("POST", "/instances", {"name": "one", "source": IMAGE}, project="none")


def test_missing_instances(site: Site) -> None:
    query = {"project": site.project}
    for path in ("/instances/none", "/instances/none/state"):
        with refused(404, "Instance not found"):
            site.get(path, **query)
        with refused(404, "Instance not found"):
            site.send("PUT", path, {"action": "start"}, project=site.project)
    with refused(404, "Instance not found"):
        site.send("DELETE", "/instances/none", project=site.project)
    with refused(404, "Instance not found"):
        site.send("POST", "/instances/none/rebuild", {"source": IMAGE}, project=site.project)


def test_an_image_by_its_fingerprint(site: Site) -> None:
    target = site.get("/images/aliases/debian/13")["target"]
    site.create("one", source={"type": "image", "fingerprint": target[:12]})
    assert site.instance("one")["config"]["volatile.base_image"] == target


def test_an_instance_without_an_image_does_not_start(site: Site) -> None:
    site.create("one", source={"type": "none"})
    assert "volatile.base_image" not in site.instance("one")["config"]
    with refused(400, "Failed to run"):
        site.power("one", "start")


def test_a_start_that_fails_leaves_the_new_instance_behind(site: Site) -> None:
    with refused(400, "Failed to detect requested GPU device"):
        site.create("one", start=True, devices={"gpu": {"type": "gpu"}})
    assert site.instance("one")["status"] == "Stopped"


def test_deleting(site: Site) -> None:
    site.create("one", start=True)
    with refused(400, "Instance is running"):
        site.delete("one")
    site.power("one", "stop")
    site.delete("one")
    with refused(404, "Instance not found"):
        site.instance("one")


def test_a_protected_instance_is_not_deleted(site: Site) -> None:
    site.create("one", config={"security.protection.delete": "true"})
    with refused(400, "Instance is protected"):
        site.delete("one")
    site.change("one", config={"security.protection.delete": "false"})
    site.delete("one")


def test_renaming(site: Site) -> None:
    site.create("one", start=True)
    site.create("two")
    hardware = site.instance("one")["config"]["volatile.eth0.hwaddr"]

    def rename(wanted: str) -> None:
        site.send("POST", "/instances/one", {"name": wanted}, project=site.project)

    with refused(400, "Renaming of running instance not allowed"):
        rename("three")
    site.power("one", "stop")
    with refused(409, 'Name "two" already in use'):
        rename("two")
    with refused(400, "Invalid instance name"):
        rename("a b")
    rename("three")
    assert site.instance("three")["config"]["volatile.eth0.hwaddr"] == hardware
    with refused(404, "Instance not found"):
        site.instance("one")


def test_rebuilding_keeps_everything_but_the_root_disk(site: Site) -> None:
    def rebuild(**source: str) -> None:
        site.send("POST", "/instances/one/rebuild", {"source": source}, project=site.project)

    site.create("one", start=True, config={"user.a": "1"})
    with refused(400, "Instance must be stopped to be rebuilt"):
        rebuild(type="image", alias="debian/13")
    site.power("one", "stop")
    before = site.instance("one")
    with refused(400, "Image not provided for instance rebuild"):
        rebuild(type="image", alias="none")

    rebuild(type="none")
    emptied = site.instance("one")["config"]
    assert not [key for key in emptied if key.startswith("image.") or key == "volatile.base_image"]
    rebuild(type="image", alias="debian/13")

    after = site.instance("one")
    for key in (
        "user.a",
        "volatile.eth0.hwaddr",
        "volatile.uuid",
        "volatile.base_image",
        "image.os",
    ):
        assert after["config"][key] == before["config"][key]
    assert (after["devices"], after["profiles"]) == (before["devices"], before["profiles"])
    assert after["config"]["volatile.apply_template"] == "create"
