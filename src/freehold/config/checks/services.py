"""Services one by one: a descriptor that is there, a target that can run it, settings and versions that it knows.

Read by `checks`; what services are to each other is in `services_needs`, `services_ports` and `services_reach`.
"""

from collections.abc import Iterator
from datetime import date

from freehold.config.catalog.also_called import meant
from freehold.config.catalog.build import kind_of
from freehold.config.checks.context import DOMAINS, Context, key_of, suggestion
from freehold.config.placing import Placing
from freehold.diagnostics import Diagnostic, did_you_mean
from freehold.model.descriptors import Descriptor, Setting, SettingKind, SettingValue

_EXAMPLES = {SettingKind.TEXT: "text", SettingKind.NUMBER: "a number", SettingKind.SWITCH: "`true` or `false`"}  # fmt: skip


def descriptors(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """Each service is in the catalog, and what is there has no errors."""
    for name, part in placing.parts.items():
        kind = placing.kind(name)
        understood = context.understood(("services", name, "service"), part)
        if understood and placing.entry(name) is None:
            path = ("services", name, "service") if part.service else ("services", name)
            detail = f"There is no `{kind}` in the catalog."
            hint = meant(kind, placing.catalog.names())
            at = context.at if part.service else context.at_key
            yield at(path, "unknown-service", detail, hint or _write_one(kind))
    yield from placing.catalog.problems()


def _write_one(kind: str) -> str:
    return f"See `freehold catalog list`, or write `catalog/{kind}.yml` yourself."


def service_names(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """A word means one thing: no service is called like a host or a domain."""
    for name in placing.parts:
        for parent, what in ((("hosts",), "host"), (DOMAINS, "domain")):
            if name in context.tree.names(parent):
                detail = f"The service and the {what} ({context.line((*parent, name))}) are both `{name}`."
                hint = f"Call the service otherwise, and add `service: {placing.kind(name)}` to it."
                yield context.at_key(("services", name), "service-name-taken", detail, hint)


def targets(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """`on` names a host or a machine that is there."""
    known = dict.fromkeys([*context.tree.names(("hosts",)), *_machine_names(context)])
    for name, part in placing.parts.items():
        if part.on not in known:
            detail, hint = _no_target(context, part.on), _target_hint(context, part.on, [*known])
            yield context.at(("services", name, "on"), "unknown-target", detail, hint)


def supported(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """The target can run the service: as what it runs, and on its processor."""
    for name, part, descriptor in placing.known():
        path = ("services", name, "on")
        if descriptor.container is None and descriptor.role is None:
            detail = f"{descriptor.title} runs on clusters only: the catalog has a `chart` for it, no `container` and no `role`."
            hint = "Clusters belong to a later version of Freehold."
            yield context.at(path, "unsupported-target", detail, hint)
        host = context.document.hosts.get(part.on)
        if host is not None and host.arch not in descriptor.architectures:
            there = ", ".join(f"`{each.value}`" for each in descriptor.architectures)
            detail = f"`{part.on}` is {host.arch.value}; {descriptor.title} runs on {there}."
            yield context.at(path, "unsupported-target", detail)


def docker_options(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """No machine that runs containers has an option that keeps Docker from working."""
    machines = {key_of(path): path for path, _, _ in context.machines()}
    for name, part, descriptor in placing.known():
        if part.on in machines and descriptor.container is not None:
            yield from _options(context, (*machines[part.on], "config"), name)


def _machine_names(context: Context) -> Iterator[str]:
    for domain in context.tree.names(DOMAINS):
        for machine in context.tree.names((*DOMAINS, domain, "machines")):
            yield f"{domain}/{machine}"


def _no_target(context: Context, target: str) -> str:
    if target in context.tree.names(DOMAINS):
        return f"`{target}` is a domain; a service runs on one of its machines."
    return f"`{target}` is neither a host nor a machine of infra.yml."


def _target_hint(context: Context, target: str, known: list[str]) -> str | None:
    if target in context.tree.names(DOMAINS):
        machines = context.tree.names((*DOMAINS, target, "machines"))
        return f"Write for example `on: {target}/{machines[0]}`." if machines else None
    homes = [name for name in known if name.endswith(f"/{target}")]
    if len(homes) == 1:
        return f"A machine is named with its domain: `{homes[0]}`."
    return suggestion(target, known)


def _options(context: Context, path: tuple[str | int, ...], service: str) -> Iterator[Diagnostic]:
    from freehold.config.service_targets import DOCKER_OPTIONS

    written = context.tree.get(path)
    for option, needed in DOCKER_OPTIONS.items() if isinstance(written, dict) else ():
        value = written.get(option)
        if option == "security.idmap.isolated" or value is None:
            continue  # without that one Docker runs, if not with many others
        if str(value).lower() != needed:
            detail = f"`{option}` is `{str(value).lower()}`, and the service `{service}` runs there by Docker."
            yield context.at((*path, option), "docker-needs-option", detail)


def settings(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """Those that the descriptor knows, of its kinds; and all that must be given are."""
    for name, part, descriptor in placing.known():
        known = {setting.name: setting for setting in descriptor.settings}
        for key, value in part.settings.items():
            path = ("services", name, "settings", key)
            if key not in known:
                detail = f"{descriptor.title} has no setting `{key}`{_there(known)}."
                hint = did_you_mean(key, known) or _show(descriptor)
                yield context.at_key(path, "unknown-setting", detail, hint)
            else:
                yield from _value(context, path, known[key], value)
        for setting in descriptor.settings:
            if setting.default is None and setting.name not in part.settings:
                detail = f"`{name}` has no `{setting.name}`: {setting.description}."
                hint = f"Add `settings: {{{setting.name}: …}}`, {_EXAMPLES[setting.kind]}."
                yield context.at_key(("services", name), "missing-setting", detail, hint)


def _value(
    context: Context, path: tuple[str, ...], setting: Setting, value: SettingValue
) -> Iterator[Diagnostic]:
    if kind_of(value) is not setting.kind:
        written = str(value).lower() if isinstance(value, bool) else value
        detail = f"`{setting.name}` must be {_EXAMPLES[setting.kind]}, not `{written}`."
        hint = None
        if setting.kind is SettingKind.TEXT:
            hint = f'Put it in quotes: `"{written}"`.'
        elif setting.kind is SettingKind.NUMBER and str(value).isdecimal():
            hint = f"Write `{value}` without quotes."
        yield context.at(path, "wrong-type", detail, hint)
    elif setting.choices and value not in setting.choices:
        there = ", ".join(f"`{choice}`" for choice in setting.choices)
        hint = did_you_mean(str(value), [str(choice) for choice in setting.choices])
        detail = f"`{setting.name}` cannot be `{value}`; possible: {there}."
        yield context.at(path, "invalid-value", detail, hint)


def versions(context: Context, placing: Placing, today: date) -> Iterator[Diagnostic]:
    """Warnings: a version that nobody mends any more, or that is not pinned though others are."""
    for name, part, descriptor in placing.known():
        version = part.version or descriptor.version
        path = ("services", name, "version") if part.version else ("services", name)
        told = part.image is not None or descriptor.replaced_by is not None
        end = None if told else descriptor.end_of_life(version)
        if end is not None and end < today:
            detail = f"{descriptor.title} {version} has not been mended since {end.isoformat()}."
            at = context.at if part.version else context.at_key
            yield at(path, "end-of-life", detail, _newer(descriptor, version, today))
        pins = descriptor.container.digests if descriptor.container else {}
        if pins and version not in pins and part.image is None:
            there = ", ".join(f"`{each}`" for each in pins)
            detail = f"{descriptor.title} {version} has no digest in the catalog; there is one for {there}."
            yield context.at(path, "version-not-pinned", detail)


def replaced(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """A warning: what another entry of the catalog took the place of."""
    for name, part, descriptor in placing.known():
        if descriptor.replaced_by is not None:
            path = ("services", name, "service") if part.service else ("services", name)
            end = descriptor.end_of_life(descriptor.version)
            ended = f"; the end of its life is {end.isoformat()}" if end else ""
            detail = f"{descriptor.title} was replaced by `{descriptor.replaced_by}`{ended}."
            hint = f"Write `service: {descriptor.replaced_by}`; `freehold catalog show {descriptor.name}` tells the way over."
            at = context.at if part.service else context.at_key
            yield at(path, "replaced-service", detail, hint)


def _newer(descriptor: Descriptor, version: str, today: date) -> str | None:
    end = descriptor.end_of_life(descriptor.version)
    if descriptor.version == version or (end is not None and end < today):
        return None
    return f'Write `version: "{descriptor.version}"`, the catalog\'s, or another that is mended; read first what its makers say of the way there.'


def images(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """`image` means something only where there is a container."""
    for name, part, descriptor in placing.known():
        if part.image is not None and descriptor.container is None:
            detail = f"{descriptor.title} is installed by the role `{descriptor.role}`."
            yield context.at_key(("services", name, "image"), "image-without-container", detail)


def roles(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """The role of a service without a container is there."""
    from freehold.config.collection import COLLECTION, roles_in, shipped_roles

    own = roles_in(context.folder / "roles")
    for name, _, descriptor in placing.known():
        role = descriptor.role
        if role is None or descriptor.container is not None or role.count(".") == 2:
            continue
        if role not in own | shipped_roles():
            detail = f"{descriptor.title} is installed by the role `{role}`, which is neither in `roles/` beside infra.yml nor in {COLLECTION}."
            path = ("services", name)
            yield context.at_key(
                path, "unknown-role", detail, suggestion(role, own | shipped_roles())
            )


def _there(known: dict[str, Setting]) -> str:
    words = ", ".join(f"`{name}`" for name in known)
    return f"; there are {words}" if words else ", nor any"


def _show(descriptor: Descriptor) -> str:
    return f"See `freehold catalog show {descriptor.name}`."
