"""Sizes of memory and disks as users and Incus write them (`8GiB`). Used by the loader and the VM checks."""

import re
from dataclasses import dataclass

_UNITS = {
    "B": 1,
    "kB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "TB": 1000**4,
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
    "TiB": 1024**4,
}
_SIZE = re.compile(r"([1-9][0-9]*)(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)")


@dataclass(frozen=True, slots=True)
class Size:
    """A number of bytes that remembers how it was written: Incus keeps the spelling, so the diff needs it."""

    text: str
    bytes: int

    @classmethod
    def parse(cls, text: str) -> "Size":
        """Read `8GiB`; the units are Incus's (doc/reference/instance_units). Raises ValueError."""
        match = _SIZE.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a size")
        return cls(text, int(match[1]) * _UNITS[match[2]])

    def __str__(self) -> str:
        return self.text
