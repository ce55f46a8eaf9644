"""How this computer itself gets packages: from which servers, by which proxies, with which certificates.

Read by `process.py` each time egress starts, as root; handed to the proxy and to machines (`material.py`).
"""

import os
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from freehold.diagnostics import BackendError
from freehold.operations.lab.debian import MIRROR_VARIABLE, apt_proxies
from freehold.operations.lab.egress.indexes import package_servers
from freehold.operations.lab.egress.pip_settings import pip_settings
from freehold.operations.lab.egress.targets import Target
from freehold.operations.lab.layout import default_cache
from freehold.system.processes import run

# Where the certificates of the authorities that this computer trusts are in one file: Debian, Fedora, SUSE, Arch and Alpine.
BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
# What this computer's apt must know of its mirror (one that is a snapshot is out of date for ever) machines must know too.
APT_SETTINGS = ("Acquire::Check-Valid-Until", "Acquire::Check-Date")
ALSO_VARIABLE = "FREEHOLD_EGRESS"  # addresses of further servers that machines may reach
_WEB_PORTS = frozenset({80, 443})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """`servers` are where packages are. `proxies` by scheme, as addresses that may hold a password; `direct` lists hosts for
    none, as no_proxy does.

    `bundle` is the file of certificates, None when there is none; `pip` and `apt` are settings by their names there.
    """

    servers: frozenset[Target]
    proxies: Mapping[str, str]
    direct: str
    bundle: Path | None
    pip: Mapping[str, str]
    apt: Mapping[str, str]


def surroundings(environment: Mapping[str, str] = os.environ) -> Surroundings:
    """What this computer is set to now."""
    pip = pip_settings(environment)
    named = [environment.get(name, "") for name in (MIRROR_VARIABLE, ALSO_VARIABLE)]
    listed = [*_apt_mirrors(), *package_servers(pip, default_cache(environment))]
    set_here = urllib.request.getproxies_environment()
    by_default = {"http": set_here.get("all"), "https": set_here.get("all")}
    from_apt = {name.removesuffix("_proxy"): value for name, value in _proxies_of_apt().items()}
    proxies = {
        scheme: found
        for scheme in ("http", "https")
        if (found := set_here.get(scheme) or by_default[scheme] or from_apt.get(scheme))
    }
    return Surroundings(
        servers=frozenset(_targets([*" ".join(named).split(), *listed])),
        proxies=proxies,
        direct=set_here.get("no", ""),
        bundle=_bundle(environment),
        pip=pip,
        apt=_apt_settings(),
    )


def _targets(addresses: list[str]) -> Iterator[Target]:
    """The servers at these addresses; one that is on a usual port is so on both, since mirrors send from one to the other."""
    for address in addresses:
        try:
            found = Target.of_address(address)
        except ValueError:  # file:, cdrom: and the like
            continue
        for port in _WEB_PORTS if found.port in _WEB_PORTS else (found.port,):
            yield Target(found.host, port)


def _apt_mirrors() -> list[str]:
    try:
        return run(["apt-get", "indextargets", "--format", "$(REPO_URI)"]).output.split()
    except BackendError:  # not a system with apt
        return []


def _proxies_of_apt() -> dict[str, str]:
    try:
        return apt_proxies()
    except BackendError:
        return {}


def _apt_settings() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in APT_SETTINGS:
        try:
            listed = run(["apt-config", "--format", "%f %v%n", "dump", name]).output
        except BackendError:
            return {}
        for line in listed.splitlines():
            key, _, value = line.partition(" ")
            if key == name and value:
                found[name] = value
    return found


def _bundle(environment: Mapping[str, str]) -> Path | None:
    candidates = (environment.get("SSL_CERT_FILE"), *BUNDLES)
    return next((Path(path) for path in candidates if path and Path(path).is_file()), None)
