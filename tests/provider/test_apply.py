"""What apply does to an Incus server, on the fake and on the real one."""

from tests.provider.estate import ONE_MACHINE, Server, change_of, only, summary

TWO_DOMAINS = """
    freehold: 1
    name: test-estate
    domains:
      lab:
        subnet_id: 7
        profiles:
          nesting: {config: {security.nesting: true}}
        machines:
          one:
            ip: 10.100.7.10
            cpu: 1
            memory: 512MiB
            profiles: [nesting]
            volumes: {data: {path: /srv/data, size: 64MiB}}
          two: {}
      shop:
        subnet_id: 8
        machines:
          till: {ip: 10.100.8.20}
    """


def test_from_nothing_everything_runs_with_its_address(server: Server) -> None:
    server.apply(TWO_DOMAINS)
    assert "10.100.7.10" in server.addresses("lab", "lab-one")
    assert "10.100.8.20" in server.addresses("shop", "shop-till")
    one = server.instance("lab", "lab-one")
    assert one["status"] == "Running"
    assert one["config"]["limits.memory"] == "512MiB"
    assert one["config"]["user.freehold.estate"] == "test-estate"
    assert one["expanded_config"]["security.nesting"] == "true"
    assert one["expanded_devices"]["data"]["path"] == "/srv/data"


def test_a_second_look_finds_nothing_and_writes_nothing(server: Server) -> None:
    server.apply(TWO_DOMAINS)
    server.incus.writes.clear()
    result = server.apply(TWO_DOMAINS)
    assert result.outcomes == ()
    assert server.incus.writes == []


def test_the_number_of_reads_does_not_grow_with_the_estate(server: Server) -> None:
    server.apply(ONE_MACHINE)
    server.incus.reads = 0
    server.plan(ONE_MACHINE)
    few = server.incus.reads
    server.apply(TWO_DOMAINS, prune=True)
    server.incus.reads = 0
    server.plan(TWO_DOMAINS)
    assert server.incus.reads == few


def test_an_allocated_address_survives_a_new_neighbour(server: Server) -> None:
    server.apply(TWO_DOMAINS)
    before = server.addresses("lab", "lab-two")
    more = TWO_DOMAINS.replace("two: {}", "two: {}\n          three: {}\n          a-first: {}")
    plan = server.plan(more)
    assert summary(plan) == {"instance:lab/three": "create", "instance:lab/a-first": "create"}
    server.apply(more)
    assert server.addresses("lab", "lab-two") == before
    assert server.plan(more).is_empty


def test_a_domain_that_sorts_first_changes_no_other(server: Server) -> None:
    server.apply(TWO_DOMAINS)
    more = TWO_DOMAINS.replace(
        "domains:", "domains:\n      aaa: {subnet_id: 9, machines: {x: {ip: 10.100.9.2}}}"
    )
    assert {change.address.domain for change in server.plan(more).changes} == {"aaa"}
    server.apply(more)
    assert server.plan(more).is_empty


def test_a_limit_changes_live(server: Server) -> None:
    server.apply(TWO_DOMAINS)
    smaller = TWO_DOMAINS.replace("512MiB", "256MiB")
    plan = server.plan(smaller)
    change = change_of(plan, "instance:lab/one")
    assert len(plan.changes) == 1
    assert change.impact == "live"
    assert [(f.path, f.before, f.after) for f in change.fields] == [
        ("config.limits.memory", "512MiB", "256MiB")
    ]
    pid = server.wait(server.incus.get("/instances/lab-one/state", project="lab"))["pid"]
    server.apply(smaller)
    after = server.wait(server.incus.get("/instances/lab-one/state", project="lab"))["pid"]
    assert after == pid
    assert server.instance("lab", "lab-one")["config"]["limits.memory"] == "256MiB"


def test_another_image_keeps_address_mac_and_volume(server: Server) -> None:
    server.apply(TWO_DOMAINS)
    before = server.instance("lab", "lab-one")
    other = TWO_DOMAINS.replace("cpu: 1", "cpu: 1\n            image: test/other")
    change = change_of(server.plan(other), "instance:lab/one")
    assert (change.action, change.impact, change.destroys_data) == ("replace", "recreate", True)
    assert [field.path for field in change.fields] == ["image"]
    server.apply(other)
    after = server.instance("lab", "lab-one")
    assert after["devices"] == before["devices"]
    assert after["status"] == "Running"
    assert "10.100.7.10" in server.addresses("lab", "lab-one")
    assert server.plan(other).is_empty


def test_a_profiles_option_that_needs_a_restart_restarts_its_machines(server: Server) -> None:
    server.apply(TWO_DOMAINS)
    without = TWO_DOMAINS.replace("security.nesting: true", "security.nesting: false")
    plan = server.plan(without)
    assert summary(plan) == {"profile:lab/nesting": "update", "instance:lab/one": "update"}
    change = change_of(plan, "instance:lab/one")
    assert change.impact == "restart"
    assert [field.path for field in change.fields] == ["inherited.security.nesting"]
    server.apply(without)
    assert server.plan(without).is_empty


def test_a_variable_changes_live_and_goes_with_a_restart(server: Server) -> None:
    with_one = ONE_MACHINE.replace(
        "{ip: 10.100.7.10}", "{ip: 10.100.7.10, config: {environment.GREETING: hello}}"
    )
    server.apply(with_one)
    changed = with_one.replace("hello", "goodbye")
    assert change_of(server.plan(changed), "instance:lab/one").impact == "live"
    server.apply(changed)
    assert change_of(server.plan(ONE_MACHINE), "instance:lab/one").impact == "restart"
    server.apply(ONE_MACHINE)
    if server.is_real:  # the fake has no processes to ask
        said = server.wait(server.incus.execute("lab", "lab-one", ["env"]))
        assert "GREETING" not in said.stdout
    assert server.plan(ONE_MACHINE).is_empty


def test_a_key_of_the_users_own_is_kept_as_infra_yml_says(server: Server) -> None:
    noted = ONE_MACHINE.replace("{ip: 10.100.7.10}", "{ip: 10.100.7.10, config: {user.note: mine}}")
    server.apply(noted)
    assert server.plan(noted).is_empty
    server.by_hand("PATCH", "/instances/lab-one", {"config": {"user.note": "other"}}, "lab")
    change = change_of(server.plan(noted), "instance:lab/one")
    assert [field.path for field in change.fields] == ["config.user.note"]
    server.apply(noted)
    assert server.instance("lab", "lab-one")["config"]["user.note"] == "mine"


def test_a_removed_machine_is_an_orphan_until_pruned(server: Server) -> None:
    server.apply(TWO_DOMAINS)
    without = TWO_DOMAINS.replace("two: {}", "")
    plan = server.plan(without)
    assert plan.is_empty
    assert [str(orphan.address) for orphan in plan.orphans] == ["instance:lab/two"]
    assert plan.orphans[0].holds_data
    server.apply(without)
    assert server.exists("/instances/lab-two", "lab")
    server.apply(without, prune=True)
    assert not server.exists("/instances/lab-two", "lab")


def test_a_renamed_machine_needs_its_address_freed_first(server: Server) -> None:
    server.apply(ONE_MACHINE)
    renamed = ONE_MACHINE.replace("one:", "uno:")
    plan = server.plan(renamed)
    assert [diagnostic.code for diagnostic in plan.diagnostics] == ["claimed"]
    pruning = server.plan(renamed, prune=True)
    assert summary(pruning) == {"instance:lab/uno": "create", "instance:lab/one": "delete"}
    server.apply(renamed, prune=True)
    assert "10.100.7.10" in server.addresses("lab", "lab-uno")
    assert not server.exists("/instances/lab-one", "lab")


def test_two_machines_swap_addresses(server: Server) -> None:
    both = ONE_MACHINE + "      two: {ip: 10.100.7.11}\n"
    server.apply(both)
    swapped = both.replace("7.10", "7.X").replace("7.11", "7.10").replace("7.X", "7.11")
    assert {change.impact for change in server.plan(swapped).changes} == {"restart"}
    server.apply(swapped)
    assert "10.100.7.11" in server.addresses("lab", "lab-one")
    assert "10.100.7.10" in server.addresses("lab", "lab-two")
    assert server.plan(swapped).is_empty


def test_two_domains_swap_subnets(server: Server) -> None:
    server.apply(TWO_DOMAINS)
    swapped = (
        TWO_DOMAINS.replace("subnet_id: 7", "subnet_id: X")
        .replace("subnet_id: 8", "subnet_id: 7")
        .replace("subnet_id: X", "subnet_id: 8")
        .replace("10.100.7.10", "10.100.8.10")
        .replace("10.100.8.20", "10.100.7.20")
    )
    server.apply(swapped)
    assert "10.100.8.10" in server.addresses("lab", "lab-one")
    assert "10.100.7.20" in server.addresses("shop", "shop-till")
    assert server.plan(swapped).is_empty


def test_what_was_changed_by_hand_is_seen_and_put_back(server: Server) -> None:
    server.apply(TWO_DOMAINS)
    server.by_hand("PATCH", "/instances/lab-one", {"config": {"limits.cpu": "2"}}, "lab")
    server.by_hand("PUT", "/instances/shop-till/state", {"action": "stop", "force": True}, "shop")
    server.by_hand("PATCH", "/networks/net-lab", {"config": {"ipv4.nat": "false"}}, "default")
    plan = server.plan(TWO_DOMAINS)
    seen = {
        str(change.address): [(f.path, f.before, f.after) for f in change.fields]
        for change in plan.changes
    }
    assert seen == {
        "bridge:lab": [("config.ipv4.nat", "false", "true")],
        "instance:lab/one": [("config.limits.cpu", "2", "1")],
        "instance:shop/till": [("state", "stopped", "running")],
    }
    server.apply(TWO_DOMAINS)
    assert server.plan(TWO_DOMAINS).is_empty


def test_keys_of_other_people_on_our_objects_stay(server: Server) -> None:
    server.apply(ONE_MACHINE)
    server.by_hand("PATCH", "/instances/lab-one", {"config": {"user.note": "mine"}}, "lab")
    assert server.plan(ONE_MACHINE).is_empty
    server.apply(ONE_MACHINE.replace("{ip: 10.100.7.10}", "{ip: 10.100.7.10, cpu: 1}"))
    assert server.instance("lab", "lab-one")["config"]["user.note"] == "mine"


def test_how_far_a_project_is_restricted_is_its_hosts_to_say(server: Server) -> None:
    server.apply(ONE_MACHINE)
    restrictions = {"restricted": "true", "restricted.snapshots": "allow"}
    config = server.wait(server.incus.get("/projects/lab"))["config"]
    server.by_hand("PATCH", "/projects/lab", {"config": {**config, **restrictions}}, "default")
    assert server.plan(ONE_MACHINE).is_empty
    server.apply(ONE_MACHINE.replace("subnet_id: 7", "subnet_id: 7\n        description: other"))
    project = server.wait(server.incus.get("/projects/lab"))
    assert project["description"] == "other"
    assert restrictions.items() <= project["config"].items()


def test_limit_touches_one_domain_only(server: Server) -> None:
    plan = server.plan(TWO_DOMAINS, selection=only("shop"))
    assert {change.address.domain for change in plan.changes} == {"shop"}
    server.apply(TWO_DOMAINS, selection=only("shop"))
    assert not server.exists("/projects/lab")
    assert "10.100.8.20" in server.addresses("shop", "shop-till")


def test_destroy_leaves_nothing_of_ours_and_all_of_others(server: Server) -> None:
    server.by_hand("POST", "/projects", {"name": "theirs", "config": {}}, "default")
    server.by_hand("POST", "/networks", {"name": "br-theirs", "type": "bridge"}, "default")
    server.apply(TWO_DOMAINS)
    server.destroy(TWO_DOMAINS)
    assert not server.exists("/projects/lab")
    assert not server.exists("/projects/shop")
    assert not server.exists("/networks/net-lab")
    assert server.exists("/projects/theirs")
    assert server.exists("/networks/br-theirs")


def test_a_protected_machine_is_not_destroyed(server: Server) -> None:
    text = ONE_MACHINE.replace("{ip: 10.100.7.10}", "{ip: 10.100.7.10, protect: true}")
    server.apply(text)
    gone = server.plan(text, destroy=True)
    assert summary(gone) == {}
    assert [diagnostic.code for diagnostic in gone.diagnostics] == ["protected"]
    assert not gone.can_apply
    replaced = text.replace("protect: true", "protect: true, image: test/other")
    plan = server.plan(replaced)
    assert [diagnostic.code for diagnostic in plan.diagnostics] == ["protected"]
    assert not plan.can_apply
