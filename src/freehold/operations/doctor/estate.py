"""The estate's file as far as the doctor wants it: whether it is there and valid. Called by `cli.doctor`."""

from functools import partial
from pathlib import Path

from freehold.config.load import load
from freehold.model import Infra
from freehold.operations.doctor.finding import Check, Finding, error, not_measured, ok
from freehold.operations.doctor.subject import Subject


def readable_estate(folder: Path) -> Infra | None:
    """The estate in the folder; None when there is no valid one."""
    return load(folder).infra


def estate_check(folder: Path) -> Check:
    """The check that says which estate the others speak of."""
    return Check("estate", partial(_estate, folder))


def _estate(folder: Path, subject: Subject) -> Finding:
    infra = subject.infra
    if infra is not None:
        return ok(
            f"{infra.name}: {len(infra.domains)} domains, {len(list(infra.machines()))} machines."
        )
    if any(problem.code == "file-not-found" for problem in load(folder).diagnostics):
        return not_measured(
            f"There is no infra.yml in {folder.resolve()}; ten machines are assumed."
        )
    return error("infra.yml is not valid.", "See what is wrong:\n    freehold validate")
