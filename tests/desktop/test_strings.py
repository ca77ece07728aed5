"""The words of the window can be translated: Qt's own tool finds them, and a translation is shown."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from desktop_kit import make_run
from PySide6.QtCore import QTranslator
from PySide6.QtWidgets import QAbstractButton, QLabel, QListWidget, QWidget

from medimg import desktop, vocabulary
from medimg.decide import decide
from medimg.desktop import edits, wording
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

SOURCES = [vocabulary.__file__, *sorted(str(p) for p in Path(desktop.__file__).parent.rglob("*.py"))]
GERMAN = {
    "Questions before sharing": "Fragen vor dem Teilen",
    "{0} of {1} needed answers given": "{0} von {1} nötigen Antworten gegeben",
    "Needed before sharing": "Nötig vor dem Teilen",
    "Open share folder": "Ordner öffnen",
    "&Open share folder": "&Ordner öffnen",
    "&Back to the questions": "&Zurück zu den Fragen",
}


def tool(name: str, *arguments: str) -> None:
    program = Path(sys.executable).with_name(f"pyside6-{name}")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``make strings`` writes."""
    out = tmp_path_factory.mktemp("strings") / "medimg.ts"
    tool("lupdate", "-no-obsolete", *SOURCES, "-ts", str(out))
    return out


def found(words: Path) -> dict[str, set[str]]:
    root = ET.parse(words).getroot()
    return {c.findtext("name", ""): {m.findtext("source", "") for m in c.iter("message")} for c in root.iter("context")}


def test_the_tool_finds_the_words_under_the_names_the_window_asks_for(words: Path) -> None:
    said = found(words)
    assert "Questions before sharing" in said["ChecklistPage"]
    assert "Needed before sharing" in said["QuestionCard"]
    assert "Last look before release" in said["ReleaseView"]
    assert "■ Stop: get advice before sharing" in said["StoppedPage"]
    assert "&Copy summary for the notes" in said["FinishPage"]
    assert "Opened at full size: {1} of {2}" in " ".join(said["LookedCard"])


def test_a_translation_is_shown(qtbot, qapp, words: Path, tmp_path: Path) -> None:
    tree = ET.parse(words)
    for message in tree.getroot().iter("message"):
        german = GERMAN.get(message.findtext("source", ""))
        translation = message.find("translation")
        if german and translation is not None:
            translation.text = german
            translation.attrib.pop("type", None)
    german_ts, german_qm = tmp_path / "medimg_de.ts", tmp_path / "medimg_de.qm"
    tree.write(german_ts, encoding="utf-8")
    tool("lrelease", str(german_ts), "-qm", str(german_qm))
    translator = QTranslator()
    assert translator.load(str(german_qm))
    assert qapp.installTranslator(translator)
    try:
        page, finish, stopped = ChecklistPage(), FinishPage(), StoppedPage()
        for widget in (page, finish, stopped):
            qtbot.addWidget(widget)
        page.open_run(make_run(tmp_path / "run"))
        assert page.title.text() == "Fragen vor dem Teilen"
        assert page.progress_words.text().endswith("nötigen Antworten gegeben")
        assert any(c.tag.text().startswith("Nötig vor dem Teilen") for c in page.view.cards if hasattr(c, "tag"))
        assert finish.open_button.text() == "&Ordner öffnen"
        assert finish.open_button.accessibleName() == "Ordner öffnen"
        assert stopped.close_button.text() == "&Zurück zu den Fragen"
    finally:
        qapp.removeTranslator(translator)


OPEN, SHUT = "⟦", "⟧"


@pytest.fixture
def marked(qapp, words: Path, tmp_path: Path) -> Iterator[None]:
    """Every string that translators get, translated: it stands in brackets."""
    tree = ET.parse(words)
    for message in tree.getroot().iter("message"):
        translation = message.find("translation")
        assert translation is not None
        translation.text = f"{OPEN}{message.findtext('source', '')}{SHUT}"
        translation.attrib.pop("type", None)
    source, made = tmp_path / "medimg_xx.ts", tmp_path / "medimg_xx.qm"
    tree.write(source, encoding="utf-8")
    tool("lrelease", str(source), "-qm", str(made))
    translator = QTranslator()
    assert translator.load(str(made))
    assert qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


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


def test_every_word_of_the_pages_can_be_translated(qtbot, marked: None, tmp_path: Path) -> None:
    start, progress, finish, stopped = StartPage(), ProgressPage(), FinishPage(), StoppedPage()
    for page in (start, progress, finish, stopped):
        qtbot.addWidget(page)
    assert start.call.text() == "⟦Drop photos here⟧"
    progress.tell(Progress(event="photo", run="R7Q4", total=2, counts=COUNTS, seconds=1.0, report=HELD))
    assert progress.done.item(0).text() == "! P01-001: ⟦held⟧: this looks like a document."
    progress.fail(OutputError("the output could not be written."))
    assert "⟦Make room on the disk" in progress.banner.text()
    progress.done.clear()  # the reason of a check is said as the check says it
    progress.banner.words.setText("")
    progress.banner.words.setAccessibleName("")
    for page in (start, progress, finish, stopped):
        assert untranslated(page) == [], type(page).__name__


def test_every_word_beside_a_photo_can_be_translated(qtbot, marked: None) -> None:
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


def test_the_reasons_and_kinds_of_the_rules_are_there_for_translators(words: Path) -> None:
    said = found(words)["wording"]
    rules = [region("text", c) for c in ("unread", "unknown", "name", "ruler")]
    rules += [region("face", c) for c in ("face", "possible-face", "old-disguise")]
    rules += [region("code", "barcode"), region("document", "consent-form")]
    for action in decide(rules, Policy.load(), **SIZE).actions:
        assert action.why in said
        assert wording.what(action) in said
