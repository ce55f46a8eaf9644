"""Whether the person who typed the command can still be reached: their terminal is asked for a sign of life.

The answer comes over the person's own connection, so it shows both directions with real packets, whatever that connection
is. Handed to `providers.firewall` by `cli.site`.
"""

import time
from ipaddress import AddressValueError, IPv4Address, IPv4Network

from freehold.operations.ways_in.lost import WayInLost
from freehold.planning.resource import Fields
from freehold.providers.protocol import Report
from freehold.system import terminal

_PATIENCE = 2.0  # seconds for an answer when nothing is wrong: a satellite's takes 0.7
_LATE = 0.5  # seconds by which a clock that was set is never late, unless this process was stopped


class OperatorWayIn:
    """The operator's terminal, given `seconds` in all to answer. `connection` is the value of SSH_CONNECTION, if any."""

    def __init__(self, seconds: float, connection: str = "") -> None:
        self._seconds = seconds
        self._connection = connection.split()
        self._fields: Fields = {}
        self._answered = False

    async def before(self, fields: Fields, report: Report) -> None:
        self._fields = fields
        why_not = terminal.unanswerable()
        self._answered = not why_not and await terminal.answers(min(_PATIENCE, self._seconds))
        if not self._answered:
            report(f"your terminal: not measured ({why_not or 'it does not answer'})")

    async def after(self, report: Report) -> None:
        if not self._answered:
            return
        report("your terminal: does it still answer")
        began = time.monotonic()
        answered = await terminal.answers(self._seconds)
        if not answered and time.monotonic() > began + self._seconds + _LATE:
            answered = await terminal.answers(
                _PATIENCE, ask=False
            )  # this process was stopped meanwhile
        if not answered:
            said = f"Your terminal did not answer for {self._seconds:.0f} s: what it sends no longer arrives."
            raise WayInLost([said], self._hint())
        self._answered = False

    async def undone(self, report: Report) -> None:
        """Take the late answer, so that the shell does not read it as typed: TCP repeats what was dropped."""
        if self._answered:
            report("your terminal: waiting until it answers again")
            await terminal.answers(self._seconds, ask=False)

    def _hint(self) -> str:
        """The policy that is missing, as far as the connection tells."""
        source, port = self._source() or "admin", self._port()
        return (
            "If you sit in a machine of this estate, infra.yml must let it reach this computer. Add, and apply again:\n"
            f"    policies:\n      - {{from: {source}, to: host, ports: [{port}]}}"
        )

    def _source(self) -> str:
        """The domain from which the operator comes; empty when it is none of the estate's."""
        try:
            address = IPv4Address(self._connection[0])
        except (IndexError, AddressValueError):
            return ""
        for name, zone in self._fields.get("zones", {}).items():
            if address in IPv4Network(zone["subnet"]):
                return str(name)
        return ""

    def _port(self) -> str:
        """sshd's port: the last word of SSH_CONNECTION (ssh(1))."""
        return self._connection[3] if len(self._connection) == 4 else "22"
