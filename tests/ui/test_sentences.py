"""What other parts of Freehold say, in French: that every sentence is still said, and is found with its names in it."""

import ast
import re
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import freehold
from freehold.planning.address import Address
from freehold.planning.capacity_words import HINTS, WHO
from freehold.planning.compare import compare
from freehold.planning.question import Question
from freehold.planning.resource import Desired, Impact, Kind, Observed
from freehold.views.languages import ENGLISH, FRENCH, LANGUAGES
from freehold.views.languages.sentences import LONGEST, sentences, translated

SOURCES = Path(freehold.__file__).parent
ENOUGH = 20  # characters of its own, by which a sentence is known
BOX = Address("home", "instance", "box")
_IMPACTS = {"a": Impact.LIVE, "b": Impact.RESTART, "c": Impact.RECREATE}
KINDS = {"instance": Kind(name="instance", rank=0, impact_of=lambda path, _: _IMPACTS[path[0]])}


def _places(text: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(text) if name and name.islower()]


def _bare(text: str) -> str:
    """With the names of its places taken out."""
    return re.sub(r"\{[a-z]+\}", "{}", text)


@cache
def written() -> frozenset[str]:
    """Every line of every text in the source, its places without names."""
    found: set[str] = set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(node.value.splitlines())
            elif isinstance(node, ast.JoinedStr):
                parts = (
                    part.value if isinstance(part, ast.Constant) else "{}" for part in node.values
                )
                found.update("".join(map(str, parts)).splitlines())
    return frozenset(found)


@cache
def reasons() -> tuple[str, ...]:
    """Why a plan changes something, as `compare` says it of each impact and of one field, a few and many."""
    return tuple(_reasons())


def _reasons() -> Iterator[str]:
    for letter in _IMPACTS:
        for number in (1, 3, 12):
            fields = {f"{letter}{n}": "new" for n in range(number)}
            yield from _asked({BOX: Desired(address=BOX, fields=fields)}, {})
            old = Observed(address=BOX, fields=dict.fromkeys(fields, "old"))
            yield from _asked({BOX: Desired(address=BOX, fields=fields)}, {BOX: old})
    for stays in ((), ("/srv/pictures", "/srv/films")):
        yield from _asked({}, {BOX: Observed(address=BOX, fields={"a": "x"}, stays=stays)})


def _asked(wanted: dict[Address, Desired], seen: dict[Address, Observed]) -> Iterator[str]:
    question = Question(estate="maison", desired=wanted, observed=seen, kinds=KINDS, prune=True)
    return (change.reason for change in compare(question).changes)


def _composed() -> set[str]:
    """Sentences that the source puts together from parts."""
    hints = {f"{hint} {WHO}".splitlines()[0] for hint in HINTS.values()}
    return hints | {ours for ours in sentences(FRENCH) if any(_fits(ours, r) for r in reasons())}


def _fits(ours: str, text: str) -> bool:
    return re.fullmatch(re.sub(r"\\\{[a-z]+\\\}", ".+", re.escape(ours)), text) is not None


@cache
def composing() -> list[re.Pattern[str]]:
    """Lines of the source that put something into a sentence, as patterns of what they may become."""
    found = [line for line in written() if "{}" in line and len(line.replace("{}", "")) >= ENOUGH]
    return [re.compile(".+".join(map(re.escape, line.split("{}")))) for line in found]


@pytest.mark.parametrize("ours", sentences(FRENCH))
def test_a_sentence_is_still_said(ours: str) -> None:
    said = _bare(ours) in written() or ours in _composed()
    assert said or any(line.fullmatch(ours) for line in composing())


def test_a_sentence_that_nobody_says_would_be_found() -> None:
    assert not any(line.fullmatch("A host answers by no SSH at all") for line in composing())
    assert "A host answers by no SSH at all" not in written()


@pytest.mark.parametrize("ours", sentences(FRENCH))
def test_a_sentence_keeps_its_places(ours: str) -> None:
    theirs = sentences(FRENCH)[ours]
    assert sorted(_places(ours)) == sorted(_places(theirs))
    assert theirs != ours
    assert len(ours) < LONGEST


def test_every_reason_of_a_plan_is_french() -> None:
    said = {reason: translated(reason, FRENCH) for reason in reasons()}
    assert len(said) == 1 + 3 * 3 + 2
    assert [reason for reason, french in said.items() if french is None] == []
    assert said["b0, b1, b2 differ from infra.yml, which needs a restart"] == (
        "b0, b1, b2 diffèrent d’infra.yml, ce qui demande un redémarrage"
    )
    many = next(french for reason, french in said.items() if "more fields" in reason)
    assert many == "a0, a1, a10, a11, a2, a3 et 6 autres champs diffèrent d’infra.yml"
    assert said["infra.yml no longer names it; its data stays: /srv/pictures, /srv/films"] == (
        "infra.yml ne le nomme plus\u202f; ses données restent\u00a0: /srv/pictures, /srv/films"
    )


def test_what_nobody_translated_is_left_alone() -> None:
    assert translated("Something new", FRENCH) is None
    assert translated("does not exist yet", ENGLISH) is None
    assert translated("x" * LONGEST + " was not done", FRENCH) is None
    assert sentences(ENGLISH) == {}


@pytest.mark.parametrize("language", set(LANGUAGES) - {ENGLISH})
def test_every_other_language_has_sentences(language: str) -> None:
    assert len(sentences(language)) > 80


def test_names_are_only_put_in() -> None:
    assert translated("{address}\\1 was not done", FRENCH) == "{address}\\1 n’a pas été fait"
