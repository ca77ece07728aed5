"""An area on the photo: a solid cover, or an outline. What it is shows by form and number as well as by colour."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QGraphicsPathItem, QGraphicsPolygonItem, QStyleOptionGraphicsItem, QWidget

from medimg.types import BLACK, Colour, Do, Polygon

WARNING = "#ffd400"
_GRIP = 9.0  # half a handle, in pixels of the screen
_ROOM = 80.0
"""Room round an area for its number, its sign and its handles, in pixels of the screen at text size 1."""


class BoxItem(QGraphicsPolygonItem):
    """One area, upright coordinates.

    Args:
        index: Its place in the plan.
        number: Its number in the list beside the photo.
        polygon: What is filled, or outlined.
        do: What becomes of it.
        faint: Found and judged harmless by a rule: a dotted outline.
        scale: Size of the number, 1 as shipped.
        colour: What it is filled with, as in the copy.
        warns: Its cover may hide what the picture is for: a sign stands beside its number.
    """

    def __init__(
        self,
        index: int,
        number: int,
        polygon: Polygon,
        do: Do,
        *,
        faint: bool,
        scale: float = 1.0,
        colour: Colour = BLACK,
        warns: bool = False,
    ) -> None:
        super().__init__(QPolygonF([QPointF(x, y) for x, y in polygon]))
        self.index, self.number, self.do, self.faint = index, number, do, faint
        self.colour, self.warns = colour, warns
        self.picked = False
        self._peeking = False
        self._scale = scale
        self._room = 0.0
        self._bare = 0.0
        self.setZValue(10)

    @property
    def solid(self) -> bool:
        """Whether it hides what is under it now."""
        return self.do == "cover" and not self._peeking

    def peek(self, on: bool) -> None:
        """Show what is under it, or not."""
        self._peeking = on
        self.update()

    def bare_until(self, x: float) -> None:
        """Show what is under it up to this place of the photo."""
        self._bare = x
        self.update()

    def pick(self, on: bool) -> None:
        """Show that it is the chosen one, or not."""
        self.picked = on
        self.setZValue(15 if on else 10)
        self.update()

    def points(self) -> Polygon:
        """Its corners."""
        return tuple((p.x(), p.y()) for p in self.polygon().toList())

    def grip(self, here: QPointF, reach: float) -> int | None:
        """The corner under a point, if there is one."""
        near = [(QPointF(p - here).manhattanLength(), n) for n, p in enumerate(self.polygon().toList())]
        distance, corner = min(near)
        return corner if distance <= reach else None

    def follow(self, before: QPolygonF, corner: int, delta: QPointF, inside: QRectF) -> None:
        """Be where the mouse drags it: all of it, or one corner."""
        if corner < 0:
            box = before.boundingRect()
            across = min(max(delta.x(), inside.left() - box.left()), inside.right() - box.right())
            down = min(max(delta.y(), inside.top() - box.top()), inside.bottom() - box.bottom())
            self.setPolygon(before.translated(across, down))
            return
        points = before.toList()
        moved = points[corner] + delta
        if _upright(points):  # a box stays a box: the corners beside move along
            opposite = points[(corner + 2) % 4]
            rect = QRectF(opposite, moved).normalized() & inside
            if min(rect.width(), rect.height()) >= 3:
                self.setPolygon(_box(rect))
            return
        points[corner] = QPointF(
            min(max(moved.x(), inside.left()), inside.right()), min(max(moved.y(), inside.top()), inside.bottom())
        )
        self.setPolygon(QPolygonF(points))

    def grow(self, delta: QPointF, inside: QRectF) -> None:
        """Be larger or smaller to the right and below."""
        box = self.polygon().boundingRect()
        across, down = box.width() + delta.x(), box.height() + delta.y()
        if min(across, down) < 3 or not box.width() or not box.height():
            return
        sx, sy = across / box.width(), down / box.height()
        points = [
            QPointF(box.left() + (p.x() - box.left()) * sx, box.top() + (p.y() - box.top()) * sy)
            for p in self.polygon().toList()
        ]
        grown = QPolygonF(points)
        if inside.contains(grown.boundingRect()):
            self.setPolygon(grown)

    def holds(self, point: QPointF) -> bool:
        """Whether a point lies in it."""
        return bool(self.polygon().containsPoint(point, Qt.FillRule.OddEvenFill))

    def at_zoom(self, zoom: float) -> None:
        """Leave room for the number and the handles, which keep their size on the screen.

        The scene has to be told before the bounding rectangle changes: else it looks for the item in the wrong place
        of its index when the item goes, and draws what is not there any more.

        Args:
            zoom: Units of the view for one pixel of the photo.
        """
        room = _ROOM * self._scale / max(zoom, 1e-6)
        if room != self._room:
            self.prepareGeometryChange()
            self._room = room

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """Its place with its number and handles."""
        room = self._room
        return self.polygon().boundingRect().adjusted(-room, -room, room, room)

    def shape(self) -> QPainterPath:
        """Its own polygon."""
        path = QPainterPath()
        path.addPolygon(self.polygon())
        return path

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:  # noqa: ARG002
        """Draw the cover or the outline, the number, and handles on the chosen one."""
        style = {
            "cover": Qt.PenStyle.SolidLine,
            "keep": Qt.PenStyle.DotLine if self.faint else Qt.PenStyle.DashLine,
        }.get(self.do, Qt.PenStyle.DashDotLine)
        fill = QBrush(QColor(*self.colour)) if self.solid else QBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawPolygon(self.polygon() if not self._bare else _right_of(self.polygon(), self._bare))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        # A light line beside a dark one can be seen on any photo.
        for colour, width in (("black", 5.0), ("#ffd400" if self.picked else "white", 3.0 if self.picked else 2.0)):
            pen = QPen(QColor(colour), width, Qt.PenStyle.SolidLine if colour == "black" else style)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawPolygon(self.polygon())
        self._number(painter)

    def _number(self, painter: QPainter) -> None:
        painter.save()
        where = painter.worldTransform()
        corners = [where.map(p) for p in self.polygon().toList()]
        painter.resetTransform()
        s = self._scale
        mark = {"cover": "", "keep": " ○", "ask": " ?", "hold": " ?"}.get(self.do, "")
        font = QFont(painter.font())
        font.setPixelSize(round(15 * s))
        font.setBold(True)
        painter.setFont(font)
        text = f"{self.number}{mark}"
        at = min(corners, key=lambda p: p.y() + p.x())
        size = painter.fontMetrics().boundingRect(text)
        tag = QRectF(at.x() - 2 * s, at.y() - size.height() - 4 * s, size.width() + 12 * s, size.height() + 4 * s)
        if tag.top() < 0:
            tag.moveTop(max(at.y(), 0.0))
        painter.setPen(QPen(QColor("black"), 1))
        painter.setBrush(QColor("#ffd400" if self.picked else "white"))
        painter.drawRoundedRect(tag, 3 * s, 3 * s)
        painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, text)
        if self.warns:
            warning_sign(painter, QRectF(tag.right() + 3 * s, tag.top(), tag.height() * 1.1, tag.height()))
        if self.picked:
            for p in corners:
                painter.drawRect(QRectF(p.x() - _GRIP / 2 * s, p.y() - _GRIP / 2 * s, _GRIP * s, _GRIP * s))
        painter.restore()


class Filled(QGraphicsPathItem):
    """What the copy really has covered, under the areas: a JPEG fills whole blocks."""

    def __init__(self, polygons: list[Polygon], colour: Colour) -> None:
        path = QPainterPath()
        for polygon in polygons:
            path.addPolygon(QPolygonF([QPointF(x, y) for x, y in polygon]))
            path.closeSubpath()
        path.setFillRule(Qt.FillRule.WindingFill)
        super().__init__(path)
        self._whole = path
        self.setPen(QPen(Qt.PenStyle.NoPen))
        self.setBrush(QBrush(QColor(*colour)))
        self.setZValue(8)

    def peek(self, on: bool) -> None:
        """Show what is under it, or not."""
        self.setVisible(not on)

    def bare_until(self, x: float) -> None:
        """Show what is under it up to this place of the photo."""
        beyond = QPainterPath()
        beyond.addRect(self._whole.boundingRect().adjusted(-1, -1, 1, 1) & _beyond(x))
        self.setPath(self._whole if not x else self._whole.intersected(beyond))


def cut_off(inside: QRectF, kept: Polygon) -> QGraphicsPathItem:
    """What a crop leaves out, in black."""
    path = QPainterPath()
    path.addRect(inside)
    path.addPolygon(QPolygonF([QPointF(x, y) for x, y in kept]))
    path.closeSubpath()
    item = QGraphicsPathItem(path)
    item.setBrush(QBrush(QColor(0, 0, 0, 255)))
    pen = QPen(QColor("white"), 3, Qt.PenStyle.DashLine)
    pen.setCosmetic(True)
    item.setPen(pen)
    item.setZValue(9)
    return item


def warning_sign(painter: QPainter, where: QRectF) -> None:
    """A yellow triangle with an exclamation mark; words stand beside it wherever it is drawn."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    edge = max(1.0, where.height() / 14)
    room = where.adjusted(edge, edge, -edge, -edge)
    painter.setPen(QPen(QColor("black"), edge * 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.setBrush(QColor(WARNING))
    painter.drawPolygon(QPolygonF([QPointF(room.center().x(), room.top()), room.bottomRight(), room.bottomLeft()]))
    x, height = room.center().x(), room.height()
    painter.setPen(QPen(QColor("black"), edge * 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(QPointF(x, room.top() + 0.38 * height), QPointF(x, room.top() + 0.64 * height))
    painter.drawPoint(QPointF(x, room.top() + 0.84 * height))
    painter.restore()


def warning_icon(side: int) -> QIcon:
    """The sign for a list."""
    made = QPixmap(side, side)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    warning_sign(painter, QRectF(0, 0, side, side))
    painter.end()
    icon = QIcon(made)
    icon.addPixmap(made, QIcon.Mode.Selected)
    return icon


def _beyond(x: float) -> QRectF:
    return QRectF(x, -1e6, 2e6, 2e6)


def _right_of(polygon: QPolygonF, x: float) -> QPolygonF:
    return polygon.intersected(QPolygonF(polygon.boundingRect() & _beyond(x)))


def _upright(points: list[QPointF]) -> bool:
    xs, ys = {round(p.x(), 3) for p in points}, {round(p.y(), 3) for p in points}
    return len(points) == 4 and len(xs) == 2 and len(ys) == 2


def _box(rect: QRectF) -> QPolygonF:
    return QPolygonF([rect.topLeft(), rect.topRight(), rect.bottomRight(), rect.bottomLeft()])
