"""One lab for all playbooks, with somebody else's things in it; every test gets an empty folder."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.operations.lab import Lab
from freehold.operations.lab.images import ensure_image
from tests.ansible.tree import Tree
from tests.e2e import foreign


@pytest.fixture(scope="session")
def playbook_lab() -> Iterator[Lab]:
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # machines run as other users and have to pass through
        lab = Lab(Path(folder, "lab"))
        lab.start()
        try:
            ensure_image(lab, "debian/13", lambda text: None)
            foreign.make(lab)
            yield lab
        finally:
            lab.reset()


@pytest.fixture
def tree(playbook_lab: Lab, tmp_path: Path) -> Iterator[Tree]:
    """An empty folder. Whatever a test did, nothing of somebody else's may have changed."""
    theirs = json.dumps(foreign.picture(playbook_lab), sort_keys=True)
    tree = Tree(tmp_path, playbook_lab)
    try:
        yield tree
        assert json.dumps(foreign.picture(playbook_lab), sort_keys=True) == theirs
    finally:
        for process in tree.started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        foreign.clean(playbook_lab)
