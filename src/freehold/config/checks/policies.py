"""Policies: ends that exist, ports where there must be some, nothing twice."""

from collections.abc import Iterator

from freehold.config.checks.context import DOMAINS, Context, suggestion
from freehold.config.document import PolicyPart
from freehold.config.places import KeyPath
from freehold.diagnostics import Diagnostic
from freehold.model import Protocol

_OUTSIDE = ("host", "internet")


def policy_ends(context: Context) -> Iterator[Diagnostic]:
    """`from` and `to` exist and differ."""
    domains = frozenset(context.tree.names(DOMAINS))
    for path, policy in context.policies():
        for key, end in (("from", policy.from_), ("to", policy.to)):
            if not _exists(context, domains, end):
                yield _unknown(context, (*path, key), end, domains)
        if policy.from_ == policy.to:
            yield context.at((*path, "to"), "same-ends", f"`from` and `to` are both `{policy.to}`.")


def policy_ports(context: Context) -> Iterator[Diagnostic]:
    """Ports are named, except for ICMP, which has none."""
    for path, policy in context.policies():
        icmp = policy.protocol is Protocol.ICMP
        if icmp and policy.ports is not None:
            yield context.at_key((*path, "ports"), "ports-with-icmp", "`protocol` is `icmp`.")
        elif not icmp and policy.ports is None:
            detail = f"`protocol` is `{policy.protocol.value}`, and no `ports` are named."
            yield context.at(path, "missing-ports", detail)


def duplicate_policies(context: Context) -> Iterator[Diagnostic]:
    """No policy twice; order of ports and reason do not count."""
    first: dict[object, KeyPath] = {}
    for path, policy in context.policies():
        other = first.setdefault(_meaning(policy), path)
        if other != path:
            detail = f"It says the same as the one in {context.line(other)}."
            yield context.at(path, "duplicate-policy", detail)


def needless_policies(context: Context) -> Iterator[Diagnostic]:
    """Between the host and what it reaches anyway, a policy changes nothing."""
    for path, policy in context.policies():
        ends = {policy.from_, policy.to}
        if ends == set(_OUTSIDE):
            detail = "What passes between the host and the outside is not decided here."
        elif policy.from_ == "host" and not policy.bidirectional:
            detail = f"The host reaches `{policy.to}` anyway."
        else:
            continue
        yield context.at(path, "needless-policy", detail)


def _meaning(policy: PolicyPart) -> object:
    ports = frozenset(policy.ports or ())
    return policy.from_, policy.to, policy.protocol, ports, policy.bidirectional


def _exists(context: Context, domains: frozenset[str], end: str) -> bool:
    domain, slash, machine = end.partition("/")
    if not slash:
        return end in domains or end in _OUTSIDE
    return domain in domains and context.tree.has((*DOMAINS, domain, "machines", machine))


def _unknown(context: Context, path: KeyPath, end: str, domains: frozenset[str]) -> Diagnostic:
    domain, slash, machine = end.partition("/")
    if slash and domain in domains:
        machines = context.tree.names((*DOMAINS, domain, "machines"))
        hint = suggestion(end, [f"{domain}/{name}" for name in machines])
        return context.at(
            path, "unknown-end", f"Domain `{domain}` has no machine `{machine}`.", hint
        )
    if slash:
        hint = suggestion(domain, domains)
        return context.at(path, "unknown-end", f"There is no domain `{domain}`.", hint)
    hint = suggestion(end, [*domains, *_OUTSIDE])
    homes = [d for d in sorted(domains) if context.tree.has((*DOMAINS, d, "machines", end))]
    if len(homes) == 1:
        hint = f"A machine is named with its domain: `{homes[0]}/{end}`."
    return context.at(
        path, "unknown-end", f"`{end}` is neither a domain nor `host` or `internet`.", hint
    )
