"""How much memory the graphics cards of this computer have, which Incus does not tell: their drivers do.

AMD's driver writes it to sysfs (`mem_info_vram_total`, Documentation/gpu/amdgpu), NVIDIA's comes with `nvidia-smi`. Intel's tells it
nowhere that stays. Called by `providers.incus.computer`, only when machines say how much they need.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from freehold.diagnostics import BackendError
from freehold.system.pci import SYSFS
from freehold.system.processes import find_program, run

_MIB = 1024**2
_SMI_SECONDS = 10.0  # it wakes the driver, which takes a second or two
_ANSWER = re.compile(r"[0-9a-f]*([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]), ([0-9]+)")


def memory_of_cards(addresses: Iterable[str], root: Path = SYSFS) -> dict[str, int]:
    """Bytes by PCI address (`0000:01:00.0`), of the cards whose drivers tell. `root` is where sysfs is mounted."""
    told = _of_sysfs(addresses, root)
    missing = [address for address in addresses if address not in told]
    return told | (_of_nvidia() if missing else {})


def _of_sysfs(addresses: Iterable[str], root: Path) -> dict[str, int]:
    found = {}
    for address in addresses:
        with suppress(OSError, ValueError):
            text = (root / "bus/pci/devices" / address / "mem_info_vram_total").read_text()
            found[address] = int(text)
    return found


def _of_nvidia() -> dict[str, int]:
    """Its domains have eight digits (`00000000:01:00.0`), the kernel's four."""
    program = find_program("nvidia-smi")
    if program is None:
        return {}
    query = ("--query-gpu=pci.bus_id,memory.total", "--format=csv,noheader,nounits")
    try:
        said = run([str(program), *query], timeout=_SMI_SECONDS).output.lower()
    except BackendError:
        return {}
    return {match[1]: int(match[2]) * _MIB for match in _ANSWER.finditer(said)}
