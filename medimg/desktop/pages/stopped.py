"""The full page of a stop: why, whom to call, and no way to share from here."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QFrame, QPushButton, QScrollArea, QVBoxLayout, QWidget

from medimg.desktop.pages.cards import MARGINS, column_of, label, swap
from medimg.desktop.pages.questions import Questions, Stop
from medimg.errors import MedimgError
from medimg.words import said


class StoppedPage(QWidget):
    """Says that a patient's pictures are not shared, and whom to ask.

    Signals:
        closed: Back to the questions.
    """

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.run: Path | None = None
        self.lines: list[str] = []
        self.area = QScrollArea(self)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setAccessibleName(self.tr("Why it stops here, and whom to ask"))
        self.area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # so that the arrow keys move a long page
        self.close_button = QPushButton(self.tr("&Back to the questions"), self)
        self.close_button.setAccessibleName(self.tr("Back to the questions"))
        self.close_button.clicked.connect(self.closed)
        column = QVBoxLayout(self)
        column.setContentsMargins(*MARGINS)
        column.addWidget(self.area, 1)
        column.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignLeft)

    def open_run(self, run: Path) -> None:
        """Show the first patient of a run that is at a stop, if there is one."""
        try:
            questions = Questions(run)
        except MedimgError:
            self.show_stop(run, "")
            return
        self.show_stop(run, next((g for g in questions.state.run.groups if questions.stop(g)), ""))

    def show_stop(self, run: Path, group: str) -> None:
        """Show why a patient's pictures are stopped.

        Args:
            run: The run folder.
            group: Key of the patient (``P01``).
        """
        self.run = run
        try:
            questions = Questions(run)
            stop = questions.stop(group) if group in questions.state.run.groups else None
        except MedimgError as error:
            self._fill([("title", self.tr("■ Stop")), ("", said(error.what))])
            return
        if stop is None:
            words = self.tr("This patient is not at a stop. Go back to the questions.")
            self._fill([("title", self.tr("No stop")), ("", words)])
            return
        self._fill(self._words(questions, stop))

    def _words(self, questions: Questions, stop: Stop) -> list[tuple[str, str]]:
        titles = {
            "advice": self.tr("■ Stop: get advice before sharing"),
            "consent": self.tr("■ Stop: there is no agreement to share"),
            "withdrawn": self.tr("■ Stop: the patient has withdrawn"),
        }
        out = [
            ("title", titles[stop.kind]),
            ("heading", self.tr("Patient {0}. These pictures are not shared.").format(stop.group)),
        ]
        if stop.kind == "consent":
            out.append(("", self.tr("You answered no to:")))
        out += [("question", reason) for reason in stop.reasons]
        out += [("heading", self.tr("Whom to ask now")), *self._contacts(questions)]
        out += [("heading", self.tr("Where the pictures are")), *self._where(questions, stop)]
        return out

    def _contacts(self, questions: Questions) -> list[tuple[str, str]]:
        site = questions.state.run.site
        lines = [
            ("question", f"{who[:1].upper()}{who[1:]}: {how}") for who, how in (site.contacts.lines() if site else [])
        ]
        if not lines:
            text = self.tr(
                "Your organisation has set no contact here. Ask your privacy officer, your clinical photography"
                " service or the person in charge before you do anything else with these pictures."
            )
            lines = [("", text)]
        if site and site.organisation:
            lines.insert(0, ("", self.tr("Set by your organisation: {0}").format(site.organisation)))
        if site:
            lines += [("", x) for x in (site.policy_text, site.policy_link) if x]
        return lines

    def _where(self, questions: Questions, stop: Stop) -> list[tuple[str, str]]:
        shared = len(questions.state.released_names(stop.group))
        out = [("", self.tr("Nothing was sent. Your original photos were not changed."))]
        if shared:
            words = self.tr(
                "✗ Pictures of this patient in the share folder: {0}. Do not attach that folder. 'Re-open' on the last"
                " page takes them back. Copies that were sent already cannot be called back."
            )
            out.append(("question", words.format(shared)))
        else:
            out.append(("", self.tr("No picture of this patient is in the share folder, and none can be put there.")))
        keep = self.tr("The covered copies are still in the run folder on this computer. Ask what to do with them.")
        out.append(("", keep))
        others = [g for g in questions.state.run.groups if questions.stop(g) is None]
        if others:
            out.append(("", self.tr("Other patients of this run can go on: {0}.").format(", ".join(others))))
        if stop.kind != "withdrawn":
            out.append(("", self.tr("If you gave an answer by mistake, go back and change it.")))
        return out

    def _fill(self, lines: list[tuple[str, str]]) -> None:
        content = QWidget(self.area)
        column = column_of(content)
        for kind, text in lines:
            made = label(text, content, kind=kind)
            made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            column.addWidget(made)
        column.addStretch(1)
        self.lines = [text for _, text in lines]
        swap(self.area, content)
        self.area.setAccessibleDescription(" ".join(self.lines))
        self.close_button.setAccessibleDescription(" ".join(self.lines))

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """The keyboard starts on the way back, and a screen reader reads the page with it."""
        super().showEvent(event)
        self.close_button.setFocus(Qt.FocusReason.OtherFocusReason)
