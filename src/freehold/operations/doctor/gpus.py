"""The graphics cards of the computer with their drivers, and whether the estate's machines can have them. Called by `examine`."""

from freehold.operations.doctor.finding import Finding, error, ok
from freehold.operations.doctor.subject import NotMeasured, Subject
from freehold.providers.incus.cards import cards_of
from freehold.providers.incus.gpu_obstacles import gpu_obstacles, seen
from freehold.system.pci import PciDevices


def graphics_cards(subject: Subject) -> Finding:
    """What there is, and the first thing that keeps a machine from it. Raises NotMeasured when Incus does not tell."""
    resources = subject.incus("/resources")
    if resources is None:
        raise NotMeasured("Incus does not tell what the computer has.")
    cards = cards_of(resources)
    if subject.infra is not None:
        pci = PciDevices(subject.root / "sys")
        for problem in gpu_obstacles(subject.infra, cards, pci):
            return error(problem.detail, problem.hint)
    return ok(seen(cards))
