"""Instance options against what a server says it knows."""

from pathlib import Path

import pytest

from freehold.config.config_keys import ConfigKeys
from freehold.config.load import load

# The shape of GET /1.0/metadata/configuration of Incus 6.0, cut down.
METADATA = {
    "configs": {
        "instance": {
            "resource-limits": {
                "keys": [
                    {"limits.cpu": {"type": "string", "liveupdate": "yes"}},
                    {"limits.memory": {"type": "string", "defaultdesc": "`1Gib` (VMs)"}},
                ]
            },
            "security": {"keys": [{"security.nesting": {"condition": "container"}}]},
            "miscellaneous": {
                "keys": [{"linux.sysctl.*": {}}, {"smbios11.*": {}}, {"user.*": {}}],
            },
            "volatile": {"keys": [{"volatile.<name>.hwaddr": {}}]},
        },
        "network-bridge": {"common": {"keys": [{"ipv4.address": {}}]}},
    }
}
KEYS = ConfigKeys.from_metadata(METADATA)


@pytest.mark.parametrize(
    "key",
    [
        "limits.cpu",
        "linux.sysctl.net.ipv4.ip_forward",
        "smbios11.serial",
        "user.anything",
        "environment.PATH",
        "limits.kernel.nofile",
        "volatile.eth0.hwaddr",
    ],
)
def test_known(key: str) -> None:
    assert KEYS.is_known(key)


@pytest.mark.parametrize("key", ["limits.cpus", "limits", "ipv4.address", "linux", "", "users.a"])
def test_unknown(key: str) -> None:
    assert not KEYS.is_known(key)


def write(folder: Path) -> None:
    (folder / "infra.yml").write_text(
        "freehold: 1\nname: test\ndomains:\n  web:\n    subnet_id: 0\n"
        "    profiles: {big: {config: {limits.memry: 1GiB}}}\n"
        "    machines: {app: {config: {security.nestng: true, user.x: z}}}\n"
    )


def test_a_server_that_is_known_finds_misspelt_options(tmp_path: Path) -> None:
    write(tmp_path)
    loaded = load(tmp_path, known_config=KEYS)
    assert loaded.infra is None
    found = [
        (d.code, d.source and (d.source.line, d.source.column), d.hint) for d in loaded.diagnostics
    ]
    assert found == [
        ("unknown-config-key", (6, 31), "Did you mean `limits.memory`?"),
        ("unknown-config-key", (7, 31), "Did you mean `security.nesting`?"),
    ]


def test_without_a_server_nothing_is_said(tmp_path: Path) -> None:
    write(tmp_path)
    assert load(tmp_path).diagnostics == ()
