"""The widgets of the page for one photo, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from medimg.desktop.box_list import BoxList
from medimg.desktop.canvas import PEEK, Canvas
from medimg.desktop.pages._flow import FlowLayout
from medimg.desktop.seen_map import SeenMap
from medimg.desktop.widgets import Banner, button, label


class LookParts(QWidget):
    """The photo, the list beside it, and the buttons; what they do stands in :mod:`medimg.desktop.pages._look`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("look")
        self.canvas = Canvas()
        self.boxes = BoxList()
        self.banner = Banner("look-banner")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 6)
        column.setSpacing(6)
        column.addWidget(self.banner)
        column.addWidget(self._view_bar())
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setChildrenCollapsible(False)
        self.split.setHandleWidth(8)
        self.split.addWidget(self.canvas)
        self.split.addWidget(self._panel())
        self.split.setStretchFactor(0, 1)
        self.split.setStretchFactor(1, 0)
        column.addWidget(self.split, 1)
        column.addWidget(self._bottom())
        self.peek.pressed.connect(lambda: self.canvas.peek(on=True))
        self.peek.released.connect(lambda: self.canvas.peek(on=False))

    def _bar(self, buttons: Sequence[QPushButton]) -> QWidget:
        bar = QWidget()
        row = FlowLayout(bar, gap=6)
        for made in buttons:
            row.addWidget(made)
        return bar

    def _view_bar(self) -> QWidget:
        self.to_all = button(self.tr("All photos"), name="overview", key="Alt+Left")
        self.full = button(
            self.tr("Full size (F)"),
            name="full-size",
            key="F",
            hint=self.tr("Small writing shows only at full size."),
        )
        self.part = button(
            self.tr("Next part (N)"),
            name="next-part",
            key="N",
            kind="primary",
            hint=self.tr("Walks through the photo part by part, at full size."),
        )
        self.fit = button(self.tr("Whole photo"), name="fit", key="0")
        self.nearer = button(self.tr("Nearer"), name="nearer", key="+")
        self.further = button(self.tr("Further"), name="further", key="-")
        self.turn = button(
            self.tr("Turn the view"), name="turn", key="T", hint=self.tr("Turns what you see, not the photo.")
        )
        self.peek = button(
            self.tr("Hold to peek (V)"),
            name="peek",
            hint=self.tr("Hold this, or the key V, to see what is under the covers."),
        )
        return self._bar([self.to_all, self.part, self.full, self.fit, self.nearer, self.further, self.turn, self.peek])

    def _panel(self) -> QWidget:
        inside = QWidget()
        inside.setProperty("kind", "plain")
        column = QVBoxLayout(inside)
        column.setContentsMargins(6, 0, 6, 0)
        column.setSpacing(6)
        self.title = label(kind="heading", name="look-title")
        self.hidden = label(kind="quiet", name="look-hidden")
        self.frames = label(name="look-frames")
        self.harmless = QCheckBox(self.tr("Also what was found harmless"))
        self.harmless.setObjectName("harmless")
        self.harmless.setAccessibleName(self.harmless.text())
        self.detail = label(name="detail")
        self.boxes.setMinimumHeight(150)
        self.map = SeenMap(self.canvas)
        column.addWidget(self.title)
        column.addWidget(self.map)
        column.addWidget(self.hidden)
        column.addWidget(self.frames)
        column.addWidget(self.boxes, 1)
        column.addWidget(self._decide_bar())  # straight under the list: in view at 200 %, too
        column.addWidget(self.detail)
        column.addWidget(self.harmless)
        column.addWidget(self._draw_bar())
        scroll = _Narrow()
        scroll.setObjectName("look-panel")
        scroll.setProperty("kind", "plain")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        return scroll

    def _decide_bar(self) -> QWidget:
        self.cover = button(self.tr("Cover it"), name="cover", key="C", hint=self.tr("Cover this area."))
        self.show_it = button(self.tr("Harmless: show it"), name="show-it", key="S")
        self.consented = button(
            self.tr("A face, and the consent allows showing it"),
            name="consented",
            key="L",
            hint=self.tr("Then the question whether the patient agreed to that has to be answered before sharing."),
        )
        self.alike = button(
            self.tr("Cover all like this"),
            name="cover-alike",
            key="A",
            hint=self.tr("In every photo of this patient."),
        )
        self.remove = button(self.tr("Take it away"), name="remove")
        self.unread = button(self.tr("Next unread writing"), name="next-unread", key="U")
        return self._bar([self.cover, self.show_it, self.consented, self.alike, self.remove, self.unread])

    def _draw_bar(self) -> QWidget:
        self.draw_box = button(self.tr("Draw a box"), name="draw-box", key="B")
        self.draw_shape = button(
            self.tr("Draw a shape"),
            name="draw-shape",
            key="G",
            hint=self.tr("Click corner after corner; Enter or a double click closes the shape."),
        )
        self.put_box = button(
            self.tr("Box by keyboard"),
            name="put-box",
            key="Ctrl+B",
            hint=self.tr("Puts a box in the middle. Arrow keys move it, with Shift they make it larger or smaller."),
        )
        self.crop = button(self.tr("Crop"), name="crop", key="X", hint=self.tr("Draw round what is to be kept."))
        self.uncrop = button(self.tr("Do not crop"), name="uncrop")
        self.undo = button(self.tr("Undo"), name="undo", key="Ctrl+Z")
        self.redo = button(self.tr("Redo"), name="redo", key="Ctrl+Y")
        for made in (self.draw_box, self.draw_shape, self.crop):
            made.setCheckable(True)
        return self._bar([self.draw_box, self.draw_shape, self.put_box, self.crop, self.uncrop, self.undo, self.redo])

    def _bottom(self) -> QWidget:
        panel = QWidget()
        row = QHBoxLayout(panel)
        row.setContentsMargins(0, 0, 0, 0)
        self.state = label(name="look-state")
        self.done = button(self.tr("I have looked: next"), name="looked", kind="primary", key="Ctrl+Return")
        row.addWidget(self.state, 1)
        row.addWidget(self.done)
        return panel

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """V shows what is under the covers while it is held."""
        if event.key() == PEEK and not event.isAutoRepeat():
            self.canvas.peek(on=True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """The covers are back."""
        if event.key() == PEEK and not event.isAutoRepeat():
            self.canvas.peek(on=False)
        else:
            super().keyReleaseEvent(event)


class _Narrow(QScrollArea):
    """A column beside the photo: as wide as its words need, and never most of the window."""

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """About thirty letters, whatever their size."""
        return QSize(self.fontMetrics().averageCharWidth() * 54, 300)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """No narrower than its longest button."""
        content = self.widget()
        inside = content.minimumSizeHint().width() if content is not None else 0
        return QSize(inside + self.verticalScrollBar().sizeHint().width() + 4, 120)


__all__ = ["LookParts"]
