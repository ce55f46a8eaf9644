"""What a change of firewall rules must not break: asked before it and after it, with packets.

Made by `cli.site` and handed to `providers.firewall`, whose `WayIn` these are.
"""

from freehold.operations.ways_in.admin_reach import AdminReach
from freehold.operations.ways_in.operator import OperatorWayIn

__all__ = ["AdminReach", "OperatorWayIn"]
