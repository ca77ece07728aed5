"""The decoded picture on the canvas."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from medimg.desktop.pictures import Drawn
from medimg.system import host


class Photo(QGraphicsItem):
    """The decoded picture. From afar the small one is drawn, from near only the part that is in view."""

    def __init__(self, drawn: Drawn) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        near, far = drawn.width * drawn.height * 3, drawn.far_width * drawn.far_height * 3
        handle = host.take(Path(drawn.file))
        try:
            self._bytes = mmap.mmap(handle, near + far, access=mmap.ACCESS_READ)
        finally:
            os.close(handle)
        view = memoryview(self._bytes)
        rgb = QImage.Format.Format_RGB888
        self.near = QImage(view[:near], drawn.width, drawn.height, drawn.width * 3, rgb)
        self.far = QImage(view[near:], drawn.far_width, drawn.far_height, drawn.far_width * 3, rgb)
        self._scale = drawn.far_width / drawn.width

    def boundingRect(self) -> QRectF:  # noqa: N802 - Qt's name
        """All of it."""
        return QRectF(0, 0, self.near.width(), self.near.height())

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:  # noqa: ARG002
        """Draw what is in view."""
        lod = option.levelOfDetailFromTransform(painter.worldTransform())
        part = option.exposedRect & self.boundingRect()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, lod < 1)
        if lod <= self._scale:
            s = self._scale
            painter.drawImage(part, self.far, QRectF(part.x() * s, part.y() * s, part.width() * s, part.height() * s))
        else:
            painter.drawImage(part, self.near, part)
