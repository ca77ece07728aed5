"""``--json`` of answer, release and apply: one record for programs, and no word beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import batch_fakes as fakes
import pytest
from release_kit import call
from sheets_kit import run_folder

from medimg.cli.answer import answer
from medimg.cli.apply import apply
from medimg.cli.release import release
from medimg.consent.context import SharingContext
from medimg.engine.batch import scrub_folder
from medimg.errors import UsageError


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MEDIMG_CARDS", str(tmp_path / "cards"))
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))
    au = SharingContext(audience="closed-group", jurisdictions=("AU",))
    run_folder(tmp_path / "medimg-R7Q4", {"P01": 1}, context=au, actions=())
    return tmp_path / "medimg-R7Q4"


def said(command: Any, *args: Any, code: int) -> dict[str, Any]:
    result = call(command, *args)
    assert result.exit_code == code, result.output
    made: dict[str, Any] = json.loads(result.output)
    return made


def test_an_answer_and_a_release_say_where_every_patient_stands(out: Path, tmp_path: Path) -> None:
    first = said(answer, out, "--set", "P01:con.written=yes", "--json", code=11)
    assert first["schema"] == "medimg.answer/1"
    assert "con.specific" in first["groups"]["P01"]["waiting"]
    text = call(answer, out, "--template", "--role", "registrar").output.replace("answer: not-sure", "answer: yes")
    (tmp_path / "a.yaml").write_text(text.replace('name: ""', 'name: "Hand"').replace('to: ""', 'to: "the group"'))
    assert said(answer, out, "--from", tmp_path / "a.yaml", "--json", code=0)["groups"]["P01"]["waiting"] == []
    done = said(release, out, "--yes", "--json", code=0)
    assert done["moved"] == ["P01"]
    assert done["groups"]["P01"]["released"] == ["P01-001.jpg"]
    assert said(release, out, "--yes", "--json", code=0)["moved"] == []


def test_it_asks_nothing(out: Path) -> None:
    with pytest.raises(UsageError, match="--yes"):
        call(release, out, "--json")
    with pytest.raises(UsageError, match="answers that are given"):
        call(answer, out, "--json")


def test_apply_says_what_was_made_and_what_was_left(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in" / "a.png")
    run = scrub_folder([tmp_path / "in"], tmp_path / "out", make=fakes.make, workers=1).folder
    made = said(apply, run, tmp_path / "in", "--json", code=0)
    assert made == {"schema": "medimg.apply/1", "made": {}, "left": {}}
