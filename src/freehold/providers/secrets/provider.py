"""The secrets of an estate as resources: `secret:host/db_password`. Those that services need and that are absent are generated.

Made by `cli` with the estate's secrets; driven by `engine` through `providers.protocol.Provider`. No field holds a value: a secret
that is there has its fingerprint, so that a plan that was saved notices when it was changed.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence

from freehold.diagnostics import BackendError, Diagnostic, Severity
from freehold.model import Infra
from freehold.planning.address import HOST, Address
from freehold.planning.change import Change
from freehold.planning.resource import Desired, Fields, Kind, Observed
from freehold.providers.protocol import Observation, Report, Step
from freehold.providers.secrets.needs import Needed, needed_secrets
from freehold.system.secrets import Secrets
from freehold.system.secrets.generated import generated

KIND = Kind(name="secret", rank=0)
SET_BY_USER = "to be set by you"

_SHOWN = 8  # names in one message


def secret_address(name: str) -> Address:
    """The address of the secret of that name."""
    return Address(HOST, KIND.name, name)


class SecretsProvider:
    """The secrets that infra.yml names."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return {KIND.name: KIND}

    async def observe(self, infra: Infra) -> Observation:
        """Of an estate that needs none, the file is not even looked for: whoever has no key may work on it."""
        needed = needed_secrets(infra)
        if not needed:
            return Observation()
        return await asyncio.to_thread(self._look, needed)

    def _look(self, needed: Mapping[str, Needed]) -> Observation:
        there = self._secrets.names()
        observed = {
            secret_address(name): Observed(
                address=secret_address(name),
                fields={"fingerprint": self._secrets.fingerprint(name)},
            )
            for name in needed
            if name in there
        }
        return Observation(observed, tuple(_remarks(needed, there)))

    def desired(self, infra: Infra, observation: Observation) -> Mapping[Address, Desired]:
        """One that is there is wanted as it is. One that only its user can know is in the plan too, which then cannot be applied."""
        wanted: dict[Address, Desired] = {}
        for needed in needed_secrets(infra).values():
            address = secret_address(needed.name)
            if seen := observation.observed.get(address):
                wanted[address] = Desired(address=address, fields=seen.fields)
            else:
                wanted[address] = Desired(address=address, fields=_new(needed))
        return wanted

    def steps(self, estate: str, change: Change) -> Sequence[Step]:
        """They are never deleted by a plan: nothing else knows them."""
        wanted, name = change.desired, change.address.name
        if wanted is None:
            return []
        length = wanted.get("length")

        async def generate(report: Report) -> None:
            if length is None:  # no plan with such a change can be applied
                raise BackendError(_missing(Needed(name)))
            await asyncio.to_thread(self._secrets.add, name, generated(int(length)))

        return [Step(f"generate {name}", generate)]

    async def wait_ready(self, timeout: float) -> None:
        """A file is always there."""


def _new(needed: Needed) -> Fields:
    if needed.length is None:
        return {"value": SET_BY_USER, "for": [*needed.users]}
    return {"value": "generated", "length": needed.length, "for": [*needed.users]}


def _remarks(needed: Mapping[str, Needed], there: Collection[str]) -> Iterator[Diagnostic]:
    for each in needed.values():
        if each.name not in there and each.length is None:
            yield _missing(each)
    if unused := sorted(name for name in there if name not in needed):
        yield _unused(unused)


def _missing(needed: Needed) -> Diagnostic:
    return Diagnostic(
        code="secret-missing",
        summary="A secret that only you can know is missing",
        detail=f"`{needed.name}` is needed by {', '.join(needed.users) or 'infra.yml'}, and no service says that it may be generated.",
        hint=f"Give it its value; it is asked for without being shown:\n    freehold secret set {needed.name}",
    )


def _unused(names: Sequence[str]) -> Diagnostic:
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    return Diagnostic(
        severity=Severity.WARNING,
        code="secret-unused",
        summary="Secrets that nothing uses",
        detail=f"infra.yml does not name {shown}. They stay.",
        hint="To delete one for good:\n    freehold secret remove NAME",
    )
