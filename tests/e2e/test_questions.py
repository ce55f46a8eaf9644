"""At a terminal: what is asked, and that a wrong answer or Ctrl-C changes nothing."""

import pytest

from tests.e2e.estate import TWO_MACHINES, Estate, told
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.lab


def at_terminal(estate: Estate, *words: str) -> Terminal:
    return Terminal(estate.argv(*words), estate.folder, estate.environment())


def test_apply_asks_and_obeys(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    for answer in ("n", "", "nonsense"):
        terminal = at_terminal(estate, "apply")
        terminal.expect("Do this to the estate `cottage`? [y/N]")
        assert "Plan: 6 to create" in terminal.seen, "asked before it was shown"
        terminal.type(answer)
        assert terminal.wait() == 1
        assert "Nothing was changed." in terminal.seen
    assert told(estate.plan()) != {}
    assert estate.runs() == []

    terminal = at_terminal(estate, "apply")
    terminal.expect("[y/N]")
    terminal.type("y")
    assert terminal.wait() == 0
    assert "Applied: 6 created" in terminal.seen
    estate.settled()


def test_the_loss_of_data_needs_the_name_typed(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    estate.ok("apply", "--yes")
    before = estate.get("/instances?recursion=1&all-projects=true")
    estate.edit("memory: 512MiB", "memory: 512MiB, image: test/other")
    for answer in ("y", "home/shelf", ""):
        terminal = at_terminal(estate, "apply")
        terminal.expect("Type home/desk to agree:")
        terminal.type(answer)
        assert terminal.wait() == 1
        assert "Nothing was changed." in terminal.seen
    assert estate.get("/instances?recursion=1&all-projects=true") == before

    terminal = at_terminal(estate, "destroy")
    terminal.expect("Type home/desk to agree:")
    terminal.type("home/desk")
    terminal.expect("Type home/shelf to agree:")
    terminal.type("home/desk")
    assert terminal.wait() == 1
    assert estate.get("/instances?recursion=1&all-projects=true") == before

    terminal = at_terminal(estate, "apply")
    terminal.expect("Type home/desk to agree:")
    terminal.type("home/desk")
    assert terminal.wait() == 0
    estate.settled()


def test_ctrl_c_at_the_question_ends_it_at_once(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    terminal = at_terminal(estate, "apply")
    terminal.expect("[y/N]")
    terminal.interrupt()
    assert terminal.wait() == 1
    assert "Nothing was changed." in terminal.seen
    assert told(estate.plan()) != {}


def test_the_world_moves_while_somebody_thinks(estate: Estate) -> None:
    estate.write(TWO_MACHINES)
    terminal = at_terminal(estate, "apply")
    terminal.expect("[y/N]")
    estate.incus("project", "create", "home")
    terminal.type("y")
    assert terminal.wait() == 1
    assert "Different now: project:home. Nothing was changed." in " ".join(terminal.seen.split())
