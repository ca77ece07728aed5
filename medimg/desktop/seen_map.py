"""A small map of the photo: what was seen at full size, and where the view is."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from medimg.desktop import theme
from medimg.desktop.canvas import Canvas

_SIDE = 104


class SeenMap(QWidget):
    """The photo in small. What has still to be seen lies under a veil with stripes; a frame shows what is in view.

    A click shows that place at full size. The same in words stands below the photo.
    """

    def __init__(self, canvas: Canvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("seen-map")
        self._canvas = canvas
        self._small: tuple[object, QImage] | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setToolTip(self.tr("Striped: not seen yet. Large plain areas count at half size. Click to go there."))
        canvas.moved.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """About as high as the strip beside it."""
        side = round(_SIDE * min(theme.scale(), 1.3))
        return QSize(round(side * 1.4), side)

    minimumSizeHint = sizeHint  # noqa: N815 - Qt's name

    def refresh(self) -> None:
        """Say and draw what was seen."""
        seen = self._canvas.seen
        said = "" if seen is None else self.tr("Seen at full size: {} %").format(int(seen.share() * 100))
        self.setAccessibleName(said or self.tr("Map of the photo"))
        self.update()

    def _place(self) -> QRectF:
        """Where the photo stands in the map."""
        seen = self._canvas.seen
        if seen is None:
            return QRectF()
        factor = min(self.width() / seen.width, self.height() / seen.height)
        width, height = seen.width * factor, seen.height * factor
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, ARG002 - Qt's name
        """Draw it."""
        photo, seen, place = self._canvas.photo, self._canvas.seen, self._place()
        if photo is None or seen is None:
            return
        painter = QPainter(self)
        if self._small is None or self._small[0] is not photo or self._small[1].width() != round(place.width()):
            small = photo.far.scaled(place.size().toSize(), mode=Qt.TransformationMode.SmoothTransformation)
            self._small = (photo, small)
        painter.drawImage(place, self._small[1])
        factor = place.width() / seen.width
        self._covers(painter, place, factor)
        painter.setPen(Qt.PenStyle.NoPen)
        for veil in (QBrush(QColor(0, 0, 0, 120)), QBrush(QColor(255, 255, 255, 150), Qt.BrushStyle.BDiagPattern)):
            painter.setBrush(veil)
            for index in range(seen.across * seen.down):
                if seen.open(index):
                    painter.drawRect(_moved(seen.cell(index), place, factor))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, width in (("black", 4), ("#ffd400", 2)):
            painter.setPen(QPen(QColor(colour), width))
            painter.drawRect(_moved(self._canvas.view_rect(), place, factor).adjusted(1, 1, -1, -1))
        painter.end()

    def _covers(self, painter: QPainter, place: QRectF, factor: float) -> None:
        """The covers, so that the map does not show what the photo hides."""
        painter.save()
        painter.setClipRect(place)
        painter.translate(place.topLeft())
        painter.scale(factor, factor)
        painter.setPen(Qt.PenStyle.NoPen)
        for box in self._canvas.boxes:
            if box.do == "cover":
                painter.setBrush(QColor(*box.colour))
                painter.drawPolygon(box.polygon())
        painter.restore()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Show that place at full size."""
        place, seen = self._place(), self._canvas.seen
        if seen is not None and place.contains(event.position()):
            at = (event.position() - place.topLeft()) * (seen.width / place.width())
            self._canvas.full_size()
            self._canvas.centerOn(at)


def _moved(rect: tuple[float, float, float, float], place: QRectF, factor: float) -> QRectF:
    x0, y0, x1, y1 = rect
    return QRectF(place.left() + x0 * factor, place.top() + y0 * factor, (x1 - x0) * factor, (y1 - y0) * factor)
