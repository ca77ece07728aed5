"""A person at the review who does whatever comes to mind: random acts through the real window, seed by seed.

Run as ``python acts_drive.py FOLDER SEED ACTS``; the folder holds ``in`` (photos) and ``out`` (their run). Ends with 0
and a line that says what was done, with 3 when something raised or Qt complained, or by a signal when the window dies.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import acts_fakes as fakes
from PySide6.QtCore import QPoint, QPointF, QSize, Qt, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from medimg.desktop.app import application
from medimg.desktop.window import Window
from medimg.run import decisions

LONG = float(os.environ.get("MEDIMG_ACTS_WAIT", "120"))
LEAST = 10  # areas of a photo
SIZES = ((1060, 720), (900, 640), (1280, 800), (700, 900), (1500, 950))
faults: list[str] = []


def _raised(kind: type[BaseException], error: BaseException, trace: object) -> None:
    faults.append("".join(traceback.format_exception(kind, error, error.__traceback__)))


def _qt_says(kind: QtMsgType, _context: object, words: str) -> None:
    if kind != QtMsgType.QtDebugMsg and not words.startswith("This plugin does not support"):
        faults.append(f"{kind.name}: {words}")


class Person:
    """Hands at the window.

    Args:
        window: With an open run.
        seed: Of everything they do.
    """

    def __init__(self, window: Window, seed: int) -> None:
        self.window, self.draw = window, random.Random(seed)
        self.page, self.look = window.review, window.review.look
        self.session = window.review.session
        self.done: Counter[str] = Counter()
        self.areas: dict[str, int] = {}
        self.zooms: tuple[Callable[[], None], ...] = (
            self.full_size, self.fit, self.nearer, self.further, self.wheel, self.turn
        )  # fmt: skip
        self.others: tuple[tuple[Callable[[], None], int], ...] = (
            (self.pick_in_list, 6), (self.pick_in_photo, 6), (self.cover, 6), (self.show, 6), (self.tick, 3),
            (self.double_click, 3), (self.box, 4), (self.shape, 2), (self.crop, 1), (self.put_box, 2), (self.drag, 4),
            (self.nudge, 3), (self.delete, 2), (self.alike, 1), (self.unread, 2), (self.undo, 5), (self.redo, 4),
            (self.next_photo, 4), (self.open_any, 2), (self.resize, 2), (self.theme, 1), (self.text_size, 1),
            (self.peek, 2), (self.harmless, 2), (self.answer_banner, 2), (self.leave_half_done, 2),
            (self.next_part, 3), (self.compare, 2),
        )  # fmt: skip

    # -- going on

    def act(self, number: int) -> None:
        """One act; a zoom in every second one."""
        if number % 2:
            does = self.draw.choice(self.zooms)
        else:
            does = self.draw.choices([d for d, _ in self.others], [w for _, w in self.others])[0]
        self.done[does.__name__] += 1
        does()
        self.see()
        if self.draw.random() < 0.1:
            gc.collect()

    def see(self) -> None:
        """Let the window paint, and wait for the photo where one is on its way."""
        QApplication.processEvents()
        end = time.monotonic() + LONG
        while self.page.stack.currentWidget() is self.look and self.canvas.photo is None:
            if time.monotonic() > end:
                said = (self.look.safe_id, self.look.banner.text(), self.page.banner.text())
                faults.append(f"the photo does not come: {said}")
                faulthandler.dump_traceback()
                return
            QTest.qWait(5)
        if self.page.stack.currentWidget() is not self.look:
            self.open_any()
            self.see()
        self.areas[self.look.safe_id] = max(self.areas.get(self.look.safe_id, 0), len(self.canvas.boxes))

    @property
    def canvas(self):
        return self.look.canvas

    def press(self, name: str) -> None:
        made = self.page.findChild(QPushButton, name)
        if made is not None and made.isEnabled() and made.isVisible():
            made.click()

    def key(self, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.draw.choice([self.canvas, self.look.boxes]), key, keys)

    def point(self) -> QPoint:
        area = self.canvas.viewport().rect()
        return QPoint(self.draw.randrange(area.width()), self.draw.randrange(area.height()))

    def in_a_box(self) -> QPoint:
        boxes = self.canvas.boxes
        if not boxes:
            return self.point()
        at = self.canvas.mapFromScene(self.draw.choice(boxes).polygon().boundingRect().center())
        return at if self.canvas.viewport().rect().contains(at) else self.point()

    def pull(self, start: QPoint, end: QPoint, *, let_go: bool = True) -> None:
        port, left = self.canvas.viewport(), Qt.MouseButton.LeftButton
        QTest.mousePress(port, left, pos=start)
        for part in (1, 2, 3):
            QTest.mouseMove(port, start + (end - start) * part / 3)
            QApplication.processEvents()
        if let_go:
            QTest.mouseRelease(port, left, pos=end)

    # -- zooms

    def full_size(self) -> None:
        QTest.keyClick(self.look, Qt.Key.Key_F)

    def fit(self) -> None:
        QTest.keyClick(self.look, Qt.Key.Key_0)

    def nearer(self) -> None:
        self.press("nearer")

    def further(self) -> None:
        self.press("further")

    def turn(self) -> None:
        self.press("turn")

    def wheel(self) -> None:
        at, by = QPointF(self.point()), self.draw.choice((120, -120, 480, -480))
        port = self.canvas.viewport()
        event = QWheelEvent(
            at,
            QPointF(port.mapToGlobal(at)),
            QPoint(),
            QPoint(0, by),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(port, event)

    # -- decisions

    def pick_in_list(self) -> None:
        if self.look.boxes.count():
            self.look.boxes.setCurrentRow(self.draw.randrange(self.look.boxes.count()))

    def pick_in_photo(self) -> None:
        QTest.mouseClick(self.canvas.viewport(), Qt.MouseButton.LeftButton, pos=self.in_a_box())

    def cover(self) -> None:
        self.key(Qt.Key.Key_C)

    def show(self) -> None:
        self.press(self.draw.choice(["show-it", "consented", "no-writing", "by-line"]))

    def tick(self) -> None:
        """The box in front of a line, by key or by mouse."""
        boxes = self.look.boxes
        if boxes.currentItem() is None:
            return
        if self.draw.random() < 0.5:
            QTest.keyClick(boxes, Qt.Key.Key_Space)
        else:
            line = boxes.visualItemRect(boxes.currentItem())
            at = QPoint(line.left() + 14, line.center().y())
            QTest.mouseClick(boxes.viewport(), Qt.MouseButton.LeftButton, pos=at)

    def double_click(self) -> None:
        QTest.mouseDClick(self.canvas.viewport(), Qt.MouseButton.LeftButton, pos=self.in_a_box())

    def alike(self) -> None:
        self.key(Qt.Key.Key_A)

    def unread(self) -> None:
        self.press("next-unread")

    # -- drawing

    def box(self) -> None:
        self.press("draw-box")
        self.pull(self.point(), self.point())

    def shape(self) -> None:
        self.press("draw-shape")
        for _ in range(self.draw.randint(2, 6)):
            QTest.mouseClick(self.canvas.viewport(), Qt.MouseButton.LeftButton, pos=self.point())
        QTest.keyClick(self.canvas, self.draw.choice([Qt.Key.Key_Return, Qt.Key.Key_Escape]))

    def crop(self) -> None:
        self.press("uncrop")
        self.press("crop")
        self.pull(self.point(), self.point())

    def put_box(self) -> None:
        self.press("put-box")

    def drag(self) -> None:
        self.pull(self.in_a_box(), self.point())

    def nudge(self) -> None:
        arrows = [Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down]
        keys = self.draw.choice([Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier])
        for _ in range(self.draw.randint(1, 4)):
            QTest.keyClick(self.canvas, self.draw.choice(arrows), keys)

    def delete(self) -> None:
        self.key(Qt.Key.Key_Delete)

    def leave_half_done(self) -> None:
        """Begin with the mouse, and do something else by key before it is let go."""
        self.pull(self.in_a_box(), self.point(), let_go=False)
        self.draw.choice([self.undo, self.redo, self.delete, self.cover, self.harmless, self.full_size])()
        QApplication.processEvents()
        QTest.mouseMove(self.canvas.viewport(), self.point())
        QTest.mouseRelease(self.canvas.viewport(), Qt.MouseButton.LeftButton, pos=self.point())

    # -- and the rest

    def undo(self) -> None:
        self.press("undo")

    def redo(self) -> None:
        self.press("redo")

    def next_photo(self) -> None:
        """Say that it was looked at where that is possible; the copy is made again meanwhile."""
        self.press("looked")
        if self.look.done.isEnabled():
            self.done["looked"] += 1

    def open_any(self) -> None:
        self.page.show_grid()
        self.page.show_photo(self.draw.choice(self.session.order))

    def resize(self) -> None:
        self.window.resize(QSize(*self.draw.choice(SIZES)))

    def theme(self) -> None:
        self.window.other_scheme()

    def text_size(self) -> None:
        self.window.larger()

    def peek(self) -> None:
        QTest.keyPress(self.look.boxes, Qt.Key.Key_V)
        QApplication.processEvents()
        QTest.keyRelease(self.look.boxes, Qt.Key.Key_V)

    def next_part(self) -> None:
        """A part or two of the walk; the clock that says what was seen may tick meanwhile."""
        for _ in range(self.draw.randint(1, 3)):
            self.press("next-part")
            QTest.qWait(self.draw.choice([0, 300]))

    def compare(self) -> None:
        self.press("compare")
        self.look.line.setValue(self.draw.randint(0, 100))

    def harmless(self) -> None:
        self.look.harmless.toggle()

    def answer_banner(self) -> None:
        for name in self.draw.sample(["show-there", "leave-there", "try-again", "keep-covered", "change-covers"], 5):
            self.press(name)


def main(folder: Path, seed: int, acts: int) -> int:
    faulthandler.enable()
    sys.excepthook = _raised
    qInstallMessageHandler(_qt_says)
    app = application()
    window = Window(make=fakes.make)
    window.show()
    (run,) = (folder / "out").glob("medimg-*")
    window.open_run(run, [folder / "in"])
    session = window.review.session
    end = time.monotonic() + LONG
    while len(session.found) < len(session.order) and time.monotonic() < end:
        QTest.qWait(10)
    person = Person(window, seed)
    person.open_any()
    person.see()
    for number in range(acts):
        person.act(number)
        if faults:
            print(f"seed {seed}, act {number}: {faults[0]}", flush=True)
            os._exit(3)
    end = time.monotonic() + LONG
    while session.making and time.monotonic() < end:
        QTest.qWait(10)
    saved = decisions.load(session.folder)
    plans = dict(session.plans)
    window.close()
    app.processEvents()
    few = {i: n for i, n in person.areas.items() if n < LEAST}
    ok = saved is not None and saved.plans == plans and not few and not faults
    print(
        f"seed {seed}: {acts} acts at scale {window.devicePixelRatioF():g}, {dict(person.done)}, areas {person.areas}"
    )
    print("survived" if ok else f"NOT as it was decided, or too few areas: {few} {faults}", flush=True)
    return 0 if ok else 3


if __name__ == "__main__":
    # Qt itself is taken down as in the program: by the end of the interpreter.
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
