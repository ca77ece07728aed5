"""The batch engine under load: faults, kills, many small photos, a long journal, and metadata alone against a copy.

    python benchmarks/batch.py faults --items 2000
    python benchmarks/batch.py kills --items 2000 --kills 20
    python benchmarks/batch.py small --items 10000
    python benchmarks/batch.py journal --rows 1000000
    python benchmarks/batch.py light --items 500

Everything is made in a temporary folder and removed. ``faults``, ``kills`` and ``small`` use detectors that find
nothing (tests/batch_fakes.py), so that the engine is what is measured; ``light`` is the real metadata-only path.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import batch_fakes as fakes

import medimg
from medimg.batch.journal import Journal, Settings
from medimg.batch.run import Progress
from medimg.batch.scan import Item, Root
from medimg.policy import Policy
from medimg.types import Limits, Report, from_json

CHILD = Path(__file__).resolve().parent.parent / "tests" / "batch_child.py"


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}"


def made(folder: Path, count: int, bad: dict[int, int] | None = None) -> Path:
    for n in range(count):
        fakes.photo(folder / f"{n % 50:02d}" / f"{n:06d}.png", (bad or {}).get(n, fakes.WELL), seed=n)
    return folder


def faults(base: Path, items: int, **_: int) -> None:
    bad = {
        55: fakes.RAISES,
        777: fakes.CRASHES,
        1234: fakes.HANGS,
        1500: fakes.EATS,
        1777: fakes.IS_KILLED,
        1900: fakes.IS_KILLED_WITH_PROGRAM,
        1950: fakes.FILLS,
    }
    made(base / "in", items, bad)
    start = time.perf_counter()
    outcome = medimg.scrub_folder(
        [base / "in"], base / "out", policy=Policy(limits=Limits(seconds=5.0)), make=fakes.make, keep_key=True
    )
    took = time.perf_counter() - start
    found = from_json((outcome.folder / "PRIVATE-patient-record/reports.json").read_bytes(), list[Report])
    print(f"{items} items in {took:.1f} s: {outcome.photos}")
    for report in found:
        if report.state != "unreviewed":
            print(f"  {report.state:8} {report.error_code:16} {report.reason}")
    left = list(outcome.folder.rglob("*.part"))
    print(f"expected to be held or failed: {len([n for n in bad if n < items])}; temporary files left: {len(left)}")


def kills(base: Path, items: int, kills: int, **_: int) -> None:
    made(base / "in", items)
    originals = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (base / "in").rglob("*.png")}
    draw = random.Random(1)
    command = [sys.executable, str(CHILD), str(base / "in"), str(base / "out")]
    done = 0
    for _k in range(kills):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _n in range(draw.randrange(items // kills)):
            if not process.stdout.readline():
                break
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            done += 1
        process.wait()
        process.stdout.close()
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]
    whole = subprocess.run([*command[:3], str(base / "whole")], capture_output=True, text=True, check=True)
    assert whole.stdout
    (run,), (unbroken,) = (base / "out").iterdir(), (base / "whole").iterdir()
    copies = sorted(p.read_bytes() for p in (run / "unreviewed").iterdir())
    equal = copies == sorted(p.read_bytes() for p in (unbroken / "unreviewed").iterdir())
    same = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (base / "in").rglob("*.png")} == originals
    parts = len([p for p in run.rglob("*") if p.suffix == ".part" or "journal" in p.name])
    print(f"{items} items, {done} kills: {said}")
    print(f"copies equal to an unbroken run: {equal}; originals as they were: {same}; left behind: {parts}")


def resident(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/statm").read_text()
    except OSError:
        return 0.0
    return int(text.split()[1]) * resource.getpagesize() / 2**20


def small(base: Path, items: int, **_: int) -> None:
    made(base / "in", items)
    rows: list[tuple[int, float, float, float]] = []
    last = [time.perf_counter(), 0]

    def tell(event: Progress) -> None:
        if event.event == "photo" and event.settled % max(1, items // 10) == 0:
            now = time.perf_counter()
            workers = [p for p in _children(os.getpid()) if resident(p) > 1]
            rate = (event.settled - last[1]) / (now - last[0])
            rows.append((event.settled, rate, resident(os.getpid()), max(map(resident, workers), default=0.0)))
            last[:] = [now, event.settled]

    start = time.perf_counter()
    outcome = medimg.scrub_folder([base / "in"], base / "out", make=fakes.make, progress=tell)
    print(f"{items} photos in {time.perf_counter() - start:.1f} s: {outcome.photos}")
    print(f"{'settled':>10} {'photos/s':>10} {'batch MiB':>10} {'worker MiB':>10}")
    for settled, rate, own, worker in rows:
        print(f"{settled:>10} {rate:>10.1f} {own:>10.0f} {worker:>10.0f}")


def _children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(entry.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.parent.name))
        except (OSError, IndexError):
            continue
    return found


def journal(base: Path, rows: int, **_: int) -> None:
    report = Report(safe_id="P01-001", state="unreviewed")
    items = (Item(0, b"%07d/IMG_%07d.jpg" % (n // 100, n), f"P{n // 100:05d}-{n % 100:03d}", 1, 1) for n in range(rows))
    with Journal(base / "journal.sqlite", create=True) as book:
        start = time.perf_counter()
        book.fill(Settings(roots=(Root(b"/in"),), policy="p"), items, [])
        size = (base / "journal.sqlite").stat().st_size >> 20
        print(f"list {rows} rows: {time.perf_counter() - start:.1f} s, {size} MiB")
        rounds = min(rows // 2, 20_000)
        for name, most in (("one by one", 1), ("by 16", 16)):
            start, done = time.perf_counter(), 0
            while done < rounds:
                claims = book.claim(most, alone=True)
                book.settle([(c.id, "done", report) for c in claims])
                done += len(claims)
            print(f"claim and settle {name}: {done / (time.perf_counter() - start):.0f} items/s")
        start = time.perf_counter()
        counts = book.counts()
        print(f"count by state: {(time.perf_counter() - start) * 1000:.0f} ms {counts}")


def light(base: Path, items: int, **_: int) -> None:
    grain = np.random.default_rng(1).normal(0, 9, (3024, 4032, 3))
    shade = np.linspace(90, 190, 4032)[None, :, None] + np.linspace(-30, 30, 3024)[:, None, None]
    picture = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Maker", "Phone"
    Image.fromarray((grain + shade).clip(0, 255).astype(np.uint8)).save(picture, "JPEG", quality=78, exif=exif)
    data = picture.getvalue()
    (base / "in").mkdir()
    for n in range(items):
        with (base / f"in/IMG_{n:05d}.jpg").open("wb") as file:
            file.write(data[:2] + b"\xff\xfe\x00\x0a%08d" % n + data[2:])
    os.sync()
    print(f"{items} JPEG files of {len(data) / 2**20:.1f} MiB")

    def copy() -> None:
        (base / "cp").mkdir()
        for path in sorted((base / "in").iterdir()):
            with (base / "cp" / path.name).open("wb") as file:
                file.write(path.read_bytes())
                file.flush()
                os.fsync(file.fileno())

    def strip() -> None:
        outcome = medimg.scrub_folder([base / "in"], base / "out", policy=Policy(scope="metadata-only"))
        assert outcome.photos == {"unreviewed": items}, outcome

    for name, job in (("copy + fsync", copy), ("clean --metadata-only", strip)):
        start = time.perf_counter()
        job()
        print(f"{name:24} {time.perf_counter() - start:6.2f} s")


JOBS: dict[str, Callable[..., None]] = {
    "faults": faults,
    "kills": kills,
    "small": small,
    "journal": journal,
    "light": light,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=JOBS)
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        JOBS[given.what](Path(folder), items=given.items, kills=given.kills, rows=given.rows)
