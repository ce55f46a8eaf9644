"""What a set of rules does with a packet of a machine: followed rule by rule, so that the one that drops can be named.

Pure. The rules come from `iptables_rules` and `nft_rules`, the questions from `passage`. A rule with a condition that is
not understood here (addresses, marks, named sets) is taken not to apply.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

ELSEWHERE = "*"  # some interface that is no bridge of the estate


class Action(StrEnum):
    """What a rule does with a packet that it applies to. NONE: it only counts, or the like."""

    ACCEPT = "accept"
    DROP = "drop"
    RETURN = "return"
    JUMP = "jump"
    GOTO = "goto"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Packet:
    """Of a connection through (`forward`) or to (`input`) this computer; interfaces as rules see them.

    `sent_to`: what kind of address (ip-route(8), TYPE).
    """

    came_in: str
    goes_out: str = ""
    state: str = "new"
    protocol: str = "tcp"
    port: str = "443"
    sent_to: str = "unicast"

    def value(self, key: str) -> str:
        """What a condition on `key` compares with."""
        return str(getattr(self, key))


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether the packet's `key` (a field of Packet) is one of `values`; a value may end in `*`."""

    key: str
    values: tuple[str, ...]
    negated: bool = False

    def holds(self, packet: Packet) -> bool:
        """Whether the packet fulfils it."""
        found = packet.value(self.key)
        return any(_matches(found, value) for value in self.values) is not self.negated


@dataclass(frozen=True, slots=True)
class Rule:
    """`words`: as its program writes it, or what the program finds it by. `conditions` is None when not understood."""

    words: str
    conditions: tuple[Condition, ...] | None
    action: Action
    target: str = ""

    def applies(self, packet: Packet) -> bool:
        """Whether the rule is meant for this packet."""
        return self.conditions is not None and all(c.holds(packet) for c in self.conditions)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """The chains of one table. `program`: the form of iptables that shows it; None for nft itself.

    `hooks`: its base chains, each with its hook. `dropping`: the chains whose policy it is to drop.
    """

    family: str
    table: str
    program: str | None
    chains: Mapping[str, tuple[Rule, ...]]
    hooks: Mapping[str, str]
    dropping: frozenset[str] = field(default_factory=frozenset)

    @property
    def name(self) -> str:
        """As people know it: `inet firewalld`, `ip filter (iptables-legacy)`."""
        shown_by = f" ({self.program})" if self.program else ""
        return f"{self.family} {self.table}{shown_by}"

    @property
    def is_shut(self) -> bool:
        """Whether it does nothing but drop: all that is forwarded, and all else that enters it."""
        return "forward" in self.hooks.values() and all(map(self._only_drops, self.hooks))

    def _only_drops(self, chain: str) -> bool:
        rules = self.chains[chain]
        drops = chain in self.dropping or any(
            rule.action is Action.DROP and rule.conditions == () for rule in rules
        )
        return drops and all(rule.action in (Action.DROP, Action.NONE) for rule in rules)

    def base_chains(self, hook: str) -> list[str]:
        """The names of the chains that packets enter at this hook."""
        return [name for name, entered in self.hooks.items() if entered == hook]

    def obstacle(self, chain: str, packet: Packet) -> "Decision | None":
        """What in a base chain drops the packet; None when it passes."""
        found = self._walk(chain, packet, ())
        if found is None:
            return Decision(chain, chain, None) if chain in self.dropping else None
        return found if found.rule and found.rule.action is Action.DROP else None

    def _walk(self, chain: str, packet: Packet, above: tuple[str, ...]) -> "Decision | None":
        """What decides, in this chain or one it calls; None when the end of the chain is reached."""
        for rule in self.chains.get(chain, ()):
            if not rule.applies(packet):
                continue
            if rule.action in (Action.ACCEPT, Action.DROP):
                return Decision((*above, chain)[0], chain, rule)
            if rule.action is Action.RETURN:
                return None
            if rule.action in (Action.JUMP, Action.GOTO) and rule.target not in above:
                found = self._walk(rule.target, packet, (*above, chain))
                if found is not None or rule.action is Action.GOTO:
                    return found
        return None


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a packet's way ends: at a rule of `chain`, or, with `rule` None, at the policy of the base chain."""

    base: str
    chain: str
    rule: Rule | None


def _matches(found: str, value: str) -> bool:
    return found.startswith(value[:-1]) if value.endswith("*") else found == value
