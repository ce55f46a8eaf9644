"""What needs somebody of certificates and of who shows them. Pure; one of the judges of `needs`.

Whether who signed one is to be trusted is not judged: an authority of one's own is as good as another's to who knows it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime

from freehold.operations.overview.facts import Need, Overview, ServedCertificate

_CAN_WAIT = "certificate-soon"


def certificate_needs(overview: Overview) -> Iterator[Need]:
    """One for each matter and each who shows them. Who serves a certificate renews it: what keeps it from doing so is in its log."""
    groups: defaultdict[tuple[str, str, str], list[ServedCertificate]] = defaultdict(list)
    for each in overview.certificates:
        if matter := _matter_of(each, overview):
            groups[matter, each.ingress, each.target].append(each)
    for (matter, ingress, target), shown in groups.items():
        yield Need(
            matter=matter,
            urgent=matter != _CAN_WAIT,
            subjects=tuple(each.host for each in shown),
            facts={**_moments(matter, shown, overview.at), "ingress": ingress, "target": target},
            command=f"docker logs {overview.infra.name}-{ingress}-1",
        )


def _matter_of(each: ServedCertificate, overview: Overview) -> str | None:
    if each.begins is None or each.expires is None:
        is_up = _serves(overview, each) and not overview.is_carried_out  # it may just begin
        return "ingress-refuses" if each.is_refused and is_up else None
    if not each.fits:
        return "certificate-of-another"
    if each.expires < overview.at:
        return "certificate-expired"
    if each.begins > overview.at:
        return "certificate-early"
    return _CAN_WAIT if each.is_late(overview.at) else None


def _serves(overview: Overview, each: ServedCertificate) -> bool:
    """Whether the ingress is as it should be, as far as its container tells: of one that is not, another need speaks."""
    return any(
        (service.name, service.target, service.serves) == (each.ingress, each.target, True)
        for service in overview.status.services
    )


def _moments(
    matter: str, shown: Sequence[ServedCertificate], now: datetime
) -> dict[str, str | int]:
    """The first moment at which they end, or the last at which they begin."""
    ends = [each.expires for each in shown if each.expires]
    begins = [each.begins for each in shown if each.begins]
    if not ends or not begins:
        return {}
    moment = max(begins) if matter == "certificate-early" else min(ends)
    days = max(1, (min(ends) - now).days)
    return {"day": f"{moment:%Y-%m-%d}", "time": f"{moment:%H:%M %Z}", "number": days}
