"""A computer on which virtual machines can run: emulated, with a real systemd, Incus and QEMU in it."""

import json

import pytest

from tests.vm.computer import Computer
from tests.vm.payload import FREEHOLD

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(7200)]


def test_the_doctor_says_that_virtual_machines_can_run(host: Computer) -> None:
    said = json.loads(host.run(f"{FREEHOLD} doctor --json").output)
    found = {check["name"]: check for check in said["checks"]}["virtual machines"]
    assert (found["result"], found["detail"]) == ("ok", "Virtual machines can run.")
