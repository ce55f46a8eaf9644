"""What the doctor says of the computer's graphics cards."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from freehold.model import Gpu, GpuVendor, Infra
from freehold.operations.doctor import NotMeasured, Result, Subject
from freehold.operations.doctor.finding import Finding
from freehold.operations.doctor.gpus import graphics_cards
from tests.unit.operations.estates import estate
from tests.unit.operations.incus_server import incus_server

pytestmark = pytest.mark.allow("connection")

CARD = {
    "pci_address": "0000:01:00.0",
    "vendor_id": "10de",
    "product": "GA104",
    "driver": "nvidia",
    "driver_version": "550.54.14",
}


def with_gpu(gpu: Gpu) -> Infra:
    """An estate whose first machine is to have a card."""
    infra = estate([1])
    domain = infra.domains[0]
    first, *others = domain.machines
    machines = (replace(first, gpu=gpu), *others)
    return replace(infra, domains=(replace(domain, machines=machines), *infra.domains[1:]))


def said(folder: Path, *cards: dict[str, Any], infra: Infra | None = None) -> Finding:
    path = folder / f"{len(cards)}{infra is None}.socket"
    with incus_server(path, {"/1.0/resources": {"gpu": {"cards": cards}}}):
        return graphics_cards(Subject(socket=path, state=folder, root=folder, infra=infra))


def test_a_card_is_named_with_its_driver(tmp_path: Path) -> None:
    found = said(tmp_path, CARD, infra=with_gpu(Gpu()))
    assert found.result is Result.OK
    assert "GA104 at 0000:01:00.0 (nvidia 550.54.14)" in found.detail


def test_no_card_is_no_error_unless_a_machine_wants_one(tmp_path: Path) -> None:
    assert said(tmp_path).result is Result.OK
    found = said(tmp_path, CARD, infra=with_gpu(Gpu(vendor=GpuVendor.AMD)))
    assert found.result is Result.ERROR
    assert "GA104" in found.detail


def test_without_a_server_nothing_is_measured(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured):
        graphics_cards(Subject(socket=tmp_path / "none", state=tmp_path))
