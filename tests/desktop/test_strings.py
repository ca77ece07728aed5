"""The words of the window come from the one catalogue, and all of them are in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from desktop_kit import make_run
from PySide6.QtWidgets import QAbstractButton, QLabel, QListWidget, QWidget
from words_kit import OPEN, marked

from medimg import words
from medimg.decide import decide
from medimg.desktop import edits, wording
from medimg.desktop.app import Catalogue
from medimg.desktop.pages.checklist import ChecklistPage
from medimg.desktop.pages.finish import FinishPage
from medimg.desktop.pages.look import Look
from medimg.desktop.pages.progress import ProgressPage
from medimg.desktop.pages.start import StartPage
from medimg.desktop.pages.stopped import StoppedPage
from medimg.engine.loop import Progress
from medimg.errors import OutputError
from medimg.policy import Policy
from medimg.types import Box, Finding, Region, Report

HELD = Report(safe_id="P01-001", state="held", reason="this looks like a document.")
COUNTS = {"pending": 1, "running": 0, "done": 0, "failed": 0, "held": 1}
SIZE = {"width": 100, "height": 100}


@pytest.fixture
def speaks(qapp) -> Iterator[object]:
    """The window in another language, and in English again."""
    translator = Catalogue(qapp)
    assert qapp.installTranslator(translator)
    yield words.use
    words.use("en")
    qapp.removeTranslator(translator)


def test_the_window_speaks_spanish(qtbot, speaks, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    speaks("es")
    page, finish, stopped = ChecklistPage(), FinishPage(), StoppedPage()
    for widget in (page, finish, stopped):
        qtbot.addWidget(widget)
    page.open_run(run)
    assert page.title.text() == "Preguntas antes de compartir"
    assert page.progress_words.text().endswith("respuestas necesarias dadas")
    assert any(c.tag.text().startswith("Necesaria antes de compartir") for c in page.view.cards if hasattr(c, "tag"))
    assert finish.open_button.text() == "&Abrir la carpeta para compartir"
    assert finish.open_button.accessibleName() == "Abrir la carpeta para compartir"
    assert stopped.close_button.text() == "&Volver a las preguntas"


@pytest.fixture
def made_up(speaks) -> None:
    """Every string that translators get stands in brackets."""
    speaks(marked())


def untranslated(widget: QWidget) -> list[str]:
    """What a person reads or hears in a page that no translator was given; names of keys in brackets apart."""
    said = []
    for part in (widget, *widget.findChildren(QWidget)):
        said += [part.toolTip(), part.accessibleName(), part.accessibleDescription()]
        if isinstance(part, QLabel | QAbstractButton):
            said.append(part.text())
        if isinstance(part, QListWidget):
            said += [part.item(n).text() for n in range(part.count())]
    return sorted({s for s in said if OPEN not in s and not s.startswith("[") and any(c.islower() for c in s)})


def test_every_word_of_the_pages_can_be_translated(qtbot, made_up: None, tmp_path: Path) -> None:
    start, progress, finish, stopped = StartPage(), ProgressPage(), FinishPage(), StoppedPage()
    for page in (start, progress, finish, stopped):
        qtbot.addWidget(page)
    assert start.call.text() == "⟦Drop photos here⟧"
    progress.tell(Progress(event="photo", run="R7Q4", total=2, counts=COUNTS, seconds=1.0, report=HELD))
    assert progress.done.item(0).text() == "! P01-001: ⟦held⟧: ⟦this looks like a document⟧."
    progress.fail(OutputError("the output could not be written."))
    assert "⟦Make room on the disk" in progress.banner.text()
    progress.done.clear()  # the reason of a check is said as the check says it
    progress.banner.words.setText("")
    progress.banner.words.setAccessibleName("")
    for page in (start, progress, finish, stopped):
        assert untranslated(page) == [], type(page).__name__


def test_every_word_beside_a_photo_can_be_translated(qtbot, made_up: None) -> None:
    look = Look()
    qtbot.addWidget(look)
    assert look.to_all.accessibleName() == "⟦All photos⟧"  # of the class that Look is made from
    plan = decide([region("face", "face"), region("text", "date"), region("code", "2d-code")], Policy.load(), **SIZE)
    plan = edits.drawn(plan, Box(40, 40, 60, 60).polygon, "marked by a person")
    look.boxes.fill(edits.areas(plan, Policy.load(), harmless=True), 0, middle=[3])
    look.detail.setText(wording.explained(plan.actions[0]))
    assert look.boxes.item(0).text() == "1. ⟦face⟧, ⟦covered⟧"
    assert look.boxes.item(3).text().endswith("⟦covered⟧: ⟦touches the middle of the picture⟧")
    assert "⟦Why: ⟦a face identifies⟧.⟧" in look.detail.text()
    assert untranslated(look) == []


def region(kind: str, category: str) -> Finding:
    return Finding(kind=kind, category=category, detector="test", region=Region(Box(5, 5, 20, 20).polygon))


def test_the_reasons_and_kinds_of_the_rules_are_there_for_translators(made_up: None) -> None:
    rules = [region("text", c) for c in ("unread", "unknown", "name", "ruler")]
    rules += [region("face", c) for c in ("face", "possible-face", "old-disguise")]
    rules += [region("code", "barcode"), region("document", "consent-form")]
    for action in decide(rules, Policy.load(), **SIZE).actions:
        assert wording.tr(action.why).startswith(OPEN)
        assert wording.what(action).startswith(OPEN)
