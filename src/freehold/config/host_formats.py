"""The kinds of values that name computers: addresses, users, keys. Types for `config.hosts` and others, like those of `formats`."""

import re
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import PlainValidator, WithJsonSchema

from freehold.config.formats import refuse, word

_DNS_NAME_LIMIT = 253  # RFC 1035, 2.3.4, without the root's dot
_DNS_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}")


def _host_address(value: Any) -> str:
    text = word(value)
    if "%" in text or not (_is_ip(text) or _is_dns_name(text)):
        detail = f"`{text}` is neither an IP address nor a DNS name."
        refuse("invalid-host-address", detail, _hint(text))
    return text


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_dns_name(text: str) -> bool:
    """What ends in digits only is meant as an IP address."""
    labels = text.split(".")
    whole = len(text) <= _DNS_NAME_LIMIT and all(map(_DNS_LABEL.fullmatch, labels))
    return whole and not labels[-1].isdigit()


def _hint(text: str) -> str | None:
    found = re.fullmatch(r"(?:ssh://)?(?:([^@/:\s]+)@)?([^@/:\s]+)(?::([0-9]+))?/?", text)
    if found is None or not (_is_ip(found[2]) or _is_dns_name(found[2])):
        return None
    parts = [f"user: {found[1]}"] if found[1] else []
    parts += [f"port: {found[3]}"] if found[3] else []
    ssh = f", ssh: {{{', '.join(parts)}}}" if parts else ""
    return f"Write `{{address: {found[2]}{ssh}}}`."


def _user(value: Any) -> str:
    text = word(value)
    if not _USER.fullmatch(text):
        refuse("invalid-user", f"`{text}` is not the name of a user.")
    return text


def _key(value: Any) -> str:
    text = word(value)
    if text.endswith(".pub"):
        refuse("public-key-named", f"`{text}` is a public key.", f"Write `key: {text[:-4]}`.")
    return text


def _dns_name(value: Any) -> str:
    """As browsers and certificates write it."""
    text = word(value)
    if not _is_dns_name(text):
        hint = "Write for example `media.example.org`, without scheme, port and path."
        refuse("invalid-value", f"`{text}` is not a DNS name.", hint)
    if text != text.lower():
        refuse("invalid-value", f"`{text}` has capital letters.", f"Write `{text.lower()}`.")
    return text


def _is_http_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    extra = parts.username or parts.query or parts.fragment or any(map(str.isspace, text))
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not extra


def _http_address(value: Any) -> str:
    text = word(value)
    if not _is_http_address(text):
        detail = "The text is not an address that begins with `https://` or `http://`, without user, query and fragment."
        refuse("invalid-value", detail, "Write for example `https://api.example.org`.")
    return text.rstrip("/")


_TEXT = WithJsonSchema({"type": "string", "minLength": 1})

HostAddress = Annotated[str, PlainValidator(_host_address), _TEXT]
User = Annotated[str, PlainValidator(_user), _TEXT]
KeyFile = Annotated[str, PlainValidator(_key), _TEXT]
DnsName = Annotated[str, PlainValidator(_dns_name), _TEXT]
HttpAddress = Annotated[
    str, PlainValidator(_http_address), WithJsonSchema({"type": "string", "pattern": "^https?://"})
]
