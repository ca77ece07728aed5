"""A watched folder: only whole files, each once, across restarts; the inbox is not touched unless asked."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import batch_fakes as fakes
import pytest
from batch_kit import listing

import medimg
from medimg.engine.batch import Outcome
from medimg.engine.moving import move
from medimg.engine.watch import Watch
from medimg.errors import Changed, Interrupted, MedimgError, OutputError, UsageError
from medimg.policy import Policy
from medimg.run.scan import Item, Root
from medimg.system import host

LIGHT = Policy(scope="metadata-only")


SCANNER = """
import os, select, sys
path = sys.argv[1]
new, number = os.path.join(os.path.dirname(path), ".new"), 0
while not select.select([sys.stdin], [], [], 0)[0]:
    number += 1
    with open(new, "wb") as file:
        file.write(b"%08d" % number)
    os.replace(new, path)
    if number == 1:
        print("ready", flush=True)
print("%08d" % number)
"""


def EXDEV(*_: object, **__: object) -> Any:  # noqa: N802 - named as the error is
    raise OSError(errno.EXDEV, "cross-device")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Scene:
    """An inbox, runs, and a clock that the test turns."""

    def __init__(self, base: Path, originals: bool = False, **more: object) -> None:
        self.inbox, self.out, self.moved = base / "inbox", base / "out", base / "moved"
        self.inbox.mkdir(exist_ok=True)
        self.clock = Clock()
        self.rounds: list[tuple[Sequence[Root], bool]] = []
        self.more = {"policy": LIGHT, **more}
        self.watch = Watch(
            self.inbox, self.out, self.clean, rest=10, originals=self.moved if originals else None, now=self.clock
        )

    def clean(self, roots: Sequence[Root], resume: bool) -> Outcome:
        self.rounds.append((roots, resume))
        return medimg.scrub_folder(roots, self.out, resume=resume, **self.more)  # type: ignore[arg-type]

    def after(self, seconds: float) -> Outcome | None:
        self.clock.now += seconds
        return self.watch.round()


def test_a_file_is_done_once_and_only_when_it_is_whole(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    whole = fakes.photo(tmp_path / "whole.png").read_bytes()
    assert scene.after(0) is None
    arriving = scene.inbox / "MARKER/a.png"
    arriving.parent.mkdir()
    arriving.write_bytes(whole[:40])
    assert scene.after(1) is None
    assert scene.after(9) is None
    arriving.write_bytes(whole)  # it grew: the time begins again
    assert scene.after(2) is None
    assert scene.after(9) is None
    before = listing(scene.inbox)
    outcome = scene.after(2)
    assert outcome is not None
    assert outcome.photos == {"unreviewed": 1}
    assert len(list((outcome.folder / "unreviewed").iterdir())) == 1
    assert [scene.after(60) for _ in range(3)] == [None] * 3
    assert listing(scene.inbox) == before
    # Another photo under the same name is a new one.
    fakes.photo(arriving, seed=9)
    assert scene.after(0) is None
    again = scene.after(10)
    assert again is not None
    assert again.photos == {"unreviewed": 1}
    assert again.folder != outcome.folder


def test_whole_files_wait_for_those_that_are_arriving_but_not_for_ever(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    fakes.photo(scene.inbox / "1/a.png", seed=1)
    fakes.photo(scene.inbox / "2/b.png", seed=2)
    scene.after(0)
    rounds = 0
    while not scene.rounds:
        (scene.inbox / "slow.png").write_bytes(bytes(rounds + 1))
        scene.after(9)
        rounds += 1
        assert rounds < 20
    (roots, _) = scene.rounds[0]
    assert [r.only for r in roots] == [(b"a.png",), (b"b.png",)]
    assert rounds > 5
    assert scene.watch.waiting() == 1


def test_a_file_that_is_open_for_writing_is_not_whole(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    photo = fakes.photo(scene.inbox / "a.png")
    with photo.open("r+b"):
        assert host.being_written(os.fsencode(photo))
        scene.after(0)
        assert scene.after(100) is None
    with photo.open("rb"):
        assert not host.being_written(os.fsencode(photo))
        assert scene.after(1) is not None
    assert not host.being_written(os.fsencode(tmp_path / "gone"))


def test_what_cannot_be_cleaned_stops_nothing_and_is_not_tried_for_ever(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=Policy(), make=fakes.make)
    (scene.inbox / "notes.txt").write_text("no picture")
    (scene.inbox / "empty.jpg").write_bytes(b"")
    fakes.photo(scene.inbox / "raises.png", fakes.RAISES)
    fakes.photo(scene.inbox / "good.png")
    scene.after(0)
    outcome = scene.after(10)
    assert outcome is not None
    assert outcome.photos == {"unreviewed": 1, "held": 1, "refused": 2}
    assert scene.after(100) is None
    # After a restart neither.
    later = Scene(tmp_path, policy=Policy(), make=fakes.make)
    later.after(0)
    assert later.after(100) is None
    fakes.photo(later.inbox / "next.png", seed=3)
    later.after(0)
    done = later.after(10)
    assert done is not None
    assert done.photos == {"unreviewed": 1}


def test_a_stop_in_the_middle_is_gone_on_with_even_when_a_file_has_left(tmp_path: Path) -> None:
    def stop(event: object) -> None:
        if getattr(event, "settled", 0) == 3:
            raise KeyboardInterrupt

    scene = Scene(tmp_path, policy=Policy(), make=fakes.make, workers=1, progress=stop)
    for n in range(8):
        fakes.photo(scene.inbox / f"{n % 2}/{n}.png", seed=n)
    scene.after(0)
    with pytest.raises(Interrupted):
        scene.after(10)
    (run,) = scene.out.iterdir()
    (scene.inbox / "1/7.png").unlink()
    later = Scene(tmp_path, policy=Policy(), make=fakes.make, workers=1)
    fakes.photo(later.inbox / "new.png", seed=50)
    outcome = later.after(0)
    assert outcome is not None
    assert (outcome.folder, outcome.photos) == (run, {"unreviewed": 7, "refused": 1})
    later.after(0)
    fresh = later.after(10)
    assert fresh is not None
    assert fresh.photos == {"unreviewed": 1}
    assert [resume for _, resume in later.rounds] == [True, False]


def test_originals_are_moved_only_when_asked_and_only_with_a_copy(tmp_path: Path) -> None:
    scene = Scene(tmp_path, originals=True)
    photos = {f"{n}/x.png": fakes.photo(scene.inbox / f"{n}/x.png", seed=n).read_bytes() for n in range(3)}
    (scene.inbox / "notes.txt").write_text("no picture")
    taken = fakes.photo(scene.moved / "0/x.png", seed=99).read_bytes()
    scene.after(0)
    outcome = scene.after(10)
    assert outcome is not None
    assert outcome.photos == {"unreviewed": 3, "refused": 1}
    assert [p.name for p in scene.inbox.rglob("*") if p.is_file()] == ["notes.txt"]
    assert (scene.moved / "0/x.png").read_bytes() == taken
    assert (scene.moved / "0/x (2).png").read_bytes() == photos["0/x.png"]
    assert (scene.moved / "1/x.png").read_bytes() == photos["1/x.png"]
    assert scene.watch.unmoved == 0
    # Moved between the run and the move: a restart finishes it.
    shutil.move(scene.moved / "2/x.png", scene.inbox / "2/x.png")
    later = Scene(tmp_path, originals=True)
    assert later.after(0) is None
    assert (scene.moved / "2/x.png").read_bytes() == photos["2/x.png"]
    fakes.photo(later.inbox / "1/y.png")
    (scene.moved / "1").rename(tmp_path / "elsewhere")
    (scene.moved / "1").write_text("in the way")
    later.after(0)
    assert later.after(10) is not None
    assert later.watch.unmoved == 1
    assert (later.inbox / "1/y.png").exists()


def test_moving_to_another_disk_copies_whole_and_a_changed_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = fakes.photo(tmp_path / "a.png")
    data, info = photo.read_bytes(), photo.stat()
    listed = Item(0, b"a.png", "", info.st_size, info.st_mtime_ns)

    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links")

    monkeypatch.setattr(host, "rename_new", EXDEV)
    monkeypatch.setattr(os, "link", no_links)
    move(photo, tmp_path / "x" / "changed.png", Item(0, b"a.png", "", info.st_size, 1))
    assert photo.exists()
    move(photo, tmp_path / "x/a.png", listed)
    (moved,) = (tmp_path / "x").iterdir()
    assert moved.read_bytes() == data
    assert moved.stat().st_mtime_ns == info.st_mtime_ns
    assert not photo.exists()
    assert len(list((tmp_path / "x").iterdir())) == 1
    with pytest.raises((OutputError, Changed)):
        move(photo, tmp_path / "x/b.png", listed)


KINDS: dict[str, dict[str, Any]] = {
    "one step": {},
    "no such rename": {"rename_new": lambda *_: False},
    "another disk": {"rename_new": EXDEV, "link": EXDEV},
}


@pytest.mark.parametrize(("kind", "so_far"), [("no such rename", os.link), ("another disk", shutil.copy2)])
def test_a_move_that_was_cut_short_goes_on_and_keeps_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, so_far: Callable[[Path, Path], object]
) -> None:
    photo, to = fakes.photo(tmp_path / "a.png"), tmp_path / "moved" / "a.png"
    to.parent.mkdir()
    so_far(photo, to)
    info = photo.stat()
    for name, instead in KINDS[kind].items():
        monkeypatch.setattr(os if name == "link" else host, name, instead)
    move(photo, to, Item(0, b"a.png", "", info.st_size, info.st_mtime_ns))
    assert not photo.exists()
    assert [p.name for p in to.parent.iterdir()] == ["a.png"]


@pytest.mark.parametrize("moves", [50, pytest.param(500, marks=pytest.mark.long)])
@pytest.mark.parametrize("kind", list(KINDS))
def test_a_new_original_of_the_same_name_is_never_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, moves: int
) -> None:
    """A scanner that puts its next picture in place, by rename and under the same name, while the last one is moved."""
    inbox, to = tmp_path / "inbox", tmp_path / "moved"
    inbox.mkdir()
    path = inbox / "scan.jpg"
    for name, instead in KINDS[kind].items():
        monkeypatch.setattr(os if name == "link" else host, name, instead)
    command = [sys.executable, "-c", SCANNER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as scanner:
        assert scanner.stdout is not None
        assert scanner.stdin is not None
        scanner.stdout.readline()
        cleaned: set[bytes] = set()
        done = 0
        while done < moves or not any(to.glob("*")):
            try:
                info = path.lstat()
                with path.open("rb") as file:
                    if os.fstat(file.fileno()).st_ino != info.st_ino:
                        continue
                    cleaned.add(file.read())
                move(path, to / "scan.jpg", Item(0, b"scan.jpg", "", info.st_size, info.st_mtime_ns))
                done += 1
            except (FileNotFoundError, MedimgError):
                continue
        last, _ = scanner.communicate("stop\n", timeout=600)
    moved = {p.read_bytes() for p in to.iterdir()}
    assert moved
    assert moved <= cleaned, "a picture that was not cleaned was moved"
    there = {p.read_bytes() for p in inbox.iterdir() if not p.name.startswith(".new")}
    assert last.strip().encode() in moved | there, "the last picture is gone"
    assert not [p for p in inbox.iterdir() if p.name.startswith(".medimg")]


class Between:
    """Renames and links that know two disks: a file moves between folders of one watch as between file systems."""

    def __init__(self, links: bool) -> None:
        self._rename, self._link, self._links = host.rename_new, os.link, links

    def rename(self, old: Path, new: Path) -> bool:
        if "moved" in {old.parent.name, new.parent.name} and old.parent != new.parent:
            EXDEV()
        return self._links and self._rename(old, new)

    def link(self, old: Path, new: Path, **more: Any) -> None:
        if not self._links or old.parent != new.parent:
            EXDEV()
        self._link(old, new, **more)


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Do something in a process that dies before its so many-th call to the file system; whether it died."""
    child = os.fork()
    if not child:
        left = step

        def count(event: str, _: object) -> None:
            nonlocal left
            if event == "open" or event.startswith(("os.", "shutil.")):
                left -= 1
                if left < 0:
                    os._exit(3)

        sys.addaudithook(count)
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3


DISKS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "one step": lambda _: None,
    "links": lambda patch: patch.setattr(host, "rename_new", lambda *_: False),
    "two disks": lambda patch: _as(patch, Between(links=True)),
    "two disks without links": lambda patch: _as(patch, Between(links=False)),
}


def _as(patch: pytest.MonkeyPatch, disks: Between) -> None:
    patch.setattr(host, "rename_new", disks.rename)
    patch.setattr(os, "link", disks.link)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process is copied to be killed")
@pytest.mark.parametrize(
    ("disks", "taken"),
    [
        ("one step", False),
        ("links", False),
        ("two disks", True),
        pytest.param("links", True, marks=pytest.mark.long),
        pytest.param("two disks", False, marks=pytest.mark.long),
        pytest.param("two disks without links", False, marks=pytest.mark.long),
    ],
)
def test_a_move_killed_at_any_moment_loses_nothing_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, disks: str, taken: bool
) -> None:
    """The next watch of the folder finishes it: one file under its name, with its time, and none of ours beside it."""
    first = Scene(tmp_path)
    photo = fakes.photo(first.inbox / "a.png", seed=5)
    first.after(0)
    assert first.after(10) is not None  # it is cleaned, and originals stay
    data, time = photo.read_bytes(), photo.stat().st_mtime_ns
    DISKS[disks](monkeypatch)
    step, died = 0, True
    while died:
        shutil.rmtree(first.moved, ignore_errors=True)
        if taken:
            first.moved.mkdir()
            (first.moved / "a.png").write_bytes(b"another photo of that name")
        photo.write_bytes(data)
        os.utime(photo, ns=(time, time))
        listed = Item(0, b"a.png", "", len(data), time)
        died = killed_at(step, lambda listed=listed: move(photo, first.moved / "a.png", listed))  # type: ignore[misc]
        step += 1
        scene = Scene(tmp_path, originals=True)
        assert scene.after(0) is None
        there = [p for p in first.moved.iterdir() if p.read_bytes() != b"another photo of that name"]
        assert [p.read_bytes() for p in there] == [data], step
        assert [p.stat().st_mtime_ns for p in there] == [time]
        assert list(first.inbox.iterdir()) == []
        assert not [p for p in first.moved.iterdir() if p.name.startswith(".")]
        assert len(list(first.moved.iterdir())) == 1 + taken
    assert step > 1


def test_a_picture_that_arrives_during_the_move_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "in/scan.jpg"
    path.parent.mkdir()
    path.write_bytes(b"the old one, cleaned")
    info = path.lstat()
    real = Path.mkdir

    def arrives(self: Path, *args: Any, **more: Any) -> None:
        real(self, *args, **more)
        (tmp_path / "new").write_bytes(b"the new one, never seen")
        (tmp_path / "new").replace(path)

    monkeypatch.setattr(Path, "mkdir", arrives)
    with pytest.raises(OutputError, match="replaced"):
        move(path, tmp_path / "moved/scan.jpg", Item(0, b"scan.jpg", "", info.st_size, info.st_mtime_ns))
    assert path.read_bytes() == b"the new one, never seen"
    assert list((tmp_path / "moved").iterdir()) == []


def test_originals_of_one_name_are_all_kept(tmp_path: Path) -> None:
    for n in range(4):
        path = tmp_path / "scan.jpg"
        path.write_bytes(b"%d" % n)
        info = path.lstat()
        move(path, tmp_path / "moved/scan.jpg", Item(0, b"scan.jpg", "", info.st_size, info.st_mtime_ns))
    names = {p.name: p.read_bytes() for p in (tmp_path / "moved").iterdir()}
    assert names == {"scan.jpg": b"0", **{f"scan ({n + 1}).jpg": b"%d" % n for n in (1, 2, 3)}}


def test_a_fault_ends_no_watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from medimg.cli import watch as command
    from medimg.cli.main import cli

    (tmp_path / "in").mkdir()
    rounds: list[int] = []

    def fault(self: Watch) -> None:
        rounds.append(1)
        if len(rounds) == 3:
            raise Interrupted("stopped.")
        raise OverflowError("MARKER")

    monkeypatch.setattr(Watch, "round", fault)
    monkeypatch.setattr(command, "_PAUSE", 0.0)
    done = CliRunner().invoke(cli, ["watch", str(tmp_path / "in"), "-o", str(tmp_path / "out")], standalone_mode=False)
    assert done.exception is None
    assert len(rounds) == 3
    assert done.stdout.count("a fault in medimg itself (OverflowError)") == 2
    assert "MARKER" not in done.stdout


def test_folders_that_lie_inside_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for out, originals in ((tmp_path / "in/out", None), (tmp_path / "in", None), (tmp_path / "o", tmp_path / "in/m")):
        with pytest.raises(UsageError):
            Watch(tmp_path / "in", out, lambda *_: pytest.fail("nothing to clean"), originals=originals)
    with pytest.raises(UsageError):
        Watch(tmp_path / "none", tmp_path / "out", lambda *_: pytest.fail("nothing to clean"))


def test_the_command_says_what_it_did_and_stops_when_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    fakes.photo(tmp_path / "in/MARKER.png")
    command = [sys.executable, "-m", "medimg.cli.main", "watch", str(tmp_path / "in"), "-o", str(tmp_path / "out")]
    options = ["--metadata-only", "--rest", "0.2", "--every", "0.1", "--json-lines"]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"event": "watching"}
    said = json.loads(process.stdout.readline())
    assert (said["event"], said["photos"]) == ("run", {"unreviewed": 1})
    assert "MARKER" not in str(said)
    second = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert (second.returncode, second.stdout) == (2, "")
    assert "another 'medimg watch'" in second.stderr
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=600)
    assert json.loads(rest.splitlines()[-1]) == {"event": "stopped"}
    assert process.returncode == 0
    assert (tmp_path / "in/MARKER.png").exists()
    assert not list((tmp_path / "out").rglob("*.part"))
