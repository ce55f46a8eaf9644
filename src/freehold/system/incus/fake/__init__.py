"""An Incus server in memory, which answers as the real one (6.0) does for the requests that providers make.

The fast tests use it. `tests/contract` runs the same tests against it and against a real server, so what it answers is
what the real one answered.
"""

from freehold.system.incus.fake.server import FakeIncus, Write
from freehold.system.incus.fake.state import Behaviour

__all__ = ["Behaviour", "FakeIncus", "Write"]
