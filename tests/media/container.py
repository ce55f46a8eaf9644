"""A container of the catalog without Docker: what a service is given lies in a root of its own, beside this machine's programs; with a network."""

import contextlib
import io
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from freehold.model import Infra
from freehold.providers.compose.content import archive, contents
from freehold.providers.compose.desired import wanted
from freehold.system.secrets.fake import FakeSecrets
from tests.firewall.wires import Namespace

TUNNEL, PEER = "10.8.0.2", "10.8.0.1"
# Mounts of its own, which end with it; /proc shows the network of whoever looks.
ROOT = 'for each in usr dev proc; do mount --rbind "/$each" "$0/$each"; done && exec chroot "$0" "$@"'  # fmt: skip


@dataclass(frozen=True)
class Container:
    """`root` is what it sees as /, `network` its own, `outside` who is at the other end of its tunnel."""

    root: Path
    network: Namespace
    outside: Namespace
    environment: Mapping[str, str]

    def argv(self, *words: str) -> list[str]:
        private = ["unshare", "--mount", "--propagation", "private", "sh", "-c", ROOT]
        return [*self.network.prefix, *private, str(self.root), *words]

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """A command in it, as its root."""
        path = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        return subprocess.run(self.argv(*words), env={**path, **self.environment}, capture_output=True, text=True, check=False, timeout=60)  # fmt: skip

    def make_tunnel(self) -> None:
        """As the VPN does: an interface tun0 that was not there before."""
        self.network.batch(
            f"link add tun0 type veth peer name tun1 netns {self.outside.pid}",
            f"addr add {TUNNEL}/24 dev tun0",
            "link set tun0 up",
        )
        self.outside.batch(f"addr add {PEER}/24 dev tun1", "link set tun1 up")

    def drop_tunnel(self) -> None:
        self.network.batch("link del tun0")


@contextlib.contextmanager
def container(folder: Path, infra: Infra, name: str, secrets: FakeSecrets) -> Iterator[Container]:
    """That of a service, with all files that Freehold delivers for it; nothing runs in it yet."""
    service = infra.service(name)
    assert service is not None
    root = folder / "root"
    root.mkdir()
    for each in ("usr", "dev", "proc", "tmp", "config", "media"):
        (root / each).mkdir()
    for each in ("bin", "lib", "lib64", "sbin"):
        (root / each).symlink_to(f"usr/{each}")
    packed = archive(contents(infra, service, secrets, values=True).pieces)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        tar.extractall(root, filter="fully_trusted")
    network, outside = Namespace(), Namespace()
    try:
        yield Container(root, network, outside, wanted(infra, service, secrets).entry["environment"])  # fmt: skip
    finally:
        network.end()
        outside.end()
