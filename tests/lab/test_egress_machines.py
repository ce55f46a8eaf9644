"""What machines get with egress, and what of this computer's settings they are given."""

import os
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from freehold.model import Domain, Infra, Machine, MachineType, Profile, Trust
from freehold.operations.lab import Lab
from freehold.operations.lab.egress import surroundings as around
from freehold.operations.lab.egress.equip import equipped
from freehold.operations.lab.egress.machines import Egress, with_egress
from freehold.operations.lab.egress.material import write
from freehold.operations.lab.egress.pip_settings import pip_settings
from freehold.operations.lab.egress.surroundings import Surroundings, surroundings
from freehold.operations.lab.egress.targets import Target
from freehold.operations.lab.layout import layout
from freehold.operations.lab.options import recorded, settle

EGRESS = Egress(
    Path("/srv/lab/egress.sock"), Path("/srv/lab/egress"), frozenset({"ca-certificates.crt"})
)


def estate(*machines: Machine, internet: bool = True, profiles: tuple[Profile, ...] = ()) -> Infra:
    domain = Domain(
        name="lab",
        subnet_id=7,
        subnet=IPv4Network("10.100.7.0/24"),
        trust=Trust.TRUSTED,
        internet=internet,
        machines=machines,
        profiles=profiles,
    )
    return Infra(name="test", base=IPv4Network("10.100.0.0/16"), domains=(domain,))


SOCKET = EGRESS.socket
ONE = Machine(domain="lab", name="one", image="debian/13")


def given(*machines: Machine, internet: bool = True) -> list[Machine]:
    return list(with_egress(estate(*machines, internet=internet), EGRESS).machines())


def test_a_container_gets_the_proxy_the_files_and_the_variables() -> None:
    (one,) = given(ONE)
    assert one.devices["lab-egress"] == {
        "type": "proxy",
        "bind": "instance",
        "listen": "tcp:127.0.0.1:23128",
        "connect": "unix:/srv/lab/egress.sock",
    }
    assert one.devices["lab-egress-files"]["readonly"] == "true"
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        assert one.config[f"environment.{name}"] == "http://127.0.0.1:23128"
    assert "10.100.0.0/16" in one.config["environment.no_proxy"]
    inside = one.devices["lab-egress-files"]["path"]
    assert one.config["environment.PIP_CERT"] == f"{inside}/ca-certificates.crt"
    assert "environment.PIP_CONFIG_FILE" not in one.config, "there is no such file in the folder"


def test_no_egress_for_domains_without_internet_and_for_virtual_machines() -> None:
    assert given(ONE, internet=False) == [ONE]
    virtual = replace(ONE, type=MachineType.VM)
    assert given(virtual) == [virtual]


def test_what_infra_yml_says_itself_stays() -> None:
    own = replace(
        ONE,
        config={"environment.http_proxy": "http://cache.example.org:3142"},
        devices={"gpu": {"type": "gpu"}},
        profiles=("mirror",),
    )
    profile = Profile(name="mirror", config={"environment.PIP_CERT": "/etc/own.crt"})
    (one,) = with_egress(estate(own, profiles=(profile,)), EGRESS).machines()
    assert one.config["environment.http_proxy"] == "http://cache.example.org:3142"
    assert "environment.PIP_CERT" not in one.config, "the profile's one would be overridden"
    assert one.devices.keys() == {"gpu", "lab-egress", "lab-egress-files"}


def test_the_choice_is_kept_until_it_is_changed(tmp_path: Path) -> None:
    place, infra = layout(tmp_path), estate(ONE)
    assert not settle(place, None).egress
    assert Lab(tmp_path).equip(infra) == infra
    assert settle(place, None, egress=True).egress
    assert settle(place, None).egress
    assert Lab(tmp_path).equip(infra) == infra, "nothing to give before it has started once"
    place.egress.mkdir()
    assert Lab(tmp_path).equip(infra) != infra
    assert not settle(place, None, egress=False).egress
    assert Lab(tmp_path).equip(infra) == infra


def test_a_control_machine_sees_from_inside_what_the_lab_gives(tmp_path: Path) -> None:
    place, infra = layout(tmp_path), estate(ONE)
    settle(place, None, egress=True)
    write(place.egress, place.egress_socket, found(apt={"Acquire::Check-Date": "false"}))
    outside = Lab(tmp_path).equip(infra)
    assert equipped(infra, in_lab=False, inside=place.egress) == outside != infra
    assert equipped(infra, in_lab=False, inside=tmp_path / "nothing") == infra, "an ordinary host"
    (place.egress / "lab.json").write_text("{")
    assert equipped(infra, in_lab=False, inside=place.egress) == infra


def test_a_verb_with_lab_asks_the_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREEHOLD_LAB", str(tmp_path))
    settle(layout(tmp_path), None, egress=True)
    layout(tmp_path).egress.mkdir()
    (one,) = equipped(estate(ONE), in_lab=True).machines()
    assert one.devices["lab-egress"]["connect"] == f"unix:{tmp_path}/egress.sock"


def test_a_lab_made_before_there_was_egress_has_none(tmp_path: Path) -> None:
    place = layout(tmp_path)
    place.options.write_text('{"schema": 1, "storage": "dir", "size": 5}')
    options = recorded(place)
    assert options is not None
    assert not options.egress
    assert settle(place, None, egress=True) == replace(options, egress=True)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The variables of somebody whose only settings of pip are in this folder."""
    return {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "xdg")}


def test_pip_settings_come_from_files_then_variables(home: dict[str, str], tmp_path: Path) -> None:
    write_text(tmp_path / "xdg/pip/pip.conf", "[global]\nindex-url = https://all.example.org/\n")
    assert pip_settings(home)["index-url"] == "https://all.example.org/"
    text = "[global]\nindex_url = https://me.example.org/\n[install]\ntrusted-host = me.example.org\nfind-links = /opt\n"
    write_text(tmp_path / ".config/pip/pip.conf", text)
    found = pip_settings(home)
    assert found["index-url"] == "https://me.example.org/"
    assert found["trusted-host"] == "me.example.org"
    assert "find-links" not in found
    variables = home | {"PIP_INDEX_URL": "https://now.example.org/", "PIP_FIND_LINKS": "/opt"}
    assert pip_settings(variables)["index-url"] == "https://now.example.org/"
    assert pip_settings(home | {"PIP_CONFIG_FILE": os.devnull}) == {}


def test_a_damaged_pip_conf_is_nothing(home: dict[str, str], tmp_path: Path) -> None:
    write_text(tmp_path / ".pip/pip.conf", "index-url = before any section\n")
    assert "index-url" not in pip_settings(home)


def write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)


def found(**changes: object) -> Surroundings:
    """A computer with nothing set but these."""
    nothing = Surroundings(frozenset(), {}, "", None, {}, {})
    return replace(nothing, **changes)  # type: ignore[arg-type]


def test_machines_are_given_no_passwords_and_nothing_local(tmp_path: Path) -> None:
    pip = {
        "index-url": "https://me:secret@index.example.org/simple/",
        "extra-index-url": "http://localhost:3141/ https://more.example.org/ file:///opt/wheels",
        "trusted-host": "index.example.org:8443",
    }
    notices = write(tmp_path / "egress", SOCKET, found(pip=pip))
    text = (tmp_path / "egress/pip.conf").read_text()
    assert "index-url = https://index.example.org/simple/\n" in text
    assert "extra-index-url = https://more.example.org/\n" in text
    assert "trusted-host = index.example.org:8443\n" in text
    assert not any("secret" in words for words in (*notices, text))
    assert any("without its password" in notice for notice in notices)
    assert any("on this computer itself" in notice for notice in notices)


def test_the_folder_follows_the_computer_and_stays_the_same_folder(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("certificates\n")
    folder = tmp_path / "egress"
    write(folder, SOCKET, found(bundle=bundle, apt={"Acquire::Check-Valid-Until": "false"}))
    identity = folder.stat().st_ino
    assert (folder / "ca-certificates.crt").read_text() == "certificates\n"
    apt = (folder / "apt.conf").read_text()
    assert 'Acquire::Check-Valid-Until "false";' in apt
    assert 'Acquire::https::CaInfo "/dev/lab-egress/ca-certificates.crt";' in apt
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {"ca-certificates.crt": 0o644, "apt.conf": 0o644, "lab.json": 0o644}
    write(folder, SOCKET, found())
    assert [path.name for path in folder.iterdir()] == ["lab.json"]
    assert folder.stat().st_ino == identity, "running machines have it mounted"


def test_this_computers_package_servers_and_proxies_are_found(
    monkeypatch: pytest.MonkeyPatch, home: dict[str, str]
) -> None:
    listed = "http://mirror.example.org:8080/debian\nfile:///media/debian\nhttp://mirror.example.org:8080/debian\n"
    monkeypatch.setattr(around, "_apt_mirrors", listed.split)
    monkeypatch.setattr(around, "package_servers", lambda pip, cache: [pip["index-url"]])
    monkeypatch.setattr(around, "apt_proxies", lambda: {"http_proxy": "http://192.0.2.1:3142"})
    variables = home | {
        "PIP_INDEX_URL": "https://index.example.org/simple",
        "FREEHOLD_EGRESS": "https://git.example.org http://192.0.2.7:8080/x",
    }
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.org:8000")
    monkeypatch.setenv("no_proxy", "example.net")
    seen = surroundings(variables)
    assert seen.servers == {
        Target("mirror.example.org", 8080),
        Target("192.0.2.7", 8080),
        *(Target(f"{name}.example.org", port) for name in ("index", "git") for port in (80, 443)),
    }
    assert seen.proxies == {
        "http": "http://192.0.2.1:3142",
        "https": "http://proxy.example.org:8000",
    }
    assert seen.direct == "example.net"


def test_a_computer_without_apt_is_fine(
    monkeypatch: pytest.MonkeyPatch, home: dict[str, str], tmp_path: Path
) -> None:
    monkeypatch.setattr(around, "package_servers", lambda pip, cache: [])
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("freehold.system.processes.SYSTEM_FOLDERS", ())
    assert surroundings(home).servers == frozenset()
