"""A photo to be looked at: zoom, move about, turn the view; and what of it was seen."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QGraphicsScene, QGraphicsView, QWidget

from medimg import geometry
from medimg.desktop.photo_item import Photo
from medimg.desktop.pictures import Drawn
from medimg.desktop.seen import Rect, Seen
from medimg.types import Polygon

STEP = 1.25
MOST = 8.0
"""Largest zoom: pixels of the screen for one of the photo."""
MOMENT = 250
"""Milliseconds: what is in view at two ticks of this clock, one after the other, was seen."""


class PhotoView(QGraphicsView):
    """Shows a photo upright, and keeps what of it was seen at full size.

    Attributes:
        photo: What is shown.
        seen: What was seen of it.
        bare: It is shown otherwise than it will be shared: what is in view meanwhile does not count as seen.

    Signals:
        seen_more: More of the photo was seen at full size, or less of it has to be.
        moved: Another part of the photo is in view.
    """

    seen_more = Signal()
    moved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setScene(QGraphicsScene(self))  # the view does not own it: without a parent it is gone at the end
        self.setAcceptDrops(False)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setMinimumSize(160, 240)
        self.photo: Photo | None = None
        self.seen: Seen | None = None
        self.bare = False
        self._fitted = True
        self._turned = 0
        self._stored = (0, 0, 1)
        self._in_view: tuple[Rect, float] | None = None
        self._clock = QTimer(self)
        self._clock.setInterval(MOMENT)
        self._clock.timeout.connect(self._look)

    def clear(self) -> None:
        """Show nothing."""
        self.photo = self.seen = self._in_view = None
        self._clock.stop()
        self.scene().clear()

    def show_photo(self, drawn: Drawn, seen: Seen | None = None) -> None:
        """Show a picture, all of it in view; with what was seen of it before, if that is of the same size."""
        self.clear()
        self.photo = Photo(drawn)  # may raise: nothing is shown then
        self.scene().addItem(self.photo)
        self.scene().setSceneRect(self.photo.boundingRect())
        self._stored = (*geometry.upright_size(drawn.width, drawn.height, drawn.orientation), drawn.orientation)
        self._turned = 0
        known = seen is not None and seen.fits(drawn.width, drawn.height)
        self.seen = seen if known else Seen(drawn.width, drawn.height, drawn.plain)
        self.resetTransform()
        self.fit()
        self._clock.start()

    def upright(self, polygon: Polygon) -> Polygon:
        """Stored coordinates to those of the view."""
        return geometry.to_upright(polygon, *self._stored)

    def stored(self, polygon: Polygon) -> Polygon:
        """Coordinates of the view to stored ones."""
        return geometry.to_stored(polygon, *self._stored)

    @property
    def zoom(self) -> float:
        """Pixels of the screen for one of the photo."""
        return self._view_scale() * self.devicePixelRatioF()

    def _view_scale(self) -> float:
        """Units of the view for one pixel of the photo."""
        t = self.transform()
        return float((t.m11() ** 2 + t.m12() ** 2) ** 0.5)

    def fit(self) -> None:
        """All of the photo in view."""
        self._fitted = True
        if self.photo is not None:
            self.fitInView(self.sceneRect(), Qt.AspectRatioMode.KeepAspectRatio)
            if self.zoom > 1:  # a small photo is not blown up
                self._zoom_to(1.0)
                self._fitted = True
            self._zoomed()

    def full_size(self) -> None:
        """One pixel of the photo for one of the screen."""
        self._zoom_to(1.0)

    def zoom_by(self, factor: float) -> None:
        """Nearer or further."""
        self._zoom_to(min(MOST, max(self.zoom * factor, 0.02)))

    def turn(self) -> None:
        """Turn the view, not the photo, a quarter clockwise."""
        self._turned = (self._turned + 90) % 360
        self.rotate(90)
        if self._fitted:
            self.fit()

    def _zoom_to(self, zoom: float) -> None:
        if self.photo is None:
            return
        self._fitted = False
        factor = zoom / self.zoom
        self.scale(factor, factor)
        self._zoomed()

    def _zoomed(self) -> None:
        self._in_view = None
        self.moved.emit()

    def view_rect(self) -> Rect:
        """The part of the photo that is in view, upright pixels."""
        r = self.mapToScene(self.viewport().rect()).boundingRect() & self.sceneRect()
        return r.left(), r.top(), r.right(), r.bottom()

    def _look(self) -> None:
        """Note what stayed in view since the clock ticked last."""
        seen, before = self.seen, self._in_view
        if seen is None or self.bare or not self.isVisible() or self.window().isMinimized():
            self._in_view = None
            return
        now = (self.view_rect(), self.zoom)
        self._in_view = now
        if before is None:
            return
        (a, near), (b, nearer) = before, now
        both = (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))
        if seen.look(both, min(near, nearer)):
            self.seen_more.emit()

    def next_part(self) -> None:
        """Show the next part that has to be seen."""
        if self.seen is None:
            return
        ratio, port = self.devicePixelRatioF(), self.viewport().size()
        size = (port.width() * ratio, port.height() * ratio)
        step = self.seen.next_step(size[::-1] if self._turned % 180 else size, self._last_part())
        if step is not None:
            self._zoom_to(step.zoom)
            x0, y0, x1, y1 = step.rect
            self.centerOn((x0 + x1) / 2, (y0 + y1) / 2)

    def _last_part(self) -> Rect | None:
        """What is in view, when it is near enough to be a part of the walk."""
        return None if self._fitted else self.view_rect()

    def scrollContentsBy(self, dx: int, dy: int) -> None:  # noqa: N802 - Qt's name
        """Another part is in view."""
        super().scrollContentsBy(dx, dy)
        self.moved.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep all in view if it was."""
        super().resizeEvent(event)
        if self._fitted:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Nearer and further."""
        turned = event.angleDelta().y()
        if turned:
            self.zoom_by(STEP if turned > 0 else 1 / STEP)
        event.accept()
