"""Which instance options an Incus server knows. Made by whoever asked the server; used by `checks.instance_options`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_UNLISTED = (
    "limits.kernel.",
    "raw.",
    "user.",
    "environment.",
    "volatile.",
    "image.",
    "oci.",
    "systemd.credential",
)
"""Families that Incus accepts (internal/instance/config.go) but lists in its metadata partly or not at all."""  # fmt: skip

_WILDCARD = re.compile(r"\*|<[^>]+>")


@dataclass(frozen=True, slots=True)
class ConfigKeys:
    """`exact` are whole keys, `families` beginnings of keys whose end is free."""

    exact: frozenset[str]
    families: tuple[str, ...] = _UNLISTED

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> "ConfigKeys":
        """Read the answer of `GET /1.0/metadata/configuration`: `{"configs": {"instance": {GROUP: {"keys": …}}}}`."""
        groups = metadata["configs"]["instance"].values()
        names = [name for group in groups for entry in group["keys"] for name in entry]
        exact = frozenset(name for name in names if not _WILDCARD.search(name))
        families = {_WILDCARD.split(name)[0] for name in names if _WILDCARD.search(name)}
        return cls(exact, tuple(sorted(families | set(_UNLISTED))))

    def is_known(self, key: str) -> bool:
        """Whether the server accepts this instance option."""
        return key in self.exact or key.startswith(self.families)
