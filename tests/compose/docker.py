"""A Docker in memory, as far as services are concerned: what `FakeTarget` answers to the commands of the provider and of the tests.

Of the programs in containers it knows what the catalog's keeper does with its password.
"""

import hashlib
import io
import itertools
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from freehold.providers.ansible import memory
from freehold.providers.compose import docker, guarding, look, watching
from freehold.providers.compose.project import Project
from freehold.system.targets import Ended, TargetFailed
from freehold.system.targets.fake import FakeFile, FakeTarget

Entry = Mapping[str, Any]
_DONE = Ended(0, "", "")
_OTHER = {
    "id": "x",
    "image": "other",
    "status": "running",
    "exit": 0,
    "health": None,
    "mounts": [],
    "created": "9",
    "started": "",
    "network": "bridge",
}


@dataclass
class Container:
    """One, made of an entry of a Compose file."""

    number: int
    service: str
    entry: Entry
    status: str = "running"
    code: int = 0
    network: str = ""
    started: int = 0

    @property
    def name(self) -> str:
        return f"{self.entry['labels']['freehold.estate']}-{self.service}-1"


@dataclass
class FakeDocker:
    """Images are there when they are in `images`; a container whose entry holds a text of `breaks` is never healthy.

    Services of `refused` cannot even be started.
    """

    target: FakeTarget
    images: set[str] = field(default_factory=set)
    breaks: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    silent: bool = False
    absent: bool = False
    memory: int = 0
    """Of its computer, in bytes; 0: it does not say."""
    containers: dict[str, Container] = field(default_factory=dict)
    volumes: set[str] = field(default_factory=set)
    networks: set[str] = field(default_factory=set)
    strangers: dict[str, Entry] = field(default_factory=dict)
    """Containers of somebody else's, by name: their labels."""
    unmarked: set[str] = field(default_factory=set)
    """Volumes and networks that somebody else made."""
    kept: dict[str, str] = field(default_factory=dict)
    """The password that each service has in its data."""
    lost_inside: TargetFailed | None = None
    """What happens to a connection when a command runs in a container."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def answer(self, command: Sequence[str], given: bytes) -> Ended | None:
        """What the target says to a command."""
        if self.absent and ("docker" in command[0] or command[3:4] == ["look"]):
            return Ended(127, "\n".join(self._memory()), "docker: not found")
        match list(command):
            case ["sh", "-c", script, _, *words]:
                return self._script(script, words, given)
            case ["docker", "compose", "--project-name", project, "--file", file, "up", *options]:
                names = [each for each in options if not each.startswith("--")]
                return self._up_all(project, file, names, "--force-recreate" in options)
            case ["docker", "pull", *_, image]:
                return Ended(1, "", f"Error: lookup of {image.partition('/')[0]}: no such host")
            case ["docker", "compose", *_, "run", "--detach", _, service, "sleep", _]:
                self.strangers[f"maison-{service}-run-1"] = {
                    **self.containers[service].entry["labels"],
                    look.ONE_OFF: "True",
                }
                return _DONE
            case ["docker", "compose", "--project-directory", folder, "up", *_]:
                return self._up_theirs(folder)
            case ["docker", "run", *_, "--name", name, _, "sleep", _]:
                self.strangers[name] = {}
                return _DONE
            case ["docker", "volume" | "network" as kind, "create", *marks, name]:
                (self.volumes if kind == "volume" else self.networks).add(name)
                self.unmarked |= set() if "freehold.estate=maison" in marks else {name}
                return _DONE
            case ["docker", "network", "ls", *_]:
                return Ended(0, "\n".join(sorted(self.networks)), "")
            case ["docker", "inspect", *_, name] if name in self.strangers:
                return Ended(0, name, "")
            case ["docker", "start", *numbers]:
                for each in self.containers.values():
                    if {str(each.number), each.name} & set(numbers):
                        each.status, each.started = "running", next(self._numbers)
                return _DONE
            case ["docker", "kill", name]:
                self._by_name(name).status, self._by_name(name).code = "exited", 137
                return _DONE
            case ["docker", "network", "rm", name]:
                self.networks.remove(name)
                return _DONE
            case ["docker", "rm", "--force", name]:
                del self.containers[self._by_name(name).service]
                return _DONE
            case ["docker", "restart", name]:
                self._by_name(name).started = next(self._numbers)
                return _DONE
            case ["docker", "exec", name, "python3", "-c", _, password]:
                let_in = self.kept[self._by_name(name).service] == password
                return Ended(0, "hello \n" if let_in else "no\n", "")
            case ["docker", "ps", *_]:
                return Ended(0, "\n".join(f"{c.service} {c.number} {c.status}" for c in self.containers.values()), "")  # fmt: skip
            case ["docker", "volume", "ls", *_]:
                return Ended(0, "\n".join(sorted(self.volumes)), "")
            case ["rm", "-rf" | "-f", *paths]:
                for path in paths:
                    self._delete(path)
                return _DONE
        return None

    def _script(self, script: str, words: list[str], given: bytes) -> Ended:
        if script == look._SCRIPT:
            return self._look(words[0], words[2])
        if script == docker._UNPACK:
            return self._unpack(f"{words[0]}/{words[1]}", given)
        if script == docker._THIN:
            for line in given.decode().splitlines():
                self._thin(*line.split())
            return _DONE
        if script == guarding.GUARD:
            return Ended(0, "".join(self._refused(words[0], words[1:])), "")
        if script == docker._REMOVE_NETWORKS:
            self.networks -= set(words[1:]) - self.unmarked
            return _DONE
        if script == docker._MISSING:
            return Ended(0, "".join(f"{each}\n" for each in words if each not in self.images), "")
        if script == watching.WATCH:
            return Ended(0, "".join(["1.5\n", *map(self._state, self.containers.values())]), "")
        if script == memory._LOOK_AT_PORTS:
            return _DONE
        container = self.containers.get(words[1].partition("=")[2])
        if script == docker._INSIDE:
            return self._take_over(container)
        if script == docker._LOG:
            return Ended(0, self._log(container), "")
        if container is not None and script == docker._STOP:
            container.status = "exited"
            return Ended(0, f"{container.number}\n", "")
        if container is not None:
            assert script == docker._REMOVE
            del self.containers[container.service]
        return _DONE

    def _memory(self) -> list[str]:
        return [f"memory {self.memory // 1024}"] if self.memory else []

    def _look(self, estate: str, root: str) -> Ended:
        if self.silent:
            return Ended(1, "", "Cannot connect to the Docker daemon. Is it running?")
        lines = self._memory()
        lines += [json.dumps(self._inspected(each)) for each in self.containers.values()]
        lines += [
            json.dumps({**_OTHER, "name": f"/{each}", "labels": has})
            for each, has in self.strangers.items()
        ]
        for kind, names in (("volume", self.volumes), ("network", self.networks)):
            lines += [
                f"{kind} {each} {'' if each in self.unmarked else estate}" for each in sorted(names)
            ]
        running = self.target.files.get(f"{root}/compose/compose.yml")
        project = Project.read(estate, running.content if running else None)
        lines += [f"entry {each}" for each in project.entries]
        lines += [f"previous {each}" for each in project.previous]
        for path, file in sorted(self.target.files.items()):
            inner = path.removeprefix(f"{root}/")
            if inner.startswith("compose/files/"):
                lines.append(f"{hashlib.sha256(file.content).hexdigest()}  {inner}")
            elif inner.startswith("secrets/"):
                lines.append(f"{file.mode.lstrip('0')} {file.owner} {inner}")
        return Ended(0, "".join(f"{line}\n" for line in lines), "")

    def _inspected(self, container: Container) -> Mapping[str, Any]:
        mounts = [
            {"Type": each["type"], "Name": f"maison_{each['source']}", "Source": each["source"], "Destination": each["target"]}
            for each in container.entry.get("volumes", ())
        ]  # fmt: skip
        return {
            "name": f"/{container.name}",
            "labels": container.entry["labels"],
            "image": container.entry["image"],
            "status": container.status,
            "exit": container.code,
            "health": self._health(container) if "healthcheck" in container.entry else None,
            "mounts": mounts,
            "created": f"{container.number:09d}",
            "id": f"{container.number}",
            "started": f"2026-11-22T05:00:00.{container.started:09d}Z",
            "network": container.network,
        }

    def _up_all(self, project: str, file: str, names: Sequence[str], anew: bool) -> Ended:
        """One that fails keeps those after it from being started."""
        for name in names:
            if (ended := self._up(project, file, name, anew)).code:
                return ended
        return _DONE

    def _up(self, project: str, file: str, name: str, anew: bool) -> Ended:
        document = yaml.safe_load(self.target.files[file].content.decode().replace("$$", "$"))
        entry = document["services"][name]
        if name in self.refused:
            return Ended(1, "", f"{name}: address already in use")
        self._take_for_ones_own(project, name)
        for volume in entry.get("volumes", ()):
            if volume["type"] == "volume":
                self.volumes.add(f"{project}_{volume['source']}")
            elif volume["source"] not in self.target.files:
                return Ended(1, "", f"invalid mount config: {volume['source']} does not exist")
        self.networks |= {f"{project}_{network}" for network in entry.get("networks", ())}
        before = self.containers.get(name)
        if before is None or anew or before.entry != entry:
            made = Container(
                next(self._numbers), name, entry, network=self._network(project, entry)
            )
            made.started = next(self._numbers)
            self.containers[name] = made
        else:
            before.status, before.code = "running", 0
            before.started = next(self._numbers)
        self.kept.setdefault(name, " ".join(self._secrets(self.containers[name])))
        return _DONE

    def _take_for_ones_own(self, project: str, name: str) -> None:
        """As Compose does: whatever has the labels of this project and service is made anew."""
        labels = {look.PROJECT: project, look.SERVICE: name}
        for each, has in list(self.strangers.items()):
            if labels.items() <= has.items():
                del self.strangers[each]

    def _refused(self, estate: str, asked: Sequence[str]) -> Iterator[str]:
        for each in asked:
            name, _, volume = each.partition(":")
            for other, has in self.strangers.items():
                if not volume and (has.get(look.PROJECT), has.get(look.SERVICE)) == (estate, name):
                    yield f"{name} the container {other}\n"
            if volume in self.unmarked and name not in self.containers:
                yield f"{name} the volume {volume}\n"

    def _up_theirs(self, folder: str) -> Ended:
        """A project of somebody else's, in a folder of the estate's name."""
        document = yaml.safe_load(self.target.files[f"{folder}/compose.yml"].content)
        project = folder.rpartition("/")[2]
        for name in document["services"]:
            self.strangers[f"{project}-{name}-1"] = {
                "com.docker.compose.project": project,
                "com.docker.compose.service": name,
                "com.docker.compose.project.working_dir": folder,
            }
        return _DONE

    def _network(self, project: str, entry: Entry) -> str:
        """As Docker keeps it: of a service its container, by number."""
        mode = str(entry.get("network_mode", f"{project}_default"))
        if not mode.startswith("service:"):
            return mode
        return f"container:{self.containers[mode.removeprefix('service:')].number}"

    def _take_over(self, container: Container | None) -> Ended:
        if self.lost_inside is not None:
            raise self.lost_inside
        if container is None or container.status != "running":
            return Ended(1, "", "its container does not run")
        password = " ".join(self._secrets(container))
        if container.entry["environment"]["KEEPER_GREETING"] == "refuse":
            return Ended(1, "", f"it refuses {password}")
        self.kept[container.service] = password
        return _DONE

    def _secrets(self, container: Container) -> list[str]:
        sources = [each["source"] for each in container.entry.get("volumes", ())]
        return [self.target.files[path].content.decode() for path in sources if "/secrets/" in path]

    def _state(self, container: Container) -> str:
        return (
            f"{container.service} {container.status} 0 {container.code} {self._health(container)}\n"
        )

    def _health(self, container: Container) -> str:
        if "healthcheck" not in container.entry:
            return "none"
        return "unhealthy" if self._is_broken(container) else "healthy"

    def _is_broken(self, container: Container) -> bool:
        """By its entry, or by a file that it was given."""
        sources = [each["source"] for each in container.entry.get("volumes", ())]
        files = [self.target.files[path].content.decode() for path in sources if path in self.target.files]  # fmt: skip
        return any(each in text for each in self.breaks for text in (str(container.entry), *files))

    def _log(self, container: Container | None) -> str:
        """A program that tells its password, as programs do that fail."""
        secrets = self._secrets(container) if container else []
        return f"broken with {' '.join(secrets)}\n"

    def _unpack(self, folder: str, given: bytes) -> Ended:
        self._delete(folder)
        with tarfile.open(fileobj=io.BytesIO(given)) as packed:
            for entry in packed:
                content = packed.extractfile(entry)
                assert content is not None
                owner = f"{entry.uid}:{entry.gid}"
                path = f"{folder}/{entry.name}"
                self.target.files[path] = FakeFile(content.read(), f"{entry.mode:04o}", owner)
        return _DONE

    def _thin(self, folder: str, *keep: str) -> None:
        inside = [path for path in self.target.files if path.startswith(f"{folder}/")]
        versions = {path.removeprefix(f"{folder}/").partition("/")[0] for path in inside}
        for version in versions - set(keep):
            self._delete(f"{folder}/{version}")

    def _delete(self, path: str) -> None:
        gone = [each for each in self.target.files if each == path or each.startswith(f"{path}/")]
        for each in gone:
            del self.target.files[each]

    def _by_name(self, name: str) -> Container:
        return next(each for each in self.containers.values() if each.name == name)
