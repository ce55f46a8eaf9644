"""Services that need each other: every need is met by one service of the right kind, and nobody waits for himself."""

from collections.abc import Iterator

from freehold.config.checks.context import Context, suggestion
from freehold.config.placing import Placing
from freehold.diagnostics import Diagnostic, did_you_mean
from freehold.model.descriptors import Descriptor, Need
from freehold.model.secrets import is_secret_name


def needs(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """Written or found, there is one service for each."""
    for name, part, descriptor in placing.known():
        known = {need.name: need for need in descriptor.needs}
        for key in part.needs:
            if key not in known:
                words = ", ".join(f"`{each}`" for each in known)
                there = f"; there are {words}" if known else ", nor any"
                detail = f"{descriptor.title} has no need `{key}`{there}."
                path = ("services", name, "needs", key)
                yield context.at_key(path, "unknown-need", detail, did_you_mean(key, known))
        for need in descriptor.needs:
            if not placing.holds(name, need.when):
                continue
            if need.name in part.needs:
                yield from _written(context, placing, name, need, part.needs[need.name])
            elif need.optional:
                yield from _unclear(context, placing, name, need)
            else:
                yield from _found(context, placing, name, descriptor, need)


def _written(
    context: Context, placing: Placing, name: str, need: Need, other: str
) -> Iterator[Diagnostic]:
    path = ("services", name, "needs", need.name)
    candidates = placing.of_kind(need.service)
    if other in candidates or (
        context.tree.has(("services", other)) and other not in placing.parts
    ):
        return
    if other not in placing.parts:
        detail = f"There is no service `{other}`."
        hint = suggestion(other, candidates) or suggestion(other, list(placing.parts))
    else:
        detail = f"`{other}` is {_a(placing.kind(other))}; the need is for {_a(need.service)}."
        hint = f"Write `{need.name}: {candidates[0]}`." if candidates else None
    yield context.at(path, "wrong-need", detail, hint)


def _a(kind: str) -> str:
    return f"a `{kind}`"


def _found(
    context: Context, placing: Placing, name: str, descriptor: Descriptor, need: Need
) -> Iterator[Diagnostic]:
    candidates = placing.of_kind(need.service)
    path = ("services", name)
    if not candidates and _is_one_unreadable(context, placing):
        return
    if not candidates:
        detail = f"`{name}` ({descriptor.title}) needs a `{need.service}` as its {need.name}; infra.yml has none."
        hint = f"Add it to `services`: `{need.service}: {{on: {placing.parts[name].on}}}`."
        yield context.at_key(path, "missing-need", detail, hint)
    elif len(candidates) > 1:
        words = ", ".join(f"`{each}`" for each in candidates)
        detail = f"`{name}` ({descriptor.title}) needs a `{need.service}` as its {need.name}; there are {words}."
        hint = f"Add to it: `needs: {{{need.name}: {candidates[0]}}}`."
        yield context.at_key(path, "ambiguous-need", detail, hint)


def _unclear(context: Context, placing: Placing, name: str, need: Need) -> Iterator[Diagnostic]:
    """A warning: it could have one, and goes without because there are several."""
    candidates = placing.of_kind(need.service)
    if len(candidates) > 1:
        words = ", ".join(f"`{each}`" for each in candidates)
        detail = f"`{name}` could use a `{need.service}` as its {need.name}; there are {words}, and it goes without."
        hint = f"Add to it: `needs: {{{need.name}: {candidates[0]}}}`."
        yield context.at_key(("services", name), "unclear-need", detail, hint)


def _is_one_unreadable(context: Context, placing: Placing) -> bool:
    """Whether a service was left out because something in it is wrong: it may be the one that is missed."""
    return set(context.tree.names(("services",))) != set(placing.parts)


def apart(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """A warning: two on one target of which the one watches the other."""
    for name, part, descriptor in placing.known():
        met = placing.needs(name)
        for need in descriptor.needs:
            other = met.get(need.name)
            if need.apart and other is not None and placing.parts[other].on == part.on:
                detail = f"`{other}` watches `{name}`, and both are on `{part.on}`."
                yield context.at(("services", other, "on"), "not-apart", detail)


def cycles(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """Each circle once, from its first service on."""
    reported: set[frozenset[str]] = set()
    done: set[str] = set()
    for start in placing.parts:
        for circle in _circles(placing, start, done):
            if frozenset(circle) not in reported:
                reported.add(frozenset(circle))
                words = " → ".join([*circle, circle[0]])
                detail = f"{words}."
                yield context.at_key(("services", circle[0]), "cyclic-needs", detail)


def _circles(placing: Placing, start: str, done: set[str]) -> Iterator[list[str]]:
    """Depth first, without recursion: a chain may be as long as the file. `done` are those whose needs are all looked at."""
    way = [start]
    left = [iter(placing.needs(start).values())]
    while way:
        following = next(left[-1], None)
        if following is None:
            done.add(way.pop())
            left.pop()
        elif following in way:
            yield _from_least(way[way.index(following) :])
        elif following not in done:
            way.append(following)
            left.append(iter(placing.needs(following).values()))


def _from_least(circle: list[str]) -> list[str]:
    at = circle.index(min(circle))
    return circle[at:] + circle[:at]


def secrets(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """`secrets` names those that the descriptor has, and gives them names that a secret can have."""
    for name, part, descriptor in placing.known():
        known = [secret.name for secret in descriptor.secrets]
        for key, secret in part.secrets.items():
            if not is_secret_name(secret):
                path = ("services", name, "secrets", key)
                yield context.at(path, "invalid-secret-name", f"`{secret}` is no name of a secret.")
            if key not in known:
                words = ", ".join(f"`{each}`" for each in known)
                there = f"; there are {words}" if known else ", nor any"
                detail = f"{descriptor.title} has no secret `{key}`{there}."
                path = ("services", name, "secrets", key)
                yield context.at_key(path, "unknown-secret-need", detail, did_you_mean(key, known))
