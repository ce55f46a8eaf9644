"""The lock files belong to pyproject.toml, hold hashes, and say nothing of where packages come from."""

import re
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.packaging.conftest import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")


def read_lock(name: str) -> dict[str, frozenset[Version]]:
    """The versions of each package: more than one where they differ by the version of Python."""
    found: dict[str, frozenset[Version]] = {}
    pinned = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), flags=re.MULTILINE)
    for package, version in pinned:
        key = canonicalize_name(package)
        found[key] = found.get(key, frozenset()) | {Version(version)}
    return found


def read_project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def unsatisfied(requirements: list[str], lock: dict[str, frozenset[Version]]) -> list[str]:
    def is_met(requirement: Requirement) -> bool:
        versions = lock.get(canonicalize_name(requirement.name))
        return versions is not None and all(one in requirement.specifier for one in versions)

    return [text for text in requirements if not is_met(Requirement(text))]


def test_the_locks_satisfy_pyproject() -> None:
    project = read_project()
    runtime: list[str] = project["project"]["dependencies"]
    assert unsatisfied(runtime, read_lock("requirements.lock")) == []
    developing = runtime + project["dependency-groups"]["dev"]
    assert unsatisfied(developing, read_lock("requirements-dev.lock")) == []


def test_an_unlocked_requirement_is_noticed() -> None:
    lock = read_lock("requirements.lock")
    assert unsatisfied(["rich>=9999", "not-there"], lock) == ["rich>=9999", "not-there"]


def test_what_runs_is_what_is_developed_with() -> None:
    developing = read_lock("requirements-dev.lock")
    assert read_lock("requirements.lock").items() <= developing.items()


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_a_hash_and_none_a_source(name: str) -> None:
    text = (ROOT / name).read_text()
    packages = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(packages) == sum(len(versions) for versions in read_lock(name).values())
    assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []
    assert "://" not in text
    assert not re.search(r"^\s*-(?!-hash=)\S*(index|find-links|trusted-host)", text, re.MULTILINE)
