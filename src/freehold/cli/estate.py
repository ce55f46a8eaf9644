"""What a verb works on, as the command line names it: the estate's files, and the part of them that is meant.

Used by the modules of the single verbs; the systems are opened by `site.py`.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freehold.cli.options import Common
from freehold.config.files import EXTRA_FOLDER, MAIN_FILE, lines_of
from freehold.config.load import Loaded, load
from freehold.diagnostics import (
    ConfigError,
    Diagnostic,
    FreeholdError,
    UsageError,
    did_you_mean,
    has_errors,
)
from freehold.engine.planner import Picture
from freehold.model import Infra
from freehold.operations.lab.egress.equip import equipped
from freehold.planning.change import Change
from freehold.planning.selection import Selection

if TYPE_CHECKING:
    from freehold.cli.site import Site


def loaded(options: Common, folder: Path | None = None) -> tuple[Infra, Loaded]:
    """The estate. Raises ConfigError with every problem; shows warnings on standard error.

    `folder` has what infra.yml names, when that is not the folder it stands in.
    """
    infra, result = read(options, folder)
    tell(result.diagnostics, options)
    return infra, result


def read(options: Common, folder: Path | None = None) -> tuple[Infra, Loaded]:
    """The same without a word: its warnings are among the result's diagnostics."""
    result = load(options.directory, folder=folder)
    if result.infra is None or has_errors(result.diagnostics):
        raise ConfigError(*result.diagnostics)
    return equipped(result.infra, in_lab=options.lab), result


def sources(result: Loaded) -> dict[str, str]:
    """The texts that an estate was read from, by their names in its folder: what a saved plan carries."""
    files = zip(result.files, result.tree.files, strict=True)
    return {_inner_name(path): _exact(path, file.lines) for path, file in files}


def _exact(path: Path, lines: Sequence[str]) -> str:
    """The text with the line ends and the byte order mark it has; without them if it was changed since it was read."""
    try:
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError):
        return "\n".join(lines)
    return (
        text if tuple(lines_of(text.removeprefix("\ufeff"))) == tuple(lines) else "\n".join(lines)
    )


def _inner_name(path: Path) -> str:
    return f"{EXTRA_FOLDER}/{path.name}" if path.parent.name == EXTRA_FOLDER else MAIN_FILE


def from_sources(texts: Mapping[str, str], options: Common) -> Infra:
    """The estate of a saved plan, with the roles and files that are in the estate's folder now.

    Raises ConfigError when it is none any more (another version made it, a file is gone).
    """
    with tempfile.TemporaryDirectory(prefix="freehold-") as name:
        folder = Path(name)
        (folder / EXTRA_FOLDER).mkdir()
        for inner, text in texts.items():
            (
                folder / EXTRA_FOLDER / Path(inner).name if "/" in inner else folder / MAIN_FILE
            ).write_text(text, encoding="utf-8")
        return loaded(replace(options, directory=folder), options.directory)[0]


def tell(diagnostics: Sequence[Diagnostic], options: Common) -> None:
    """Show diagnostics on standard error, with commands as the user types them."""
    if diagnostics:
        from freehold.views.diagnostics import render_diagnostics

        render_diagnostics(diagnostics, sys.stderr, command=options.command)


async def check_options(options: Common, site: "Site", picture: Picture) -> None:
    """Refuse options that this server does not know, before anything is changed. Raises ConfigError.

    The server is asked only when the plan writes options at all.
    """
    if not any(_writes_options(change) for change in picture.plan.changes):
        return
    from freehold.config.config_keys import ConfigKeys

    known = ConfigKeys.from_metadata(await site.incus.get("/metadata/configuration"))
    result = load(options.directory, known_config=known)
    if result.infra is None:
        raise ConfigError(*result.diagnostics)


def _writes_options(change: Change) -> bool:
    return change.address.kind in {"profile", "instance"} and any(
        field.path.startswith("config.") and field.after is not None for field in change.fields
    )


def selection(infra: Infra, limits: list[str] | None, kinds: list[str] | None) -> Selection:
    """What --limit and --only name. Raises UsageError for words that name nothing."""
    from freehold.providers.ansible.files import KIND as FILE
    from freehold.providers.ansible.inside import KIND as PROVISION
    from freehold.providers.ansible.provider import KINDS as INSIDE
    from freehold.providers.compose.provider import KINDS as COMPOSE
    from freehold.providers.control.provider import KIND as AGENT
    from freehold.providers.firewall import desired
    from freehold.providers.firewall.docker import KIND as DOCKER
    from freehold.providers.firewall.router.desired import KIND as ROUTER
    from freehold.providers.incus.provider import KINDS
    from freehold.providers.lab_hosts.provider import KINDS as PLAYED
    from freehold.providers.secrets.provider import KIND as SECRET
    from freehold.providers.timer.provider import KIND as TIMER

    every = {
        desired.KIND.name,
        DOCKER.name,
        AGENT.name,
        TIMER.name,
        ROUTER.name,
        SECRET.name,
        *KINDS,
        *INSIDE,
        *COMPOSE,
        *PLAYED,
    }
    problems = [_unknown("--only", kind, every) for kind in kinds or () if kind not in every]
    known = {domain.name for domain in infra.domains} | {m.key for m in infra.machines()}
    known |= {host.name for host in infra.hosts}
    problems += [_unknown("--limit", limit, known) for limit in limits or () if limit not in known]
    if problems:
        raise UsageError(*problems)
    only = [*(kinds or ())]
    if PROVISION.name in only:
        only.append(FILE.name)  # it reads the tree
    if not {*COMPOSE}.isdisjoint(only):
        only += [*COMPOSE, SECRET.name]  # what they are made of
    return Selection(tuple(limits or ()), tuple(dict.fromkeys(only)))


def unwritable(path: Path, error: OSError) -> FreeholdError:
    """What to tell when a file cannot be written (a full disk, a folder that is not there)."""
    return FreeholdError(
        Diagnostic(
            code="cannot-write",
            summary="A file cannot be written",
            detail=f"{path}: {error.strerror or error}.",
            hint="Nothing was changed. Free some space or choose another place, then try again.",
        )
    )


def _unknown(option: str, word: str, known: Any) -> Diagnostic:
    return Diagnostic(
        code="unknown-selection",
        summary="The command line names something that does not exist",
        detail=f"{option} {word}",
        hint=did_you_mean(word, known),
    )
