"""A payload runs as in a Python started for it: everything that a program can see and do is compared with that."""

import io
import json
import site
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.system.warm.target import interpreter
from tests.warm.local_program import PYTHON, LocalProgram

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}

# Values that must be the same. Left out: what is another in every process, and which modules of the library are loaded.
LOOK = """
import json, os, sys, threading, signal, gc
import __main__
print(json.dumps({
    "main": {name: repr(value) for name, value in vars(__main__).items()
             if name not in ("json", "os", "sys", "threading", "signal", "gc")},
    "argv": sys.argv, "orig_argv": getattr(sys, "orig_argv", None), "path": sys.path, "flags": repr(sys.flags),
    "executable": sys.executable, "prefix": sys.prefix, "warnoptions": sys.warnoptions,
    "environment": dict(os.environ), "folder": os.getcwd(), "umask": os.umask(0),
    "streams": [[s.encoding, s.errors, s.line_buffering, s.isatty(), s.fileno()] for s in (sys.stdin, sys.stdout, sys.stderr)],
    "input": sys.stdin.read(), "files": sorted(os.listdir("/proc/self/fd"))[:3],
    "kinds": [os.readlink(f"/proc/self/fd/{n}").partition(":")[0] for n in range(3)],
    "inheritable": [os.get_inheritable(n) for n in range(3)],
    "signals": {s.name: repr(signal.getsignal(s)) for s in signal.Signals},
    "blocked": [line for line in open("/proc/self/status") if line.startswith(("SigBlk", "SigIgn", "SigCgt"))],
    "threads": threading.active_count(), "foreign": sorted(m for m in sys.modules if m.startswith("freehold")),
    "hooks": [repr(sys.excepthook), repr(sys.displayhook)], "recursion": sys.getrecursionlimit(),
    "tracing": repr([sys.gettrace(), sys.getprofile()]), "collecting": [gc.isenabled(), gc.get_threshold()],
    "frame": sys._getframe().f_code.co_filename,
}, sort_keys=True, indent=1))
"""


@pytest.fixture
def program() -> Iterator[LocalProgram]:
    program = LocalProgram(PYTHON, ENVIRONMENT)
    program.payload(
        "import json, zipfile, tempfile, zipimport"
    )  # what it learns from the first one
    yield program
    program.stop()


def fresh(program: LocalProgram, source: str | bytes) -> tuple[int, str, str]:
    """The same in a Python that is started for it, as Ansible's command line does."""
    content = source.encode() if isinstance(source, str) else source
    done = subprocess.run(
        ["/bin/sh", "-c", program.python],
        input=content, capture_output=True, env=ENVIRONMENT, check=False,
    )  # fmt: skip
    errors = done.stderr.decode().removesuffix("Killed\n")  # the shell's word, not the program's
    return done.returncode, done.stdout.decode(), errors


def warm(program: LocalProgram, source: str | bytes) -> tuple[int, str, str]:
    answer = program.payload(source)
    return answer.code, answer.output.decode(), answer.errors.decode()


def test_it_sees_what_a_fresh_one_sees(program: LocalProgram) -> None:
    wanted, seen = (json.loads(run(program, LOOK)[1]) for run in (fresh, warm))

    assert seen == wanted


ENDS = {
    "nothing": "pass",
    "code": "import sys; sys.exit(7)",
    "large code": "import sys; sys.exit(300)",
    "negative code": "import sys; sys.exit(-1)",
    "words": "import sys; print('out'); sys.exit('words')",
    "none": "raise SystemExit",
    "exception": "def inner():\n    1/0\n\ninner()",
    "chained": "try:\n    1/0\nexcept Exception as e:\n    raise ValueError('x') from e",
    "syntax": "print('never'\n\nx = (",
    "own excepthook": "import sys\nsys.excepthook = lambda *a: print('mine', a[0].__name__)\n1/0",
    "at exit": "import atexit, sys\natexit.register(print, 'last')\nprint('first'); sys.exit(2)",
    "at exit in order": "import atexit\nfor n in range(3): atexit.register(print, n)",
    "thread": "import threading, time\nthreading.Thread(target=lambda: (time.sleep(.2), print('thread'))).start()",
    "buffered": "import sys; sys.stdout.write('x' * 100000)",
    "binary": "import sys; sys.stdout.buffer.write(b'\\xc3\\xa9'); sys.stderr.write('e')",
    "descriptor": "import os; os.write(1, b'direct'); print('buffered')",
    "signal": "import os, signal; print('lost'); os.kill(os.getpid(), signal.SIGKILL)",
    "abrupt": "import os; print('lost'); os._exit(4)",
    "deleted object": "class A:\n    def __del__(self): print('gone')\na = A()",
    "deleted in a cycle": "class A:\n    def __del__(self): print('gone')\na = A(); a.a = a; del a",
    "local of a function": "import sys\nclass A:\n    def __del__(self): print('gone')\ndef f():\n    a = A(); sys.exit(1)\nf()",
    "closed output": "import sys; sys.stdout.close()",
    "own stream": "import sys, io\nsys.stdout = io.StringIO(); print('kept to itself')",
    "future": "print(1/2, type(print), __name__)",
    "forked": "import os\npid = os.fork()\nprint('child' if pid == 0 else 'parent') if pid == 0 else (os.waitpid(pid, 0), print('parent'))",
    "recursion": "def f(): f()\ntry: f()\nexcept RecursionError: print('deep')",
    "run as main": "import runpy, types, sys; print(sys.modules['__main__'].__dict__ is globals())",
    "pickle of main": "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))) is A)",
    "subprocess": "import subprocess; print(subprocess.run(['cat'], capture_output=True).stdout)",
    "pipe default in children": "import subprocess; print(subprocess.run('yes | head -n1', shell=True, capture_output=True))",
    "multiprocessing": "import multiprocessing as m\nc = m.get_context('fork')\np = c.Process(target=print, args=('in a child',)); p.start(); p.join(); print(p.exitcode)",
}


@pytest.mark.parametrize("source", ENDS.values(), ids=ENDS.keys())
def test_it_ends_as_a_fresh_one_ends(program: LocalProgram, source: str) -> None:
    assert warm(program, source) == fresh(program, source)


def test_not_even_the_second_time_is_different(program: LocalProgram) -> None:
    source = "import sys, decimal\nsys.path.append('x'); decimal.mine = 1; print(hasattr(decimal, 'other'))"

    assert [warm(program, source) for _ in range(3)] == [fresh(program, source)] * 3


def test_it_is_random_each_time(program: LocalProgram) -> None:
    source = "import random, uuid, tempfile\nprint(random.random(), uuid.uuid4(), next(tempfile._get_candidate_names()))"

    assert len({warm(program, source)[1] for _ in range(5)}) == 5


def test_variables_are_there_and_gone_with_it(program: LocalProgram) -> None:
    source = "import os; print(os.environ.get('WORDS'), os.popen('echo $WORDS').read().strip())"

    assert program.payload(source, WORDS="two words").output == b"two words two words\n"
    assert program.payload(source).output == b"None \n"


@pytest.mark.parametrize("name", ["LC_ALL", "TZ", "PYTHONUTF8", "HOME", "LANG"])
def test_variables_that_python_reads_at_its_start_are_obeyed(
    program: LocalProgram, name: str
) -> None:
    value = {"TZ": "Asia/Tokyo", "PYTHONUTF8": "1", "HOME": "/nowhere"}.get(name, "C")
    source = "import sys, time, os; print(sys.flags.utf8_mode, time.tzname, os.path.expanduser('~'), sys.stdout.errors)"
    script = f"{name}={value} {program.python}"

    done = subprocess.run(
        ["/bin/sh", "-c", script],
        input=source.encode(), capture_output=True, env=ENVIRONMENT, check=True,
    )  # fmt: skip
    assert program.payload(source, **{name: value}).output == done.stdout


def test_a_program_in_a_zip_file_is_compiled_once(program: LocalProgram, tmp_path: Path) -> None:
    texts = {"first": "print(__file__.rpartition('/')[0][-5:])", "second": "1/0"}
    places = []
    for n in range(2):
        place = tmp_path / f"{n}" / "x.zip"
        place.parent.mkdir()
        place.write_bytes(_zip({f"{name}.py": text for name, text in texts.items()}))
        places.append(place)
    sources = [
        f"import sys; sys.path.insert(0, {str(place)!r})\nimport first, second" for place in places
    ]

    for source in [sources[0], sources[1], sources[0]]:
        assert warm(program, source) == fresh(program, source)


def test_another_text_of_the_same_name_is_another_program(
    program: LocalProgram, tmp_path: Path
) -> None:
    place = tmp_path / "x.zip"
    for text in ("print(1)", "print(2)", "print(1)"):
        place.write_bytes(_zip({"inner.py": text}))
        source = f"import sys; sys.path.insert(0, {str(place)!r}); import inner"
        assert warm(program, source)[1] == text[6] + "\n"


def test_a_module_that_kills_its_parent_is_not_silently_lost(program: LocalProgram) -> None:
    with pytest.raises(EOFError):
        program.payload("import os, signal; os.kill(os.getppid(), signal.SIGKILL); print('x')")


def test_after_a_change_of_the_search_path_a_fresh_python_is_started(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    program = LocalProgram(str(tmp_path / "venv" / "bin" / "python"), ENVIRONMENT)
    try:
        source = "import os; print(os.environ.get('PWD') is not None, os.getppid())"
        before = program.payload(source)
        (folder,) = (tmp_path / "venv" / "lib").glob("python*/site-packages")
        (folder / "newcomer.pth").write_text(f"{tmp_path}\n")
        (tmp_path / "newcomer.py").write_text("print('found')")
        after = program.payload("import newcomer")

        assert before.output == f"True {program.pid}\n".encode()
        assert before.done["stale"] is False
        assert after.output == b"found\n"
        assert after.done["stale"] is True
    finally:
        program.stop()


@pytest.mark.parametrize("change", ["new", "edited", "replaced"])
def test_a_change_of_what_python_starts_with_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    zone, path_file = tmp_path / "localtime", tmp_path / "site" / "a.pth"
    zone.write_text("UTC")
    path_file.parent.mkdir()
    path_file.write_text("one\n")
    monkeypatch.setattr(interpreter, "_ZONE", str(zone))
    monkeypatch.setattr(site, "getsitepackages", lambda: [str(path_file.parent)])
    before = interpreter.fingerprint()
    assert interpreter.fingerprint() == before

    if change == "new":
        path_file.with_name("b.pth").touch()
    elif change == "edited":
        path_file.write_text("one\ntwo\n")
    else:
        (tmp_path / "other").write_text("CET")
        (tmp_path / "other").rename(zone)

    assert interpreter.fingerprint() != before


def _zip(texts: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in texts.items():
            archive.writestr(name, textwrap.dedent(text))
    return content.getvalue()
