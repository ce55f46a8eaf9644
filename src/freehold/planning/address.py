"""The address of a resource: what plans, messages, the journal and `--only`/`--limit` call it. Pure.

Written `kind:domain` or `kind:domain/name` (`bridge:homelab`, `instance:homelab/llm`, `volume:homelab/llm/models`).
"""

from dataclasses import dataclass

HOST = "host"
"""Stands for a domain in the addresses of what belongs to the whole host; no domain can be called that."""


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """Names one resource of an estate. `name` is empty when a domain has just one of the kind."""

    domain: str
    kind: str
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read what `str()` wrote. Raises ValueError."""
        kind, separator, path = text.partition(":")
        domain, _, name = path.partition("/")
        if not (kind and separator and domain):
            raise ValueError(f"{text!r} is not an address")
        return cls(domain, kind, name)

    @property
    def path(self) -> str:
        """The address without its kind: `homelab/llm`."""
        return f"{self.domain}/{self.name}" if self.name else self.domain

    def __str__(self) -> str:
        return f"{self.kind}:{self.path}"
