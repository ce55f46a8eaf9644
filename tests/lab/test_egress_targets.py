"""Where egress leads: to this computer's package servers, and nowhere else, however it is asked."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from freehold.operations.lab.egress import gate as gates
from freehold.operations.lab.egress.gate import Gate, Remembered, RequestRefusedError
from freehold.operations.lab.egress.targets import Target

MIRROR = Target("mirror.example.org", 3142)


def test_targets_are_read_as_proxies_get_them() -> None:
    assert Target.of_authority("Example.org:443") == Target("example.org", 443)
    assert Target.of_authority("[2001:db8::1]:8443") == Target("2001:db8::1", 8443)
    assert str(Target("2001:db8::1", 80)) == "[2001:db8::1]:80"
    assert Target.of_address("https://example.org/simple/") == Target("example.org", 443)
    for wrong in ("example.org", ":443", "user@example.org:443", "example.org:99999", "a:1/b"):
        with pytest.raises(ValueError, match=r".+"):
            Target.of_authority(wrong)
    for wrong in ("ftp://example.org/", "/etc/passwd", "http://", "example.org:80"):
        with pytest.raises(ValueError, match=r".+"):
            Target.of_address(wrong)


def gate(found: Sequence[str], asked: list[str] | None = None) -> Gate:
    """A gate for which every name has these addresses; it notes what it is asked to look up."""

    async def lookup(host: str, port: int) -> Sequence[str]:
        if asked is not None:
            asked.append(host)
        if not found:
            raise OSError("no such name")
        return found

    return Gate(frozenset({MIRROR}), lookup)


def addresses(gate: Gate, target: Target) -> Sequence[str]:
    return asyncio.run(gate.addresses(target))


def test_a_package_server_is_open_wherever_it_is_but_only_on_its_port() -> None:
    mine = gate(["192.168.1.5"])
    assert addresses(mine, MIRROR) == ["192.168.1.5"]
    for other in (Target(MIRROR.host, 80), Target("192.168.1.5", MIRROR.port)):
        with pytest.raises(RequestRefusedError, match="none of them") as caught:
            addresses(mine, other)
        assert caught.value.status == 403


@given(
    st.from_regex(r"\A[a-z0-9.\-]{1,60}\Z") | st.ip_addresses().map(str),
    st.integers(1, 65535),
)
def test_nothing_else_is_even_looked_up(host: str, port: int) -> None:
    asked: list[str] = []
    with pytest.raises(RequestRefusedError, match="none of them"):
        addresses(gate(["203.0.113.9"], asked), Target(host, port))
    assert asked == []


def test_a_name_that_means_nothing_is_no_refusal() -> None:
    with pytest.raises(RequestRefusedError, match="cannot be looked up") as caught:
        addresses(gate([]), MIRROR)
    assert caught.value.status == 502


def test_a_name_is_looked_up_once_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        if host == "unknown.example.org":
            raise OSError("no such name")
        return ["203.0.113.9"]

    async def scene() -> None:
        remembered = Remembered(lookup)
        for _ in range(3):
            assert await remembered("example.org", 443) == ["203.0.113.9"]
        assert asked == ["example.org"]
        for _ in range(2):
            with pytest.raises(OSError, match="no such name"):
                await remembered("unknown.example.org", 443)
        assert len(asked) == 3, "what failed is tried again"
        monkeypatch.setattr(gates, "NAME_SECONDS", -1.0)
        await remembered("example.net", 443)
        await remembered("example.net", 443)
        assert len(asked) == 5, "and what is old"

    asyncio.run(scene())
