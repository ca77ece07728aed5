"""The batch engine with detectors that misbehave on purpose: what fails, fails alone, with the right reason."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import batch_fakes as fakes
import msgspec
import pytest
from batch_kit import by_name, listing, reports
from PIL import Image

import medimg
from medimg.engine.loop import Progress
from medimg.errors import Interrupted, MissingPart, NotAPicture, UsageError
from medimg.policy import Policy
from medimg.report import Decisions
from medimg.run.journal import Journal
from medimg.system import programs
from medimg.types import KnownValues, Limits, from_json

POLICY = Policy(limits=Limits(seconds=200.0))
"""Nothing reaches this limit but a fault, however busy the machine is."""
HANGING = Policy(limits=Limits(seconds=20.0))
"""For photos that hang: each costs this twice, and a good photo beside them has it on a busy machine."""
MANY = 2000
LIGHT = Policy(scope="metadata-only")


@pytest.mark.parametrize("items", [100, pytest.param(MANY, marks=pytest.mark.long)])
def test_exactly_the_bad_ones_end_held_and_nobody_else_is_blamed(tmp_path: Path, items: int) -> None:
    """One that hangs is among the many; among few, it is :func:`test_a_program_goes_with_its_worker`."""
    bad = {
        items * share // 100: what
        for share, what in {
            3: (fakes.RAISES, "held", "M-HOLD-NOTRUN"),
            38: (fakes.CRASHES, "held", "M-HOLD-CRASH"),
            61: (fakes.HANGS, "held", "M-HOLD-TIME"),
            75: (fakes.EATS, "held", "M-HOLD-MEMORY"),
            88: (fakes.IS_KILLED, "held", "M-HOLD-CRASH"),
            97: (fakes.FILLS, "failed", "M-OUT"),
        }.items()
        if items == MANY or what[0] != fakes.HANGS
    }
    held = sum(state == "held" for _, state, _ in bad.values())
    for n in range(items):
        fakes.photo(tmp_path / f"in/{n:04d}.png", bad.get(n, (fakes.WELL,))[0], seed=n)
    before = listing(tmp_path / "in")
    outcome = medimg.scrub_folder(
        [tmp_path / "in"],
        tmp_path / "out",
        policy=HANGING,
        make=fakes.make,
        workers=2,
        group_by="folder",
        keep_key=True,
    )
    got = by_name(outcome.folder)
    for n in range(items):
        report = got[f"{n:04d}.png"]
        if n in bad:
            assert (report.state, report.error_code, report.copy) == (*bad[n][1:], None)
        else:
            assert (report.state, report.error_code) == ("unreviewed", "")
    assert outcome.photos == {"unreviewed": items - len(bad), "held": held, "failed": 1}
    assert outcome.exit_code == 30
    assert len(list((outcome.folder / "unreviewed").iterdir())) == items - len(bad)
    assert listing(tmp_path / "in") == before
    assert not any(b"MARKER" in p.read_bytes() for p in outcome.folder.rglob("*") if p.is_file())
    assert not list(outcome.folder.rglob("*.part"))


def test_a_copy_that_cannot_be_written_is_tried_again_by_resume(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in/1.png", fakes.FILLS)
    fakes.photo(tmp_path / "in/2.png", seed=2)
    once = medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=POLICY, make=fakes.make, workers=1)
    assert once.photos == {"failed": 1, "unreviewed": 1}
    assert (once.conditions[0], once.exit_code) == ("output", 30)
    assert sorted(r.error_code for r in reports(once.folder).values()) == ["", "M-OUT"]
    assert not list(once.folder.rglob("*.part"))
    assert json.loads((once.folder / "run.json").read_bytes())["finished"] is False
    again = medimg.scrub_folder(
        [tmp_path / "in"], tmp_path / "out", policy=POLICY, make=fakes.make_nothing_found, workers=1, resume=True
    )
    assert again.folder == once.folder
    assert again.photos == {"unreviewed": 2}
    assert not list(once.folder.rglob("*journal*"))


def test_a_worker_that_leaves_without_a_word_is_noticed(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in/1.png", fakes.QUITS)
    fakes.photo(tmp_path / "in/2.png", seed=2)
    policy = Policy(limits=Limits(seconds=8.0))  # it is noticed when its time is over, twice
    outcome = medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=policy, make=fakes.make, workers=2)
    assert outcome.photos == {"unreviewed": 1, "held": 1}


@pytest.mark.parametrize(
    ("how", "code"),
    [
        (fakes.HANGS_WITH_PROGRAM, "M-HOLD-TIME"),
        pytest.param(fakes.IS_KILLED_WITH_PROGRAM, "M-HOLD-CRASH", marks=pytest.mark.long),
    ],
)
def test_a_program_goes_with_its_worker(tmp_path: Path, how: int, code: str) -> None:
    fakes.photo(tmp_path / "in/1.png", how)
    policy = Policy(limits=Limits(seconds=5.0))
    outcome = medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=policy, make=fakes.make)
    assert [r.error_code for r in reports(outcome.folder).values()] == [code]
    waited_for(lambda: running(fakes.PROGRAM) == [])  # a process that was killed is not gone at once


def running(command: Sequence[str]) -> list[int]:
    """Processes with exactly this command line."""
    wanted = b"\0".join(part.encode() for part in command) + b"\0"
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if entry.read_bytes() == wanted:
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def test_bad_input_beside_good_input(tmp_path: Path) -> None:
    good = fakes.photo(tmp_path / "in/good.png")
    (tmp_path / "in/empty.jpg").write_bytes(b"")
    (tmp_path / "in/text.jpg").write_text("Mary Jones was here")
    (tmp_path / "in/cut.png").write_bytes(good.read_bytes()[:60])
    (tmp_path / "in/letter.pdf").write_bytes(b"%PDF-1.7\nMary Jones")
    outcome = medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=LIGHT, keep_key=True)
    assert outcome.photos == {"unreviewed": 1, "refused": 4}
    assert outcome.conditions[:1] == ("unreadable",)
    assert outcome.exit_code == 21
    codes = sorted(r.error_code for r in reports(outcome.folder).values())
    assert codes == ["", "M-IN-BAD", "M-IN-KIND", "M-IN-KIND", "M-IN-KIND"]
    why = (outcome.folder / "hold/why-held.txt").read_text()
    assert why.count("  not cleaned: ") == 4
    assert "Mary" not in why
    assert [p.suffix for p in (outcome.folder / "hold").iterdir()] in ([".json", ".txt"], [".txt", ".json"])


def test_the_key_has_names_of_any_bytes_and_nothing_else_has_them(tmp_path: Path) -> None:
    photo = fakes.photo(tmp_path / "photo.png").read_bytes()
    names = [b"Mary 'MARKER' \"Jones\".png", b"MARKER\nline.png", b"MARKER-\xe9\xff.png", b"-MARKER.png"]
    folder = tmp_path / "in" / "MARKER Smith 12345678"
    folder.mkdir(parents=True)
    for name in names:
        (folder / os.fsdecode(name)).write_bytes(photo)
    said: list[Progress] = []
    outcome = medimg.scrub_folder([folder], tmp_path / "out", policy=LIGHT, keep_key=True, progress=said.append)
    found = by_name(outcome.folder)
    # The line end is escaped, and a name that a spreadsheet would take for a formula is marked as text.
    assert set(found) == {"Mary 'MARKER' \"Jones\".png", "MARKER\\nline.png", "MARKER-\\xe9\\xff.png", "'-MARKER.png"}
    for path in outcome.folder.rglob("*"):
        assert "MARKER" not in path.name
        if path.is_file() and path.name != "key.csv":
            assert b"MARKER" not in path.read_bytes()
            assert b"12345678" not in path.read_bytes()
    assert all("MARKER" not in repr(event) for event in said)
    kinds = {f.category for r in found.values() for f in r.findings if f.kind == "filename"}
    assert {"words", "number"} <= kinds


def test_no_key_unless_asked_and_two_inputs_of_one_name(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        fakes.photo(tmp_path / folder / "x.png", seed=len(folder))
    inputs = [tmp_path / "a", tmp_path / "b"]
    plain = medimg.scrub_folder(inputs, tmp_path / "out", policy=LIGHT)
    assert not (plain.folder / "PRIVATE-patient-record/key.csv").exists()
    keyed = medimg.scrub_folder(inputs, tmp_path / "out", policy=LIGHT, keep_key=True)
    assert set(by_name(keyed.folder)) == {"a/x.png", "b/x.png"}
    assert sorted(p.name for p in (keyed.folder / "unreviewed").iterdir()) == ["P01-001.png", "P02-001.png"]


def test_progress_counts_every_photo_once(tmp_path: Path) -> None:
    for n in range(40):
        fakes.photo(tmp_path / f"in/{n}.png", seed=n)
    events: list[Progress] = []
    medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=LIGHT, workers=2, progress=events.append)
    assert [e.event for e in events] == ["start", *["photo"] * 40, "end"]
    assert [e.settled for e in events] == [*range(41), 40]
    assert {e.total for e in events} == {40}
    assert len({e.report.safe_id for e in events if e.report}) == 40


@pytest.mark.parametrize("make", [fakes.make_nothing, fakes.make_broken, fakes.make_dying])
def test_what_cannot_be_loaded_stops_the_run_before_anything_is_written(tmp_path: Path, make: object) -> None:
    fakes.photo(tmp_path / "in/1.png")
    with pytest.raises(MissingPart) as caught:
        medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", make=make)  # type: ignore[arg-type]
    assert caught.value.exit_code == 3
    assert "MARKER" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_wrong_use_writes_nothing(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in/1.png")
    (tmp_path / "none").mkdir()
    for photos, out, more in (
        (tmp_path / "in", tmp_path / "in/out", {}),
        (tmp_path / "in", tmp_path / "in", {}),
        (tmp_path / "in", tmp_path / "out", {"audience": "everyone"}),
        (tmp_path / "in", tmp_path / "out", {"where": ["ZZ"]}),
        (tmp_path / "in", tmp_path / "out", {"workers": 0}),
    ):
        with pytest.raises(UsageError):
            medimg.scrub_folder([photos], out, policy=LIGHT, **more)  # type: ignore[arg-type]
    with pytest.raises(NotAPicture):
        medimg.scrub_folder([tmp_path / "none"], tmp_path / "out", policy=LIGHT)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "none"]
    assert [p.name for p in (tmp_path / "in").iterdir()] == ["1.png"]


def test_a_photo_that_vanishes_or_changes_after_it_was_listed(tmp_path: Path) -> None:
    for n in range(3):
        fakes.photo(tmp_path / f"in/{n}.png", seed=n)

    def meddle(event: Progress) -> None:
        if event.event == "start":
            (tmp_path / "in/1.png").unlink()
            fakes.photo(tmp_path / "in/2.png", seed=99)

    outcome = medimg.scrub_folder(
        [tmp_path / "in"], tmp_path / "out", policy=POLICY, make=fakes.make, workers=1, progress=meddle, keep_key=True
    )
    codes = {name: r.error_code for name, r in by_name(outcome.folder).items()}
    assert codes == {"0.png": "", "1.png": "M-IN-READ", "2.png": "M-IN-CHANGED"}


def test_a_stop_by_the_user_can_be_resumed_and_gives_the_same(tmp_path: Path) -> None:
    for n in range(30):
        fakes.photo(tmp_path / f"in/{n % 5}/{n}.png", seed=n)
    inputs = [tmp_path / "in"]

    def stop(event: Progress) -> None:
        if event.settled == 9:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        medimg.scrub_folder(inputs, tmp_path / "out", policy=POLICY, make=fakes.make, progress=stop)
    assert caught.value.exit_code == 130
    (run,) = (tmp_path / "out").iterdir()
    assert not list(run.rglob("*.part"))
    early = {p.name: p.stat().st_ino for p in (run / "unreviewed").iterdir()}
    assert 9 <= len(early) < 30
    with contextlib.closing(sqlite3.connect(run / "PRIVATE-patient-record/journal.sqlite")) as db:
        planned = {os.fsdecode(p): i for p, i in db.execute("SELECT path, safe_id FROM item")}
        assert db.execute("SELECT count(*) FROM item WHERE state = 'running'").fetchone() == (0,)
    outcome = medimg.scrub_folder(inputs, tmp_path / "out", policy=POLICY, make=fakes.make, resume=True)
    assert outcome.folder == run
    assert outcome.photos == {"unreviewed": 30}
    for name, safe_id in planned.items():
        copy = run / "unreviewed" / f"{safe_id}.png"
        with Image.open(copy) as made, Image.open(tmp_path / "in" / name) as original:
            assert made.tobytes() == original.tobytes()
    # What was settled before the stop was not done again: at most what the two workers had in hand.
    again = [n for n, inode in early.items() if (run / "unreviewed" / n).stat().st_ino != inode]
    assert len(again) <= 2
    assert not (run / "PRIVATE-patient-record/journal.sqlite").exists()


def test_resume_needs_the_same_settings_and_starts_afresh_when_nothing_waits(tmp_path: Path) -> None:
    for n in range(6):
        fakes.photo(tmp_path / f"in/{n}.png", seed=n)
    inputs = [tmp_path / "in"]
    known = KnownValues(names=("Mary",))

    def stop(event: Progress) -> None:
        if event.settled:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        medimg.scrub_folder(inputs, tmp_path / "out", policy=POLICY, make=fakes.make, known=known, progress=stop)
    with pytest.raises(UsageError) as caught:
        medimg.scrub_folder(inputs, tmp_path / "out", policy=LIGHT, make=fakes.make, resume=True)
    assert "policy, known" in str(caught.value)
    other = medimg.scrub_folder([tmp_path / "in/0.png"], tmp_path / "out", policy=LIGHT, resume=True)
    assert other.photos == {"unreviewed": 1}
    done = medimg.scrub_folder(inputs, tmp_path / "out", policy=POLICY, make=fakes.make, known=known, resume=True)
    again = medimg.scrub_folder(
        inputs, tmp_path / "out", policy=POLICY, make=fakes.make, known=known, resume=True, again=True
    )
    assert done.folder != again.folder
    assert done.photos == again.photos == {"unreviewed": 6}


def test_the_summary_says_the_same_as_the_outcome(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in/1.png")
    (tmp_path / "in/x.txt").write_text("no picture")
    outcome = medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=LIGHT, fail_on=("review",))
    summary = json.loads((outcome.folder / "run.json").read_bytes())
    assert summary["photos"] == outcome.photos == {"unreviewed": 1, "refused": 1}
    assert [c["name"] for c in summary["conditions"]] == list(outcome.conditions)
    assert summary["conditions"][0]["exit_code"] == summary["exit_code"] == 21
    assert outcome.exit_code == 10
    assert summary["run"] == outcome.folder.name.removeprefix("medimg-")
    copy = outcome.folder / "unreviewed" / summary["copies"][0]["name"]
    assert summary["copies"][0]["bytes"] == copy.stat().st_size


def test_every_worker_memory_limit_is_set(tmp_path: Path) -> None:
    from medimg.engine.pool import MEMORY_LIGHT, Workers
    from medimg.engine.worker import Setup

    with Workers(Setup(policy=LIGHT), 1) as pool:
        future = pool.submit(_limits, seconds=30)
        pool.wait()
        assert pool.result(future) == (MEMORY_LIGHT, 0)


def test_a_pool_that_never_ends_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from medimg.engine import pool as pools
    from medimg.engine.worker import Setup

    asked = threading.Event()

    def never(_pool: object, _timeout: float | None = None) -> None:
        asked.set()
        threading.Event().wait()

    monkeypatch.setattr(pools, "_STOPPING", 0.2)
    monkeypatch.setattr(pools.ProcessPool, "join", never)
    with pytest.raises(KeyboardInterrupt), pools.Workers(Setup(policy=LIGHT), 1):
        raise KeyboardInterrupt
    assert asked.is_set()


def _limits() -> tuple[int, int]:
    import resource

    return resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CORE)[0]


def test_reports_are_json_that_comes_back(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in/1.png")
    outcome = medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=LIGHT)
    raw = (outcome.folder / "PRIVATE-patient-record/reports.json").read_bytes()
    assert msgspec.json.decode(raw)[0]["safe_id"] == "P01-001"
    assert reports(outcome.folder)["P01-001"].scope == "metadata-only"


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files lie: a place of this test alone, as on a computer without /dev/shm."""
    place, real = tmp_path / "tmp", os.access
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != "/dev/shm" and real(path, mode))
    return place


def test_temporary_files_of_a_batch_that_was_killed_are_removed_by_the_next(tmp_path: Path, scratch: Path) -> None:
    gone = subprocess.run(["/bin/sh", "-c", "echo $$"], capture_output=True, text=True, check=True).stdout.strip()
    left = [scratch / f"medimg-scratch-{gone}-test", scratch / "medimg-scratch-xtest1234", scratch / "medimg-te5t1234"]
    for folder in left:
        folder.mkdir()
        (folder / "tess_crop.png").write_bytes(b"part of a photo")
    os.utime(left[2], (1, 1))  # of an earlier version, which did not lock it: only when it is old
    fakes.photo(tmp_path / "in/1.png")
    medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=LIGHT)
    assert [folder.name for folder in scratch.glob("medimg-*")] == []


def test_temporary_files_of_a_process_that_cannot_be_seen_are_left_alone(tmp_path: Path, scratch: Path) -> None:
    """Containers share /dev/shm and have process numbers of their own: this number is nobody's here."""
    import fcntl

    theirs = scratch / f"medimg-scratch-{2**22 + 7}-there"
    theirs.mkdir()
    handle = os.open(theirs, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        fakes.photo(tmp_path / "in/1.png")
        medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=LIGHT)
        assert theirs.is_dir()
    finally:
        os.close(handle)


def test_a_library_that_is_killed_while_it_reads_leaves_nothing_for_long(tmp_path: Path, scratch: Path) -> None:
    code = """
import os, sys
real = os.access
os.access = lambda path, mode: str(path) != "/dev/shm" and real(path, mode)
from medimg.system import programs
with programs.workspace() as folder:
    (folder / "picture.png").write_bytes(b"part of a photo")
    print(folder, flush=True)
    sys.stdin.read()
"""
    command, env = [sys.executable, "-c", code], {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        with programs.workspace():
            assert left.is_dir()
        process.kill()
        process.wait()
    assert left.parent == scratch
    with programs.workspace():
        assert not left.exists()


def test_a_file_time_that_no_clock_shows_stops_nothing(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=next(p for p in ("/dev/shm", tmp_path) if os.access(p, os.W_OK))) as folder:
        fakes.photo(Path(folder, "0.png"))
        kept = 0
        for year in (1850, 1900, 2263, 9999, 30_000):
            seconds = (year - 1970) * 31_556_952
            path = fakes.photo(Path(folder, f"{year}.png"), seed=year)
            os.utime(path, ns=(0, seconds * 10**9 + 1))
            kept += path.stat().st_mtime_ns // 10**9 == seconds
        if not kept:
            pytest.skip("this file system does not keep such times")
        outcome = medimg.scrub_folder([folder], tmp_path / "out", policy=LIGHT)
        assert outcome.photos == {"unreviewed": 6}
        again = medimg.scrub_folder([folder], tmp_path / "out", policy=LIGHT)
        assert (again.photos, sum(again.unchanged.values())) == ({}, 6)


def test_a_fault_while_the_list_is_written_leaves_no_half_made_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes.photo(tmp_path / "in/MARKER.png")

    def fault(*_: object) -> None:
        raise OverflowError("MARKER")

    monkeypatch.setattr(Journal, "fill", fault)
    with pytest.raises(OverflowError):
        medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=LIGHT)
    assert list((tmp_path / "out").iterdir()) == []


def test_the_folder_of_a_photo_gets_no_run_folder(tmp_path: Path) -> None:
    photo = fakes.photo(tmp_path / "photos/1.png")
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/linked.png").symlink_to(photo)
    named = tmp_path / "elsewhere/linked.png"
    for what, out in (
        (photo, tmp_path / "photos"),
        (photo, tmp_path / "link"),
        (tmp_path / "link/1.png", tmp_path / "photos"),
        (photo, tmp_path / "photos/../photos"),
        (named, tmp_path / "photos"),
        (named, tmp_path / "elsewhere"),
    ):
        with pytest.raises(UsageError, match="lies in the output folder"):
            medimg.scrub_folder([what], out, policy=LIGHT)
    assert [p.name for p in (tmp_path / "photos").iterdir()] == ["1.png"]
    assert medimg.scrub_folder([photo], tmp_path / "photos/out", policy=LIGHT).photos == {"unreviewed": 1}


def test_the_key_tells_what_was_kept_back_and_is_no_sheet_of_formulas(tmp_path: Path) -> None:
    names = ["=1+1.png", "@SUM(A1).png", "+1.png", "-1.png", " =2.png", "\t=3.png", "\n=4.png", "\uff1d5.png", "a.png"]
    names += ["\x1b[31mred.png", "\u202egnp.png", "\u2066b.png"]
    for n, name in enumerate(names):
        fakes.photo(tmp_path / "in" / name, seed=n)
    fakes.photo(tmp_path / "in/held.png", fakes.RAISES, seed=50)
    (tmp_path / "in/=refused.txt").write_text("no picture")
    (tmp_path / "in/Thumbs.db").write_bytes(b"x")
    outcome = medimg.scrub_folder(
        [tmp_path / "in"], tmp_path / "out", policy=POLICY, make=fakes.make, workers=1, keep_key=True
    )
    found = by_name(outcome.folder)
    assert (found["held.png"].state, found["'=refused.txt"].state) == ("held", "refused")
    why = (outcome.folder / "hold/why-held.txt").read_text()
    assert all(found[name].safe_id in why for name in ("held.png", "'=refused.txt"))
    assert "--keep-key" not in why
    text = (outcome.folder / "PRIVATE-patient-record/key.csv").read_bytes().decode()
    assert not set("\x1b\t\u202e\u2066") & set(text)
    for original in found:
        assert original.lstrip()[:1] not in set("=+-@\uff1d"), original
        assert original.isprintable()
    assert len(found) == len(names) + 2
    # A key can be edited into a file of groups.
    groups = tmp_path / "groups.csv"
    groups.write_text("original,group\n" + "".join(f'"{name}",one\n' for name in found), encoding="utf-8")
    one = medimg.scrub_folder([tmp_path / "in"], tmp_path / "one", policy=LIGHT, group_by=groups)
    assert {i.partition("-")[0] for i in reports(one.folder)} == {"P01"}


def waited_for(over: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait for something that happens by itself, with a bound that only a fault reaches."""
    end = time.monotonic() + seconds
    while not over():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_detector_that_answers_in_the_numbers_of_numpy_is_written_down(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in/1.png")
    outcome = medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=Policy(), make=fakes.make_of_numpy)
    assert outcome.photos == {"unreviewed": 1}
    decided = from_json((outcome.folder / "PRIVATE-patient-record/decisions.json").read_bytes(), Decisions)
    (action,) = [a for a in decided.plans["P01-001"].actions if a.finding.detector == "numpy 1"]
    assert (action.do, action.finding.score) == ("cover", 0.5)
    assert action.finding.region is not None
    assert action.finding.region.polygon == ((8.0, 8.0), (16.0, 8.0), (16.0, 12.0), (8.0, 12.0))


def test_the_time_left_is_reckoned_without_the_start_and_not_said_too_early(tmp_path: Path) -> None:
    """The first photo of each worker waits until its networks are read; all others do not."""
    for n in range(9):
        fakes.photo(tmp_path / "in" / f"{n}.png", fakes.WELL, seed=n)
    told: list[Progress] = []
    medimg.scrub_folder(
        [tmp_path / "in"], tmp_path / "out", policy=POLICY, make=fakes.slow_to_start, workers=1, progress=told.append
    )
    done = {p.settled: p for p in told if p.event == "photo"}
    assert [done[n].left for n in (1, 2)] == [None, None]
    # With the start in it, three of nine done would leave at least twice what the start took.
    assert done[3].left is not None
    assert done[3].left < 2 * fakes.STARTS
    assert done[3].rate > 2 / fakes.STARTS
    assert done[9].left == 0


def test_photos_that_come_back_together_tell_no_rate_by_themselves(tmp_path: Path) -> None:
    """Metadata alone goes to a worker by sixteens, and so do photos to a cluster."""
    for n in range(20):
        fakes.photo(tmp_path / "in" / f"{n}.png", fakes.WELL, seed=n)
    told: list[Progress] = []
    medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=LIGHT, workers=1, progress=told.append)
    rates = [p.rate for p in told if p.event == "photo"]
    assert rates[:16] == [0.0] * 16
    assert all(rates[16:])
    assert len(rates) == 20
