"""One part of the checklist: the questions about one patient, or those that are answered once for all."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from medimg.acts.answering import BATCH, EACH_FILE
from medimg.desktop.pages.cards import LookedCard, QuestionCard, column_of, label, swap
from medimg.desktop.pages.questions import Questions, Row, Section
from medimg.words import tr

Card = QuestionCard | LookedCard


class PartView(QScrollArea):
    """The cards of one part.

    Signals:
        answered: A row and the answer that was chosen.
        noted: A row and the note that was typed.
        typed: The field at the top: the person's role, or with whom the pictures are shared.
        split: An item that shall be answered picture by picture.
        built: Other questions are shown now.
    """

    answered = Signal(object, str)
    noted = Signal(object, str)
    typed = Signal(str)
    split = Signal(str)
    built = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cards: list[Card] = []
        self.field: QLineEdit | None = None
        self.part = BATCH
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(self.tr("Questions of this part"))

    def clear(self) -> None:
        """Show nothing."""
        self.cards, self.field = [], None
        swap(self, QWidget(self))

    def show_part(self, questions: Questions, part: str) -> None:
        """Show a part from its top."""
        self.part = part
        self._fill(questions, questions.sections(part))
        self.verticalScrollBar().setValue(0)

    def refresh(self, questions: Questions) -> None:
        """Show the part as it stands now. Cards that stay are updated, so that eye and keyboard stay too."""
        sections = questions.sections(self.part)
        if [r.key for s in sections for r in s.rows] != [r.key for c in self.cards for r in _rows(c)]:
            self._rebuild(questions, sections)
            return
        rows = {r.key: r for s in sections for r in s.rows}
        for card in self.cards:
            if isinstance(card, LookedCard):
                card.show_rows([rows[r.key] for r in card.rows])
            else:
                card.show_row(rows[card.row.key])

    def note_of(self, row: Row) -> str:
        """The note as it stands in its field, saved or not."""
        for card in self.cards:
            if isinstance(card, QuestionCard) and card.row.key == row.key and not card.note.isHidden():
                return card.note.text()
        return row.note

    def refuse(self, row: Row, why: str) -> None:
        """Say at the question why an answer was not taken."""
        for card in self.cards:
            if isinstance(card, QuestionCard) and card.row.key == row.key:
                card.refuse(why)

    # ------------------------------------------------------------------ keyboard

    def focus_first(self) -> None:
        """Put the keyboard on the first question."""
        if self.cards:
            self._go_to(self.cards[0])

    def focus_waiting(self) -> bool:
        """Put the keyboard on the next question that waits, round the corner too; whether there is one."""
        here = next((n for n, c in enumerate(self.cards) if _holds(c, QApplication.focusWidget())), -1)
        for card in (*self.cards[here + 1 :], *self.cards[: here + 1]):
            if _waits(card.row):
                self._go_to(card)
                return True
        return False

    def _walk(self, card: Card, step: int) -> None:
        at = self.cards.index(card) + step
        if 0 <= at < len(self.cards):
            self._go_to(self.cards[at])

    def _go_to(self, card: Card) -> None:
        card.focus()
        self.ensureWidgetVisible(card, 0, 40)
        focused = QApplication.focusWidget()
        if focused is not None and _holds(card, focused):
            self.ensureWidgetVisible(focused, 0, 40)  # a card may be taller than what is shown

    # ------------------------------------------------------------------ building

    def _rebuild(self, questions: Questions, sections: list[Section]) -> None:
        focused = QApplication.focusWidget()
        here = next((c.row.key for c in self.cards if _holds(c, focused)), None)
        place = self.verticalScrollBar().value()
        self._fill(questions, sections)
        QApplication.sendPostedEvents(self.widget(), QEvent.Type.LayoutRequest)  # its height is known from now on
        self.verticalScrollBar().setValue(place)
        if here is not None:
            same = [c for c in self.cards if c.row.key == here] or [c for c in self.cards if c.row.key[0] == here[0]]
            if same:
                self._go_to(same[0])

    def _fill(self, questions: Questions, sections: list[Section]) -> None:
        content = QWidget(self)
        column = column_of(content)
        self.cards = []
        self._head(questions, column, content)
        for section in sections:
            if section.rows:
                column.addWidget(label(section.title, content, kind="heading"))
            for card in self._section(section, content):
                column.addWidget(card)
                self.cards.append(card)
        if self.part != BATCH:
            self._checks(questions, column, content)
        column.addStretch(1)
        swap(self, content)
        self.built.emit()

    def _head(self, questions: Questions, column: QVBoxLayout, content: QWidget) -> None:
        if self.part == BATCH:
            words = self.tr("These answers hold for every patient of this run.")
            field_words, text = self.tr("Your role (not your name):"), questions.role
        else:
            words = self.tr("{0} is one patient. Covered pictures: {1}.").format(self.part, questions.copies(self.part))
            field_words = self.tr("With whom will it be shared? For the patient's record alone:")
            text = questions.state.recipients.get(self.part, "")
        field = QLineEdit(text, content)
        field.setAccessibleName(field_words.rstrip(":"))
        field.editingFinished.connect(lambda: self.typed.emit(field.text()))
        for widget in (label(words, content), label(field_words, content), field):
            column.addWidget(widget)
        self.field = field

    def _section(self, section: Section, content: QWidget) -> list[Card]:
        looked = [r for r in section.rows if r.ask.item == EACH_FILE]
        cards: list[Card] = []
        for row in section.rows:
            if row.ask.item != EACH_FILE:
                cards.append(self._question(row, content))
            elif row is looked[0]:
                cards.append(self._looked(looked, content))
        return cards

    def _question(self, row: Row, content: QWidget) -> QuestionCard:
        card = QuestionCard(row, content)
        card.answered.connect(self.answered)
        card.noted.connect(self.noted)
        card.split.connect(self.split)
        card.walk.connect(self._walk)
        return card

    def _looked(self, rows: list[Row], content: QWidget) -> LookedCard:
        card = LookedCard(rows, content)
        card.ticked.connect(lambda row, on: self.answered.emit(row, "yes" if on else "not-sure"))
        return card

    def _checks(self, questions: Questions, column: QVBoxLayout, content: QWidget) -> None:
        """What the checks answer by themselves: shown, not asked."""
        standings = questions.checks(self.part)
        if not standings:
            return
        column.addWidget(label(self.tr("Answered by the checks of the written copies"), content, kind="heading"))
        marks = {"closed": self.tr("✓ Yes"), "failed": self.tr("✗ No")}
        for s in standings:
            mark = marks.get(s.state, self.tr("○ Open"))
            column.addWidget(label(f"{mark}: {s.question.item.ask} ({tr(s.why)})", content))


def _rows(card: Card) -> list[Row]:
    return card.rows if isinstance(card, LookedCard) else [card.row]


def _holds(card: Card, widget: QWidget | None) -> bool:
    return widget is not None and card.isAncestorOf(widget)


def _waits(row: Row) -> bool:
    return row.needed and row.state in ("open", "failed") and not row.by_site
