# Apache-2.0 (see LICENSE)
"""What the modules of this collection document alike: their parameters are in `plugin_utils/hand_over.py`."""

from __future__ import annotations


class ModuleDocFragment:
    """Named by the modules as `freehold.estate.estate`."""

    DOCUMENTATION = r"""
options:
  directory:
    description: The folder of C(infra.yml).
    type: path
    default: the folder of the playbook
  lock_timeout:
    description: The seconds to wait for another run on this estate before failing.
    type: int
    default: 600
  socket:
    description: The unix socket of Incus. Without it, that of E(INCUS_SOCKET), E(INCUS_DIR) or this computer.
    type: path
  lab:
    description: Work in Freehold's lab, the one in the folder that E(FREEHOLD_LAB) names.
    type: bool
    default: false
attributes:
  check_mode:
    description: Says what it would do, and changes nothing.
    support: full
"""
