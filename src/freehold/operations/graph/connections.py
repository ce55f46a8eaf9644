"""What the picture draws as an arrow: policies, and what services need on another computer. Pure; used by both kinds of picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from freehold.model import Infra, Policy
from freehold.operations.graph.words import need_traffic, policy_in_words, policy_traffic

if TYPE_CHECKING:
    from freehold.model.services import Service


class Kind(StrEnum):
    """What an arrow means; the name of its style too."""

    POLICY = "policy"
    NEED = "need"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An arrow. An end is a domain, `domain/machine`, a host, or `host` and `internet`; `words` say all of it in a line."""

    number: int
    kind: Kind
    source: str
    target: str
    traffic: str
    words: str
    bidirectional: bool = False


def connections(infra: Infra) -> tuple[Connection, ...]:
    """The policies as they stand in infra.yml, then the needs; numbered through."""
    policies = [_policy(number, policy) for number, policy in enumerate(infra.policies, start=1)]
    needs = enumerate(_needs_elsewhere(infra), start=len(policies) + 1)
    return (*policies, *(_need(number, *need) for number, need in needs))


def needs(infra: Infra) -> "Iterator[tuple[Service, Service]]":
    """Who needs whom, wherever they run."""
    for service in infra.services:
        for name in dict.fromkeys(service.needs.values()):
            if (other := infra.service(name)) is not None:
                yield service, other


def _needs_elsewhere(infra: Infra) -> "Iterator[tuple[Service, Service]]":
    return ((user, used) for user, used in needs(infra) if user.target != used.target)


def _policy(number: int, policy: Policy) -> Connection:
    return Connection(
        number=number,
        kind=Kind.POLICY,
        source=policy.source,
        target=policy.target,
        traffic=policy_traffic(policy),
        words=policy_in_words(policy),
        bidirectional=policy.bidirectional,
    )


def _need(number: int, user: "Service", used: "Service") -> Connection:
    traffic = need_traffic(user, used)
    return Connection(
        number=number,
        kind=Kind.NEED,
        source=user.target,
        target=used.target,
        traffic=traffic,
        words=f"{user.name} on {user.target} needs {used.name} on {used.target}: {traffic}",
    )
