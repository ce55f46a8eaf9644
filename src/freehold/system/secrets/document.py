"""The plaintext of secrets.yml: names and texts as YAML, so that `age -d` alone shows them. Pure; called by `store` and `editing`.

Every value is text as it is written, whatever a YAML parser would make of it: `0123` is a PIN and no number. What is not text
is kept as `!!binary`. No message quotes what was read.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from freehold.model.secrets import is_secret_name

HEADING = "# The secrets of an estate, by name. To change them: freehold secret edit\n"

_KEY = "_fingerprint_key"
_BINARY = "tag:yaml.org,2002:binary"
_ODD_BREAKS = re.compile("[\r\x85\u2028\u2029\ufeff]")  # YAML 1.1 reads them as other than they are
_TEXT_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp")
)


class Unreadable(Exception):
    """The text is not one of secrets. `line` counts from 1; the message is a sentence without anything secret."""

    def __init__(self, words: str, line: int = 1) -> None:
        super().__init__(words)
        self.line = line


@dataclass(frozen=True, slots=True)
class Entries:
    """What a file of secrets holds. `key` is the one of their fingerprints, None where the file has none yet."""

    values: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    key: bytes | None = field(default=None, repr=False)


def read_entries(text: str) -> Entries:
    """What the YAML says. Raises Unreadable."""
    values: dict[str, bytes] = {}
    key = None
    for name, value, line in _pairs(_mapping(text)):
        if name in values:
            raise Unreadable(f"`{name}` stands there twice.", line)
        if name == _KEY:
            key = _fingerprint_key(value, line)
            continue
        if not is_secret_name(name):
            raise Unreadable("The name of a secret is a letter, then letters, digits, `_`, `-` and `.`.", line)  # fmt: skip
        if not value:
            raise Unreadable(f"`{name}` is empty.", line)
        values[name] = value
    return Entries(values, key)


def write_entries(entries: Entries) -> str:
    """The YAML that says it, in the order of names."""
    kept: dict[str, str | bytes] = {}
    if entries.key is not None:
        kept[_KEY] = entries.key.hex()
    kept |= {name: _as_text(entries.values[name]) for name in sorted(entries.values)}
    if not kept:
        return HEADING
    text = yaml.dump(kept, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=4096)
    return HEADING + str(text)


def _mapping(text: str) -> yaml.MappingNode | None:
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable("This is not YAML.", mark.line + 1 if mark else 1) from None
    except yaml.YAMLError:
        raise Unreadable("The text holds characters that YAML does not allow.") from None
    if not nodes or nodes == [None]:
        return None
    if len(nodes) > 1 or not isinstance(nodes[0], yaml.MappingNode):
        raise Unreadable("Names with texts are expected: `name: text` on each line.")
    return nodes[0]


def _pairs(mapping: yaml.MappingNode | None) -> Iterator[tuple[str, bytes, int]]:
    """Name, value and line of each."""
    for key, node in mapping.value if mapping is not None else ():
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise Unreadable("A name is expected here.", line)
        if not isinstance(node, yaml.ScalarNode):
            raise Unreadable(f"`{key.value}` must be one text, no list and no keys.", line)
        yield key.value, _value(key.value, node, line), line


def _value(name: str, node: yaml.ScalarNode, line: int) -> bytes:
    if node.tag == _BINARY:
        try:
            return base64.b64decode("".join(node.value.split()), validate=True)
        except binascii.Error:
            raise Unreadable(f"`{name}` is no base64.", line) from None
    if node.tag not in _TEXT_TAGS:
        raise Unreadable(f"`{name}` has a tag that means nothing here.", line)
    return str(node.value).encode("utf-8", "surrogatepass")


def _fingerprint_key(value: bytes, line: int) -> bytes:
    try:
        return bytes.fromhex(value.decode("ascii"))
    except ValueError:
        raise Unreadable(f"`{_KEY}` is damaged.", line) from None


def _as_text(value: bytes) -> str | bytes:
    """Text where it is one that YAML gives back as it was."""
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return value
    return value if _ODD_BREAKS.search(text) else text


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as a block: whoever edits one sees its lines."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text.strip("\n") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
