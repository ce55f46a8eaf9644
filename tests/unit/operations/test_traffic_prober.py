"""The prober as text: what a machine's Python must understand, and who may be the outside."""

import ast
import sys
from pathlib import Path

import pytest

from freehold.operations.traffic.outside import default_outside, parsed
from freehold.operations.traffic.station import prober
from tests.unit.operations.traffic_estates import infra

_LONGEST_WORD = 128 * 1024  # MAX_ARG_STRLEN, execve(2)


def test_the_prober_is_one_file_of_the_standard_library_for_old_pythons_too() -> None:
    tree = ast.parse(prober(), feature_version=(3, 7))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names
    assert len(prober().encode()) < _LONGEST_WORD // 4


def test_an_outside_is_an_address_with_a_port() -> None:
    assert parsed("203.0.113.9:443") == ("203.0.113.9", 443)


@pytest.mark.parametrize(
    "text",
    [
        "203.0.113.9",
        "203.0.113.9:",
        "203.0.113.9:0",
        "203.0.113.9:70000",
        "example.org:53",
        ":53",
        "1.2:3",
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"port|octets|empty"):
        parsed(text)


def test_the_hosts_resolver_is_the_outside_when_it_lies_outside(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "run/systemd/resolve").mkdir(parents=True)
    stub, real = tmp_path / "etc/resolv.conf", tmp_path / "run/systemd/resolve/resolv.conf"
    assert default_outside(infra([1]), tmp_path) is None
    stub.write_text(
        "# made by hand\nnameserver 127.0.0.53\nnameserver 2001:db8::1\nsearch example.org\n"
    )
    assert default_outside(infra([1]), tmp_path) is None
    real.write_text("nameserver 10.100.0.1\nnameserver 203.0.113.53\n")
    assert default_outside(infra([1]), tmp_path) == ("203.0.113.53", 53)
