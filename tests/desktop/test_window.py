"""The whole window: from the drop to the review through the batch's own pool, stopped and faulted in between."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import batch_fakes
import desktop_fakes as fakes
import msgspec
import pytest
from click.testing import CliRunner
from desktop_kit import make_run, nameless
from PIL import Image
from PySide6.QtWidgets import QLabel, QPushButton

from medimg.cli.status import status
from medimg.desktop import dropped
from medimg.desktop.window import Window
from medimg.engine.batch import scrub_folder
from medimg.policy import Policy
from medimg.run.opened import open_run

LONG = 240_000


@pytest.fixture
def window(qtbot) -> Iterator[Window]:
    window = Window(make=fakes.make)
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    yield window
    window.stop()


def begin(qtbot, window: Window, things: list[Path], out: Path) -> None:
    window.start.take(things)
    window.start.take_out(out)
    qtbot.waitUntil(lambda: window.start.seen is not None, timeout=LONG)
    window.start.go.click()
    assert window.stack.currentWidget() is window.progress


def test_from_drop_to_review_and_the_command_line_opens_it(qtbot, window: Window, tmp_path: Path) -> None:
    names = []
    window.shown.connect(names.append)
    fakes.photo(tmp_path / "in" / "ZZNAME one.png", seed=1)
    fakes.photo(tmp_path / "in" / "ZZNAME two.png", seed=2)
    (tmp_path / "in" / "notes.txt").write_text("no photo")
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (tmp_path / "in").iterdir()}
    begin(qtbot, window, [tmp_path / "in"], tmp_path / "out")
    assert nameless(window) == []
    qtbot.waitUntil(lambda: window.stack.currentWidget() is window.review, timeout=LONG)
    assert names == ["progress", "review"]
    assert window.progress.done.count() == 3
    (run,) = (tmp_path / "out").iterdir()
    assert window.run == run
    answer = CliRunner().invoke(status, [str(run), "--json"])
    assert json.loads(answer.stdout)["run"] == run.name.removeprefix("medimg-")
    opened = open_run(run)
    assert opened.state.context.audience == "closed-group"
    assert sorted(r.state for r in opened.reports) == ["refused", "unreviewed", "unreviewed"]
    for path in run.rglob("*"):
        if path.is_file():
            assert b"ZZNAME" not in path.read_bytes(), path.name
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (tmp_path / "in").iterdir()} == before
    assert nameless(window) == []
    window.review.grid.finished.emit()
    qtbot.waitUntil(lambda: window.stack.currentWidget() is window.acts, timeout=LONG)
    assert window.windowTitle() == "medimg"


def test_photos_of_different_patients_are_groups_of_their_own(qtbot, window: Window, tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in" / "1.png", seed=1)
    fakes.photo(tmp_path / "in" / "2.png", seed=2)
    window.start.choices.alone.click()
    begin(qtbot, window, [tmp_path / "in"], tmp_path / "out")
    qtbot.waitUntil(lambda: window.stack.currentWidget() is window.review, timeout=LONG)
    assert sorted(window.review.session.order) == ["P01-001", "P02-001"]


def test_without_a_screen_it_says_so() -> None:
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    done = subprocess.run(
        [sys.executable, "-m", "medimg", "desktop"], capture_output=True, text=True, env=env, timeout=600, check=False
    )
    assert done.returncode == 2
    assert "there is no screen" in done.stderr


def test_cancel_stops_at_once_and_leaves_nothing(qtbot, window: Window, tmp_path: Path) -> None:
    for n in range(30):
        batch_fakes.photo(tmp_path / "in" / f"{n}.png", batch_fakes.HANGS, seed=n)
    begin(qtbot, window, [tmp_path / "in"], tmp_path / "out")
    qtbot.waitUntil(lambda: window.progress.bar.maximum() == 30, timeout=LONG)
    start = time.monotonic()
    window.progress.stop.click()
    assert not window.progress.stop.isEnabled()
    qtbot.waitUntil(lambda: window.stack.currentWidget() is window.start, timeout=LONG)
    assert time.monotonic() - start < 60  # the photos would hang for five minutes each
    assert list((tmp_path / "out").iterdir()) == []
    assert "Nothing was kept" in window.start.banner.text()
    assert len(list((tmp_path / "in").iterdir())) == 30
    window.start.clear()
    fakes.photo(tmp_path / "next" / "1.png")
    begin(qtbot, window, [tmp_path / "next"], tmp_path / "out")  # the window goes on
    qtbot.waitUntil(lambda: window.stack.currentWidget() is window.review, timeout=LONG)


def test_a_worker_that_dies_costs_its_photo_alone(qtbot, window: Window, tmp_path: Path) -> None:
    batch_fakes.photo(tmp_path / "in" / "bad.png", batch_fakes.CRASHES)
    fakes.photo(tmp_path / "in" / "good.png")
    begin(qtbot, window, [tmp_path / "in"], tmp_path / "out")
    qtbot.waitUntil(lambda: window.stack.currentWidget() is window.review, timeout=LONG)
    said = [window.progress.done.item(n).text() for n in range(window.progress.done.count())]
    assert sum("held" in line for line in said) == 1
    assert sum("✓" in line for line in said) == 1
    texts = [window.review.grid.photos.item(n).text() for n in range(2)]
    assert "could not be checked" in texts[1]
    held = window.review.session.order[1]
    window.review.show_photo(held)
    assert "This photo stays out" in window.review.look.state.text()


def test_no_place_to_write_is_said_in_words(qtbot, window: Window, tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in" / "1.png")
    (tmp_path / "file").write_text("not a folder")
    begin(qtbot, window, [tmp_path / "in"], tmp_path / "file")
    qtbot.waitUntil(lambda: window.progress.banner.text() != "", timeout=LONG)
    assert "output folder could not be made" in window.progress.banner.text()
    assert "[M-" not in window.progress.banner.text()
    window.findChild(QPushButton, "progress-back").click()
    assert window.stack.currentWidget() is window.start
    assert window.start.things == [tmp_path / "in"]


def test_a_run_of_a_newer_version_is_said_in_words(qtbot, window: Window, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    window.open_run(run)
    assert window.stack.currentWidget() is window.review
    file = run / "PRIVATE-patient-record" / "answers.json"
    file.write_bytes(file.read_bytes().replace(b"medimg.answers/1", b"medimg.answers/9"))
    window.open_run(run)
    assert window.stack.currentWidget() is window.start
    assert "newer version" in window.start.banner.text()
    assert b"medimg.answers/9" in file.read_bytes()


REAL = """
import os, socket, sys
from pathlib import Path

def listening():
    mine = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            mine.add(os.readlink(entry))
        except OSError:
            pass
    ports = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6"):
        if os.path.exists(table):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if f"socket:[{fields[9]}]" in mine:
                    ports.append(fields[1])
    return ports

def main(photos, out):
    from PySide6.QtCore import QTimer
    from medimg.desktop import app
    from medimg.desktop.window import Window
    with app.forgetful():
        program = app.application()
        window = Window()
        window.show()
        window.start.take([Path(photos)])
        window.start.take_out(Path(out))
        timer = QTimer()
        state = {"step": 0}
        def tick():
            if state["step"] == 0 and window.start.go.isEnabled():
                window.start.go.click()
                state["step"] = 1
            elif state["step"] == 1 and window.stack.currentWidget() is window.review and window.review.session.found:
                window.review.show_photo(window.review.session.order[0])
                state["step"] = 2
            elif state["step"] == 2 and window.review.look.canvas.photo is not None:
                print("ports", listening())
                print("decoders", [m for m in ("cv2", "numpy", "PIL", "onnxruntime") if m in sys.modules])
                plan = window.review.look.plan
                print("plan", [a.finding.kind for a in plan.actions] if plan else window.review.look.state.text())
                window.close()
                program.quit()
            elif window.progress.banner.text():
                print("fault", window.progress.banner.text())
                program.quit()
        timer.timeout.connect(tick)
        timer.start(100)
        program.exec()
        window.stop()

if __name__ == "__main__":
    main(*sys.argv[1:])
"""


def test_a_real_photo_with_the_real_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A drawn fixture, every model; the window's process decodes nothing and listens nowhere."""
    from fixtures import make

    monkeypatch.setattr(make, "PLAN", [row for row in make.PLAN if row[0] == "codes.jpg"])
    make.make(tmp_path / "all")
    (tmp_path / "in").mkdir()
    with Image.open(tmp_path / "all" / "codes.jpg") as whole:
        part = whole.resize((whole.width // 2, whole.height // 2))
        part.save(tmp_path / "in" / "codes.jpg", quality=92, exif=whole.getexif())
    script = tmp_path / "window_script.py"
    script.write_text(REAL)
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "in"), str(tmp_path / "out")],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "ports []" in done.stdout, done.stdout + done.stderr[-2000:]
    assert "decoders []" in done.stdout
    assert "'code'" in done.stdout
    assert "'text'" in done.stdout


def test_drawing_for_hours_does_not_use_up_none(qtbot) -> None:
    """PySide6 6.12 loses a reference to None with many calls; before Python 3.12 the last one ended the program."""
    from PySide6.QtCore import QRectF
    from PySide6.QtGui import QPainter, QPixmap

    from medimg.desktop.box_items import warning_sign

    made = QPixmap(40, 40)
    painter = QPainter(made)
    for _ in range(10_000):
        warning_sign(painter, QRectF(0, 0, 20, 20))
    painter.end()
    assert sys.getrefcount(None) > 1_000_000_000


def words_of(window: Window) -> str:
    """All words on the screen now."""
    return " ".join(x.text() for x in window.findChildren(QLabel) if x.isVisible())


@pytest.mark.parametrize("scope", ["metadata-only", pytest.param("full", marks=pytest.mark.long)])
def test_a_run_of_metadata_alone_says_so_on_every_page(qtbot, window: Window, tmp_path: Path, scope: str) -> None:
    policy = msgspec.structs.replace(Policy.load(), scope=scope)
    fakes.photo(tmp_path / "in" / "one.png")
    run = scrub_folder([tmp_path / "in"], tmp_path / "out", make=fakes.make, workers=1, policy=policy).folder
    said = {}
    window.open_run(run, [tmp_path / "in"])
    said["overview"] = words_of(window)
    window.review.show_photo(window.review.session.order[0])
    said["photo"] = words_of(window)
    window.questions()
    said["acts"] = words_of(window)
    window.every_question()
    said["questions"] = words_of(window)
    window.stopped.show_stop(run, "P01")
    window.show_page(window.stopped)
    said["stop"] = words_of(window)
    window.finish.open_run(run)
    window.show_page(window.finish)
    said["finish"] = words_of(window)
    alone = scope == "metadata-only"
    assert {page: "pictures were not looked at" in words for page, words in said.items()} == dict.fromkeys(said, alone)
    window.show_page(window.start)
    assert "pictures were not looked at" not in words_of(window)
    sheets = [p for name in ("share-sheet.html", "record-sheet.html") for p in run.rglob(name)]
    assert len(sheets) == 2
    assert all(("pictures were NOT looked at" in p.read_text()) == alone for p in sheets)
    assert ("picture not looked at" in window.review.grid.photos.item(0).text()) == alone


def test_nothing_counts_for_a_window_that_is_closed(
    qtbot, window: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(_things: object, stop: Callable[[], bool]) -> dropped.Looked:
        while not stop():
            time.sleep(0.05)
        time.sleep(0.3)  # on its way out
        return dropped.Looked()

    monkeypatch.setattr(dropped, "look", slow)
    window.start.take([tmp_path])
    window.stop()
    assert [t.name for t in threading.enumerate() if t.name == "count"] == []


def test_signals_do_not_use_python_up() -> None:
    """PySide 6.12 on Python 3.11 gives references to True away: some thousands of signals ended the program."""
    code = """
from medimg import desktop
from PySide6.QtCore import QObject, Signal
class Speaker(QObject):
    said = Signal(bool)
speaker = Speaker()
speaker.said.connect(lambda _: None)
for n in range(20_000):
    speaker.said.emit(bool(n % 2)); speaker.property("none"); speaker.isWidgetType()
print("still there")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "still there"), done.stderr
