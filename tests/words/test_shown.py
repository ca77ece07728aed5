"""A made-up language in which every word stands in brackets: what is shown outside of them, nobody can translate."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sheets_kit
from words_kit import OPEN, marked, outside

from medimg import words
from medimg.consent import advice, incident
from medimg.consent.checklist import ChecklistDefinition
from medimg.policy import Policy, explain
from medimg.report import consent_page
from medimg.run import state as runs
from medimg.run.opened import open_run
from medimg.serve.page.routes import translated

MARKED = marked()
NOT_SPOKEN = ("use strict", "fieldset input", "fieldset input:checked")
PROSE = re.compile(r"[A-Za-z]{3,}[,;:]? [a-z]{2,}")


@pytest.fixture
def made_up() -> Iterator[None]:
    words.use(MARKED)
    yield
    words.use("en")


def made(folder: Path) -> Path:
    run = folder / "medimg-R7Q4"
    sheets_kit.run_folder(run, {"P01": 2, "P02": 1}, held=1, site=None, warnings=("synced-input",))
    return run


def read(page: str) -> str:
    """What a person reads or hears of a page."""
    page = re.sub(r"<(style|script)\b.*?</\1>", "", page, flags=re.DOTALL)
    heard = " ".join(re.findall(r'(?:alt|aria-label)="([^"]*)"', page))
    return html.unescape(re.sub(r"<[^>]+>", " | ", page) + " | " + heard)


def left(text: str) -> list[str]:
    """Prose that stands in no brackets; titles of sources are names, and stay."""
    for source in ChecklistDefinition.load().sources.values():
        text = text.replace(source.title, "")
    return sorted(set(PROSE.findall(outside(text))))


def test_the_sheets_hold_no_word_that_cannot_be_translated(made_up: None, tmp_path: Path) -> None:
    run = made(tmp_path)
    private = run / "PRIVATE-patient-record"
    for path in (private / "record-sheet.html", run / "share-sheet.html"):
        page = path.read_text("utf-8")
        assert '<html lang="xx">' in page
        assert page.count(OPEN) > 100
        assert left(read(page)) == []
    assert left((private / "paste-into-notes.txt").read_text("utf-8")) == []


def test_the_page_for_the_patient_holds_none(made_up: None, tmp_path: Path) -> None:
    opened = open_run(made(tmp_path))
    page = consent_page.html(consent_page.of(opened, "P01"))
    assert page.count(OPEN) > 20
    assert left(read(page)) == []


def test_what_people_read_of_the_checklist_and_the_policy(made_up: None) -> None:
    definition = ChecklistDefinition.load()
    for item in definition.items:
        assert left(" | ".join((item.ask, item.say, item.help))) == [], item.id
    for table in (definition.audiences, definition.jurisdictions, definition.conditions, definition.ticks):
        assert all(left(v) == [] and v.startswith(OPEN) for v in table.values())
    assert definition.digest == ChecklistDefinition.shipped().digest
    assert definition.language == "xx"
    assert all(line.startswith(OPEN) for audience in definition.audiences for line in advice.panel(audience))
    assert all(left(words.said(line)) == [] for line in explain(Policy.load()))
    assert left(" | ".join(incident.clocks(("OTHER",), definition.jurisdictions))) == []


def test_the_page_for_a_browser(made_up: None) -> None:
    folder = Path(words.__file__).parent.parent / "serve" / "page"
    frame = translated((folder / "page.html").read_text("utf-8"), "page.html")
    assert '<html lang="xx">' in frame
    assert left(read(frame)) == []
    program = (folder / "page.js").read_text("utf-8")
    calls = re.sub(r"//.*", "", translated(program, "page.js"))
    literals = re.findall(r'"((?:[^"\\\n]|\\.)*)"|`([^`]*)`', calls)
    spoken = [a or b for a, b in literals if PROSE.search(outside(a or b))]
    assert [s for s in spoken if s not in NOT_SPOKEN and "${" not in s] == []
    assert [s for s in spoken if "${" in s and PROSE.search(outside(re.sub(r"\$\{[^}]*\}", "", s)))] == []
    assert calls.count(OPEN) >= 40


def test_in_english_the_page_is_the_file() -> None:
    path = Path(words.__file__).parent.parent / "serve" / "page" / "page.js"
    assert translated(path.read_text("utf-8"), "page.js") == path.read_text("utf-8")


HELP = """
import json, sys
sys.path[:0] = sys.argv[1:]
from words_kit import marked
from medimg import words
words.usual = lambda: marked()
import click
from medimg.cli import _language, main
_language.choose(None, main.cli)
out = {"": main.cli.get_help(click.Context(main.cli, info_name="medimg"))}
for name in main.COMMANDS:
    command = main.cli.get_command(click.Context(main.cli), name)
    out[name] = command.get_help(click.Context(command, info_name=name, max_content_width=2000, terminal_width=2000))
    for sub, one in getattr(command, "commands", {}).items():
        out[f"{name} {sub}"] = one.get_help(click.Context(one, info_name=sub, max_content_width=2000))
print(json.dumps(out))
"""


def test_the_help_of_every_command() -> None:
    tests = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-c", HELP, str(tests), str(tests.parent)], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert len(told) > 30
    wrong = {name: left(re.sub(r"--[a-z-]+ \S+|\s+", " ", text)) for name, text in told.items()}
    assert {name: said for name, said in wrong.items() if said} == {}


def test_records_on_disk_are_the_same_in_every_language(made_up: None, tmp_path: Path) -> None:
    """What one person's program wrote in their language, another's reads and shows in its own."""
    run = made(tmp_path)
    private = run / "PRIVATE-patient-record"
    for path in sorted(private.glob("*.json")):
        if not path.name.startswith("record-sheet"):
            assert OPEN not in path.read_text("utf-8"), path.name
    there = open_run(run)
    words.use("en")
    from medimg.report import refresh

    assert runs.load(run) == there.state
    refresh(there.state, there.reports, run)
    assert OPEN not in (private / "record-sheet.html").read_text("utf-8")
    assert '<html lang="en">' in (run / "share-sheet.html").read_text("utf-8")
