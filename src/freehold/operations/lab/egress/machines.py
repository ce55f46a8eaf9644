"""What the machines of an estate get in a lab with egress: a proxy device, a folder of files, and variables. Pure.

Called by `Lab.equip` and `equip.py`, on the model: so it stands in the plan like everything else, and taking it away is a plan as well.
Virtual machines get none: a proxy device that listens inside is for containers only
(https://linuxcontainers.org/incus/docs/main/reference/devices_proxy/). Domains without internet get none either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from freehold.model import Domain, Infra, Machine, MachineType

PORT = 23128  # of a machine's own loopback; below those that Linux hands out by itself
# In a container /dev is memory: the folder's place is not on the machine's disk, and a booting systemd mounts nothing over
# it, as it does over /run.
INSIDE = PurePosixPath("/dev/lab-egress")
CERTIFICATES, APT, PIP = "ca-certificates.crt", "apt.conf", "pip.conf"
PLACES = "lab.json"  # where socket and folder are outside, for control machines

_DEVICE, _FILES = "lab-egress", "lab-egress-files"
_PROXIED = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
DIRECT = ("no_proxy", "NO_PROXY")
# Who reads which file: OpenSSL and what is built on it, pip, requests, curl, git; apt; pip.
_READERS: Mapping[str, tuple[str, ...]] = {
    CERTIFICATES: (
        "SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO",
    ),
    APT: ("APT_CONFIG",),
    PIP: ("PIP_CONFIG_FILE",),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Egress:
    """The proxy's `socket`, the `folder` of what machines read, and the names of the `files` in it."""

    socket: Path
    folder: Path
    files: frozenset[str]

    @property
    def devices(self) -> Mapping[str, Mapping[str, str]]:
        """The devices of a machine, as Incus keeps them."""
        return {
            _DEVICE: {
                "type": "proxy",
                "bind": "instance",
                "listen": f"tcp:127.0.0.1:{PORT}",
                "connect": f"unix:{self.socket}",
            },
            _FILES: {
                "type": "disk",
                "source": str(self.folder),
                "path": str(INSIDE),
                "readonly": "true",
            },
        }

    def variables(self, infra: Infra) -> dict[str, str]:
        """The variables of whatever is run inside: they lead to the proxy, but not what stays in the estate."""
        found = dict.fromkeys(_PROXIED, f"http://127.0.0.1:{PORT}")
        stays = f"localhost,127.0.0.1,::1,.incus,{infra.base}"
        found |= dict.fromkeys(DIRECT, stays)
        for name in sorted(self.files & _READERS.keys()):
            found |= dict.fromkeys(_READERS[name], str(INSIDE / name))
        return found


def with_egress(infra: Infra, egress: Egress) -> Infra:
    """The estate with egress for every container of every domain that has internet. What infra.yml says itself stays."""
    config = {f"environment.{name}": value for name, value in egress.variables(infra).items()}
    domains = (_domain(domain, config, egress) for domain in infra.domains)
    return replace(infra, domains=tuple(domains))


def _domain(domain: Domain, config: Mapping[str, str], egress: Egress) -> Domain:
    if not domain.internet:
        return domain
    machines = tuple(
        _machine(domain, machine, config, egress)
        if machine.type is MachineType.CONTAINER
        else machine
        for machine in domain.machines
    )
    return replace(domain, machines=machines)


def _machine(
    domain: Domain, machine: Machine, config: Mapping[str, str], egress: Egress
) -> Machine:
    said = set(machine.config)
    for name in machine.profiles:
        if profile := domain.profile(name):
            said |= profile.config.keys()
    added = {key: value for key, value in config.items() if key not in said}
    return replace(
        machine,
        config={**machine.config, **added},
        devices={**machine.devices, **egress.devices},
    )
