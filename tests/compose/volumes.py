"""What is in the volumes of a Docker in memory, and in the copies of them: which version's data that is.

A version converts what it finds, the last volume alone where it is broken; a version that is started on what another has left is noted.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from freehold.providers.compose import copy_scripts
from freehold.system.targets import Ended, TargetFailed
from tests.compose.docker import FakeDocker

FOLDER = "/var/lib/freehold/maison/copies/"
_DONE = Ended(0, "", "")


@dataclass
class Volumes:
    """To be the `answers` of a target: its Docker's, and those of the scripts that copy. Volumes hold the version of their data."""

    docker: FakeDocker
    data: dict[str, str] = field(default_factory=dict)
    copies: dict[str, dict[str, str]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    """Versions that convert half of the data and are never healthy."""
    torn: set[str] = field(default_factory=set)
    """Services whose data is back in part."""
    spoiled: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    answers: dict[str, Ended] = field(default_factory=dict)
    """Of a script, by its name, instead of what it would do."""
    lost_in_restore: TargetFailed | None = None
    """The connection breaks there when one volume is back and the other is not."""

    def __call__(self, command: Sequence[str], given: bytes) -> Ended | None:
        words = list(command)
        scripts = {copy_scripts.ROOM: "room", copy_scripts.COPY: "copy", copy_scripts.RESTORE: "restore", copy_scripts.THIN: "thin"}  # fmt: skip
        name = scripts.get(words[2]) if len(words) > 2 else None
        if name is not None:
            self.done.append(name)
            return self.answers.get(name) or self._script(name, words[4:])
        if words[:2] == ["rm", "-rf"] and words[2].startswith(FOLDER):
            self.copies.pop(words[2].rpartition("/")[2], None)
            return _DONE
        before = {name: (each.number, each.started) for name, each in self.docker.containers.items()}  # fmt: skip
        ended = self.docker.answer(command, given)
        for each, container in self.docker.containers.items():
            if before.get(each) != (container.number, container.started):
                self._starts(each)
        return ended

    def of(self, service: str) -> dict[str, str]:
        """The volumes of a service."""
        return {name: v for name, v in self.data.items() if name.startswith(f"maison_{service}-")}

    def _starts(self, service: str) -> None:
        container = self.docker.containers[service]
        version = str(container.entry["image"]).rpartition(":")[2]
        for volume in self.docker.volumes:
            self.data.setdefault(volume, version)
        found = self.of(service)
        if service in self.torn or any(each > version for each in found.values()):
            self.spoiled.append(f"{version} on {found}")
        converted = sorted(found)[-1:] if version in self.broken else sorted(found)
        self.data |= dict.fromkeys(converted, version)

    def _script(self, name: str, words: list[str]) -> Ended:
        scripts: dict[str, Callable[..., Ended]] = {"room": self._room, "copy": self._copy, "restore": self._restore, "thin": self._thin}  # fmt: skip
        return scripts[name](*words)

    def _room(self, folder: str, stale: str, *volumes: str) -> Ended:
        self.copies.pop(stale, None)
        if not set(volumes) & self.data.keys():
            return Ended(copy_scripts.NOTHING, "", "")
        return Ended(0, "1 MiB to copy\n", "")

    def _copy(self, folder: str, name: str, *volumes: str) -> Ended:
        if in_use := list(self._running(volumes)):
            return Ended(1, "", f"in use by {in_use}")
        self.copies[name] = {each: self.data[each] for each in volumes if each in self.data}
        return _DONE

    def _restore(self, folder: str, name: str, aside: str, *volumes: str) -> Ended:
        if name not in self.copies:
            return Ended(1, "", f"there is no {folder}/{name}")
        if in_use := list(self._running(volumes)):
            return Ended(1, "", f"in use by {in_use}")
        service = folder.rpartition("/")[2]
        self.torn.add(service)
        for volume in sorted(self.copies[name]):
            if aside:
                self.copies.setdefault(aside, {})[volume] = self.data[volume]
            self.data[volume] = self.copies[name].pop(volume)
            if self.lost_in_restore is not None:
                raise self.lost_in_restore
        self.torn.discard(service)
        return _DONE

    def _thin(self, folder: str, name: str, version: str) -> Ended:
        for each in list(self.copies):
            if each != name and not each.startswith(f"{version}@"):
                del self.copies[each]
        return _DONE

    def _running(self, volumes: Sequence[str]) -> Iterator[str]:
        for service, container in self.docker.containers.items():
            if container.status == "running" and set(self.of(service)) & set(volumes):
                yield service
