"""A headless Chromium driven over its own pipe (Chrome DevTools Protocol), with no library and no port."""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import os
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_CARRIER = importlib.util.find_spec("axe_playwright_python")
AXE = Path(_CARRIER.origin or "").with_name("axe.min.js") if _CARRIER is not None else None
"""axe-core as a package carries it; ``make`` installs that without what it would need to do more."""
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5"
    " Mobile/15E148 Safari/604.1"
)


class Chrome:
    """One page. ``events`` keeps everything the browser said about requests, the console and faults."""

    def __init__(self, profile: Path, *flags: str) -> None:
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        # The browser reads commands on 3 and writes answers on 4; the copies keep clear of both numbers.
        read_copy, write_copy = (fcntl.fcntl(f, fcntl.F_DUPFD_CLOEXEC, 10) for f in (to_read, to_write))

        def wire() -> None:
            os.dup2(read_copy, 3)
            os.dup2(write_copy, 4)

        self._process = subprocess.Popen(
            [str(PROGRAM), *_FLAGS, *flags, f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=wire,
            pass_fds=(3, 4),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for handle in (read_copy, write_copy):
            os.close(handle)
        os.close(to_read)
        os.close(to_write)
        self._number = 0
        self._rest = b""
        self.events: list[dict[str, Any]] = []
        self._session = ""
        try:
            self._attach()
        except BaseException:
            self.close()
            raise

    def _attach(self) -> None:
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send one command and wait for its answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next(60)
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _next(self, seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._from], [], [], max(0.0, end - time.monotonic()))
            assert ready, "the browser did not answer"
            data = os.read(self._from, 1 << 20)
            assert data, "the browser ended"
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def open(self, path: Path) -> None:
        """Load a file and wait until it is there."""
        self.go(path.as_uri())

    def go(self, url: str) -> None:
        """Load an address and wait until it is there."""
        self.events.clear()
        self.call("Page.navigate", url=url)
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self._next(60))

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, script: str, seconds: float = 400) -> Any:
        """The value of an expression once it is true."""
        end = time.monotonic() + seconds
        while not (value := self.run(script)):
            assert time.monotonic() < end, f"never true: {script}\n{self.run('document.body.innerText')}"
            time.sleep(0.1)
        return value

    def put(self, selector: str, *files: Path) -> None:
        """Choose files in a file field, as a person does."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        field = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=field, files=[str(f) for f in files])

    def barriers(self) -> list[str]:
        """What axe-core finds on this page."""
        assert AXE is not None
        self.call("Runtime.evaluate", expression=AXE.read_text("utf-8"))
        found: list[str] = self.run(
            "axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 60)).join(' ')))"
        )
        return found

    def size(self, width: int, height: int = 900, zoom: int = 1) -> None:
        """Set the size of the window, in pixels as the page counts them: at 200 % zoom, half as many as there are."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=zoom, mobile=False
        )

    def phone(self, width: int = 390, height: int = 844) -> None:
        """Pose as a phone: its small and dense screen, fingers, what it calls itself."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=3, mobile=True)
        self.call("Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=5)
        self.call("Emulation.setUserAgentOverride", userAgent=PHONE)

    def touch(self, *places: tuple[float, float]) -> None:
        """Put a finger down, draw it along, lift it."""
        for place in places:
            kind = "touchStart" if place is places[0] else "touchMove"
            self.call("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": place[0], "y": place[1]}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def media(self, kind: str = "", scheme: str = "light", motion: str = "no-preference") -> None:
        """Screen or print, light or dark, with or without motion."""
        asked = {"prefers-color-scheme": scheme, "prefers-reduced-motion": motion}
        features = [{"name": name, "value": value} for name, value in asked.items()]
        self.call("Emulation.setEmulatedMedia", media=kind, features=features)

    def key(self, name: str, code: int, text: str = "") -> None:
        """Press and release one key; with ``text``, one that types."""
        more = {"text": text} if text else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=name, code=name, windowsVirtualKeyCode=code, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=name, code=name, windowsVirtualKeyCode=code)

    def close(self) -> None:
        """End the browser and everything it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)
        os.close(self._to)
        os.close(self._from)
