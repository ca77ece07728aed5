"""All photos of a run, the worst first."""

from __future__ import annotations

import contextlib
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QListView, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from medimg.desktop import theme, wording
from medimg.desktop.pages._flow import FlowLayout
from medimg.desktop.pages._strip import mark
from medimg.desktop.pictures import Drawn
from medimg.desktop.session import Session
from medimg.desktop.widgets import button, label, restyle
from medimg.errors import MedimgError

_ID = Qt.ItemDataRole.UserRole
_SIDE = 168
_LARGEST = 1.3  # pictures need not grow with the words


class Grid(QWidget):
    """Pictures of the covered copies, with a line each.

    Signals:
        chosen: Safe id of a photo to be looked at.
        finished: On to the questions.
        back: Away from this run.
        pictured: Safe id and :class:`QIcon` of a small picture that was made.
    """

    chosen = Signal(str)
    finished = Signal()
    back = Signal()
    pictured = Signal(str, QIcon)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("grid")
        self.session: Session | None = None
        self._items: dict[str, QListWidgetItem] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 12, 20, 12)
        column.setSpacing(8)
        self.title = label(self.tr("Look at every photo"), kind="title", name="grid-title")
        self.words = label(name="grid-words")
        self.photos = QListWidget()
        self.photos.setObjectName("photos")
        self.photos.setAccessibleName(self.tr("Photos, the most doubtful first"))
        self.photos.setViewMode(QListView.ViewMode.IconMode)
        self.photos.setResizeMode(QListView.ResizeMode.Adjust)
        self.photos.setMovement(QListView.Movement.Static)
        self.photos.setWordWrap(True)
        self.photos.setSpacing(6)
        self.photos.setUniformItemSizes(False)
        self.photos.itemActivated.connect(lambda item: self.chosen.emit(item.data(_ID)))
        self.photos.itemClicked.connect(lambda item: self.chosen.emit(item.data(_ID)))
        buttons = QWidget()
        row = FlowLayout(buttons)
        self.go_on = button(self.tr("Look at the next photo"), self._next, name="look-next", kind="primary", key="N")
        self.questions = button(
            self.tr("On to the questions"), self.finished.emit, name="to-questions", key="Ctrl+Return"
        )
        self.leave = button(self.tr("Back to the start"), self.back.emit, name="grid-back")
        for made in (self.go_on, self.questions, self.leave):
            row.addWidget(made)
        for part in (self.title, self.words):
            column.addWidget(part)
        column.addWidget(self.photos, 1)
        column.addWidget(buttons)

    def open_session(self, session: Session) -> None:
        """Show the photos of a run."""
        self.session = session
        self._items = {}
        self.photos.clear()
        self.fit()
        for safe_id in session.order:
            item = QListWidgetItem()
            item.setData(_ID, safe_id)
            item.setIcon(_empty(self.photos.iconSize().width()))
            item.setTextAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
            self.photos.addItem(item)
            self._items[safe_id] = item
            self._show(safe_id)
            self.picture(safe_id)
        if self.photos.count():
            self.photos.setCurrentRow(0)
        self._say()

    def fit(self) -> None:
        """Give each photo as much room as its words need."""
        side = round(_SIDE * min(theme.scale(), _LARGEST))
        metrics = self.photos.fontMetrics()
        across = max(side, metrics.horizontalAdvance(self.tr("… being made again") + "MM"))
        self.photos.setIconSize(QSize(side, side))
        self.photos.setGridSize(QSize(across + 24, side + 5 * metrics.lineSpacing()))

    def picture(self, safe_id: str) -> None:
        """Have the small picture of a copy made anew."""
        if self.session is not None:
            self.session.far(safe_id, lambda drawn: self._drawn(safe_id, drawn))

    def _drawn(self, safe_id: str, drawn: Drawn | MedimgError) -> None:
        item = self._item(safe_id)
        if isinstance(drawn, Drawn):
            image = image_of(drawn)
            if item is not None:
                icon = icon_of(image)
                item.setIcon(icon)
                self.pictured.emit(safe_id, icon)

    def show_one(self, safe_id: str) -> None:
        """Say where a photo stands now."""
        self._show(safe_id)
        self._say()

    def show_all(self) -> None:
        """Say it of every photo."""
        for safe_id in self._items:
            self._show(safe_id)
        self._say()

    def _show(self, safe_id: str) -> None:
        item = self._item(safe_id)
        if item is None or self.session is None:
            return
        s = self.session
        words = wording.about(s.report(safe_id), s.plans.get(safe_id))
        sign, where = mark(s, safe_id)
        item.setText(f"{safe_id}\n{sign} {where}\n{words}")
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{safe_id}: {where}, {words}")

    def _leads(self, first: QPushButton) -> None:
        """Mark the button that goes on."""
        for made in (self.go_on, self.questions):
            kind = "primary" if made is first else ""
            if made.property("kind") != kind:
                made.setProperty("kind", kind)
                restyle(made)

    def _say(self) -> None:
        s = self.session
        if s is None:
            return
        left = [i for i in s.order if i not in s.looked and s.plans.get(i) is not None]
        lines = [
            wording.counts(
                len(left),
                self.tr("{} photo is left to look at."),
                self.tr("{} photos are left to look at."),
            )
            if left
            else self.tr("Every photo was looked at.")
        ]
        if n := s.refused():
            lines.append(
                wording.counts(
                    n,
                    self.tr("{} file was no photo and was skipped."),
                    self.tr("{} files were no photos and were skipped."),
                )
            )
        self.words.setText(" ".join(lines))
        self.go_on.setEnabled(bool(left))
        self._leads(self.go_on if left else self.questions)

    def _next(self) -> None:
        if self.session is not None:
            left = [i for i in self.session.order if i not in self.session.looked and i in self.session.plans]
            if left:
                self.chosen.emit(left[0])

    def _item(self, safe_id: str) -> QListWidgetItem | None:
        return self._items.get(safe_id)


def image_of(drawn: Drawn) -> QImage:
    """The small picture, with its file removed."""
    path = Path(drawn.file)
    try:
        data = path.read_bytes()[: drawn.width * drawn.height * 3]
    except OSError:
        data = b""
    with contextlib.suppress(OSError):
        path.unlink()
    if len(data) < drawn.width * drawn.height * 3:
        return QImage()
    # A copy: the image must not point into bytes that go away.
    return QImage(data, drawn.width, drawn.height, drawn.width * 3, QImage.Format.Format_RGB888).copy()


def icon_of(image: QImage) -> QIcon:
    """A picture in the middle of a square, so that the words of all stand in line.

    A chosen one is not tinted: a cover has to look solid there, too.
    """
    side = max(image.width(), image.height())
    made = QPixmap(side, side)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.drawImage((side - image.width()) // 2, (side - image.height()) // 2, image)
    painter.end()
    icon = QIcon(made)
    icon.addPixmap(made, QIcon.Mode.Selected)
    return icon


def _empty(side: int) -> QIcon:
    """The place of a picture that is not there (yet)."""
    made = QPixmap(side, side)
    made.fill(QColor(0, 0, 0, 0))
    painter = QPainter(made)
    painter.setPen(QPen(QColor("#7a838c"), 3, Qt.PenStyle.DashLine))
    painter.drawRect(4, 4, side - 8, side - 8)
    painter.end()
    return QIcon(made)
