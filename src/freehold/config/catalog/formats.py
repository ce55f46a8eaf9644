"""The kinds of values that descriptors know besides those of infra.yml. Types for `document`, made as in `config.formats`."""

import re
from datetime import date
from typing import Annotated, Any, NoReturn

from pydantic import PlainValidator, WithJsonSchema

from freehold.config.alerting import TELEGRAM_TOKEN
from freehold.config.formats import absolute_path, refuse, word
from freehold.model.descriptors import Condition

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_OWNER = re.compile(r"[0-9]{1,10}:[0-9]{1,10}")
_SOURCE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
"""What a tag of an image may be (OCI distribution specification, section "Pulling manifests"): a version goes into one."""


def _day(value: Any) -> date:
    text = value if isinstance(value, str) else refuse("wrong-type", 'text, such as `"2029-11-08"`')
    try:
        return date.fromisoformat(text) if len(text) == 10 else _no_day(text)
    except ValueError:
        _no_day(text)


def _no_day(text: str) -> NoReturn:
    refuse("invalid-value", f"`{text}` is not a day.", 'Write for example `"2029-11-08"`.')


def _name(value: Any) -> str:
    text = word(value)
    if _NAME.fullmatch(text) is None:
        detail = f"`{text}` is not made of lower-case letters, digits and `_`, a letter first, 40 at most."
        refuse("invalid-name", detail, f"Write for example `{_better(text)}`.")
    return text


def _better(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")[:40] or "main"


def _owner(value: Any) -> str:
    text = word(value)
    if _OWNER.fullmatch(text) is None:
        detail = f"`{text}` is not UID:GID; names of users differ from image to image."
        refuse("invalid-value", detail, 'Write for example `"999:999"`.')
    return text


def _digest(value: Any) -> str:
    text = word(value)
    if _DIGEST.fullmatch(text) is None:
        detail = f"`{text}` is not a digest: `sha256:` and 64 hexadecimal digits."
        hint = "Copy it from `docker buildx imagetools inspect IMAGE:TAG`."
        refuse("invalid-value", detail, hint)
    return text


def _version(value: Any) -> str:
    text = word(value)
    if _VERSION.fullmatch(text) is None:
        detail = f"`{text}` is no version: letters, digits, `.`, `_` and `-`, at most 128."
        refuse("invalid-value", detail, 'Write for example `version: "17.6"`.')
    return text


def _image(value: Any) -> str:
    text = word(value)
    last = text.rpartition("/")[2]
    if ":" in last or "@" in text or " " in text:
        detail = f"`{text}` names a tag or digest: the version is its tag."
        hint = f"Write `image: {text.partition('@')[0].removesuffix(':' + last.partition(':')[2])}`; what the tag has besides the version goes into `tag`."
        refuse("invalid-value", detail, hint)
    return text


def _shared(value: Any) -> tuple[str, str]:
    need, dot, secret = word(value).partition(".")
    if not (dot and _NAME.fullmatch(need) and _NAME.fullmatch(secret)):
        detail = f"`{value}` is not NEED.SECRET."
        refuse("invalid-value", detail, "Write for example `shared_with: database.password`.")
    return need, secret


def _condition(value: Any) -> Condition:
    text = word(value)
    setting, equals, chosen = text.partition("=")
    if not _NAME.fullmatch(setting) or (equals and not chosen):
        detail = f"`{text}` is neither SETTING nor SETTING=VALUE."
        refuse("invalid-value", detail, "Write for example `when: storage=postgresql`.")
    return Condition(setting, chosen or None)


def _given_by(value: Any) -> tuple[str, ...]:
    """The places of infra.yml that name a secret; there is one."""
    text = word(value)
    place = tuple(text.split("."))
    if place != TELEGRAM_TOKEN:
        detail = f"`{text}` is no place of infra.yml that names a secret."
        refuse("invalid-value", detail, f"Write `from: {'.'.join(TELEGRAM_TOKEN)}`.")
    return place


def _source_file(value: Any) -> str:
    """Below the descriptor's folder, and nothing hidden."""
    text = word(value)
    if _SOURCE.fullmatch(text) is None:
        detail = f"`{text}` is no path below the descriptor's own folder."
        refuse("invalid-value", detail, "Write for example `source: files/app.py`.")
    return text


def _target_path(value: Any) -> str:
    """Of the target itself, of which the root may be meant too; or a template of one."""
    template = isinstance(value, str) and value.startswith("{{")
    return word(value) if value == "/" or template else absolute_path(value)


Day = Annotated[date, PlainValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Name = Annotated[
    str,
    PlainValidator(_name),
    WithJsonSchema({"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"}),
]
Owner = Annotated[
    str, PlainValidator(_owner), WithJsonSchema({"type": "string", "pattern": "^[0-9]+:[0-9]+$"})
]
Digest = Annotated[
    str,
    PlainValidator(_digest),
    WithJsonSchema({"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}),
]
Version = Annotated[
    str, PlainValidator(_version), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9_]"})
]
Image = Annotated[
    str, PlainValidator(_image), WithJsonSchema({"type": "string", "pattern": "^[^@ ]+$"})
]
TargetPath = Annotated[
    str, PlainValidator(_target_path), WithJsonSchema({"type": "string", "pattern": "^(/|[{][{])"})
]
SharedSecret = Annotated[
    tuple[str, str],
    PlainValidator(_shared),
    WithJsonSchema({"type": "string", "pattern": "^[a-z0-9_]+\\.[a-z0-9_]+$"}),
]
When = Annotated[
    Condition,
    PlainValidator(_condition),
    WithJsonSchema({"type": "string", "pattern": "^[a-z][a-z0-9_]*(=.+)?$"}),
]
SourceFile = Annotated[
    str, PlainValidator(_source_file), WithJsonSchema({"type": "string", "pattern": f"^{_SOURCE.pattern}$"})
]  # fmt: skip
GivenBy = Annotated[
    tuple[str, ...], PlainValidator(_given_by), WithJsonSchema({"enum": [".".join(TELEGRAM_TOKEN)]})
]
