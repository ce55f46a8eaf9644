"""The table itself, in a real kernel: what a plan says of it, whatever was done to it by hand."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freehold.model import Infra, Policy, Protocol, Trust
from freehold.planning.address import Address
from freehold.planning.change import Action
from freehold.planning.resource import Observed
from freehold.providers.firewall.desired import desired_firewall
from freehold.providers.firewall.openings import openings, parsed
from freehold.providers.firewall.reading import opened, zones
from freehold.providers.firewall.ruleset import commands
from freehold.system.nftables import NftablesError
from tests.firewall.conftest import ESTATE, Firewall, infra_of
from tests.firewall.wires import Namespace, Wires

WithPolicies = Callable[[str], Infra]
TABLE = "inet freehold-cottage"


def differing(firewall: Firewall, infra: Infra) -> set[str]:
    return {field.path for change in firewall.plan(infra).changes for field in change.fields}


def test_a_second_look_finds_nothing_to_do(
    wires: Wires, firewall: Firewall, with_policies: WithPolicies
) -> None:
    infra = with_policies(
        '- {from: perso, to: pro/dev, ports: [22, "20-30", 80], bidirectional: true}\n'
        "- {from: pro, to: internet, ports: [53], protocol: udp}\n"
        "- {from: internet, to: perso/tv, protocol: icmp}\n"
        "- {from: pro/web, to: host, ports: [1]}\n"
    )
    [change] = firewall.plan(infra).changes
    assert change.action is Action.CREATE
    firewall.apply(infra)
    assert firewall.plan(infra).is_empty


def test_a_plan_says_which_policy_differs_in_the_words_of_infra_yml(
    wires: Wires, firewall: Firewall, with_policies: WithPolicies, infra: Infra
) -> None:
    firewall.apply(infra)
    [change] = firewall.plan(with_policies("- {from: perso, to: pro/dev, ports: [443]}\n")).changes
    [field] = change.fields
    assert (field.path, field.before, field.after) == (
        "open.perso to pro/dev", None, "tcp 443 (net-perso to 10.100.2.10)",
    )  # fmt: skip
    assert change.action is Action.UPDATE


BY_HAND = {
    f"insert rule {TABLE} forward iifname net-perso accept": "rules",
    f"add rule {TABLE} between counter accept": "rules",
    f"flush chain {TABLE} forward": "rules",
    f"add element {TABLE} inside {{ net-perso . net-pro }}": "rules",
    f"add element {TABLE} gateways {{ net-perso . 10.100.2.1 }}": "rules",
    f"add set {TABLE} more {{ type ifname; }}": "rules",
    f"add chain {TABLE} more {{ type filter hook forward priority -100; }}": "rules",
    f"delete element {TABLE} bridges {{ net-pro }}": "zones.pro.bridge",
    f"add element {TABLE} admins {{ net-perso }}": "zones.perso.admin",
    f"add element {TABLE} outward {{ net-pro }}": "zones.pro.internet",
    f"add element {TABLE} domain_to_domain {{ net-perso . net-pro . tcp . 1-9 }}": "open.net-perso to net-pro",
}


@pytest.mark.parametrize("command", BY_HAND)
def test_what_was_done_by_hand_is_seen_and_healed(
    wires: Wires, firewall: Firewall, infra: Infra, command: str
) -> None:
    firewall.apply(infra)
    wires.host.run("nft", command)
    assert BY_HAND[command] in differing(firewall, infra)
    firewall.apply(infra)
    assert firewall.plan(infra).is_empty


def test_counters_are_no_difference(wires: Wires, firewall: Firewall, infra: Infra) -> None:
    firewall.apply(infra)
    assert not wires.reaches("perso/desk", "pro/dev", "tcp", 22)
    assert (
        "counter packets 0"
        not in wires.host.run("nft", "list", "chain", *TABLE.split(), "forward").splitlines()[-3]
    )
    assert firewall.plan(infra).is_empty


def test_a_deleted_table_and_forgotten_boot_rules_are_seen(
    wires: Wires, firewall: Firewall, infra: Infra
) -> None:
    firewall.apply(infra)
    firewall.boot.write("freehold-cottage", None)
    assert differing(firewall, infra) == {"at start"}
    firewall.apply(infra)
    wires.host.run("nft", "flush", "ruleset")
    [change] = firewall.plan(infra).changes
    assert change.action is Action.CREATE


def test_tables_of_others_are_as_they_were(wires: Wires, firewall: Firewall, infra: Infra) -> None:
    wires.host.run(
        "nft",
        "-f",
        "-",
        given="table inet theirs {\n chain c { counter; }\n set s { type ifname; }\n}\n",
    )
    before = wires.host.run("nft", "-a", "list", "table", "inet", "theirs")
    firewall.apply(infra)
    firewall.apply(replace(infra, domains=infra.domains[:1]))
    firewall.apply(infra, destroy=True)
    assert wires.host.run("nft", "-a", "list", "table", "inet", "theirs") == before


def test_destroy_leaves_nothing(
    wires: Wires, firewall: Firewall, infra: Infra, tmp_path: Path
) -> None:
    firewall.apply(infra)
    assert list((tmp_path / "boot").iterdir())
    firewall.apply(infra, destroy=True)
    assert wires.host.run("nft", "list", "ruleset") == ""
    assert not (tmp_path / "boot").exists()


def test_a_zone_whose_bridge_is_gone_goes_with_the_next_change(
    wires: Wires, firewall: Firewall, infra: Infra, with_policies: WithPolicies
) -> None:
    firewall.apply(infra)
    without = replace(infra, domains=infra.domains[:2])
    assert firewall.plan(without).is_empty, "it stands in nobody's way"
    firewall.apply(
        replace(without, policies=with_policies("- {from: perso, to: host, ports: [1]}\n").policies)
    )
    assert "net-pro" not in wires.host.run("nft", "list", "ruleset")


labels = st.from_regex(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)
ports = st.tuples(st.integers(1, 65535), st.integers(1, 65535)).map(lambda p: (min(p), max(p)))


@st.composite
def estates(draw: st.DrawFn, folder: Path) -> Infra:
    """The estate with other names and any policies between any of its ends."""
    infra = infra_of(folder, ESTATE)
    names = draw(st.lists(labels, min_size=3, max_size=3, unique=True))
    domains = tuple(
        replace(
            domain, name=name, trust=draw(st.sampled_from(Trust)), internet=draw(st.booleans()),
            machines=tuple(replace(machine, domain=name) for machine in domain.machines),
        )
        for domain, name in zip(infra.domains, names, strict=True)
    )  # fmt: skip
    ends = [*names, *(m.key for d in domains for m in d.machines), "host", "internet"]
    policies = st.builds(
        Policy, source=st.sampled_from(ends), target=st.sampled_from(ends), protocol=st.sampled_from(Protocol),
        ports=st.lists(ports, min_size=1, max_size=3).map(tuple), bidirectional=st.booleans(),
    )  # fmt: skip
    return replace(infra, domains=domains, policies=tuple(draw(st.lists(policies, max_size=6))))


@pytest.fixture(scope="module")
def network() -> Iterator[Namespace]:
    """A network without anything in it."""
    made = Namespace()
    yield made
    made.end()


@settings(max_examples=40)
@given(data=st.data())
def test_the_kernel_holds_what_any_estate_says(
    data: st.DataObject, network: Namespace, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Loaded by nft and read back from the kernel, every zone and opening is the same."""
    folder = tmp_path_factory.mktemp("estate")
    infra = data.draw(estates(folder))
    firewall = Firewall(network, folder)
    firewall.apply(infra)
    assert firewall.plan(infra).is_empty
    firewall.apply(infra, destroy=True)


@given(data=st.data())
def test_what_is_written_reads_back(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    infra = data.draw(estates(tmp_path_factory.mktemp("estate")))
    fields = desired_firewall(infra, {}).fields
    written = [command["add"] for command in commands("freehold-x", fields) if "add" in command]
    assert zones(written) == fields["zones"]
    assert opened(written) == fields["open"]
    for opening in openings(infra):
        assert parsed(opening.label, opening.text) == opening


def test_rules_that_cannot_be_loaded_change_nothing(
    wires: Wires, firewall: Firewall, infra: Infra
) -> None:
    """A whole transaction or nothing: one wrong element, and the old rules stand."""
    firewall.apply(infra)
    before = wires.host.run("nft", "list", "ruleset")
    body = {
        "family": "inet",
        "table": "freehold-cottage",
        "name": "bridges",
        "elem": [{"range": [1, 2]}],
    }
    broken = [
        *commands("freehold-cottage", desired_firewall(infra, {}).fields),
        {"add": {"element": body}},
    ]
    with pytest.raises(NftablesError, match="loading the rules"):
        asyncio.run(firewall.nftables.load(broken))
    assert wires.host.run("nft", "list", "ruleset") == before


def test_an_orphan_may_have_the_subnet_that_another_domain_is_to_have(
    wires: Wires, firewall: Firewall, infra: Infra
) -> None:
    """Until it is pruned both bridges exist, and neither is open to anybody."""
    orphan = Observed(
        address=Address("old", "bridge"),
        fields={"name": "net-old", "config": {"ipv4.address": "10.100.2.1/24"}},
        claims=frozenset({"10.100.2.0/24"}),
    )
    wanted = desired_firewall(infra, {orphan.address: orphan})
    assert wanted.fields["zones"]["old"]["internet"] is False
    asyncio.run(firewall.nftables.load(commands("freehold-cottage", wanted.fields)))
    listing = asyncio.run(firewall.nftables.table("freehold-cottage"))
    assert listing is not None
    assert zones(listing) == wanted.fields["zones"]
