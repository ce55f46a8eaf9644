"""The files in /dev that a container's devices are to be, and what is wrong with those that it sees. Pure.

A container keeps its devices in Incus's eyes and loses them inside: the driver is loaded anew and has other numbers, or
systemd on the host renews the rules by which the kernel lets the container open them
(https://github.com/NVIDIA/nvidia-docker/issues/1730). Only a look from inside tells. Asked by `guardian.py`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from freehold.model import GpuVendor
from freehold.model.computer import Card
from freehold.providers.incus.cards import VENDOR_IDS

LOST = "lost"
"""The field of an instance that names devices which do not work inside."""

REATTACHED = "reattached"
"""Beside a lost device: it was attached anew in vain since the machine started."""

Lost = Mapping[str, Mapping[str, str]]
"""By device: `nodes`, what is wrong with them, and perhaps `reattached`."""

NOTHING_LOST: Lost = {}

_UNIX = ("unix-char", "unix-block")
_OPEN, _ASK = "open", "ask"
_MISSING, _REFUSED = "missing", "refused"

LOOK = """
while [ $# -gt 1 ]; do
    if [ ! -c "$2" ] && [ ! -b "$2" ]; then
        echo missing
    elif [ "$1" = open ] && ! (exec 3<>"$2") 2>/dev/null; then
        echo refused
    elif [ ! -r "$2" ] || [ ! -w "$2" ]; then
        echo refused
    else
        stat -c %t:%T "$2" || echo
    fi
    shift 2
done
"""
"""For `sh -c`: a line for each pair of a way to try it and a path. What is only asked for is not opened: opening a serial
line resets what hangs on it."""


@dataclass(frozen=True, slots=True)
class Node:
    """A file in /dev as it should be inside. `numbers` as in `226:128`, empty when nobody tells; `opens`: try it."""

    path: str
    numbers: str = ""
    opens: bool = False


def expected_nodes(
    devices: Mapping[str, Mapping[str, str]], cards: Sequence[Card]
) -> dict[str, list[Node]]:
    """By device of a container, with the profiles' devices: what must be there."""
    found = {name: list(_nodes(device, cards)) for name, device in sorted(devices.items())}
    return {name: nodes for name, nodes in found.items() if nodes}


def has_nodes(devices: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether a look is worth it."""
    return any(is_gpu(device) or _is_watched(device) for device in devices.values())


def is_gpu(device: Mapping[str, str]) -> bool:
    """Whether it is a graphics card."""
    return device.get("type") == "gpu"


def _is_watched(device: Mapping[str, str]) -> bool:
    """One that need not be there may go."""
    return device.get("type") in _UNIX and device.get("required") != "false"


def _nodes(device: Mapping[str, str], cards: Sequence[Card]) -> Iterator[Node]:
    if is_gpu(device):
        for card in cards:
            if _means(device, card):
                yield from (Node(path, n, _is_opened(path)) for path, n in card.nodes.items())
    elif _is_watched(device) and (path := device.get("path") or device.get("source")):
        numbers = f"{device['major']}:{device['minor']}" if _has_numbers(device) else ""
        yield Node(path, numbers)


def _means(device: Mapping[str, str], card: Card) -> bool:
    """Whether a device is this card; one that names a card otherwise is not looked at."""
    if "id" in device or "productid" in device or device.get("gputype", "physical") != "physical":
        return False
    maker = VENDOR_IDS.get(GpuVendor(card.vendor)) if card.vendor in tuple(GpuVendor) else None
    return device.get("pci", card.pci) == card.pci and device.get("vendorid", maker) == maker


def _is_opened(path: str) -> bool:
    """Whoever opens a card's first node first gets to set screen modes; the others are for computing."""
    return not path.startswith("/dev/dri/card")


def _has_numbers(device: Mapping[str, str]) -> bool:
    return "major" in device and "minor" in device


def questions(nodes: Iterable[Node]) -> list[str]:
    """The arguments of `LOOK`."""
    return [word for node in nodes for word in (_OPEN if node.opens else _ASK, node.path)]


def problems(nodes: Sequence[Node], answers: Sequence[str]) -> dict[str, str]:
    """By path, in words, what is wrong. Raises ValueError for answers that are none."""
    found = {node.path: _problem(node, answer) for node, answer in zip(nodes, answers, strict=True)}
    return {path: problem for path, problem in found.items() if problem}


def _problem(node: Node, answer: str) -> str:
    if answer == _MISSING:
        return f"{node.path} is missing"
    if answer == _REFUSED:
        return f"{node.path} cannot be opened"
    major, _, minor = answer.partition(":")
    numbers = f"{int(major, 16)}:{int(minor, 16)}"
    if node.numbers and node.numbers != numbers:
        return f"{node.path} is device {numbers}, the host's is {node.numbers}"
    return ""
