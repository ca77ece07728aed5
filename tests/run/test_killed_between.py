"""A command that is killed as it begins its Nth rename: nothing is lost, and the next command says what to do.

strace kills it there (``-e inject=rename:signal=KILL:when=N``), so that every moment between two moves is met, and not
only those a timer happens to hit.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from release_kit import answered, call
from sheets_kit import run_folder

from medimg.cli.apply import apply
from medimg.cli.clean import clean
from medimg.cli.release import release
from medimg.cli.reopen import reopen
from medimg.cli.status import status
from medimg.cli.withdraw import withdraw
from medimg.run.opened import open_run
from medimg.run.register import Register
from medimg.run.release import share_of

TO = ("--yes", "--to", "the hand group")
COMMANDS = {"release": (release, TO), "withdraw": (withdraw, ()), "reopen": (reopen, ())}


@pytest.fixture(autouse=True)
def own_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register" / "register.sqlite"))


def killed(name: str, nth: int, *command: object) -> None:
    """Run medimg until it begins its Nth call of ``name``, and kill it there."""
    strace = shutil.which("strace")
    if not strace or subprocess.run([strace, "-qq", "-o", "/dev/null", "/bin/true"], check=False).returncode:
        pytest.skip("no strace here that may trace")
    when = ("-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:when={nth}")
    medimg = (sys.executable, "-P", "-m", "medimg", *map(str, command))
    done = subprocess.run([strace, "-qq", "-o", "/dev/null", *when, *medimg], capture_output=True, check=False)
    assert done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), done.stderr


def copies(out: Path) -> dict[str, list[str]]:
    return {f: sorted(p.name for p in (out / f).iterdir()) for f in ("share", "unreviewed")}


def everything(out: Path) -> list[str]:
    return sorted(name for names in copies(out).values() for name in names)


MOMENTS = ("first copy", "second copy", "answers", "first sheet")
QUICK = {("withdraw", "second copy"), ("reopen", "answers")}
"""Of what takes a release back, by the same moves; a release is killed at every moment."""


@pytest.mark.parametrize(
    ("act", "moment"),
    [
        pytest.param(a, m, marks=() if a == "release" or (a, m) in QUICK else pytest.mark.long)
        for a in COMMANDS
        for m in MOMENTS
    ],
)
def test_a_release_and_its_return_killed_between_two_moves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str, moment: str
) -> None:
    out = tmp_path / "medimg-R7Q4"
    run_folder(out, {"P01": 2, "P02": 1})
    answered(out, tmp_path, {"P01": ["P01-001", "P01-002"]})
    command, more = COMMANDS[act]
    if act != "release":
        call(release, out, "P01", *TO)
    before = everything(out)
    killed(*_at(act, moment), act, out, "P01", *more)
    assert everything(out) == before, "a copy is lost, or there twice"
    said = call(status, out)
    if act == "release" and moment in (
        "second copy",
        "answers",
    ):
        # copies lie in share/ of which the answers know nothing
        assert "medimg release RUN P01" in said.output
        assert "Take them out" not in said.output
        assert said.exit_code == 20
    later = time.time() + 7200
    monkeypatch.setattr(time, "time", lambda: later)
    call(command, out, "P01", *more)
    assert not list(out.rglob("*.part"))
    assert copies(out)["share"] == (["P01-001.jpg", "P01-002.jpg"] if act == "release" else [])
    assert share_of(open_run(out), Register())[1] == []
    assert Register().verify() == []


def _at(act: str, moment: str) -> tuple[str, int]:
    """The call, and the how manieth of it: a file moves by renameat2, where a release has made the register before."""
    if "copy" in moment:
        return "renameat2", 1 + (moment == "second copy") + (act == "release")
    return "rename", 1 + (moment == "first sheet")


def test_a_release_that_was_cut_short_keeps_others_back(tmp_path: Path) -> None:
    out = tmp_path / "medimg-R7Q4"
    run_folder(out, {"P01": 2, "P02": 1})
    answered(out, tmp_path, {"P01": ["P01-001", "P01-002"], "P02": ["P02-001"]})
    killed("renameat2", 3, "release", out, "P01", *TO)
    with pytest.raises(Exception, match="release of P01 was cut short"):
        call(release, out, "P02", *TO)
    call(reopen, out, "P01")
    assert call(status, out).exit_code == 11
    assert copies(out)["share"] == []
    assert call(release, out, "P02", *TO).exit_code == 0


@pytest.mark.parametrize("call_name", ["renameat2", "fdatasync", "fsync"])
def test_the_register_is_made_whole_or_not_at_all(tmp_path: Path, call_name: str) -> None:
    out = tmp_path / "medimg-R7Q4"
    run_folder(out, {"P01": 1})
    answered(out, tmp_path, {"P01": ["P01-001"]})
    killed(call_name, 1, "release", out, "P01", *TO)
    assert Register().entries() == []
    assert call(release, out, "P01", *TO).exit_code == 0


def photos(folder: Path) -> dict[str, str]:
    folder.mkdir()
    for n in range(2):
        Image.new("RGB", (320, 240), (200, 150 + n, 130)).save(folder / f"{n}.jpg")
    return digests(folder)


def digests(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos in ``in`` and their run in ``out``, to be copied."""
    base = tmp_path_factory.mktemp("cleaned")
    photos(base / "in")
    call(clean, base / "in", "-o", base / "out", "--metadata-only", "--workers", "1")
    return base


@pytest.mark.parametrize(
    "nth", [1, 2, 3, 5, 7, *(pytest.param(n, marks=pytest.mark.long) for n in (4, 6))]
)  # the plan, what is to be done, the copy, reports, answers, plans, hold/
def test_a_decision_that_is_being_applied(tmp_path: Path, cleaned: Path, nth: int) -> None:
    shutil.copytree(cleaned, tmp_path, dirs_exist_ok=True)
    known = digests(tmp_path / "in")
    (run,) = (tmp_path / "out").iterdir()
    killed("rename", nth, "crop", run, "P01-001", tmp_path / "in", "--box", "0,0,160,120", "--workers", "1")
    made = run / "unreviewed"
    assert {p.name for p in made.iterdir()} == {"P01-001.jpg", "P01-002.jpg"}
    call(status, run)  # any command that opens the run goes on
    if nth > 1:
        call(apply, run, tmp_path / "in", "--workers", "1")
        assert Image.open(io.BytesIO((made / "P01-001.jpg").read_bytes())).width == 160
    reports = json.loads((run / "PRIVATE-patient-record" / "reports.json").read_bytes())
    assert {r["copy"]["name"]: r["copy"]["sha256"] for r in reports} == digests(made)
    assert digests(tmp_path / "in") == known


@pytest.mark.parametrize(("name", "nth"), [("renameat2", 1), ("renameat2", 2), ("rename", 2)])
def test_originals_that_are_being_moved(tmp_path: Path, name: str, nth: int) -> None:
    inbox, done = tmp_path / "in", tmp_path / "done"
    known = photos(inbox)
    watching = (
        "watch", inbox, "-o", tmp_path / "out", "--metadata-only", "--rest", "0.1", "--every", "0.1",
        "--workers", "1", "--move-originals", done,
    )  # fmt: skip
    killed(name, nth, *watching)
    left = [p for f in (inbox, done) if f.exists() for p in f.iterdir()]
    assert {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in left} == known
    assert len(left) == 2
