"""The list of checks, and running them all at once. Called by `cli.doctor`."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from freehold.diagnostics import BackendError
from freehold.operations.doctor import (
    docker,
    firewalls,
    gpus,
    kernel,
    leftovers,
    network,
    programs,
    routing,
    server,
    storage,
    virtual_machines,
)
from freehold.operations.doctor.finding import Check, CheckResult, Finding, error, not_measured
from freehold.operations.doctor.subject import NotMeasured, Subject

CHECKS = (
    Check("computer", programs.computer),
    Check("lab", programs.lab_running, outside=False),
    Check("lab programs", programs.lab_programs),
    Check("incus", server.reachable),
    Check("incus version", server.version),
    Check("incus api", server.extensions),
    Check("virtual machines", virtual_machines.virtual_machines),
    Check("graphics cards", gpus.graphics_cards),
    Check("storage pool", storage.pool),
    Check("storage space", storage.space),
    Check("disk", storage.disk),
    Check("memory", storage.memory),
    Check("subordinate ids", kernel.subordinate_ids),
    Check("inotify instances", partial(kernel.enough, kernel.INSTANCES)),
    Check("inotify watches", partial(kernel.enough, kernel.WATCHES)),
    Check("kernel keys", partial(kernel.enough, kernel.KEYS)),
    Check("clock", kernel.clock),
    Check("nftables", network.nftables),
    Check("forwarding", routing.forwarding),
    Check("reverse path", routing.reverse_path),
    Check("br_netfilter", routing.bridge_filter),
    Check("docker", docker.docker),
    Check("ufw", firewalls.ufw),
    Check("firewalld", firewalls.firewalld),
    Check("other firewalls", network.others),
    Check("leftover tables", leftovers.leftover_tables),
)


def checks_for(subject: Subject) -> list[Check]:
    """The checks that have a meaning for what is examined."""
    return [check for check in CHECKS if subject.in_lab or check.outside]


def examine(subject: Subject, checks: Sequence[Check]) -> list[CheckResult]:
    """Every check's answer, in the order of `checks`. They mostly wait for others, so all run at once."""
    if not checks:
        return []
    with ThreadPoolExecutor(len(checks)) as threads:
        return list(threads.map(partial(_answer, subject), checks))


def _answer(subject: Subject, check: Check) -> CheckResult:
    return CheckResult(check.name, _finding(subject, check))


def _finding(subject: Subject, check: Check) -> Finding:
    try:
        return check.look(subject)
    except NotMeasured as reason:
        return not_measured(str(reason))
    except BackendError as failure:
        said = failure.diagnostics[0]
        return not_measured(f"{said.summary}: {said.detail}", said.hint)
    except Exception as failure:  # noqa: BLE001 - one broken check must not take the others' answers away
        return error(
            f"This is a bug in Freehold: {type(failure).__name__}: {failure}",
            "Please report it, with this line and what `freehold --version` says.",
        )
