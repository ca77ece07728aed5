"""The batch engine under load: faults, kills, many small photos, a long journal, and metadata alone against a copy.

    python benchmarks/batch.py faults --items 2000
    python benchmarks/batch.py kills --items 2000 --kills 20
    python benchmarks/batch.py small --items 10000 --plot docs/img/batch-small.svg
    python benchmarks/batch.py small --items 20000 --real
    python benchmarks/batch.py journal --rows 1000000 --plot docs/img/batch-journal.svg
    python benchmarks/batch.py efficiency --items 12
    python benchmarks/batch.py light --items 500

Everything is made in a temporary folder and removed. ``faults``, ``kills`` and ``small`` use detectors that find
nothing (tests/batch_fakes.py), so that the engine is what is measured; ``light`` is the real metadata-only path, and
``efficiency`` the whole pipeline with its models: one worker against two, which needs an idle machine with two cores.
"""

from __future__ import annotations

import argparse
import contextlib
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
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import batch_fakes as fakes

import medimg
from medimg.engine.loop import Progress
from medimg.policy import Policy
from medimg.run.journal import Journal, Settings
from medimg.run.scan import Item, Root
from medimg.types import Limits, Report, from_json

CHILD = Path(__file__).resolve().parent.parent / "tests" / "batch_child.py"


def machine() -> str:
    return f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}"


def made(folder: Path, count: int, bad: dict[int, int] | None = None) -> Path:
    for n in range(count):
        fakes.photo(folder / f"{n % 50:02d}" / f"{n:06d}.png", (bad or {}).get(n, fakes.WELL), seed=n)
    return folder


def faults(base: Path, items: int, **_: Any) -> None:
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


def kills(base: Path, items: int, kills: int, **_: Any) -> None:
    made(base / "in", items)
    originals = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in (base / "in").rglob("*.png")}
    draw = random.Random(1)
    command = [sys.executable, str(CHILD), str(base / "in"), str(base / "out")]
    done = 0
    for _k in range(kills):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
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


def small(base: Path, items: int, plot: Path | None, *, real: bool, **_: Any) -> None:
    made(base / "in", items)
    rows: list[tuple[int, float, float, float, float]] = []
    last: list[float] = [time.perf_counter(), 0, processor()]
    step = max(1, items // 100)

    def tell(event: Progress) -> None:
        if event.event == "photo" and event.settled % step == 0:
            now = time.perf_counter()
            workers = [m for p in tree(os.getpid(), processes())[1:] if (m := resident(p)) > 20]
            used, photos = processor(), event.settled - last[1]
            rate, each = photos / (now - last[0]), 1000 * (used - last[2]) / photos
            rows.append((event.settled, rate, each, resident(os.getpid()), max(workers, default=0.0)))
            last[:] = [now, event.settled, used]

    start, load = time.perf_counter(), os.getloadavg()[0]
    how: dict[str, Any] = {"policy": Policy(scope="metadata-only")} if real else {"make": fakes.make}
    outcome = medimg.scrub_folder([base / "in"], base / "out", progress=tell, **how)
    print(f"{items} photos in {time.perf_counter() - start:.1f} s: {outcome.photos}; load {load:.1f} before")
    print(f"{'settled':>10} {'photos/s':>10} {'CPU ms each':>12} {'batch MiB':>10} {'worker MiB':>10}")
    for settled, rate, each, own, worker in rows[::10] + rows[-1:]:
        print(f"{settled:>10} {rate:>10.1f} {each:>12.1f} {own:>10.0f} {worker:>10.0f}")
    if plot is not None:
        columns = list(zip(*rows, strict=True))
        lines = {"batch process": columns[3], "largest worker": columns[4]}
        rates = {"photos/s": columns[1], "CPU ms each": columns[2]}
        _plot(plot, f"{items:,} small photos", columns[0], rates, lines)


def processes() -> dict[int, tuple[int, float]]:
    """Of every process its parent, and its processor seconds with those of its children that are gone."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = entry.read_text().rpartition(")")[2].split()
            spent = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # proc(5): utime, stime, cutime, cstime
            found[int(entry.parent.name)] = (int(fields[1]), spent)
    return found


def tree(pid: int, found: dict[int, tuple[int, float]]) -> list[int]:
    """A process and all below it."""
    return [pid] + [p for child, (parent, _) in found.items() if parent == pid for p in tree(child, found)]


def processor() -> float:
    """Processor seconds of this process and of all its children, also of those that are gone."""
    found = processes()
    return sum(found[p][1] for p in tree(os.getpid(), found) if p in found)


def _plot(
    path: Path,
    title: str,
    done: Sequence[float],
    rates: dict[str, Sequence[float]],
    memory: dict[str, Sequence[float]],
) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = title
    mpl.rcParams["svg.fonttype"] = "none"
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(
        len(rates) + 1, 1, figsize=(7, 1.7 * len(rates) + 2), sharex=True, layout="constrained"
    )
    for panel, (unit, values) in zip(panels, rates.items(), strict=False):
        panel.plot(done, values, color="#0072B2", linewidth=1.2)
        panel.set(ylabel=unit, ylim=(0, max(values) * 1.15))
    panels[0].set(title=title)
    below = panels[-1]
    for (name, values), colour in zip(memory.items(), ("#D55E00", "#009E73"), strict=False):
        below.plot(done, values, label=name, color=colour, linewidth=1.5)
    below.set(xlabel="settled", ylabel="resident MiB", ylim=(0, max(map(max, memory.values())) * 1.25))
    below.legend(loc="lower right", frameon=False)
    below.xaxis.set_major_formatter("{x:,.0f}")
    for axis in panels:
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    print(f"plot: {path}")


def journal(base: Path, rows: int, plot: Path | None, **_: Any) -> None:
    report = Report(safe_id="P01-001", state="unreviewed")
    items = (Item(0, b"%07d/IMG_%07d.jpg" % (n // 100, n), f"P{n // 100:05d}-{n % 100:03d}", 1, 1) for n in range(rows))
    with Journal(base / "journal.sqlite", create=True) as book:
        start = time.perf_counter()
        book.fill(Settings(roots=(Root(b"/in"),), policy="p"), items, [])
        size = (base / "journal.sqlite").stat().st_size >> 20
        print(f"list {rows} rows: {time.perf_counter() - start:.1f} s, {size} MiB")
        one = min(rows // 10, 20_000)
        start = time.perf_counter()
        for _n in range(one):
            (claim,) = book.claim(1, alone=True)
            book.settle([(claim.id, "done", report)])
        print(f"claim and settle one by one: {one / (time.perf_counter() - start):.0f} items/s")
        series: list[tuple[float, float, float, float]] = []
        done, step = one, max(1, rows // 100)
        begin, last, at, used = time.perf_counter(), done, time.perf_counter(), time.process_time()
        while claims := book.claim(16, alone=True):
            book.settle([(c.id, "done", report) for c in claims])
            done += len(claims)
            if done - last >= step or done == rows:
                now, spent = time.perf_counter(), time.process_time()
                each = 1e6 * (spent - used) / (done - last)
                series.append((done, (done - last) / (now - at), each, resident(os.getpid())))
                last, at, used = done, now, spent
        rates = [s[1] for s in series]
        print(f"claim and settle by 16, all {rows}: {(rows - one) / (time.perf_counter() - begin):.0f} items/s")
        print(f"  slowest and fastest hundredth: {min(rates):.0f} and {max(rates):.0f} items/s")
        print(f"  processor time at the first and last hundredth: {series[0][2]:.0f} and {series[-1][2]:.0f} us each")
        print(f"  memory at the first and last hundredth: {series[0][3]:.0f} and {series[-1][3]:.0f} MiB")
        start = time.perf_counter()
        counts = book.counts()
        print(f"count by state: {(time.perf_counter() - start) * 1000:.0f} ms {counts}")
    if plot is not None:
        columns = list(zip(*series, strict=True))
        title = f"{rows:,} journal rows, claimed and settled by 16"
        _plot(plot, title, columns[0], {"rows/s": columns[1], "CPU us each": columns[2]}, {"process": columns[3]})


def efficiency(base: Path, items: int, **_: Any) -> None:
    """The whole pipeline over 3-megapixel pictures with text: one worker on one core, one on two, and two on two.

    A single worker on two cores uses both, with two threads; what a second worker brings is seen against one core.
    """
    photos = base / "in"
    photos.mkdir()
    for n in range(items):
        Image.fromarray(_scene(n)).save(photos / f"{n:03d}.jpg", quality=90)
    print(f"{items} photos of 3 megapixels, load {os.getloadavg()[0]:.2f} before")
    walls: dict[str, float] = {}
    every = os.sched_getaffinity(0)
    for name, workers, cores in (
        ("one worker, one core", 1, set(sorted(every)[:1])),
        ("one worker, all cores", 1, every),
        ("two workers, all cores", 2, every),
    ):
        os.sched_setaffinity(0, cores)  # the workers are started with it
        marks: list[float] = []
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        outcome = medimg.scrub_folder(
            [photos],
            base / f"out {name}",
            workers=workers,
            progress=lambda _event, marks=marks: marks.append(time.perf_counter()),  # type: ignore[misc]
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        walls[name] = marks[-2] - marks[0]  # first event: workers are ready; last but one: the last photo
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        each = walls[name] / items
        print(f"{name}: {walls[name]:6.1f} s, {each:.2f} s a photo; processor {cpu:.1f} s")
        assert outcome.photos == {"unreviewed": items}, outcome.photos
    one, wide, two = walls.values()
    print(f"two workers: {one / two:.2f} times one worker on one core, {wide / two:.2f} times one on all cores")


def _scene(seed: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Skin-like shades with grain, a lesion, and three lines of text."""
    from PIL import ImageDraw, ImageFont

    draw = np.random.default_rng(seed)
    height, width = 1500, 2000
    shade = np.linspace(150, 210, width)[None, :, None] + np.linspace(-20, 20, height)[:, None, None]
    base = shade * np.array([1.0, 0.8, 0.7]) + draw.normal(0, 5, (height, width, 3))
    picture = Image.fromarray(base.clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((900, 600, 1150, 800), fill=(120, 60, 60))
    pen.rectangle((100, 100, 900, 420), fill=(245, 245, 240))
    font = ImageFont.load_default(size=60)
    for line, text in enumerate(("JONES, Mary", f"MRN {4_000_000 + seed}", "DOB 03/11/1961")):
        pen.text((130, 120 + 95 * line), text, fill=(20, 20, 30), font=font)
    return np.asarray(picture, np.uint8)


def light(base: Path, items: int, **_: Any) -> None:
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
    "efficiency": efficiency,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=JOBS)
    parser.add_argument("--items", type=int, default=500)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--real", action="store_true", help="small: the real way of metadata alone")
    parser.add_argument("--plot", type=Path, help="small, journal: where the picture goes (SVG); needs matplotlib")
    given = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MEDIMG_SITE_KEY"] = f"{folder}/key"
        JOBS[given.what](
            Path(folder), items=given.items, kills=given.kills, rows=given.rows, plot=given.plot, real=given.real
        )
