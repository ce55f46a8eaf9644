"""`freehold init --blueprint llm` to a chat in the browser: Open WebUI itself, from PyPI, with a stand-in for Ollama.

Only what no test can have here is another: the GPU is taken out of infra.yml, as it says to do without one, and the archive that
the role `ollama_server` fetches holds a program of ours with Ollama's API (its Molecule scenario has it).
"""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.estate import Done, Estate
from tests.e2e.execution import execute
from tests.llm.browser import PATIENCE, Browser, install
from tests.roles.test_molecule import ROLES
from tests.throwaway import throwaway_lab

pytestmark = [pytest.mark.lab, pytest.mark.slow]

INSTALLING = 1800.0  # seconds; five minutes where two others work too
ARCHIVE = ROLES / "ollama_server" / "molecule" / "default" / "files" / "archive.sh"
MODEL = "llama3.2:3b"
CHAT = "http://10.100.3.11:8080"
ADA = {"name": "Ada", "email": "ada@example.org", "password": "not a real one 1"}
REMEMBERS = """
    window.seen = new Set()
    new MutationObserver(() => {
        const found = document.body.innerText.match(/The stand-in of.*/)
        if (found) window.seen.add(found[0].trim())
    }).observe(document.body, {childList: true, subtree: true, characterData: true})
    0
"""
GPU = "        gpu: true              # without a GPU: take this line out\n"
VISITOR = """\
domains:
  guests:
    subnet_id: 9
    machines:
      visitor: {ip: 10.100.9.10}

"""


class House(Estate):
    """An estate of the `llm` blueprint, in a lab."""

    def apply(self, *words: str) -> Done:
        process = self.start("apply", "--yes", *words)
        out, err = process.communicate(timeout=INSTALLING)
        return Done(process.returncode, out, err)

    def applied(self, *words: str) -> Done:
        done = self.apply(*words)
        assert done.code == 0, f"{done.err}{self.logs()}"
        return done

    def logs(self) -> dict[str, str]:
        """What Ansible said last in each machine."""
        logs = sorted((self.folder / ".freehold" / "provision").glob("*.log"))
        return {log.stem.rpartition("-")[0]: log.read_text() for log in logs}

    def connects(self, machine: str, address: str, port: int) -> bool:
        """Whether a program in the machine can open that connection."""
        project, instance = machine.partition("/")[0], machine.replace("/", "-")
        tries = f"import socket; socket.create_connection(({address!r}, {port}), timeout=5)"
        code, _, errors = execute(self.lab.socket, project, instance, "python3", "-c", tries)
        assert code == 0 or "Error" in errors, errors
        return code == 0


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    if problem := install():
        pytest.skip(problem)
    with throwaway_lab(egress=True) as lab:
        house = House(tmp_path_factory.mktemp("estate"), lab)
        house.ok("init", ".", "--blueprint", "llm")
        files = house.folder / "files"
        files.mkdir()
        subprocess.run([ARCHIVE, files], check=True)
        asked = f"ollama_server_models: [{MODEL!r}]".replace("'", '"')
        ours = f"ollama_server_url: files/ollama.tar.zst\n            ollama_server_checksums: {{{os.uname().machine}: {checksum(files)}}}\n            "
        house.edit(GPU, "")
        house.edit(asked, ours + asked)
        house.edit("size: 30GiB", "size: 2GiB")
        house.edit("size: 5GiB", "size: 2GiB")
        house.edit("domains:\n", VISITOR)
        try:
            yield house
        finally:
            house.end_all()


def checksum(files: Path) -> str:
    return "sha256:" + (files / "ollama.tar.zst.sha256").read_text().strip()


def test_one_apply_installs_both_and_shows_how_the_model_comes(house: House) -> None:
    house.applied()
    assert house.inside("homelab/llm", "ollama", "list") == f"{MODEL}\n"
    said = house.logs()["homelab-llm"]
    tenths = [f"Pull {MODEL}: {part} %]" for part in range(10, 101, 10)]
    assert [said.count(each) for each in tenths] == [1] * 10


def test_a_second_run_has_nothing_to_do_and_one_that_looks_finds_nothing(house: House) -> None:
    assert "Nothing to do" in house.applied().out
    house.applied("--refresh")
    for name in ("homelab-llm", "homelab-chat"):
        assert "changed=0 " in house.logs()[name].partition("PLAY RECAP")[2], name
    assert house.inside("homelab/llm", "cat", "/var/lib/ollama/models/pulls") == f"{MODEL}\n"
    assert "Inside: 2 of 2 machines are as infra.yml says." in house.ok("verify", "--deep").out


def test_the_first_account_is_made_and_the_answer_comes_word_by_word(house: House) -> None:
    with Browser(house.lab) as browser:
        assert browser.open(CHAT) == ""
        browser.click("Get started")
        for field, text in ADA.items():
            browser.fill(f"#{field}", text)
        browser.click("Create Admin Account")
        browser.click("Okay, Let's Go!")
        browser.fill("#chat-input", "one two three four")
        browser.run(REMEMBERS)
        browser.press("#send-message-button:not([disabled])")
        whole = f"The stand-in of {MODEL} has read 4 words ."
        browser.reads(whole)
        seen = [text for text in browser.run("[...window.seen]") if whole.startswith(text)]
    assert len(seen) > 2, seen


def test_nobody_else_makes_an_account_and_ada_gets_in_after_a_restart(house: House) -> None:
    house.incus("restart", "--project", "homelab", "homelab-chat")
    with Browser(house.lab) as browser:
        until = time.monotonic() + PATIENCE
        while browser.open(CHAT) and time.monotonic() < until:
            time.sleep(1)
        browser.reads("Sign in to Open WebUI")
        assert "Sign up" not in browser.text()
        browser.run(
            "fetch('/api/v1/auths/signup', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: "
            "JSON.stringify({name: 'Eve', email: 'eve@example.org', password: 'not a real one 2'})})"
            ".then(answer => { window.signup = answer.status }); 0"
        )
        assert browser.until("window.signup") == 403
        for field in ("email", "password"):
            browser.fill(f"#{field}", ADA[field])
        browser.click("Sign in")
        browser.reads("one two three four")  # her chat, in the list at the side


def test_one_domain_gets_to_the_chat_and_none_to_ollama(house: House) -> None:
    assert house.connects("perso/desktop", "10.100.3.11", 8080)
    assert not house.connects("perso/desktop", "10.100.3.10", 11434)
    assert not house.connects("guests/visitor", "10.100.3.11", 8080)
    assert house.connects("homelab/chat", "10.100.3.10", 11434)


def test_the_key_of_the_sessions_is_seen_nowhere(house: House) -> None:
    key = house.inside("homelab/chat", "cat", "/etc/open-webui/key").strip().partition("=")[2]
    assert len(key) > 40
    assert (
        house.inside("homelab/chat", "stat", "-c", "%U:%a", "/etc/open-webui/key") == "root:600\n"
    )
    running = house.inside("homelab/chat", "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    assert "open-webui serve" in running
    assert key not in running
    for path in house.folder.rglob("*"):
        assert not path.is_file() or key.encode() not in path.read_bytes(), path


def test_an_archive_that_is_not_what_it_should_be_is_not_run(house: House) -> None:
    right = checksum(house.folder / "files")
    wrong = f"sha256:{'0' * 64}"
    house.edit(right, wrong)
    failed = house.apply()
    house.edit(wrong, right)
    assert failed.code != 0
    assert "0" * 64 in failed.said
    assert right.removeprefix("sha256:") in failed.said
    assert house.inside("homelab/llm", "ollama", "list") == f"{MODEL}\n"
    house.applied()


def test_a_machine_whose_python_is_too_new_is_told_so_before_anything_is_done(house: House) -> None:
    old = "visitor: {ip: 10.100.9.10}"
    new = "visitor: {ip: 10.100.9.10, image: debian/13, provision: {roles: [open_webui]}}"
    house.edit(old, new)
    failed = house.apply("--limit", "guests")
    house.edit(new, old)
    assert failed.code != 0
    assert "runs on Python 3.11 and 3.12 only" in failed.said
    assert "`image: debian/12`" in failed.said
    assert house.inside("guests/visitor", "sh", "-c", "ls -d /opt/open-webui || true") == ""
