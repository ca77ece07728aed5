"""The first page: drop photos, say for whom and where, and choose a place for the copies."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QIcon, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QListView,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import DEFAULT_AUDIENCE, SharingContext
from medimg.consent.site import SiteProfile
from medimg.desktop import dropped, pictures, remembered
from medimg.desktop.pages._flow import FlowLayout
from medimg.desktop.pages._grid import image_of
from medimg.desktop.pages._known import KnownBox
from medimg.desktop.widgets import Banner, button, choice_row, label, restyle
from medimg.desktop.wording import NAMED, counts, fault, messages, skipped
from medimg.desktop.work import Lane, in_worker
from medimg.engine.pool import MEMORY_FULL
from medimg.engine.worker import Setup
from medimg.errors import MedimgError, UsageError
from medimg.policy import Policy
from medimg.run import cloud_folders
from medimg.run.folder import refuse_inside
from medimg.run.state import RECORD_FOLDER

_SIDE = 72
CHAT = 2048
"""Longest side, in pixels, of copies for a chat: a wound still fills a screen."""
MOST_FACES = 50
"""The most that can be said; who shares more faces counts them copy by copy."""
_ORDER = (DEFAULT_AUDIENCE, "colleague-opinion", "teaching", "publication", "public")


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
        self._lane: Lane | None = None
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
        column.addWidget(self._choices())
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
        self.small = QListWidget()
        self.small.setObjectName("dropped")
        self.small.setAccessibleName(self.tr("The first of the dropped photos, in small"))
        self.small.setViewMode(QListView.ViewMode.IconMode)
        self.small.setFlow(QListView.Flow.LeftToRight)
        self.small.setWrapping(False)
        self.small.setMovement(QListView.Movement.Static)
        self.small.setIconSize(QSize(_SIDE, _SIDE))
        self.small.setFixedHeight(_SIDE + 24 + self.small.horizontalScrollBar().sizeHint().height())
        self.small.hide()
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

    def _choices(self) -> QWidget:
        panel = QWidget()
        rows = QVBoxLayout(panel)
        rows.setContentsMargins(0, 0, 0, 0)
        definition = ChecklistDefinition.load()
        self.audience = QComboBox()
        self.audience.setObjectName("audience")
        allowed = [a for a in _ORDER if self._site is None or not self._site.audiences or a in self._site.audiences]
        words = {
            "closed-group": self.tr("A closed group of professionals (members only)"),
            "colleague-opinion": self.tr("One or a few named colleagues, for advice"),
            "teaching": self.tr("Teaching"),
            "publication": self.tr("A journal, book or poster"),
            "public": self.tr("Everybody: web, social media, press"),
        }
        for key in [*allowed, *(a for a in definition.audiences if a not in _ORDER)]:
            self.audience.addItem(words.get(key, definition.audiences.get(key, key)), key)
        self.country = QComboBox()
        self.country.setObjectName("country")
        self.country.addItem(self.tr("Not sure: ask for all countries"), "")
        for key, name in definition.jurisdictions.items():
            self.country.addItem(name.partition(" (")[0], key)
        last = remembered.load()
        for box, key in ((self.audience, last.audience), (self.country, last.country)):
            if key and box.findData(key) >= 0:  # an organisation may have taken it away
                box.setCurrentIndex(box.findData(key))
        rows.addLayout(choice_row(self.tr("For &whom?"), self.audience))
        rows.addLayout(choice_row(self.tr("Coun&try"), self.country))
        self.alone = QCheckBox(self.tr("Each photo shows a &different patient"))
        self.alone.setObjectName("alone")
        self.alone.setAccessibleName(self.tr("Each photo shows a different patient"))
        self.alone.setAccessibleDescription(self.tr("Otherwise all photos of a folder count as one patient."))
        self.one = label(self.tr("Otherwise all photos of a folder count as one patient."), kind="quiet", name="one")
        rows.addWidget(self.alone)
        rows.addWidget(self.one)
        rows.addLayout(choice_row(self.tr("&Size of the copies"), self._sizes()))
        rows.addLayout(choice_row(self.tr("&Look for"), self._known()))
        rows.addLayout(choice_row(self.tr("&Faces in all"), self._people()))
        if self._site is not None and self._site.audiences:
            rows.addWidget(label(self.tr("The choices are set by your organisation."), kind="quiet"))
        return panel

    def _sizes(self) -> QComboBox:
        self.copies = QComboBox()
        self.copies.setObjectName("size")
        self.copies.addItem(self.tr("As the photos, exact"), ("", 0))
        self.copies.addItem(self.tr("As the photos; from iPhones as JPEG"), ("jpeg", 0))
        self.copies.addItem(self.tr("For a chat: JPEG, at most {} pixels").format(CHAT), ("jpeg", CHAT))
        return self.copies

    def _known(self) -> KnownBox:
        self.known = KnownBox()
        self.known.setAccessibleName(self.tr("Names, numbers and dates of the patient"))
        self.known.setPlaceholderText(self.tr("name, number, birth date: kept nowhere"))
        return self.known

    def _people(self) -> QComboBox:
        self.people = QComboBox()
        self.people.setObjectName("people")
        self.people.addItems([self.tr("not said"), *map(str, range(1, MOST_FACES + 1))])
        self.people.setAccessibleName(self.tr("How many faces show in all photos together"))
        return self.people

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
        self._end_pictures()

    def _end_pictures(self) -> None:
        if self._lane is not None:
            self._lane.close()
            self._lane.deleteLater()
            self._lane = None

    def clear(self) -> None:
        """Forget what was dropped."""
        self._round += 1
        self.things, self.seen = [], None
        self.small.clear()
        self.small.hide()
        self._end_pictures()
        self.forget()
        self.banner.put_away()
        self._show()

    def forget(self) -> None:
        """What was typed of these patients goes."""
        self.known.clear()
        self.people.setCurrentIndex(0)

    @Slot(int, object)
    def _counted(self, which: int, seen: dropped.Looked) -> None:
        if which == self._round:
            self.seen = seen
            self._show()
            self._show_small(seen)

    def _show_small(self, seen: dropped.Looked) -> None:
        """Have small pictures made in a worker: the window reads no photo itself. No names stand under them."""
        self.small.clear()
        self.small.setVisible(bool(seen.first))
        if seen.first and self._lane is None:
            light = msgspec.structs.replace(self._policy, scope="metadata-only")
            self._lane = Lane(Setup(policy=light, memory=MEMORY_FULL), self)
        for number, path in enumerate(seen.first, 1):
            item = QListWidgetItem()
            item.setSizeHint(QSize(_SIDE + 12, _SIDE + 12))  # its place before its picture is made
            item.setData(Qt.ItemDataRole.AccessibleTextRole, self.tr("Photo {}").format(number))
            self.small.addItem(item)
            if self._lane is not None:
                job = in_worker(pictures.draw, os.fsencode(path), self._policy, 2 * _SIDE)
                self._lane.give(job, partial(self._drawn, self._round, number - 1))

    def _drawn(self, which: int, row: int, drawn: object) -> None:
        if isinstance(drawn, pictures.Drawn):
            image = image_of(drawn)  # its file goes, whether it is still wanted or not
            if which == self._round and row < self.small.count():
                self.small.item(row).setIcon(QIcon(QPixmap.fromImage(image)))

    # -- choices

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
            self._site.allows(SharingContext(audience=self.audience.currentData()), folder)

    def _choose_photos(self) -> None:
        files, _ = QFileDialog.getOpenFileNames(self, self.tr("Choose photos"), str(Path.home()))
        self.take([Path(f) for f in files])

    def _choose_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Choose a folder with photos"), str(Path.home()))
        if folder:
            self.take([Path(folder)])

    def _choose_run(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, self.tr("Choose a folder that begins with medimg-"), str(self.out or Path.home())
        )
        if folder:
            self.opened.emit(Path(folder))

    def _choose_out(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, self.tr("Choose a place for the copies"), str(self.out or Path.home())
        )
        if folder:
            self.take_out(Path(folder))

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
        remembered.save(remembered.Choices(audience=self.audience.currentData(), country=self.country.currentData()))
        self._end_pictures()
        self.chosen.emit(list(there), self.audience.currentData(), self.country.currentData(), self.out)

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
