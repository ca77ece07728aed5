"""The second page: how far the work is, and Cancel."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import msgspec
from PySide6.QtCore import QCoreApplication, QSize, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QProgressBar, QVBoxLayout, QWidget

from medimg.desktop import pictures
from medimg.desktop.pages._small_pictures import SmallPictures
from medimg.desktop.pages.grid import icon_of, image_of
from medimg.desktop.widgets import Banner, button, copy_details, label, rename
from medimg.desktop.wording import counts, details, fault, tr
from medimg.desktop.work import Lane, in_worker
from medimg.engine.groups import Suggestion
from medimg.engine.loop import Progress
from medimg.engine.pool import MEMORY_FULL
from medimg.engine.worker import Setup
from medimg.errors import MedimgError
from medimg.policy import Policy
from medimg.run.folder import PREFIX, UNREVIEWED_FOLDER
from medimg.types import Report

_SIDE = 72
_LARGE = 900
"""Longest side of a picture shown while others run, in pixels: for a first look; what counts follows."""
_WHOLE = Qt.ItemDataRole.UserRole + 1


def time_left(progress: Progress) -> str:
    """How long it takes yet, as far as that can be said honestly."""
    tr = QCoreApplication.translate
    left = progress.left
    if left is None:
        return tr("progress", "How long it takes is known after a few photos.")
    minutes = math.ceil(left / 60)
    if left < 60:
        return tr("progress", "Less than a minute left.")
    return counts(minutes, tr("progress", "About {} minute left."), tr("progress", "About {} minutes left."))


class ProgressPage(QWidget):
    """A bar, a line for each photo that is done, and Cancel.

    Signals:
        cancel: The person wants to stop.
        back: To the first page, after a fault.
        grouped: Whether the groups that were suggested are right.
    """

    cancel = Signal()
    back = Signal()
    grouped = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("progress")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 12, 20, 12)
        column.setSpacing(10)
        self.banner = Banner("progress-banner")
        self.title = label(self.tr("Looking at your photos"), kind="title", name="progress-title")
        self.step = label(name="progress-step")
        self.bar = QProgressBar()
        self.bar.setObjectName("bar")
        self.bar.setAccessibleName(self.tr("Photos that are done"))
        self.bar.setTextVisible(False)  # words over two grounds cannot be read on both; the line above has them
        self.done = QListWidget()
        self.done.setObjectName("done")
        self.done.setAccessibleName(self.tr("What came of each photo"))
        self.done.setWordWrap(True)
        self.done.setIconSize(QSize(_SIDE, _SIDE))
        self.done.currentRowChanged.connect(lambda row: self._enlarge(row))
        self.patients = SmallPictures(Policy.load())
        self.patients.setObjectName("patients")
        self.picture = QLabel()
        self.picture.setObjectName("progress-picture")
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setMinimumSize(1, 1)
        self.picture.setAccessibleName(self.tr("The photo chosen in the list, covered"))
        self.picture.hide()
        self._lane: Lane | None = None
        self._out: Path | None = None
        hint = label(
            self.tr("Faces, writing, codes and hidden information are looked for. Then each copy is checked again."),
            kind="quiet",
        )
        row = QHBoxLayout()
        self.stop = button(
            self.tr("Cancel"),
            self._cancel,
            name="cancel",
            key="Esc",
            hint=self.tr("Stop at once. Nothing is left behind, and your originals stay as they are."),
        )
        self.again = button(self.tr("Back"), self.back.emit, name="progress-back")
        row.addStretch(1)
        row.addWidget(self.again)
        row.addWidget(self.stop)
        for part in (self.banner, self.title, self.step, self.bar, hint):
            column.addWidget(part)
        middle = QHBoxLayout()
        middle.addWidget(self.patients, 2)
        middle.addWidget(self.done, 2)
        middle.addWidget(self.picture, 3)
        column.addLayout(middle, 1)
        column.addLayout(row)
        self.begin()

    def begin(self, out: Path | None = None, policy: Policy | None = None) -> None:
        """Nothing is done yet.

        Args:
            out: Where the run folder is made; without it no pictures are shown.
            policy: The settings of the run.
        """
        self.end()
        self._out, self._policy = out, policy if policy is not None else Policy.load()
        self.picture.hide()
        self._asking(on=False)
        self.banner.put_away()
        self.done.clear()
        self.bar.setRange(0, 0)
        self.step.setText(self.tr("Getting ready…"))
        self.stop.setEnabled(True)
        rename(self.stop, self.tr("Cancel"))
        self.stop.show()
        self.again.hide()

    def ask(self, told: Suggestion) -> None:
        """Ask whether the photos are of the patients that gaps in time and codes on wristbands suggest: one act."""
        self._asking(on=True)
        self.patients.by_patient(list(told.photos.values()))
        sizes = ", ".join(str(n) for n in sorted(told.suggested.values(), reverse=True))
        self.step.setText(self.tr("Waiting for your answer."))
        self.banner.say(
            self.tr(
                "One patient, or several? By gaps in time and codes on wristbands these photos look like {0} patients"
                " ({1} photos). Without that they count as {2}. The questions are asked once for each patient."
            ).format(len(told.suggested), sizes, len(told.now)),
            button(
                self.tr("Use {} patients").format(len(told.suggested)), lambda: self._group(use=True), name="group-yes"
            ),
            button(
                counts(len(told.now), self.tr("No: one patient"), self.tr("No: {} patients")),
                lambda: self._group(use=False),
                name="group-no",
            ),
        )
        self.banner.first()

    def _asking(self, *, on: bool) -> None:
        """Nothing moves while an answer is awaited."""
        self.bar.setVisible(not on)
        self.done.setVisible(not on)
        self.patients.setVisible(on)

    def _group(self, *, use: bool) -> None:
        self.banner.put_away()
        self._asking(on=False)
        self.patients.end()
        self.step.setText(self.tr("Getting ready…"))
        self.grouped.emit(use)

    def end(self) -> None:
        """Make no more pictures."""
        self.patients.end()
        if self._lane is not None:
            self._lane.close()
            self._lane.deleteLater()
            self._lane = None

    def tell(self, progress: Progress) -> None:
        """Show how far it is."""
        self.bar.setRange(0, max(progress.total, 1))
        self.bar.setValue(progress.settled)
        if progress.event == "end" or progress.settled >= progress.total:
            self.step.setText(self.tr("Writing the sheets…"))
        else:
            self.step.setText(
                self.tr("{} of {} done. {}").format(progress.settled, progress.total, time_left(progress))
            )
        if progress.report is not None:
            item = QListWidgetItem(self._line(progress.report))
            self.done.addItem(item)
            if self.done.currentRow() < 0:
                self.done.scrollToBottom()  # who looks at one is left there
            self._want(progress.run, progress.report, self.done.count() - 1)

    def _want(self, run: str, report: Report, row: int) -> None:
        """Have the picture of a copy made, in a worker of its own."""
        made = report.copy
        if self._out is None or made is None or Path(made.name).name != made.name:
            return
        path = self._out / f"{PREFIX}{run}" / UNREVIEWED_FOLDER / made.name
        if self._lane is None:
            light = msgspec.structs.replace(self._policy, scope="metadata-only")
            self._lane = Lane(Setup(policy=light, memory=MEMORY_FULL), self)
        job = in_worker(pictures.draw, bytes(path), self._policy, _LARGE, None, made.covered)
        self._lane.give(job, partial(self._drawn, row))

    def _drawn(self, row: int, drawn: object) -> None:
        item = self.done.item(row)
        if not isinstance(drawn, pictures.Drawn):
            return
        image = image_of(drawn)
        if item is not None:
            item.setIcon(icon_of(image.scaled(_SIDE, _SIDE, Qt.AspectRatioMode.KeepAspectRatio)))
            item.setData(_WHOLE, QPixmap.fromImage(image))
            if row == self.done.currentRow():
                self._enlarge(row)

    def _enlarge(self, row: int) -> None:
        """Show the chosen photo larger, while the others go on."""
        item = self.done.item(row)
        whole = item.data(_WHOLE) if item is not None else None
        self.picture.setVisible(isinstance(whole, QPixmap))
        if isinstance(whole, QPixmap):
            room = self.picture.size().expandedTo(QSize(_SIDE * 4, _SIDE * 4)).boundedTo(self.size())
            self.picture.setPixmap(
                whole.scaled(room, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)
            )

    def fail(self, error: MedimgError) -> None:
        """Say why it did not go on."""
        self.banner.say(fault(error), copy_details(details(error)))
        self.step.setText(self.tr("Stopped."))
        self.bar.setRange(0, 1)
        self.stop.hide()
        self.again.show()
        self.again.setFocus(Qt.FocusReason.OtherFocusReason)

    def _cancel(self) -> None:
        self.stop.setEnabled(False)
        rename(self.stop, self.tr("Stopping…"))
        self.cancel.emit()

    def _line(self, report: Report) -> str:
        if report.copy is not None:
            covered = sum(a.finding.count for a in report.plan.doing("cover")) if report.plan else 0
            words = counts(covered, self.tr("{} area covered"), self.tr("{} areas covered"))
            if not covered:
                words = (
                    self.tr("picture not looked at")
                    if report.scope == "metadata-only"
                    else self.tr("nothing had to be covered")
                )
            return f"✓ {report.safe_id}: {words}"
        stands = self.tr("held") if report.state == "held" else self.tr("skipped")
        return f"{'!' if report.state == 'held' else '-'} {report.safe_id}: {stands}: {tr(report.reason)}"
