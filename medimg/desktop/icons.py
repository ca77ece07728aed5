"""Buttons that are a drawing: the words stand in the hint, in the menu and for screen readers.

The drawings are lines on a field of 24 by 24, in the colour of the text, so that they fit light and dark and any size.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QApplication, QPushButton, QSizePolicy, QWidget

from medimg.desktop import theme

SIDE = 24
SMALLEST = 28
"""Least side of what can be pressed, in points (WCAG 2.2, 2.5.8 asks for 24)."""

_LINES: dict[str, tuple[tuple[float, ...], ...]] = {
    # corner after corner; a line that ends where it begins is closed
    "all": ((4, 4, 10, 4, 10, 10, 4, 10, 4, 4), (14, 4, 20, 4, 20, 10, 14, 10, 14, 4),
            (4, 14, 10, 14, 10, 20, 4, 20, 4, 14), (14, 14, 20, 14, 20, 20, 14, 20, 14, 14)),
    "part": ((3, 5, 13, 5, 13, 19, 3, 19, 3, 5), (16, 8, 20, 12, 16, 16), (12, 12, 20, 12)),
    "full": ((3, 9, 3, 3, 9, 3), (15, 3, 21, 3, 21, 9), (21, 15, 21, 21, 15, 21), (9, 21, 3, 21, 3, 15),
             (8, 9, 9.5, 8, 9.5, 16), (12.5, 10.5, 12.5, 11), (12.5, 14, 12.5, 14.5), (15, 9, 16.5, 8, 16.5, 16)),
    "fit": ((3, 4, 21, 4, 21, 20, 3, 20, 3, 4), (7, 16, 11, 11, 14, 14, 16, 12, 18, 15)),
    "in": ((15, 15, 21, 21), (7, 10, 13, 10), (10, 7, 10, 13)),
    "out": ((15, 15, 21, 21), (7, 10, 13, 10)),
    "turn": ((19, 5, 19, 10, 14, 10),),
    "peek": ((2, 12, 6, 8, 12, 6, 18, 8, 22, 12, 18, 16, 12, 18, 6, 16, 2, 12),),
    "compare": ((3, 5, 21, 5, 21, 19, 3, 19, 3, 5), (12, 2, 12, 22), (15, 9, 18, 9), (15, 12, 18, 12),
                (15, 15, 18, 15)),
    "box": ((4, 6, 20, 6, 20, 18, 4, 18, 4, 6),),
    "shape": ((4, 8, 12, 3, 20, 9, 17, 19, 7, 20, 4, 8),),
    "put": ((3, 6, 15, 6, 15, 16, 3, 16, 3, 6), (19, 14, 19, 22), (15, 18, 23, 18)),
    "crop": ((7, 2, 7, 17, 22, 17), (2, 7, 17, 7, 17, 22)),
    "uncrop": ((7, 2, 7, 17, 22, 17), (2, 7, 17, 7, 17, 22), (3, 21, 21, 3)),
    "undo": ((8, 4, 3, 9, 8, 14), (3, 9, 15, 9, 19, 11, 20, 14, 19, 17, 15, 19, 9, 19)),
    "redo": ((16, 4, 21, 9, 16, 14), (21, 9, 9, 9, 5, 11, 4, 14, 5, 17, 9, 19, 15, 19)),
    "more": (),
}  # fmt: skip
_ROUND: dict[str, tuple[tuple[float, float, float], ...]] = {
    # middle and radius
    "in": ((10, 10, 7),),
    "out": ((10, 10, 7),),
    "peek": ((12, 12, 3),),
    "more": ((5, 12, 1.4), (12, 12, 1.4), (19, 12, 1.4)),
}


def path(name: str) -> QPainterPath:
    """The drawing with this name."""
    made = QPainterPath()
    for line in _LINES[name]:
        points = [QPointF(x, y) for x, y in zip(line[::2], line[1::2], strict=True)]
        made.moveTo(points[0])
        for point in points[1:]:
            made.lineTo(point)
    for x, y, radius in _ROUND.get(name, ()):
        made.addEllipse(QPointF(x, y), radius, radius)
    if name == "turn":
        made.arcMoveTo(QRectF(4, 4, 16, 16), 40)
        made.arcTo(QRectF(4, 4, 16, 16), 40, 280)
    return made


def draw(painter: QPainter, name: str, where: QRectF, colour: QColor) -> None:
    """Draw it into a square."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(where.topLeft())
    painter.scale(where.width() / SIDE, where.height() / SIDE)
    painter.setPen(QPen(colour, 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.drawPath(path(name))
    painter.restore()


def icon(name: str, colour: QColor, side: int) -> QIcon:
    """It for a menu."""
    made = QPixmap(side, side)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    draw(painter, name, QRectF(0, 0, side, side), colour)
    painter.end()
    return QIcon(made)


class IconButton(QPushButton):
    """A button without words on it. Give it its name with :func:`medimg.desktop.widgets.button`.

    Args:
        drawing: Name of its drawing.
        parent: Its owner.
    """

    def __init__(self, drawing: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.drawing = drawing
        self.setProperty("icon-only", "true")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """A square that grows with the text."""
        side = max(SMALLEST, round(36 * theme.scale()))
        return QSize(side, side)

    minimumSizeHint = sizeHint  # noqa: N815 - Qt's name

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The button, and its drawing."""
        super().paintEvent(event)
        app = QApplication.instance()
        if not isinstance(app, QApplication):
            return
        c = theme.colours(app, app.property("medimg-scheme") or "system")
        on = self.isChecked() or self.isDown() or (self.isEnabled() and self.property("kind") == "primary")
        shade = c.quiet if not self.isEnabled() else c.on_accent if on else c.text
        side = min(self.width(), self.height()) * 0.58
        middle = QRectF(self.rect()).center()
        painter = QPainter(self)
        painter.setOpacity(1.0 if self.isEnabled() else 0.55)
        draw(painter, self.drawing, QRectF(middle.x() - side / 2, middle.y() - side / 2, side, side), QColor(shade))
        painter.end()
