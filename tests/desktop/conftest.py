"""Each test file of the window runs in a process of its own: what one leaves in Qt cannot disturb the next.

A plain ``pytest`` does it by itself. A test that is named (``FILE::TEST``) runs in the process that was asked.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHILD = "MEDIMG_WINDOW_TESTS"
SECONDS = 840
"""For a file; below what pyproject.toml gives a test. Beside a load of 30 on two cores, one took over 280."""
LONGER = {"test_acts.py": 1500}
"""Seconds for files that may take more than :data:`SECONDS`."""
PLUGINS = ("-p", "pytestqt.plugin", "-p", "pytest_timeout")
"""All that these tests need: to look for others takes each process two seconds."""
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(scope="session", autouse=True)
def empty_clipboard() -> Iterator[None]:
    """What Python put on the clipboard of a screen that is not there would outlive Python, and crash at the exit."""
    yield
    from PySide6.QtGui import QGuiApplication

    if QGuiApplication.instance() is not None:
        QGuiApplication.clipboard().clear()


@pytest.fixture(autouse=True)
def own_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes what the person at this computer has the window remember, nor their cards."""
    place = tmp_path_factory.mktemp("own")
    monkeypatch.setenv("MEDIMG_WINDOW", str(place / "window.json"))
    monkeypatch.setenv("MEDIMG_CARDS", str(place / "cards"))


class Failed(Exception):
    """The child's own report."""


class OneFile(pytest.Item):
    def runtest(self) -> None:
        options = ["-q", "-p", "no:cacheprovider", "--no-header", *PLUGINS]
        command = [sys.executable, "-m", "pytest", *options, "-m", self.config.option.markexpr, str(self.path)]
        done = subprocess.run(
            command,
            cwd=self.config.rootpath,
            env={**os.environ, CHILD: "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=LONGER.get(self.path.name, SECONDS),
            check=False,
        )
        if done.returncode not in (0, pytest.ExitCode.NO_TESTS_COLLECTED):
            raise Failed(f"{done.stdout}\nexit code {done.returncode}")
        skipped = [line for line in done.stdout.splitlines() if line.startswith("SKIPPED")]
        if skipped:
            self.add_report_section("call", "skipped", "\n".join(skipped))
            print("\n".join(skipped))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        return str(excinfo.value) if isinstance(excinfo.value, Failed) else str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"{self.path.name} (a process of its own)"


class InItsOwnProcess(pytest.Module):
    def collect(self) -> Iterator[OneFile]:
        item = OneFile.from_parent(self, name="all")
        if self.path.name in LONGER:
            item.add_marker(pytest.mark.timeout(LONGER[self.path.name] + 20))
        yield item


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    named = any("::" in arg for arg in parent.config.args)
    if os.environ.get(CHILD) or named:
        return None
    return InItsOwnProcess.from_parent(parent, path=module_path)
