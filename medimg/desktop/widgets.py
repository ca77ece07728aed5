"""Small parts the pages share."""

from __future__ import annotations

import re
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from medimg.desktop.icons import IconButton


class Words(QLabel):
    """Words that wrap; within a long one too, such as a path or what somebody typed, which would widen the window."""

    def setText(self, text: str) -> None:  # noqa: N802 - Qt's name
        """Show a text, with places in its long words where a line may end."""
        super().setText(_LONG.sub(lambda word: _BREAK.join(_PIECES.findall(word[0])), text))

    def text(self) -> str:
        """The text as it was given."""
        return super().text().replace(_BREAK, "")


_BREAK = "\u200b"  # zero width space
_LONG, _PIECES = re.compile(r"\S{25,}"), re.compile(r".{1,12}")


def label(text: str = "", kind: str = "", name: str = "") -> Words:
    """Words that wrap. ``kind`` as in :mod:`medimg.desktop.theme`; ``name`` is the object's name."""
    made = Words()
    made.setText(text)
    made.setWordWrap(True)
    made.setTextFormat(Qt.TextFormat.PlainText)  # words of a run are never read as markup
    made.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
    if kind:
        made.setProperty("kind", kind)
    made.setObjectName(name)
    made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return made


def button(
    text: str,
    pressed: Callable[[], object] | None = None,
    *,
    name: str,
    kind: str = "",
    key: str = "",
    hint: str = "",
    drawing: str = "",
) -> QPushButton:
    """A button that can be reached by keyboard and says its key.

    Args:
        text: What stands on it.
        pressed: What it does; :func:`does_it` says it later.
        name: The object's name.
        kind: As in :mod:`medimg.desktop.theme`.
        key: A key that does the same, shown in the hint.
        hint: More words, for the mouse and for screen readers.
        drawing: Of :mod:`medimg.desktop.icons`: it stands on the button, and the text in its hint.
    """
    made = IconButton(drawing) if drawing else QPushButton(text)
    made.setObjectName(name)
    made.setAutoDefault(True)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    if kind:
        made.setProperty("kind", kind)
    made.setAccessibleName(text.replace("&", ""))
    made.setAccessibleDescription(hint)
    if key:
        # A button's own shortcut clicks a tenth of a second later, and is deaf meanwhile.
        QShortcut(QKeySequence(key), made, made.click)
    shown = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) if key else ""
    said = f"{text}." if drawing and hint else text if drawing else ""
    made.setToolTip(" ".join(x for x in (said, hint, f"[{shown}]" if shown else "") if x))
    made.setProperty("key", shown)
    if pressed is not None:
        does_it(made, pressed)
    return made


def does_it(made: QPushButton, pressed: Callable[[], object]) -> None:
    """Say what a button does."""
    made.clicked.connect(lambda: pressed())


def rename(made: QPushButton, text: str) -> None:
    """Give a button other words, on the screen and for screen readers."""
    made.setText(text)
    made.setAccessibleName(text.replace("&", ""))


def named(text: str, box: QWidget) -> QLabel:
    """The name that stands before a choice or a field; long choices do not make the window wide."""
    name = QLabel(text)
    name.setBuddy(box)
    if not box.accessibleName():
        box.setAccessibleName(text.replace("&", ""))
    if isinstance(box, QComboBox):
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(16)
    return name


class WholeWords(QStyledItemDelegate):
    """Lines of a list as high as their words need.

    Qt reckons without the tick and the padding that the words are drawn beside: those that are a little too long for
    that room would end with three dots.
    """

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(  # noqa: N802 - Qt's name
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """The size with all words, at the width of the list."""
        made, style = QStyleOptionViewItem(option), self._view.style()
        self.initStyleOption(made, index)
        made.rect = QRect(0, 0, 100_000, 1)
        one = super().sizeHint(made, index)
        made.rect = QRect(0, 0, self._view.viewport().width(), one.height())
        beside = 2 * (style.pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin, made, self._view) + 1)
        room = style.subElementRect(QStyle.SubElement.SE_ItemViewItemText, made, self._view).width() - beside
        words = made.fontMetrics.boundingRect(0, 0, room, 100_000, Qt.TextFlag.TextWordWrap, made.text)
        return QSize(made.rect.width(), one.height() + max(0, words.height() - made.fontMetrics.height()))


class Banner(QFrame):
    """A message that stays until it is put away; hidden when there is none. Said to screen readers as it appears."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("kind", "alert")
        self.words = label(name=f"{name}-words")
        self._row = QHBoxLayout(self)
        self._row.addWidget(self.words, 1)
        self._buttons: list[QPushButton] = []
        self.hide()

    def say(self, text: str, *buttons: QPushButton) -> None:
        """Show a message with what can be done about it."""
        self._clear()
        self.words.setText(text)
        self.words.setAccessibleName(text)
        for made in buttons:
            self._row.addWidget(made)
            self._buttons.append(made)
        self.show()

    def first(self) -> None:
        """The keyboard goes on at its first button."""
        self._buttons[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def put_away(self) -> None:
        """Hide it."""
        self._clear()
        self.hide()

    def text(self) -> str:
        """What it says; empty when it is hidden."""
        return "" if self.isHidden() else self.words.text()

    def _clear(self) -> None:
        for made in self._buttons:
            self._row.removeWidget(made)
            made.hide()
            made.deleteLater()
        self._buttons = []


def copy_details(words: str) -> QPushButton:
    """A button that puts the details of a fault on the clipboard, for a help desk."""
    text = QCoreApplication.translate("widgets", "Copy details")
    hint = QCoreApplication.translate("widgets", "Version and code of the fault: no names, no pictures.")
    return button(text, lambda: QGuiApplication.clipboard().setText(words), name="copy-details", hint=hint)


def restyle(widget: QWidget) -> None:
    """Have a widget drawn by its properties as they are now."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)
