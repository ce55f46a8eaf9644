"""Every template of a descriptor, read without filling it in: its syntax, its names, and no secret where it would be seen."""

from collections.abc import Iterator, Mapping

from freehold.config.catalog.templates import Names, called_secrets, unknown_names, wrong_syntax
from freehold.config.codes import problem
from freehold.config.places import KeyPath, Tree
from freehold.diagnostics import Diagnostic, did_you_mean
from freehold.model.descriptors import Descriptor

ESTATE_NAMES: Names = {
    "name": None,
    "telegram": {"chat": None, "api": None},
    "targets": None,
    "scrapes": None,
    "probes": None,
    "names": None,
    "routes": None,
    "exposures": None,
    "ingress": {
        "service": None,
        "target": None,
        "address": None,
        "host": None,
        "ports": None,
        "addresses": None,
    },
    "rules": None,
    "inhibitions": None,
}
"""What `estate` has (`freehold.wiring.estate`). The alerts of a service do not see it: `estate.rules` are made of them."""


def template_problems(
    tree: Tree, descriptor: Descriptor, needed: Mapping[str, Descriptor | None]
) -> Iterator[Diagnostic]:
    """What is wrong with them; names of a need whose descriptor is not known are not looked at."""
    every = {**names_of(descriptor, needed), "estate": ESTATE_NAMES}
    for path, template in templates_of(descriptor):
        names = names_of(descriptor, needed) if path[0] == "alerts" else every
        if wrong := wrong_syntax(template):
            yield problem("template-syntax", f"{wrong}.", tree.source(path))
        elif path == ("container", "tag"):
            yield from _tag(tree, template)
        else:
            file = next((f for f in descriptor.files if path == ("files", f.path, "content")), None)
            yield from _names(tree, path, template, names, secret=bool(file and file.secret))


def templates_of(descriptor: Descriptor) -> Iterator[tuple[KeyPath, str]]:
    """All templates with their places."""
    container = descriptor.container
    if container is not None:
        yield ("container", "tag"), container.tag
        for key in ("command", "entrypoint"):
            for index, word in enumerate(getattr(container, key)):
                yield ("container", key, index), word
        for name, value in container.environment.items():
            yield ("container", "environment", name), value
        for mount in container.mounts:
            yield ("container", "mounts", mount.path, "source"), mount.source
    for file in descriptor.files:
        if not file.verbatim:
            yield ("files", file.path, "content"), file.content
    for data in descriptor.data:
        for key, words in (("pre", data.pre), ("post", data.post)):
            for index, word in enumerate(words):
                yield ("data", data.name, key, index), word
    for secret in descriptor.secrets:
        for index, word in enumerate(secret.takeover):
            yield ("secrets", secret.name, "takeover", index), word
    for index, word in enumerate(descriptor.health.command if descriptor.health else ()):
        yield ("health", "command", index), word
    for alert in descriptor.alerts:
        yield ("alerts", alert.name, "expression"), alert.expression
        yield ("alerts", alert.name, "summary"), alert.summary


def names_of(descriptor: Descriptor, needed: Mapping[str, Descriptor | None]) -> Names:
    """What its templates may name."""
    return {
        "service": {"name": None, "target": None, "host": None},
        "version": None,
        "settings": {each.name: None for each in descriptor.settings},
        "ports": {each.name: None for each in descriptor.ports},
        "secrets": {each.name: None for each in descriptor.secrets},
        "needs": {
            need.name: _names_of_need(descriptor, need.name, needed) for need in descriptor.needs
        },
    }


def _names_of_need(
    descriptor: Descriptor, name: str, needed: Mapping[str, Descriptor | None]
) -> Names | None:
    other = needed.get(name)
    if other is None:
        return None
    need = next(each for each in descriptor.needs if each.name == name)
    ports = {port.name: None for port in need.used(other)}
    return {
        "host": None,
        "ports": ports,
        "addresses": ports,
        "calls_back": dict.fromkeys(need.calls_back),
        "settings": {each.name: None for each in other.settings},
    }


def _tag(tree: Tree, template: str) -> Iterator[Diagnostic]:
    """Filled in before anything else is, so the version is all that it may hold, and as it stands."""
    rest = template.replace("{{ version }}", "")
    if "{" in rest or "}" in rest:
        detail = f"`{template}` holds something else than `{{{{ version }}}}`, written so."
        yield problem(
            "unknown-in-template", detail, tree.source(("container", "tag")), "Write for example `tag: \"{{ version }}-alpine\"`."
        )  # fmt: skip


def _names(
    tree: Tree, path: KeyPath, template: str, names: Names, *, secret: bool
) -> Iterator[Diagnostic]:
    source = tree.source(path)
    seen = set()
    for word, before, valid in unknown_names(template, {**names, "secret": None}):
        whole = _whole(word, before)
        if whole in seen:
            continue
        seen.add(whole)
        valid = [each for each in valid if secret or each != "secret"]
        there = ", ".join(f"`{each}`" for each in valid[:12])
        detail = f"The template asks for `{whole}`; there is " + (f"{there}." if there else "none.")
        yield problem("unknown-in-template", detail, source, did_you_mean(word, valid))
    known = names["secrets"]
    for name in called_secrets(template):
        if not secret:
            detail = f'`secret("{name}")` stands in a template that is no secret file.'
            yield problem("secret-in-template", detail, source)
        elif name not in known:
            detail = f'The template asks for `secret("{name}")`; there is no such secret.'
            yield problem("unknown-in-template", detail, source, did_you_mean(name, known))


def _whole(word: str, before: tuple[str, ...]) -> str:
    if before in (("|",), ("is",)):
        return f"{before[0]} {word}"
    return ".".join((*before, word))
