"""What a service that runs as a container answers over HTTP, asked from its own target: nothing has to be published for it.

Called by the operations that ask services how they are (`alert_test`). The target has Python, for Ansible needs it.
"""

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from freehold.diagnostics import BackendError, Diagnostic
from freehold.model.services import Service
from freehold.providers.compose.places import ESTATE_LABEL, SERVICE_LABEL
from freehold.system.targets.api import Target

PATIENCE = 20.0  # seconds for one answer

# Reads what is asked as JSON, prints the answer as JSON; the address is the container's own, or the target's where it has no network.
_ASK = """
import json, subprocess, sys, urllib.error, urllib.request
asked = json.load(sys.stdin)
listed = ["docker", "ps", "--quiet"] + ["--filter=label=" + each for each in asked["labels"]]
found = subprocess.run(listed, capture_output=True, text=True).stdout.split()
if not found:
    sys.exit("its container does not run")
shown = ["docker", "inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}", found[0]]
addresses = subprocess.run(shown, capture_output=True, text=True).stdout.split()
url = "http://%s:%d%s" % (addresses[0] if addresses else "127.0.0.1", asked["port"], asked["path"])
body = asked["body"].encode() if asked["body"] is not None else None
request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    with opener.open(request, timeout=asked["timeout"]) as answer:
        status, text = answer.status, answer.read()
except urllib.error.HTTPError as error:
    status, text = error.code, error.read()
except OSError as error:
    sys.exit("%s: %s" % (url, error))
print(json.dumps({"status": status, "text": text.decode("utf-8", "replace")}))
"""


@dataclass(frozen=True, slots=True)
class ServiceApi:
    """The HTTP API of one service at one of its ports. Every method raises BackendError when it does not answer, or not with 200."""

    target: Target
    estate: str
    service: Service
    port: int

    async def text(self, path: str) -> str:
        """What GET answers."""
        return await self._ask(path, None)

    async def json(self, path: str) -> Any:
        """What GET answers, as the value that it is."""
        return self._value(await self._ask(path, None))

    async def post(self, path: str, value: object) -> None:
        """Post a value as JSON."""
        await self._ask(path, json.dumps(value))

    async def _ask(self, path: str, body: str | None) -> str:
        labels = [f"{ESTATE_LABEL}={self.estate}", f"{SERVICE_LABEL}={self.service.name}"]
        asked = {"labels": labels, "port": self.port, "path": path, "body": body, "timeout": PATIENCE}  # fmt: skip
        ended = await self.target.run(
            ["python3", "-c", _ASK], given=json.dumps(asked).encode(), timeout=2 * PATIENCE
        )
        if ended.code:
            raise self._silent(ended.errors.strip())
        answer = self._value(ended.output)
        if answer["status"] != HTTPStatus.OK:
            raise self._silent(f"{path} answers {answer['status']}: {answer['text'].strip()[:300]}")
        return str(answer["text"])

    def _value(self, text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            raise self._silent(f"no JSON: {text[:100]}") from None

    def _silent(self, why: str) -> BackendError:
        name, target = self.service.name, self.service.target
        return BackendError(
            Diagnostic(
                code="service-not-answering",
                summary="A service does not answer",
                detail=f"`{name}` on {target} was asked at port {self.port}: {why or 'no answer'}.",
                hint=f"See how it is:\n    freehold status\n    freehold apply --limit {target}",
            )
        )
