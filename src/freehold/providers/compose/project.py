"""A whole Compose file: one for each target, in the estate's folder as it is to be, and on the target as it is. Pure.

The one on the target always says what runs there: a service's entry comes in when it is started and goes when it is deleted. Beside an
entry that has not served yet stands the one that ran before (`x-freehold-previous`; empty when none did), so that whoever comes next can
go back to it. What is noted of a copy of its data (`x-freehold-copies`, `copies.Noted`) stands there as long.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from freehold.config.yaml_text import as_yaml
from freehold.model.names import service_bridge
from freehold.planning.resource import Fields
from freehold.providers.compose import places
from freehold.providers.compose.entry import Entry
from freehold.providers.compose.networking import OF_SERVICE

HEADING = "# Written by Freehold from infra.yml: "
PREVIOUS = "x-freehold-previous"
_COPIES = "x-freehold-copies"
_BRIDGE = "com.docker.network.bridge.name"  # docs.docker.com/engine/network/drivers/bridge, options


@dataclass(slots=True)
class Project:
    """The entries of a Compose file by service, as they stand in it: every `$` twice (compose-spec, 12-interpolation.md)."""

    estate: str
    entries: dict[str, Entry] = field(default_factory=dict)
    previous: dict[str, Entry] = field(default_factory=dict)
    copies: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def read(cls, estate: str, text: bytes | None) -> "Project":
        """What a file says. One that cannot be read says nothing: each service names its own, and the next change writes it anew."""
        try:
            found = yaml.safe_load(text or b"")
        except yaml.YAMLError:
            found = None
        document = found if isinstance(found, dict) else {}
        every = (_entries(document, key) for key in ("services", PREVIOUS, _COPIES))
        return cls(estate, *every)

    def put(self, name: str, entry: Entry) -> None:
        """A service as it is to run."""
        self.entries[name] = _each_text(entry, lambda text: text.replace("$", "$$"))

    def renew(self, name: str, entry: Entry, *, served: Fields | None) -> bool:
        """The same, keeping what ran until now to go back to; whether the entry is another. `served`: what was healthy, as the plan saw it.

        That is better than what ran before it, unless a run was killed before it started the entry that stands there.
        """
        if served is not None and not self._previous_runs(name, served):
            self.previous.pop(name, None)
        before = self.entries.get(name, {})
        self.put(name, entry)
        if self.entries[name] == before:
            return False
        self.previous.setdefault(name, before)
        return True

    def _previous_runs(self, name: str, served: Fields) -> bool:
        previous, entry = self.previous.get(name), self.entries.get(name, {})
        return bool(previous) and _unlike(previous or {}, served) < _unlike(entry, served)

    def sharing(self, name: str) -> dict[str, Entry]:
        """The entries that have the network of this service."""
        return {
            other: entry
            for other, entry in self.entries.items()
            if entry.get("network_mode") == f"{OF_SERVICE}{name}"
        }

    def take_back(self, name: str) -> Entry | None:
        """Have the entry that ran before again; as it was `put`, None when there was none."""
        if not self.previous.get(name):
            return None
        self.entries[name] = self.previous.pop(name)
        plain: Entry = _each_text(self.entries[name], lambda text: text.replace("$$", "$"))
        return plain

    def versions(self, name: str, folder: str) -> set[str]:
        """Which versions of a service's files in `folder` an entry still names."""
        every = (self.entries.get(name, {}), self.previous.get(name, {}))
        return {version for entry in every for version in versions_in(entry, folder)}

    def text(self, target: str) -> str:
        """The file."""
        heading = f"{HEADING}what runs on {target}. Change infra.yml, not this file.\n"
        return heading + as_yaml(dict(self._document()))

    def networks(self) -> set[str]:
        """Those that an entry joins."""
        return {name for entry in self._all() for name in entry.get("networks", ())}

    def _all(self) -> list[Entry]:
        return [*self.entries.values(), *self.previous.values()]

    def _document(self) -> Iterator[tuple[str, Any]]:
        yield "name", self.estate
        yield "services", dict(sorted(self.entries.items()))
        if networks := self.networks():
            yield "networks", {name: self._network(name) for name in sorted(networks)}
        if volumes := dict(self._volumes()):
            yield "volumes", dict(sorted(volumes.items()))
        if self.previous:
            yield PREVIOUS, dict(sorted(self.previous.items()))
        if self.copies:
            yield _COPIES, dict(sorted(self.copies.items()))

    def _volumes(self) -> Iterator[tuple[str, Any]]:
        for name, entry in (*self.entries.items(), *self.previous.items()):
            for volume in entry.get("volumes", ()):
                if volume["type"] == "volume":
                    labels = {**self._labels(), places.SERVICE_LABEL: name}
                    yield volume["source"], {"labels": labels}

    def _network(self, name: str) -> Mapping[str, Any]:
        """Its bridge has a name by which the rules of a host's ports know it (role `host_ports`)."""
        bridge = service_bridge(self.estate, name)
        return {"driver_opts": {_BRIDGE: bridge}, "labels": self._labels()}

    def _labels(self) -> Mapping[str, str]:
        return {places.ESTATE_LABEL: self.estate}


def versions_in(entry: Entry, folder: str) -> set[str]:
    """The same of one entry."""
    sources = (volume["source"] for volume in entry.get("volumes", ()))
    inside = (each for each in sources if each.startswith(f"{folder}/"))
    return {each.removeprefix(f"{folder}/").partition("/")[0] for each in inside}


def _unlike(entry: Entry, seen: Fields) -> int:
    """In how many fields what was seen is not what the label of an entry says."""
    text = str(dict(entry.get("labels") or {}).get(places.FIELDS_LABEL, "{}"))
    try:
        fields = dict(json.loads(text.replace("$$", "$")))
    except ValueError:
        fields = {}
    return sum(fields.get(path) != seen.get(path) for path in {*fields, *seen})


def _entries(document: Mapping[str, Any], key: str) -> dict[str, Entry]:
    found = document.get(key)
    if not isinstance(found, dict):
        return {}
    return {str(name): entry for name, entry in found.items() if isinstance(entry, dict)}


def _each_text(value: Any, changed: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return changed(value)
    if isinstance(value, Mapping):
        return {key: _each_text(each, changed) for key, each in value.items()}
    return [_each_text(each, changed) for each in value] if isinstance(value, list) else value
