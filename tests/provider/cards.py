"""Graphics cards as Incus lists them in `GET /1.0/resources`, for the in-memory Incus of tests."""

from typing import Any

NVIDIA: dict[str, Any] = {
    "pci_address": "0000:01:00.0",
    "vendor": "NVIDIA Corporation",
    "vendor_id": "10de",
    "product": "GA104 [GeForce RTX 3070]",
    "driver": "nvidia",
    "driver_version": "550.54.14",
    "drm": {
        "id": 1,
        "card_name": "card1",
        "card_device": "226:1",
        "render_name": "renderD129",
        "render_device": "226:129",
    },
    "nvidia": {"card_name": "nvidia0", "card_device": "195:0", "nvrm_version": "550.54.14"},
}
AMD: dict[str, Any] = {
    "pci_address": "0000:03:00.0",
    "vendor": "Advanced Micro Devices, Inc. [AMD/ATI]",
    "vendor_id": "1002",
    "product": "Navi 22",
    "driver": "amdgpu",
    "driver_version": "6.12.9",
    "drm": {
        "id": 0,
        "card_name": "card0",
        "card_device": "226:0",
        "render_name": "renderD128",
        "render_device": "226:128",
    },
}
