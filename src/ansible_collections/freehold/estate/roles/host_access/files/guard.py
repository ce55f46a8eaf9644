"""Puts the ways into a host back as they were, by itself, unless somebody proves in time that the new one works.

The role host_access copies it to the host and calls it there:
    guard.py arm SECONDS PATH…   keep these files and folders, and from now on count
    guard.py prove               the new way works: forget what was kept; exit code 3 when it was too late
    guard.py undo                put everything back now; nothing when nothing is armed
    guard.py count               what `arm` starts where there is no systemd
With systemd a timer counts, and its service is run at the next boot too, so that a power cut puts things back as well.
"""

# ruff: noqa: PTH106, PTH108, PTH112, PTH114, PTH118, T201, TID251 - it runs in the host, with Python's own library alone

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ARMED = FOLDER / "armed.json"
KEPT = FOLDER / "kept.tar"
UNITS = Path("/etc/systemd/system")
NAME = "freehold-host-access"
TOO_LATE = 3
HAS_SYSTEMD = Path("/run/systemd/system").is_dir()

SERVICE = f"""\
[Unit]
Description=Put the ways into this host back as they were

[Service]
Type=oneshot
ExecStart=/usr/bin/python3 {FOLDER / "guard.py"} undo

[Install]
WantedBy=multi-user.target
"""
TIMER = """\
[Unit]
Description=Count until the ways into this host are put back

[Timer]
OnActiveSec={seconds}
AccuracySec=100ms
"""


def say(*words: str) -> "subprocess.CompletedProcess[str]":
    """Run a program; it may fail, or not be there."""
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    except OSError as error:
        return subprocess.CompletedProcess(words, 127, "", str(error))


@contextmanager
def alone() -> Iterator[None]:
    """One verb at a time: who proves and who undoes at the same moment, wait for each other."""
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def arm(seconds: float, paths: "list[str]") -> None:
    """What an earlier run left armed is put back first, so that what is kept is what was known to work."""
    undo()
    there = [path for path in paths if os.path.lexists(path)]
    subprocess.run(
        ["tar", "-C", "/", "-cpf", KEPT, *(path.lstrip("/") for path in there)], check=True
    )
    KEPT.chmod(0o600)
    state = {
        "paths": paths,
        "until": time.time() + seconds,
        "firewall": say("ufw", "status").stdout.startswith("Status: active"),
        "socket": say("systemctl", "is-active", "ssh.socket").returncode == 0,
    }
    fresh = ARMED.with_suffix(".new")
    fresh.write_text(json.dumps(state))
    fresh.replace(ARMED)
    os.sync()
    start_to_count(seconds)


def start_to_count(seconds: float) -> None:
    """By systemd, else by a process that outlives the one that started it."""
    if not HAS_SYSTEMD:
        subprocess.Popen(
            [sys.executable, __file__, "count"], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return
    (UNITS / f"{NAME}.service").write_text(SERVICE)
    (UNITS / f"{NAME}.timer").write_text(TIMER.format(seconds=seconds))
    for words in (["daemon-reload"], ["enable", f"{NAME}.service"], ["start", f"{NAME}.timer"]):
        subprocess.run(["systemctl", "--quiet", *words], check=True)


def count() -> None:
    """Wait as long as what is armed says, which a later run may have armed anew."""
    while ARMED.exists():
        left = json.loads(ARMED.read_text())["until"] - time.time()
        if left <= 0:
            with alone():
                undo()
        else:
            time.sleep(min(left, 1.0))


def forget() -> None:
    """Nothing is armed any more; `armed.json` goes first, for that is what the others look at."""
    ARMED.unlink()
    KEPT.unlink(missing_ok=True)
    if HAS_SYSTEMD:
        say("systemctl", "--quiet", "stop", f"{NAME}.timer")
        say("systemctl", "--quiet", "disable", f"{NAME}.service")
        for kind in ("service", "timer"):
            (UNITS / f"{NAME}.{kind}").unlink(missing_ok=True)
        say("systemctl", "daemon-reload")


def undo() -> bool:
    """Files first, then what reads them. Ended in the middle, the next call does it once more."""
    if not ARMED.exists():
        return False
    state = json.loads(ARMED.read_text())
    if not state["firewall"]:
        say("ufw", "--force", "disable")
    put_back(state["paths"])
    if state["firewall"]:
        say("ufw", "reload")
    restart_ssh(by_socket=state["socket"])
    say("fail2ban-client", "unban", "--all")  # who tried the new way in vain is no attacker
    os.sync()
    forget()
    return True


def put_back(paths: "list[str]") -> None:
    """As it was to the byte: what has come since goes."""
    listed = say("tar", "-tf", str(KEPT)).stdout.splitlines()
    kept = {os.path.normpath(f"/{line}") for line in listed}
    subprocess.run(["tar", "-C", "/", "-xpf", KEPT], check=True)
    for path in paths:
        for folder, folders, files in os.walk(path, topdown=False):
            for name in (*files, *folders):
                remove_unless(os.path.join(folder, name), kept)
        remove_unless(path, kept)


def remove_unless(path: str, kept: "set[str]") -> None:
    """What is not among these goes; a folder goes when nothing is left in it."""
    if path in kept or not os.path.lexists(path):
        return
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    else:
        os.unlink(path)


def restart_ssh(*, by_socket: bool) -> None:
    """Sessions that are open stay open. Nothing is waited for: at boot, this runs before it could be answered."""
    if not HAS_SYSTEMD:
        say("service", "ssh", "restart")
        return
    say("systemctl", "daemon-reload")
    if by_socket:
        say("systemctl", "--quiet", "disable", "ssh.service")
        say("systemctl", "stop", "ssh.service")
        say("systemctl", "--quiet", "enable", "ssh.socket")
        say("systemctl", "--no-block", "restart", "ssh.socket")
    else:
        say("systemctl", "--no-block", "restart", "ssh.service")


def main() -> int:
    """The verb's exit code."""
    verb, *words = sys.argv[1:]
    if verb == "count":
        count()
        return 0
    with alone():
        if verb == "arm":
            arm(float(words[0]), words[1:])
        elif verb == "undo":
            print("put back" if undo() else "nothing was armed")
        elif not ARMED.exists():
            print("It was put back before the new way was proven.", file=sys.stderr)
            return TOO_LATE
        else:
            forget()
    return 0


if __name__ == "__main__":
    sys.exit(main())
