"""Pictures of what lies in the share folder, to be dragged into another program."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QSize, Qt, QUrl
from PySide6.QtGui import QDrag, QIcon
from PySide6.QtWidgets import QAbstractItemView, QListView, QListWidget, QListWidgetItem, QSizePolicy, QWidget

from medimg.desktop import theme

_PATH = Qt.ItemDataRole.UserRole
_SIDE = 96


class Goes(QListWidget):
    """The released copies. What is dragged out is a copy: the files stay."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("goes")
        self.setAccessibleName(self.tr("Pictures in the share folder"))
        self.setAccessibleDescription(self.tr("Drag them into the message, or attach them from the folder."))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListView.Movement.Static)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragEnabled(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_files(self, paths: list[Path]) -> None:
        """Show these files; their pictures follow with :meth:`picture`."""
        self.clear()
        side, metrics = round(_SIDE * min(theme.scale(), 1.3)), self.fontMetrics()
        self.setIconSize(QSize(side, side))
        across = max(side, metrics.horizontalAdvance("P01-001.jpeg")) + 2 * metrics.averageCharWidth() + 16
        self.setGridSize(QSize(across, side + metrics.lineSpacing() + 12))
        self.setFixedHeight(side + metrics.lineSpacing() + 24 + self.horizontalScrollBar().sizeHint().height())
        for path in paths:
            item = QListWidgetItem(path.name)
            item.setData(_PATH, str(path))
            self.addItem(item)
        self.setVisible(bool(paths))

    def picture(self, name: str, icon: QIcon) -> None:
        """Show the picture of a file."""
        for row in range(self.count()):
            if self.item(row).text() == name:
                self.item(row).setIcon(icon)

    def dragged(self) -> QMimeData:
        """What a drag hands out: the chosen files, by their places."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(item.data(_PATH)) for item in self.selectedItems()])
        return data

    def startDrag(self, _actions: Qt.DropAction) -> None:  # noqa: N802 - Qt's name
        """Hand the files out, as copies: nothing is moved away."""
        if self.selectedItems():
            drag = QDrag(self)
            drag.setMimeData(self.dragged())
            drag.exec(Qt.DropAction.CopyAction)
