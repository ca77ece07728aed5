"""The acts on a real terminal: a small window shows what a screen is about, and a copy's whole path."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from acts_kit import given
from sheets_kit import none_true, run_folder

from medimg.acts.sitting import Sitting
from medimg.consent.context import SharingContext
from medimg.run.opened import open_run
from medimg.run.register import Register

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminal")
LINES, COLUMNS = 20, 80
AU = SharingContext(audience="closed-group", jurisdictions=("AU",), conditions=none_true())


def shown_on_a_terminal(run: Path) -> str:
    """What ``medimg answer`` writes on a terminal of 80 x 20 until it is stopped on its first screen."""
    import fcntl
    import pty
    import select
    import struct
    import termios

    child, ours = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, "-m", "medimg.cli.main", "answer", str(run)])
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    written, end = b"", time.monotonic() + 240
    with contextlib.suppress(OSError):  # it ended
        while time.monotonic() < end:
            if select.select([ours], [], [], 1)[0]:
                written += os.read(ours, 65536)
            elif b"q stop" in written:
                os.write(ours, b"q")  # what is typed before a screen stands there is thrown away
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ours)
    return written.decode()


def test_a_screen_that_is_taller_than_the_window_says_below_what_it_is_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDIMG_CARDS", str(tmp_path / "cards"))
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))
    run = tmp_path / "medimg-R7Q4"
    run_folder(run, {"P01": 1}, context=AU)
    sitting = Sitting(open_run(run), [], Register())
    while (shown := sitting.screen()) is not None and not shown.act.startswith("look"):
        sitting.give(given(shown, ())[0])
    text = shown_on_a_terminal(run)
    (screen,) = [s for s in text.split("\x1b[H\x1b[J") if "I opened this copy" in s]
    below = screen.replace("\r", "").split("q stop")[0].splitlines()[-LINES:]
    assert any("Look at P01-001" in line for line in below)
    assert f"{run}/unreviewed/P01-001.jpg" in "".join(below)
    assert "Kept so far" in text
