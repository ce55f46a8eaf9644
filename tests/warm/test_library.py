"""What is lent of Ansible's library is the same in the payload's own zip file, and behaves as if imported from there."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from freehold.system.warm.target.library import FIRST
from tests.warm.local_program import PYTHON, LocalProgram

PLACE = "from pkgutil import extend_path\n__path__ = extend_path(__path__, __name__)\n"
SAYS = "print('carried out', __name__.rpartition('.')[2])\n"
LIBRARY = {
    "ansible/__init__.py": PLACE,
    "ansible/module_utils/__init__.py": PLACE,
    "ansible/module_utils/_internal/__init__.py": SAYS,
    "ansible/module_utils/_internal/_ansiballz/__init__.py": "",
    "ansible/module_utils/_internal/_ansiballz/_loader.py": (
        SAYS
        + "from ansible.module_utils import basic\nfrom ansible.module_utils.common import words\n"
    ),
    "ansible/module_utils/basic.py": SAYS + "from .common.words import WORD\nstate = []\n",
    "ansible/module_utils/common/__init__.py": SAYS,
    "ansible/module_utils/common/words.py": SAYS + "WORD = 'hello'\n",
    "ansible/module_utils/extra.py": SAYS,
}
IMPORT = f"import {FIRST}, sys, os\n"


@pytest.fixture
def program() -> Iterator[LocalProgram]:
    program = LocalProgram(PYTHON)
    yield program
    program.stop()


class Payloads:
    """Programs that have the library with them, each in a zip file of its own."""

    def __init__(self, program: LocalProgram, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._count = 0

    def run(self, source: str, **changes: str) -> list[str]:
        """The lines it says; `changes` are texts of modules of the library, by name."""
        self._count += 1
        place = self._folder / str(self._count) / "payload.zip"
        place.parent.mkdir()
        texts = {path: changes.get(Path(path).stem, text) for path, text in LIBRARY.items()}
        place.write_bytes(_zip(texts))
        answer = self._program.payload(f"import sys; sys.path.insert(0, {str(place)!r})\n{source}")
        assert (answer.code, answer.errors) == (0, b"")
        return answer.output.decode().splitlines()


@pytest.fixture
def payloads(program: LocalProgram, tmp_path: Path) -> Payloads:
    payloads = Payloads(program, tmp_path)
    assert len(payloads.run(IMPORT)) == 5  # from here on it can be lent
    return payloads


def test_what_was_carried_out_is_lent(payloads: Payloads) -> None:
    assert payloads.run(
        IMPORT + "print(basic.WORD)".replace("basic", "ansible.module_utils.basic")
    ) == ["hello"]


def test_it_lies_in_the_payloads_own_zip_file(payloads: Payloads) -> None:
    source = IMPORT + (
        "m = sys.modules['ansible.module_utils.common']; own = sys.path[0]\n"
        "for x in (m.__file__, m.__path__[0], m.__spec__.origin, m.__loader__.archive): print(x.startswith(own))\n"
        "print(m.__spec__.loader is m.__loader__, m.__loader__.get_source(m.__name__) is not None)\n"
    )

    assert payloads.run(source) == ["True"] * 4 + ["True True"]


def test_all_that_an_import_brings_along_is_there(payloads: Payloads) -> None:
    source = (
        "import ansible.module_utils.basic as basic, sys\n"
        "print(sorted(m for m in sys.modules if m.startswith('ansible')))\n"
        "import ansible; print(ansible.module_utils.common.words is sys.modules['ansible.module_utils.common.words'])\n"
        "print(hasattr(ansible.module_utils, '_internal'))\n"
    )
    names = ["", ".module_utils", ".module_utils.basic", ".module_utils.common"]
    names.append(".module_utils.common.words")

    assert payloads.run(source) == [str([f"ansible{name}" for name in names]), "True", "False"]


def test_a_changed_module_is_not_lent_nor_who_imports_it(payloads: Payloads) -> None:
    said = payloads.run(
        IMPORT + "print(ansible.module_utils.basic.WORD)", words=SAYS + "WORD = 'other'\n"
    )

    assert said == ["carried out _loader", "carried out basic", "carried out words", "other"]


def test_a_module_that_asks_where_it_lies_is_not_lent(
    program: LocalProgram, tmp_path: Path
) -> None:
    payloads = Payloads(program, tmp_path)
    words = SAYS + "import sys\nWORD = sys.modules['ansible'].__file__\n"
    said: list[str] = []
    for _ in range(3):
        said = payloads.run(
            IMPORT + "print(ansible.module_utils.basic.WORD.startswith(sys.path[0]))", words=words
        )

    assert said == ["carried out _loader", "carried out basic", "carried out words", "True"]


def test_a_module_that_fails_when_carried_out_fails_in_each_payload(
    program: LocalProgram, tmp_path: Path
) -> None:
    payloads = Payloads(program, tmp_path)
    words = "import os\nif os.getpid() == PARENT: raise RuntimeError\nWORD = 'fine'\n".replace(
        "PARENT", str(program.pid)
    )
    said = [
        payloads.run(IMPORT + "print(ansible.module_utils.basic.WORD)", words=words)
        for _ in range(3)
    ]

    assert [lines[-1] for lines in said] == ["fine"] * 3


def test_what_a_payload_does_to_it_is_gone_with_it(payloads: Payloads) -> None:
    source = (
        IMPORT
        + "b = ansible.module_utils.basic; print(b.state); b.state.append(1); b.WORD = 'mine'\n"
    )

    assert [payloads.run(source) for _ in range(2)] == [["[]"]] * 2
    assert payloads.run(IMPORT + "print(ansible.module_utils.basic.WORD)") == ["hello"]


def test_what_is_not_first_in_every_payload_is_not_lent(payloads: Payloads) -> None:
    said: list[str] = []
    for _ in range(2):
        said = payloads.run(IMPORT + "import ansible.module_utils.extra")

    assert said == ["carried out extra"]


def _zip(texts: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return content.getvalue()
