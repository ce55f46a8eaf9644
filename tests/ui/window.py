"""A browser's window of a given size, in light or dark, as `tests.llm.browser` drives it: what the page looks like there."""

import base64
from pathlib import Path
from typing import Any

from tests.llm.browser import Browser

PHONE, DESK = 360, 1280


class Window(Browser):
    """One page, on a phone or on a desk."""

    def resize(self, width: int, height: int = 800, scale: float = 1) -> None:
        """As large as this many CSS pixels; `scale` is how many pixels of a screen each of them has."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width <= PHONE,
        )

    def prefer(self, scheme: str) -> None:
        """`light` or `dark`, as the system of the reader says."""
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self._call("Emulation.setEmulatedMedia", features=features)

    def speak(self, languages: str) -> None:
        """The header Accept-Language."""
        self._call("Network.enable")
        self._call("Network.setExtraHTTPHeaders", headers={"Accept-Language": languages})

    def forget(self) -> None:
        """All cookies: those of one computer are the same at every port."""
        self._call("Network.clearBrowserCookies")

    def scripts(self, wanted: bool) -> None:
        """Whether pages may run scripts."""
        self._call("Emulation.setScriptExecutionDisabled", value=not wanted)

    def press_key(self, key: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self._call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=9
            )

    def photograph(self, path: Path, *, whole: bool = False) -> None:
        """What is to be seen, as a PNG file; `whole`: down to the end of the page."""
        picture: dict[str, Any] = self._call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=whole, **self._clip(whole)
        )
        path.write_bytes(base64.b64decode(picture["data"]))

    def _clip(self, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        return {
            "clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        }
