"""The systems that a verb works on: Incus, the host's firewall, the Ansible tree; of this computer, or of the lab.

Opened by the verbs that look at what is real or change it.
"""

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from freehold.cli.options import Common
from freehold.diagnostics import BackendError, Diagnostic
from freehold.engine.lock import STATE_FOLDER
from freehold.engine.systems import Systems
from freehold.model import Infra
from freehold.providers.ansible.provider import AnsibleProvider
from freehold.providers.compose.provider import ComposeProvider
from freehold.providers.control.provider import AgentProvider
from freehold.providers.firewall.docker import DockerProvider
from freehold.providers.firewall.provider import PATIENCE, FirewallProvider, WayIn
from freehold.providers.firewall.router.provider import RouterProvider
from freehold.providers.incus.control import Ways
from freehold.providers.incus.provider import IncusProvider
from freehold.providers.protocol import Observation, Provider
from freehold.providers.secrets.provider import SecretsProvider
from freehold.providers.timer.provider import TimerProvider
from freehold.system.ansible import Playbooks
from freehold.system.card_memory import memory_of_cards
from freehold.system.host_agent.agents import Agents
from freehold.system.host_agent.systems import HostSystems, host_systems
from freehold.system.incus.api import Incus
from freehold.system.incus.thaw import Thaw, ThawGuard
from freehold.system.pci import PciDevices
from freehold.system.secrets import Secrets
from freehold.system.secrets.late import LateSecrets

if TYPE_CHECKING:
    from freehold.operations.lab import Lab
    from freehold.operations.snapshots.planner import SnapshotServer
    from freehold.providers.incus.images import Images
    from freehold.providers.lab_hosts.provider import LabHostsProvider
    from freehold.system.incus.client import IncusClient
    from freehold.system.targets.estate import EstateTargets

_OPERATOR_SECONDS = 10.0  # for the operator's terminal to answer
_SYSTEM_SOCKET = Path("/var/lib/incus/unix.socket")


class Site(Systems):
    """All systems of the host (or of the lab) that the estate lives on.

    New firewall rules are undone unless within `undo_after` seconds the operator and admin machines still get through.
    `ansible` is None where the estate's tree does not matter: all of the estate is to go, and its secrets stay. `lab_hosts` is None
    outside of a lab, where the computers of `hosts` exist.
    """

    def __init__(
        self,
        host: HostSystems,
        timer: TimerProvider,
        incus: IncusProvider,
        ansible: AnsibleProvider | None,
        compose: ComposeProvider,
        secrets: Secrets,
        playbooks: Playbooks,
        targets: "EstateTargets",
        thaw: Thaw,
        undo_after: float,
        lab_hosts: "LabHostsProvider | None" = None,
        *,
        has_incus: bool = True,
    ) -> None:
        self._has_incus = has_incus
        self._of_machines: list[Provider] = [
            FirewallProvider(host.nftables, lambda: _ways_in(incus.incus, undo_after), undo_after),
            DockerProvider(host.docker),
            AgentProvider(host.agents),
            timer,
            incus,
            RouterProvider(incus.incus, host.routing),
        ]
        systems = [*([lab_hosts] if lab_hosts else []), *self._of_machines]
        if ansible is not None:
            systems += [SecretsProvider(secrets), ansible]
        systems.append(compose)
        super().__init__(*systems)
        self.incus = incus.incus
        self.nftables = host.nftables
        self.timers = host.timers
        self.playbooks = playbooks
        self.targets = targets
        self._incus_provider = incus
        self._thaw = thaw
        self._own = incus.own

    async def observe(self, infra: Infra) -> Observation:
        self.targets.know(infra)
        return await super().observe(infra)

    def absent(self, infra: Infra) -> Collection[Provider]:
        """An estate of hosts alone is steered from any computer: one without Incus has no machines, and no traffic of theirs."""
        return self._of_machines if self._is_without_incus(infra) else ()

    async def under_way(self, infra: Infra) -> Sequence[str]:
        """What Incus is still doing of a run that was killed."""
        return () if self._is_without_incus(infra) else await self._incus_provider.under_way(infra)

    def _is_without_incus(self, infra: Infra) -> bool:
        return not infra.domains and not self._has_incus

    @property
    def snapshots(self) -> "SnapshotServer":
        """Where snapshots of the estate's machines are taken."""
        from freehold.operations.snapshots.planner import SnapshotServer

        return SnapshotServer(incus=self.incus, thaw=self._thaw, own=self._own)


def _ways_in(incus: Incus, undo_after: float) -> Sequence[WayIn]:
    """The operator comes first: without a terminal nobody sees what else went wrong."""
    from freehold.operations.ways_in import AdminReach, OperatorWayIn

    ways: list[WayIn] = [AdminReach(incus)]
    if sys.stderr.isatty():
        seconds = min(_OPERATOR_SECONDS, undo_after * 2 / 3)
        ways.insert(0, OperatorWayIn(seconds, os.environ.get("SSH_CONNECTION", "")))
    return ways


@contextlib.asynccontextmanager
async def opened(
    options: Common,
    undo_after: float = PATIENCE,
    *,
    tree: bool = True,
    refresh: bool = False,
    copies: bool = False,
) -> AsyncIterator[Site]:
    """The systems that the verb works on; the tree and what goes inside machines only with `tree`.

    `refresh`: what is inside is done again. `copies`: data is copied before a service's update. Raises BackendError when a system cannot be reached.
    """
    from freehold.system.ansible.program import AnsibleProgram
    from freehold.system.guest_api import own_instance

    client, images, host = _of_the_lab() if options.lab else _of_this_computer()
    thaw = ThawGuard(client.socket)
    secrets = LateSecrets(options.directory)
    incus_here = {"INCUS_SOCKET": str(client.socket.resolve())}
    playbooks = AnsibleProgram(options.directory, incus_here, secrets=secrets)
    targets = targets_of(options, client.socket)
    ansible = AnsibleProvider(
        options.directory, client, targets, playbooks, logs(options), secrets, refresh=refresh
    )
    if host.is_inside:
        incus = IncusProvider(client, images, own=own_instance())
    else:
        incus = IncusProvider(
            client,
            images,
            _ways(client, host.agents),
            pci=PciDevices(),
            card_memory=memory_of_cards,
        )
    timer = TimerProvider(host.timers, options.directory)
    played = _lab_hosts(client, images, targets) if options.lab else None
    try:
        yield Site(
            host,
            timer,
            incus,
            ansible if tree else None,
            ComposeProvider(options.directory, client, targets, secrets, files=tree, copies=copies),
            secrets,
            playbooks,
            targets,
            thaw,
            undo_after,
            played,
            has_incus=client.socket.exists(),
        )
    finally:
        thaw.close()
        await targets.close()
        await client.close()


def _of_the_lab() -> "tuple[IncusClient, Images, HostSystems]":
    from freehold.operations.lab import Lab
    from freehold.operations.lab.images import LabImages
    from freehold.system.incus.client import IncusClient

    lab = Lab()
    if not lab.running:
        raise BackendError(_LAB_IS_DOWN)
    return IncusClient(lab.socket), LabImages(lab), _systems_of(lab)


def _lab_hosts(
    client: "IncusClient", images: "Images", targets: "EstateTargets"
) -> "LabHostsProvider":
    """What plays the computers of `hosts`."""
    from freehold.operations.lab import Lab
    from freehold.providers.lab_hosts.provider import LabHostsProvider

    lab = Lab()
    return LabHostsProvider(
        client, images, lab.entrance(), lab.packages, lab.host_image, targets.leave
    )


def targets_of(options: Common, socket: Path) -> "EstateTargets":
    """The way onto hosts and into machines. In the lab `ssh` is led to the computers that it plays."""
    from freehold.system.targets.estate import EstateTargets
    from freehold.system.targets.way import SshOptions

    known = options.directory / STATE_FOLDER / "known_hosts"
    if not options.lab:
        return EstateTargets(SshOptions(folder=options.directory, known_hosts=known), socket)
    from freehold.operations.lab import Lab
    from freehold.providers.lab_hosts.existence import is_played

    way = SshOptions(folder=options.directory, known_hosts=known, settings=Lab().ssh_options())
    return EstateTargets(way, socket, partial(is_played, socket))


def lab_holder(options: Common) -> int | None:
    """The process that holds the lab's namespaces; None outside of the lab."""
    if not options.lab:
        return None
    from freehold.operations.lab import Lab

    return Lab().status().pid


def _systems_of(lab: "Lab") -> HostSystems:
    return HostSystems(
        nftables=lab.nftables(),
        docker=lab.docker_user(),
        routing=lab.routing(),
        agents=lab.agents(),
        timers=lab.timers(),
        is_inside=False,
    )


def _of_this_computer() -> "tuple[IncusClient, Images, HostSystems]":
    from freehold.providers.incus.images import ServerImages
    from freehold.system.incus.client import IncusClient

    client = IncusClient(system_socket())
    return client, ServerImages(client), host_systems(client.socket)


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
