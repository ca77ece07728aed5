"""What is known beforehand: names and numbers, how many faces, the size of the copies; and looked undone."""

from __future__ import annotations

from pathlib import Path

import desktop_fakes as fakes
import pytest
from PySide6.QtCore import Qt

from medimg.desktop.window import Window
from medimg.engine.batch import scrub_folder
from medimg.run.opened import open_run
from medimg.run.request import CHAT

LONG = 240_000


@pytest.fixture
def window(qtbot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("MEDIMG_REGISTER", "MEDIMG_CARDS", "MEDIMG_WINDOW"):
        monkeypatch.setenv(name, str(tmp_path / name))
    made = Window(make=fakes.make)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.stop()


def test_what_is_typed_is_sorted_by_what_it_looks_like(window: Window) -> None:
    window.start.choices.known.setText(" Zebedee Quill, AB 12345; 1956-04-03,, ")
    known = window.start.choices.known.values()
    assert known.names == ("Zebedee Quill",)
    assert known.numbers == ("AB 12345",)
    assert known.dates == ("1956-04-03",)


def test_it_goes_with_the_run_and_is_forgotten_after_it(qtbot, window: Window, tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in" / "a.png", size=(1400, 1050))
    window.start.choices.known.setText("Zebedee Quill")
    window.start.choices.people.setCurrentIndex(3)
    window.start.choices.copies.setCurrentIndex(2)
    assert str(CHAT) in window.start.choices.copies.currentText()
    window.begin([tmp_path / "in"], "closed-group", "AU", tmp_path / "out")
    qtbot.waitUntil(lambda: window.stack.currentWidget() is window.review, timeout=LONG)
    assert "3 faces" in window.review.banner.text()
    assert window.review.known.names == ("Zebedee Quill",)
    assert not window.start.choices.known.text()
    assert window.start.choices.people.currentIndex() == 0
    (run,) = (tmp_path / "out").glob("medimg-*")
    assert open_run(run).state.run.max_side == CHAT
    assert b"Zebedee" not in b"".join(p.read_bytes() for p in run.rglob("*") if p.is_file())


def test_that_a_photo_was_looked_at_can_be_undone(qtbot, window: Window, tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in" / "a.png")
    run = scrub_folder([tmp_path / "in"], tmp_path / "out", make=fakes.make, workers=1).folder
    window.open_run(run, [tmp_path / "in"])
    session = window.review.session
    assert session is not None

    def looked() -> set[str]:
        return {a.subject for a in open_run(run).state.answers if a.item == "img.person-looked" and a.choice == "yes"}

    window.review.show_photo("P01-001")
    session.look_done("P01-001")
    qtbot.waitUntil(lambda: looked() == {"P01-001"}, timeout=LONG)
    window.review.show_photo("P01-001")
    assert session.undo.activeStack().canUndo()
    qtbot.mouseClick(window.review.look.undo, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: looked() == set() and "P01-001" not in session.looked, timeout=LONG)
