"""After its review date the checklist says so: in ``doctor`` and on both sheets; and each answer names its act."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from release_kit import call
from sheets_kit import run_folder

from medimg.cli.answer import answer
from medimg.cli.doctor import doctor
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import SharingContext

PAST = "is past its review date (2020-01-31)"
AU = SharingContext(audience="closed-group", jurisdictions=("AU",))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDIMG_CARDS", str(tmp_path / "cards"))
    run_folder(tmp_path / "medimg-R7Q4", {"P01": 1}, context=AU, actions=())
    return tmp_path / "medimg-R7Q4"


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    past = msgspec.structs.replace(ChecklistDefinition.load(), review_by="2020-01-31")
    monkeypatch.setattr(ChecklistDefinition, "load", classmethod(lambda _cls: past))


def sheets(run: Path) -> tuple[str, str]:
    return (run / "share-sheet.html").read_text(), (run / "PRIVATE-patient-record" / "record-sheet.html").read_text()


def test_before_it_the_day_is_said(run: Path) -> None:
    call(answer, run, "--set", "P01:con.written=yes")
    day = ChecklistDefinition.load().review_by
    assert all(f"is to be read again by {day}" in sheet for sheet in sheets(run))
    assert "past its review date" not in "".join(sheets(run))


@pytest.mark.usefixtures("old")
def test_after_it_both_sheets_and_doctor_say_so(run: Path) -> None:
    call(answer, run, "--set", "P01:con.written=yes")
    assert all(sheet.count(PAST) == 2 for sheet in sheets(run))  # on top, and beside the version
    assert PAST in call(doctor).output


def test_the_record_names_the_act_and_the_sentence_that_closed_a_question(run: Path) -> None:
    text = call(answer, run, "--template", "--role", "registrar").output.replace("answer: not-sure", "answer: yes")
    text = text.replace('name: ""', 'name: "Form A"').replace('to: ""', 'to: "the group"')
    text = text.replace('version: ""', 'version: "3"').replace('owner: ""', 'owner: "CP-12"')
    (run.parent / "a.yaml").write_text(text)
    assert call(answer, run, "--from", run.parent / "a.yaml").exit_code == 0
    share, record = sheets(run)
    assert "in the act \u201cLook\u201d: &#34;No bar code or QR code shows&#34;" in record
    assert "in the act" not in share
    data = json.loads((run / "PRIVATE-patient-record" / "record-sheet.json").read_bytes())
    (group,) = data["groups"]
    codes = next(a for a in group["answers"] if a["item"] == "img.codes")
    assert (codes["act"], codes["said"]) == ("look:P01-001", "No bar code or QR code shows.")
    assert (group["form"], group["filed"], group["agreement"]) == ("Form A, version 3", "in the record", "CP-12")
    assert "Form A" not in share
