"""One photo's way through the window, by its widgets: dropped, checked, looked at, answered, released.

python window.py PHOTO OUT PICTURES        PICTURES: a folder for what was on the screen at each step

Runs on Linux and in a Windows Python, and prints the same lines on both: what the checks found, what was asked, the
digest of the released copy. Ends with 1 and a sentence when a step does not come.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, QSettings, Qt, QTimer, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton, QWidget

from medimg.acts.plan import kind
from medimg.desktop import app
from medimg.desktop.window import Window
from medimg.run.opened import open_run

PATIENCE = 300.0
TYPED = {
    "name": "Hand surgery group",
    "role": "registrar",
    "to": "hand registrar",
    "date": "today",
    "filed": "the record",
    "law": "Act 1, privacy officer",
    "note": "asked",
}
"""What somebody types who answers honestly and all is well."""


def until(true: Callable[[], bool], what: str) -> None:
    """Let the window work until something is so."""
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end:
            sys.exit(f"this did not come: {what}")
        QTest.qWait(50)


def click(page: QWidget, name: str) -> None:
    """Press a button with the mouse."""
    made = page.findChild(QPushButton, name)
    if made is None or not made.isEnabled() or not made.isVisible():
        sys.exit(f"the button {name} cannot be pressed")
    QTest.mouseClick(made, Qt.MouseButton.LeftButton)


class Walk:
    """A person at the window.

    Args:
        window: It is shown.
        pictures: Where pictures of the screen go.
    """

    def __init__(self, window: Window, pictures: Path) -> None:
        self.window, self.pictures, self.number = window, pictures, 0

    def see(self, name: str) -> None:
        """Keep what is on the screen."""
        QTest.qWait(300)
        self.number += 1
        screen = QGuiApplication.primaryScreen()
        shown = self.window.grab() if QGuiApplication.platformName() == "offscreen" else screen.grabWindow(0)
        shown.save(str(self.pictures / f"{self.number}-{name}.png"))

    def choose_a_folder(self, folder: Path) -> None:
        """Choose where the copies go in a dialog, as with the mouse."""

        def choose() -> None:
            dialog = QApplication.activeModalWidget()
            if not isinstance(dialog, QFileDialog):
                sys.exit("the dialog does not come")
            dialog.setDirectory(str(folder))
            self.see("dialog")
            dialog.accept()

        QTimer.singleShot(1500, choose)
        click(self.window.start, "choose-out")

    def drop(self, photo: Path) -> None:
        """Drop a photo on the first page, as a file manager does."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(photo))])
        actions = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
        told = (actions, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
        try:
            enter = QDragEnterEvent(QPointF(200, 200), *told)
        except TypeError:  # before Qt 6.12
            enter = QDragEnterEvent(QPoint(200, 200), *told)
        QApplication.sendEvent(self.window.start, enter)
        if not enter.isAccepted():
            sys.exit("the drop is not taken")
        QApplication.sendEvent(self.window.start, QDropEvent(QPointF(200, 200), *told))

    def look(self) -> None:
        """See every part of the photo at full size."""
        review = self.window.review
        look = review.look
        click(review.grid, "look-next")
        until(lambda: look.canvas.photo is not None, f"the photo: {look.banner.text()}")
        self.see("photo")
        end = time.monotonic() + PATIENCE
        while not look.done.isEnabled():
            if time.monotonic() > end:
                sys.exit(f"the photo is never seen as a whole: {look.state.text()}")
            click(look, "next-part")
            QTest.qWait(400)
        click(look, "looked")
        until(lambda: review.stack.currentWidget() is review.grid, "all photos")

    def answer(self) -> list[str]:
        """Go through the acts, up to the release."""
        acts, asked = self.window.acts, []
        while acts.shown is not None and len(asked) < 40:
            shown = acts.shown
            asked.append(kind(shown.act))
            for field in shown.fields:
                if field.required and not field.value:
                    acts.fields[field.name].setText(TYPED[field.name])
            keys = {option.key for option in shown.options}
            key = "y" if "y" in keys else "1" if kind(shown.act) == "basis" else "0"
            if kind(shown.act) == "release":
                self.see("release")
            if not acts.options[key].isEnabled():
                sys.exit(f"the act {kind(shown.act)} cannot be answered")
            QTest.mouseClick(acts.options[key], Qt.MouseButton.LeftButton)
            QTest.qWait(50)
        return asked


def remembered() -> dict[str, object]:
    """What Qt keeps for the next time, in the registry or in a file."""
    kept = QSettings(QSettings.Scope.UserScope, "QtProject")
    return {name: kept.value(name) for name in kept.allKeys()}


def main(photo: Path, out: Path, pictures: Path) -> None:
    """From the drop to the released copy."""
    out.mkdir(parents=True)
    pictures.mkdir(parents=True, exist_ok=True)
    before = hashlib.sha256(photo.read_bytes()).hexdigest()
    with app.forgetful():
        program = app.application()
        kept = remembered()
        print("platform", program.platformName(), file=sys.stderr, flush=True)
        window = Window()
        window.show()
        walk = Walk(window, pictures)
        walk.choose_a_folder(out)
        walk.drop(photo)
        until(lambda: window.start.seen is not None and window.start.go.isEnabled(), "the count of the photos")
        walk.see("dropped")
        click(window.start, "go")
        until(lambda: window.stack.currentWidget() is not window.progress, "the end of the checks")
        if window.stack.currentWidget() is not window.review or window.run is None:
            sys.exit(f"no review: {window.start.banner.text()} {window.progress.banner.text()}")
        run = window.run
        report = open_run(run).reports[0]
        print("state", report.state)
        print("found", sorted(a.finding.category for a in report.plan.actions) if report.plan else [])
        until(lambda: window.review.session is not None and bool(window.review.session.found), "the photo's findings")
        walk.see("review")
        walk.look()
        print(
            "decoders in the window's process", [m for m in ("cv2", "numpy", "PIL", "onnxruntime") if m in sys.modules]
        )
        click(window.review.grid, "to-questions")
        until(lambda: window.stack.currentWidget() is window.acts, "the questions")
        walk.see("acts")
        print("asked", walk.answer())
        until(lambda: window.stack.currentWidget() is window.finish, "the last page")
        walk.see("finish")
        copies = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (run / "share").iterdir()}
        print("shared", copies)
        print("waits", sorted(p.name for p in (run / "unreviewed").iterdir()))
        print("original as it was", hashlib.sha256(photo.read_bytes()).hexdigest() == before)
        print("the dialog left nothing behind", remembered() == kept)
        window.close()
        window.stop()


if __name__ == "__main__":
    os.environ.setdefault("MEDIMG_REGISTER", str(Path(sys.argv[2], "register.sqlite")))
    os.environ.setdefault("MEDIMG_WINDOW", str(Path(sys.argv[2], "window.json")))
    os.environ.setdefault("MEDIMG_CARDS", str(Path(sys.argv[2], "cards")))
    main(*(Path(a).absolute() for a in sys.argv[1:]))
