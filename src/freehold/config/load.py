"""From the user's files to a checked model: the one door into `config`. Called by every verb that needs infra.yml.

files ─▶ yaml_reader ─▶ merge ─▶ validation ─▶ checks ─▶ build
"""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from freehold.config.alerting import TELEGRAM_TOKEN
from freehold.config.build import build
from freehold.config.checks import run_checks
from freehold.config.checks.context import Context
from freehold.config.checks.required import other_version
from freehold.config.codes import MOST_PROBLEMS, problem
from freehold.config.config_keys import ConfigKeys
from freehold.config.document import VERSION, Document
from freehold.config.fields import ESTATE
from freehold.config.files import Text, is_folder, read_estate
from freehold.config.merge import merge
from freehold.config.places import KeyPath, Tree
from freehold.config.validation import validate
from freehold.config.yaml_reader import read_yaml
from freehold.diagnostics import Diagnostic, Source, has_errors
from freehold.model import Infra, SecretRef

if TYPE_CHECKING:
    from freehold.config.placing import Placing


@dataclass(frozen=True, slots=True)
class Loaded:
    """`infra` is None when any diagnostic is an error; `files` are those that were looked at, in order."""

    infra: Infra | None
    diagnostics: tuple[Diagnostic, ...]
    files: tuple[Path, ...]
    tree: Tree = field(repr=False)

    def source(self, path: KeyPath) -> Source | None:
        """Where `("domains", "homelab", "machines", "llm", "cpu")` is written, else the nearest enclosing thing."""
        return self.tree.source(path)


def load(
    directory_or_file: Path,
    *,
    known_config: ConfigKeys | None = None,
    folder: Path | None = None,
    today: date | None = None,
) -> Loaded:
    """Read, merge and check an estate. Never raises for what a user wrote: problems are in `diagnostics`.

    `folder` is where the files and roles are that infra.yml names, when not beside it (a saved plan's infra.yml). `today` is the day on
    which ends of life are looked at, None for this one.
    """
    if folder is None:
        folder = directory_or_file if is_folder(directory_or_file) else directory_or_file.parent
    with _collector_paused():
        return _load(directory_or_file, _Asked(folder, known_config, today))


@dataclass(frozen=True, slots=True)
class _Asked:
    folder: Path
    known_config: ConfigKeys | None
    today: date | None


def _load(directory_or_file: Path, asked: _Asked) -> Loaded:
    texts, problems = read_estate(directory_or_file)
    tree = Tree(files=[text.file for text in texts], language=ESTATE)
    complete = _read(texts, tree, problems)
    infra = None
    if _is_other_version(tree):
        problems += other_version(tree)
    elif complete or tree.root:
        context, found = _checked(tree, asked, complete=complete)
        problems += found
        infra = None if has_errors(problems) else _built(context)
    files = tuple(text.path for text in texts)
    return Loaded(infra, _in_order(tree, problems), files, tree)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Loading makes many objects and no cycles: looking for some costs a third of it, and more the larger the file."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read(texts: list[Text], tree: Tree, problems: list[Diagnostic]) -> bool:
    """Fill the tree; whether every file could be read to its end."""
    roots = []
    for number, text in enumerate(texts):
        problems += text.problems
        if text.text is None:
            continue
        root, found = read_yaml(text.text, text.file, number, _allows_null, _secret_at)
        problems += found
        if root is not None:
            roots.append(root)
    problems += merge(tree, roots)
    return len(roots) == len(texts)


def _allows_null(path: KeyPath) -> bool:
    """Variables of Ansible may be anything, also nothing."""
    return _is_in_variables(path)


def _is_in_variables(path: KeyPath) -> bool:
    return any(
        path[at : at + 2] == ("provision", "vars") and len(path) > at + 2 for at in (1, 2, 4)
    )


def _secret_at(path: KeyPath) -> type[SecretRef] | type[str] | None:
    """Ansible asks for what a variable refers to; a service's secrets and the token of `alerts` are names already."""
    if _is_in_variables(path):
        return SecretRef
    of_service = len(path) == 4 and path[0] == "services" and path[2] == "secrets"
    return str if of_service or path == TELEGRAM_TOKEN else None


def _is_other_version(tree: Tree) -> bool:
    """A file for another version would be full of problems that are none."""
    version = tree.get(("freehold",))
    return type(version) is int and version != VERSION


def _checked(tree: Tree, asked: _Asked, *, complete: bool) -> tuple[Context, list[Diagnostic]]:
    """Schema and cross-checks. Where a file is missing from the tree, only what is wrong in itself counts."""
    validated = validate(tree, Document)
    document = validated.document or Document()
    problems = list(validated.problems)
    context = Context(
        tree=tree,
        document=document,
        folder=asked.folder,
        policy_indexes=validated.policies,
        known_config=asked.known_config,
        placing=_placing(document, asked.folder),
        today=asked.today,
    )
    if complete:
        problems += run_checks(context)
    return context, problems


def _placing(document: Document, folder: Path) -> "Placing | None":
    """None without services: the catalog then costs nothing."""
    if not document.services:
        return None
    from freehold.config.placing import Placing

    return Placing(document, folder)


def _built(context: Context) -> Infra:
    infra = build(context.document)
    if context.placing is None:
        return infra
    from freehold.config.service_targets import with_services

    return with_services(infra, context.placing.services())


def _in_order(tree: Tree, problems: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By place, and each once."""
    order = {file.name: number for number, file in enumerate(tree.files)}

    def place(diagnostic: Diagnostic) -> tuple[int, str, int, int]:
        source = diagnostic.source
        if source is None:
            return -1, "", 0, 0
        return order.get(source.file, len(order)), source.file, source.line, source.column

    found = tuple(dict.fromkeys(sorted(problems, key=place)))
    if len(found) <= MOST_PROBLEMS + 1:
        return found
    detail = f"Only the first {MOST_PROBLEMS} are shown."
    last = found[MOST_PROBLEMS - 1].source
    return *found[:MOST_PROBLEMS], problem("too-many-problems", detail, last)
