"""What Compose is told of a service: networks by purpose, volumes by data, files by version, needs here and elsewhere. Pure."""

import dataclasses
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from freehold.diagnostics import ConfigError
from freehold.model import Infra
from freehold.model.descriptors import ConfigurationFile, Container, Descriptor, Mount
from freehold.planning.address import Address
from freehold.providers.compose import places
from freehold.providers.compose.desired import compose_texts, desired_services, wanted
from freehold.providers.compose.entry import taken_over
from freehold.providers.compose.project import Project
from freehold.system.secrets.fake import FakeSecrets
from tests.compose.estate import CATALOG
from tests.provider.estate import infra_of

HERE_AND_THERE = """
    freehold: 1
    name: maison
    domains:
      home: {subnet_id: 7, machines: {box: {ip: 10.100.7.10}}}
    hosts:
      cortex: {address: 203.0.113.20}
    services:
      db: {on: cortex, service: keeper, ports: {keep: 7700}, from: {keep: [198.51.100.1]}}
      site: {on: home/box, service: web}
    """
SECRETS = FakeSecrets({"db_password": b"a-value-that-is-nowhere"})


@pytest.fixture
def infra(tmp_path: Path) -> Infra:
    (tmp_path / "catalog").symlink_to(CATALOG)
    return infra_of(tmp_path, textwrap.dedent(HERE_AND_THERE))


def rendered(infra: Infra) -> dict[str, Any]:
    """The entries of all targets, as a YAML parser reads them."""
    services = {each.name: wanted(infra, each, SECRETS) for each in infra.services}
    found: dict[str, Any] = {}
    for text in compose_texts(infra, services).values():
        found |= yaml.safe_load(text)["services"]
    return found


def changed(infra: Infra, name: str, **changes: Any) -> Infra:
    """The same with another descriptor of a service."""
    services = tuple(
        dataclasses.replace(each, descriptor=dataclasses.replace(each.descriptor, **changes))
        if each.name == name
        else each
        for each in infra.services
    )
    return dataclasses.replace(infra, services=services)


def container(infra: Infra, name: str, **changes: Any) -> Infra:
    service = infra.service(name)
    assert service is not None
    assert service.descriptor.container is not None
    return changed(infra, name, container=dataclasses.replace(service.descriptor.container, **changes))  # fmt: skip


def test_a_need_elsewhere_is_an_address_and_a_published_port(infra: Infra) -> None:
    site = infra.service("site")
    assert site is not None
    program = wanted(infra, site, SECRETS).contents.pieces[0].content.decode()
    assert '("203.0.113.20", 7700)' in program
    entries = rendered(infra)
    assert entries["db"]["ports"] == ["7700:7000/tcp"]
    assert entries["site"]["networks"] == ["front"], "who is elsewhere shares no network"


def test_it_waits_for_what_it_needs_wherever_that_is(infra: Infra) -> None:
    services = {each.name: wanted(infra, each, SECRETS) for each in infra.services}
    found = {each.address: each for each in desired_services(infra, services, frozenset(), {})}
    site = found[Address("home", "service", "box/site")]
    assert site.depends_on == {
        Address("cortex", "service", "db"),
        Address("home", "compose", "box"),
        Address("home", "instance", "box"),
        Address("home", "provision", "box"),
        Address("host", "secret", "db_password"),
    }
    left = desired_services(infra, services, frozenset({"cortex"}), {})
    [alone] = left
    assert Address("cortex", "service", "db") not in alone.depends_on


def test_addresses_tell_hosts_and_machines_apart() -> None:
    on_host, on_machine = places.service_address("cortex", "db"), places.service_address("home/box", "db")  # fmt: skip
    assert (str(on_host), str(on_machine)) == ("service:cortex/db", "service:home/box/db")
    for address, target in ((on_host, "cortex"), (on_machine, "home/box")):
        assert (places.target_of(address), places.name_of(address)) == (target, "db")
        assert places.target_of(places.compose_address(target)) == target


def test_whoever_has_the_targets_own_network_is_met_there(infra: Infra) -> None:
    infra = container(infra, "db", host_network=True)
    services = tuple(dataclasses.replace(each, target="home/box") for each in infra.services)
    infra = dataclasses.replace(infra, services=services)
    entries = rendered(infra)
    assert entries["db"]["network_mode"] == "host"
    assert {"networks", "ports"}.isdisjoint(entries["db"])
    assert entries["site"]["extra_hosts"] == ["host.docker.internal:host-gateway"]
    site = infra.service("site")
    assert site is not None
    program = wanted(infra, site, SECRETS).contents.pieces[0].content.decode()
    assert '("host.docker.internal", 7000)' in program


def test_what_a_container_may_and_sees_is_said(infra: Infra) -> None:
    infra = container(
        infra, "db", user="70:70", capabilities=("NET_ADMIN",), devices=("/dev/dri",), tmpfs=("/run/app",),
        mounts=(Mount(source="/srv/media", path="/media", follow=True),), entrypoint=("/entry",),
    )  # fmt: skip
    entry = rendered(infra)["db"]
    assert entry["user"] == "70:70"
    assert (entry["cap_add"], entry["devices"]) == (["NET_ADMIN"], ["/dev/dri"])
    assert (entry["tmpfs"], entry["entrypoint"]) == (["/run/app"], ["/entry"])
    [mount] = [each for each in entry["volumes"] if each["target"] == "/media"]
    assert mount["read_only"] is True
    assert mount["bind"] == {"create_host_path": False, "propagation": "rslave"}
    assert entry["security_opt"] == ["no-new-privileges:true"]
    assert entry["healthcheck"]["test"][:2] == ["CMD", "python3"]
    assert entry["stop_grace_period"] == "1s"


def test_a_dollar_is_a_dollar(infra: Infra) -> None:
    """Compose puts variables of whoever runs it in the place of `$NAME`."""
    infra = container(infra, "db", environment={"PRICE": "$5 and $HOME"})
    assert rendered(infra)["db"]["environment"] == {"PRICE": "$$5 and $$HOME"}
    db = infra.service("db")
    assert db is not None
    assert wanted(infra, db, SECRETS).fields["environment"] == {"PRICE": "$5 and $HOME"}


def test_a_version_of_files_changes_with_content_mode_and_owner(infra: Infra) -> None:
    def version(**changes: Any) -> str:
        file = dataclasses.replace(ConfigurationFile(path="/etc/x", content="{{ version }}"), **changes)  # fmt: skip
        made = changed(infra, "db", files=(file,)).service("db")
        assert made is not None
        return wanted(infra, made, SECRETS).contents.version(secret=False)

    versions = {version(), version(content="2"), version(mode="0600"), version(owner="70:70")}
    assert len(versions) == 4
    assert version() in versions


def test_a_file_with_a_secret_shows_nothing_of_it(infra: Infra) -> None:
    file = ConfigurationFile(
        path="/etc/dsn", content='keep://{{ secret("password") }}@db', secret=True
    )
    infra = changed(infra, "db", files=(file,))
    service = infra.service("db")
    assert service is not None
    planned = wanted(infra, service, SECRETS)
    delivered = wanted(infra, service, SECRETS, values=True)
    assert delivered.contents.pieces[0].content == b"keep://a-value-that-is-nowhere@db"
    assert planned.fields == delivered.fields
    assert planned.entry == delivered.entry
    for shown in (str(planned.fields), str(planned.entry), str(planned.contents.pieces)):
        assert "a-value" not in shown
    other = FakeSecrets({"db_password": b"another"})
    assert wanted(infra, service, other).fields["secrets"] != planned.fields["secrets"]


def test_how_a_secret_is_taken_over_stands_in_the_entry_and_restarts_nothing(infra: Infra) -> None:
    service = infra.service("db")
    assert service is not None
    [secret] = service.descriptor.secrets
    words = ("set-password", "--file", "{{ secrets.password }}")
    other = changed(infra, "db", secrets=(dataclasses.replace(secret, takeover=words),)).service("db")  # fmt: skip
    assert other is not None
    before, after = wanted(infra, service, SECRETS), wanted(infra, other, SECRETS)
    assert after.entry["x-freehold-takeover"] == [["set-password", "--file", "/run/secrets/password"]]  # fmt: skip
    assert after.fields == before.fields
    assert taken_over(other)
    assert not taken_over(dataclasses.replace(other, secrets={})), "nor what is not there"


def test_a_template_that_asks_for_what_is_not_there_is_named(infra: Infra) -> None:
    infra = container(infra, "db", environment={"GREETING": "{{ settings.greting }}"})
    with pytest.raises(ConfigError) as caught:
        rendered(infra)
    [problem] = caught.value.diagnostics
    assert problem.code == "template-unfilled"
    assert "db: the variable GREETING of the descriptor keeper" in problem.detail
    assert "greting" in problem.detail


def test_a_descriptor_with_little_is_a_short_entry(infra: Infra) -> None:
    little = Descriptor(name="little", title="Little", description="", version="1", container=Container(image="example/little"))  # fmt: skip
    service = dataclasses.replace(infra.services[0], name="db", descriptor=little, image="example/little:1", secrets={}, published={})  # fmt: skip
    infra = dataclasses.replace(infra, services=(service,))
    assert rendered(infra)["db"] == {
        "image": "example/little:1",
        "pull_policy": "missing",
        "restart": "unless-stopped",
        "security_opt": ["no-new-privileges:true"],
        "stop_grace_period": "30s",
        "labels": {"freehold.estate": "maison", "freehold.service": "db"},
    }
    assert wanted(infra, service, SECRETS).fields["state"] == "running"


class TestTheFileOfTheTarget:
    """It keeps what ran before, until what comes after it is healthy."""

    def project(self) -> Project:
        project = Project("maison")
        project.renew("db", {"image": "one"}, served=None)
        project.previous.pop("db")  # it became healthy
        return project

    def test_an_update_can_be_taken_back_by_a_later_run(self) -> None:
        project = self.project()
        project.renew("db", {"image": "two"}, served={"image": "one"})
        again = Project.read("maison", project.text("cortex").encode())
        again.renew("db", {"image": "three"}, served=None)
        assert again.take_back("db") == {"image": "one"}, "two has never served"
        assert again.take_back("db") is None

    def test_what_serves_is_what_is_gone_back_to(self) -> None:
        project = self.project()
        project.renew("db", {"image": "two"}, served={"image": "one"})  # cut short
        project.renew("db", {"image": "three"}, served={"image": "two"})  # it has become so since
        assert project.take_back("db") == {"image": "two"}

    def test_what_is_gone_back_to_is_as_it_was_put(self) -> None:
        project = Project("maison")
        project.renew("db", {"x-freehold-takeover": [["sh", "-c", "echo $HOME"]]}, served=None)
        project.renew("db", {"image": "two"}, served={"image": "one"})
        again = Project.read("maison", project.text("cortex").encode())
        assert again.take_back("db") == {"x-freehold-takeover": [["sh", "-c", "echo $HOME"]]}
        assert "echo $$HOME" in again.text("cortex")

    def test_a_start_of_the_same_leaves_nothing_to_go_back_to(self) -> None:
        project = self.project()
        project.renew("db", {"image": "one"}, served=None)
        assert project.take_back("db") is None

    def test_a_first_start_has_nothing_before_it(self) -> None:
        project = Project("maison")
        project.renew("db", {"image": "one"}, served=None)
        assert project.take_back("db") is None

    @pytest.mark.parametrize(
        "text", [b"", b"services: [", b"- 1", b"\xff\xfe", b"services: {db: 1}"]
    )
    def test_a_file_that_cannot_be_read_says_nothing(self, text: bytes) -> None:
        assert Project.read("maison", text).entries == {}
