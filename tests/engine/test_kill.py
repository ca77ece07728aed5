"""A batch that is killed with SIGKILL at any moment, and resumed: nothing lost, nothing twice, nothing left behind."""

from __future__ import annotations

import contextlib
import os
import random
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import batch_fakes as fakes
import pytest

HERE = Path(__file__).parents[1]
PHOTOS = 60


def children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            if int(entry.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.parent.name))
    return found


def start(tmp_path: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(HERE / "batch_child.py"), str(tmp_path / "in"), str(tmp_path / "out"), *more],
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE,
    )


def killed_after(process: subprocess.Popen[str], lines: int) -> bool:
    """Kill a batch after it said so many lines; wait for its workers to be gone. False when it was finished before."""
    assert process.stdout is not None
    for _ in range(lines):
        if process.stdout.readline().startswith("outcome"):
            process.wait()
            return False
    watched = []
    for pid in children(process.pid):
        with contextlib.suppress(ProcessLookupError):
            watched.append(os.pidfd_open(pid))
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    for handle in watched:
        # A worker whose batch is gone leaves by itself; readable means it has.
        assert select.select([handle], [], [], 120)[0], "a worker outlived its batch"
        os.close(handle)
    return True


@pytest.mark.parametrize("kind", ["full", pytest.param("light", marks=pytest.mark.long)])
def test_killed_at_random_moments_and_resumed(tmp_path: Path, kind: str) -> None:
    for n in range(PHOTOS):
        fakes.photo(tmp_path / f"in/{n % 7}/{n}.png", seed=n)
    originals = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (tmp_path / "in").rglob("*.png")}
    more = ["light"] if kind == "light" else []
    moments = [0, 1, *random.Random(7).sample(range(2, PHOTOS // 2), 3)]
    kills = 0
    for moment in moments:
        kills += killed_after(start(tmp_path, *more), moment)
        for run in (tmp_path / "out").glob("*"):
            if (run / "run.json").exists() and not (run / "PRIVATE-patient-record/journal.sqlite").exists():
                shutil.rmtree(run)  # the kill came too late: that run was finished
    assert kills >= 3
    process = start(tmp_path, *more)
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0
    assert said.splitlines()[-1].endswith(f"{{'unreviewed': {PHOTOS}}}")
    (run,) = (tmp_path / "out").iterdir()
    unbroken = start_unbroken(tmp_path, more)
    assert sorted(p.read_bytes() for p in (run / "unreviewed").iterdir()) == sorted(
        p.read_bytes() for p in (unbroken / "unreviewed").iterdir()
    )
    assert len(list((run / "unreviewed").iterdir())) == PHOTOS
    left = [p for p in run.rglob("*") if p.suffix == ".part" or "journal" in p.name or p.name == ".lock"]
    assert left == []
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (tmp_path / "in").rglob("*.png")} == originals


def start_unbroken(tmp_path: Path, more: list[str]) -> Path:
    process = subprocess.Popen(
        [sys.executable, str(HERE / "batch_child.py"), str(tmp_path / "in"), str(tmp_path / "unbroken"), *more],
        stdout=subprocess.PIPE,
        text=True,
        cwd=HERE,
    )
    process.communicate(timeout=600)
    assert process.returncode == 0
    (run,) = (tmp_path / "unbroken").iterdir()
    return run


def test_a_program_a_worker_started_does_not_outlive_the_batch(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in/1.png", fakes.HANGS_WITH_PROGRAM)
    process = start(tmp_path)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("start")
    found: list[int] = []
    while not found:
        found = [p for worker in children(process.pid) for p in children(worker) if command(p) == fakes.PROGRAM]
    handles = [os.pidfd_open(pid) for pid in found]
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    for handle in handles:
        assert select.select([handle], [], [], 120)[0], "a program outlived its batch"
        os.close(handle)


def command(pid: int) -> tuple[str, ...]:
    try:
        return tuple(Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1])
    except OSError:
        return ()
