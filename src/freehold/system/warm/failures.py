"""What can go wrong on the way into a machine, as the plugin tells it to Ansible. Raised by the modules beside this one."""

# Of incusd, internal/server. A container's first seconds, and then nothing has run; but where it intercepts system calls
# (`security.syscalls.intercept.*`), also of commands that run. So it may only be tried again after a look, or where twice does no harm.
LOST = "Failed to retrieve PID of executing child process"
# Of incusd too: said before the command or the file has reached the machine.
PASSING = (
    LOST,
    "Instance is not running",
    "VM agent isn't currently running",
    "Failed to connect to the agent",  # a VM's, which answered a moment ago: it restarts
    "Failed connecting to the agent",
    "Failed connecting to agent",
    "Daemon setup in progress",
    "Shutting down",
    "Instance is busy",
    "Instance is frozen",
)


class WayFailed(Exception):
    """The way into the machine failed: the command did not run. The text says why, for the user."""


class NothingDone(WayFailed):
    """The same, surely before anything reached the machine, by a cause that may pass: to be tried again."""


class Broken(WayFailed):
    """The exchange with Incus broke after the request was sent: what came of it is not known."""


class OutcomeUnknown(WayFailed):
    """The way broke while a command was in the machine: it may have run, so it must not be repeated."""


class NoPython(WayFailed):
    """There is no Python in the machine that could stay there; nothing was done."""


class NoSuchFile(WayFailed):
    """The file to be fetched is not there, or is no file."""


def unknown_outcome(machine: str, reason: str) -> OutcomeUnknown:
    """The error for a command that was handed over and never answered."""
    return OutcomeUnknown(
        f"The connection to {machine} broke while a command ran there ({reason}). The command may have run, so it was "
        "not repeated. Run the playbook again: tasks that are done say ok."
    )
