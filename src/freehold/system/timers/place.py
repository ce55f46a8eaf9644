"""The timers of this computer: units where systemd runs it, processes elsewhere. Called by `system.host_agent.systems`."""

from pathlib import Path

from freehold.system.timers.api import Timers
from freehold.system.timers.job import own_program

STATE = Path("/var/lib/freehold/timer")
_SYSTEMD = Path("/run/systemd/system")  # sd_booted(3)
_UNITS = Path("/etc/systemd/system")


def timers_of_this_computer(incus: Path) -> Timers:
    """`incus` is the socket of Incus, which the command is to use too."""
    program, variables = own_program(), {"INCUS_SOCKET": str(incus)}
    if _SYSTEMD.is_dir():
        from freehold.system.timers.systemd import SystemdTimers

        return SystemdTimers(STATE, _UNITS, program, variables)
    from freehold.system.timers.process import ProcessTimers

    return ProcessTimers(STATE, program, variables)
