"""What Freehold puts into the machine between the domains: its rules, and a unit that loads them before its network.

The unit first loads the rules and then brings up the interface on which the host hands packets over: when the rules
cannot be loaded nothing arrives. All by commands in the machine (Incus's exec). Called by `provider.py`.
"""

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from freehold.diagnostics import BackendError, Diagnostic
from freehold.planning.resource import Fields
from freehold.providers.firewall.router.ruleset import commands
from freehold.system.incus.api import ExecResult, Incus, IncusError
from freehold.system.nftables import Listing
from freehold.system.nftables.listing import document, parsed

FOLDER = "/etc/freehold/firewall"
RULES = f"{FOLDER}/rules.json"
NETWORK = f"{FOLDER}/network"
UNIT = "freehold-firewall.service"
_UNIT_FILE = f"/etc/systemd/system/{UNIT}"
_NETWORKD_FILE = "/etc/systemd/networkd.conf.d/freehold.conf"
# networkd, which starts after our unit, would otherwise take away the routing rules that it does not know
# (networkd.conf(5)).
_NETWORKD_TEXT = "[Network]\nManageForeignRoutingPolicyRules=no\nManageForeignRoutes=no\n"
_INSTALL_PATIENCE = 300.0  # seconds for apt
_ARGUMENT = 100_000  # bytes; Linux takes 131,072 as one argument (execve(2), MAX_ARG_STRLEN)

_WRITE = 'umask 022; mkdir -p "${1%/*}"; f=$1; shift; printf %s "$@" | base64 -d | gzip -d > "$f.new" && mv "$f.new" "$f"'
_INSTALL = (
    "command -v systemctl >/dev/null || { echo 'it has no systemd' >&2; exit 3; }\n"
    "command -v nft >/dev/null && exit 0\n"
    "command -v apt-get >/dev/null || { echo 'it has neither nft nor apt-get' >&2; exit 3; }\n"
    "export DEBIAN_FRONTEND=noninteractive\n"
    "apt-get -qq update && apt-get -qq install --no-install-recommends -y nftables"
)
_START = f"systemctl daemon-reload && systemctl enable --quiet {UNIT} && systemctl restart {UNIT}"
_LOOK = (
    f'sha256sum "$@" 2>/dev/null; systemctl is-enabled {UNIT} 2>/dev/null; '
    "ip rule show 2>/dev/null | grep -c -e ^100: -e ^101: | sed s/2/routed/; echo --; "
    "exec nft --json list table inet "
)
_WRITTEN = f"unshare --net sh -c 'nft --json --file {RULES} && exec nft --json list table inet '"


@dataclass(frozen=True, slots=True)
class Found:
    """What a look inside found. `listing`: the table that is loaded. `problem`: why nothing could be seen."""

    listing: Listing | None = None
    is_kept: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Inside:
    """One machine, by its project and instance."""

    incus: Incus
    project: str
    instance: str

    async def look(self, name: str, fields: Fields) -> Found:
        """The table `name`, and whether what loads it at a start is there for these fields."""
        wanted = contents(name, fields)
        done = await self._run(["sh", "-c", _LOOK + name, "sh", *wanted])
        if isinstance(done, str):
            return Found(problem=done)
        before, _, listing = done.stdout.partition("--\n")
        told = before.split()
        sums = (hashlib.sha256(text.encode()).hexdigest() for text in wanted.values())
        is_kept = {"enabled", "routed"} <= set(told) and all(each in told for each in sums)
        return Found(parsed(listing) if done.exit_code == 0 else None, is_kept)

    async def table(self, name: str) -> Listing | None:
        """The table that is loaded; None when it is not, or when the machine cannot be asked."""
        done = await self._run(["nft", "--json", "list", "table", "inet", name])
        return None if isinstance(done, str) or done.exit_code else parsed(done.stdout)

    async def written(self, name: str) -> Listing | None:
        """The table as the machine's own nft lists it from the kept rules, tried out where nothing passes."""
        done = await self._run(["sh", "-c", _WRITTEN[:-1] + name + "'"])
        return None if isinstance(done, str) or done.exit_code else parsed(done.stdout)

    async def prepare(self) -> None:
        """See to it that nft is there. Raises BackendError."""
        command = ["sh", "-c", _INSTALL]
        done = await self.incus.execute(
            self.project, self.instance, command, timeout=_INSTALL_PATIENCE
        )
        if done.exit_code:
            raise BackendError(self._cannot_filter(done))

    async def load(self, name: str, fields: Fields) -> None:
        """Keep the rules in the machine and load them. Raises BackendError; then the rules from before stand."""
        for path, text in contents(name, fields).items():
            await self._must(["sh", "-c", _WRITE, "sh", path, *_packed(text)], f"writing {path}")
        await self._must(["sh", "-c", _START], "loading the rules")

    async def _must(self, command: Sequence[str], doing: str) -> None:
        done = await self.incus.execute(self.project, self.instance, command, timeout=60.0)
        if done.exit_code:
            raise BackendError(self._refused(doing, done))

    async def _run(self, command: Sequence[str]) -> ExecResult | str:
        """The answer, or why there is none: the machine is stopped, or its agent does not answer."""
        try:
            return await self.incus.execute(self.project, self.instance, command)
        except IncusError as error:
            return "it is not there" if error.status == 404 else f"cannot be asked: {error.message}"

    def _refused(self, doing: str, done: ExecResult) -> Diagnostic:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["no word"]
        return Diagnostic(
            code="router-refused",
            summary="The firewall machine does not take its rules",
            detail=f"{doing} in {self.instance}: {said[-1]} (exit code {done.exit_code}).",
            hint="Look inside:\n"
            f"    incus exec --project {self.project} {self.instance} -- journalctl -b -u {UNIT}",
        )

    def _cannot_filter(self, done: ExecResult) -> Diagnostic:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["no word"]
        return Diagnostic(
            code="router-cannot-filter",
            summary="The firewall machine has no nftables, and it could not be installed",
            detail=f"{self.instance}: {said[-1]}. Domains stay closed to each other.",
            hint="Let its domain reach the internet (`internet: true`), install it yourself, or name an image that has "
            "it in `network.firewall_machine.image`:\n"
            f"    incus exec --project {self.project} {self.instance} -- apt-get install nftables",
        )


def contents(name: str, fields: Fields) -> Mapping[str, str]:
    """Path to text of what Freehold puts there."""
    return {
        RULES: document(commands(name, fields)) + "\n",
        NETWORK: _network(fields),
        _UNIT_FILE: _resource("unit.service"),
        _NETWORKD_FILE: _NETWORKD_TEXT,
    }


def _network(fields: Fields) -> str:
    """The script with what differs between estates at its head; all of it are addresses that Freehold made."""
    way = fields["way"]
    words = {
        "HARDWARE": way["hardware address"],
        "BASE": way["base"],
        "ROUTER": f"{way['router']}/{way['length']}",
        "HOST": way["host"],
        "OWN": fields["machine"]["address"],
    }
    head = "".join(f"{key}={json.dumps(value)}\n" for key, value in words.items())
    return f"#!/bin/sh\n{head}\n{_resource('network.sh')}"


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _packed(text: str) -> list[str]:
    """Compressed, in pieces that fit into arguments."""
    code = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return [code[start : start + _ARGUMENT] for start in range(0, len(code), _ARGUMENT)]
