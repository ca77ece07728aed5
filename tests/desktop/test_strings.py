"""The words of the window can be translated: Qt's own tool finds them, and a translation is shown."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from desktop_kit import make_run
from PySide6.QtCore import QTranslator

from medimg import desktop
from medimg.desktop.pages.checklist import ChecklistPage
from medimg.desktop.pages.finish import FinishPage
from medimg.desktop.pages.stopped import StoppedPage

SOURCES = sorted(str(p) for p in Path(desktop.__file__).parent.rglob("*.py"))
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
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120, check=False)
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
    assert "Looked at full size: {1} of {2}" in " ".join(said["LookedCard"])


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
