"""The incident card with the country's clock, and the panel of advice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from release_kit import call
from sheets_kit import none_true, run_folder

from medimg.cli.incident import incident
from medimg.consent import advice
from medimg.consent import incident as card
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import SharingContext

ROOT = Path(__file__).parents[2]
READ = {"AU": "30 days", "NZ": "72 hours", "UK": "72 hours", "US-HIPAA": "60 days", "EU": "72 hours", "CA": "province"}


@pytest.mark.parametrize("country", READ)
def test_the_clock_of_a_country_says_what_was_read_and_where(country: str) -> None:
    (line,) = card.clocks([country])
    assert READ[country] in line
    assert re.search(r"\[.+; read 20\d\d-\d\d-\d\d\]$", line)


def test_what_was_not_read_is_to_be_asked() -> None:
    assert card.clocks(["OTHER", "XX"], {"XX": "Nowhere"}) == [f"Another country: {card.ASK}.", f"Nowhere: {card.ASK}."]
    assert card.clocks([]) == [card.NO_COUNTRY]


def test_a_summary_is_said_to_be_one() -> None:
    assert "the text itself was not read" in card.clocks(["UK"])[0]
    assert "the text itself was not read" not in card.clocks(["EU"])[0]


def test_every_country_of_the_checklist_has_a_line_and_every_source_is_used_and_listed() -> None:
    assert all(card.clocks([c]) for c in ChecklistDefinition.load().jurisdictions)
    used = {key for c in card._read().clock for key in c.sources}
    assert used == {s.key for s in card.sources()}
    page = (ROOT / "docs" / "sources.md").read_text()
    for source in card.sources():
        assert (
            f"| {source.title} | {source.year or 'none given'} | <{source.url}> | {source.read} | {source.how} |"
            in page
        )
        assert source.point in page


def test_the_command_names_the_clock_of_the_run_alone(tmp_path: Path) -> None:
    context = SharingContext(audience="closed-group", jurisdictions=("NZ",), conditions=none_true())
    run_folder(tmp_path / "medimg-R7Q4", {"P01": 1}, context=context)
    said = call(incident, tmp_path / "medimg-R7Q4").output
    assert "New Zealand" in said
    assert "Australia" not in said
    assert all(f"{n}. {step}" in said for n, step in enumerate(card.STEPS, 1))
    assert "No contact is set" in said
    page = (tmp_path / "medimg-R7Q4" / "PRIVATE-patient-record" / "record-sheet.html").read_text()
    assert "the office expects that within 72 hours" in page
    assert "not reviewed by a lawyer" in page
    assert "72 hours" not in (tmp_path / "medimg-R7Q4" / "share-sheet.html").read_text()


def test_the_command_works_without_a_run() -> None:
    said = call(incident, "--where", "AU,EU", "--sources").output
    assert "30 days" in said
    assert "72 hours" in said
    assert all(s.url in said for s in card.sources())


@pytest.mark.parametrize("row", [32, 45, 47, 50, 51, 58, 59, 64, 68, 69])
def test_each_row_that_only_advises_has_a_line(row: int) -> None:
    assert [a for a in advice.ADVICE if a.row == row]


def test_advice_is_for_its_audience() -> None:
    shown = {a: advice.panel(a) for a in ChecklistDefinition.load().audiences}
    assert all(shown.values())
    assert [a for a, lines in shown.items() if any("praise" in line for line in lines)] == ["public"]
    assert all(len(" ".join(lines).split()) <= 190 for lines in shown.values())


def test_the_record_sheet_has_the_panel_of_its_audience(tmp_path: Path) -> None:
    run_folder(tmp_path / "medimg-R7Q4", {"P01": 1})
    page = (tmp_path / "medimg-R7Q4" / "PRIVATE-patient-record" / "record-sheet.html").read_text()
    assert "Share it well" in page
    assert "speak for yourself" in page
    assert "praise" not in page
