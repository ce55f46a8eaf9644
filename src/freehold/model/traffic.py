"""What infra.yml says about packets: may this connection be opened? Pure, and knows nothing of how rules are written.

Asked by `operations.traffic`, which compares the answer with what real packets did. It is kept apart from the provider
that makes the rules, so that a mistake in one of the two shows as a difference.
"""

from collections import defaultdict
from dataclasses import dataclass

from freehold.model.infra import Domain, Infra, Policy, Trust
from freehold.model.protocols import Protocol

HOST = "host"
INTERNET = "internet"

DHCP_PORT = 67  # RFC 2131, section 4.1
DNS_PORT = 53  # RFC 1035, section 4.2

_GATEWAY_SERVICES = {
    (Protocol.UDP, DHCP_PORT): "addresses (DHCP) come from the own gateway",
    (Protocol.UDP, DNS_PORT): "names (DNS) come from the own gateway",
    (Protocol.TCP, DNS_PORT): "names (DNS) come from the own gateway",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A connection as its first IPv4 packet shows it; replies are not asked about, they always pass.

    `source` and `target` are `domain/machine`, `host` or `internet`. `port` is None for ICMP. Of a flow to the host,
    `gateway_of` is the domain whose gateway address is meant; None for any other address that the host has.
    """

    source: str
    target: str
    protocol: Protocol
    port: int | None = None
    gateway_of: str | None = None


class Declaration:
    """An estate's answer for every flow. What each end may do is looked up, whatever the number of policies."""

    def __init__(self, infra: Infra) -> None:
        self._domains = {domain.name: domain for domain in infra.domains}
        self._policies: defaultdict[tuple[str, str], list[tuple[int, Policy]]] = defaultdict(list)
        for number, policy in enumerate(infra.policies, start=1):
            self._policies[policy.source, policy.target].append((number, policy))
            if policy.bidirectional:
                self._policies[policy.target, policy.source].append((number, policy))

    def permission(self, flow: Flow) -> str | None:
        """Why this flow may pass, in words; None when it may not. Raises KeyError for a domain that does not exist."""
        return self._without_policy(flow) or self._by_policy(flow)

    def _without_policy(self, flow: Flow) -> str | None:
        if flow.source == HOST:
            return "the host may reach everything"
        if flow.source == INTERNET:
            return None
        source = self._domain(flow.source)
        if flow.target == HOST:
            own = flow.gateway_of == source.name
            return _GATEWAY_SERVICES.get((flow.protocol, flow.port or 0)) if own else None
        if flow.target == INTERNET:
            return f"{source.name} may open connections to the outside" if source.internet else None
        return _between(source, self._domain(flow.target))

    def _by_policy(self, flow: Flow) -> str | None:
        for source in _ends(flow.source):
            for target in _ends(flow.target):
                for number, policy in self._policies.get((source, target), ()):
                    if _covers(policy, flow):
                        return _words(number, policy)
        return None

    def _domain(self, end: str) -> Domain:
        return self._domains[domain_of(end)]


def domain_of(end: str) -> str:
    """The domain of a machine, a domain itself, or `host` and `internet` as they are."""
    return end.partition("/")[0]


def _between(source: Domain, target: Domain) -> str | None:
    if source.name == target.name:
        return f"both are in {source.name}"
    return f"{source.name} is trusted as admin" if source.trust is Trust.ADMIN else None


def _ends(end: str) -> tuple[str, ...]:
    """By which words a policy names this end: a machine also by its domain."""
    return (end, domain_of(end)) if "/" in end else (end,)


def _words(number: int, policy: Policy) -> str:
    """One that infra.yml does not have has no number there; those come after all that have."""
    if policy.follows:
        return f"follows from services: {policy.reason}"
    return f"policy {number}: {policy.reason}".removesuffix(": ")


def _covers(policy: Policy, flow: Flow) -> bool:
    if policy.protocol is not flow.protocol:
        return False
    if flow.protocol is Protocol.ICMP:
        return True
    return any(first <= (flow.port or 0) <= last for first, last in policy.ports)
