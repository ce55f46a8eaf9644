"""The framing that plugin, keeper and the program in the machine speak: complete, or visibly broken off.

A frame is a request's number, a kind, a length and as many bytes. Numbers are the sender's of the request.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

HEADER = struct.Struct("!IBI")
PIECE = 1 << 18  # bytes of data in one frame at most

# To the machine. A request is one of the first three, its data, and END; only then is it begun.
RUN, PUT, GET, DATA, END, KILL = range(6)
# From the machine. DONE is the last of a request; HELLO the first of all.
HELLO, OUTPUT, ERRORS, DONE = range(16, 20)
# Between plugin and keeper: which machine is meant, and that the request failed on its way.
MACHINE, FAILED = range(32, 34)


class Frame(NamedTuple):
    """One message of request `number`."""

    number: int
    kind: int
    content: bytes

    def document(self) -> dict[str, Any]:
        """The content as the JSON object that it is."""
        decoded: dict[str, Any] = json.loads(self.content)
        return decoded


def encode(number: int, kind: int, content: bytes = b"") -> bytes:
    """A frame as bytes."""
    return HEADER.pack(number, kind, len(content)) + content


def encode_document(number: int, kind: int, document: dict[str, Any]) -> bytes:
    """A frame that carries a JSON object. Bytes of file names survive as surrogates."""
    return encode(number, kind, json.dumps(document).encode("ascii"))


def encode_data(number: int, content: bytes) -> bytes:
    """As many frames of data as it takes, then END."""
    pieces = [
        encode(number, DATA, content[start : start + PIECE])
        for start in range(0, len(content), PIECE)
    ]
    return b"".join([*pieces, encode(number, END)])


class Decoder:
    """Takes bytes as they come and gives the frames that are complete."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, content: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete."""
        self._held += content
        start = 0
        while len(self._held) - start >= HEADER.size:
            number, kind, length = HEADER.unpack_from(self._held, start)
            end = start + HEADER.size + length
            if len(self._held) < end:
                break
            yield Frame(number, kind, bytes(self._held[start + HEADER.size : end]))
            start = end
        del self._held[:start]
