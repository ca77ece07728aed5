"""Pages that need no more room than the one that is shown, and a window that scrolls where that does not fit.

Qt's own stack is as high as its highest page, and a window cannot be made lower than that: on a small screen with
large text its lower edge would lie outside.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


def least(widget: QWidget, width: int) -> int:
    """The least height of a widget at a width, in pixels, so that nothing in it is cut off."""
    layout = widget.layout()
    if layout is None:
        return max(widget.heightForWidth(width), widget.minimumSizeHint().height(), 0)
    return (
        layout.totalMinimumHeightForWidth(width) if layout.hasHeightForWidth() else layout.totalMinimumSize().height()
    )


class Pages(QWidget):
    """One of several pages, as :class:`QStackedWidget` shows them; only the one that is shown asks for room.

    Signals:
        currentChanged: Place of the page that is shown now.
    """

    currentChanged = Signal(int)  # noqa: N815 - Qt's name

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pages: list[QWidget] = []
        self._at = -1

    def addWidget(self, page: QWidget) -> None:  # noqa: N802 - Qt's name
        """Take a page; the first is shown."""
        page.setParent(self)
        page.installEventFilter(self)
        self._pages.append(page)
        page.hide()
        if self._at < 0:
            self.setCurrentWidget(page)

    def currentWidget(self) -> QWidget | None:  # noqa: N802 - Qt's name
        """The page that is shown."""
        return self._pages[self._at] if self._at >= 0 else None

    def setCurrentWidget(self, page: QWidget) -> None:  # noqa: N802 - Qt's name
        """Show a page."""
        before, self._at = self._at, self._pages.index(page)
        if before == self._at:
            return
        page.setGeometry(self.rect())
        page.show()
        if before >= 0:
            self._pages[before].hide()
        self.updateGeometry()
        self.currentChanged.emit(self._at)

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """Words wrap."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """What the page that is shown needs."""
        page = self.currentWidget()
        return least(page, width) if page is not None else 0

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """That of the page that is shown."""
        page = self.currentWidget()
        return page.minimumSizeHint() if page is not None else QSize()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """That of the page that is shown."""
        page = self.currentWidget()
        return page.sizeHint() if page is not None else QSize()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """The page fills it."""
        super().resizeEvent(event)
        page = self.currentWidget()
        if page is not None:
            page.setGeometry(self.rect())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """A page that needs other room says so upward."""
        if event.type() == QEvent.Type.LayoutRequest and watched is self.currentWidget():
            self.updateGeometry()
        return super().eventFilter(watched, event)


class Fitting(QScrollArea):
    """As wide as the window; higher than it where the content needs it, and then it scrolls."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setObjectName("fitting")
        self.setProperty("kind", "plain")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._content = content
        self.setWidget(content)
        content.installEventFilter(self)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """It can be as low as the screen asks for."""
        return QSize(self._content.minimumSizeHint().width(), 120)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """The content follows."""
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """The content needs other room."""
        if event.type() == QEvent.Type.LayoutRequest and watched is self._content:
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        view = self.viewport().size()
        self._content.resize(view.width(), max(view.height(), least(self._content, view.width())))
