"""Decisions in ``decisions.json``: kept until they are applied, to their photo alone, and a bar to the release."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from batch_fakes import make, photo
from click.testing import CliRunner
from PIL import Image

from medimg.cli.answer import answer
from medimg.cli.apply import apply as command
from medimg.engine import apply as applying
from medimg.engine.apply import apply
from medimg.engine.batch import scrub_folder
from medimg.errors import OutputError, UsageError
from medimg.policy import Policy
from medimg.report import build
from medimg.run import decisions, originals
from medimg.run.opened import OpenRun, open_run
from medimg.run.register import Register
from medimg.run.release import release
from medimg.types import Action, Box, Finding, Plan, Region

BOX = Box(8, 6, 20, 14)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("made")
    photo(base / "in" / "ZZNAMEONE.png", seed=1)
    photo(base / "in" / "ZZNAMETWO.png", seed=2)
    scrub_folder([base / "in"], base / "out", make=make, workers=1)
    return base


@pytest.fixture
def base(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def run_of(base: Path) -> OpenRun:
    return open_run(base / "out")


def with_box(plan: Plan, box: Box = BOX) -> Plan:
    finding = Finding(kind="drawn", category="area", detector="a person", region=Region(box.polygon), id="d1")
    action = Action(finding=finding, do="cover", why="marked by a person", by="person")
    return msgspec.structs.replace(plan, actions=(*plan.actions, action))


def edit(base: Path, safe_id: str = "P01-001", box: Box = BOX) -> Plan:
    run = run_of(base)
    decided = decisions.load(run.folder)
    assert decided is not None
    plan = with_box(decided.plans[safe_id], box)
    decisions.save(run.folder, msgspec.structs.replace(decided, plans={**decided.plans, safe_id: plan}))
    return plan


def pixels(base: Path, safe_id: str = "P01-001") -> np.ndarray:
    with Image.open(run_of(base).folder / "unreviewed" / f"{safe_id}.png") as image:
        return np.asarray(image.convert("RGB"))


def test_an_edited_plan_is_applied_to_its_photo_alone_and_checked(base: Path) -> None:
    before, first = pixels(base), run_of(base)
    plan = edit(base)
    assert decisions.waiting(decisions.load(first.folder), first.reports) == ["P01-001"]
    outcome = apply(base / "out", [base / "in"], make=make)
    assert list(outcome.reports) == ["P01-001"]
    assert outcome.left == {}
    after = run_of(base)
    report = next(r for r in after.reports if r.safe_id == "P01-001")
    assert report.plan == plan
    assert {c.state for c in report.checks} == {"passed"}
    assert report.original == next(r for r in first.reports if r.safe_id == "P01-001").original
    assert decisions.waiting(decisions.load(after.folder), after.reports) == []
    now = pixels(base)
    covered = now[BOX.y0 : BOX.y1, BOX.x0 : BOX.x1].reshape(-1, 3)
    assert len(np.unique(covered, axis=0)) == 1
    outside = np.ones(now.shape[:2], bool)
    outside[BOX.y0 : BOX.y1, BOX.x0 : BOX.x1] = False
    assert np.array_equal(now[outside], before[outside])
    assert after.state.digests["P01-001"] != first.state.digests["P01-001"]
    assert after.state.digests["P01-002"] == first.state.digests["P01-002"]
    sheet = (after.folder / "PRIVATE-patient-record" / "record-sheet.json").read_text()
    assert "marked by a person" in sheet
    assert not (after.folder / "PRIVATE-patient-record" / decisions.APPLIED).exists()
    for path in after.folder.rglob("*"):
        if path.is_file():
            assert b"ZZNAME" not in path.read_bytes()


def test_the_command_does_the_same(base: Path) -> None:
    edit(base)
    done = CliRunner().invoke(command, [str(base / "out"), str(base / "elsewhere")])
    assert done.exit_code == 21
    assert "P01-001: not applied: the original was not found" in done.output
    # in a process of its own, with the real checks
    done2 = subprocess.run(
        [sys.executable, "-m", "medimg", "apply", str(base / "out"), str(base / "in")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "P01-001: " in done2.stdout, done2.stderr
    assert done2.returncode in (10, 20)  # noise may read as writing: held then, and the copy is gone
    assert run_of(base).reports[0].plan.actions[-1].finding.kind in ("drawn", "text", "face", "code")
    done = CliRunner().invoke(command, [str(base / "out"), str(base / "in")])
    assert done.exit_code == 0
    assert "No decision waits" in done.output


def test_answering_does_not_lose_what_waits(base: Path) -> None:
    plan = edit(base)
    done = CliRunner().invoke(answer, [str(base / "out"), "--set", "P01:child=no"])
    assert done.exit_code in (0, 11), done.output
    decided = decisions.load(run_of(base).folder)
    assert decided is not None
    assert decided.plans["P01-001"] == plan


def test_a_group_with_waiting_decisions_is_not_released(base: Path) -> None:
    edit(base)
    run = run_of(base)
    answered = {
        g: msgspec.structs.replace(r, overall="answered") for g, r in build.results(run.state, run.reports).items()
    }
    with pytest.raises(UsageError, match="not in the copy yet"):
        release(run, answered, ["P01"], Register(base / "register"))
    assert list((run.folder / "share").iterdir()) == []


def test_what_is_decided_while_copies_are_made_is_kept(base: Path) -> None:
    """A window saves at any moment: a plan that was changed since it was sent stays, and waits."""
    edit(base)
    later = Box(30, 6, 40, 14)

    def told(_safe_id: str, _result: object) -> None:
        edit(base, box=later)
        edit(base, "P01-002", box=later)

    apply(base / "out", [base / "in"], make=make, told=told, only={"P01-001"})
    decided = decisions.load(run_of(base).folder)
    assert decided is not None
    for safe_id in ("P01-001", "P01-002"):
        drawn = [a.finding.region.box for a in decided.plans[safe_id].actions if a.finding.kind == "drawn"]
        assert later in drawn, safe_id
    assert decisions.waiting(decided, run_of(base).reports) == ["P01-001", "P01-002"]


def test_a_kill_between_the_steps_loses_nothing(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever write is the last one, opening the run again finishes what was begun."""
    from medimg.system import files

    plan = edit(base)
    write = files.write_private
    for stop_at in range(1, 8):
        here = base / f"try{stop_at}"
        shutil.copytree(base / "out", here / "out")
        left = [stop_at]

        def dying(path: Path, data: bytes, left: list[int] = left, **more: int) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise OutputError("the disk is full.")
            write(path, data, **more)

        with monkeypatch.context() as patch:
            patch.setattr(files, "write_private", dying)
            with contextlib.suppress(OutputError):
                apply(here / "out", [base / "in"], make=make)
        run = open_run(here / "out")  # never "edited by hand"
        report = next(r for r in run.reports if r.safe_id == "P01-001")
        waits = decisions.waiting(decisions.load(run.folder), run.reports)
        assert waits in ([], ["P01-001"])
        assert (report.plan == plan) == (waits == [])
        (copy,) = (run.folder / "unreviewed").glob("P01-001.*")
        assert hashlib.sha256(copy.read_bytes()).hexdigest() == report.copy.sha256


def test_a_photo_that_does_not_pass_has_no_copy(base: Path) -> None:
    """The old copy does not show the decision, so it goes."""
    run = run_of(base)
    decided = decisions.load(run.folder)
    assert decided is not None
    plan = decided.plans["P01-001"]
    held = msgspec.structs.replace(
        plan,
        actions=(
            *plan.actions,
            Action(finding=Finding(kind="document", category="form", detector="t"), do="hold", why="wait"),
        ),
    )
    decisions.save(run.folder, msgspec.structs.replace(decided, plans={**decided.plans, "P01-001": held}))
    outcome = apply(base / "out", [base / "in"], make=make)
    assert outcome.reports["P01-001"].state == "held"
    after = run_of(base)
    assert not list((after.folder / "unreviewed").glob("P01-001.*"))
    assert "P01-001" not in after.state.digests
    assert "P01-001" in (after.folder / "hold" / "why-held.txt").read_text()


def test_another_photo_in_its_place_is_not_taken(base: Path) -> None:
    edit(base)
    data = (base / "in" / "ZZNAMEONE.png").read_bytes()
    (base / "in" / "ZZNAMEONE.png").write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    (base / "in" / "ZZNAMETWO.png").unlink()
    outcome = apply(base / "out", [base / "in"], make=make)
    assert list(outcome.left) == ["P01-001"]
    assert (run_of(base).folder / "unreviewed" / "P01-001.png").is_file()


def test_another_policy_is_refused(base: Path) -> None:
    edit(base)
    other = msgspec.structs.replace(Policy.load(), covers=msgspec.structs.replace(Policy.load().covers, colour="white"))
    with pytest.raises(UsageError, match="other settings"):
        apply(base / "out", [base / "in"], policy=other, make=make)
    assert applying.policy_of(run_of(base)).digest == Policy.load().digest


@pytest.mark.parametrize("damage", [b"", b"{", b'{"schema":"medimg.decisions/2","run":"X","plans":{}}', b"\xff\xfe"])
def test_damaged_decisions_are_refused_and_left_as_they_are(base: Path, damage: bytes) -> None:
    file = run_of(base).folder / "PRIVATE-patient-record" / "decisions.json"
    file.write_bytes(damage)
    with pytest.raises(UsageError, match="damaged, or were written by a newer version"):
        apply(base / "out", [base / "in"], make=make)
    assert file.read_bytes() == damage


def test_the_private_record_knows_originals_by_digest_alone(base: Path) -> None:
    reports = json.loads((run_of(base).folder / "PRIVATE-patient-record" / "reports.json").read_bytes())
    marks = [r["original"] for r in reports]
    assert len({m["salt"] for m in marks}) == len(marks)
    found = originals.find(run_of(base).reports, [base / "in"])
    assert sorted(found) == ["P01-001", "P01-002"]
    assert originals.find(run_of(base).reports, [base / "nothing"]) == {}
