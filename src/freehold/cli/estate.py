"""Opens what a verb works on: the estate's file, the provider, the lab. Used by the modules of the single verbs."""

import contextlib
import os
import platform
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freehold.cli.options import Common
from freehold.config.files import EXTRA_FOLDER, MAIN_FILE
from freehold.config.load import Loaded, load
from freehold.diagnostics import (
    BackendError,
    ConfigError,
    Diagnostic,
    FreeholdError,
    UsageError,
    did_you_mean,
    has_errors,
)
from freehold.engine.lock import STATE_FOLDER
from freehold.engine.planner import Picture
from freehold.engine.systems import Systems
from freehold.model import Infra
from freehold.operations.lab.egress.equip import equipped
from freehold.planning.change import Change
from freehold.planning.selection import Selection
from freehold.providers.ansible.provider import AnsibleProvider
from freehold.providers.control.provider import AgentProvider
from freehold.providers.firewall.docker import Chain, DockerProvider
from freehold.providers.firewall.provider import PATIENCE, FirewallProvider, WayIn
from freehold.providers.firewall.router.provider import RouterProvider
from freehold.providers.incus.control import Ways
from freehold.providers.incus.provider import IncusProvider
from freehold.providers.protocol import Provider
from freehold.system.ansible import Playbooks
from freehold.system.host_agent.agents import Agents
from freehold.system.incus.api import Incus
from freehold.system.nftables import Nftables
from freehold.system.routing import Routing

if TYPE_CHECKING:
    from freehold.system.incus.client import IncusClient

_OPERATOR_SECONDS = 10.0  # for the operator's terminal to answer
_SYSTEM_SOCKET = Path("/var/lib/incus/unix.socket")


def loaded(options: Common, folder: Path | None = None) -> tuple[Infra, Loaded]:
    """The estate. Raises ConfigError with every problem; shows warnings on standard error.

    `folder` has what infra.yml names, when that is not the folder it stands in.
    """
    result = load(options.directory, folder=folder)
    if result.infra is None or has_errors(result.diagnostics):
        raise ConfigError(*result.diagnostics)
    tell(result.diagnostics, options)
    return equipped(result.infra, in_lab=options.lab), result


def sources(result: Loaded) -> dict[str, str]:
    """The texts that an estate was read from, by their names in its folder: what a saved plan carries."""
    files = zip(result.files, result.tree.files, strict=True)
    return {_inner_name(path): "\n".join(file.lines) for path, file in files}


def _inner_name(path: Path) -> str:
    return f"{EXTRA_FOLDER}/{path.name}" if path.parent.name == EXTRA_FOLDER else MAIN_FILE


def from_sources(texts: Mapping[str, str], options: Common) -> Infra:
    """The estate of a saved plan, with the roles and files that are in the estate's folder now.

    Raises ConfigError when it is none any more (another version made it, a file is gone).
    """
    with tempfile.TemporaryDirectory(prefix="freehold-") as name:
        folder = Path(name)
        (folder / EXTRA_FOLDER).mkdir()
        for inner, text in texts.items():
            (
                folder / EXTRA_FOLDER / Path(inner).name if "/" in inner else folder / MAIN_FILE
            ).write_text(text, encoding="utf-8")
        return loaded(replace(options, directory=folder), options.directory)[0]


def tell(diagnostics: Sequence[Diagnostic], options: Common) -> None:
    """Show diagnostics on standard error, with commands as the user types them."""
    if diagnostics:
        from freehold.views.diagnostics import render_diagnostics

        render_diagnostics(diagnostics, sys.stderr, command=options.command)


class Site(Systems):
    """All systems of the host (or of the lab) that the estate lives on.

    New firewall rules are undone unless within `undo_after` seconds the operator and admin machines still get through.
    `ansible` is None where the estate's tree does not matter (all of the estate is to go).
    """

    def __init__(
        self,
        nftables: Nftables,
        docker: Chain,
        routing: Routing,
        agents: Agents,
        incus: IncusProvider,
        ansible: AnsibleProvider | None,
        playbooks: Playbooks,
        undo_after: float,
    ) -> None:
        firewall = FirewallProvider(nftables, lambda: _ways_in(incus.incus, undo_after), undo_after)
        systems: list[Provider] = [firewall, DockerProvider(docker), AgentProvider(agents), incus]
        systems.append(RouterProvider(incus.incus, routing))
        if ansible is not None:
            systems.append(ansible)
        super().__init__(*systems)
        self.incus = incus.incus
        self.nftables = nftables
        self.playbooks = playbooks
        self.under_way = incus.under_way


def _ways_in(incus: Incus, undo_after: float) -> Sequence[WayIn]:
    """The operator comes first: without a terminal nobody sees what else went wrong."""
    from freehold.operations.ways_in import AdminReach, OperatorWayIn

    ways: list[WayIn] = [AdminReach(incus)]
    if sys.stderr.isatty():
        seconds = min(_OPERATOR_SECONDS, undo_after * 2 / 3)
        ways.insert(0, OperatorWayIn(seconds, os.environ.get("SSH_CONNECTION", "")))
    return ways


@contextlib.asynccontextmanager
async def provider(
    options: Common, undo_after: float = PATIENCE, *, tree: bool = True, refresh: bool = False
) -> AsyncIterator[Site]:
    """The systems that the verb works on; the tree and what goes inside machines only with `tree`.

    `refresh`: what is inside is done again. Raises BackendError when a system cannot be reached.
    """
    from freehold.providers.incus.images import Images, ServerImages
    from freehold.system.ansible.program import AnsibleProgram
    from freehold.system.incus.client import IncusClient

    own: str | None = None
    if options.lab:
        from freehold.operations.lab import Lab
        from freehold.operations.lab.images import LabImages

        lab = Lab()
        if not lab.running:
            raise BackendError(_LAB_IS_DOWN)
        client = IncusClient(lab.socket)
        images: Images = LabImages(lab)
        nftables: Nftables = lab.nftables()
        docker: Chain = lab.docker_user()
        routing: Routing = lab.routing()
        agents: Agents = lab.agents()
    else:
        from freehold.system.host_agent.systems import host_systems

        client = IncusClient(system_socket())
        images = ServerImages(client)
        host = host_systems(client.socket)
        nftables, docker, routing, agents = host.nftables, host.docker, host.routing, host.agents
        own = platform.node() if host.is_inside else None
    playbooks = AnsibleProgram(options.directory, {"INCUS_SOCKET": str(client.socket.resolve())})
    ansible = AnsibleProvider(options.directory, client, playbooks, logs(options), refresh=refresh)
    try:
        yield Site(
            nftables,
            docker,
            routing,
            agents,
            IncusProvider(client, images, _ways(client, agents) if own is None else None, own),
            ansible if tree else None,
            playbooks,
            undo_after,
        )
    finally:
        await client.close()


def _ways(client: "IncusClient", agents: Agents) -> Callable[[str], Ways]:
    """What control machines get, by estate."""
    return lambda estate: Ways(incus=str(client.socket.resolve()), agent=str(agents.socket(estate)))


_LAB_IS_DOWN = Diagnostic(
    code="lab-not-running",
    summary="The lab is not running",
    detail="--lab works in the lab, and there is none.",
    hint="Start it:\n    freehold lab start",
)


def logs(options: Common) -> Path:
    """Where Ansible's output is kept."""
    return options.directory / STATE_FOLDER / "provision"


def system_socket() -> Path:
    """The socket of this computer's Incus; the variables are those of Incus's own client."""
    if path := os.environ.get("INCUS_SOCKET"):
        return Path(path)
    if folder := os.environ.get("INCUS_DIR"):
        return Path(folder, "unix.socket")
    return _SYSTEM_SOCKET


async def check_options(options: Common, provider: Site, picture: Picture) -> None:
    """Refuse options that this server does not know, before anything is changed. Raises ConfigError.

    The server is asked only when the plan writes options at all.
    """
    if not any(_writes_options(change) for change in picture.plan.changes):
        return
    from freehold.config.config_keys import ConfigKeys

    known = ConfigKeys.from_metadata(await provider.incus.get("/metadata/configuration"))
    result = load(options.directory, known_config=known)
    if result.infra is None:
        raise ConfigError(*result.diagnostics)


def _writes_options(change: Change) -> bool:
    return change.address.kind in {"profile", "instance"} and any(
        field.path.startswith("config.") and field.after is not None for field in change.fields
    )


def selection(infra: Infra, limits: list[str] | None, kinds: list[str] | None) -> Selection:
    """What --limit and --only name. Raises UsageError for words that name nothing."""
    from freehold.providers.ansible.files import KIND as FILE
    from freehold.providers.ansible.provider import KINDS as INSIDE
    from freehold.providers.ansible.provisioning import KIND as PROVISION
    from freehold.providers.control.provider import KIND as AGENT
    from freehold.providers.firewall import desired
    from freehold.providers.firewall.docker import KIND as DOCKER
    from freehold.providers.firewall.router.desired import KIND as ROUTER
    from freehold.providers.incus.provider import KINDS

    every = {desired.KIND.name, DOCKER.name, AGENT.name, ROUTER.name, *KINDS, *INSIDE}
    problems = [_unknown("--only", kind, every) for kind in kinds or () if kind not in every]
    known = {domain.name for domain in infra.domains} | {m.key for m in infra.machines()}
    problems += [_unknown("--limit", limit, known) for limit in limits or () if limit not in known]
    if problems:
        raise UsageError(*problems)
    only = [*(kinds or ())]
    if PROVISION.name in only:
        only.append(FILE.name)  # it reads the tree
    return Selection(tuple(limits or ()), tuple(dict.fromkeys(only)))


def unwritable(path: Path, error: OSError) -> FreeholdError:
    """What to tell when a file cannot be written (a full disk, a folder that is not there)."""
    return FreeholdError(
        Diagnostic(
            code="cannot-write",
            summary="A file cannot be written",
            detail=f"{path}: {error.strerror or error}.",
            hint="Nothing was changed. Free some space or choose another place, then try again.",
        )
    )


def _unknown(option: str, word: str, known: Any) -> Diagnostic:
    return Diagnostic(
        code="unknown-selection",
        summary="The command line names something that does not exist",
        detail=f"{option} {word}",
        hint=did_you_mean(word, known),
    )
