"""The last page: open the share folder, copy the summary for the notes, print the record sheet, re-open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
from PySide6.QtCore import QMimeData, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication, QShowEvent
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from medimg.acts import withdrawing
from medimg.desktop.pages import paper as _paper
from medimg.desktop.pages._flow import FlowLayout
from medimg.desktop.pages._goes import Goes
from medimg.desktop.pages.cards import MARGINS, column_of, label, say, swap
from medimg.desktop.pages.grid import icon_of, image_of
from medimg.desktop.pages.questions import Questions, overall_words
from medimg.desktop.pictures import Drawn
from medimg.desktop.session import Session
from medimg.desktop.widgets import Banner, button
from medimg.errors import MedimgError
from medimg.report import record, text
from medimg.report.html import when
from medimg.report.model import RecordSheet
from medimg.run.folder import RECORD_FOLDER, SHARE_FOLDER
from medimg.run.register import Register
from medimg.vocabulary import as_words
from medimg.words import said

#: Asks Windows to keep a copied text out of its clipboard history and away from other devices. Nothing elsewhere.
_NO_HISTORY = (
    "ExcludeClipboardContentFromMonitorProcessing",
    "CanIncludeInClipboardHistory",
    "CanUploadToCloudClipboard",
)


class FinishPage(QWidget):
    """What can be done with a run that was answered. It never sends, uploads or deletes.

    Signals:
        back: To the questions.
        restart: To the start page.
    """

    back = Signal()
    restart = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.questions: Questions | None = None
        self.title = label(self.tr("Finish"), self, kind="title")
        self.banner = label(parent=self, kind="alert")
        self.area = QScrollArea(self)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setAccessibleName(self.tr("Where each patient stands"))
        self.area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.patient = QComboBox(self)
        self.patient.setAccessibleName(self.tr("Patient"))
        self.patient.currentIndexChanged.connect(self._enable)
        self.patient_label = label(self.tr("&Patient for the notes and the sheet:"), self)
        self.patient_label.setWordWrap(False)
        self.patient_label.setBuddy(self.patient)
        self.open_button = self._button(self.tr("&Open share folder"), self.open_share)
        self.copy_button = self._button(self.tr("&Copy summary for the notes"), self.copy_summary)
        self.print_button = self._button(self.tr("Print &record sheet…"), self.print_sheet)
        self.withdraw_button = self._button(self.tr("The patient &withdraws…"), self.ask_withdrawal)
        self.goes = Goes()
        self.asked = Banner("finish-asked")
        self.session: Session | None = None
        self._told: list[tuple[str, str]] = []
        self.reopen_button = self._button(self.tr("R&e-open"), self.reopen)
        self.back_button = self._button(self.tr("&Back to the questions"), self.back.emit)
        self.restart_button = self._button(self.tr("&Start with other photos"), self.restart.emit)
        chosen = QHBoxLayout()
        chosen.addWidget(self.patient_label)
        chosen.addWidget(self.patient)
        chosen.addStretch(1)
        actions = FlowLayout()
        for made in (
            self.open_button,
            self.copy_button,
            self.print_button,
            self.reopen_button,
            self.withdraw_button,
        ):
            actions.addWidget(made)
        bottom = QHBoxLayout()
        bottom.addWidget(self.back_button)
        bottom.addStretch(1)
        bottom.addWidget(self.restart_button)
        self.open_button.setProperty("kind", "primary")
        column = QVBoxLayout(self)
        column.setContentsMargins(*MARGINS)
        column.addWidget(self.title)
        column.addWidget(self.banner)
        column.addWidget(self.asked)
        column.addWidget(self.goes)
        column.addLayout(chosen)
        column.addLayout(actions)
        column.addWidget(self.area, 1)
        column.addLayout(bottom)
        self._enable()

    def _button(self, words: str, do: Callable[[], object]) -> QPushButton:
        made = QPushButton(words, self)
        made.setAccessibleName(words.replace("&", ""))
        made.clicked.connect(lambda: do())
        return made

    def open_run(self, run: Path) -> None:
        """Show how a run stands.

        Args:
            run: The run folder, or the folder it lies in.
        """
        self.questions, self._told = None, []
        self.asked.put_away()
        self.patient.clear()
        say(self.banner, "")
        try:
            self.questions = Questions(run)
        except MedimgError as error:
            self._tell(error)
            self._fill([])
            return
        self.patient.addItems(list(self.questions.state.run.groups))
        self._show()

    # ------------------------------------------------------------------ what can be done

    def open_share(self) -> None:
        """Open the share folder in the computer's own file window. Nothing else is opened."""
        if self.questions is None:
            return
        folder = self.questions.opened.folder.resolve() / SHARE_FOLDER
        if folder.is_dir() and QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            say(self.banner, self.tr("✓ The share folder was opened. Attach the pictures in it and nothing else."))
        else:
            say(self.banner, self.tr("✗ The folder could not be opened. It is the folder 'share' in the run folder."))

    def copy_summary(self) -> None:
        """Put the lines for one patient's notes on the clipboard; never those of another patient."""
        if self.questions is None:
            return
        group = self.patient.currentText()
        data = QMimeData()
        data.setText(self.summary(group))
        for name in _NO_HISTORY:
            data.setData(f'application/x-qt-windows-mime;value="{name}"', b"\x00\x00\x00\x00")
        QGuiApplication.clipboard().setMimeData(data)
        say(
            self.banner,
            self.tr("✓ Copied: the summary of patient {0}. Paste it into that patient's notes.").format(group),
        )

    def print_sheet(self) -> None:
        """Ask which printer, and print one patient's record sheet."""
        if self.questions is None:
            return
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printer.setDocName("medimg")  # the printer's queue shows it to others: no patient, no file name
        if self.ask_printer(printer):
            _paper.to_printer(self.sheet(self.patient.currentText()), printer)
            say(self.banner, self.tr("✓ Sent to the printer. The sheet belongs in the patient's record."))

    def ask_printer(self, printer: QPrinter) -> bool:
        """The computer's print window; whether the person said yes."""
        return QPrintDialog(printer, self).exec() == QDialog.DialogCode.Accepted

    def reopen(self) -> None:
        """Take a patient's pictures back from the share folder; pictures and recognition are asked again."""
        if self.questions is None:
            return
        try:
            self.questions.reopen(self.patient.currentText())
        except MedimgError as error:
            self._tell(error)
            self._show()
            return
        self._show()
        self.back.emit()

    def ask_withdrawal(self) -> None:
        """Ask once more before it is noted that a patient withdrew."""
        group = self.patient.currentText()
        self.asked.say(
            self.tr(
                "Patient {0} withdraws: the pictures leave the share folder, it is noted in the register, and the"
                " letter to those who have copies is written. Copies elsewhere cannot be called back. Nothing is"
                " deleted."
            ).format(group),
            button(self.tr("Note the withdrawal"), lambda: self.withdraw(group), name="withdraw-yes", kind="danger"),
            button(self.tr("Go back"), self.asked.put_away, name="withdraw-no"),
        )

    def withdraw(self, group: str) -> None:
        """Note that a patient withdrew; what was shared, what to do now, and the letter stand on the page then."""
        if self.questions is None:
            return
        self.asked.put_away()
        try:
            noted, letter = withdrawing.withdraw(self.questions.opened, group, Register(), role=self.questions.role)
            self.questions.reload()
        except MedimgError as error:
            self._tell(error)
            self._show()
            return
        self._told = [("heading", noted[0]), ("", "\n".join(noted[1:]).strip())]
        if letter:
            self._told += [("heading", self.tr("The letter")), ("", "\n".join(letter))]
        self._show()

    def sheet(self, group: str) -> RecordSheet:
        """The record sheet of one patient."""
        assert self.questions is not None  # noqa: S101 - the callers looked
        q = self.questions
        whole = record.record_sheet(q.state, q.opened.reports, q.results)
        return msgspec.structs.replace(whole, groups=tuple(g for g in whole.groups if g.group == group))

    def summary(self, group: str) -> str:
        """The lines for one patient's notes."""
        assert self.questions is not None  # noqa: S101 - the callers looked
        return text.notes(self.sheet(group))

    # ------------------------------------------------------------------ showing

    def _show(self) -> None:
        if self.questions is None:
            return
        lying, lines = self._share(self.questions)
        lines = [*self._told, *lines]
        self._show_pictures(lying)
        for group, result in self.questions.results.items():
            released = len(self.questions.state.released_names(group) & lying)
            mark = {"answered": "✓", "open": "○", "stop": "■"}[result.overall]
            lines.append(("heading", self.tr("Patient {0}").format(group)))
            lines.append(("", f"{mark} {overall_words(result)}"))
            if released:
                lines.append(("", self.tr("✓ Pictures in the share folder: {0}").format(released)))
            elif self.questions.stop(group) is None:
                lines.append(("", self.tr("○ Not in the share folder yet")))
            else:
                lines.append(("", self.tr("✗ These pictures are not shared.")))
            kept = len(self.questions.opened.of(group)) - self.questions.copies(group)
            if kept:
                lines.append(("", self.tr("✗ Photos held: {0}. Why stands in the folder 'hold'.").format(kept)))
        lines += self._registered(self.questions)
        lines += [
            ("heading", self.tr("What is left to do")),
            ("", self.tr("Attach the pictures in the share folder and nothing else. This window sends nothing.")),
            (
                "",
                self.tr("The folder '{0}' stays with the patient's record. Do not share it.").format(RECORD_FOLDER),
            ),
            ("", self.tr("Your original photos were not changed. Nothing was deleted.")),
        ]
        self._fill(lines)

    def _show_pictures(self, lying: frozenset[str]) -> None:
        """Pictures of what lies in the share folder, made in a worker: the window reads no photo itself."""
        if self.questions is None:
            return
        folder = self.questions.opened.folder.resolve() / SHARE_FOLDER
        self.goes.show_files([folder / name for name in sorted(lying)])
        if self.session is None:
            return
        for report in self.questions.opened.reports:
            if report.copy is not None and report.copy.name in lying:
                self.session.far(report.safe_id, partial(self._pictured, report.copy.name))

    def _pictured(self, name: str, drawn: object) -> None:
        if isinstance(drawn, Drawn):
            self.goes.picture(name, icon_of(image_of(drawn)))

    def _registered(self, questions: Questions) -> list[tuple[str, str]]:
        """What the register of this computer says of this run."""
        try:
            entries = Register().entries(questions.state.run.tag)
        except MedimgError as error:
            return [("heading", self.tr("Register of this computer")), ("", "✗ " + said(error.what))]
        lines = [
            ("", f"{when(e.at)}: {as_words(e.event)}, {e.sharing.group}, {', '.join(e.sharing.copies)}".rstrip(", "))
            for e in entries
        ]
        return [("heading", self.tr("Register of this computer")), *lines] if lines else []

    def _share(self, questions: Questions) -> tuple[frozenset[str], list[tuple[str, str]]]:
        """The released copies that lie in the share folder, and what has to be said of the folder first."""
        try:
            share, trouble = questions.share()
        except MedimgError as error:
            return frozenset(), [("", "✗ " + said(error.what))]
        return share.lying, [("", "✗ " + line[:1].upper() + line[1:]) for line in trouble]

    def _fill(self, lines: list[tuple[str, str]]) -> None:
        content = QWidget(self.area)
        column = column_of(content)
        for kind, words in lines:
            column.addWidget(label(words, content, kind=kind))
        column.addStretch(1)
        swap(self.area, content)
        self._enable()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """The keyboard starts on what is done most."""
        super().showEvent(event)
        first = self.open_button if self.open_button.isEnabled() else self.back_button
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def _enable(self) -> None:
        q, group = self.questions, self.patient.currentText()
        several = self.patient.count() > 1
        self.patient.setVisible(several)
        self.patient_label.setVisible(several)
        on = q is not None and bool(group)
        self.copy_button.setEnabled(on)
        self.print_button.setEnabled(on)
        released = bool(q and group and q.state.released_names(group))
        self.withdraw_button.setEnabled(released and q is not None and not q.state.is_withdrawn(group))
        self.reopen_button.setEnabled(bool(q and group and q.state.released_names(group)))
        groups = [g for g in q.state.run.groups if not q.state.is_withdrawn(g)] if q else []
        self.open_button.setEnabled(bool(q and any(q.state.released_names(g) for g in groups)))

    def _tell(self, error: MedimgError) -> None:
        words = " ".join(x for x in (said(error.what), said(error.todo)) if x)
        say(self.banner, "✗ " + words[:1].upper() + words[1:])
