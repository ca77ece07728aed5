"""The acts in the window: one screen each, as :mod:`medimg.acts` gives them; a release at the end of each patient."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from medimg.acts import Field, Input, Line, Option, Screen, together
from medimg.acts.plan import kind, subject
from medimg.acts.sitting import Sitting
from medimg.desktop.pages._flow import FlowLayout
from medimg.desktop.pages._small_pictures import SmallPictures
from medimg.desktop.pages.cards import column_of, swap
from medimg.desktop.widgets import Banner, button, copy_details, label
from medimg.desktop.wording import details, fault
from medimg.errors import MedimgError
from medimg.policy import Policy
from medimg.report import refresh
from medimg.run.opened import OpenRun, open_run
from medimg.run.register import Register


class ActsPage(QWidget):
    """One act after the other.

    Signals:
        finished: Nothing is left to do, or the person goes on later.
        every: The long way: every question by itself.
        back: To the pictures.
        look: Safe id of a photo that has to be looked at first.
    """

    finished = Signal()
    every = Signal()
    back = Signal()
    look = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("acts")
        self.sitting: Sitting | None = None
        self.shown: Screen | None = None
        self.looked: frozenset[str] = frozenset()
        self._together: tuple[Screen, ...] = ()
        self._each = ""  # the patient whose copies are asked about one by one
        self.fields: dict[str, QLineEdit] = {}
        self.ticks: dict[str, QCheckBox] = {}
        self.options: dict[str, QPushButton] = {}
        self._opened: OpenRun | None = None
        self.title = label(kind="title", name="acts-title")
        self.place = label(kind="quiet", name="acts-place")
        self.place.setWordWrap(False)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Acts that are done"))
        self.banner = Banner("acts-banner")
        self.small = SmallPictures(Policy.load())
        self.small.setObjectName("acts-copies")
        self.small.setAccessibleName(self.tr("The copies that this is about"))
        self.area = QScrollArea()
        self.area.setObjectName("acts-area")
        self.area.setWidgetResizable(True)
        self.area.setMinimumHeight(200)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setAccessibleName(self.tr("What this act is about"))
        far = QHBoxLayout()
        far.addWidget(self.place)
        far.addWidget(self.bar, 1)
        self.choices = QWidget()
        self._row = FlowLayout(self.choices)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 12, 20, 12)
        column.setSpacing(10)
        column.addWidget(self.title)
        column.addLayout(far)
        column.addWidget(self.banner)
        column.addWidget(self.small)
        column.addWidget(self.area, 1)
        column.addWidget(self.choices)
        column.addWidget(self._bottom())

    def _bottom(self) -> QWidget:
        self.before = button(
            self.tr("Act before"), lambda: self.give("back"), name="act-back", key="Alt+Left", hint=self.tr("One back")
        )
        self.skip = button(
            self.tr("Leave open"), lambda: self.give("skip"), name="act-skip", hint=self.tr("It is asked again later.")
        )
        self.long = button(
            self.tr("Every question by itself"),
            self.every.emit,
            name="act-every",
            hint=self.tr("The long way. Both ways write the same answers."),
        )
        self.pictures = button(self.tr("Back to the pictures"), self.back.emit, name="act-pictures")
        self.later = button(
            self.tr("Finish later"), self.finished.emit, name="act-later", hint=self.tr("What was said is kept.")
        )
        panel = QWidget()
        row = FlowLayout(panel)
        for made in (self.before, self.skip, self.long, self.pictures, self.later):
            row.addWidget(made)
        return panel

    # -- the run

    def open_run(self, run: Path, looked: frozenset[str] = frozenset()) -> None:
        """Begin with what is open.

        Args:
            run: The run folder.
            looked: Safe ids of the photos that were seen as a whole.

        Raises:
            MedimgError: It cannot be read, or the clock stands before the newest answer.
        """
        opened = open_run(run)
        self._opened, self.looked, self._each = opened, looked, ""
        self.sitting = Sitting(opened, [], Register(), pictures=True)
        self.banner.put_away()
        if self.sitting.troubles:
            self.banner.say(" ".join(self.sitting.troubles))
        self.show_screen()

    def give(self, key: str) -> None:
        """Do something on the screen that is shown."""
        if self.sitting is None or self.shown is None:
            return
        if self._together and key == "n":  # then it has to be said of which
            self._each = self.shown.group
            self.show_screen()
            return
        done = Input(
            key=key,
            ticks=tuple(k for k, box in self.ticks.items() if box.isChecked()),
            fields={name: box.text() for name, box in self.fields.items()},
        )
        try:
            if self._together and key in ("y", "skip"):
                together.give(self.sitting, self._together, key)
            else:
                self.sitting.give(done)
        except MedimgError as error:
            self.banner.say(fault(error), copy_details(details(error)))
            return
        self.banner.put_away()
        self.show_screen()

    def write_sheets(self) -> None:
        """Write the sheets as answered so far.

        Raises:
            OutputError: A sheet could not be written.
        """
        if self.sitting is not None and self._opened is not None:
            refresh(self.sitting.walk.state, self.sitting.walk.reports, self._opened.folder)

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Write the sheets when the page is left in whatever way; what was said is saved already."""
        if not event.spontaneous():
            self.small.end()
            try:
                self.write_sheets()
            except MedimgError as error:
                self.banner.say(fault(error), copy_details(details(error)))
        super().hideEvent(event)

    # -- what is shown

    def show_screen(self) -> None:
        """Show the act of now; at the end go on."""
        self.shown = shown = self.sitting.screen() if self.sitting is not None else None
        if shown is None:
            # Not from inside of what a button does: the button goes.
            QTimer.singleShot(0, self, self.finished.emit)
            return
        self._together = together.looks(self.sitting.walk, self.looked) if self.sitting is not None else ()
        if len(self._together) < 2 or self._each == shown.group:
            self._together = ()
        else:
            self.shown = shown = together.merged(self._together)
        self._show_copies(shown)
        self.title.setText(shown.title)
        self.place.setText(shown.place)
        self.bar.setRange(0, max(shown.of, 1))
        self.bar.setValue(shown.number - 1)
        self.bar.setAccessibleDescription(self.place.text())
        if shown.trouble:
            self.banner.say(shown.trouble)
        self._fill(shown)
        self._offer(shown)

    def _fill(self, shown: Screen) -> None:
        content = QWidget(self.area)
        column = column_of(content)
        lead = self._lead(shown)
        if lead:
            column.addWidget(label(lead, kind="heading"))
        for line in shown.lines:
            self._line(line, column)
        self.fields = {f.name: self._field(f, column) for f in shown.fields}
        self.ticks = {t.key: self._tick(t, shown, column) for t in shown.ticks}
        column.addStretch(1)
        swap(self.area, content)

    def _show_copies(self, shown: Screen) -> None:
        """The copies of a look at several, or those that a release is about, in small."""
        found: dict[str, Path] = {}
        if self._opened is not None and (self._together or kind(shown.act) == "release"):
            looked = {subject(one.act) for one in self._together}
            for report in self._opened.of(shown.group):
                path = self._opened.copy_of(report)
                if path is not None and (not looked or report.safe_id in looked):
                    found[report.safe_id] = path
        self.small.show_these(found.values(), list(found))

    def _lead(self, shown: Screen) -> str:
        """What is said first; about a copy, in the words of this window."""
        if self._together:
            return self.tr("You looked at each of these copies. Is this true of all of them?")
        if kind(shown.act) != "look":
            return shown.lead
        if self.sitting is not None and subject(shown.act) in self.sitting.walk.waits:
            return self.tr("The copy does not show yet what you decided. Look at the photo, and go on from there.")
        return "" if shown.options else shown.lead  # the copy was looked at in this window

    def _line(self, line: Line, column: QVBoxLayout) -> None:
        mark = {True: "✓", False: "✗", None: "•"}[line.true]
        column.addWidget(label(f"{mark} {line.text}", kind="alert" if line.true is False else ""))
        if line.checks_say:
            column.addWidget(label(line.checks_say, kind="quiet"))

    def _field(self, field: Field, column: QVBoxLayout) -> QLineEdit:
        box = QLineEdit(field.value)
        box.setAccessibleName(field.label)
        box.setObjectName(f"field-{field.name}")
        column.addWidget(label(field.label))
        column.addWidget(box)
        return box

    def _tick(self, tick: Option, shown: Screen, column: QVBoxLayout) -> QCheckBox:
        words = tick.words if shown.mark == "x" else f"{shown.mark[:1].upper()}{shown.mark[1:]}: {tick.words}"
        box = QCheckBox(words)
        box.setAccessibleName(words)
        box.setChecked(tick.key in shown.ticked)
        box.toggled.connect(lambda _on: self._standing())
        column.addWidget(box)
        return box

    def _offer(self, shown: Screen) -> None:
        """The buttons of this act: those of the act before go."""
        for made in list(self.options.values()):
            self._row.removeWidget(made)
            made.hide()
            made.deleteLater()
        self.options = {}
        unseen = kind(shown.act) == "look" and subject(shown.act) not in self.looked
        if unseen:
            self._add("look", self.tr("Look at this photo first"), kind="primary")
        elif kind(shown.act) == "applies":
            self._add("", self.tr("That is what applies"), kind="primary")
        for option in shown.options:
            first = not self.options
            made = self._add(option.key, f"{option.words[:1].upper()}{option.words[1:]}", "primary" if first else "")
            made.setEnabled(not (unseen and option.key == "y"))
        self._standing()
        first_field = next(iter(self.fields.values()), None)
        first_button = next((b for b in self.options.values() if b.isEnabled()), self.skip)
        (first_field or first_button).setFocus(Qt.FocusReason.OtherFocusReason)

    def _add(self, key: str, words: str, kind: str = "") -> QPushButton:
        made = button(words, name=f"option-{key or 'on'}", kind=kind)
        made.clicked.connect(lambda: self._pressed(key))
        if len(key) == 1:
            QShortcut(QKeySequence(key), made, made.click)
            made.setToolTip(f"[{key.upper()}]")
        self._row.addWidget(made)
        self.options[key] = made
        return made

    def _pressed(self, key: str) -> None:
        if key == "look" and self.shown is not None:
            self.look.emit(subject(self.shown.act))
        else:
            self.give(key)

    def _standing(self) -> None:
        """Of a list either something is ticked, or "none" is said."""
        if self.shown is None or kind(self.shown.act) != "applies" or "" not in self.options:
            return
        any_ticked = any(box.isChecked() for box in self.ticks.values())
        self.options[""].setEnabled(any_ticked)
        if "0" in self.options:
            self.options["0"].setEnabled(not any_ticked)


__all__ = ["ActsPage"]
