"""The first page: drop photos, say for whom and where, and choose a place for the copies."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QListWidget,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from medimg.consent.context import SharingContext
from medimg.consent.site import SiteProfile
from medimg.desktop import dialogs, dropped
from medimg.desktop.pages._flow import FlowLayout
from medimg.desktop.pages._small_pictures import SmallPictures
from medimg.desktop.pages.choices import Choices
from medimg.desktop.widgets import Banner, button, label, restyle
from medimg.desktop.wording import NAMED, counts, fault, messages, skipped
from medimg.errors import MedimgError, UsageError
from medimg.policy import Policy
from medimg.run import cloud_folders
from medimg.run.folder import RECORD_FOLDER, refuse_inside


class StartPage(QWidget):
    """Drop, two choices, a place.

    Signals:
        chosen: Photos (a list of paths), audience, country (empty for all), and the place for the copies.
        opened: A run folder to open.
    """

    chosen = Signal(list, str, str, Path)
    opened = Signal(Path)
    _looked = Signal(int, object)

    def __init__(self, parent: QWidget | None = None, site: SiteProfile | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("start")
        self.setAcceptDrops(True)
        self.things: list[Path] = []
        self.seen: dropped.Looked | None = None
        self.out: Path | None = None
        self._site = site
        self._round = 0
        self._policy = Policy.load()
        self._counting: list[threading.Thread] = []
        self._looked.connect(self._counted, Qt.ConnectionType.QueuedConnection)
        inside = QWidget()
        inside.setProperty("kind", "plain")
        inside.setMinimumHeight(1)  # else as high as if the words stood in a narrow column
        column = QVBoxLayout(inside)
        column.setContentsMargins(20, 12, 20, 12)
        column.setSpacing(10)
        self.banner = Banner("start-banner")
        column.addWidget(self.banner)
        column.addWidget(self._drop_area(), 1)
        column.addWidget(self._promises())
        self.choices = Choices(site)
        column.addWidget(self.choices)
        scroll = QScrollArea()
        scroll.setObjectName("start-scroll")
        scroll.setProperty("kind", "plain")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll, 1)
        whole.addWidget(self._bottom())
        if site is not None and site.output_places:
            self.take_out(Path(site.output_places[0]), by_site=True)
        self._show()

    # -- its parts

    def _drop_area(self) -> QWidget:
        self.area = QFrame()
        self.area.setObjectName("drop-area")
        self.area.setProperty("kind", "drop")
        box = QVBoxLayout(self.area)
        box.setContentsMargins(16, 16, 16, 16)
        box.setSpacing(8)
        self.call = label(self.tr("Drop photos here"), kind="title", name="drop-call")
        self.call.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.found = label(name="found")
        self.found.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.skipped = label(name="skipped")
        self.skipped.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.names = QListWidget()
        self.names.setObjectName("skipped-names")
        self.names.setAccessibleName(self.tr("Files that are skipped"))
        self.names.setMaximumHeight(110)
        buttons = QWidget()
        row = FlowLayout(buttons)
        self.first = button(
            self.tr("Choose photos…"),
            self._choose_photos,
            name="choose-photos",
            key="Ctrl+O",
            hint=self.tr("Choose one or more photos"),
        )
        for made in (
            self.first,
            button(self.tr("Choose a folder…"), self._choose_folder, name="choose-folder", key="Ctrl+Shift+O"),
            button(self.tr("Open earlier work…"), self._choose_run, name="choose-run", key="Ctrl+R"),
        ):
            row.addWidget(made)
        self.clear_button = button(self.tr("Clear the list"), self.clear, name="clear")
        row.addWidget(self.clear_button)
        box.addStretch(1)
        self.small = SmallPictures(self._policy)
        for part in (self.call, self.small, self.found, self.skipped, self.names):
            box.addWidget(part)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(buttons)
        middle.addStretch(1)
        box.addLayout(middle)
        box.addStretch(1)
        return self.area

    def _promises(self) -> QWidget:
        panel = QWidget()
        row = QHBoxLayout(panel)
        row.setContentsMargins(0, 0, 0, 0)
        for text, name in (
            (self.tr("✓ Nothing leaves this computer."), "promise-local"),
            (self.tr("✓ Your originals are never changed."), "promise-originals"),
        ):
            made = label(text, kind="good", name=name)
            made.setAlignment(Qt.AlignmentFlag.AlignCenter)
            row.addWidget(made)
        return panel

    def _bottom(self) -> QWidget:
        panel = QWidget()
        rows = QVBoxLayout(panel)
        rows.setContentsMargins(20, 8, 20, 12)
        place, row = QHBoxLayout(), QHBoxLayout()
        for part in (place, row):
            rows.addLayout(part)
        self.place = label(name="place")
        self.place_button = button(
            self.tr("Choose a place for the copies…"),
            self._choose_out,
            name="choose-out",
            hint=self.tr("A new folder is made there. Never beside the originals."),
        )
        place.addWidget(self.place, 1)
        place.addWidget(self.place_button)
        self.missing = label(kind="quiet", name="missing")
        self.go = button(
            self.tr("Make the copies"), self._go, name="go", kind="primary", key="Ctrl+Return", hint=self.tr("Begin")
        )
        row.addWidget(self.missing, 1)
        row.addWidget(self.go)
        return panel

    # -- what is dropped

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 - Qt's name
        """Files and folders may be dropped; they are only ever read."""
        if dropped.paths(event.mimeData()) or dropped.is_message(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)  # never move: the originals stay
            event.accept()
            self._lit(on=True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802 - Qt's name
        """The drag went on."""
        self._lit(on=False)
        event.accept()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802 - Qt's name
        """Take what was dropped."""
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self._lit(on=False)
        if dropped.is_message(event.mimeData()):
            self.banner.say(messages())
        else:
            self.take(dropped.paths(event.mimeData()))

    def _lit(self, *, on: bool) -> None:
        self.area.setProperty("over", "true" if on else "false")
        self.call.setText(self.tr("Let go to add them") if on else self._call())
        restyle(self.area)

    def take(self, things: Sequence[Path]) -> None:
        """Add files and folders; they are counted beside the window's thread. A run folder alone is opened."""
        self.banner.put_away()
        if len(things) == 1 and (things[0] / RECORD_FOLDER).is_dir():
            self.opened.emit(things[0])
            return
        for path in things:
            if path not in self.things:
                self.things.append(path)
        if not self.things:
            return
        self.seen = None
        self._round += 1
        mine, wanted = self._round, tuple(self.things)

        def work() -> None:
            result = dropped.look(wanted, lambda: self._round != mine)
            if self._round == mine:
                self._looked.emit(mine, result)

        thread = threading.Thread(target=work, name="count", daemon=True)
        self._counting = [t for t in (*self._counting, thread) if t is thread or t.is_alive()]
        thread.start()
        self._show()

    def stop(self) -> None:
        """Stop counting, and wait for the end of it: a thread must not report to a page that is gone."""
        self._round += 1
        for thread in self._counting:
            thread.join()
        self._counting = []
        self.small.end()

    def clear(self) -> None:
        """Forget what was dropped."""
        self._round += 1
        self.things, self.seen = [], None
        self.small.show_these([])
        self.small.end()
        self.choices.forget()
        self.banner.put_away()
        self._show()

    @Slot(int, object)
    def _counted(self, which: int, seen: dropped.Looked) -> None:
        if which == self._round:
            self.seen = seen
            self._show()
            self.small.show_these(seen.first)

    # -- the place for the copies

    def take_out(self, folder: Path, *, by_site: bool = False) -> None:
        """Choose the place for the copies, unless it cannot be one."""
        try:
            self._may(folder)
        except MedimgError as error:
            self.banner.say(fault(error))
            return
        self.out = folder
        self.banner.put_away()
        warning = ""
        if cloud_folders.synced(folder):
            warning = self.tr("This folder looks synchronised with a cloud service: copies may leave this computer.")
        elif cloud_folders.removable(folder):
            warning = self.tr("This folder lies on a drive that can be taken out.")
        if warning:
            self.banner.say(warning)
        shown = dropped.short(folder)
        self.place.setText(
            (self.tr("Copies go to: {} (set by your organisation)") if by_site else self.tr("Copies go to: {}")).format(
                shown
            )
        )
        self._show()

    def _may(self, folder: Path) -> None:
        refuse_inside(folder, [t for t in self.things if t.is_dir()])
        beside = {t.parent.resolve() for t in self.things if not t.is_dir()}
        if folder.resolve() in beside:
            raise UsageError("the copies cannot be put beside the originals.", todo="Choose another folder.")
        if self._site is not None:
            self._site.allows(SharingContext(audience=self.choices.audience.currentData()), folder)

    def _choose_photos(self) -> None:
        self.take(dialogs.choose_photos(self, self.tr("Choose photos")))

    def _choose_folder(self) -> None:
        folder = dialogs.choose_folder(self, self.tr("Choose a folder with photos"))
        if folder:
            self.take([folder])

    def _choose_run(self) -> None:
        run = dialogs.choose_folder(self, self.tr("Choose a folder that begins with medimg-"), self.out)
        if run:
            self.opened.emit(run)

    def _choose_out(self) -> None:
        folder = dialogs.choose_folder(self, self.tr("Choose a place for the copies"), self.out)
        if folder:
            self.take_out(folder)

    def _go(self) -> None:
        if self.out is None or self.seen is None or not self.seen.pictures:
            return
        try:
            self._may(self.out)
        except MedimgError as error:
            self.banner.say(fault(error))
            return
        there = [t for t in self.things if t.exists()]
        gone = len(self.things) - len(there)
        if gone:
            self.things = there
            self.take([])
            self.banner.say(
                counts(
                    gone,
                    self.tr("{} thing you dropped is not there any more."),
                    self.tr("{} things you dropped are not there any more."),
                )
            )
            return
        audience, country = self.choices.remember()
        self.small.end()
        self.chosen.emit(there, audience, country, self.out)

    # -- what it says

    def _call(self) -> str:
        return self.tr("Drop more photos here") if self.things else self.tr("Drop photos here")

    def _show(self) -> None:
        self.call.setText(self._call())
        self.clear_button.setVisible(bool(self.things))
        seen = self.seen
        if not self.things:
            self.found.setText(self.tr("Photos or whole folders, from the file manager, a camera or a message."))
        elif seen is None:
            self.found.setText(self.tr("Counting…"))
        else:
            self.found.setText(counts(seen.pictures, self.tr("{} photo is ready."), self.tr("{} photos are ready.")))
        self._show_skipped(seen)
        if self.out is None:
            self.place.setText(self.tr("No place for the copies is chosen yet."))
        left = []
        if seen is None or not seen.pictures:
            left.append(self.tr("drop photos") if not self.things or seen else self.tr("wait until they are counted"))
        if self.out is None:
            left.append(self.tr("choose a place for the copies"))
        self.missing.setText(self.tr("Still to do: {}").format(", ".join(left)) if left else "")
        self.go.setEnabled(not left)

    def _show_skipped(self, seen: dropped.Looked | None) -> None:
        others = [*seen.others, *seen.unread] if seen else []
        lines = skipped(seen) if seen else []
        self.skipped.setText("\n".join(lines))
        self.skipped.setVisible(bool(lines))
        self.names.clear()
        self.names.addItems([dropped.readable(n) for n in others])
        self.names.setVisible(len(others) > NAMED)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for all of it."""
        return QSize(760, 560)
