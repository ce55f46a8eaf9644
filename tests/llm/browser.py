"""A real browser without a window, told what to do over its own protocol, in the lab's network: what the host's browser sees.

The Chrome DevTools Protocol through a pipe (`--remote-debugging-pipe`: JSON messages that end in NUL, read at descriptor 3 and
written at 4) passes from one network namespace to another, which the port of a driver does not.
"""

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from freehold.operations.lab import Lab
from freehold.system.namespaces import enter_argv
from tests.e2e.estate import pid_of

PATIENCE = 120.0  # seconds for what a page is to show
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-proxy-server", "--window-size=1280,900", "--lang=en-US"),
    "--remote-debugging-pipe",
)
_NAVIGATED = "Inspected target navigated or closed"
_HANDS_OVER = 'exec 3<&0 4>&1 >/dev/null; exec "$@"'


def install() -> str | None:
    """Have Debian's chromium, from where this computer gets its packages. Why that cannot be, if it cannot."""
    if shutil.which("chromium"):
        return None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    said = ""
    for word in ("install", "update", "install"):  # once with the lists of packages as they are
        more = ["--no-install-recommends", "chromium"] if word == "install" else []
        argv = ["apt-get", "-o", "DPkg::Lock::Timeout=120", "--yes", word, *more]
        try:
            done = subprocess.run(
                argv, env=environment, capture_output=True, text=True, check=False
            )
        except FileNotFoundError as missing:
            return f"no chromium, and {missing}"
        if shutil.which("chromium"):
            return None
        said = done.stderr.strip()
    return f"no chromium: {said}"


class Navigated(AssertionError):
    """The page went away while something was asked of it."""


class Browser:
    """One page of one browser, with a profile of its own. `log` is what it printed, for when something fails."""

    def __init__(self, lab: Lab | None = None) -> None:
        """In the network of a lab, or in this computer's own."""
        self.folder = tempfile.TemporaryDirectory(prefix="fh-browser-", dir="/tmp")
        self.log = Path(self.folder.name, "log")
        argv = ["chromium", *_OPTIONS, f"--user-data-dir={self.folder.name}/profile", "about:blank"]
        shell = ["sh", "-c", _HANDS_OVER, "sh", *argv]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                enter_argv(pid_of(lab), shell, "/tmp") if lab else shell,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, "HOME": self.folder.name},
            )
        self._numbers = itertools.count(1)
        self._session = ""

    def __enter__(self) -> Self:
        pages = self._call("Target.getTargets")["targetInfos"]
        page = next(each["targetId"] for each in pages if each["type"] == "page")
        attached = self._call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        with suppress(AssertionError, OSError):  # it may have ended already
            self._session = ""
            self._call("Browser.close")
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        self.folder.cleanup()

    def open(self, address: str) -> str:
        """Go there; empty, or why it cannot be reached."""
        return str(self._call("Page.navigate", url=address).get("errorText", ""))

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript in the page."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, (script, answer)
        return answer["result"].get("value")

    def text(self) -> str:
        """What there is to read on the page."""
        return str(self.run("document.body ? document.body.innerText : ''"))

    def until(self, script: str) -> Any:
        """Wait until an expression is true; its value."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with suppress(Navigated):
                if value := self.run(script):
                    return value
            time.sleep(0.2)
        raise AssertionError(f"never true: {script}; the page says: {self.text()}")

    def reads(self, text: str) -> None:
        """Wait until the page shows a text."""
        self.until(f"document.body && document.body.innerText.includes({json.dumps(text)})")

    def fill(self, selector: str, text: str) -> None:
        """Type into a field."""
        self.until(f"!!document.querySelector({json.dumps(selector)})")
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")
        self._call("Input.insertText", text=text)

    def click(self, label: str) -> None:
        """Press the button that is called so."""
        found = f"[...document.querySelectorAll('button')].find(each => each.innerText.trim() === {json.dumps(label)})"
        self.until(f"!!{found}")
        with suppress(Navigated):  # that is what it does
            self.run(f"{found}.click()")

    def press(self, selector: str) -> None:
        """Press what is there, once it is."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.until(f"!!{found}")
        with suppress(Navigated):
            self.run(f"{found}.click()")

    def _call(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        stdin = self._stream(self._process.stdin)
        stdin.write(json.dumps(message).encode() + b"\0")
        stdin.flush()
        while True:
            answer = json.loads(self._message())
            if answer.get("id") == number:
                if answer.get("error", {}).get("message") == _NAVIGATED:
                    raise Navigated(method)
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def _message(self) -> bytes:
        stdout = self._stream(self._process.stdout)
        found = bytearray()
        while (byte := stdout.read(1)) != b"\0":
            assert byte, f"the browser has ended: {self.log.read_text(errors='replace')}"
            found += byte
        return bytes(found)

    def _stream(self, stream: IO[bytes] | None) -> IO[bytes]:
        assert stream is not None
        return stream
