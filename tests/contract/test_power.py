"""Starting and stopping, addresses from the bridge, commands inside."""

from ipaddress import IPv4Address

from tests.contract.site import Site, refused


def test_start_stop_restart(site: Site) -> None:
    site.create("one")
    with refused(400, "The instance is already stopped"):
        site.power("one", "stop")
    with refused(400, "The instance is already stopped"):
        site.power("one", "restart")
    site.power("one", "start")
    with refused(400, "The instance is already running"):
        site.power("one", "start")
    first = site.instance("one")["config"]
    site.power("one", "restart")
    assert site.instance("one")["status"] == "Running"
    site.power("one", "stop")

    one = site.instance("one")
    assert one["status"] == "Stopped"
    assert one["config"]["volatile.last_state.power"] == "STOPPED"
    assert "volatile.eth0.host_name" not in one["config"]
    for key in ("volatile.eth0.hwaddr", "volatile.uuid"):
        assert one["config"][key] == first[key]


def test_unknown_actions(site: Site) -> None:
    site.create("one")
    with refused(400, "Unknown action: 'jump'"):
        site.power("one", "jump")


def test_freezing(site: Site) -> None:
    site.create("one", start=True)
    site.power("one", "freeze")
    assert (site.instance("one")["status"], site.instance("one")["status_code"]) == ("Frozen", 110)
    site.power("one", "unfreeze")
    assert site.instance("one")["status"] == "Running"
    with refused(400, "already running"):
        site.power("one", "unfreeze")


def test_the_state_of_a_stopped_machine(site: Site) -> None:
    site.create("one")
    state = site.get("/instances/one/state", project=site.project)
    assert (state["status"], state["status_code"]) == ("Stopped", 102)
    assert (state["network"], state["pid"], state["processes"]) == (None, 0, 0)


def test_the_state_of_a_running_machine(site: Site) -> None:
    hardware = site.hardware(4)
    nic = site.nic(ipv4_address=site.host(10), hwaddr=hardware)
    site.create("one", start=True, devices={"eth0": nic})
    site.wait_for_address("one")

    state = site.get("/instances/one/state", project=site.project)
    assert (state["status"], state["status_code"]) == ("Running", 103)
    assert state["pid"] > 0
    assert state["processes"] > 0
    eth0 = state["network"]["eth0"]
    assert (eth0["hwaddr"], eth0["state"]) == (hardware, "up")
    found = {address["address"]: address for address in eth0["addresses"]}[site.host(10)]
    assert (found["family"], found["netmask"], found["scope"]) == ("inet", "24", "global")
    assert state["network"]["lo"]["addresses"][0]["scope"] == "local"


def test_machines_without_a_declared_address_get_one_of_the_range_each(site: Site) -> None:
    site.create("one", start=True)
    site.create("two", start=True)

    given = {site.wait_for_address(name) for name in ("one", "two")}
    assert len(given) == 2
    for address in given:
        assert IPv4Address(site.host(200)) <= IPv4Address(address) <= IPv4Address(site.host(250))


def test_an_ephemeral_machine_is_gone_when_it_stops(site: Site) -> None:
    site.create("one", start=True, ephemeral=True)
    site.power("one", "stop")
    with refused(404, "Instance not found"):
        site.instance("one")


def test_commands_need_a_running_machine(site: Site) -> None:
    site.create("one")
    with refused(400, "Instance is not running"):
        site.run(site.incus.execute(site.project, "one", ["true"]))
    with refused(404, "Instance not found"):
        site.run(site.incus.execute(site.project, "none", ["true"]))
    site.power("one", "start")
    assert site.run(site.incus.execute(site.project, "one", ["true"])).exit_code == 0
