"""An Ansible that runs nothing: it notes what it was asked for and answers what it was told to. For tests above it."""

import asyncio
from dataclasses import dataclass, field

from freehold.system.ansible.api import Play, PlayEnd, Told


@dataclass(slots=True)
class FakePlaybooks:
    """`answers` are ends by host; a host without one ends well. `plays` are those asked for, in order."""

    answers: dict[str, PlayEnd] = field(default_factory=dict)
    plays: list[Play] = field(default_factory=list)

    async def run(self, play: Play, told: Told) -> PlayEnd:
        self.plays.append(play)
        told("a task")
        await asyncio.sleep(0)
        return self.answers.get(play.host, PlayEnd(tasks=1))
