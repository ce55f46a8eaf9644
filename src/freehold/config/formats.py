"""The kinds of values that infra.yml knows besides plain text, numbers and booleans: sizes, times, addresses, paths, ports.

Each is a type for `document`: it checks what is written, answers the model's own value, and carries its JSON Schema.
A refusal is a PydanticCustomError whose type is a diagnostic code; `schema_errors` takes it over.
"""

import posixpath
import re
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Annotated, Any, NoReturn

from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from freehold.diagnostics import nearest
from freehold.model.size import Size

_PRIVATE = tuple(IPv4Network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_UNITS = ("B", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB")
_LARGEST_PORT = 65535
_LARGEST_DIGITS = 15
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_LONGEST = 24 * 3600  # seconds


def refuse(code: str, detail: str, hint: str | None = None) -> NoReturn:
    """Raise what `schema_errors` turns into a Diagnostic; braces of the user's text are not for formatting."""
    raise PydanticCustomError(code, "{detail}", {"detail": detail, "hint": hint})


def _text(value: Any, expected: str) -> str:
    if not isinstance(value, str):
        refuse("wrong-type", expected)
    return value


def _size(value: Any) -> Size:
    text = _text(value, "a size such as `8GiB`")
    try:
        size = Size.parse(text) if len(text) <= _LARGEST_DIGITS else None
    except ValueError:
        size = None
    return size or refuse("invalid-size", f"`{text}` is not a size.", _size_hint(text))


def _size_hint(text: str) -> str | None:
    match = re.fullmatch(r"([1-9][0-9]{0,11})\s*([A-Za-z]+)", text)
    if match is None:
        return None
    letter = match[2][0].upper()
    binary = {"K": "KiB", "M": "MiB", "G": "GiB", "T": "TiB"}.get(letter)
    exact = next((unit for unit in _UNITS if unit.lower() == match[2].lower()), None)
    unit = exact or (binary if len(match[2]) == 1 else nearest(match[2], _UNITS)) or binary
    return f"Did you mean `{match[1]}{unit}`?" if unit else None


def _duration(value: Any) -> int:
    """Seconds."""
    text = _text(value, "a time such as `10m`")
    match = re.fullmatch(r"([1-9][0-9]{0,4})([smh])", text)
    if match is None:
        refuse("invalid-duration", f"`{text}` is not a time.")
    seconds = int(match[1]) * _SECONDS[match[2]]
    if seconds > _LONGEST:
        refuse("invalid-duration", f"`{text}` is longer than a day.")
    return seconds


def _address(value: Any) -> IPv4Address:
    text = _text(value, "an address such as `10.100.0.10`")
    try:
        return IPv4Address(text)
    except AddressValueError:
        refuse("invalid-address", f"`{text}` is not an IPv4 address.", _address_hint(text))


def _address_hint(text: str) -> str | None:
    if re.fullmatch(r"[0-9.]+/[0-9]+", text):
        return f"Leave out the `/{text.partition('/')[2]}`: the domain's network is always a /24."
    if ":" in text:
        return "This version gives machines IPv4 addresses only."
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", text):
        plain = ".".join(str(int(part)) for part in text.split("."))
        if plain != text:
            return f"Leave out leading zeros: `{plain}`."
    return None


def _network(value: Any) -> IPv4Network:
    text = _text(value, "a network such as `10.100.0.0/16`")
    try:
        network = IPv4Network(text, strict=False)
    except ValueError:
        refuse("invalid-network", f"`{text}` is not an IPv4 network.")
    if "/" not in text or not 8 <= network.prefixlen <= 24:
        refuse(
            "invalid-network", f"`{text}` is not between /8 and /24: each domain takes a /24 of it."
        )
    if str(network) != text:
        refuse("invalid-network", f"`{text}` has host bits set.", f"Write `{network}`.")
    if not any(network.subnet_of(private) for private in _PRIVATE):
        detail = f"`{text}` is not private: it lies outside 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16 (RFC 1918)."
        refuse("invalid-network", detail)
    return network


def absolute_path(value: Any) -> str:
    """A path inside a machine."""
    text = _text(value, "a path such as `/srv/data`")
    if not text.startswith("/"):
        refuse("invalid-path", f"`{text}` is not absolute.", f"Write `/{text}`." if text else None)
    normal = "/" + posixpath.normpath(text).lstrip("/")
    if normal == "/":
        refuse("invalid-path", f"`{text}` is the root of the file system.")
    if normal != text:
        refuse("invalid-path", f"`{text}` is not in its shortest form.", f"Write `{normal}`.")
    if "\n" in text or len(text) > 4095:
        refuse("invalid-path", "The path holds a line break or is longer than 4095 characters.")
    return text


def _line(value: Any) -> str:
    text = _text(value, "text")
    if "\n" in text:
        refuse("line-break", "The text has more than one line or ends in a line break.")
    return text


def word(value: Any) -> str:
    """One line that is not empty and has no spaces around it."""
    text = _line(value)
    if not text or text != text.strip():
        refuse(
            "invalid-value",
            "The text is empty or has spaces around it." if text else "The text is empty.",
            "Write a value, or leave the key out.",
        )
    return text


def _port(value: Any) -> tuple[int, int]:
    if isinstance(value, bool) or not isinstance(value, int | str):
        refuse("wrong-type", 'a port such as `22`, or a range such as `"8000-8100"`')
    if isinstance(value, int):
        return _port_number(value), value
    if re.fullmatch(r"[0-9]{1,5}", value):
        refuse("wrong-type", "a number", f"Write `{int(value)}` without quotes.")
    match = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", value)
    if match is None:
        refuse("invalid-port", f"`{value}` is neither a port nor a range.")
    low, high = _port_number(int(match[1])), _port_number(int(match[2]))
    if low >= high:
        hint = f"Write `{low}`." if low == high else f'Write `"{high}-{low}"`.'
        refuse("invalid-port", f"The range `{value}` does not ascend.", hint)
    return low, high


def _port_number(number: int) -> int:
    if not 1 <= number <= _LARGEST_PORT:
        refuse("invalid-port", f"{number} is not between 1 and {_LARGEST_PORT}.")
    return number


def _option(value: Any) -> str:
    """Incus keeps every option as text; booleans are `true` and `false` there."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str):
        refuse("wrong-type", "text, a whole number, `true` or `false`")
    return value


_SIZE_PATTERN = f"^[1-9][0-9]*({'|'.join(_UNITS)})$"

SizeText = Annotated[
    Size,
    PlainValidator(_size),
    WithJsonSchema({"type": "string", "pattern": _SIZE_PATTERN}),
]
DurationText = Annotated[
    int,
    PlainValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,4}[smh]$"}),
]
Address = Annotated[
    IPv4Address,
    PlainValidator(_address),
    WithJsonSchema({"type": "string", "format": "ipv4"}),
]
Network = Annotated[
    IPv4Network,
    PlainValidator(_network),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9.]+/([89]|1[0-9]|2[0-4])$"}),
]
AbsolutePath = Annotated[
    str,
    PlainValidator(absolute_path),
    WithJsonSchema({"type": "string", "pattern": "^/.+"}),
]
Line = Annotated[str, PlainValidator(_line), WithJsonSchema({"type": "string"})]
Word = Annotated[str, PlainValidator(word), WithJsonSchema({"type": "string", "minLength": 1})]
Port = Annotated[
    tuple[int, int],
    PlainValidator(_port),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": _LARGEST_PORT},
                {"type": "string", "pattern": "^[0-9]{1,5}-[0-9]{1,5}$"},
            ]
        }
    ),
]
Option = Annotated[
    str,
    PlainValidator(_option),
    WithJsonSchema({"type": ["string", "integer", "boolean"]}),
]
