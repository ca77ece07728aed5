"""The last look before release: who will see it, that copies cannot be called back, whom to call."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from medimg import words
from medimg.consent.advice import panel
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.incident import clocks
from medimg.desktop.pages.cards import MARGINS, column_of, label, swap
from medimg.desktop.pages.questions import Questions
from medimg.report.build import audience_words
from medimg.report.words import REMAINING_RISK, incident


class ReleaseView(QWidget):
    """Shows what a release means and asks once more.

    Signals:
        confirmed: The groups to be released.
        cancelled: Nothing is released.
    """

    confirmed = Signal(list)
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = label(self.tr("Last look before release"), self, kind="title")
        self.area = QScrollArea(self)
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setAccessibleName(self.tr("What a release means"))
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("Patients to release"))
        self.list.setAccessibleDescription(self.tr("Press Space to leave a patient out."))
        self.list.itemChanged.connect(self._count)
        self.cancel_button = QPushButton(self.tr("&Go back"), self)
        self.cancel_button.setAccessibleName(self.tr("Go back, release nothing"))
        self.cancel_button.setDefault(True)
        self.cancel_button.clicked.connect(self.cancelled)
        self.confirm_button = QPushButton(self)
        self.confirm_button.setAutoDefault(False)
        self.confirm_button.clicked.connect(self._confirm)
        row = QHBoxLayout()
        row.addWidget(self.cancel_button)
        row.addStretch(1)
        row.addWidget(self.confirm_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(*MARGINS)
        column.addWidget(self.title)
        column.addWidget(self.area, 1)
        column.addLayout(row)
        self._count()

    def show_run(self, questions: Questions) -> None:
        """Show what can be released now."""
        self.list.setParent(self)  # the old content goes, the list stays
        content = QWidget(self.area)
        column = column_of(content)
        for kind, text in self._words(questions):
            column.addWidget(label(text, content, kind=kind))
        column.addWidget(label(self.tr("To be released. Take out the tick of a patient to leave them out:"), content))
        self.list.blockSignals(True)
        self.list.clear()
        for group in questions.ready():
            with_whom = questions.state.recipients.get(group, "") or self.tr("not written down yet")
            words = self.tr("{0}. Pictures: {1}. With: {2}").format(group, questions.copies(group), with_whom)
            item = QListWidgetItem(words, self.list)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked)
            item.setData(Qt.ItemDataRole.UserRole, group)
        self.list.blockSignals(False)
        line = max(self.list.sizeHintForRow(0), 1) + 2
        self.list.setFixedHeight(line * min(max(self.list.count(), 1), 6) + 8)
        column.addWidget(self.list)
        self.list.show()
        column.addStretch(1)
        swap(self.area, content)
        QWidget.setTabOrder(self.list, self.cancel_button)
        QWidget.setTabOrder(self.cancel_button, self.confirm_button)
        self._count()

    def focus(self) -> None:
        """The keyboard starts on the way back."""
        self.cancel_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def groups(self) -> list[str]:
        """The groups that are ticked."""
        items = [self.list.item(n) for n in range(self.list.count())]
        return [str(i.data(Qt.ItemDataRole.UserRole)) for i in items if i.checkState() == Qt.CheckState.Checked]

    def _words(self, questions: Questions) -> list[tuple[str, str]]:
        state, site = questions.state, questions.state.run.site
        countries = [ChecklistDefinition.load().jurisdictions[c] for c in state.context.jurisdictions]
        out = [
            ("heading", self.tr("Who will see it")),
            ("", _sentence(audience_words(state.context.audience))),
            ("", self.tr("Countries: {0}.").format(", ".join(countries) or self.tr("none was named"))),
            ("heading", self.tr("It cannot be taken back")),
            ("", words.tr(REMAINING_RISK)),
            ("", self.tr("If in doubt, leave it out.")),
            ("heading", self.tr("If a picture reaches the wrong person")),
            ("", incident()[0]),
            *(("", line) for line in clocks(state.context.jurisdictions, ChecklistDefinition.load().jurisdictions)),
        ]
        contacts = site.contacts.lines() if site else []
        if contacts:
            out.append(("", self.tr("Your organisation's contacts:")))
            out += [("question", f"{_sentence(who)[:-1]}: {how}") for who, how in contacts]
        else:
            out.append(("", self.tr("Your organisation has set no contact here. Ask who it is before you share.")))
        out.append(("heading", self.tr("What happens now")))
        out.append(
            (
                "",
                self.tr("The pictures move into the folder 'share'. Nothing is sent. You attach that folder yourself."),
            )
        )
        out.append(("heading", self.tr("Share it well")))
        out += [("", line) for line in panel(state.context.audience)]
        waiting = [g for g in questions.state.run.groups if g not in questions.ready()]
        if waiting:
            out.append(("", self.tr("Not part of this release: {0}.").format(", ".join(waiting))))
        return out

    def _count(self) -> None:
        groups = self.groups()
        words = self.tr("&Release {0}").format(", ".join(groups) if len(groups) <= 4 else self.tr("{0} patients"))
        words = words.format(len(groups)) if len(groups) > 4 else words
        self.confirm_button.setText(words if groups else self.tr("&Release"))
        self.confirm_button.setAccessibleName(self.confirm_button.text().replace("&", ""))
        self.confirm_button.setEnabled(bool(groups))

    def _confirm(self) -> None:
        self.confirmed.emit(self.groups())


def _sentence(text: str) -> str:
    text = text.strip().rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."
