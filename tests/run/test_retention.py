"""``medimg purge``: what is removed, what is left and why, and what stays as proof."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

import click
import msgspec
import pytest
from click.testing import CliRunner
from release_kit import answered, call
from sheets_kit import run_folder

from medimg.cli.purge import purge
from medimg.cli.release import release
from medimg.cli.withdraw import withdraw
from medimg.run import lock, retention
from medimg.run import state as runs
from medimg.run.register import Register

PRIVATE = "PRIVATE-patient-record"


@pytest.fixture(autouse=True)
def own_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register" / "register.sqlite"))


class Done(NamedTuple):
    """How the command ended, and what it said."""

    exit_code: int | None
    output: str


def purged(*args: object, typed: str = "") -> Done:
    done = CliRunner().invoke(purge, [str(a) for a in args], input=typed, standalone_mode=False)
    assert done.exception is None or isinstance(done.exception, click.Abort), done.exception
    return Done(done.return_value, done.output)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A released run of 21 November 2026 in a folder with somebody's own file beside it."""
    folder = tmp_path / "out" / "medimg-R7Q4"
    run_folder(folder, {"P01": 2})
    answered(folder, tmp_path)
    call(release, folder, "--yes", "--to", "the hand group")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    return tmp_path / "out"


def test_an_old_released_run_is_removed_whole_and_the_register_says_so(out: Path) -> None:
    before = Register().entries()
    done = purged(out, "--older-than", "0", "--yes")
    assert done.exit_code == 0, done.output
    assert sorted(p.name for p in out.iterdir()) == ["notes.txt"]
    *kept, last = Register().entries()
    assert kept == before
    assert (last.event, last.sharing.run) == ("run-removed", "R7Q4")
    assert Register().verify() == []
    assert f"1 run folder removed; in the register as {last.seq}." in done.output


def test_a_person_is_asked_and_a_no_removes_nothing(out: Path) -> None:
    done = purged(out, "--older-than", "0", typed="n\n")
    assert "R7Q4, finished 2026-11-21: 2 photos, 2 released." in done.output
    assert (out / "medimg-R7Q4" / "share" / "P01-001.jpg").exists()
    listed = json.loads(purged(out, "--older-than", "0", "--json").output)
    assert listed["runs"] == [{"run": "R7Q4", "finished": "2026-11-21", "photos": 2, "released": 2, "kept": ""}]
    assert (out / "medimg-R7Q4").exists()


def test_a_run_that_is_not_that_old_stays(out: Path) -> None:
    done = purged(out, "--older-than", "36500", "--yes")
    assert done.exit_code == 0
    assert "0 run folders removed." in done.output
    assert (out / "medimg-R7Q4").exists()


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("unreviewed/P01-001.jpg", "copies in it wait"),
        ("share/holiday.jpg", "did not write"),
        ("share/P01-001-original from the phone.heic", "did not write"),
        ("share/P01-002.jpg", "did not write"),
        ("unreviewed/P01-001 before.jpg", "copies in it wait"),
        (f"{PRIVATE}/record-sheet.signed.docx", "did not write"),
        ("hold/original.jpg", "did not write"),
        (f"{PRIVATE}/my own notes.docx", "did not write"),
        ("more/thing", "did not write"),
        (f"{PRIVATE}/journal.sqlite", "being worked on"),
    ],
)
def test_a_run_with_something_in_it_that_would_be_lost_is_left(out: Path, place: str, why: str) -> None:
    path = out / "medimg-R7Q4" / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"x")
    done = purged(out, "--older-than", "0", "--yes")
    assert done.exit_code == 10
    assert "R7Q4 is left: " in done.output
    assert why in done.output
    assert path.exists()
    assert (out / "medimg-R7Q4" / "share" / "P01-001.jpg").exists()


def test_waiting_copies_go_when_it_is_said(out: Path) -> None:
    (out / "medimg-R7Q4" / "unreviewed" / "P01-001.jpg").write_bytes(b"x")
    assert purged(out, "--older-than", "0", "--yes", "--with-waiting").exit_code == 0
    assert not (out / "medimg-R7Q4").exists()


def test_what_a_patient_withdrew_waits_for_nobody(out: Path) -> None:
    call(withdraw, out / "medimg-R7Q4", "P01")
    assert list((out / "medimg-R7Q4" / "unreviewed").iterdir())
    assert purged(out, "--older-than", "0", "--yes").exit_code == 0
    assert not (out / "medimg-R7Q4").exists()


def test_a_link_is_not_followed(out: Path, tmp_path: Path) -> None:
    """Neither one in the place of a run folder nor one inside it."""
    outside = tmp_path / "originals"
    outside.mkdir()
    (outside / "P01-001.jpg").write_bytes(b"an original")
    inside = out / "medimg-R7Q4" / "share" / "P09-001.jpg"
    inside.symlink_to(outside / "P01-001.jpg")
    assert purged(out, "--older-than", "0", "--yes").exit_code == 10
    inside.unlink()
    (out / "medimg-R7Q4").rename(tmp_path / "elsewhere")
    (out / "medimg-R7Q4").symlink_to(tmp_path / "elsewhere")
    assert purged(out, "--older-than", "0", "--yes").exit_code == 0
    assert (tmp_path / "elsewhere" / "share" / "P01-001.jpg").exists()
    assert (outside / "P01-001.jpg").read_bytes() == b"an original"


def test_a_run_that_another_process_works_on_is_left(out: Path) -> None:
    private = out / "medimg-R7Q4" / PRIVATE
    handle = lock.claim(private)
    try:
        assert purged(out, "--older-than", "0", "--yes").exit_code == 10
    finally:
        lock.give_back(private, handle)
    assert (out / "medimg-R7Q4").exists()


def test_an_unfinished_run_and_one_whose_answers_are_damaged_are_left(out: Path) -> None:
    answers = out / "medimg-R7Q4" / PRIVATE / "answers.json"
    answers.write_bytes(b"{")
    done = purged(out, "--older-than", "0", "--yes")
    assert done.exit_code == 10
    assert "R7Q4 is left: " in done.output
    assert answers.exists()


def test_a_removal_that_was_cut_short_is_ended_by_the_next(out: Path) -> None:
    state = runs.load(out / "medimg-R7Q4")
    assert state is not None
    assert msgspec.json.encode(state)
    going = out / f".medimg-ABCD{retention.GOING}"
    (going / "share").mkdir(parents=True)
    (going / "share" / "P01-001.jpg").write_bytes(b"x")
    done = purged(out, "--older-than", "36500", "--yes")
    assert "1 removal that was cut short is ended." in done.output
    assert not going.exists()
    last = Register().entries()[-1]  # it was killed before it had noted it
    assert (last.event, last.sharing.run) == ("run-removed", "ABCD")


def test_every_file_a_run_can_hold_is_known_as_its_own(out: Path) -> None:
    """A file that a command writes and this list does not know would keep every run for ever."""
    folder = out / "medimg-R7Q4"
    assert not retention.foreign(folder, {"P01-001.jpg", "P01-002.jpg"})
    listed = {Path(p).name for _, _, files in os.walk(folder) for p in files}
    assert {"run.json", "answers.json", "reports.json", "record-sheet.html", "paste-into-notes.txt"} <= listed | {
        "run.json"
    }
