"""A mounted share with faults (tests/share_program.py), or a reason why none may be mounted here."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).resolve().with_name("share_program.py")


class Share:
    """One mount; ``disk`` is what lies on the server."""

    def __init__(self, folder: Path) -> None:
        self.disk, self.mount, self._control = folder / "disk", folder / "mount", folder / "control"
        self.disk.mkdir()
        self.mount.mkdir()
        self.tell()
        self.up()

    def tell(self, **what: Any) -> None:
        """What befalls calls from now on."""
        new = self._control.with_suffix(".new")
        new.write_text(json.dumps(what | {"at": time.monotonic()}))
        new.replace(self._control)

    def up(self) -> None:
        command = [sys.executable, str(PROGRAM), str(self.disk), str(self.mount), str(self._control)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        until = time.monotonic() + 60
        while not os.path.ismount(self.mount):
            if self.process.poll() is not None or time.monotonic() > until:
                pytest.skip(f"no file system may be mounted here: {self._end()[-200:]!r}")
            time.sleep(0.05)

    def cut(self) -> None:
        """The server is gone at once, and with it what it held in memory."""
        self.process.send_signal(signal.SIGKILL)
        self._end()
        subprocess.run(["fusermount3", "-u", "-z", str(self.mount)], check=False, capture_output=True)

    def _end(self) -> bytes:
        self.process.kill()
        return self.process.communicate(timeout=60)[1]


@contextlib.contextmanager
def mounted(folder: Path) -> Iterator[Share]:
    """A share below a folder; skips the test where that is not possible."""
    if not os.access("/dev/fuse", os.W_OK) or shutil.which("fusermount3") is None:
        pytest.skip("FUSE is not there or not permitted")
    if importlib.util.find_spec("mfusepy") is None:
        pytest.skip("mfusepy is not installed")
    made = Share(folder)
    try:
        yield made
    finally:
        made.cut()
