"""Changing instances, running and stopped: what is accepted, what is refused, what the guest sees of it."""

import pytest

from tests.contract.site import Site, refused


def test_put_replaces_everything(site: Site) -> None:
    site.create("one", config={"user.a": "1"}, description="d")
    one = site.instance("one")
    config = {key: value for key, value in one["config"].items() if key != "user.a"}

    body = {"config": config, "devices": {}, "profiles": ["default"]}
    ended = site.send("PUT", "/instances/one", body, project=site.project)

    assert ended["resources"]["instances"] == [f"/1.0/instances/one?project={site.project}"]
    assert "user.a" not in site.instance("one")["config"]
    assert site.instance("one")["description"] == ""
    assert site.instance("one")["architecture"] == one["architecture"]
    with refused(400, "No root device could be found"):
        site.send("PUT", "/instances/one", {"config": config}, project=site.project)


def test_patch_lays_over(site: Site) -> None:
    site.create("one", config={"user.a": "1"})
    body = {"config": {"user.b": "2"}, "devices": {"nothing": {"type": "none"}}}
    site.send("PATCH", "/instances/one", body, project=site.project)

    one = site.instance("one")
    assert (one["config"]["user.a"], one["config"]["user.b"]) == ("1", "2")
    assert one["devices"] == {"nothing": {"type": "none"}}
    assert one["profiles"] == ["default"]


def test_the_servers_own_keys(site: Site) -> None:
    """The idmap must stay; other keys may go, and then they are gone until the server needs them."""
    site.create("one")

    with refused(400, "Volatile idmap keys can't be deleted by the user"):
        site.change("one", config={"volatile.idmap.base": None})
    with refused(400, "Unknown configuration key: volatile.foo"):
        site.change("one", config={"volatile.foo": "1"})
    hardware = site.instance("one")["config"]["volatile.eth0.hwaddr"]
    site.change("one", config={"volatile.eth0.hwaddr": None, "image.os": None, "image.other": "x"})
    config = site.instance("one")["config"]
    assert "volatile.eth0.hwaddr" not in config
    assert "image.os" not in config
    assert config["image.other"] == "x"
    site.power("one", "start")
    assert site.instance("one")["config"]["volatile.eth0.hwaddr"] != hardware


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"config": {"foo": "1"}}, "Invalid config: Unknown configuration key: foo"),
        ({"config": {"limits.memory": "abc"}}, "Invalid config: Invalid value: abc"),
        ({"profiles": []}, "No root device could be found"),
        ({"profiles": ["default", "default"]}, "Duplicate profile found"),
        ({"devices": {"x": {"type": "nix"}}}, "Unsupported device type"),
        ({"devices": {"x": {"type": "nic", "network": "none"}}}, "Network not found"),
        (
            {"devices": {"x": {"type": "disk", "path": "/x", "pool": "default", "source": "none"}}},
            "Storage volume not found",
        ),
        (
            {
                "devices": {
                    "x": {"type": "disk", "path": "/x", "source": "/tmp"},
                    "y": {"type": "disk", "path": "/x", "source": "/tmp"},
                }
            },
            "More than one disk device uses the same path",
        ),
    ],
)
def test_refusals(site: Site, changed: dict[str, object], words: str) -> None:
    site.create("one")
    before = site.instance("one")
    with refused(400, words):
        site.change("one", **changed)
    assert site.instance("one") == before


def test_an_unknown_profile(site: Site) -> None:
    site.create("one")
    with refused(404, "Profile not found"):
        site.change("one", profiles=["default", "none"])


def test_a_running_container_takes_limits_and_devices(site: Site) -> None:
    site.create("one", start=True)

    site.change("one", config={"limits.memory": "256MiB", "limits.cpu": "1"}, description="new")
    root = {"type": "disk", "path": "/", "pool": "default", "size": "5GiB"}
    site.change("one", devices={"root": root})
    site.change("one", config={"security.nesting": "true"})
    with refused(400, "Failed to detect requested GPU device"):
        site.change("one", devices={"gpu": {"type": "gpu"}})

    one = site.instance("one")
    assert (one["status"], one["description"]) == ("Running", "new")
    assert one["config"]["limits.memory"] == "256MiB"
    assert one["devices"] == {"root": root}


def test_a_new_address_of_a_running_machine_comes_with_its_next_start(site: Site) -> None:
    site.create("one", start=True, devices={"eth0": site.nic(ipv4_address=site.host(10))})
    assert site.wait_for_address("one") == site.host(10)

    site.change("one", devices={"eth0": site.nic(ipv4_address=site.host(11))})

    assert site.addresses("one") == [site.host(10)]
    site.power("one", "restart")
    assert site.wait_for_address("one") == site.host(11)


def test_a_running_machine_takes_filters_of_its_nic(site: Site) -> None:
    site.create("one", start=True)
    before = site.get("/instances/one/state", project=site.project)["pid"]
    filters = {f"security.{what}_filtering": "true" for what in ("mac", "ipv4", "ipv6")}
    nic = site.nic(**filters)
    site.change("one", devices={"eth0": nic})
    assert site.instance("one")["devices"]["eth0"] == nic
    assert site.get("/instances/one/state", project=site.project)["pid"] == before


def test_an_address_that_another_machine_has(site: Site) -> None:
    site.create("one", devices={"eth0": site.nic(ipv4_address=site.host(10))})
    taken = f'IP address "{site.host(10)}" already defined on another NIC'

    with refused(400, "Failed start validation", taken):
        site.create("two", start=True, devices={"eth0": site.nic(ipv4_address=site.host(10))})
    assert site.instance("two")["status"] == "Stopped"
    with refused(400, "Failed start validation", taken):
        site.power("two", "start")
    site.change("two", description="what does not touch the address is accepted")
    site.change("two", devices={"eth0": site.nic(ipv4_address=site.host(11))})
    with refused(400, "Failed update validation", taken):
        site.change("two", devices={"eth0": site.nic(ipv4_address=site.host(10))})


def test_addresses_are_swapped_by_way_of_a_third(site: Site) -> None:
    site.create("one", devices={"eth0": site.nic(ipv4_address=site.host(10))})
    site.create("two", devices={"eth0": site.nic(ipv4_address=site.host(11))})

    with refused(400, "already defined on another NIC"):
        site.change("one", devices={"eth0": site.nic(ipv4_address=site.host(11))})
    with refused(400, "already defined on another NIC"):
        site.change("two", devices={"eth0": site.nic(ipv4_address=site.host(10))})
    site.change("one", devices={"eth0": None})
    site.change("two", devices={"eth0": site.nic(ipv4_address=site.host(10))})
    site.change("one", devices={"eth0": site.nic(ipv4_address=site.host(11))})
    assert site.instance("two")["devices"]["eth0"]["ipv4.address"] == site.host(10)


def test_a_hardware_address_that_another_machine_has(site: Site) -> None:
    taken = site.hardware(2)
    site.create("one", devices={"eth0": site.nic(hwaddr=taken)})
    site.create("two")

    with refused(400, f'MAC address "{taken}" already defined on another NIC'):
        site.change("two", devices={"eth0": site.nic(hwaddr=taken)})


def test_own_hardware_addresses_replace_the_servers_and_back(site: Site) -> None:
    site.create("one")
    own = site.nic(hwaddr=site.hardware(3))

    site.change("one", devices={"eth0": own})
    assert "volatile.eth0.hwaddr" not in site.instance("one")["config"]
    site.change("one", devices={"eth0": None})
    assert site.instance("one")["config"]["volatile.eth0.hwaddr"].startswith("10:66:6a:")


def test_a_bridge_that_moves_leaves_its_machines_behind_until_they_follow(site: Site) -> None:
    site.create("one", start=True, devices={"eth0": site.nic(ipv4_address=site.host(10))})
    assert site.wait_for_address("one") == site.host(10)

    config = {"ipv4.address": f"{site.elsewhere(1)}/24", "ipv6.address": "none"}
    site.send("PUT", f"/networks/{site.bridge}", {"config": config})

    assert site.addresses("one") == [site.host(10)]
    with refused(400, "not within network"):
        site.change("one", description="even this")
    site.power("one", "stop")
    with refused(400, "Failed start validation", "not within network"):
        site.power("one", "start")
    site.change("one", devices={"eth0": site.nic(ipv4_address=site.elsewhere(10))})
    site.power("one", "start")
    assert site.wait_for_address("one") == site.elsewhere(10)
