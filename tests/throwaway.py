"""A lab that is there for a test, a module or the whole run, and gone afterwards. Used by the folders' fixtures."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freehold.operations.lab import Lab
from freehold.operations.lab.images import ensure_image

IMAGE, SAME_IMAGE = "debian/13", "test/other"
_ALIAS = f"incus image alias create {SAME_IMAGE} $(incus image list -c F -f csv {IMAGE})"


@contextmanager
def throwaway_lab(*, egress: bool = False) -> Iterator[Lab]:
    """A running lab in a folder of its own, with one image."""
    with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)  # machines run as other users and have to pass through
        lab = Lab(Path(folder, "lab"))
        lab.start(egress=egress)
        try:
            ensure_image(lab, IMAGE, lambda text: None)
            yield lab
        finally:
            lab.reset()


def name_it_twice(lab: Lab) -> None:
    """The image under another name too, for what happens when a machine gets another image."""
    assert lab.run(["sh", "-c", _ALIAS]) == 0
