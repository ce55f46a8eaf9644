"""How the program of `target` gets into a machine: a text for `python3 -c`, which then reads the rest.

Used by `session.py`. The text says nothing that others should not see; it stands in the machine's list of processes.
"""

from functools import cache
from pathlib import Path

_PACKAGE = "freehold.system.warm.target"
_MODULES = (
    "frames", "leaving", "interpreter", "running", "processes", "files", "library", "payload", "program",
)  # fmt: skip

# The names of a fresh __main__ are kept first: a payload finds them as Python left them.
BOOT = """\
fresh = dict(globals())
import os, sys, types
def take(size):
    content = b''
    while len(content) < size:
        piece = os.read(0, size - len(content))
        if not piece:
            os._exit(0)
        content += piece
    return content
try:
    for descriptor in os.pidfd_open(os.getpid()), os.memfd_create('freehold'):
        os.close(descriptor)
except (AttributeError, OSError):
    sys.exit('too old')
exec(take(int.from_bytes(take(4), 'big')).decode())
"""

_UNPACK = """
def unpack():
    names = PACKAGE.split('.')
    for end in range(1, len(names) + 1):
        name = '.'.join(names[:end])
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = []
    for name, text in SOURCES.items():
        module = sys.modules[PACKAGE + '.' + name] = types.ModuleType(PACKAGE + '.' + name)
        setattr(sys.modules[PACKAGE], name, module)
        exec(compile(text, '<freehold ' + name + '>', 'exec'), module.__dict__)
    return module
unpack().begin(fresh)
"""


@cache
def program() -> bytes:
    """What the text of BOOT reads: a length of four bytes, and the program."""
    folder = Path(__file__).with_name("target")
    sources = {name: (folder / f"{name}.py").read_text(encoding="utf-8") for name in _MODULES}
    text = f"PACKAGE = {_PACKAGE!r}\nSOURCES = {sources!r}\n{_UNPACK}".encode()
    return len(text).to_bytes(4, "big") + text
