"""What the doctor found, in words: a result for everything, commands that can be copied, and a count."""

from io import StringIO

from freehold.operations.doctor import CheckResult, Finding, Result
from freehold.views.doctor import doctor_document, render_doctor

COMMAND = "    echo '" + "x" * 120 + "' | sudo tee /etc/sysctl.d/60-freehold.conf"
RESULTS = [
    CheckResult("incus", Finding(Result.OK, "Answers.")),
    CheckResult("clock", Finding(Result.WARNING, "It is late. " * 20, f"Set it:\n{COMMAND}")),
    CheckResult("nftables", Finding(Result.ERROR, "Not \x1b[31mthere.", "Install it.")),
    CheckResult("lab", Finding(Result.NOT_MEASURED, "Unknown.")),
]


def shown() -> list[str]:
    stream = StringIO()
    render_doctor(RESULTS, stream)
    return stream.getvalue().splitlines()


def test_every_result_is_a_word_at_the_beginning_of_a_line() -> None:
    beginnings = [line[:14].strip() for line in shown() if not line.startswith(" ")]
    assert beginnings[:4] == ["ok", "warning", "error", "not measured"]


def test_texts_are_wrapped_and_commands_are_not() -> None:
    lines = shown()
    (command,) = (line for line in lines if "sudo tee" in line)
    assert command.strip() == COMMAND.strip()
    assert all(len(line) <= 100 for line in lines if line != command)


def test_what_a_terminal_would_obey_is_escaped() -> None:
    assert "\x1b" not in "\n".join(shown())


def test_what_a_program_said_on_two_lines_has_no_escapes() -> None:
    stream = StringIO()
    said = "A host does not answer: cortex (a, port 22): banner\ncortex (b, port 22): refused"
    render_doctor([CheckResult("cortex", Finding(Result.ERROR, said))], stream)
    assert "banner cortex (b, port 22)" in " ".join(stream.getvalue().split())
    assert "\\n" not in stream.getvalue()


def test_the_last_line_counts() -> None:
    assert shown()[-1] == "4 checks: 1 ok, 1 warning, 1 error, 1 not measured."


def test_json_is_the_contract() -> None:
    document = doctor_document(RESULTS)
    assert document["schema"] == 1
    assert document["kind"] == "doctor"
    assert document["checks"][3] == {
        "name": "lab",
        "result": "not measured",
        "detail": "Unknown.",
        "remedy": None,
    }
