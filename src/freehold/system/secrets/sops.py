"""Files of SOPS (getsops.io), read: YAML whose values are encrypted one by one. Called by `store`; nothing is written.

The format is what SOPS's source does (its `sops.go`, `aes/cipher.go`): a data key of 32 bytes, itself encrypted with age for
each recipient; each value AES-256-GCM with the path of its keys as additional data; a MAC over all values in their order.
Only values that are encrypted count as secrets.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyrage
import yaml

from freehold.system.secrets.document import Entries, Unreadable

_ENCRYPTED = re.compile(
    r"ENC\[AES256_GCM,data:([A-Za-z0-9+/=]*),iv:([A-Za-z0-9+/=]+),tag:([A-Za-z0-9+/=]+),type:([a-z]+)\]"
)
_ONLY_ENCRYPTED = hashlib.sha256(b"sops").digest()
"""What the MAC begins with where `mac_only_encrypted` says that it covers no plain values."""

_Path = tuple[str | int, ...]

_KEY_BYTES = 32
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class NoMatchingKey(Exception):
    """None of the identities opens the file."""


def is_sops(text: str) -> bool:
    """Whether the text has SOPS's metadata."""
    return re.search(r"^sops:", text, re.MULTILINE) is not None


def read_sops(text: str, identities: Sequence[Any]) -> Entries:
    """The secrets in it; one in a mapping or list is called by its whole path: `db.password`. Raises Unreadable, NoMatchingKey."""
    root = _root(text)
    metadata = _metadata(root)
    key = _data_key(metadata, identities)
    leaves = [_Leaf.of(key, path, node) for path, node in _leaves(root)]
    _check(leaves, metadata, key)
    values = {leaf.name: leaf.shown for leaf in leaves if leaf.is_encrypted and leaf.shown}
    return Entries(values, hmac.new(key, b"freehold fingerprints", hashlib.sha256).digest())


@dataclass(frozen=True, slots=True)
class _Leaf:
    """A value, deciphered. `plain` is what the MAC covers, `shown` what the secret is."""

    name: str
    plain: bytes
    shown: bytes
    is_encrypted: bool

    @classmethod
    def of(cls, key: bytes, path: _Path, node: yaml.ScalarNode) -> "_Leaf":
        name = ".".join(map(str, path))
        if not node.value.startswith("ENC["):
            plain = _plain(node)
            return cls(name, plain, plain, False)
        # A list's items are encrypted with the path of the list.
        keys = ":".join(each for each in path if isinstance(each, str)) + ":"
        plain, kind = _deciphered(key, node.value, keys, node.start_mark.line + 1)
        shown = plain.lower() if kind == "bool" else plain
        return cls(name, plain, shown, True)


def _root(text: str) -> yaml.MappingNode:
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError:
        raise Unreadable("it is not YAML") from None
    if len(nodes) != 1 or not isinstance(nodes[0], yaml.MappingNode):
        raise Unreadable("it is not one mapping; several documents in a file are not read")
    return nodes[0]


def _metadata(root: yaml.MappingNode) -> dict[str, Any]:
    for key, node in root.value:
        if key.value == "sops" and isinstance(node, yaml.MappingNode):
            found = _texts(node)
            assert isinstance(found, dict)
            return found
    raise Unreadable("`sops` is not a mapping")


def _texts(node: Any) -> Any:
    """The values of a node with every scalar as text: a time must stay as it is written."""
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _texts(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_texts(value) for value in node.value]
    return str(node.value)


def _leaves(node: Any, path: _Path = ()) -> Iterator[tuple[_Path, Any]]:
    """The scalars with their paths, in the order of the file, without SOPS's own."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if path or key.value != "sops":
                yield from _leaves(value, (*path, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _leaves(value, (*path, index))
    else:
        yield path, node


def _data_key(metadata: dict[str, Any], identities: Sequence[Any]) -> bytes:
    if "key_groups" in metadata:
        raise Unreadable("its key is in several groups (Shamir), which are not read")
    recipients = metadata.get("age")
    if not isinstance(recipients, list) or not recipients:
        raise Unreadable(
            "it is not encrypted for age; keys of PGP, of clouds and of Vault are not read"
        )
    for each in recipients:
        try:
            key: bytes = pyrage.decrypt(str(each["enc"]).encode(), list(identities))
        except (pyrage.DecryptError, KeyError, TypeError):
            continue
        if len(key) != _KEY_BYTES:
            raise Unreadable("its data key is damaged")
        return key
    raise NoMatchingKey


def _deciphered(key: bytes, text: str, additional: str, line: int) -> tuple[bytes, str]:
    """What was encrypted, and its type."""
    from cryptography.exceptions import InvalidTag  # 0.2 s, and most estates have no such file
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    found = _ENCRYPTED.fullmatch(text)
    if found is None:
        raise Unreadable(f"the value in line {line} is damaged")
    try:
        data, nonce, tag = (base64.b64decode(part, validate=True) for part in found.groups()[:3])
        return AESGCM(key).decrypt(nonce, data + tag, additional.encode()), found[4]
    except (ValueError, InvalidTag):
        raise Unreadable(
            f"the value in line {line} was changed by something else than SOPS"
        ) from None


def _check(leaves: Sequence[_Leaf], metadata: dict[str, Any], key: bytes) -> None:
    """The MAC is over all values, so that none can be taken away or moved."""
    only_encrypted = metadata.get("mac_only_encrypted") == "true"
    total = hashlib.sha512(_ONLY_ENCRYPTED if only_encrypted else b"")
    for leaf in leaves:
        if leaf.is_encrypted or not only_encrypted:
            total.update(leaf.plain)
    kept, _ = _deciphered(key, str(metadata.get("mac")), str(metadata.get("lastmodified")), 1)
    if not hmac.compare_digest(kept, total.hexdigest().upper().encode()):
        raise Unreadable(
            "its MAC is wrong: values were added, taken away or changed by something else than SOPS"
        )


def _plain(node: yaml.ScalarNode) -> bytes:
    """What the MAC covers of a value that is not encrypted: as Go writes what its YAML parser makes of it."""
    text = str(node.value)
    if node.style:  # in quotes or as a block: text
        return text.encode()
    if text in _NULLS:
        return b""
    if text.lower() in {"true", "false"}:
        return text.capitalize().encode()
    if re.fullmatch(r"[-+]?[0-9]+", text):
        return str(int(text)).encode()
    if re.fullmatch(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", text):
        return f"{Decimal(repr(float(text))).normalize():f}".encode()
    return text.encode()
