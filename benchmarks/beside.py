"""Whole commands beside DentDeID's, taking turns in one run: what counts is the ratio, not the seconds.

    python -m benchmarks.beside PHOTOS... [--rounds 3] [--first]

Processor seconds of the command and of all it starts, and the peak of its largest process. Every folder is given to
``medimg clean`` with all checks and then to ``dentdeid run --text-in-photos``, ``--rounds`` times; the least of each
counts, because other work on the machine only ever adds. ``--first`` says instead what it takes from the start until
the first copy lies there, and until ``inspect`` has said its first line: in processor seconds of all processes, which a
busy machine stretches less than the clock. Modules are compiled beforehand, as an installer does.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks import _peers
from benchmarks.budget import ENVIRONMENTS, ROOT


class Used(NamedTuple):
    """Processor seconds, wall seconds, and MiB of the largest process."""

    cpu: float
    wall: float
    peak: int


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def started(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def whole(command: list[str]) -> Used:
    """A command to its end."""
    began, process = time.perf_counter(), started(command)
    assert process.stdout is not None
    process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Used(used.ru_utime + used.ru_stime, time.perf_counter() - began, used.ru_maxrss // 1024)


def medimg(photos: Path, out: str) -> list[str]:
    return [sys.executable, "-m", "medimg", "clean", str(photos), "-o", out, "--where", "AU"]


def dentdeid(photos: Path, out: str) -> list[str]:
    program = str(_peers.dentdeid_bin(ENVIRONMENTS) / "dentdeid")
    return [program, "run", str(photos), "-o", f"{out}/run", "--write-mapping", "--text-in-photos"]


def least(photos: Path, make: Callable[[Path, str], list[str]]) -> Used:
    with tempfile.TemporaryDirectory() as out:
        return whole(make(photos, out))


def tree(pid: int) -> float:
    """Processor seconds of a process, its living descendants and those that ended (Linux)."""
    parents: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = place.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        number = int(place.parent.name)
        parents.setdefault(int(fields[1]), []).append(number)
        spent[number] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    waiting, total = [pid], 0.0
    while waiting:
        one = waiting.pop()
        total += spent.get(one, 0.0)
        waiting += parents.get(one, [])
    return total


def until(command: list[str], there: Callable[[subprocess.Popen[bytes]], bool]) -> tuple[float, float]:
    """Processor and wall seconds until something is there."""
    began, process = time.perf_counter(), started(command)
    while not there(process) and process.poll() is None:
        time.sleep(0.02)
    said = tree(process.pid), time.perf_counter() - began
    process.communicate()
    return said


def first(photos: Path) -> None:
    with tempfile.TemporaryDirectory() as out:
        done = until(medimg(photos, out), lambda _: any(Path(out).glob("*/unreviewed/*.*")))
    print(f"{photos.name}: first copy after {done[0]:.1f} processor seconds, {done[1]:.1f} by the clock")
    inspect = [sys.executable, "-m", "medimg", "inspect", *map(str, sorted(photos.iterdir())[:2])]
    done = until(inspect, lambda process: bool(process.stdout and process.stdout.peek(1)))  # type: ignore[attr-defined]
    print(f"{photos.name}: inspect's first line after {done[0]:.1f} and {done[1]:.1f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--first", action="store_true")
    given = parser.parse_args()
    compileall.compile_dir(ROOT / "medimg", quiet=2)
    for folder in (Path(p) for p in sys.path if p.endswith("site-packages")):
        compileall.compile_dir(folder, quiet=2)
    print(f"{os.cpu_count()} cores, {platform.platform()}, load {os.getloadavg()[0]:.1f}", flush=True)
    if given.first:
        for folder in given.folders:
            first(folder)
        return
    print("| photos | medimg | peak | DentDeID | peak | ratio |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for folder in given.folders:
        count = len(list(folder.iterdir()))
        rounds = [(least(folder, medimg), least(folder, dentdeid)) for _ in range(given.rounds)]
        ours, theirs = (min(some, key=lambda used: used.cpu) for some in zip(*rounds, strict=True))
        print(f"| {count} of {folder.name} | {ours.cpu / count:.2f} | {ours.peak}", end=" | ")
        print(f"{theirs.cpu / count:.2f} | {theirs.peak} | {ours.cpu / theirs.cpu:.2f} |", flush=True)


if __name__ == "__main__":
    main()
