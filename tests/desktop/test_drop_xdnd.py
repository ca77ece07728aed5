"""A real drop: another process drags a folder over the X server's own protocol (XDND) into the window."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from batch_fakes import photo

HERE = Path(__file__).resolve().parent
NEEDED = ("Xvfb", "xdotool", "openbox")
pytestmark = pytest.mark.skipif(
    any(shutil.which(p) is None for p in NEEDED), reason="program not installed: Xvfb, xdotool or openbox"
)
LONG = 60.0


class Child:
    """A process whose lines can be waited for."""

    def __init__(self, *command: str, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()

    def wait(self, start: str) -> str:
        with self._news:
            there = self._news.wait_for(lambda: any(x.startswith(start) for x in self.lines), LONG)
            assert there, f"{start}: {self.lines}"
            return next(x for x in self.lines if x.startswith(start))

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join()
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An X server with a window manager; ``-displayfd`` gives it a number that nobody has."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1400x860x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as file:
        number = file.readline().strip()
    env = {k: v for k, v in os.environ.items() if k not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")}
    env |= {"DISPLAY": f":{number}", "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(HERE.parent.parent)}
    env |= {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_RUNTIME_DIR": str(tmp_path)}
    manager = subprocess.Popen(["openbox"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield env
    finally:
        for process in (manager, server):
            process.terminate()
            process.wait(10)


def tool(env: dict[str, str], *command: str) -> str:
    done = subprocess.run(["xdotool", *command], env=env, capture_output=True, text=True, timeout=LONG, check=False)
    return done.stdout.strip()


def window(env: dict[str, str], name: str) -> str:
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        found = tool(env, "search", "--onlyvisible", "--name", name).splitlines()
        if found:
            return found[-1]
        threading.Event().wait(0.2)
    raise AssertionError(f"no window {name}")


def test_a_folder_dragged_from_another_program_arrives(screen: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "in" / "Ngā whakaahua ü"
    photo(folder / "a b.png", seed=1)
    (folder / "notes.txt").write_text("no photo")
    single = photo(tmp_path / "in" / "plain.png", seed=2)
    odd = single.rename(Path(os.fsdecode(os.fsencode(single.parent) + b"/caf\xe9.png")))
    target = Child(sys.executable, str(HERE / "xdnd_target.py"), env=screen)
    source = Child(sys.executable, str(HERE / "xdnd_source.py"), str(folder), str(odd), env=screen)
    try:
        target.wait("ready")
        source.wait("ready")
        to, start = window(screen, "^medimg$"), window(screen, "^files$")
        tool(screen, "windowmove", "--sync", to, "260", "40")
        tool(screen, "windowmove", "--sync", start, "20", "80")
        for _ in range(3):  # a window manager may still be placing the windows
            tool(screen, "mousemove", "--window", start, "80", "60", "mousedown", "1")
            for x in (110, 150, 240, 400, 520, 640):
                tool(screen, "mousemove", str(x), "300")
                threading.Event().wait(0.15)
            tool(screen, "mouseup", "1")
            threading.Event().wait(1.0)
            if any(x.startswith("drag") for x in source.lines) and target.lines[-1] != "ready":
                break
        assert source.wait("drag") == "drag CopyAction"
        assert target.wait("counted") == "counted 2 notes.txt"
        took = [bytes.fromhex(x.split()[1]) for x in target.lines if x.startswith("took")]
        assert took == [os.fsencode(folder), os.fsencode(odd)]
        assert odd.is_file()
    finally:
        source.stop()
        target.stop()
