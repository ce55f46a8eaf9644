"""The login in front of exposed services: people reach it themselves, and its cookie is one for all the names that it guards."""

from collections.abc import Iterator

from freehold.config.checks.context import Context
from freehold.config.checks.services_expose import LOGIN, name_for_login
from freehold.config.placing import Placing
from freehold.config.services import exposure_of
from freehold.diagnostics import Diagnostic
from freehold.model.exposure import LOGIN_NEED, Exposure, Login


def login_names(context: Context, placing: Placing) -> Iterator[Diagnostic]:
    """Of each login, and of what it guards."""
    for login, guarded in _guarded(placing).items():
        part = placing.parts[login].expose
        if part is None:
            yield _nameless(context, login, guarded)
            continue
        own = exposure_of(part)
        yield from _own(context, login, own, guarded)
        yield from _domain(context, placing, login, own, guarded)


def _nameless(context: Context, login: str, guarded: dict[str, Exposure]) -> Diagnostic:
    words = ", ".join(f"`{name}`" for name in guarded)
    of = f" is the login of {words}, and" if guarded else ""
    host = next((each.host for each in guarded.values()), "www.example.org")
    public = any(each.public for each in guarded.values()) or not guarded
    return context.at_key(
        ("services", login),
        "login-without-name",
        f"`{login}`{of} has no name.",
        f"Add to it: `expose: {name_for_login(host, public)}`.",
    )


def _guarded(placing: Placing) -> dict[str, dict[str, Exposure]]:
    """By login the services that it guards, but for itself."""
    found: dict[str, dict[str, Exposure]] = {name: {} for name in placing.of_kind(LOGIN)}
    for name in placing.links.exposed:
        ingress = placing.links.ingress_of(name)
        login = placing.needs(ingress).get(LOGIN_NEED) if ingress else None
        part = placing.parts[name].expose
        exposure = exposure_of(part) if part else None
        if login and login != name and exposure and exposure.login is not Login.NONE:
            found.setdefault(login, {})[name] = exposure
    return found


def _own(
    context: Context, login: str, own: Exposure, guarded: dict[str, Exposure]
) -> Iterator[Diagnostic]:
    """It is open to whoever is to log in, from wherever he comes."""
    path = ("services", login, "expose")
    if own.login is not Login.NONE:
        detail = f"Who wants to log in at `{own.host}` would have to be logged in."
        yield context.at_key(path, "login-behind-itself", detail)
    public = [name for name, each in guarded.items() if each.public]
    if public and not own.public:
        detail = f"`{public[0]}` is public, and its login `{own.host}` is reached from inside only."
        yield context.at_key(path, "login-not-public", detail)


def _domain(
    context: Context, placing: Placing, login: str, own: Exposure, guarded: dict[str, Exposure]
) -> Iterator[Diagnostic]:
    """Browsers send its cookie to the names of one domain."""
    chosen = str(placing.settings(login).get("domain") or "")
    domain = chosen or own.host.partition(".")[2]
    if "." not in domain:
        detail = f"`{own.host}` is the login, so its cookie would be for all of `{domain}`."
        yield context.at(("services", login, "expose", "host"), "invalid-login-domain", detail)
        return
    for name, each in {login: own, **guarded}.items():
        if each.host != domain and not each.host.endswith(f".{domain}"):
            detail = f"The login of `{login}` is for names of `{domain}`; `{each.host}` is none."
            path = ("services", name, "expose", "host")
            yield context.at(path, "outside-login-domain", detail)
