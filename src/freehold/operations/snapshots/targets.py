"""Which machines the words of a command mean: a machine, a domain, `all`, or `self`. Called by `planner.py` and `cli.snapshot`."""

from collections.abc import Sequence

from freehold.diagnostics import Diagnostic, UsageError, did_you_mean
from freehold.model import Infra
from freehold.providers.incus.snapshots.reading import Look, Target

ALL = "all"
SELF = "self"


def chosen(look: Look, infra: Infra, words: Sequence[str], own: str | None) -> list[Target]:
    """The machines that are meant, each once, in the order of their names; those that are orphans can be named too.

    `own` is the instance in which this process runs. Raises UsageError for words that mean nothing, all of them at once.
    """
    problems = [_problem(look, infra, word, own) for word in words]
    found = [problem for problem in problems if problem is not None]
    if found:
        raise UsageError(*found)
    return [t for t in look.targets if any(_means(word, t, own) for word in words)]


def own_key(look: Look, own: str | None) -> str | None:
    """The machine of this name of an instance."""
    return next((target.key for target in look.targets if target.instance == own), None)


def _means(word: str, target: Target, own: str | None) -> bool:
    return word in {ALL, target.domain, target.key} or (word == SELF and target.instance == own)


def _problem(look: Look, infra: Infra, word: str, own: str | None) -> Diagnostic | None:
    if word == ALL or any(_means(word, target, own) for target in look.targets):
        return None
    if word == SELF:
        return _not_inside()
    if word in {domain.name for domain in infra.domains} | {m.key for m in infra.machines()}:
        return Diagnostic(
            code="not-there-yet",
            summary="There is nothing of this name yet",
            detail=f"infra.yml names {word}, and it was not created.",
            hint="Create it:\n    freehold apply",
        )
    known = {ALL, *(t.domain for t in look.targets), *(t.key for t in look.targets)}
    return Diagnostic(
        code="unknown-target",
        summary="The command line names something that does not exist",
        detail=word,
        hint=did_you_mean(word, sorted(known)),
    )


def _not_inside() -> Diagnostic:
    return Diagnostic(
        code="not-inside",
        summary="`self` is the machine in which the command runs",
        detail="This computer is no control machine of this estate.",
        hint="Name the machine: DOMAIN/MACHINE.",
    )
