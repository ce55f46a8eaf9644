"""What no single key of a descriptor can say: that its parts fit together. Called by `catalog` for the user's own.

Those that come with Freehold are looked at by the tests, with the same functions.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import chain

from freehold.config.catalog.build import kind_of
from freehold.config.catalog.document import DescriptorDocument
from freehold.config.catalog.path_checks import path_problems
from freehold.config.catalog.template_checks import template_problems
from freehold.config.codes import problem
from freehold.config.places import KeyPath, Tree
from freehold.diagnostics import Diagnostic, did_you_mean
from freehold.model.descriptors import Condition, Descriptor

Needed = Mapping[str, Descriptor | None]
"""The descriptors behind the needs, by the needs' names; None for one with errors, absent where the catalog has none."""


def descriptor_problems(
    tree: Tree, document: DescriptorDocument, descriptor: Descriptor, needed: Needed
) -> list[Diagnostic]:
    """All of them."""
    return list(
        chain(
            _ways_to_run(tree, document),
            _settings(tree, document),
            _named_ports(tree, descriptor),
            _needs(tree, descriptor, needed),
            _network(tree, descriptor),
            _conditions(tree, descriptor),
            path_problems(tree, document, descriptor),
            template_problems(tree, descriptor, needed),
        )
    )


def _ways_to_run(tree: Tree, document: DescriptorDocument) -> Iterator[Diagnostic]:
    if document.container is None and document.role is None and document.chart is None:
        detail = "It has neither `container` nor `role` nor `chart`."
        yield problem("no-way-to-run", detail, tree.files[0].source(1, 1))
    elif document.container is None:
        for key in ("files", "secrets", "health"):
            if tree.has((key,)):
                detail = f"`{key}` stands there, and no `container`."
                yield problem("only-in-containers", detail, tree.source((key,), key=True))


def _settings(tree: Tree, document: DescriptorDocument) -> Iterator[Diagnostic]:
    for name, part in document.settings.items():
        kind = part.kind or kind_of(
            part.default if part.default is not None else _first(part.choices)
        )
        path: KeyPath = ("settings", name)
        if part.default is not None and kind_of(part.default) is not kind:
            detail = f"`default` is a {kind_of(part.default).value}, `kind` says {kind.value}."
            yield problem("invalid-setting", detail, tree.source((*path, "default")))
        for index, choice in enumerate(part.choices):
            if kind_of(choice) is not kind:
                detail = f"The choice `{choice}` is a {kind_of(choice).value}, not a {kind.value}."
                yield problem("invalid-setting", detail, tree.source((*path, "choices", index)))
        if part.choices and part.default is not None and part.default not in part.choices:
            detail = f"`default` is `{part.default}`, which is not among `choices`."
            yield problem("invalid-setting", detail, tree.source((*path, "default")))


def _first(choices: list[str | int | bool]) -> str | int | bool | None:
    return choices[0] if choices else None


def _named_ports(tree: Tree, descriptor: Descriptor) -> Iterator[Diagnostic]:
    ports = [port.name for port in descriptor.ports]
    if descriptor.exposes is not None and descriptor.exposes not in ports:
        yield _unknown(tree, ("exposes",), "port", descriptor.exposes, ports)
    if descriptor.metrics is not None and descriptor.metrics.port not in ports:
        yield _unknown(tree, ("metrics", "port"), "port", descriptor.metrics.port, ports)


def _needs(tree: Tree, descriptor: Descriptor, needed: Needed) -> Iterator[Diagnostic]:
    for need in descriptor.needs:
        if need.name not in needed:
            detail = f"There is no `{need.service}` in the catalog."
            source = tree.source(("needs", need.name, "service"))
            hint = "See `freehold catalog list`, or write its descriptor too."
            yield problem("unknown-name", detail, source, hint)
        other = needed.get(need.name)
        for index, port in enumerate(need.ports):
            ports = [each.name for each in other.ports] if other else [port]
            if port not in ports:
                yield _unknown(tree, ("needs", need.name, "ports", index), "port", port, ports)
        own = [each.name for each in descriptor.ports]
        for index, port in enumerate(need.calls_back):
            if port not in own:
                yield _unknown(tree, ("needs", need.name, "calls_back", index), "port", port, own)
    names = [need.name for need in descriptor.needs]
    for secret in descriptor.secrets:
        if secret.shared_with is None:
            continue
        need_name, theirs = secret.shared_with
        path: KeyPath = ("secrets", secret.name, "shared_with")
        other = needed.get(need_name)
        secrets = [each.name for each in other.secrets] if other else [theirs]
        if need_name not in names:
            yield _unknown(tree, path, "need", need_name, names)
        elif theirs not in secrets:
            yield _unknown(tree, path, "secret", theirs, secrets)


def _conditions(tree: Tree, descriptor: Descriptor) -> Iterator[Diagnostic]:
    """`when` names a setting, and a value that it can have."""
    settings = {each.name: each for each in descriptor.settings}
    for path, condition in _every_condition(descriptor):
        setting = settings.get(condition.setting)
        if setting is None:
            yield _unknown(tree, path, "setting", condition.setting, list(settings))
            continue
        choices = [str(each) for each in setting.choices]
        if condition.value is not None and choices and condition.value not in choices:
            yield _unknown(tree, path, "choice", condition.value, choices)


def _every_condition(descriptor: Descriptor) -> Iterator[tuple[KeyPath, Condition]]:
    for need in descriptor.needs:
        if need.when is not None:
            yield ("needs", need.name, "when"), need.when
    for secret in descriptor.secrets:
        if secret.when is not None:
            yield ("secrets", secret.name, "when"), secret.when
    for condition in descriptor.container.images if descriptor.container else ():
        yield ("container", "images", str(condition)), condition


def _network(tree: Tree, descriptor: Descriptor) -> Iterator[Diagnostic]:
    container = descriptor.container
    if container is None or container.network_of is None:
        return
    path: KeyPath = ("container", "network_of")
    need = next((each for each in descriptor.needs if each.name == container.network_of), None)
    if need is None:
        names = [each.name for each in descriptor.needs]
        yield _unknown(tree, path, "need", container.network_of, names)
    elif need.optional:
        detail = f"The need `{need.name}` is optional: without it the service would have a network of its own."
        yield problem("contradicting-network", detail, tree.source(path))
    if container.host_network:
        detail = "`host_network` gives it that of the target."
        yield problem("contradicting-network", detail, tree.source(path))


def _unknown(tree: Tree, path: KeyPath, what: str, name: str, valid: Collection[str]) -> Diagnostic:
    there = ", ".join(f"`{each}`" for each in valid)
    detail = f"There is no {what} `{name}`" + (f"; there are: {there}." if there else ", nor any.")
    return problem("unknown-name", detail, tree.source(path), did_you_mean(name, valid))
