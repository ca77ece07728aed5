"""The third page: look at every photo and correct what was found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from medimg.api import load_detectors
from medimg.desktop import dialogs
from medimg.desktop.pages._fit import Pages
from medimg.desktop.pages.grid import Grid
from medimg.desktop.pages.look import Look
from medimg.desktop.session import Session
from medimg.desktop.widgets import Banner, button, copy_details
from medimg.desktop.wording import details, fault
from medimg.engine.worker import Maker
from medimg.errors import MedimgError
from medimg.policy import Policy
from medimg.types import NOTHING_KNOWN


class ReviewPage(QWidget):
    """All photos, and each by itself.

    Signals:
        finished: Everything that was decided is in the copies, as far as that was possible; on to the questions.
        back: To the first page.
    """

    finished = Signal()
    back = Signal()

    def __init__(
        self, parent: QWidget | None = None, make: Maker = load_detectors, policy: Policy | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("review")
        self._make, self._policy = make, policy
        self.session: Session | None = None
        self.places: list[Path] = []
        self.known = NOTHING_KNOWN
        self.banner = Banner("review-banner")
        self.grid = Grid()
        self.look = Look()
        self.stack = Pages()
        self.stack.addWidget(self.grid)
        self.stack.addWidget(self.look)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.banner)
        column.addWidget(self.stack, 1)
        self.grid.chosen.connect(self.show_photo)
        self.grid.finished.connect(self.end)
        self.grid.back.connect(self.back)
        self.grid.pictured.connect(self.look.strip.picture)
        self.look.strip.chosen.connect(self.show_photo)
        self.look.overview.connect(self.show_grid)
        self.look.next_photo.connect(self._next)
        self.look.want_places.connect(self._choose_places)

    def set_places(self, places: Sequence[Path]) -> None:
        """Where the originals of the next run may be: what was dropped."""
        self.places = list(places)

    def open_run(self, run: Path) -> None:
        """Open a run folder.

        Raises:
            MedimgError: It is not a run folder, is damaged, or was made by a newer version.
        """
        self.close_run()
        session = Session(run, self.places, self, self._make, self._policy, self.known)
        self.session = session
        session.changed.connect(self._changed)
        session.coloured.connect(self._coloured)
        session.trouble.connect(self._trouble)
        session.located.connect(self._located)
        session.settled.connect(self.grid.picture)
        session.drained.connect(self._drained)
        session.undo.indexChanged.connect(self._stepped)
        self.banner.put_away()
        self.look.strip.open_session(session)
        self.grid.open_session(session)
        self.grid.setEnabled(True)
        self.stack.setCurrentWidget(self.grid)
        if session.foreign():
            self.banner.say(
                self.tr(
                    "This run was made with other settings. You can look at it and answer the questions here, but"
                    " changes to covers cannot be applied in this window. 'medimg apply' can, with those settings."
                )
            )

    def compare_people(self, said: int) -> None:
        """Tell whether the checks found as many faces as a person says there are."""
        if self.session is None:
            return
        found = self.session.faces()
        if found < said:
            self.banner.say(
                self.tr("You said that {} faces show; the check found {}. Look for the others yourself.").format(
                    said, found
                )
            )

    def close_run(self) -> None:
        """Stop every worker of the open run."""
        if self.session is not None:
            self.session.close()
            self.session.deleteLater()
            self.session = None
            self.look.session = None
            self.look.canvas.clear()

    def _stepped(self, _index: int) -> None:
        if self.session is not None:  # a stack says it once more as it goes away
            self.look.refresh()

    def recolour(self) -> None:
        """Show the marks in the colours of now."""
        if self.session is not None:
            for safe_id in self.session.order:
                self.look.strip.show_one(self.session, safe_id)

    def show_photo(self, safe_id: str) -> None:
        """Look at one photo."""
        if self.session is not None:
            self.stack.setCurrentWidget(self.look)
            self.look.open_photo(self.session, safe_id)

    def show_grid(self) -> None:
        """See all of them."""
        self.stack.setCurrentWidget(self.grid)
        self.grid.photos.setFocus()

    def end(self) -> None:
        """Make the copies again whose decisions wait, then go on."""
        if self.session is not None:
            self.grid.setEnabled(False)
            self.grid.words.setText(self.tr("Making the copies again where you changed something…"))
            self.session.end()

    def _drained(self) -> None:
        self.grid.setEnabled(True)
        if self.session is None:
            return
        self.grid.show_all()
        if not self.session.waiting() and not self.session.unsaved:
            self.finished.emit()
            return
        go_on = button(self.tr("Go on all the same"), self._go_on, name="go-on")
        said = self.banner.text()
        self.banner.say(
            " ".join(
                x
                for x in (said, self.tr("Some changes are not in the copies yet. These photos cannot be released."))
                if x
            ),
            go_on,
        )

    def _go_on(self) -> None:
        self.banner.put_away()
        self.finished.emit()

    def _next(self) -> None:
        session = self.session
        if session is None:
            return
        here = session.order.index(self.look.safe_id)
        later = [*session.order[here + 1 :], *session.order[:here]]
        left = [i for i in later if i not in session.looked and i not in session.making and i in session.plans]
        if left:
            self.look.open_photo(session, left[0])
        else:
            self.show_grid()

    def _changed(self, safe_id: str) -> None:
        self.grid.show_one(safe_id)
        if self.session is not None:
            self.look.strip.show_one(self.session, safe_id)
        if self.stack.currentWidget() is self.look and safe_id == self.look.safe_id:
            self.look.refresh()

    def _coloured(self, safe_id: str) -> None:
        if self.stack.currentWidget() is self.look and safe_id == self.look.safe_id:
            self.look.recolour()

    def _located(self) -> None:
        if self.session is not None and self.stack.currentWidget() is self.look:
            self.look.load()
            self.look.refresh()

    def _trouble(self, error: MedimgError | None) -> None:
        if error is None:
            self.banner.put_away()
            return
        again = button(self.tr("Try again"), self._again, name="try-again")
        self.banner.say(fault(error), again, copy_details(details(error)))

    def _again(self) -> None:
        if self.session is not None and self.session.save():
            self.banner.put_away()

    def _choose_places(self) -> None:
        folder = dialogs.choose_folder(self, self.tr("Where are the photos?"))
        if folder and self.session is not None:
            self.session.locate([folder])
