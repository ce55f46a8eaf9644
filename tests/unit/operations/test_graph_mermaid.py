"""The Mermaid text keeps to the grammar of flowcharts, whatever the names and texts are."""

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from freehold.operations.graph import mermaid
from tests.unit.operations.estates import domain, estate, host, policy, service

# The part of the grammar that is used (Mermaid, "Flowcharts: basic syntax").
LABEL = r'"[^"<>{}|\[\]`\\]*(?:<br/>[^"<>{}|\[\]`\\]*)*"'
NAME = r"(?:host|internet|[dh]\d+(?:empty)?|[ms]\d+)"
LINES = [
    r"flowchart TB",
    rf"  internet\(\[{LABEL}\]\)",
    rf"\s+{NAME}\[{LABEL}\]",
    rf"\s+subgraph {NAME}\[{LABEL}\]",
    r"\s+end",
    rf"  {NAME} -\.->(?:\|{LABEL}\|)? {NAME}",
    rf"  {NAME} <?-->\|{LABEL}\| {NAME}",
    rf"  {NAME} ==>\|{LABEL}\| {NAME}",
]


def assert_grammatical(text: str) -> None:
    depth = 0
    for line in text.removesuffix("\n").split("\n"):
        assert any(re.fullmatch(pattern, line) for pattern in LINES), line
        depth += line.lstrip().startswith("subgraph") - (line.strip() == "end")
        assert depth in (0, 1, 2)
    assert depth == 0


def test_domains_machines_and_policies_are_there() -> None:
    text = mermaid(
        estate([2, 0], (policy("d0/m1", "d1", "why", bidirectional=True), policy("d1", "internet")))
    )
    assert_grammatical(text)
    assert text.count("subgraph") == 2
    assert 'm2["m1<br/>' in text
    assert 'm2 <-->|"1: tcp 80, 8000-8100<br/>why"| d2' in text
    assert 'd2 -->|"2: tcp 80, 8000-8100"| internet' in text


def test_services_are_on_their_hosts_and_in_their_machines_with_what_they_need() -> None:
    services = (
        service("db", "h0", published=15432),
        service("web", "d0/m0", "db", "cache"),
        service("cache", "d0/m0"),
    )
    text = mermaid(replace(estate([2]), hosts=(host(0), host(1)), services=services))
    assert_grammatical(text)
    lines = text.splitlines()
    computer = lines.index(
        '  subgraph h1["h0<br/>host · amd64<br/>orion#64;203.0.113.20, port 2222"]'
    )
    assert lines[computer + 1] == '    s1["db<br/>store 17.6<br/>open: tcp 15432"]'
    assert lines[computer + 4] == '    h2empty["no services"]'
    machine = next(n for n, line in enumerate(lines) if line.startswith('    subgraph m1["m0<br/>'))
    assert lines[machine + 1 : machine + 4] == [
        '      s2["web<br/>store 17.6<br/>needs: db, cache"]',
        '      s3["cache<br/>store 17.6"]',
        "    end",
    ]
    assert lines[-2:] == [
        '  s2 ==>|"needs: tcp 15432"| s1',
        '  s2 ==>|"needs: tcp 5432"| s3',
    ]


@given(st.text())
def test_no_text_leaves_its_quotation_marks(said: str) -> None:
    infra = estate([1, 1], (policy("d0", "d1/m0", said),))
    assert_grammatical(mermaid(infra))


def test_special_characters_become_entity_codes() -> None:
    text = mermaid(estate([1, 1], (policy("d0", "d1", 'a "b" <c> #1; `d` | e]'),)))
    assert "a #34;b#34; #60;c#62; #35;1#59; #96;d#96; #124; e#93;" in text


def test_words_of_the_grammar_are_fine_as_names() -> None:
    infra = replace(estate([]), domains=(replace(domain(0, 1), name="end"),))
    assert '  subgraph d1["end<br/>' in mermaid(infra)
