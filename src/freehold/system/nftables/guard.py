"""A program of its own: brings the packet filter's old rules back unless it is told in time that the new ones are good.

Started by `undo.py` where the rules are, detached, so that it outlives a lost connection and a killed Freehold. It needs
nothing but Python. It is told, a line each on standard input: what to give to nft, then `keep` or `undo`. Silence for
the given number of seconds, or the end of its input, means `undo`. It says `ready`, then `kept` or `undone`.
"""

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
    say("ready")
    waited, _, _ = select.select([sys.stdin], [], [], seconds)
    if waited and sys.stdin.readline().strip() == "keep":
        say("kept")
        return 0
    done = restore(rules)
    say("undone" if done else "failed")
    return 0 if done else 1


def restore(rules: str) -> bool:
    """Give nft the old rules; it may be busy with somebody else's for a moment."""
    for attempt in range(ATTEMPTS):
        argv = ["nft", "--json", "--file", "-"]
        if subprocess.run(argv, input=rules, text=True, check=False).returncode == 0:
            return True
        time.sleep(0.2 * 2**attempt)
    return False


def say(word: str) -> None:
    """Nobody may be there to hear it."""
    try:
        os.write(1, f"{word}\n".encode())
    except OSError:
        pass


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
