"""The second way beside an Incus that goes away at the worst moments: nothing that may have run is repeated."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer

import pytest

from freehold.system.warm import recorded
from freehold.system.warm.failures import OutcomeUnknown, WayFailed
from freehold.system.warm.machine import Finished, Machine

STARTED = {"type": "async", "metadata": {"id": "1"}}
OUTPUT = {"1": "/1.0/out", "2": "/1.0/err"}


class Incus:
    """Answers each request with what `answers` has for its method and path; None breaks the connection off."""

    def __init__(self, path: Path, answers: dict[str, object]) -> None:
        self.asked: list[str] = []
        incus = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                words, length = self.rfile.readline().decode().split(), 0
                while line := self.rfile.readline().strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split()[1])
                self.rfile.read(length)
                request = f"{words[0]} {words[1].partition('?')[0]}"
                incus.asked.append(request)
                answer = answers.get(request, {"type": "sync", "metadata": {}})
                if answer is not None:
                    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                    status = answer.get("error_code", 200) if isinstance(answer, dict) else 200
                    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n"
                    self.wfile.write(head.encode() + body)

        self.server = ThreadingUnixStreamServer(str(path), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(str(tmp_path / "incus.socket"), "estate", "one", patience=1.0)


@pytest.fixture
def answers() -> dict[str, object]:
    return {
        "POST /1.0/instances/one/exec": STARTED,
        "GET /1.0/operations/1/wait": ended(200, ""),
        "GET /1.0/out": b"out",
        "GET /1.0/err": b"err",
    }


@pytest.fixture
def incus(machine: Machine, answers: dict[str, object]) -> Iterator[Incus]:
    incus = Incus(Path(machine.socket), answers)
    yield incus
    incus.stop()


def ended(status: int, error: str, code: int = 0) -> dict[str, object]:
    result = {"return": code, "output": OUTPUT}
    return {"type": "sync", "metadata": {"status_code": status, "err": error, "metadata": result}}


def refused(error: str, **more: object) -> dict[str, object]:
    return {"type": "error", "error": error, **more}


def test_output_is_read_and_deleted(machine: Machine, incus: Incus) -> None:
    assert recorded.run(machine, ["true"], b"") == Finished(0, b"out", b"err")
    assert incus.asked[-4:] == [
        "GET /1.0/out",
        "DELETE /1.0/out",
        "GET /1.0/err",
        "DELETE /1.0/err",
    ]


@pytest.mark.parametrize("words", ["Command not found", "Command not executable"])
def test_codes_that_incus_takes_for_its_own_failures_are_the_commands(
    machine: Machine, answers: dict[str, object], incus: Incus, words: str
) -> None:
    answers["GET /1.0/operations/1/wait"] = refused(words)
    answers["GET /1.0/operations/1"] = ended(400, words, 127)

    assert recorded.run(machine, ["x"], b"") == Finished(127, b"out", b"err")


@pytest.mark.parametrize(
    "broken",
    [
        "POST /1.0/instances/one/exec",
        "GET /1.0/operations/1/wait",
        "GET /1.0/out",
        "DELETE /1.0/err",
    ],
)
def test_what_breaks_off_may_have_run(
    machine: Machine, answers: dict[str, object], incus: Incus, broken: str
) -> None:
    answers[broken] = None

    with pytest.raises(OutcomeUnknown, match="may have run"):
        recorded.run(machine, ["x"], b"")
    assert incus.asked.count("POST /1.0/instances/one/exec") == 1


@pytest.mark.parametrize("words", ["Daemon setup in progress", "Operation not found"])
def test_a_daemon_that_has_forgotten_the_command_is_not_asked_to_run_it_again(
    machine: Machine, answers: dict[str, object], incus: Incus, words: str
) -> None:
    answers["GET /1.0/operations/1/wait"] = refused(words)
    answers["GET /1.0/operations/1"] = refused(words)

    with pytest.raises(OutcomeUnknown):
        recorded.run(machine, ["x"], b"")
    assert incus.asked.count("POST /1.0/instances/one/exec") == 1


def test_what_has_not_begun_is_tried_again_until_patience_ends(
    machine: Machine, answers: dict[str, object], incus: Incus
) -> None:
    words = "Failed to retrieve PID of executing child process"
    answers["GET /1.0/operations/1/wait"] = refused(words)
    answers["GET /1.0/operations/1"] = ended(400, words)

    with pytest.raises(WayFailed, match="Failed to retrieve PID"):
        recorded.run(machine, ["x"], b"")
    assert incus.asked.count("POST /1.0/instances/one/exec") > 2


def test_what_has_begun_is_never_run_again(
    machine: Machine, answers: dict[str, object], incus: Incus
) -> None:
    """Incus does not know its process, its mark is there, and then it is gone without a word about how it ended."""
    words = "Failed to retrieve PID of executing child process"
    answers["GET /1.0/operations/1/wait"] = refused(words)
    answers["GET /1.0/operations/1"] = ended(400, words)
    answers["POST /1.0/instances/one/files"] = refused("sftp: file exists", error_code=500)
    answers["GET /1.0/instances/one/files"] = refused("Not Found", error_code=404)
    answers["GET /1.0/instances/one/logs/exec-output/exec_1.stdout"] = b"half of its output"

    with pytest.raises(OutcomeUnknown, match="may have run"):
        recorded.run(machine, ["x"], b"")
    assert incus.asked.count("POST /1.0/instances/one/exec") == 1


def test_a_refusal_is_told_at_once(
    machine: Machine, answers: dict[str, object], incus: Incus
) -> None:
    answers["POST /1.0/instances/one/exec"] = refused("Instance not found")

    with pytest.raises(WayFailed, match="Instance not found"):
        recorded.run(machine, ["x"], b"")
    assert len(incus.asked) == 1
