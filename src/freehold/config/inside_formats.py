"""The kinds of values that `provision` knows: packages, requirements, repositories, files, accounts, permissions, roles.

Each is a type for `config.provision`, made like those of `formats`. None may hold a Jinja template: Ansible would fill it
in inside the machine, where neither the plan nor a check can see what becomes of it.
"""

import posixpath
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import PlainValidator, WithJsonSchema

from freehold.config.formats import absolute_path, refuse, word

_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
_APT = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9+.-]+)(?::[a-z0-9-]+)?(?:=[A-Za-z0-9.+:~*-]+|/[A-Za-z0-9][A-Za-z0-9.+~-]*)?"
)
"""Debian policy 5.6.1 for the name, 5.6.12 for the version; apt-get(8) for `=` and `/`."""

_PIP_NAME = r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[[A-Za-z0-9._,\s-]*\])?"
_PIP_VERSION = r"(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]+"
_PIP = re.compile(
    rf"{_PIP_NAME}\s*(?:@\s*(?P<url>\S+)|\(?{_PIP_VERSION}(?:\s*,\s*{_PIP_VERSION})*\)?)?\s*(?P<marker>;.+)?"
)
"""Dependency specifiers, packaging.python.org; of markers only that there is one is looked at."""

_GIT_SCHEMES = frozenset({"https", "http", "ssh", "git", "file"})
_SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9.-]+:(?!//)\S.*")
_GIT_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+@-]*")
_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}|[0-9]{1,10}")
_MODE = re.compile(r"[0-7]{3,4}")
_ROLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")


def apt_name(package: str) -> str:
    """The package without version and release: `git` of `git=1:2.47`."""
    return re.split(r"[=/]", package)[0]


def pip_name(requirement: str) -> str:
    """What pip compares: the name in its normal form (packaging.python.org), and the marker that says when it counts."""
    match = _PIP.fullmatch(requirement)
    name, marker = (match["name"], match["marker"] or "") if match else (requirement, "")
    return re.sub(r"[-_.]+", "-", name).lower() + marker


def _literal(value: Any) -> str:
    text = word(value)
    if _TEMPLATE.search(text):
        refuse("template-in-value", "The text holds a Jinja template, which only `vars` may.")
    return text


def _inside_path(value: Any) -> str:
    return absolute_path(_literal(value) if isinstance(value, str) else value)


def _estate_path(value: Any) -> str:
    text = _literal(value)
    normal = posixpath.normpath(text)
    if text.startswith(("/", "~")) or normal.split("/")[0] == "..":
        refuse("outside-the-folder", f"`{text}` does not lie in the folder of infra.yml.")
    if normal != text:
        refuse("invalid-path", f"`{text}` is not in its shortest form.", f"Write `{normal}`.")
    return text


def _apt(value: Any) -> str:
    text = _literal(value)
    if (match := _APT.fullmatch(text)) is None:
        refuse("invalid-package", f"`{text}` is not the name of a package.", _apt_hint(text))
    if match["name"].endswith("-"):
        refuse("invalid-package", f"`{text}` would have apt remove a package.")
    return text


def _apt_hint(text: str) -> str | None:
    if re.fullmatch(r"[a-z0-9+.-]+(?:[\s,]+[a-z0-9+.-]+)+", text):
        return f"Write a list: `[{', '.join(re.split(r'[ ,]+', text))}]`."
    if match := re.fullmatch(r"([a-z0-9+.-]+)\s*(?:==?|>=)\s*(\S+)", text):
        return f"A version follows one `=` without spaces: `{match[1]}={match[2]}`."
    return f"Did you mean `{text.lower()}`?" if _APT.fullmatch(text.lower()) else None


def _pip(value: Any) -> str:
    text = _literal(value)
    if text.startswith("-"):
        refuse("invalid-requirement", f"`{text}` is an option of pip.")
    if (match := _PIP.fullmatch(text)) is None:
        shown = "The text" if "@" in text else f"`{text}`"  # no password of a URL in a message
        refuse("invalid-requirement", f"{shown} is not a requirement.", _pip_hint(text))
    if match["url"]:
        _without_secret(match["url"])
    return text


def _pip_hint(text: str) -> str | None:
    if match := re.fullmatch(r"([A-Za-z0-9._-]+)=([^=\s]+)", text):
        return f"Write `{match[1]}=={match[2]}`."
    return "Write `NAME @ URL`." if "://" in text else None


def _git_address(value: Any) -> str:
    """The text itself is in no message: it may hold a password."""
    text = _literal(value)
    _without_secret(text)
    known = urlsplit(text).scheme in _GIT_SCHEMES if "://" in text else _SCP.fullmatch(text)
    if text.startswith("-") or not (known or text.startswith("/")) or " " in text:
        refuse("invalid-repository", "The text is neither a URL nor HOST:PATH.")
    return text


def _without_secret(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError:
        refuse("invalid-repository", "The text is not a URL.")
    secret = parts.password is not None or (parts.username and "http" in parts.scheme)
    if secret:
        refuse("secret-in-url", "What stands before the `@` is a password or token.")


def _git_version(value: Any) -> str:
    text = _literal(value)
    if _GIT_VERSION.fullmatch(text) is None or ".." in text:
        refuse("invalid-value", f"`{text}` is no name of a branch, tag or commit.")
    return text


def _account(value: Any) -> str:
    text = _literal(value)
    if _ACCOUNT.fullmatch(text) is None:
        refuse("invalid-account", f"`{text}` is not the name of a user or group.")
    return text


def _mode(value: Any) -> str:
    if type(value) is int:
        hint = f'Put it in quotes: `"{value:04}"`.' if _MODE.fullmatch(str(value)) else None
        refuse("wrong-type", 'text such as `"0644"`', hint)
    text = _literal(value)
    if _MODE.fullmatch(text) is None:
        refuse("invalid-mode", f"`{text}` is not three or four octal digits.", _mode_hint(text))
    return text.rjust(4, "0")


def _mode_hint(text: str) -> str | None:
    octal = text.removeprefix("0o")
    return f'Write `"{octal:0>4}"`.' if octal != text and _MODE.fullmatch(octal) else None


def _role(value: Any) -> str:
    text = _literal(value)
    if _ROLE.fullmatch(text) is None:
        refuse("invalid-value", f"`{text}` is not the name of a role.", _role_hint(text))
    return text


def _role_hint(text: str) -> str | None:
    last = posixpath.basename(text.rstrip("/"))
    return f"Roles are named without their folder: `{last}`." if _ROLE.fullmatch(last) else None


_TEXT = WithJsonSchema({"type": "string", "minLength": 1})

AptPackage = Annotated[str, PlainValidator(_apt), _TEXT]
PipRequirement = Annotated[str, PlainValidator(_pip), _TEXT]
GitAddress = Annotated[str, PlainValidator(_git_address), _TEXT]
GitVersion = Annotated[str, PlainValidator(_git_version), _TEXT]
EstatePath = Annotated[str, PlainValidator(_estate_path), _TEXT]
InsidePath = Annotated[
    str, PlainValidator(_inside_path), WithJsonSchema({"type": "string", "pattern": "^/.+"})
]
Account = Annotated[str, PlainValidator(_account), _TEXT]
FileMode = Annotated[
    str, PlainValidator(_mode), WithJsonSchema({"type": "string", "pattern": "^[0-7]{3,4}$"})
]
RoleName = Annotated[str, PlainValidator(_role), _TEXT]
