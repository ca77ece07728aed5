"""The widgets of the page for one photo, and where they stand."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from medimg.desktop.box_list import BoxList
from medimg.desktop.canvas import PEEK, Canvas
from medimg.desktop.icons import icon
from medimg.desktop.pages._flow import FlowLayout
from medimg.desktop.pages._strip import Strip
from medimg.desktop.seen_map import SeenMap
from medimg.desktop.widgets import Banner, button, label
from medimg.desktop.wording import tr
from medimg.vocabulary import Choice

_BUTTONS, _WORDS, _LEAST = 5, 8, 6
"""Below the list stand so many buttons, and so many lines of words about the area that is chosen; the list has at least
so many lines."""


class LookParts(QWidget):
    """The photo, the list beside it, and the buttons; what they do stands in :mod:`medimg.desktop.pages.look`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("look")
        self.canvas = Canvas()
        self.boxes = BoxList()
        self.strip = Strip()
        self.map = SeenMap(self.canvas)
        self.banner = Banner("look-banner")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 6, 10, 6)
        column.setSpacing(6)
        column.addWidget(self.banner)
        column.addWidget(self._tools())
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setChildrenCollapsible(False)
        self.split.setHandleWidth(8)
        self.split.addWidget(self.canvas)
        self.split.addWidget(self._panel())
        self.split.setStretchFactor(0, 1)
        self.split.setStretchFactor(1, 0)
        column.addWidget(self.split, 1)
        below = QHBoxLayout()
        below.addWidget(self.strip, 1)
        below.addWidget(self.map)
        column.addLayout(below)
        column.addWidget(self._bottom())
        self.peek.pressed.connect(lambda: self.canvas.peek(on=True))
        self.peek.released.connect(lambda: self.canvas.peek(on=False))
        self.line.valueChanged.connect(lambda value: self.canvas.compare(value / 100))
        self.compare.toggled.connect(self._compare)

    def _compare(self, on: bool) -> None:
        self.line.setVisible(on)
        self.line.setValue(50 if on else 0)
        if on:
            self.line.setFocus(Qt.FocusReason.OtherFocusReason)

    def _tools(self) -> QWidget:
        self.to_all = button(self.tr("All photos"), name="overview", key="Alt+Left", drawing="all")
        self.part = button(
            self.tr("Next part"),
            name="next-part",
            key="N",
            kind="primary",
            hint=self.tr("Walks through the photo part by part, at full size."),
            drawing="part",
        )
        self.full = button(
            self.tr("Full size"),
            name="full-size",
            key="F",
            hint=self.tr("Small writing shows only at full size."),
            drawing="full",
        )
        self.whole = button(self.tr("Whole photo"), name="fit", key="0", drawing="fit")
        self.nearer = button(self.tr("Zoom in"), name="nearer", key="+", drawing="in")
        self.further = button(self.tr("Zoom out"), name="further", key="-", drawing="out")
        self.turn = button(
            self.tr("Turn the view"),
            name="turn",
            key="T",
            hint=self.tr("Turns what you see, not the photo."),
            drawing="turn",
        )
        self.peek = button(
            self.tr("Hold to peek"),
            name="peek",
            hint=self.tr("Hold this, or the key V, to see what is under the covers."),
            drawing="peek",
        )
        self.compare = button(
            self.tr("Before and after"),
            name="compare",
            key="D",
            hint=self.tr("A line to be moved: without covers on its left, with them on its right."),
            drawing="compare",
        )
        self.compare.setCheckable(True)
        drawing = self._drawing_tools()
        seeing = [self.to_all, self.part, self.full, self.whole, self.nearer, self.further, self.turn, self.peek]
        every = [*seeing, self.compare, *drawing]
        self.more = button(self.tr("All tools, in words"), name="more", key="M", drawing="more")
        self.more.clicked.connect(lambda: self._menu(every))
        self.title = label(kind="beside", name="look-title")
        self.title.setWordWrap(False)
        self.line = QSlider(Qt.Orientation.Horizontal)
        self.line.setObjectName("before-after")
        self.line.setRange(0, 100)
        self.line.setMinimumWidth(200)
        self.line.setAccessibleName(self.tr("Before on the left, after on the right"))
        self.line.setToolTip(self.line.accessibleName())
        self.line.hide()
        bar = QWidget()
        row = FlowLayout(bar, gap=6)
        for part in (*every, self.more, self.title, self.line):
            row.addWidget(part)
        return bar

    def _menu(self, every: Sequence[QPushButton]) -> None:
        """Every tool with its words and its key."""
        menu = QMenu(self)
        menu.setObjectName("tools-menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        side = menu.fontMetrics().height()
        for made in every:
            words = "\t".join(x for x in (made.accessibleName(), str(made.property("key") or "")) if x)
            action = menu.addAction(icon(str(getattr(made, "drawing", "")), menu.palette().text().color(), side), words)
            action.setEnabled(made.isEnabled())
            action.triggered.connect(made.click)
        menu.popup(self.more.mapToGlobal(self.more.rect().bottomLeft()))

    def _panel(self) -> QWidget:
        inside = QWidget()
        inside.setProperty("kind", "plain")
        column = QVBoxLayout(inside)
        column.setContentsMargins(6, 0, 6, 0)
        column.setSpacing(6)
        self.hidden = label(kind="quiet", name="look-hidden")
        self.frames = label(name="look-frames")
        self.harmless = QCheckBox(self.tr("Also show harmless writing"))
        self.harmless.setObjectName("harmless")
        self.harmless.setAccessibleName(self.harmless.text())
        self.detail = label(name="detail")
        column.addWidget(self.frames)
        column.addWidget(self.boxes)
        column.addWidget(self._decide())  # straight under the list: in view at 200 %, too
        column.addWidget(self.detail)
        column.addWidget(self.harmless)
        column.addWidget(self.hidden)
        column.addStretch(1)
        scroll = self.panel = _Narrow(self.boxes, self.cover)
        scroll.setObjectName("look-panel")
        scroll.setProperty("kind", "plain")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        return scroll

    def _decide(self) -> QWidget:
        """What can be done about the chosen area: every button keeps its place, and what only a face has comes last."""
        self.cover = button(self.tr("Cover it"), name="cover", key="C", hint=self.tr("Cover this area."))
        self.show_it = button(self.tr("Harmless: show it"), name="show-it", key="S")
        self.consented = button(
            self.tr("A face; the consent allows it"),
            name="consented",
            key="L",
            hint=self.tr(
                "A face, and the consent allows showing it. Then the question whether the patient agreed to that has to"
                " be answered before sharing."
            ),
        )
        self.no_writing = button(self.tr("Not writing: show it"), name="no-writing", key="W")
        self.by_line = button(
            self.tr("Cover line by line"),
            name="by-line",
            key="I",
            hint=self.tr("Shows the rest of the wristband, label or sheet; each line keeps its own cover."),
        )
        self.alone = button(tr(Choice.FACE_ALONE.words), name="face-alone", key="E")
        self.beside = button(tr(Choice.BESIDE.words), name="crop-beside", key="Shift+X")
        self.alike = button(
            self.tr("Cover all like this"),
            name="cover-alike",
            key="A",
            hint=self.tr("In every photo of this patient."),
        )
        self.remove = button(self.tr("Delete the box"), name="remove")
        self.unread = button(self.tr("Next unread writing"), name="next-unread", key="U")
        self.own = _Slot(self.consented, self.no_writing, self.by_line)
        self.last = _Slot(self.alike, self.remove)
        panel = QWidget()
        column = QVBoxLayout(panel)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        for made in (self.cover, self.show_it, self.own, self.last, self.unread, self.alone, self.beside):
            column.addWidget(made)
        return panel

    def _drawing_tools(self) -> list[QPushButton]:
        self.draw_box = button(self.tr("Draw a box"), name="draw-box", key="B", drawing="box")
        self.draw_shape = button(
            self.tr("Draw a shape"),
            name="draw-shape",
            key="G",
            hint=self.tr("Click corner after corner; Enter or a double click closes the shape."),
            drawing="shape",
        )
        self.put_box = button(
            self.tr("Add a box by keyboard"),
            name="put-box",
            key="Ctrl+B",
            hint=self.tr("Puts a box in the middle. Arrow keys move it, with Shift they make it larger or smaller."),
            drawing="put",
        )
        self.crop = button(
            self.tr("Crop"), name="crop", key="X", hint=self.tr("Draw round what is to be kept."), drawing="crop"
        )
        self.uncrop = button(self.tr("Do not crop"), name="uncrop", drawing="uncrop")
        self.undo = button(self.tr("Undo"), name="undo", key="Ctrl+Z", drawing="undo")
        self.redo = button(self.tr("Redo"), name="redo", key="Ctrl+Y", drawing="redo")
        for made in (self.draw_box, self.draw_shape, self.crop):
            made.setCheckable(True)
        return [self.draw_box, self.draw_shape, self.put_box, self.crop, self.uncrop, self.undo, self.redo]

    def _bottom(self) -> QWidget:
        panel = QWidget()
        row = QHBoxLayout(panel)
        row.setContentsMargins(0, 0, 0, 0)
        self.state = label(name="look-state")
        self.done = button(self.tr("I have looked: next"), name="looked", kind="primary", key="Ctrl+Return")
        row.addWidget(self.state, 1)
        row.addWidget(self.done)
        return panel

    def fit(self) -> None:
        """Take the size of the text as it is now."""
        self.strip.fit()
        self.panel.fit()

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


class _Slot(QStackedWidget):
    """One place for buttons of which at most one is shown."""

    def __init__(self, *made: QPushButton) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        for one in (*made, QWidget()):
            self.addWidget(one)

    def offer(self, made: QPushButton | None) -> None:
        """Show this one, or none."""
        self.setCurrentWidget(made) if made is not None else self.setCurrentIndex(self.count() - 1)


class _Narrow(QScrollArea):
    """A column beside the photo: as wide as its words need, and never most of the window.

    Args:
        boxes: The list in it. It has what the buttons and the words below it leave; so what is chosen moves no button.
        one: One of the buttons.
    """

    def __init__(self, boxes: BoxList, one: QPushButton) -> None:
        super().__init__()
        self._boxes, self._one = boxes, one

    def fit(self) -> None:
        """Give the list its height."""
        line = self.fontMetrics().lineSpacing()
        below = _BUTTONS * (self._one.sizeHint().height() + 6) + _WORDS * line
        self._boxes.setFixedHeight(max(_LEAST * line, self.viewport().height() - below))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """The list follows."""
        super().resizeEvent(event)
        self.fit()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """About thirty letters, whatever their size."""
        return QSize(self.fontMetrics().averageCharWidth() * 40, 300)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """No narrower than its longest button."""
        content = self.widget()
        inside = content.minimumSizeHint().width() if content is not None else 0
        return QSize(inside + self.verticalScrollBar().sizeHint().width() + 4, 120)
