"""One lab for all playbooks, with somebody else's things in it; every test gets an empty folder."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.operations.lab import Lab
from tests.ansible.tree import Tree
from tests.e2e import foreign
from tests.throwaway import throwaway_lab


@pytest.fixture(scope="session")
def playbook_lab() -> Iterator[Lab]:
    with throwaway_lab() as lab:
        foreign.make(lab)
        yield lab


@pytest.fixture
def tree(playbook_lab: Lab, tmp_path: Path) -> Iterator[Tree]:
    """An empty folder. Whatever a test did, nothing of somebody else's may have changed."""
    theirs = json.dumps(foreign.picture(playbook_lab), sort_keys=True)
    tree = Tree(tmp_path, playbook_lab)
    try:
        yield tree
        assert json.dumps(foreign.picture(playbook_lab), sort_keys=True) == theirs
    finally:
        tree.end_all()
        foreign.clean(playbook_lab)
