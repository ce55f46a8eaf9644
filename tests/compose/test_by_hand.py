"""What docs/how-to/services.md has people type so that data goes along, typed on a real Docker."""

import re
import textwrap
from pathlib import Path

import pytest

from tests.compose.estate import POISON, Desk
from tests.compose.test_moved import said
from tests.compose.test_services import NOTHING
from tests.provider.estate import summary

PAGE = Path(__file__).parents[2] / "docs/how-to/services.md"
ASK = "import socket, sys; it = socket.create_connection(('127.0.0.1', 7000), 9); it.sendall(sys.argv[1].encode() + b'\\n'); print(it.makefile().read())"
AT = "at() { docker volume inspect --format '{{.Mountpoint}}' $1; };"

on_real = pytest.mark.parametrize(
    "desk", [pytest.param("real", marks=[pytest.mark.lab, pytest.mark.slow])], indirect=True
)


def typed(*has: str) -> str:
    """The commands of the page that begin with the first text, and have the others."""
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    [found] = [
        each
        for each in map(textwrap.dedent, blocks)
        if each.startswith(has[0]) and all(text in each for text in has)
    ]
    return f"set -e\n{found}"


def keep(desk: Desk, container: str, password: bytes, line: str = "") -> str:
    """Have the keeper keep a line; all that it has, or `no`."""
    words = ("docker", "exec", container, "python3", "-c", ASK, f"{password.decode()} {line}")
    return desk.by_hand(*words).strip()


@on_real
def test_a_renamed_service_takes_its_data_along(desk: Desk) -> None:
    desk.apply()
    assert keep(desk, "maison-db-1", POISON, "kept") == "hello kept"
    desk.edit("db: {on: home/box", "base: {on: home/box")
    [before] = said(desk.plan(), "data-left-behind")
    assert "service:home/box/base starts without data." in before.detail
    desk.by_hand("docker", "stop", "maison-db-1")
    create = typed("docker volume create --label freehold.estate=maison")
    desk.by_hand("sh", "-c", create.replace("service=db maison_db", "service=base maison_base"))
    desk.by_hand("sh", "-c", typed("at()", "tar "))
    [now] = said(desk.plan(), "data-left-behind")
    assert "service:home/box/base goes on with maison_base-lines" in now.detail
    desk.apply(prune=True)
    assert keep(desk, "maison-base-1", desk.secrets.value("base_password")) == "hello kept"
    assert keep(desk, "maison-base-1", POISON) == "no", "the new password was taken over"
    assert set(desk.containers()) == {"base", "site"}
    assert summary(desk.plan()) == NOTHING
    desk.by_hand("docker", "volume", "rm", "maison_db-lines")


@on_real
def test_a_volume_without_a_mark_is_given_one(desk: Desk) -> None:
    desk.apply()
    keep(desk, "maison-db-1", POISON, "kept")
    desk.by_hand("docker", "rm", "--force", "maison-db-1")
    for source, copy in (("maison_db-lines", "other"), ("other", "maison_db-lines")):
        desk.by_hand("docker", "volume", "create", copy)
        desk.by_hand("sh", "-c", f"{AT} cp -a $(at {source})/. $(at {copy})/")
        if copy == "other":
            desk.by_hand("docker", "volume", "rm", source)
    plan = desk.wait(desk.planner().look()).plan
    assert [each.code for each in plan.diagnostics if each.is_error] == ["not-ours"]
    desk.by_hand("sh", "-c", typed("at()", "between"))
    desk.apply()
    assert keep(desk, "maison-db-1", POISON) == "hello kept"
    assert desk.volumes() == ["maison_db-lines", "other"]
