"""One look at the Ansible tree: what each file is, and what it is to be. Called by `files`; compares nothing, writes nothing.

What is not Freehold's in a file is never part of a field, and a value that may be secret never is (`shown_variables`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from freehold.config.collection import roles_in
from freehold.diagnostics import Diagnostic
from freehold.model import Infra
from freehold.planning.address import HOST, Address
from freehold.planning.resource import Desired, Fields, Kind, Observed
from freehold.providers.ansible import tree_problems
from freehold.providers.ansible.inventory import inhabited
from freehold.providers.ansible.managed import DamagedMarks, Marked, split
from freehold.providers.ansible.tree import (
    SITE,
    VARIABLE_FOLDERS,
    Generated,
    generated,
    is_untouched,
    read_variables,
)
from freehold.system import kept_files
from freehold.system.kept_files import Unusable

KIND = Kind(name="file", rank=1)

_AS_WRITTEN = "as Freehold writes it"
_OTHERWISE = "otherwise"


def file_address(name: str) -> Address:
    """The address of a file of the tree."""
    return Address(HOST, KIND.name, name)


@dataclass(slots=True)
class TreeLook:
    """The tree as it is and as it is to be. `texts` are whole files as they are to be, by name, the user's part included."""

    observed: dict[Address, Observed] = field(default_factory=dict)
    desired: dict[Address, Desired] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    files: dict[str, Generated] = field(default_factory=dict)


def look(folder: Path, infra: Infra) -> TreeLook:
    """Read the whole tree. `infra` is the estate as infra.yml has it, without addresses that were allocated."""
    found = TreeLook()
    for file in generated(infra, roles_in(folder / "roles")):
        address = file_address(file.name)
        found.files[file.name] = file
        found.desired[address] = Desired(address=address, fields=_fields(file.shown, True))
        _look_at(found, folder, file)
    for name in _other_variables(folder, found.files):
        _look_at_orphan(found, folder, name)
    return found


def desired_texts(infra: Infra, folder: Path) -> Mapping[str, str]:
    """The files of the tree as they are to be, whole, by name."""
    return look(folder, infra).texts


def tree_is_used(infra: Infra, folder: Path) -> bool:
    """Whether `plan` and `apply` keep the tree in step: something is to go inside machines or hosts, or `sync` has made it before."""
    if any(each.provision.asks for each in inhabited(infra)):
        return True
    try:
        return read_marked(folder, SITE)[1] is not None
    except Unusable:
        return False
    except DamagedMarks:
        return True


def read_marked(folder: Path, name: str) -> tuple[str | None, Marked | None]:
    """A file's text and the same around Freehold's part; None where there is none. Raises Unusable, DamagedMarks."""
    content = kept_files.read(folder, name)
    if content is None:
        return None, None
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise Unusable(f"is not UTF-8 text (line {line})") from error
    return text, split(text)


def spliced(folder: Path, file: Generated) -> str:
    """The whole file as it is to be, from what it is now. Raises Unusable, DamagedMarks."""
    text, marked = read_marked(folder, file.name)
    if text is None:
        return file.new().with_part(file.body)
    if marked is None:
        raise Unusable("is not Freehold's")
    return marked.with_part(file.body)


def _look_at(found: TreeLook, folder: Path, file: Generated) -> None:
    """Nothing that is wrong here keeps the other files from being looked at."""
    path = folder / file.name
    read = _read(found, folder, file.name)
    if read is None:
        found.observed[file_address(file.name)] = Observed(
            address=file_address(file.name), fields=_fields({}, False)
        )
        return
    text, marked = read
    if text is None:
        found.texts[file.name] = file.new().with_part(file.body)
    elif marked is None:
        found.texts[file.name] = text
        found.observed[file_address(file.name)] = _not_ours(path, file)
        return
    else:
        found.texts[file.name] = marked.with_part(file.body)
        found.observed[file_address(file.name)] = _ours(file, marked)
        found.diagnostics += tree_problems.set_twice(path, _as_wanted(marked, file))
    _add_obstacles(found, folder, file.name, changes=found.texts[file.name] != text)


def _read(found: TreeLook, folder: Path, name: str) -> tuple[str | None, Marked | None] | None:
    """The file; None when it cannot be worked with, which is told."""
    path = folder / name
    try:
        return read_marked(folder, name)
    except Unusable as problem:
        found.diagnostics.append(tree_problems.unusable(path, str(problem)))
    except DamagedMarks as problem:
        found.diagnostics.append(tree_problems.damaged(path, problem))
    return None


def _add_obstacles(found: TreeLook, folder: Path, name: str, *, changes: bool) -> None:
    path = folder / name
    if changes and (words := kept_files.refuses_writing(folder, name)):
        found.diagnostics.append(tree_problems.read_only(path, words))
    other = path.with_suffix("")
    if path.parent.name in VARIABLE_FOLDERS and other.exists():
        found.diagnostics.append(tree_problems.hidden(path, other))


def _as_wanted(marked: Marked, file: Generated) -> Marked:
    return Marked(marked.before, marked.in_its_lines(file.body), marked.after)


def _ours(file: Generated, marked: Marked) -> Observed:
    """What stands between the marks; how it is written counts only where it says the same."""
    address = file_address(file.name)
    if marked.part == marked.in_its_lines(file.body):
        return Observed(address=address, fields=_fields(file.shown, True))
    shown = file.read(marked.part)
    return Observed(address=address, fields=_fields(shown, shown != file.shown))


def _not_ours(path: Path, file: Generated) -> Observed:
    return Observed(
        address=file_address(file.name),
        fields={},
        owned=False,
        adopt=tree_problems.adopt(path),
    )


def _fields(shown: Fields, as_written: bool) -> Fields:
    return {"managed": {"text": _AS_WRITTEN if as_written else _OTHERWISE}, **shown}


def _other_variables(folder: Path, wanted: Mapping[str, Generated]) -> Iterator[str]:
    """Variables files that the tree does not want; most of them are the user's own."""
    for inner in VARIABLE_FOLDERS:
        try:
            names = sorted(each.name for each in (folder / inner).iterdir())
        except OSError:
            continue
        yield from (f"{inner}/{n}" for n in names if n.endswith(".yml") and f"{inner}/{n}" not in wanted)  # fmt: skip


def _look_at_orphan(found: TreeLook, folder: Path, name: str) -> None:
    """With the marks it was Freehold's once. It is deleted only where nothing in it is the user's."""
    path = folder / name
    try:
        text, marked = read_marked(folder, name)
    except Unusable:
        return
    except DamagedMarks:
        _read(found, folder, name)
        return
    if text is None or marked is None:
        return
    kept = not is_untouched(marked)
    found.observed[file_address(name)] = Observed(
        address=file_address(name),
        fields=_fields(read_variables(marked.part), True),
        protected=kept,
        unprotect=tree_problems.delete_by_hand(path) if kept else None,
    )
