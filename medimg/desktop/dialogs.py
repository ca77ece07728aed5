"""Dialogs that ask for files and folders, and keep nothing of them: names of folders can be those of patients.

As one of Qt's file dialogs goes, it notes the folders it has seen in settings of Qt's own: on Windows in the registry,
on macOS in the user's preferences, on Linux in a file, which :func:`medimg.desktop.app.forgetful` leads away. So what
stands there before a dialog is put back after it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QFileDialog, QWidget

_GROUP = "FileDialog"


def choose_photos(parent: QWidget, title: str) -> list[Path]:
    """Ask for photos; none when the person thinks better of it."""
    with _unremembered():
        names, _ = QFileDialog.getOpenFileNames(parent, title, str(Path.home()))
    return [Path(name) for name in names]


def choose_folder(parent: QWidget, title: str, begin: Path | None = None) -> Path | None:
    """Ask for a folder, beginning in one or at home; None when the person thinks better of it."""
    with _unremembered():
        name = QFileDialog.getExistingDirectory(parent, title, str(begin or Path.home()))
    return Path(name) if name else None


@contextlib.contextmanager
def _unremembered() -> Iterator[None]:
    before = _kept()
    try:
        yield
    finally:
        if _kept() != before:
            settings = _settings()
            settings.remove(_GROUP)
            for name, value in before.items():
                settings.setValue(name, value)
            settings.sync()


def _settings() -> QSettings:
    """Where the dialogs write (qfiledialog.cpp, saveSettings)."""
    return QSettings(QSettings.Scope.UserScope, "QtProject")


def _kept() -> dict[str, Any]:
    settings = _settings()
    return {name: settings.value(name) for name in settings.allKeys() if name.startswith(f"{_GROUP}/")}
