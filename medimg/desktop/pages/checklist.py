"""The checklist page: one part for each patient, one for all; every answer is saved as it is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from medimg.acts.answering import BATCH
from medimg.desktop.pages._flow import FlowLayout
from medimg.desktop.pages._part import PartView
from medimg.desktop.pages._release import ReleaseView
from medimg.desktop.pages.cards import MARGINS, label, say
from medimg.desktop.pages.questions import Questions, Row, StopKind
from medimg.errors import MedimgError, UsageError
from medimg.words import said


class ChecklistPage(QWidget):
    """The questions of a run.

    Signals:
        finished: Something was released, or the person goes on later. What was said is saved either way.
        stopped: A group came to a stop; its key.
        back: To the pictures.
    """

    finished = Signal()
    stopped = Signal(str)
    back = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.questions: Questions | None = None
        self._told: set[tuple[str, StopKind]] = set()
        self.stack = QStackedWidget(self)
        self.release_view = ReleaseView(self)
        self.release_view.cancelled.connect(self._show_questions)
        self.release_view.confirmed.connect(self._release)
        self.stack.addWidget(self._build())
        self.stack.addWidget(self.release_view)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.stack)

    def _build(self) -> QWidget:
        page = QWidget(self)
        self.title = label(self.tr("Questions before sharing"), page, kind="title")
        self.intro = label(
            self.tr(
                "Every answer is saved at once; go on whenever you like. Keys: Y yes, N no, ? not sure, A does not"
                " apply, arrows move, Ctrl+Enter next open question."
            ),
            page,
        )
        self.progress_words = label(self.tr("No run is open."), page, kind="heading")
        self.progress_words.setWordWrap(False)
        self.bar = QProgressBar(page)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Needed answers given"))
        self.banner = label(parent=page, kind="alert")
        self.parts = QListWidget(page)
        self.parts.setAccessibleName(self.tr("Parts of the checklist"))
        self.parts.setWordWrap(True)
        self.parts.setSpacing(3)
        self.parts.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.parts.currentRowChanged.connect(self._part_changed)
        self.view = PartView(page)
        self.view.answered.connect(self._answered)
        self.view.noted.connect(self._noted)
        self.view.typed.connect(self._typed)
        self.view.split.connect(self._split)
        self.view.built.connect(self._tab_order)
        middle = QHBoxLayout()
        middle.addWidget(self.parts, 1)
        middle.addWidget(self.view, 4)
        self.back_button = self._button(self.tr("&Back to the pictures"), self._go_back)
        self.later_button = self._button(self.tr("&Finish later"), self._finish)
        self.next_button = self._button(self.tr("Next &open question"), self.next_open)
        self.release_button = self._button(self.tr("&Release…"), self._last_look)
        row = FlowLayout()
        for button in (self.back_button, self.later_button, self.next_button, self.release_button):
            row.addWidget(button)
        for key, do in (
            ("Ctrl+Return", self.next_open),
            ("Ctrl+PgDown", lambda: self._turn(1)),
            ("Ctrl+PgUp", lambda: self._turn(-1)),
        ):
            QShortcut(QKeySequence(key), page).activated.connect(do)
        far = QHBoxLayout()
        far.addWidget(self.progress_words)
        far.addWidget(self.bar, 1)
        column = QVBoxLayout(page)
        column.setContentsMargins(*MARGINS)
        column.addWidget(self.title)
        column.addWidget(self.intro)
        column.addLayout(far)
        column.addWidget(self.banner)
        column.addLayout(middle, 1)
        column.addLayout(row)
        return page

    def _button(self, words: str, do: Callable[[], None]) -> QPushButton:
        button = QPushButton(words, self)
        button.setAccessibleName(words.replace("&", ""))
        button.clicked.connect(do)
        return button

    # ------------------------------------------------------------------ opening

    def open_run(self, run: Path) -> None:
        """Show the questions of a run folder, from what was answered before, by whatever means.

        Args:
            run: The run folder, or the folder it lies in.
        """
        before, part = self.questions, self.part
        self.questions = None
        self._show_questions()
        try:
            self.questions = Questions(run)
        except MedimgError as error:
            self._told.clear()
            self.view.clear()
            self.parts.clear()
            self._tell(error)
            self._enable()
            return
        say(self.banner, "")
        same = before is not None and before.opened.folder == self.questions.opened.folder
        if before is not None and same:
            self.questions.role, self.questions.by_picture = before.role, before.by_picture
        else:
            self._told.clear()
        with QSignalBlocker(self.parts):
            self.parts.clear()
            for subject in self.questions.subjects:
                item = QListWidgetItem(self.parts)
                item.setData(Qt.ItemDataRole.UserRole, subject)
        self._counts()
        self.parts.setCurrentRow(self.questions.subjects.index(part) if same else 0)
        # A run that is at a stop says so at once. Coming back from that page must not lead to it again.
        QTimer.singleShot(0, self, self._stops)

    @property
    def part(self) -> str:
        """The part that is shown: a group, or ``batch``."""
        item = self.parts.currentItem()
        return str(item.data(Qt.ItemDataRole.UserRole)) if item is not None else BATCH

    def _part_changed(self, row: int) -> None:
        if self.questions is None or row < 0:
            return
        self.view.show_part(self.questions, self.part)

    def _turn(self, step: int) -> None:
        row = self.parts.currentRow() + step
        if 0 <= row < self.parts.count():
            self.parts.setCurrentRow(row)
            self.view.focus_first()

    # ------------------------------------------------------------------ showing

    def _tab_order(self) -> None:
        """The Tab key goes from the parts to the questions and only then to the buttons below them."""
        last: QWidget = self.view
        content = self.view.widget()
        for widget in content.findChildren(QWidget) if content is not None else ():
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
                last = widget
        for button in (self.back_button, self.later_button, self.next_button, self.release_button):
            QWidget.setTabOrder(last, button)
            last = button

    def _refresh(self) -> None:
        """Show the part as it stands after an answer; what is asked may have changed with it."""
        if self.questions is not None:
            self.view.refresh(self.questions)
            self._counts()

    def _counts(self) -> None:
        if self.questions is None:
            return
        given, needed = self.questions.progress()
        say(self.progress_words, self.tr("{0} of {1} needed answers given").format(given, needed))
        self.bar.setRange(0, max(needed, 1))
        self.bar.setValue(given)
        self.bar.setAccessibleDescription(self.progress_words.text())
        ready = set(self.questions.ready())
        for n in range(self.parts.count()):
            item = self.parts.item(n)
            item.setText(self._part_words(str(item.data(Qt.ItemDataRole.UserRole)), ready))
        self._enable()

    def _part_words(self, subject: str, ready: set[str]) -> str:
        assert self.questions is not None  # noqa: S101 - the caller looked
        name = self.tr("For all patients") if subject == BATCH else self.tr("Patient {0}").format(subject)
        given, needed = self.questions.progress(subject)
        if subject != BATCH and self.questions.stop(subject):
            return self.tr("{0}\n✗ Stop").format(name)
        if subject != BATCH and self.questions.results[subject].overall == "answered":
            done = subject not in ready and self.questions.state.released_names(subject)
            return (self.tr("{0}\n✓ In the share folder") if done else self.tr("{0}\n✓ Answered")).format(name)
        if given == needed:
            return self.tr("{0}\n✓ {1} of {2}").format(name, given, needed)
        return self.tr("{0}\n○ {1} of {2}").format(name, given, needed)

    def _enable(self) -> None:
        on = self.questions is not None
        for widget in (self.parts, self.next_button, self.view):
            widget.setEnabled(on)
        self.release_button.setEnabled(bool(self.questions and self.questions.ready()))

    def _tell(self, error: MedimgError) -> None:
        """Say what went wrong in words, without a code."""
        text = " ".join(x for x in (said(error.what), said(error.todo)) if x)
        say(self.banner, "✗ " + text[:1].upper() + text[1:])

    # ------------------------------------------------------------------ answering

    def _try(self, do: Callable[[Questions], None]) -> bool:
        """Keep something; when that fails, say so and show what is really kept."""
        if self.questions is None:
            return False
        try:
            do(self.questions)
        except MedimgError as error:
            if isinstance(error, UsageError):
                try:
                    self.questions.reload()
                except MedimgError as worse:
                    error = worse
            self._tell(error)
            self._refresh()
            return False
        say(self.banner, "")
        return True

    def _answered(self, row: Row, choice: str) -> None:
        if self.questions is None:
            return
        refused = self.questions.refused(row.ask, choice)
        if refused:
            self.view.refuse(row, refused)
        elif self._try(lambda q: q.answer(row.ask, choice, self.view.note_of(row))):
            self._refresh()
            self._stops()

    def _noted(self, row: Row, text: str) -> None:
        if row.chosen and self._try(lambda q: q.note(row, text)):
            self._refresh()

    def _typed(self, text: str) -> None:
        if self.questions is None:
            return
        if self.part == BATCH:
            self.questions.role = text.strip()
        else:
            part = self.part
            self._try(lambda q: q.recipients(part, text))

    def _split(self, item: str) -> None:
        if self.questions is not None:
            self.questions.by_picture.add(item)
            self._refresh()

    def _stops(self) -> None:
        """A full page for a group that came to a stop by this answer."""
        if self.questions is None:
            return
        now = {(g, s.kind) for g in self.questions.state.run.groups if (s := self.questions.stop(g))}
        new = sorted(now - self._told)
        self._told = (self._told & now) | set(new[:1])  # another patient is told when this page is closed
        if new:
            self.stopped.emit(new[0][0])

    # ------------------------------------------------------------------ moving

    def next_open(self) -> None:
        """Go to the next question that waits: in this part, then in the others; needed ones before the rest."""
        if self.questions is None:
            return
        if self.view.focus_waiting():
            return
        count, at = self.parts.count(), self.parts.currentRow()
        for row in ((at + n) % count for n in range(1, count)):
            given, needed = self.questions.progress(str(self.parts.item(row).data(Qt.ItemDataRole.UserRole)))
            if given < needed:
                self.parts.setCurrentRow(row)
                self.view.focus_waiting()
                return
        say(self.banner, self.tr("✓ No needed answer is missing."))

    def _show_questions(self) -> None:
        self.stack.setCurrentIndex(0)

    def _last_look(self) -> None:
        if self.questions is not None and self._write():
            self.release_view.show_run(self.questions)
            self.stack.setCurrentWidget(self.release_view)
            self.release_view.focus()

    def _release(self, groups: list[str]) -> None:
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
        try:
            done = self._try(lambda q: q.release(groups))
        finally:
            QApplication.restoreOverrideCursor()
        self._show_questions()
        if done:
            self._refresh()
            self.finished.emit()

    def _write(self) -> bool:
        return self._try(lambda q: q.write_sheets())

    def _go_back(self) -> None:
        self._write()
        self.back.emit()

    def _finish(self) -> None:
        if self._write() or self.questions is None:
            self.finished.emit()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """The keyboard starts on the parts; Down and Tab lead to the questions."""
        super().showEvent(event)
        self.parts.setFocus(Qt.FocusReason.OtherFocusReason)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Write the sheets when the page is left in whatever way; the answers themselves are saved already."""
        if not event.spontaneous():
            self._write()
        super().hideEvent(event)
