"""What containers are to see of their devices, and what the look into one answers."""

import pytest

from freehold.model.computer import Card
from freehold.providers.incus.device_nodes import (
    Node,
    expected_nodes,
    problems,
)

CARD = Card(
    pci="0000:01:00.0",
    vendor="nvidia",
    nodes={"/dev/dri/card0": "226:0", "/dev/dri/renderD128": "226:128", "/dev/nvidia-uvm": ""},
)
OTHER = Card(pci="0000:02:00.0", vendor="amd", nodes={"/dev/dri/card1": "226:1"})


def paths(**device: str) -> list[str]:
    """What a graphics card's device is to bring."""
    found = expected_nodes({"gpu": {"type": "gpu", **device}}, [CARD, OTHER])
    return [node.path for node in found.get("gpu", [])]


def test_a_device_brings_the_files_of_the_cards_that_it_means() -> None:
    assert paths() == [*CARD.nodes, *OTHER.nodes]
    assert paths(pci="0000:02:00.0") == ["/dev/dri/card1"]
    assert paths(vendorid="10de") == [*CARD.nodes]
    assert paths(vendorid="8086") == []


def test_what_cannot_be_known_is_not_expected() -> None:
    assert paths(id="0") == []
    assert paths(gputype="mig") == []
    devices = {
        "kfd": {"type": "unix-char", "source": "/dev/kfd", "required": "false"},
        "eth0": {"type": "nic"},
    }
    assert expected_nodes(devices, [CARD]) == {}


def test_a_device_of_the_kernel_is_where_its_path_says() -> None:
    devices = {
        "a": {"type": "unix-char", "source": "/dev/kvm"},
        "b": {"type": "unix-block", "path": "/dev/disk", "major": "8", "minor": "0"},
    }
    assert expected_nodes(devices, []) == {
        "a": [Node("/dev/kvm")],
        "b": [Node("/dev/disk", "8:0")],
    }


def test_only_what_is_for_computing_is_opened() -> None:
    nodes = expected_nodes({"gpu": {"type": "gpu"}}, [CARD])["gpu"]
    assert [node.opens for node in nodes] == [False, True, True]
    assert not expected_nodes({"a": {"type": "unix-char", "path": "/dev/ttyS0"}}, [])["a"][0].opens


def test_answers_become_words() -> None:
    nodes = [Node("/dev/a", "226:128"), Node("/dev/b"), Node("/dev/c", "195:0"), Node("/dev/d")]
    assert problems(nodes, ["e2:80", "5:0", "c3:1", "missing"]) == {
        "/dev/c": "/dev/c is device 195:1, the host's is 195:0",
        "/dev/d": "/dev/d is missing",
    }
    assert problems(nodes[:1], ["refused"]) == {"/dev/a": "/dev/a cannot be opened"}


@pytest.mark.parametrize("answers", [[], ["1:3", "1:3"], [""], ["1"], ["\x1b[31m:1"]])
def test_an_answer_that_is_none_is_not_believed(answers: list[str]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        problems([Node("/dev/a")], answers)
