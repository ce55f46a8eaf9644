"""What keeps machines from the graphics cards that they are to have, found before any of them starts. Pure but for /sys.

Called by `provider.py` with the cards that Incus sees on the computer; asked by the doctor too.
"""

from collections.abc import Iterator, Sequence

from freehold.diagnostics import Diagnostic, Severity
from freehold.model import GpuProfile, Infra, Machine, MachineType
from freehold.model.computer import Card
from freehold.providers.incus.cards import NVIDIA_DRIVER, PASSED_THROUGH, fitting
from freehold.providers.incus.gpu import gpu_profile
from freehold.system.pci import PciDevices


def gpu_obstacles(
    infra: Infra, cards: Sequence[Card], pci: PciDevices | None
) -> Iterator[Diagnostic]:
    """Everything found, all at once. Without `pci` nobody knows whether cards can be passed through."""
    for machine in infra.machines():
        if machine.gpu is None:
            continue
        found = fitting(machine.gpu, cards)
        if not found:
            yield _no_card(machine, cards)
        elif machine.type is MachineType.CONTAINER:
            yield from _no_driver(machine, found, cards)
        elif len(found) > 1:
            yield _which(machine, found)
        else:
            yield from _not_isolated(machine, found[0], pci)


def _no_card(machine: Machine, cards: Sequence[Card]) -> Diagnostic:
    return Diagnostic(
        code="no-gpu",
        summary="The computer does not have this graphics card",
        detail=f"{machine.key} is to have {_wanted(machine)}. {seen(cards)}",
        hint="Change `gpu` of the machine, or look at what the computer sees:\n    incus info --resources",
    )


def _no_driver(
    machine: Machine, found: Sequence[Card], cards: Sequence[Card]
) -> Iterator[Diagnostic]:
    """A container uses the driver of the computer; one that works is enough."""
    profile = gpu_profile(machine, cards)
    needs_nvidia = profile is not None and profile.name == GpuProfile.NVIDIA_COMPUTE
    problems = [_unfit(card, needs_nvidia=needs_nvidia) for card in found]
    if any(problem is None for problem in problems):
        return
    yield Diagnostic(
        code="no-gpu-driver",
        summary="A graphics card has no driver that a container can use",
        detail=f"{machine.key} is to have {_wanted(machine)}; "
        + "; ".join(problem for problem in problems if problem)
        + ".",
        hint="Install the card's driver on this computer, load it, and try again."
        if not any(card.driver == PASSED_THROUGH for card in found)
        else "Stop the virtual machine that has it, or name another card: `gpu: {pci: …}`.",
    )


def _unfit(card: Card, *, needs_nvidia: bool) -> str | None:
    """Why a container cannot use a card, None when it can."""
    if not card.driver:
        return f"{card.title} has no driver"
    if card.driver == PASSED_THROUGH:
        return f"{card.title} is kept for a virtual machine ({PASSED_THROUGH})"
    if needs_nvidia and card.driver != NVIDIA_DRIVER:
        return f"{_with_driver(card)} does not have NVIDIA's own driver"
    return None


def _which(machine: Machine, found: Sequence[Card]) -> Diagnostic:
    return Diagnostic(
        code="which-gpu",
        summary="A virtual machine has one graphics card, and several would do",
        detail=f"{machine.key} is to have {_wanted(machine)}. {seen(found)}",
        hint=f'Name it:\n    gpu: {{pci: "{found[0].pci}"}}',
    )


def _not_isolated(machine: Machine, card: Card, pci: PciDevices | None) -> Iterator[Diagnostic]:
    """A virtual machine gets all of the card's IOMMU group, and Incus hands over the card's own functions only."""
    if pci is None:
        yield _not_measured(machine, card, "the computer's /sys cannot be seen from here")
        return
    try:
        group = pci.isolated_with(card.pci)
    except OSError as error:
        yield _not_measured(machine, card, error.strerror or str(error))
        return
    if group is None:
        yield _without_group(machine, card)
    elif others := [each for each in group if each.partition(".")[0] != card.pci.partition(".")[0]]:
        yield Diagnostic(
            code="iommu-group-shared",
            summary="A graphics card cannot be passed through alone",
            detail=f"{machine.key} is to have {card.title}, whose IOMMU group holds {', '.join(others)} too.",
            hint="Put the card into another slot, or turn on ACS in the firmware. What they are:\n"
            f"    lspci -nn -s {others[0]}",
        )


def _without_group(machine: Machine, card: Card) -> Diagnostic:
    return Diagnostic(
        code="no-iommu",
        summary="The computer's IOMMU is off",
        detail=f"{machine.key} is to have {card.title}, which has no IOMMU group: nothing can be passed through.",
        hint="Turn on VT-d or AMD-Vi in the firmware; on Intel also start the kernel with `intel_iommu=on`.",
    )


def _not_measured(machine: Machine, card: Card, reason: str) -> Diagnostic:
    return Diagnostic(
        severity=Severity.WARNING,
        code="iommu-not-measured",
        summary="Whether a graphics card can be passed through was not measured",
        detail=f"{machine.key} is to have {card.title}; {reason}.",
    )


def _wanted(machine: Machine) -> str:
    gpu = machine.gpu
    if gpu is None or (gpu.pci is None and gpu.vendor is None):
        return "a graphics card"
    maker = f" of {gpu.vendor.value}" if gpu.vendor else ""
    return f"the graphics card{maker} at {gpu.pci}" if gpu.pci else f"a graphics card{maker}"


def seen(cards: Sequence[Card]) -> str:
    """The cards with their drivers."""
    if not cards:
        return "Incus sees none on this computer."
    return f"Incus sees {'; '.join(_with_driver(card) for card in cards)}."


def _with_driver(card: Card) -> str:
    driver = f"{card.driver} {card.driver_version}".strip()
    return f"{card.title} ({driver or 'no driver'})"
