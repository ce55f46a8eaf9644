"""Runs the commands that a paper shows, in a lab of its own, and compares what they print with what the paper prints.

In a paper, a ```console block holds commands (`$ …`) and their output; a ```yaml block that begins with `# infra.yml` or
`# catalog/NAME.yml` is written to that file; a ```diff block is a change of infra.yml; `<!-- run: … -->` is done without being shown.
Other blocks are not run. To write the output of this machine into papers:

    python -m tests.docs.transcript docs/tutorial/first-estate.md
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.docs.pages import ROOT, Block, blocks

SHOWN_LAB = "/var/lib/freehold/lab"
_PROGRESS = re.compile(r"^\[ *\d+/\d+\] +[\d.]+ s +")
_FILE = re.compile(r"# (infra\.yml|catalog/[a-z0-9-]+\.yml)")
_DURATION = re.compile(r"\d+\.\d s\b")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d|\d{8}-\d{6}")  # as snapshots tell theirs


@dataclass
class Place:
    """Where a paper's commands run: a folder, and a lab with its folder."""

    folder: Path
    lab: Path
    programs: Path
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        freehold = self.programs / "freehold"
        freehold.write_text(
            f'#!/bin/sh\nexec {sys.executable} -c \'import sys; sys.argv[0] = "freehold"; '
            'from freehold.cli.main import main; main()\' "$@"\n'
        )
        freehold.chmod(0o755)
        unwanted = {"COLUMNS", "FORCE_COLOR", "NO_COLOR", "INCUS_SOCKET", "INCUS_DIR"}
        kept = {key: value for key, value in os.environ.items() if key not in unwanted}
        path = os.pathsep.join([str(self.programs), os.environ["PATH"]])
        self.environment = {
            **kept,
            "PATH": path,
            "FREEHOLD_LAB": str(self.lab),
            "LC_ALL": "C.UTF-8",
        }

    def run(self, command: str) -> list[str]:
        """The lines that a command printed, both streams in one."""
        if command.startswith("cd "):
            self.folder = self.folder / command.removeprefix("cd ")
            return []
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return [
            line.rstrip() for line in done.stdout.replace(str(self.lab), SHOWN_LAB).splitlines()
        ]


def told(block: Block) -> Iterator[tuple[str, list[str]]]:
    """The commands of a console block with the output that the paper shows."""
    command, output = "", list[str]()
    for line in block.lines:
        if line.startswith("$ "):
            if command:
                yield command, output
            command, output = line.removeprefix("$ "), []
        else:
            output.append(line)
    if command:
        yield command, output


def play(path: Path, place: Place) -> Iterator[tuple[Block, str, list[str], list[str]]]:
    """Do what a paper says from top to bottom: each command with the output shown, and the real one."""
    for block in blocks(path):
        if block.language == "console":
            for command, shown in told(block):
                yield block, command, shown, place.run(command)
        elif block.language == "run":
            place.run(block.lines[0])
        elif block.language == "diff":
            change(place.folder / "infra.yml", block.lines)
        elif block.language == "yaml" and (file := _FILE.match(block.lines[0])):
            (place.folder / file[1]).parent.mkdir(exist_ok=True)
            (place.folder / file[1]).write_text(block.text, encoding="utf-8")


def change(path: Path, lines: Sequence[str]) -> None:
    """Apply a diff without line numbers: what it shows as old is there once, and is replaced by the new."""
    old = "".join(f"{line[1:]}\n" for line in lines if line[:1] in {" ", "-"})
    new = "".join(f"{line[1:]}\n" for line in lines if line[:1] in {" ", "+"})
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise AssertionError(f"stands {text.count(old)} times in {path}:\n{old}")
    path.write_text(text.replace(old, new), encoding="utf-8")


def comparable(lines: Sequence[str]) -> list[str]:
    """Without what differs from run to run: durations, moments, the order in which changes end, notes about the machine."""
    ended = sorted(_plain(_PROGRESS.sub("", line)) for line in lines if _PROGRESS.match(line))
    rest = [
        _plain(line)
        for line in lines
        if line and not _PROGRESS.match(line) and not line.startswith("Note: ")
    ]
    return [*rest, *ended]


def _plain(line: str) -> str:
    return _MOMENT.sub("MOMENT", _DURATION.sub("N s", line))


def output_of(path: Path, place: Place) -> dict[int, list[str]]:
    """What the console blocks of a paper, counted from 0 among all its blocks, print here."""
    numbers = {block: number for number, block in enumerate(blocks(path))}
    found: dict[int, list[str]] = {}
    for block, command, _, real in play(path, place):
        text = found.setdefault(numbers[block], [])
        gap = [""] if text and not text[-1].startswith("$ ") else []
        text += [*gap, f"$ {command}", *real]
    return found


def renewed(path: Path, found: dict[int, list[str]]) -> str:
    """The paper's text with that output in its blocks."""
    lines = path.read_text(encoding="utf-8").splitlines()
    those = blocks(path)
    for number in sorted(found, reverse=True):
        first = those[number].first_line
        lines[first : first + len(those[number].lines)] = found[number]
    return "".join(f"{line}\n" for line in lines)


def main(names: Sequence[str]) -> None:
    """Renew papers, and the French ones beside them with the same output."""
    from tests.docs.conftest import new_place

    for name in names:
        with new_place() as place:
            path = ROOT / name
            found = output_of(path, place)
            for paper in (path, path.with_suffix(".fr.md")):
                if paper.exists():
                    paper.write_text(renewed(paper, found), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
