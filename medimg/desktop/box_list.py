"""The list beside the photo: everything that is marked in it, in words.

It is the way in for keyboard and screen reader, because the photo itself is one silent picture to them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem, QWidget
from shiboken6 import isValid

from medimg.desktop import wording
from medimg.desktop.box_items import warning_icon
from medimg.desktop.canvas import PEEK
from medimg.desktop.widgets import WholeWords
from medimg.types import Action

_INDEX = Qt.ItemDataRole.UserRole


class BoxList(QListWidget):
    """One line for each area: "1. face, covered". A tick means covered.

    Signals:
        picked: Place of the area in the plan, or -1.
        toggled: Place of an area that is to be covered or shown.
        deleted: Place of an area that is to be taken away.
    """

    picked = Signal(int)
    toggled = Signal(int)
    deleted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("boxes")
        self.setAccessibleName(self.tr("Areas in this photo"))
        self.setAccessibleDescription(self.tr("Space covers or shows the area."))
        self.setWordWrap(True)
        self.setItemDelegate(WholeWords(self))
        self.setResizeMode(QListView.ResizeMode.Adjust)  # words wrap anew when a bar takes its room
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # words wrap
        self.currentRowChanged.connect(self._chosen)
        self.itemChanged.connect(self._ticked)

    def index(self) -> int:
        """Place of the chosen area in the plan, or -1."""
        item = self.currentItem()
        return -1 if item is None else int(item.data(_INDEX))

    def fill(
        self, areas: Sequence[tuple[int, int, Action]], picked: int, *, middle: Collection[int] = (), page: str = ""
    ) -> None:
        """Show areas.

        Args:
            areas: Number, place in the plan, and action of each.
            picked: Which one is chosen, or -1.
            middle: Places of those whose cover touches the middle of the picture.
            page: How another page or frame of the file is named: "page {}"; empty when none is named.
        """
        sign = warning_icon(self.fontMetrics().height()) if middle else QIcon()
        with QSignalBlocker(self):
            # Lines are changed in their places: the tick of one of them may be what brought us here, and Qt is not
            # through with it yet.
            while self.count() > len(areas):
                self.takeItem(self.count() - 1)
            while self.count() < len(areas):
                self.addItem(QListWidgetItem())
            chosen = -1
            for row, (number, index, action) in enumerate(areas):
                words = wording.line(number, action)
                region = action.finding.region
                if page and region is not None and region.frame:
                    words += f" ({page.format(region.frame + 1)})"
                if index in middle:
                    words += f": {wording.middle()}"
                self.item(row).setIcon(sign if index in middle else QIcon())
                _write(self.item(row), words, index, action)
                chosen = row if index == picked else chosen
            self.setCurrentRow(chosen)

    def pick(self, index: int) -> None:
        """Choose an area by its place in the plan."""
        with QSignalBlocker(self):
            for row in range(self.count()):
                if self.item(row).data(_INDEX) == index:
                    self.setCurrentRow(row)
                    return
            self.setCurrentRow(-1)

    def _chosen(self, _row: int) -> None:
        if isValid(self):  # Qt says it once more while the list is taken apart
            self.picked.emit(self.index())

    def _ticked(self, item: QListWidgetItem) -> None:
        self.toggled.emit(int(item.data(_INDEX)))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Delete takes away what the person has marked."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.index() >= 0:
            self.deleted.emit(self.index())
            event.accept()
        elif event.key() == PEEK:
            event.ignore()  # the page's; here it would be a search for that letter
        else:
            super().keyPressEvent(event)


def _write(item: QListWidgetItem, words: str, index: int, action: Action) -> None:
    item.setText(words)
    item.setData(_INDEX, index)
    item.setData(Qt.ItemDataRole.AccessibleTextRole, words)
    item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, wording.explained(action))
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
    ticked = {"cover": Qt.CheckState.Checked, "keep": Qt.CheckState.Unchecked}
    item.setCheckState(ticked.get(action.do, Qt.CheckState.PartiallyChecked))
