"""The first of the dropped photos in small, and all of them by patient."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem

from medimg.desktop import pictures
from medimg.desktop.pages.grid import icon_of, image_of
from medimg.desktop.work import Lane, in_worker
from medimg.engine.pool import MEMORY_FULL
from medimg.engine.worker import Setup
from medimg.policy import Policy

_SIDE = 72
_ANY = 16_777_215  # Qt's largest height
MOST = 60
"""Photos that are shown by patient; the number of each patient's is said in words."""


class SmallPictures(QListWidget):
    """A row of pictures that a worker makes: the window reads no photo itself. No names stand under them."""

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self._policy = policy
        self._lane: Lane | None = None
        self._round = 0
        self.setObjectName("dropped")
        self.setAccessibleName(self.tr("The first of the dropped photos, in small"))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListView.Movement.Static)
        self.setIconSize(QSize(_SIDE, _SIDE))
        self.setFixedHeight(_SIDE + 24 + self.horizontalScrollBar().sizeHint().height())
        self.hide()

    def by_patient(self, photos: Sequence[Sequence[bytes]]) -> None:
        """Show each patient's photos, with the patient's number under them, in as many rows as they need."""
        self.setAccessibleName(self.tr("The photos by patient"))
        self.setWrapping(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMinimumHeight(0)
        self.setMaximumHeight(_ANY)
        numbered = [(n, Path(os.fsdecode(path))) for n, paths in enumerate(photos, 1) for path in paths][:MOST]
        self.show_these((path for _, path in numbered), [self.tr("Patient {}").format(n) for n, _ in numbered])

    def show_these(self, photos: Iterable[Path], words: Sequence[str] = ()) -> None:
        """Show these photos in place of what is shown; with ``words`` below each."""
        self._round += 1
        self.clear()
        self.ensurePolished()  # in the letters it is drawn with
        down = _SIDE + (self.fontMetrics().lineSpacing() + 6 if words else 0)
        if self.maximumHeight() < _ANY:
            self.setFixedHeight(down + 24 + self.horizontalScrollBar().sizeHint().height())
        for number, path in enumerate(photos, 1):
            item = QListWidgetItem(words[number - 1] if words else "")
            item.setTextAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom)
            said = ", ".join(w for w in (self.tr("Photo {}").format(number), item.text()) if w)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, said)
            self.addItem(item)
            across = max(_SIDE + 12, self.sizeHintForIndex(self.indexFromItem(item)).width())  # of its words
            item.setSizeHint(QSize(across, down + 12))  # its place before its picture is made
            job = in_worker(pictures.draw, os.fsencode(path), self._policy, 2 * _SIDE)
            self._worker().give(job, partial(self._drawn, self._round, number - 1))
        self.setVisible(self.count() > 0)

    def _worker(self) -> Lane:
        if self._lane is None:
            light = msgspec.structs.replace(self._policy, scope="metadata-only")
            self._lane = Lane(Setup(policy=light, memory=MEMORY_FULL), self)
        return self._lane

    def end(self) -> None:
        """Stop the worker; what it has not made is not shown."""
        if self._lane is not None:
            self._lane.close()
            self._lane.deleteLater()
            self._lane = None

    def _drawn(self, which: int, row: int, drawn: object) -> None:
        if isinstance(drawn, pictures.Drawn):
            image = image_of(drawn)  # its file goes, whether it is still wanted or not
            if which == self._round and row < self.count():
                self.item(row).setIcon(icon_of(image))
