"""`gpu` of a machine: `true`, `false`, or which card. Part of the description of infra.yml; used by `document`."""

import re
from collections.abc import Collection
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from freehold.config.formats import SizeText, refuse
from freehold.config.part import Part
from freehold.model import Gpu, GpuProfile, GpuVendor

_PCI = "[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]"


def _pci(value: Any) -> str:
    if not isinstance(value, str):
        refuse("wrong-type", "a PCI address such as `0000:01:00.0`")
    if re.fullmatch(_PCI, value):
        return value
    whole = value.lower() if value.count(":") == 2 else f"0000:{value.lower()}"
    better = whole if re.fullmatch(_PCI, whole) else None
    hint = f"Write `{better}`." if better else "The first word of a line of `lspci -D` is one."
    return refuse("invalid-pci", f"`{value}` is not a PCI address.", hint)


class MachineGpuPart(Part):
    """Which graphics card a machine has; `{}` is the same as `gpu: true`."""

    pci: (
        Annotated[
            str,
            PlainValidator(_pci),
            WithJsonSchema({"type": "string", "pattern": f"^{_PCI}$"}),
        ]
        | None
    ) = Field(
        None,
        description="The card at this PCI address (`lspci -D`). Default: whichever there is.",
        examples=["0000:01:00.0"],
    )
    vendor: Annotated[GpuVendor, Field(strict=False)] | None = Field(
        None, description="A card of this maker. Default: any.", examples=["nvidia"]
    )
    memory: SizeText | None = Field(
        None,
        description="How much of the card's own memory it needs. Default: nothing is checked.",
        examples=["8GiB"],
    )


def _part(value: Any) -> Any:
    """`true` is a card, whichever; `false` is none."""
    if value is True:
        return {}
    if value is False:
        return None
    return value if isinstance(value, dict) else refuse("wrong-type", "`true` or `false`")


def _offer_truth(schema: dict[str, Any]) -> None:
    """Editors offer `true` and `false` too; `null` is what Pydantic calls the latter."""
    keys = next(choice for choice in schema["anyOf"] if "$ref" in choice)
    schema["anyOf"] = [{"type": "boolean"}, keys]


MachineGpu = Annotated[
    MachineGpuPart | None,
    BeforeValidator(_part),
    Field(json_schema_extra=_offer_truth),
]


def gpu_of(gpu: MachineGpuPart | None, profiles: Collection[str]) -> Gpu | None:
    """The card that a machine is to have, by its own key or by one of Freehold's profiles that it names."""
    compute = GpuProfile.NVIDIA_COMPUTE in profiles
    if gpu is None:
        named = any(map(is_built_in, profiles))
        return Gpu(vendor=GpuVendor.NVIDIA if compute else None) if named else None
    vendor = gpu.vendor or (GpuVendor.NVIDIA if compute else None)
    return Gpu(pci=gpu.pci, vendor=vendor, memory=gpu.memory)


def is_built_in(profile: str) -> bool:
    """Whether it is one of Freehold's own for machines with a GPU."""
    return profile in tuple(GpuProfile)
