"""A program of its own: brings the packet filter's old rules back unless it is told in time that the new ones are good.

Started by `undo.py` where the rules are, detached, so that it outlives a lost connection and a killed Freehold. It needs
nothing but Python. It is told, a line each on standard input: what to give to nft, then `keep` or `undo`. Silence for
the given number of seconds, or the end of its input, means `undo`. It says `ready`, then `kept`, `undone`, or `failed` and
the last words of nft.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time

ATTEMPTS = 5


def main(seconds: float) -> int:
    """Wait for one word and obey it."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    rules = sys.stdin.readline()
    if not rules.endswith("\n"):  # whoever started it has ended, before anything was changed
        return 1
    say("ready")
    # Nothing is sent before that answer, so nothing is hidden from select in a buffer.
    waited, _, _ = select.select([sys.stdin], [], [], seconds)
    if waited and sys.stdin.readline().strip() == "keep":
        say("kept")
        return 0
    problem = restore(rules)
    say(f"failed {problem}" if problem else "undone")
    return 1 if problem else 0


def restore(rules: str) -> str:
    """Give nft the old rules; it may be busy with somebody else's for a moment. Why not, or nothing."""
    problem = ""
    for attempt in range(ATTEMPTS):
        argv = ["nft", "--json", "--file", "-"]
        done = subprocess.run(argv, input=rules, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return ""
        problem = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[0]
        time.sleep(0.2 * 2**attempt)
    return problem


def say(word: str) -> None:
    """Nobody may be there to hear it."""
    with contextlib.suppress(OSError):
        os.write(1, f"{word}\n".encode())


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
