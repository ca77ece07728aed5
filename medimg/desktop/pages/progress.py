"""The second page: how far the work is, and Cancel."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QProgressBar, QVBoxLayout, QWidget

from medimg.desktop.widgets import Banner, button, copy_details, label, rename
from medimg.desktop.wording import counts, details, fault, tr
from medimg.engine.batch import Progress
from medimg.errors import MedimgError
from medimg.types import Report


class ProgressPage(QWidget):
    """A bar, a line for each photo that is done, and Cancel.

    Signals:
        cancel: The person wants to stop.
        back: To the first page, after a fault.
    """

    cancel = Signal()
    back = Signal()

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
        column.addWidget(self.done, 1)
        column.addLayout(row)
        self.begin()

    def begin(self) -> None:
        """Nothing is done yet."""
        self.banner.put_away()
        self.done.clear()
        self.bar.setRange(0, 0)
        self.step.setText(self.tr("Getting ready…"))
        self.stop.setEnabled(True)
        rename(self.stop, self.tr("Cancel"))
        self.stop.show()
        self.again.hide()

    def tell(self, progress: Progress) -> None:
        """Show how far it is."""
        self.bar.setRange(0, max(progress.total, 1))
        self.bar.setValue(progress.settled)
        if progress.event == "end" or progress.settled >= progress.total:
            self.step.setText(self.tr("Writing the sheets…"))
        else:
            self.step.setText(
                self.tr("{} of {} done. Looking for what identifies…").format(progress.settled, progress.total)
            )
        if progress.report is not None:
            self.done.addItem(QListWidgetItem(self._line(progress.report)))
            self.done.scrollToBottom()

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
        stands = self.tr("kept back") if report.state == "held" else self.tr("skipped")
        return f"{'!' if report.state == 'held' else '-'} {report.safe_id}: {stands}: {tr(report.reason)}"


__all__ = ["ProgressPage"]
