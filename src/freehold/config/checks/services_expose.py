"""Services with a name for people: something to show, a name of its own, somebody who serves it, and a login or a reason for none."""

import re
from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.config.placing import Placing
from freehold.config.services import ExposePart, exposure_of
from freehold.diagnostics import Diagnostic
from freehold.model.exposure import LOGIN_NEED, Login

INGRESS = "caddy"
LOGIN = "authelia"
"""Entries of the catalog that the hints name."""

SITE = "site"
"""The setting by which the catalog's proxy serves something of its own, such as `https://www.example.org:443/here, example.org`."""

_SITE_NAME = re.compile(r"(?:https?://)?([^\s,:/]+)[^\s,]*")


def exposed(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """There is a port to show, and the name is nobody else's; the first in the order of names keeps it."""
    first: dict[str, str] = {}
    for name, part, descriptor in placing.known():
        if part.expose is None:
            continue
        if descriptor.exposes is None:
            detail = f"The catalog knows no port of {descriptor.title} that people open in a browser (`exposes`)."
            yield context.at_key(("services", name, "expose"), "nothing-to-expose", detail)
        other = first.setdefault(part.expose.host, name)
        if other != name:
            detail = f"`{other}` and `{name}` are both `{part.expose.host}`."
            yield context.at(("services", name, "expose", "host"), "exposed-name-taken", detail)


def own_sites(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """A proxy serves nothing else under the name of a service: there nobody would be asked for a login."""
    exposed = {
        part.expose.host: name for name, part, _ in placing.known() if part.expose is not None
    }
    for ingress in placing.links.ingresses:
        written = str(placing.settings(ingress).get(SITE) or "")
        for host in (found[1].lower() for found in _SITE_NAME.finditer(written)):
            if host in exposed:
                detail = f"`{ingress}` serves `{host}` as a site of its own (`{SITE}`); it is the name of `{exposed[host]}`."
                hint = f"Take it out of `{SITE}`, or give `{exposed[host]}` another `host`."
                path = ("services", ingress, "settings", SITE)
                yield context.at(path, "exposed-name-taken", detail, hint)


def served(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """One proxy of the estate serves it."""
    links = placing.links
    unreached = {each: {other for other, _ in links.unreached(each)} for each in links.ingresses}
    for name in links.exposed:
        ingress = links.ingress_of(name)
        if ingress is None:
            yield _unserved(context, placing, name)
        elif name in unreached[ingress]:
            target, other = placing.parts[name].on, placing.parts[ingress].on
            detail = f"`{ingress}` on `{other}` would serve it, and has no way to `{target}`."
            hint = f"Place both on hosts or both on machines: for example `{ingress}: {{on: {target}}}`."
            yield context.at_key(("services", name, "expose"), "nobody-serves", detail, hint)


def _unserved(context: Context, placing: Placing, name: str) -> Diagnostic:
    path, target = ("services", name, "expose"), placing.parts[name].on
    able = [each for each in placing.links.ingresses if each != name]
    if able:
        words = ", ".join(f"`{each}`" for each in able)
        detail = (
            f"`{name}` could be served by {words}, and not exactly one of them is on `{target}`."
        )
        return context.at_key(path, "ambiguous-ingress", detail)
    hint = f"Add to `services`: `{INGRESS}: {{on: {target}}}`."
    detail = f"Nothing in infra.yml serves `{name}` under its name."
    return context.at_key(path, "nobody-serves", detail, hint)


def logins(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """What the Internet reaches asks who is there, unless somebody said why not; and whoever is to ask is there."""
    for name, part, _ in placing.known():
        if part.expose is None:
            continue
        exposure = exposure_of(part.expose)
        path = ("services", name, "expose")
        if exposure.public and exposure.login is Login.NONE and not exposure.reason:
            detail = f"`{name}` can be opened by everybody on the Internet."
            yield context.at_key(path, "public-without-login", detail)
        if exposure.login is not Login.NONE and not _has_login(placing, name):
            yield _no_login(context, placing, name, part.expose, exposure.login)


def _has_login(placing: Placing, name: str) -> bool:
    """A need of the proxy that is met. That a login is there is not enough: a proxy may not know of it, or not which of two it is."""
    ingress = placing.links.ingress_of(name)
    return bool(placing.of_kind(LOGIN)) if ingress is None else LOGIN_NEED in placing.needs(ingress)


def name_for_login(host: str, public: bool) -> str:
    """What `expose` of the login may be that guards a service of this name: it is reached by whoever reaches the service."""
    reached = "public: true, auth: none, reason: it is the login" if public else "auth: none"
    return f"{{host: auth.{host.partition('.')[2] or host}, {reached}}}"


def _no_login(
    context: Context, placing: Placing, name: str, part: ExposePart, login: Login
) -> Diagnostic:
    asked = "`auth` asks for" if part.auth else "A public service has"
    detail = f"{asked} `{login.value}`, and no service of infra.yml could ask `{name}`'s visitors who they are."
    there, ingress = placing.of_kind(LOGIN), placing.links.ingress_of(name)
    add = f"Add to `services`: `{LOGIN}: {{on: {placing.parts[name].on}, expose: {name_for_login(part.host, part.public)}}}`"
    if there and ingress is not None:
        add = f"Add to `{ingress}`: `needs: {{{LOGIN_NEED}: {there[0]}}}` (its descriptor must have that need)"
    hint = f"{add}; or write `auth: none`"
    hint += " and a `reason`." if part.public else "."
    return context.at_key(("services", name, "expose"), "no-login-service", detail, hint)
