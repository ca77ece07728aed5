"""One question on the checklist page: what is asked, what the checks say, the answers, the note."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from medimg.consent.answers import NOT_APPLICABLE
from medimg.desktop.pages._flow import FlowLayout
from medimg.desktop.pages.questions import Row
from medimg.words import tr

KEYS = {
    Qt.Key.Key_Y: "yes",
    Qt.Key.Key_N: "no",
    Qt.Key.Key_Question: "not-sure",
    Qt.Key.Key_A: NOT_APPLICABLE,
}
MARGINS = (20, 8, 20, 12)
"""Left, top, right and bottom of a page, in points."""
_SIZES = {"title": 1.7, "heading": 1.25}
WIDEST = 105
"""Letters in a line; longer lines are hard to read."""
NAMED = 4  # pictures that are named one by one in a heading


def label(text: str = "", parent: QWidget | None = None, *, kind: str = "") -> QLabel:
    """A label that wraps and can be read by a screen reader; ``kind`` is for the style sheet."""
    made = QLabel(text, parent)
    made.setWordWrap(True)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if kind:
        made.setProperty("kind", kind)
        font = made.font()
        font.setBold(kind in ("title", "heading", "question"))
        font.setPointSizeF(font.pointSizeF() * _SIZES.get(kind, 1.0))
        made.setFont(font)
    made.setVisible(bool(text))
    return made


def say(target: QLabel, text: str) -> None:
    """Change a label's text; an empty one takes no room."""
    target.setText(text)
    target.setVisible(bool(text))


def column_of(content: QWidget) -> QVBoxLayout:
    """A column of text on a page that scrolls, no wider than can be read."""
    letter = QFontMetrics(QApplication.font()).averageCharWidth()
    content.setMaximumWidth(WIDEST * letter)
    return QVBoxLayout(content)


def swap(area: QScrollArea, content: QWidget) -> None:
    """Show other content. The old one goes later: a key of one of its buttons may be what brought us here."""
    old = area.takeWidget()
    area.setWidget(content)
    content.setAutoFillBackground(False)  # one ground for the whole area, however wide the text may be
    if old is not None:
        old.setParent(area)
        old.hide()
        old.deleteLater()


class AnswerButton(QPushButton):
    """One possible answer. A row of them is one stop for the Tab key; arrow keys walk along it and choose nothing."""

    def __init__(self, choice: str, words: str, parent: QWidget) -> None:
        super().__init__(words, parent)
        self.choice, self.words = choice, words
        self._room = 0
        self.setAccessibleName(words)
        self.setCheckable(True)
        self.setAutoDefault(False)
        self.setProperty("kind", "answer")

    def mark(self, *, chosen: bool) -> None:
        """Show whether it is the answer that counts: by a tick, not by colour alone."""
        self.setChecked(chosen)
        self.fit(self._room)

    def fit(self, room: int) -> None:
        """Break the words into lines that are no wider than ``room``, in points; 0 for no limit."""
        self._room = room
        words = f"✓ {self.words}" if self.isChecked() else self.words
        metrics = self.fontMetrics()
        frame = super().sizeHint().width() - max(metrics.horizontalAdvance(x) for x in self.text().split("\n"))
        lines = [""]
        for word in words.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and room and metrics.horizontalAdvance(longer) + frame > room:
                lines.append(word)
            else:
                lines[-1] = longer
        self.setText("\n".join(lines))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter chooses as Space does; arrows go to the row."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down):
            event.ignore()
        else:
            super().keyPressEvent(event)


class AnswerRow(QWidget):
    """The answers to one question."""

    chosen = Signal(str)
    walk = Signal(int)

    def __init__(self, row: Row, parent: QWidget | None = None) -> None:
        self.buttons: list[AnswerButton] = []  # asked for as soon as the widget is made
        super().__init__(parent)
        flow = FlowLayout(self)
        for choice, words in row.ask.choices.items():
            button = AnswerButton(choice, words[:1].upper() + words[1:], self)
            button.setAccessibleDescription(row.ask.text)
            button.clicked.connect(self._clicked)
            flow.addWidget(button)
            self.buttons.append(button)
        policy = self.sizePolicy()
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.mark(row.chosen)

    def mark(self, chosen: str) -> None:
        """Show the answer that counts; the Tab key stops at it, or at the first."""
        at = next((n for n, b in enumerate(self.buttons) if b.choice == chosen), -1)
        for n, button in enumerate(self.buttons):
            button.mark(chosen=n == at)
            stop = n == max(at, 0)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus if stop else Qt.FocusPolicy.ClickFocus)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """A long answer goes on in a second line instead of being cut off."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Larger text has other line ends."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def _fit(self) -> None:
        for button in self.buttons:
            button.fit(self.width())

    def focus(self) -> None:
        """Put the keyboard here."""
        for button in self.buttons:
            if button.focusPolicy() == Qt.FocusPolicy.StrongFocus:
                button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _clicked(self) -> None:
        button = self.sender()
        if isinstance(button, AnswerButton):
            self.chosen.emit(button.choice)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Letters and numbers choose; left and right walk along the answers, up and down to the next question."""
        here = next((n for n, b in enumerate(self.buttons) if b.hasFocus()), 0)
        key = Qt.Key(event.key())
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            forward = (key == Qt.Key.Key_Right) != self.isRightToLeft()
            self.buttons[(here + (1 if forward else -1)) % len(self.buttons)].setFocus(Qt.FocusReason.TabFocusReason)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.walk.emit(1 if key == Qt.Key.Key_Down else -1)
        elif (choice := self._by_key(event)) is not None:
            self.chosen.emit(choice)
        else:
            super().keyPressEvent(event)

    def _by_key(self, event: QKeyEvent) -> str | None:
        """The answer of a key: letters for the common ones, numbers for the others, as on the terminal."""
        choices = [b.choice for b in self.buttons]
        letter = KEYS.get(Qt.Key(event.key()))
        if letter is not None:
            # Pressed where it is no answer, "does not apply" is refused in words instead of nothing happening.
            return letter if letter in choices or letter == NOT_APPLICABLE else None
        others = [c for c in choices if c not in KEYS.values()]
        typed = event.text()
        return others[int(typed) - 1] if typed.isdecimal() and 1 <= int(typed) <= len(others) else None


class QuestionCard(QFrame):
    """A question with its answers.

    Signals:
        answered: An answer was chosen.
        noted: A note was finished.
        split: Its pictures shall be answered one by one.
        walk: To the next (1) or the last (-1) question.
    """

    answered = Signal(object, str)
    noted = Signal(object, str)
    split = Signal(str)
    walk = Signal(object, int)

    def __init__(self, row: Row, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.row = row
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setProperty("kind", "card")
        self.setAccessibleName(row.ask.text)
        column = QVBoxLayout(self)
        self.tag, self.text = label(parent=self, kind="quiet"), label(row.ask.text, self, kind="question")
        self.help, self.checks = label(row.ask.help, self), label(parent=self)
        self.answers = AnswerRow(row, self)
        self.answers.setAccessibleName(row.ask.text)
        self.answers.chosen.connect(lambda choice: self.answered.emit(self.row, choice))
        self.answers.walk.connect(lambda step: self.walk.emit(self, step))
        self.own = QPushButton(self.tr("Answer it yourself"), self)
        self.own.setAccessibleDescription(row.ask.text)
        self.own.clicked.connect(self._own)
        self.note_label = label(self.tr("Note for the patient's record alone:"), self)
        self.note = QLineEdit(self)
        self.note.setAccessibleName(self.tr("Note for the patient's record alone"))
        self.note.setAccessibleDescription(row.ask.text)
        self.note_label.setBuddy(self.note)
        self.note.editingFinished.connect(lambda: self.noted.emit(self.row, self.note.text()))
        self.state = label(parent=self, kind="state")
        self.apart = QPushButton(self.tr("Answer picture by picture"), self)
        self.apart.setAccessibleDescription(row.ask.text)
        self.apart.clicked.connect(lambda: self.split.emit(self.row.ask.item))
        shown: tuple[QWidget, ...] = (self.tag, self.text, self.help, self.checks, self.answers, self.own)
        for widget in (*shown, self.note_label, self.note, self.state, self.apart):
            column.addWidget(widget)
        for button in (self.own, self.apart):
            column.setAlignment(button, Qt.AlignmentFlag.AlignLeft)
        self.show_row(row)

    def show_row(self, row: Row) -> None:
        """Show where the question stands now."""
        self.row = row
        level = (
            "" if row.ask.condition else self.tr("Needed before sharing") if row.needed else self.tr("To think about")
        )
        site = self.tr("set by your organisation") if row.set_by_site else ""
        say(self.tag, " · ".join(x for x in (level, site, self._about(row)) if x))
        say(self.checks, self.tr("The checks: {0}").format(row.ask.checks_say) if row.ask.checks_say else "")
        self.answers.mark(row.chosen)
        self.answers.setVisible(not row.by_site)
        self.own.setVisible(row.by_site)
        noted = row.ask.takes_note and bool(row.chosen) and not row.by_site
        self.note.setVisible(noted)
        self.note_label.setVisible(noted)
        if self.note.text() != row.note and not self.note.hasFocus():
            with QSignalBlocker(self.note):
                self.note.setText(row.note)
        say(self.state, self._state(row))
        self.apart.setVisible(row.apart)
        self.setAccessibleDescription(" ".join(x for x in (self.tag.text(), self.state.text()) if x))

    def refuse(self, why: str) -> None:
        """Say why an answer was not taken."""
        say(self.state, self.tr("✗ This cannot be chosen here: {0}").format(why))
        self.answers.mark(self.row.chosen)

    def focus(self) -> None:
        """Put the keyboard on the answers."""
        if self.row.by_site:
            self.own.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.answers.focus()

    def _own(self) -> None:
        self.answers.setVisible(True)
        self.own.setVisible(False)
        self.answers.focus()

    def _about(self, row: Row) -> str:
        """Which pictures a question is about."""
        subjects = row.ask.subjects
        if "-" not in subjects[0]:
            return ""
        return ", ".join(subjects) if len(subjects) <= NAMED else self.tr("{0} pictures").format(len(subjects))

    def _state(self, row: Row) -> str:
        until = self.tr("It counts until {0}.").format(row.valid_until) if row.valid_until else ""
        if row.by_site and row.state == "closed":
            return self.tr("✓ Your organisation has answered this: {0}.").format(row.ask.choices.get(row.chosen, ""))
        if row.ask.condition:
            return "" if row.chosen else self.tr("○ Not said yet")
        if row.state in ("closed", "not-applicable"):
            return " ".join(x for x in (self.tr("✓ Answered"), until) if x)
        if row.state == "failed" and row.needed:
            return self.tr("✗ This keeps the pictures back: {0}.").format(tr(row.why).rstrip("."))
        if row.state == "failed":
            return self.tr("! Think about this once more before you share.")
        if not row.chosen:
            return self.tr("○ Not answered yet")
        return self.tr("○ Still open: {0}.").format(tr(row.why).rstrip("."))


class LookedCard(QFrame):
    """*Opened at full size*, picture by picture: one list, so that two hundred pictures stay one control."""

    ticked = Signal(object, bool)
    walk = Signal(object, int)

    def __init__(self, rows: list[Row], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setProperty("kind", "card")
        ask = rows[0].ask
        self.setAccessibleName(ask.text)
        column = QVBoxLayout(self)
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("Pictures you have opened at full size"))
        self.list.setAccessibleDescription(self.tr("Press Space to tick a picture."))
        self.state = label(parent=self, kind="state")
        column.addWidget(label(self.tr("Needed before sharing"), self, kind="quiet"))
        column.addWidget(label(ask.text, self, kind="question"))
        column.addWidget(label(ask.help, self))
        column.addWidget(self.list)
        column.addWidget(self.state)
        self.rows: list[Row] = []
        self.show_rows(rows)
        self.list.itemChanged.connect(self._changed)

    def show_rows(self, rows: list[Row]) -> None:
        """Show which pictures were opened."""
        with QSignalBlocker(self.list):
            if [r.ask.subjects for r in rows] != [r.ask.subjects for r in self.rows]:
                self.list.clear()
                self.list.addItems([r.ask.subjects[0] for r in rows])
                line = self.list.sizeHintForRow(0) + 2
                self.list.setFixedHeight(line * min(len(rows), 8) + 2 * self.list.frameWidth() + 4)
            self.rows = rows
            for n, row in enumerate(rows):
                item = self.list.item(n)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                done = row.state in ("closed", "not-applicable")
                item.setCheckState(Qt.CheckState.Checked if done else Qt.CheckState.Unchecked)
        count = sum(r.state in ("closed", "not-applicable") for r in rows)
        mark = "✓" if count == len(rows) else "○"
        say(self.state, self.tr("{0} Opened at full size: {1} of {2}").format(mark, count, len(rows)))
        self.setAccessibleDescription(self.state.text())

    @property
    def row(self) -> Row:
        """The first row that waits, or the first."""
        return next((r for r in self.rows if r.state == "open"), self.rows[0])

    def focus(self) -> None:
        """Put the keyboard on the list."""
        if self.list.currentRow() < 0:
            self.list.setCurrentRow(0)
        self.list.setFocus(Qt.FocusReason.OtherFocusReason)

    def _changed(self, item: QListWidgetItem) -> None:
        self.ticked.emit(self.rows[self.list.row(item)], item.checkState() == Qt.CheckState.Checked)
