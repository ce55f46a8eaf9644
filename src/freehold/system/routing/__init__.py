"""The host's routing to the machine between the domains: what may be asked of it (`api`), the real one, one in memory."""

from freehold.system.routing.api import Routing, RoutingError, Way

__all__ = ["Routing", "RoutingError", "Way"]
