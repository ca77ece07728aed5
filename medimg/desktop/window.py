"""The window: its steps, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QMessageBox,
    QVBoxLayout,
    QWidget,
)

from medimg.api import load_detectors
from medimg.consent.site import SiteProfile
from medimg.desktop import theme
from medimg.desktop.pages._fit import Fitting, Pages
from medimg.desktop.pages.acts import ActsPage
from medimg.desktop.pages.checklist import ChecklistPage
from medimg.desktop.pages.finish import FinishPage
from medimg.desktop.pages.progress import ProgressPage
from medimg.desktop.pages.review import ReviewPage
from medimg.desktop.pages.start import StartPage
from medimg.desktop.pages.stopped import StoppedPage
from medimg.desktop.widgets import button, label
from medimg.desktop.wording import fault, scope
from medimg.desktop.work import Batch, Wanted
from medimg.engine.batch import Outcome
from medimg.engine.worker import Maker
from medimg.errors import MedimgError
from medimg.policy import Policy
from medimg.types import NOTHING_KNOWN, KnownValues

TITLE = "medimg"
"""The window's title. It never names a file or a folder: other programs and screen shares show titles."""


class Window(QMainWindow):
    """Start, progress, review, checklist, stop or finish.

    Args:
        site: The organisation's profile.
        policy: The settings of runs; the shipped ones when not given.
        make: Loads the detectors.

    Signals:
        shown: The name of the page that is shown now.
    """

    shown = Signal(str)

    def __init__(
        self, site: SiteProfile | None = None, policy: Policy | None = None, make: Maker = load_detectors
    ) -> None:
        super().__init__()
        self.setObjectName("window")
        self.setWindowTitle(TITLE)
        self.resize(1060, 720)
        self._site, self._policy = site, policy
        self.run: Path | None = None
        self._photos: list[Path] = []
        self._people = 0
        self.start = StartPage(site=site)
        self.progress = ProgressPage()
        self.review = ReviewPage(make=make, policy=policy)
        self.acts = ActsPage()
        self.checklist = ChecklistPage()
        self.stopped = StoppedPage()
        self.finish = FinishPage()
        self.batch = Batch(self, make)
        self.stack = Pages()
        self.stack.setObjectName("stack")
        self._names = {
            self.start: "start",
            self.progress: "progress",
            self.review: "review",
            self.acts: "acts",
            self.checklist: "checklist",
            self.stopped: "stopped",
            self.finish: "finish",
        }
        for page, name in self._names.items():
            page.setObjectName(name)
            self.stack.addWidget(page)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head())
        self.scope = label(scope(), kind="alert", name="scope")
        self.scope.setAccessibleName(self.scope.text())
        column.addWidget(self.scope)
        column.addWidget(self.stack, 1)
        self.setCentralWidget(Fitting(whole))
        self._connect()
        self.show_page(self.start)

    def _head(self) -> QWidget:
        panel = QWidget()
        row = QHBoxLayout(panel)
        row.setContentsMargins(20, 8, 20, 4)
        self.steps = label(name="steps", kind="quiet")
        row.addWidget(self.steps, 1)
        row.addWidget(
            button(self.tr("Text size"), self.larger, name="text-size", hint=self.tr("Larger text; then small again"))
        )
        row.addWidget(
            button(
                self.tr("Light or dark"),
                self.other_scheme,
                name="scheme",
                hint=self.tr("Change between light and dark"),
            )
        )
        return panel

    def _connect(self) -> None:
        self.start.chosen.connect(self.begin)
        self.start.opened.connect(lambda run: self.open_run(run, self.start.things))
        self.progress.cancel.connect(self.batch.cancel)
        self.progress.back.connect(lambda: self.show_page(self.start))
        self.batch.progressed.connect(self.progress.tell)
        self.batch.asked.connect(self.progress.ask)
        self.progress.grouped.connect(self.batch.answer)
        self.batch.finished.connect(self._made)
        self.batch.failed.connect(self.progress.fail)
        self.batch.cancelled.connect(self._cancelled)
        self.review.finished.connect(self.questions)
        self.review.back.connect(lambda: self.show_page(self.start))
        self.acts.back.connect(self._back_to_photos)
        self.acts.every.connect(self.every_question)
        self.acts.look.connect(self._look_at)
        self.acts.finished.connect(self._finish)
        self.checklist.back.connect(self._back_to_photos)
        self.checklist.stopped.connect(self._stop_state)
        self.checklist.finished.connect(self._finish)
        self.stopped.closed.connect(self.every_question)
        self.finish.back.connect(self.questions)
        self.finish.restart.connect(self._restart)

    # -- where it is

    def show_page(self, page: QWidget) -> None:
        """Show a step."""
        self.stack.setCurrentWidget(page)
        self.scope.setVisible(self._metadata_only(page))
        name = self._names[page]
        steps = {
            "start": self.tr("Drop"),
            "progress": self.tr("Check"),
            "review": self.tr("Look"),
            "acts": self.tr("Answer"),
            "finish": self.tr("Finish"),
        }
        here = "acts" if name in ("stopped", "checklist") else name
        words = [f"▶ {n}. {w}" if key == here else f"{n}. {w}" for n, (key, w) in enumerate(steps.items(), 1)]
        self.steps.setText("    ".join(w.replace(" ", "\N{NO-BREAK SPACE}") for w in words))
        self.steps.setAccessibleName(
            self.tr("Step {} of {}: {}").format(list(steps).index(here) + 1, len(steps), steps[here])
        )
        begin = {"start": self.start.first, "progress": self.progress.stop, "review": self.review.grid.photos}
        begin.get(name, page).setFocus()
        self.shown.emit(name)

    def _metadata_only(self, page: QWidget) -> bool:
        """Whether nothing looked, or will look, at the pictures of what this page is about."""
        session = self.review.session
        if page not in (self.start, self.progress) and session is not None:
            return session.opened.state.run.scope == "metadata-only"
        return self._policy is not None and self._policy.scope == "metadata-only"

    def larger(self) -> None:
        """The next text size; after the largest the smallest."""
        app, scheme, scale = self._looks()
        later = [s for s in theme.SCALES if s > scale + 0.01]
        theme.apply(app, scheme, later[0] if later else theme.SCALES[0])
        self.review.grid.fit()
        self.review.look.fit()
        self.review.look.refresh()

    def other_scheme(self) -> None:
        """From light to dark and back."""
        app, scheme, scale = self._looks()
        dark = theme.colours(app, scheme) is theme.DARK
        theme.apply(app, "light" if dark else "dark", scale)
        self.review.recolour()

    def _looks(self) -> tuple[QApplication, theme.Scheme, float]:
        app = QApplication.instance()
        if not isinstance(app, QApplication):
            raise TypeError("a window needs an application")
        return app, app.property("medimg-scheme") or "system", float(app.property("medimg-scale") or 1.0)

    # -- from step to step

    def begin(self, photos: Sequence[Path], audience: str, country: str, out: Path) -> None:
        """Make the copies."""
        self._photos = list(photos)
        self.progress.begin(out, self._policy)
        self.show_page(self.progress)
        wanted = Wanted(
            photos=tuple(photos),
            out=out,
            audience=audience,
            where=(country,) if country else (),
            group_by="file" if self.start.choices.alone.isChecked() else "folder",
            known=self.start.choices.known.values(),
            save_as=self.start.choices.copies.currentData()[0],
            max_side=self.start.choices.copies.currentData()[1],
        )
        self._people = self.start.choices.people.currentIndex()
        self.batch.start(wanted, self._policy, self._site)

    def _made(self, outcome: Outcome) -> None:
        self.progress.end()
        self.open_run(outcome.folder, self._photos, self.start.choices.known.values())
        if self.review.session is not None and self._people:
            self.review.compare_people(self._people)
        self.start.choices.forget()

    def _cancelled(self) -> None:
        self.progress.end()
        self.show_page(self.start)
        self.start.banner.say(self.tr("Stopped. Nothing was kept, and your originals are as they were."))

    def open_run(self, run: Path, photos: Sequence[Path] = (), known: KnownValues = NOTHING_KNOWN) -> None:
        """Open a run folder, whoever made it.

        Args:
            run: The folder.
            photos: Where its originals are.
            known: What is known of the patients; in memory alone.
        """
        self.review.set_places(photos)
        self.review.known = known
        try:
            self.review.open_run(run)
        except MedimgError as error:
            self.show_page(self.start)
            self.start.banner.say(fault(error))
            return
        if self.review.session is not None:
            self.run = self.review.session.folder
        self.show_page(self.review)

    def questions(self) -> None:
        """On to the acts."""
        if self.run is not None and self._opened(self.acts):
            self.show_page(self.acts)

    def every_question(self) -> None:
        """The long way: every question by itself."""
        if self.run is not None and self._opened(self.checklist):
            self.show_page(self.checklist)

    def _finish(self) -> None:
        self.finish.session = self.review.session
        if self.run is not None and self._opened(self.finish):
            self.show_page(self.finish)

    def _opened(self, page: ActsPage | ChecklistPage | FinishPage) -> bool:
        try:
            if self.run is not None and isinstance(page, ActsPage):
                page.open_run(self.run, self._looked())
            elif self.run is not None:
                page.open_run(self.run)
        except MedimgError as error:
            self.review.banner.say(fault(error))
            self.show_page(self.review)
            return False
        return True

    def _looked(self) -> frozenset[str]:
        session = self.review.session
        return frozenset(session.looked if session is not None else ())

    def _look_at(self, safe_id: str) -> None:
        self.show_page(self.review)
        self.review.show_photo(safe_id)

    def _back_to_photos(self) -> None:
        if self.run is not None:
            self.open_run(self.run, [*self._photos, *self.start.things])

    def _stop_state(self, group: str) -> None:
        if self.run is not None:
            self.stopped.show_stop(self.run, group)
            self.show_page(self.stopped)

    def _restart(self) -> None:
        self.review.close_run()
        self.run, self._photos = None, []
        self.start.clear()
        self.show_page(self.start)

    # -- the end

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Stop what is under way. Asks only when something could not be saved."""
        session = self.review.session
        if session is not None and session.unsaved and not session.save():
            answer = QMessageBox.question(
                self,
                TITLE,
                self.tr("Your last changes could not be saved. Close all the same and lose them?"),
                QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No,
                QMessageBox.StandardButton.No,
            )
            if answer != QMessageBox.StandardButton.Yes:
                event.ignore()
                return
        self.stop()
        event.accept()

    def stop(self) -> None:
        """Stop every worker."""
        self.start.stop()
        self.progress.end()
        self.batch.cancel()
        self.batch.wait()
        self.review.close_run()
