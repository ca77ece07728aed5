"""A folder by the rules of NTFS, names without regard to case: the disk of a Windows computer, mounted by ntfs-3g."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import batch_fakes as fakes
import pytest

ITEMS = 12
CLEAN = ("clean", "in", "-o", "out", "--metadata-only", "--workers", "2", "--json-lines")


def medimg(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "medimg", *arguments]
    return subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    if not shutil.which("lowntfs-3g") or not shutil.which("mkfs.ntfs"):
        pytest.skip("ntfs-3g is not installed")
    image, mount = tmp_path / "disk.img", tmp_path / "disk"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(96 << 20)
    subprocess.run(["mkfs.ntfs", "-q", "-F", image], check=True, capture_output=True)
    options = ["-o", "windows_names,ignore_case", image, mount]
    done = subprocess.run(["lowntfs-3g", *options], capture_output=True, text=True, check=False)
    if done.returncode or not os.path.ismount(mount):
        pytest.skip(f"no file system may be mounted here: {done.stderr[-200:]!r}")
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", mount], check=False, capture_output=True)


def photos(folder: Path) -> None:
    for n in range(ITEMS):
        fakes.photo(folder / f"Ward {n % 3}" / f"MARKER{n}.PNG", seed=n)


def copies(folder: Path) -> list[bytes]:
    return sorted(p.read_bytes() for p in folder.glob("out/*/unreviewed/*") if not p.name.startswith("."))


@pytest.fixture
def expected(tmp_path: Path) -> list[bytes]:
    """The copies of the same photos on a disk of Linux."""
    there = tmp_path / "linux"
    photos(there / "in")
    run = medimg(*CLEAN, cwd=there)
    run.communicate(timeout=300)
    assert run.returncode == 11
    return copies(there)


def test_the_disk_is_as_windows_would_have_it(disk: Path) -> None:
    (disk / "Photo.jpg").write_bytes(b"1")
    assert (disk / "PHOTO.JPG").read_bytes() == b"1"
    with pytest.raises(OSError, match="Invalid argument"):
        (disk / "a:b").touch()


def test_a_run_there_gives_the_same_copies(disk: Path, expected: list[bytes]) -> None:
    photos(disk / "in")
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in disk.glob("in/*/*")}
    run = medimg(*CLEAN, cwd=disk)
    said = run.communicate(timeout=300)[0]
    assert run.returncode == 11, said
    assert copies(disk) == expected
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in disk.glob("in/*/*")} == before
    assert not any(word in said for word in ("MARKER", "Traceback", "M-000"))


@pytest.mark.parametrize("told", [pytest.param(0, marks=pytest.mark.long), 1, pytest.param(5, marks=pytest.mark.long)])
def test_a_killed_run_goes_on_there(disk: Path, expected: list[bytes], told: int) -> None:
    photos(disk / "in")
    run = medimg(*CLEAN, cwd=disk)
    assert run.stdout is not None
    count = 0
    while count < told and (line := run.stdout.readline()):
        count += '"event":"photo"' in line
    while not any(disk.glob("out/*")):
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.communicate(timeout=60)
    again = medimg(*CLEAN, "--resume", cwd=disk)
    said = again.communicate(timeout=300)[0]
    assert again.returncode == 11, said
    assert copies(disk) == expected
