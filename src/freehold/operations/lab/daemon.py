"""Which program the lab's Incus daemon is, and what it is told at its start.

Called by `checks.py` (is it installed?) and, inside the lab, by `holder.py`.
"""

import os
from pathlib import Path

from freehold.operations.lab.layout import Layout
from freehold.system.processes import find_program, search_path

USUAL_PLACES = ("/usr/libexec/incus/incusd", "/usr/lib/incus/incusd", "/opt/incus/bin/incusd")
BUNDLE = Path("/opt/incus")  # where the packages of the Incus project itself put everything


def daemon_program() -> Path | None:
    """The incusd to run; None when there is none."""
    return find_program("incusd", also=USUAL_PLACES)


def daemon_argv(program: Path) -> list[str]:
    """incusd's command line. `--group root`: only root may use the lab, and the group surely exists.

    No `--logfile`: it would not hold what a crash prints; the holder sends standard error to the log.
    """
    return [str(program), "--group", "root"]


def daemon_environment(program: Path, place: Layout) -> dict[str, str]:
    """All variables incusd sees; nothing of the user's own leaks into the lab.

    AppArmor is left out because its profiles belong to the whole kernel: they would outlive the lab.
    """
    variables = {
        "PATH": f"{program.parent}{os.pathsep}{search_path()}",
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "TMPDIR": str(place.temporary),
        "INCUS_DIR": str(place.incus),
        "INCUS_SECURITY_APPARMOR": "false",
    }
    if program.is_relative_to(BUNDLE):
        variables |= {
            "LD_LIBRARY_PATH": f"{BUNDLE}/lib/",
            "INCUS_LXC_TEMPLATE_CONFIG": f"{BUNDLE}/share/lxc/config/",
            "INCUS_LXC_HOOK": f"{BUNDLE}/share/lxc/hooks/",
            "INCUS_EDK2_PATH": f"{BUNDLE}/share/qemu/",
            "INCUS_AGENT_PATH": f"{BUNDLE}/agent/",
        }
    return variables
