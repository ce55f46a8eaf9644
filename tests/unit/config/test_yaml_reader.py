"""Reading of YAML itself: what no file of tests/cases can hold or show."""

import pytest

from freehold.config.codes import MOST_PROBLEMS
from freehold.config.fields import ESTATE
from freehold.config.places import PlacedMap, SourceFile, Tree
from freehold.config.yaml_reader import read_yaml
from freehold.diagnostics import Diagnostic


class Result:
    def __init__(self, root: PlacedMap | None, problems: list[Diagnostic]) -> None:
        self.root = root
        self.problems = problems


def read(text: str) -> Result:
    file = SourceFile("infra.yml", tuple(text.split("\n")))
    return Result(*read_yaml(text, file, 0, lambda path: False))


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[[", "a:\n [", "{[", "{? "])
def test_a_hundred_thousand_levels_do_not_crash(opening: str) -> None:
    reading = read(opening * 100_000)
    assert reading.root is None
    assert len(reading.problems) >= 1
    assert all(problem.source is not None for problem in reading.problems)


def test_forty_levels_are_enough() -> None:
    assert read("a: " + "[" * 39 + "]" * 39).problems == []
    assert [problem.code for problem in read("a: " + "[" * 40 + "]" * 40).problems] == ["too-deep"]


def test_reading_stops_after_a_thousand_problems() -> None:
    reading = read("".join(f"key{number}: no\n" for number in range(5000)))
    assert len(reading.problems) == MOST_PROBLEMS + 1
    assert reading.problems[-1].code == "too-many-problems"


def test_billion_laughs_is_over_at_once() -> None:
    lines = ["a0: &a0 lol"] + [
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)
    ]
    reading = read("\n".join(lines))
    assert {problem.code for problem in reading.problems} == {"yaml-anchor"}
    assert len(reading.problems) == 10 + 9 * 9


def test_the_first_of_two_equal_keys_is_kept() -> None:
    reading = read("a: 1\nb: 2\na: {c: 3}\n")
    assert reading.root == {"a": 1, "b": 2}
    assert [problem.code for problem in reading.problems] == ["duplicate-key"]


def test_problems_inside_of_a_key_are_one() -> None:
    reading = read("a: {? {b: no, c: [*x]} : 1, d: 2}\n")
    assert [problem.code for problem in reading.problems] == ["yaml-key"]


def test_places_of_keys_values_and_items() -> None:
    root = read("a:\n  b: [x, 'y', {c: 7}]\n").root
    assert isinstance(root, PlacedMap)
    tree = Tree(root, [SourceFile("infra.yml", ("a:", "  b: [x, 'y', {c: 7}]"))], language=ESTATE)
    place = {
        path: (source.line, source.column)
        for path in [("a",), ("a", "b"), ("a", "b", 1), ("a", "b", 2, "c")]
        if (source := tree.source(path))
    }
    assert place == {
        ("a",): (1, 1),
        ("a", "b"): (2, 3),
        ("a", "b", 1): (2, 10),
        ("a", "b", 2, "c"): (2, 19),
    }
    key = tree.source(("a", "b", 2, "c"), key=True)
    assert key is not None
    assert (key.column, key.path) == (16, "a.b[2].c")
