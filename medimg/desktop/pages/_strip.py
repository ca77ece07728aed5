"""The photos of the run in a strip below the one that is shown, and how the state of each is marked."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QResizeEvent
from PySide6.QtWidgets import QApplication, QListView, QListWidget, QListWidgetItem, QSizePolicy, QWidget

from medimg.desktop import theme
from medimg.desktop.session import Session

_ID = Qt.ItemDataRole.UserRole
_SIDE = 56


def mark(session: Session, safe_id: str) -> tuple[str, str]:
    """The sign of where a photo stands, and the words for it."""
    tr = QCoreApplication.translate
    if safe_id in session.making:
        return "…", tr("strip", "being made again")
    if safe_id in session.again:
        return "!", tr("strip", "look again")
    if safe_id in session.looked:
        return "✓", tr("strip", "looked at")
    if session.report(safe_id).copy is None:
        return "!", tr("strip", "held")
    return "○", tr("strip", "to look at")


class Strip(QListWidget):
    """Small pictures in a row.

    Signals:
        chosen: Safe id of a photo to be shown.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self.setAccessibleName(self.tr("Photos of this run"))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setMovement(QListView.Movement.Static)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._items: dict[str, QListWidgetItem] = {}
        for signal in (self.itemActivated, self.itemClicked):
            signal.connect(lambda item: self.chosen.emit(item.data(_ID)))

    def open_session(self, session: Session) -> None:
        """Have a place for each photo."""
        self.clear()
        self._items = {}
        for safe_id in session.order:
            item = QListWidgetItem()
            item.setData(_ID, safe_id)
            item.setTextAlignment(Qt.AlignmentFlag.AlignHCenter)
            self.addItem(item)
            self._items[safe_id] = item
            self.show_one(session, safe_id)
        self.fit()

    def fit(self) -> None:
        """Give each photo the room that its words need."""
        side, metrics = round(_SIDE * min(theme.scale(), 1.3)), self.fontMetrics()
        self.setIconSize(QSize(side, side))
        across = max(side, metrics.horizontalAdvance("! P01-0011")) + 2 * metrics.averageCharWidth() + 16
        self.setGridSize(QSize(across, side + metrics.lineSpacing() + 12))
        high = side + metrics.lineSpacing() + 20
        scrolls = self.count() * across > self.viewport().width()
        self.setFixedHeight(high + (self.horizontalScrollBar().sizeHint().height() if scrolls else 0))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """As high as is needed, with or without a bar."""
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()

    def show_one(self, session: Session, safe_id: str) -> None:
        """Say where a photo stands now."""
        item = self._items.get(safe_id)
        if item is None:
            return
        sign, words = mark(session, safe_id)
        item.setText(f"{sign} {safe_id}")
        item.setToolTip(words)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{safe_id}: {words}")
        app = QApplication.instance()
        if isinstance(app, QApplication):
            c = theme.colours(app, app.property("medimg-scheme") or "system")
            item.setForeground(QColor({"✓": c.good, "!": c.alert}.get(sign, c.text)))

    def picture(self, safe_id: str, icon: QIcon) -> None:
        """Show the small picture of a copy."""
        item = self._items.get(safe_id)
        if item is not None:
            item.setIcon(icon)

    def at(self, safe_id: str) -> None:
        """Mark the photo that is shown."""
        with QSignalBlocker(self):
            self.setCurrentItem(self._items[safe_id])
