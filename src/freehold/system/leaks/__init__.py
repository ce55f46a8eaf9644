"""What leaves the network of a container, and by which way: a program of the standard library for a target, in Python 3.9 or newer.

`text` is what `operations.leaks.prove` hands to `python3 -c` there; nothing is left on the target. It reads a request as JSON, and writes
what it saw as JSON; what that means is said by `operations.leaks.verdict`. Its modules are `MODULES`, each using those before it.
"""

from importlib.resources import files

MODULES = ("network", "packets", "probes", "containers", "guard", "moments")

_BEGIN = """\
import sys, types
def module(name, text):
    sys.modules[name] = made = types.ModuleType(name)
    exec(compile(text, name, "exec"), made.__dict__)
"""


def text() -> str:
    """The whole program: its modules under their own names, and a call of the last."""
    folder = files(__name__)
    parts = [_BEGIN]
    for name in MODULES:
        source = folder.joinpath(f"{name}.py").read_text(encoding="utf-8")
        parts.append(f"module({f'{__name__}.{name}'!r}, {source!r})\n")
    return "".join([*parts, f"sys.modules[{f'{__name__}.{MODULES[-1]}'!r}].main()\n"])
