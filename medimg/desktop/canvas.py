"""The photo with its covers: peek under them, draw, move and size areas."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import (
    QGraphicsPathItem,
    QWidget,
)

from medimg import geometry
from medimg.desktop.box_items import BoxItem, Filled, cut_off
from medimg.desktop.photo_view import PhotoView
from medimg.desktop.seen import Rect, Seen
from medimg.types import Box, Colour, Point, Polygon, bounding_box

Tool = Literal["select", "box", "shape", "crop"]
PEEK = Qt.Key.Key_V
"""Held, it shows what is under the covers; the page takes it."""
_NEAR = 10  # pixels of the screen within which the first corner closes a shape


class Canvas(PhotoView):
    """Shows a photo and its areas, in upright coordinates; hands out changes in stored ones.

    Signals:
        picked: Place of the area that was chosen in the plan, or -1.
        drawn: A polygon that was drawn, stored coordinates.
        shaped: Place of an area, its new polygon in stored coordinates, and whether it was a small step by key.
        crop_drawn: A box, stored coordinates.
        toggled: Place of an area to be covered or shown.
        deleted: Place of an area to be taken away.
        tool_changed: The tool in use.
    """

    picked = Signal(int)
    drawn = Signal(object)
    shaped = Signal(int, object, bool)
    crop_drawn = Signal(object)
    toggled = Signal(int)
    deleted = Signal(int)
    tool_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("canvas")
        self.setAccessibleName(self.tr("Photo"))
        self.setAccessibleDescription(
            self.tr("The list of areas beside the photo has everything that is marked in it, in words.")
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.tool: Tool = "select"
        self.boxes: list[BoxItem] = []
        self._peeking = False
        self.before = 0.0
        self._grip: tuple[BoxItem, int, QPointF, QPolygonF] | None = None
        self._panning: QPointF | None = None
        self._points: list[QPointF] = []
        self._rubber: QGraphicsPathItem | None = None
        self._under: list[QGraphicsPathItem] = []
        self._filled: Filled | None = None

    # -- what is shown

    def clear(self) -> None:
        """Show nothing."""
        self._stop_drawing()
        self.boxes, self._under, self._grip, self._filled = [], [], None, None
        self.before, self.bare = 0.0, self._peeking
        super().clear()

    def _zoomed(self) -> None:
        for item in self.boxes:
            item.at_zoom(self._view_scale())
        super()._zoomed()

    def show_boxes(self, boxes: list[BoxItem], crop: Box | None, picked: int, filled: Filled | None = None) -> None:
        """Show areas (their polygons upright), and what lies under them, in the place of those before."""
        for old in (*self.boxes, *self._under):
            self.scene().removeItem(old)
        self.boxes, self._under, self._filled, self._grip = [], [], None, None
        if self.photo is None:
            return
        self.boxes, self._filled = boxes, filled
        for item in self.boxes:
            item.at_zoom(self._view_scale())
            item.peek(self._peeking)
            item.bare_until(self.before * self.sceneRect().width())
            item.pick(item.index == picked)
            self.scene().addItem(item)
        if filled is not None:
            filled.peek(self._peeking)
            filled.bare_until(self.before * self.sceneRect().width())
            self._under.append(filled)
        if crop is not None:
            self._under.append(cut_off(self.sceneRect(), self.upright(crop.polygon)))
        for under in self._under:
            self.scene().addItem(under)
        if self.seen is not None:
            kept = self.upright(crop.polygon) if crop is not None else None
            self.seen.hide(_hidden(self.seen, boxes, kept))

    def recolour(self, colour: Colour) -> None:
        """Show the covers in another colour; what is under way with the mouse goes on."""
        for item in self.boxes:
            item.colour = colour
            item.update()
        if self._filled is not None:
            self._filled.setBrush(QColor(*colour))

    # -- the view

    def peek(self, on: bool) -> None:
        """See what is under the covers while a key is held."""
        self._peeking = on
        self.bare = on or bool(self.before)
        for item in self.boxes:
            item.peek(on)
        if self._filled is not None:
            self._filled.peek(on)

    def compare(self, share: float) -> None:
        """See the photo without covers up to a line, and with them beyond it.

        Args:
            share: Where the line is, from the photo's left edge (0: all covers) to its right one (1: none).
        """
        self.before = share
        self.bare = self._peeking or bool(share)
        edge = share * self.sceneRect().width()
        for item in self.boxes:
            item.bare_until(edge)
        if self._filled is not None:
            self._filled.bare_until(edge)
        self.viewport().update()

    def drawForeground(self, painter: QPainter, rect: QRectF | QRect) -> None:  # noqa: N802 - Qt's name
        """The line between before and after."""
        super().drawForeground(painter, rect)
        if not self.before or self.photo is None:
            return
        area = self.sceneRect()
        x = area.left() + self.before * area.width()
        for colour, width in (("black", 5), ("#ffd400", 2)):
            pen = QPen(QColor(colour), width)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    # -- what was seen

    # -- tools

    def use(self, tool: Tool) -> None:
        """Take a tool."""
        self._stop_drawing()
        self.tool = tool
        self.viewport().setCursor(Qt.CursorShape.ArrowCursor if tool == "select" else Qt.CursorShape.CrossCursor)
        self.tool_changed.emit(tool)

    def centre_box(self) -> Polygon:
        """A box in the middle of what is in view, stored coordinates; to draw by keyboard."""
        view = self.mapToScene(self.viewport().rect()).boundingRect() & self.sceneRect()
        size = QSizeF(max(view.width() / 5, 8.0), max(view.height() / 5, 8.0))
        rect = QRectF(view.center() - QPointF(size.width() / 2, size.height() / 2), size)
        return self.stored(_corners(rect & self.sceneRect()))

    def _stop_drawing(self) -> None:
        self._points = []
        self._panning = None
        if self._rubber is not None:
            self.scene().removeItem(self._rubber)
            self._rubber = None

    def _inside(self, point: QPointF) -> QPointF:
        r = self.sceneRect()
        return QPointF(min(max(point.x(), r.left()), r.right()), min(max(point.y(), r.top()), r.bottom()))

    def _sketch(self, here: QPointF) -> None:
        path = QPainterPath()
        if self.tool == "shape":
            path.addPolygon(QPolygonF([*self._points, here]))
        else:
            path.addRect(QRectF(self._points[0], here).normalized())
        if self._rubber is None:
            self._rubber = QGraphicsPathItem()
            pen = QPen(QColor("#ffd400"), 3, Qt.PenStyle.DashLine)
            pen.setCosmetic(True)
            self._rubber.setPen(pen)
            self._rubber.setZValue(20)
            self.scene().addItem(self._rubber)
        self._rubber.setPath(path)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose, take hold of, or begin to draw."""
        if self.photo is None:
            return
        here = self._inside(self.mapToScene(event.position().toPoint()))
        if event.button() == Qt.MouseButton.MiddleButton:
            self._panning = event.position()
        elif event.button() != Qt.MouseButton.LeftButton:
            return
        elif self.tool == "shape":
            self._corner(here)
        elif self.tool in ("box", "crop"):
            self._points = [here]
        else:
            self._take_hold(event.position(), here)

    def _take_hold(self, at: QPointF, here: QPointF) -> None:
        reach = 14 / max(self._view_scale(), 1e-6)
        chosen = next((b for b in self.boxes if b.picked), None)
        hit = chosen if chosen is not None and chosen.grip(here, reach) is not None else None
        if hit is None:
            under = [b for b in self.boxes if b.isVisible() and b.holds(here)]
            hit = min(under, key=lambda b: geometry.area(b.points()), default=None)
        if hit is None:
            self._panning = at
            self.picked.emit(-1)
            return
        if not hit.picked:
            self.picked.emit(hit.index)
            hit = next((b for b in self.boxes if b.index == hit.index), hit) if hit not in self.boxes else hit
        corner = hit.grip(here, reach)
        self._grip = (hit, -1 if corner is None else corner, here, hit.polygon())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Go on with it."""
        here = self._inside(self.mapToScene(event.position().toPoint()))
        if self._panning is not None:
            moved = event.position() - self._panning
            self._panning = event.position()
            across, down = self.horizontalScrollBar(), self.verticalScrollBar()
            across.setValue(across.value() - round(moved.x()))
            down.setValue(down.value() - round(moved.y()))
        elif self._grip is not None:
            item, corner, start, before = self._grip
            item.follow(before, corner, here - start, self.sceneRect())
        elif self._points:
            self._sketch(here)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Hand it out."""
        self._panning = None
        if self._grip is not None:
            item, _, _, before = self._grip
            self._grip = None
            if item.polygon() != before:
                self.shaped.emit(item.index, self.stored(item.points()), False)
        elif self._points and self.tool in ("box", "crop"):
            rect = QRectF(self._points[0], self._inside(self.mapToScene(event.position().toPoint()))).normalized()
            crop = self.tool == "crop"
            self._stop_drawing()
            if min(rect.width(), rect.height()) >= 3:
                self.use("select")
                polygon = self.stored(_corners(rect))
                if crop:
                    self.crop_drawn.emit(bounding_box(polygon))
                else:
                    self.drawn.emit(polygon)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Close a shape; cover or show an area."""
        if self.tool == "shape":
            self._close_shape()
            return
        here = self.mapToScene(event.position().toPoint())
        hit = next((b for b in reversed(self.boxes) if b.isVisible() and b.holds(here)), None)
        if hit is not None:
            self.toggled.emit(hit.index)

    def _corner(self, here: QPointF) -> None:
        if len(self._points) >= 3:
            first = self.mapFromScene(self._points[0])
            if (self.mapFromScene(here) - first).manhattanLength() <= _NEAR:
                self._close_shape()
                return
        self._points.append(here)
        self._sketch(here)

    def _close_shape(self) -> None:
        points: list[Point] = []
        for p in self._points:
            if not points or geometry.distance(points[-1], (p.x(), p.y())) > 1:
                points.append((p.x(), p.y()))
        self._stop_drawing()
        if len(points) >= 3 and geometry.area(tuple(points)) > 9:
            self.use("select")
            self.drawn.emit(self.stored(tuple(points)))

    # -- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Move and size the chosen area; end a tool."""
        chosen = next((b for b in self.boxes if b.picked), None)
        step = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }.get(Qt.Key(event.key()))
        if event.key() == Qt.Key.Key_Escape and self.tool != "select":
            self.use("select")
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.tool == "shape":
            self._close_shape()
        elif step is not None and chosen is not None:
            self._nudge(chosen, step, event.modifiers())
        elif chosen is not None and event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.deleted.emit(chosen.index)
        else:
            super().keyPressEvent(event)
            return
        event.accept()

    def _nudge(self, item: BoxItem, step: tuple[int, int], keys: Qt.KeyboardModifier) -> None:
        by = 1.0 if keys & Qt.KeyboardModifier.ControlModifier else max(self.sceneRect().width() / 100, 1.0)
        delta = QPointF(step[0] * by, step[1] * by)
        before = item.polygon()
        size = bool(keys & Qt.KeyboardModifier.ShiftModifier)
        item.grow(delta, self.sceneRect()) if size else item.follow(before, -1, delta, self.sceneRect())
        if item.polygon() != before:
            self.shaped.emit(item.index, self.stored(item.points()), True)


def _hidden(seen: Seen, boxes: list[BoxItem], kept: Polygon | None) -> set[int]:
    """The squares that lie under one solid cover with all of them, or outside a crop."""
    hidden: set[int] = set()
    for box in boxes:
        if box.do != "cover":
            continue
        path = QPainterPath()
        path.addPolygon(box.polygon())
        path.closeSubpath()
        for index in seen.cells(_rect(box.polygon().boundingRect()), whole=True):
            x0, y0, x1, y1 = seen.cell(index)
            if path.contains(QRectF(x0, y0, x1 - x0, y1 - y0)):
                hidden.add(index)
    if kept is not None:
        inside = bounding_box(kept)
        shown = set(seen.cells((inside.x0, inside.y0, inside.x1, inside.y1), whole=False))
        hidden |= set(range(seen.across * seen.down)) - shown
    return hidden


def _rect(r: QRectF) -> Rect:
    return r.left(), r.top(), r.right(), r.bottom()


def _corners(rect: QRectF) -> Polygon:
    box = (round(rect.left()), round(rect.top()), round(rect.right()), round(rect.bottom()))
    return Box(*box).polygon
