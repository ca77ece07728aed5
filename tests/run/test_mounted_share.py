"""A share in the place of a disk: a file system of tests/share_program.py that is slow, reorders, fails and goes away.

It stands in for SMB and NFS: close does not write, a rename may come to the disk before what was written, names are
listed in no order, and a call may fail with what such shares fail with (ESTALE, EIO, ENOSPC).
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import batch_fakes as fakes
import pytest
from share_kit import Share, mounted

from medimg.engine.watch import Watch
from medimg.errors import Unreadable

ITEMS = 24
CLEAN = ("clean", "in", "-o", "out", "--metadata-only", "--workers", "2", "--json-lines")


@pytest.fixture
def share(tmp_path: Path) -> Iterator[Share]:
    with mounted(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos") / "in"
    for n in range(ITEMS):
        fakes.photo(folder / f"{n % 3}" / f"MARKER{n}.png", seed=n)
    return folder


@pytest.fixture(scope="module")
def expected(photos: Path) -> list[bytes]:
    """The copies of the same photos on a disk."""
    assert medimg(*CLEAN, cwd=photos.parent).returncode == 11
    return sorted(p.read_bytes() for p in photos.parent.glob("out/*/unreviewed/*"))


def medimg(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "medimg", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600, check=False)


def said_well(done: subprocess.CompletedProcess[str]) -> bool:
    return not any(word in done.stdout + done.stderr for word in ("Traceback", "M-000", "MARKER"))


def named(folder: Path) -> list[Path]:
    return [p for p in folder.glob("out/*/unreviewed/*") if not p.name.startswith(".")]


def copies(folder: Path) -> list[bytes]:
    """What lies in any run under its name."""
    return sorted(p.read_bytes() for p in named(folder))


def left(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.suffix == ".part" or "journal" in p.name or ".fuse_hidden" in p.name]


@pytest.mark.long
def test_a_slow_share_gives_the_copies_of_a_disk(share: Share, photos: Path, expected: list[bytes]) -> None:
    shutil.copytree(photos, share.disk / "in")
    share.tell(delay=0.02, keeps=2)
    done = medimg(*CLEAN, cwd=share.mount)
    assert done.returncode == 11, done.stderr
    assert copies(share.mount) == expected
    assert not left(share.mount)
    share.cut()
    assert copies(share.disk) == expected  # a run that has ended needs nothing more of the server


@pytest.mark.parametrize(
    ("call", "error", "part"),
    [
        ("open", "ESTALE", "MARKER"),
        pytest.param("read", "EIO", "MARKER", marks=pytest.mark.long),
        pytest.param("create", "EACCES", ".part", marks=pytest.mark.long),
        pytest.param("write", "ENOSPC", ".part", marks=pytest.mark.long),
        pytest.param("fsync", "EIO", ".part", marks=pytest.mark.long),
        pytest.param("rename", "ESTALE", ".part", marks=pytest.mark.long),
        pytest.param("fsyncdir", "EIO", "unreviewed", marks=pytest.mark.long),
        pytest.param("unlink", "EIO", ".part", marks=pytest.mark.long),
        pytest.param("utimens", "EPERM", ".part", marks=pytest.mark.long),
    ],
)
def test_a_fault_is_said_and_the_next_command_makes_it_whole(
    share: Share, photos: Path, expected: list[bytes], call: str, error: str, part: str
) -> None:
    shutil.copytree(photos, share.disk / "in")
    share.tell(fail={call: [error, part, 5]}, keeps=1)
    done = medimg(*CLEAN, cwd=share.mount)
    assert said_well(done), done.stderr
    assert set(copies(share.mount)) <= set(expected)
    share.tell()
    again = medimg(*CLEAN, "--resume", cwd=share.mount)
    assert said_well(again), again.stderr
    assert again.returncode in (0, 11)
    assert copies(share.mount) == expected
    originals = {p.name: p.read_bytes() for p in photos.rglob("*.png")}
    assert {p.name: p.read_bytes() for p in (share.disk / "in").rglob("*.png")} == originals


@pytest.mark.long
def test_what_has_a_name_when_the_server_is_gone_is_whole_and_resume_goes_on(
    share: Share, photos: Path, expected: list[bytes]
) -> None:
    shutil.copytree(photos, share.disk / "in")
    draw = random.Random(11)
    cuts = 0
    for _ in range(5):
        share.tell(delay=0.01, keeps=3)
        wanted = len(named(share.mount)) + draw.randrange(4)
        command = [sys.executable, "-m", "medimg", *CLEAN, "--resume"]
        running = subprocess.Popen(
            command, cwd=share.mount, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        while len(named(share.mount)) <= wanted and running.poll() is None:
            time.sleep(draw.uniform(0, 0.3))
        cuts += running.poll() is None
        share.cut()
        said = running.communicate(timeout=600)[0]
        assert not any(word in said for word in ("Traceback", "M-000", "MARKER"))
        assert set(copies(share.disk)) <= set(expected)  # whole, whatever came to the disk
        share.up()
    assert cuts >= 2
    share.tell()
    done = medimg(*CLEAN, "--resume", cwd=share.mount)
    assert said_well(done), done.stderr
    assert copies(share.mount) == expected


def test_a_share_without_rights_takes_a_run(share: Share, photos: Path, expected: list[bytes]) -> None:
    """As SMB: every file is everybody's who may mount it."""
    shutil.copytree(photos, share.disk / "in")
    share.tell(rights=False)
    done = medimg(*CLEAN, cwd=share.mount)
    assert done.returncode == 11, done.stderr
    assert copies(share.mount) == expected


def watching(share: Share) -> subprocess.Popen[str]:
    wanted = ("watch", "in", "-o", "out", "--metadata-only", "--rest", "1", "--every", "1", "--move-originals", "moved")
    command = [sys.executable, "-m", "medimg", *wanted, "--workers", "1", "--json-lines"]
    return subprocess.Popen(command, cwd=share.mount, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def stopped(running: subprocess.Popen[str]) -> str:
    running.send_signal(signal.SIGTERM)
    said = running.communicate(timeout=600)[0]
    assert running.returncode == 0
    assert not any(word in said for word in ("Traceback", "M-000", "MARKER"))
    return said


def test_a_watch_moves_originals_on_a_share_that_tells_no_attributes(share: Share, photos: Path) -> None:
    shutil.copytree(photos, share.disk / "in")
    share.tell(fail={"listxattr": ["EIO", "MARKER", 0]}, rights=False)
    originals = {p.read_bytes(): p.stat().st_mtime_ns for p in photos.rglob("*.png")}
    running = watching(share)
    until = time.monotonic() + 300
    while len(list(share.mount.glob("moved/*/*.png"))) < ITEMS and time.monotonic() < until:
        time.sleep(0.2)
    stopped(running)
    assert {p.read_bytes(): p.stat().st_mtime_ns for p in share.mount.glob("moved/*/*")} == originals
    assert not list((share.mount / "in").rglob("*.*"))
    assert len(named(share.mount)) == ITEMS


def test_a_watch_whose_share_is_away_says_so_and_goes_on(share: Share, photos: Path, tmp_path: Path) -> None:
    (share.disk / "in").mkdir()
    done: list[int] = []
    watch = Watch(share.mount / "in", tmp_path / "out", lambda roots, _resume: done.append(len(roots)), rest=0)  # type: ignore[arg-type,func-returns-value]
    share.tell(fail={"readdir": ["ESTALE", "in", 0], "getattr": ["ESTALE", "in", 0]})
    with pytest.raises(Unreadable, match="could not be reached"):
        watch.round()
    share.tell()
    assert watch.round() is None


@pytest.mark.parametrize(
    "command",
    [
        CLEAN,
        ("clean", "in", "-o", "../out", "--metadata-only"),
        ("clean", "../photos", "-o", "in", "--metadata-only"),
        ("inspect", "in", "--metadata-only"),
        ("verify", "in"),
        ("watch", "in", "-o", "../out"),
        ("watch", "../photos", "-o", "in"),
        ("status", "in"),
        ("purge", "in", "--older-than", "30"),
        ("apply", "in", "in"),
        ("upload", "in", "memory://x"),
    ],
    ids=lambda words: " ".join(words[:4]),
)
def test_a_share_that_is_away_at_the_start_is_said_and_is_no_fault_of_medimg(
    share: Share, photos: Path, command: tuple[str, ...]
) -> None:
    shutil.copytree(photos, share.disk / "in")
    shutil.copytree(photos, share.mount.parent / "photos", dirs_exist_ok=True)
    share.tell(fail={"getattr": ["EIO", "in", 0], "readdir": ["EIO", "in", 0]})
    done = medimg(*command, cwd=share.mount)
    assert said_well(done), done.stderr
    assert done.returncode in (2, 21, 30)
