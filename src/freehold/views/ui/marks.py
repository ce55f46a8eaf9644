"""Whether a machine, a host or a service is well, as one of four marks: each has a colour and a shape of its own. Pure."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from freehold.operations.overview.needs import ENDS_SOON
from freehold.views.overview_document import days_left

GOOD, CAUTION, BAD, UNKNOWN = "good", "caution", "bad", "unknown"
Facts = Mapping[str, Any]


def machine_mark(machine: Facts) -> str:
    """Down, without its address, different, or well."""
    if machine["state"] == "missing":
        return UNKNOWN
    if machine["state"] != "running" or machine["declared_address"] not in machine["addresses"]:
        return BAD
    return CAUTION if machine["drift"] else GOOD


def host_mark(host: Facts) -> str:
    """One that the lab has not made yet is not known, one that does not answer is bad."""
    if host["state"] == "missing":
        return UNKNOWN
    if host["state"] != "reachable":
        return BAD
    return CAUTION if host["drift"] else GOOD


def service_mark(service: Facts) -> str:
    """Nothing is known of what is not there yet, nor of what is on a host that does not answer."""
    if service["state"] in ("missing", "unknown"):
        return UNKNOWN
    if not service["serves"]:
        return BAD
    return CAUTION if service["drift"] else GOOD


_WORST_FIRST = (BAD, CAUTION, UNKNOWN, GOOD)


def worst(marks: Collection[str]) -> str:
    """The one that counts for all of them; well when there are none."""
    return next((mark for mark in _WORST_FIRST if mark in marks), GOOD)


def severity(mark: str) -> int:
    """For sorting: the worst come first."""
    return _WORST_FIRST.index(mark)


def domain_mark(domain: Facts, changes: Iterable[Facts]) -> str:
    """Of a domain itself, whatever is in it: its project and its network, by what a plan would change of them."""
    own = {f"project:{domain['name']}", f"bridge:{domain['name']}"}
    actions = {each["action"] for each in changes if each["address"] in own}
    if "create" in actions:
        return UNKNOWN
    return CAUTION if actions else GOOD


def isolation_mark(isolation: Facts) -> str:
    """Of the last proof by packets: good only where it measured something, of what infra.yml says now."""
    if isolation["different"]:
        return BAD
    measured = isolation["checks"] > isolation["unmeasured"]
    return GOOD if measured and not isolation["changed"] else UNKNOWN


def verdict_mark(document: Facts) -> str:
    """Of the whole estate: bad only when something does not work now."""
    if document["verdict"] == "needs-you":
        return BAD if any(need["urgent"] for need in document["needs"]) else CAUTION
    return GOOD if document["verdict"] == "well" else UNKNOWN


def certificate_mark(certificate: Facts, now: str) -> str:
    """Of one that was measured: expired, not valid yet or of another name, soon to expire, or good."""
    if certificate["days"] < 0 or not certificate["fits"] or is_early(certificate, now):
        return BAD
    return CAUTION if certificate["late"] else GOOD


def is_early(certificate: Facts, now: str) -> bool:
    """Whether it is not valid yet."""
    return datetime.fromisoformat(certificate["begins"]) > datetime.fromisoformat(now)


def ends_mark(update: Facts, now: str) -> str:
    """Whether the version that runs is still mended, and for long."""
    left = days_left(update["ends"], now)
    if left <= 0:
        return BAD
    return CAUTION if left <= ENDS_SOON else GOOD


_RUNS = {"done": GOOD, "at-work": UNKNOWN, "exit": CAUTION, "stopped": CAUTION}


def run_mark(result: str) -> str:
    """Of a run, by the word for how it ended."""
    return _RUNS.get(result, BAD)
