"""Kill `medimg clean` at several moments, resume it, and look at what is there. Runs on Linux and in a Windows Python.

python killed.py PHOTOS OUT MOMENT... [--metadata-only]

A MOMENT is how many lines are told before the kill, and seconds after them: 2+0.5.
Prints one line of what was seen; ends with 1 and a sentence when something is lost, there twice or half written. What
the copies are is compared elsewhere, with those of a run that nothing disturbed (compare.py).
"""

from __future__ import annotations

import collections
import contextlib
import ctypes
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

from medimg.system import host

PATIENCE = 120.0
"""Seconds within which the workers of a batch that was killed have to be gone."""


def digests(folder: Path) -> dict[str, str]:
    """Every file below a folder: name -> digest and time."""
    files = (p for p in folder.rglob("*") if p.is_file())
    return {str(p): f"{hashlib.sha256(p.read_bytes()).hexdigest()} {p.stat().st_mtime_ns}" for p in files}


class Process(ctypes.Structure):
    """PROCESSENTRY32W of Windows."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("usage", ctypes.c_uint32),
        ("pid", ctypes.c_uint32),
        ("heap", ctypes.c_size_t),
        ("module", ctypes.c_uint32),
        ("threads", ctypes.c_uint32),
        ("parent", ctypes.c_uint32),
        ("priority", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
        ("name", ctypes.c_wchar * 260),
    )


def parents() -> dict[int, int]:
    """Process -> the one that started it."""
    found = {}
    if sys.platform != "win32":
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, IndexError):
                found[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        return found
    kernel = ctypes.WinDLL("kernel32")
    kernel.CreateToolhelp32Snapshot.restype = ctypes.c_void_p
    snapshot = ctypes.c_void_p(kernel.CreateToolhelp32Snapshot(2, 0))  # TH32CS_SNAPPROCESS
    entry = Process(size=ctypes.sizeof(Process))
    more = kernel.Process32FirstW(snapshot, ctypes.byref(entry))
    while more:
        found[entry.pid] = entry.parent
        more = kernel.Process32NextW(snapshot, ctypes.byref(entry))
    kernel.CloseHandle(snapshot)
    return found


def below(pid: int) -> set[int]:
    """A process' children, and theirs."""
    known, found = parents(), {pid}
    while more := {p for p, parent in known.items() if parent in found} - found:
        found |= more
    return found - {pid}


def clean(photos: Path, out: Path, more: list[str]) -> subprocess.Popen[str]:
    """Begin, or go on."""
    line = [sys.executable, "-P", "-m", "medimg", "clean", str(photos), "-o", str(out), "--keep-key", "--workers", "2"]
    line += ["--resume", "--json-lines", *more]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def killed(process: subprocess.Popen[str], moment: str) -> tuple[bool, int]:
    """Kill it after so many lines and seconds; whether it was still running, and how many processes were below it."""
    lines, _, seconds = moment.partition("+")
    for _ in range(int(lines)):  # the first says that it begins, each of the others tells a photo
        if process.stdout is not None:
            process.stdout.readline()
    time.sleep(float(seconds or 0))
    children = below(process.pid)
    running = process.poll() is None
    process.kill()  # TerminateProcess on Windows, SIGKILL elsewhere: nothing in it has a say
    process.wait()
    if process.stdout is not None:
        process.stdout.close()
    end = time.monotonic() + PATIENCE
    while any(map(host.alive, children)):
        if time.monotonic() > end:
            sys.exit(f"a worker outlived its batch, which was killed after {moment}")
        time.sleep(0.1)
    return running, len(children)


def faults(out: Path, told: list[str], photos: int) -> list[str]:
    """What is wrong in the end."""
    runs = list(out.glob("medimg-*"))
    if len(runs) != 1:
        return [f"{len(runs)} run folders instead of one"]
    left = [p.name for p in runs[0].rglob("*") if p.suffix == ".part" or "journal" in p.name or p.name == ".lock"]
    found = [f"left behind: {', '.join(left)}"] if left else []
    reports = json.loads((runs[0] / "PRIVATE-patient-record" / "reports.json").read_bytes())
    ids = [r["safe_id"] for r in reports]
    if len(ids) != photos or len(set(ids)) != photos:
        found.append(f"{len(ids)} reports, {len(set(ids))} different, for {photos} photos")
    twice = [i for i, n in collections.Counter(told).items() if n > 1]
    if twice:
        found.append(f"told twice in one go: {', '.join(twice)}")
    stated = {r["copy"]["name"]: r["copy"]["sha256"] for r in reports if r.get("copy")}
    there = {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (runs[0] / "unreviewed").iterdir()}
    if stated != there:
        found.append("the copies are not those that the reports name")
    return found


def main() -> None:
    """Kill, resume, look."""
    light = ["--metadata-only"] if "--metadata-only" in sys.argv else []
    photos, out, *moments = (a for a in sys.argv[1:] if a not in light)
    before = digests(Path(photos))
    kills, workers = 0, 0
    for moment in moments:
        running, below_it = killed(clean(Path(photos), Path(out), light), moment)
        kills, workers = kills + running, workers + below_it
    with clean(Path(photos), Path(out), light) as process:
        lines = [json.loads(line) for line in process.stdout or ()]
    told = [line["photo"]["id"] for line in lines if line["event"] == "photo"]
    found = faults(Path(out), told, len(before))
    if process.returncode not in (10, 11):
        found.insert(0, f"it ended with {process.returncode}")
    if digests(Path(photos)) != before:
        found.append("an original was touched")
    if kills < len(moments) - 1:
        found.append(f"only {kills} of {len(moments)} kills met a running batch")
    if found:
        sys.exit("; ".join(found))
    print(
        f"killed {kills} times with {workers} processes below it, then resumed: {len(told)} of {len(before)} left to do"
    )


if __name__ == "__main__":
    main()
