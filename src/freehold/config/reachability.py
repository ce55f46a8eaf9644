"""Whether packets may pass between two targets, by the same words that `verify` compares with real packets.

Asked by `links` before the model is there, and by `checks.services_reach`: the rest of the file may be wrong still.
"""

from ipaddress import IPv4Network

from freehold.config.document import DEFAULT_BASE, Document
from freehold.model import Domain, Infra, Policy, Trust
from freehold.model.protocols import Protocol
from freehold.model.traffic import INTERNET, Declaration, Flow


class Reachability:
    """What the domains and policies of a document let pass."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._declared = Declaration(_declared(document))

    def end(self, target: str) -> str | None:
        """A target as policies name it: computers reached by SSH are outside of the estate's networks. None when it is not there."""
        if target in self._document.hosts:
            return INTERNET
        domain, _, machine = target.partition("/")
        part = self._document.domains.get(domain)
        return target if part is not None and machine in part.machines else None

    def is_blocked(self, source: str, target: str, protocol: Protocol, port: int) -> bool:
        """Whether no word of infra.yml lets this pass. Between hosts nothing stands, nor where one of the two is not there."""
        ends = (self.end(source), self.end(target))
        if source == target or None in ends or ends == (INTERNET, INTERNET):
            return False
        flow = Flow(source=str(ends[0]), target=str(ends[1]), protocol=protocol, port=port)
        return self._declared.permission(flow) is None

    def has_no_way(self, source: str, target: str, protocol: Protocol, port: int) -> bool:
        """Whether no policy may follow by itself: a computer outside has no route to the private addresses of machines, and a way
        out of a domain without the Internet would be one to everybody there.
        """
        outside = INTERNET in (self.end(source), self.end(target))
        return outside and self.is_blocked(source, target, protocol, port)


def _declared(document: Document) -> Infra:
    """As much of the model as says who may reach whom."""
    default = document.defaults.trust or Trust.SEMI_TRUSTED
    nowhere = IPv4Network(DEFAULT_BASE)
    domains = tuple(
        Domain(name=n, subnet_id=0, subnet=nowhere, trust=part.trust or default, internet=part.internet)
        for n, part in document.domains.items()
    )  # fmt: skip
    policies = tuple(
        Policy(
            source=part.from_,
            target=part.to,
            protocol=part.protocol,
            ports=tuple(part.ports or ()),
            bidirectional=part.bidirectional,
        )
        for part in document.policies
    )
    return Infra(name="", base=nowhere, domains=domains, policies=policies)
