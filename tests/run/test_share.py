"""``share/``, the answers, the decisions and the register cannot say different things without a word."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import batch_fakes as fakes
import msgspec
import pytest
from release_kit import answered, call
from sheets_kit import picture, run_folder

from medimg.cli.answer import answer
from medimg.cli.clean import clean
from medimg.cli.consent_page import consent_page
from medimg.cli.decide import crop, review
from medimg.cli.register import register
from medimg.cli.release import release
from medimg.cli.reopen import reopen
from medimg.cli.status import status
from medimg.cli.withdraw import withdraw
from medimg.consent.context import SharingContext
from medimg.errors import CheckFailed, MedimgError, UsageError
from medimg.policy import Policy
from medimg.report import build, write_sheets
from medimg.run import decisions
from medimg.run import release as releasing
from medimg.run import state as runs
from medimg.run.events import Released, Reopened
from medimg.run.folder import RunFolder
from medimg.run.opened import open_run
from medimg.run.register import Register

PRIVATE = "PRIVATE-patient-record"
TO = ("--yes", "--recipients", "ZZRECIPIENT of the hand group")
BOTH = {"P01": ["P01-001", "P01-002"], "P02": ["P02-001"]}


@pytest.fixture(autouse=True)
def own_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "register" / "register.sqlite"
    monkeypatch.setenv("MEDIMG_REGISTER", str(path))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Two patients, everything answered, nothing released."""
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 2, "P02": 1})
    answered(folder, tmp_path, BOTH)
    return folder


def shared(out: Path) -> list[str]:
    return sorted(p.name for p in (out / "share").iterdir())


def events(out: Path) -> list[str]:
    return [e.event for e in Register().entries(open_run(out).state.run.tag)]


def refused(out: Path, *args: object) -> str:
    """A release that is refused: nothing moves, and the register says nothing."""
    before, said = {p: p.read_bytes() for p in sorted(out.rglob("*.jpg"))}, events(out)
    with pytest.raises(MedimgError) as error:
        call(release, out, *args)
    assert {p: p.read_bytes() for p in sorted(out.rglob("*.jpg"))} == before
    assert events(out) == said
    return str(error.value)


# ---------------------------------------------------------------- with whom


@pytest.mark.parametrize("typed", [(), ("--to", ""), ("--to", "  "), ("--recipients", "\t")])
def test_a_release_without_recipients_is_refused(out: Path, typed: tuple[str, ...]) -> None:
    assert "with whom it is shared is not written down" in refused(out, "P01", "--yes", *typed)


def test_the_terminal_asks_with_whom(out: Path, own_register: Path) -> None:
    ours, theirs = pty.openpty()
    env = {**os.environ, "MEDIMG_REGISTER": str(own_register)}
    line = [sys.executable, "-m", "medimg", "release", str(out), "P01"]
    child = subprocess.Popen(line, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
    os.close(theirs)
    os.write(ours, b"two colleagues\ny\n")
    said, _ = child.communicate(timeout=600)
    os.close(ours)
    assert child.returncode == 0, said
    assert b"With whom will it be shared?" in said
    assert [e.sharing.recipients for e in Register(own_register).entries()] == ["two colleagues"]
    assert shared(out) == ["P01-001.jpg", "P01-002.jpg"]


def test_the_library_refuses_it_too_and_takes_them(out: Path) -> None:
    opened = open_run(out)
    results = build.results(opened.state, opened.reports)
    with pytest.raises(UsageError, match="with whom"):
        releasing.release(opened, results, ["P01"], Register())
    state = releasing.release(opened, results, ["P01"], Register(), recipients="two colleagues")
    assert state.recipients == {"P01": "two colleagues"}
    assert Register().entries()[0].sharing.recipients == "two colleagues"


def test_recipients_go_to_the_record_and_the_register_alone_and_withdrawal_says_them(out: Path) -> None:
    call(release, out, "P01", *TO)
    for path in out.rglob("*"):
        if path.is_file() and PRIVATE not in str(path):
            assert b"ZZRECIPIENT" not in path.read_bytes(), path.name
    assert "ZZRECIPIENT" in call(withdraw, out, "P01").output
    assert "ZZRECIPIENT" in (out / PRIVATE / "withdrawal-P01.txt").read_text()


def test_another_sharing_of_the_same_pictures_is_written_down(out: Path) -> None:
    call(release, out, "P01", *TO)
    again = call(release, out, "P01", *TO)
    assert again.exit_code == 0
    assert events(out) == ["released"]
    call(release, out, "P01", "--yes", "--to", "a conference")
    assert [e.sharing.recipients for e in Register().entries()] == [TO[2], "a conference"]
    assert "a conference" in call(withdraw, out, "P01").output


# ---------------------------------------------------------------- what lies in share/


def put(out: Path, kind: str) -> None:
    share = out / "share"
    match kind:
        case "original":
            (share / "IMG_0001.jpg").write_bytes(picture((10, 20, 30)))
        case "hidden":
            (share / ".cache").write_bytes(b"x")
        case "folder":
            (share / "more").mkdir()
        case "link":
            (share / "P01-001.png").symlink_to(out / "unreviewed" / "P01-001.jpg")
        case "a copy of another patient":
            shutil.copy(out / "unreviewed" / "P02-001.jpg", share)
        case "another suffix":
            shutil.copy(out / "unreviewed" / "P01-001.jpg", share / "P01-001.JPG")


@pytest.mark.parametrize(
    "kind", ["original", "hidden", "folder", "link", "a copy of another patient", "another suffix"]
)
def test_something_foreign_in_share_stops_a_release_and_is_counted(out: Path, kind: str) -> None:
    put(out, kind)
    assert "holds 1 file that was not released" in refused(out, "P01", *TO)
    said = call(status, out)
    assert said.exit_code == 20
    assert "1 file that was not released" in said.output
    assert "IMG_0001" not in said.output
    assert json.loads(call(status, out, "--json").output)["share"]["strangers"] == 1


def test_a_copy_that_went_bad_in_share_stops_the_next_release(out: Path) -> None:
    call(release, out, "P01", *TO)
    (out / "share" / "P01-002.jpg").write_bytes(picture((1, 2, 3)))
    assert "P01-002.jpg" in refused(out, "P02", *TO)


@pytest.mark.parametrize("harm", ["replaced", "gone"])
def test_a_copy_that_is_not_the_checked_one_names_the_option_that_makes_it_anew(out: Path, harm: str) -> None:
    """Without it 'medimg clean' says of a copy that was replaced that nothing is new."""
    copy = out / "unreviewed" / "P01-001.jpg"
    copy.write_bytes(picture((1, 2, 3))) if harm == "replaced" else copy.unlink()
    assert "--again" in refused(out, *TO)


@pytest.mark.parametrize("harm", ["replaced", "appended", "emptied", "link", "folder"])
def test_a_replaced_copy_is_noticed_everywhere(out: Path, tmp_path: Path, harm: str) -> None:
    call(release, out, "P01", *TO)
    copy = out / "share" / "P01-001.jpg"
    before = copy.read_bytes()
    copy.unlink()
    match harm:
        case "replaced":
            copy.write_bytes(picture((9, 9, 200)))
        case "appended":
            copy.write_bytes(before + b"\0")
        case "emptied":
            copy.write_bytes(b"")
        case "link":
            (tmp_path / "same.jpg").write_bytes(before)
            copy.symlink_to(tmp_path / "same.jpg")
        case "folder":
            copy.mkdir()
    said = call(status, out)
    assert said.exit_code == 20
    assert "not the copies that were released: P01-001.jpg" in said.output
    checked = call(register, "verify", out)
    assert checked.exit_code == 20
    assert "P01-001.jpg" in checked.output
    with pytest.raises(CheckFailed, match=r"P01-001\.jpg"):
        call(reopen, out, "P01")
    assert shared(out) == ["P01-001.jpg", "P01-002.jpg"]
    assert not (out / "unreviewed" / "P01-001.jpg").exists()
    assert events(out) == ["released"]
    withdrawn = call(withdraw, out, "P01")
    assert "not the released copies: P01-001.jpg" in withdrawn.output
    assert "Taken out of share/, to unreviewed/: P01-002.jpg." in withdrawn.output
    assert shared(out) == ["P01-001.jpg"]


def test_what_is_missing_is_said_and_can_be_taken_back(out: Path) -> None:
    call(release, out, "P01", *TO)
    (out / "share" / "P01-001.jpg").unlink()
    said = call(status, out)
    assert "Not in share/ any more, though released: P01-001.jpg." in said.output
    assert "In share/: 1 released copy." in said.output
    back = call(reopen, out, "P01")
    assert "did not lie in share/: P01-001.jpg" in back.output
    assert (out / "unreviewed" / "P01-002.jpg").is_file()


def test_a_clean_run_agrees_with_itself(out: Path) -> None:
    assert call(status, out).exit_code == 0
    call(release, out, *TO)
    assert call(status, out).exit_code == 0
    assert call(register, "verify", out).exit_code == 0
    call(reopen, out, "P02")
    assert call(register, "verify", out).exit_code == 0
    assert call(status, out).exit_code == 11


def test_the_copies_of_a_patient_who_withdrew_leave_the_share_folder(out: Path) -> None:
    call(release, out, "P01", *TO)
    call(withdraw, out, "P01")
    assert shared(out) == []
    assert "though released" not in call(status, out).output
    call(release, out, "P02", *TO)
    assert shared(out) == ["P02-001.jpg"]


def test_the_copies_of_a_patient_who_withdrew_stop_the_release_of_another(out: Path) -> None:
    call(release, out, "P01", *TO)
    call(withdraw, out, "P01")
    for name in ("P01-001.jpg", "P01-002.jpg"):  # put back by hand
        (out / "unreviewed" / name).rename(out / "share" / name)
    said = call(status, out)
    assert said.exit_code == 12
    assert "though the patient withdrew: P01-001.jpg, P01-002.jpg" in said.output
    assert "not released, or not any more" in refused(out, "P02", *TO)
    call(reopen, out, "P01")
    assert shared(out) == []
    assert call(release, out, "P02", *TO).exit_code == 0
    assert shared(out) == ["P02-001.jpg"]


@pytest.mark.parametrize("name", ["share", "unreviewed"])
def test_a_link_in_the_place_of_a_folder_is_refused(out: Path, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "synced"
    if name == "share":
        (out / name).rmdir()
        elsewhere.mkdir()
    else:
        (out / name).rename(elsewhere)
    (out / name).symlink_to(elsewhere)
    before = sorted(p.name for p in elsewhere.iterdir())
    assert "link" in refused(out, "P01", *TO)
    with pytest.raises(CheckFailed, match="link"):
        call(reopen, out, "P01")
    assert sorted(p.name for p in elsewhere.iterdir()) == before


@pytest.mark.parametrize(
    "name",
    ["share", "PRIVATE-patient-record", *(pytest.param(n, marks=pytest.mark.long) for n in ("unreviewed", "hold"))],
)
def test_nothing_is_written_through_a_link_in_the_place_of_a_folder(tmp_path: Path, name: str) -> None:
    fakes.photo(tmp_path / "in" / "a.png")
    call(clean, tmp_path / "in", "-o", tmp_path / "out", "--metadata-only", "--workers", "1")
    (run,) = (tmp_path / "out").iterdir()
    elsewhere = tmp_path / "synced"
    (run / name).rename(elsewhere)
    (run / name).symlink_to(elsewhere)
    before = {p.name: p.read_bytes() for p in elsewhere.iterdir()}
    with pytest.raises(MedimgError):
        call(crop, run, "P01-001", tmp_path / "in", "--box", "0,0,8,8", "--workers", "1")
    if name == "PRIVATE-patient-record":
        with pytest.raises(UsageError, match="run folder"):
            call(consent_page, run, "P01")
    else:
        assert {p.name: p.read_bytes() for p in elsewhere.iterdir()} == before
    assert {p.name for p in elsewhere.iterdir()} == set(before)


def test_decisions_are_not_applied_over_a_copy_that_still_lies_in_share(out: Path) -> None:
    from medimg.engine.apply import apply

    call(release, out, "P01", *TO)
    state = runs.load(out)
    assert state is not None
    shipped = msgspec.structs.replace(state.run, policy_digest=Policy.load().digest)
    runs.save(out, msgspec.structs.replace(state, run=shipped, released=()))
    _edit(out)
    with pytest.raises(UsageError, match="its copies are in share/"):
        apply(out, [out])


# ---------------------------------------------------------------- order, not the clock


@pytest.mark.parametrize("hours", [-5, 24 * 400, *(pytest.param(h, marks=pytest.mark.long) for h in (5, -24 * 400))])
def test_a_clock_set_wrong_does_not_change_what_is_released(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    """The clock is wrong while the group is taken back, and right before and after."""
    import datetime

    def at(shift: int) -> None:
        moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=shift)
        text = moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
        monkeypatch.setattr(releasing, "now", lambda: text)

    at(0)
    call(release, out, "P01", *TO)
    at(hours)
    call(reopen, out, "P01")
    said = json.loads(call(status, out, "--json").output)
    assert said["groups"]["P01"]["released"] == []
    assert shared(out) == []
    at(0)
    answered(out, tmp_path, BOTH)
    assert "2 copies" in call(release, out, "P01", *TO).output
    said = json.loads(call(status, out, "--json").output)
    assert said["groups"]["P01"]["released"] == ["P01-001.jpg", "P01-002.jpg"]
    assert call(status, out).exit_code == 0
    assert call(register, "verify", out).exit_code == 0
    call(reopen, out, "P01")
    assert shared(out) == []


def test_a_run_of_an_earlier_version_keeps_its_order(out: Path) -> None:
    """Version 0.1 wrote no count beside its events: they come before those that have one."""
    state = runs.load(out)
    assert state is not None
    copies = {"P01-001.jpg": "0" * 64}
    one = Released(group="P01", at="2026-01-01T10:00:00Z", copies=copies)
    two = Reopened(group="P01", at="2026-01-01T11:00:00Z")
    three = Released(group="P01", at="2026-01-01T12:00:00Z", copies=copies)
    replace = msgspec.structs.replace
    assert replace(state, released=(one,)).released_names("P01")
    assert not replace(state, released=(one,), reopened=(two,)).released_names("P01")
    assert replace(state, released=(one, three), reopened=(two,)).released_names("P01")
    later = Reopened(group="P01", at="2020-01-01T00:00:00Z", revision=7)
    assert not replace(state, released=(one, three), reopened=(two, later)).released_names("P01")


# ---------------------------------------------------------------- files put back, removed, edited


def test_answers_from_before_a_withdrawal_release_nothing(out: Path) -> None:
    path = out / PRIVATE / "answers.json"
    before = path.read_bytes()
    call(withdraw, out, "P01")
    path.write_bytes(before)
    assert "withdrawn by the patient" in refused(out, "P01", *TO)
    said = call(status, out)
    assert said.exit_code == 20
    assert "patient P01 was withdrawn" in said.output
    assert call(register, "verify", out).exit_code == 20
    assert call(release, out, "P02", *TO).exit_code == 0


def test_answers_from_before_a_return_release_nothing(out: Path, tmp_path: Path) -> None:
    """They hold the answers about pictures that the return had opened again."""
    call(release, out, "P01", *TO)
    path = out / PRIVATE / "answers.json"
    before = path.read_bytes()
    call(reopen, out, "P01")
    path.write_bytes(before)
    assert "taken back" in refused(out, "P01", *TO)
    assert call(status, out).exit_code == 20
    call(reopen, out, "P01")
    answered(out, tmp_path, BOTH)
    assert call(release, out, "P01", *TO).exit_code == 0
    assert call(status, out).exit_code == 0


def test_answers_from_before_a_release_are_noticed(out: Path) -> None:
    path = out / PRIVATE / "answers.json"
    before = path.read_bytes()
    call(release, out, "P01", *TO)
    path.write_bytes(before)
    said = call(status, out)
    assert said.exit_code == 20
    assert "its answers are from before it" in said.output
    assert "Take them out" not in said.output
    call(reopen, out, "P01")
    assert shared(out) == []


def test_copy_reports_and_answers_edited_together_after_the_release_are_noticed(out: Path) -> None:
    call(release, out, "P01", *TO)
    forged = picture((3, 4, 5))
    (out / "share" / "P01-001.jpg").write_bytes(forged)
    import hashlib

    new = hashlib.sha256(forged).hexdigest()
    reports = json.loads((out / PRIVATE / "reports.json").read_bytes())
    old = reports[0]["copy"]["sha256"]
    for name in ("reports.json", "answers.json"):
        path = out / PRIVATE / name
        path.write_text(path.read_text().replace(old, new))
    assert call(register, "verify", out).exit_code == 20
    said = call(status, out)
    assert said.exit_code == 20
    assert "other copies than were released" in said.output


def _edit(out: Path, safe_id: str = "P01-001") -> None:
    """A decision that no copy shows yet."""
    decided = decisions.load(out)
    assert decided is not None
    plan = decided.plans[safe_id]
    plan = msgspec.structs.replace(plan, actions=plan.actions[:-1])
    decisions.save(out, msgspec.structs.replace(decided, plans={**decided.plans, safe_id: plan}))


@pytest.mark.parametrize("harm", ["removed", "emptied", "without one photo", "answered afterwards", "sheets again"])
def test_decisions_that_are_gone_stop_the_release(out: Path, harm: str) -> None:
    _edit(out)
    assert "not in the copy yet" in refused(out, "P01", *TO)
    path = out / PRIVATE / "decisions.json"
    decided = decisions.load(out)
    assert decided is not None
    match harm:
        case "removed" | "answered afterwards" | "sheets again":
            path.unlink()
        case "emptied":
            decisions.save(out, msgspec.structs.replace(decided, plans={}))
        case "without one photo":
            rest = {i: p for i, p in decided.plans.items() if i != "P01-001"}
            decisions.save(out, msgspec.structs.replace(decided, plans=rest))
    if harm == "answered afterwards":
        call(answer, out, "--set", "pol.employer=yes")
    if harm == "sheets again":
        opened = open_run(out)
        write_sheets(opened.state.run, opened.reports, opened.state.context, out)
    assert "decisions.json" in refused(out, "P01", *TO)
    if harm == "without one photo":
        assert call(release, out, "P02", *TO).exit_code == 0


def test_decisions_of_another_run_are_not_taken_for_this_one_s(out: Path, tmp_path: Path) -> None:
    """What was shown of a photo there would be shown of another patient's here, which has the same number."""
    other = tmp_path / "medimg-K3M8"
    run_folder(other, {"P01": 2, "P02": 1}, tag="K3M8")
    call(crop, other, "P01-001", "--box", "10,10,40,40")
    shutil.copy(other / PRIVATE / "decisions.json", out / PRIVATE / "decisions.json")
    assert "another run" in refused(out, *TO)
    with pytest.raises(UsageError, match="another run"):
        call(review, out)


def test_writing_a_run_again_keeps_a_decision_that_waits(out: Path) -> None:
    """A run that is gone on with (--resume) is written again; what a person decided meanwhile stays."""
    _edit(out)
    opened = open_run(out)
    write_sheets(opened.state.run, opened.reports, opened.state.context, out)
    assert decisions.waiting(decisions.load(out), opened.reports) == ["P01-001"]


# ---------------------------------------------------------------- two at once


def test_a_run_somebody_works_on_is_not_released(out: Path) -> None:
    folder = RunFolder(out)
    handle = folder.lock()
    try:
        for command in (release, reopen, withdraw):
            more = TO if command is release else ()
            with pytest.raises(UsageError, match="another medimg"):
                call(command, out, "P01", *more)
    finally:
        folder.unlock(handle)
    assert events(out) == []
    assert shared(out) == []
    assert call(release, out, "P01", *TO).exit_code == 0
    assert not (out / PRIVATE / ".lock").exists()


def test_what_was_read_before_somebody_else_wrote_is_not_released(out: Path) -> None:
    opened = open_run(out)
    results = build.results(opened.state, opened.reports)
    call(answer, out, "--set", "P01:id.together=yes")
    with pytest.raises(UsageError, match="somebody else"):
        releasing.release(opened, results, ["P01"], Register(), recipients="x")
    assert events(out) == []
    assert shared(out) == []


def test_two_releases_at_once_write_one_entry_and_move_every_copy(tmp_path: Path, own_register: Path) -> None:
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 12}, context=SharingContext(jurisdictions=("AU",)))
    call(answer, folder, *[x for c in runs_conditions() for x in ("--set", f"P01:{c}=no")])
    answered(folder, tmp_path, {"P01": [f"P01-{n:03d}" for n in range(1, 13)]})
    line = [sys.executable, "-m", "medimg", "release", str(folder), "P01", *TO]
    env = {**os.environ, "MEDIMG_REGISTER": str(own_register)}
    both = [subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) for _ in range(2)]
    codes = sorted(p.wait(timeout=600) for p in both)
    for p in both:
        p.communicate()
    assert codes in ([0, 0], [0, 2])  # the second one met the lock, or came after the first had finished
    assert [e.event for e in Register(own_register).entries()] == ["released"]
    assert len(shared(folder)) == 12


def runs_conditions() -> list[str]:
    from sheets_kit import none_true

    return [c for c in none_true() if c != "face"]


def test_a_lock_whose_file_was_removed_under_it_is_not_taken(out: Path) -> None:
    """Between opening and locking, the other one may have finished and removed the file."""
    folder = RunFolder(out)
    first = folder.lock()
    (folder.private / ".lock").unlink()
    second = folder.lock()
    assert os.fstat(second).st_ino != os.fstat(first).st_ino
    os.close(first)
    with pytest.raises(UsageError):
        folder.lock()
    folder.unlock(second)
