"""The window with many fully checked photos: seconds and memory of each page.

    python benchmarks/desktop_many.py                          # draws 8 scenes, checks them, measures with 200
    python benchmarks/desktop_many.py --run OUT/medimg-XXXX --photos FOLDER     # of a run that is there already

To check 200 photos takes minutes; what the pages cost does not depend on that. So a few are checked, and what was
stored of them (report, plan, copy) stands for 200 photos of one patient, whose files are there 200 times as well. The
window draws itself without a screen. Seconds are from the act until what is named is on the page. Memory is what the
window's process holds then, and with it the workers that decode for it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QListWidget

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
LONG = 1200.0
"""Seconds after which something is not coming."""


def main() -> None:
    """Make the run where none is given, then let a process with the window measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--megapixels", type=float, default=3)
    parser.add_argument("--scenes", type=int, default=8)
    parser.add_argument("--run", type=Path, help="a run folder; it is only read")
    parser.add_argument("--photos", type=Path, help="where the photos of that run lie")
    parser.add_argument("--measure", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        Pages(*options.measure).all()
        return
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        env = {
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "MEDIMG_BEGUN": str(time.time()),
            **{f"MEDIMG_{name}": str(work / name.lower()) for name in ("REGISTER", "CARDS", "WINDOW")},
        }
        photos, run = options.photos, options.run
        if run is None:
            photos = work / "photos"
            draw(photos, options.scenes, options.megapixels)
            began = time.perf_counter()
            command = [sys.executable, "-m", "medimg", "clean", str(photos), "-o", str(work / "out"), "--where", "AU"]
            done = subprocess.run(command, env=env, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if done.returncode not in (10, 11, 20):
                sys.exit("the photos could not be cleaned")
            print(f"{options.scenes} photos checked in {time.perf_counter() - began:.0f} s", flush=True)
            (run,) = (work / "out").glob("medimg-*")
        mine, many = work / "measured" / run.name, work / "many"
        multiply(run, photos, options.items, mine, many)
        print(f"load: {os.getloadavg()[0]:.1f}")
        print("| page, until | seconds | MiB | with workers |\n| --- | ---: | ---: | ---: |", flush=True)
        env["MEDIMG_BEGUN"] = str(time.time())
        subprocess.run([sys.executable, __file__, "--measure", str(mine), str(many)], env=env, check=True)


def draw(folder: Path, items: int, megapixels: float) -> None:
    """Ward scenes of one patient."""
    from PIL import Image

    from benchmarks import scenes

    folder.mkdir()
    for seed in range(items):
        Image.fromarray(scenes.scene(scenes.CHECK + seed, megapixels).rgb).save(
            folder / f"{seed:03d}.jpg", "JPEG", quality=90
        )


def multiply(run: Path, photos: Path, items: int, mine: Path, many: Path) -> None:
    """A run of so many photos of one patient, of what another run stored of a few."""
    from msgspec.structs import replace

    from medimg.report import write_sheets
    from medimg.run import originals
    from medimg.run.opened import open_run
    from medimg.types import to_json

    opened = open_run(run)
    where = originals.find(opened.reports, [photos])
    few = [r for r in opened.reports if r.copy is not None and r.safe_id in where]
    for folder in (mine / "share", mine / "unreviewed", mine / "hold", mine / "PRIVATE-patient-record", many):
        folder.mkdir(parents=True)
    reports = []
    for number in range(items):
        one = few[number % len(few)]
        name = f"P01-{number + 1:03d}"
        copy = replace(one.copy, name=f"{name}{Path(one.copy.name).suffix}")
        shutil.copy(opened.copy_of(one), mine / "unreviewed" / copy.name)
        shutil.copy(where[one.safe_id], many / f"{name}{where[one.safe_id].suffix}")
        reports.append(replace(one, safe_id=name, copy=copy))
    (mine / "PRIVATE-patient-record" / "reports.json").write_bytes(to_json(reports))
    groups = {"P01": tuple(r.safe_id for r in reports)}
    write_sheets(replace(opened.state.run, groups=groups), reports, opened.state.context, mine)


class Pages:
    """The window, page by page."""

    def __init__(self, run: Path, photos: Path) -> None:
        from PySide6.QtGui import QIcon

        from medimg.desktop.app import application
        from medimg.desktop.window import Window

        self.run, self.photos = run, photos
        self.app = application()
        self.window = Window()
        self.window.resize(1280, 800)
        self.window.show()
        self.blank = QIcon
        self.began = float(os.environ["MEDIMG_BEGUN"])
        self.tell("the first page is painted", lambda: bool(self.window.grab().width()))

    def all(self) -> None:
        """Every page, as a person meets them."""
        try:
            self._all()
        finally:
            self.window.stop()

    def _all(self) -> None:
        window = self.window
        small = next(w for w in window.start.findChildren(object) if w.objectName() == "dropped")
        self.act(lambda: window.start.take([self.photos]))
        self.tell("start: the photos are counted", lambda: window.start.seen is not None)
        self.tell("start: the first picture of them", lambda: self.drawn(small) >= 1)
        self.tell("start: all that are shown there", lambda: self.drawn(small) == small.count())
        self.act(lambda: window.open_run(self.run, [self.photos]))
        grid = window.review.grid.photos
        self.tell("overview: its list", lambda: grid.count() > 0)
        items = [grid.item(n) for n in range(grid.count())]
        first = items[0].icon().cacheKey()
        self.tell("overview: the first picture", lambda: items[0].icon().cacheKey() != first)
        empty = {n: i.icon().cacheKey() for n, i in enumerate(items)}
        last = next((n for n in reversed(range(len(items))) if empty[n] == empty[len(items) - 1]), len(items) - 1)
        self.tell("overview: the last picture", lambda: items[last].icon().cacheKey() != empty[last])
        session = window.review.session
        assert session is not None
        look = window.review.look
        copies = [i for i in session.order if session.report(i).copy is not None]
        for name, safe_id in (("first", copies[0]), ("next", copies[1]), ("last", copies[-1])):
            self.act(lambda i=safe_id: window.review.show_photo(i))
            self.tell(f"look: the {name} photo", lambda: look.canvas.photo is not None)
        for safe_id in copies:
            session.look_done(safe_id)
        while not session.looked.issuperset(copies):  # each of them is written down
            self.app.processEvents()
        self.act(window.questions)
        self.tell("acts", lambda: window.acts.shown is not None)
        self.act(window.every_question)
        self.tell("every question by itself", lambda: bool(window.checklist.view.cards))
        self.act(lambda: window.checklist.parts.setCurrentRow(0))
        self.tell("questions about the patient", lambda: bool(window.checklist.view.cards))
        self.act(window._finish)
        self.tell("finish", lambda: window.finish.isVisible())
        print(f"peak of the window's process: {memory('VmHWM')} MiB")

    def act(self, what: Callable[[], object]) -> None:
        """Do something, and count from here."""
        self.began = time.time()
        what()

    def tell(self, name: str, there: Callable[[], bool]) -> None:
        """Wait until it is there and painted, and print the line."""
        end = time.monotonic() + LONG
        while not there():
            if time.monotonic() > end:
                sys.exit(f"not there: {name}")
            self.app.processEvents()
            time.sleep(0.002)
        self.app.processEvents()
        seconds = time.time() - self.began
        print(f"| {name} | {seconds:.2f} | {memory('VmRSS')} | {memory('VmRSS') + workers()} |", flush=True)

    def drawn(self, small: QListWidget) -> int:
        """How many of the small pictures are there."""
        return sum(not small.item(n).icon().isNull() for n in range(small.count()))


def memory(name: str, pid: str = "self") -> int:
    """A line of ``/proc/PID/status``, in MiB."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) >> 10 for line in lines if line.startswith(f"{name}:")), 0)


def workers() -> int:
    """What the processes below this one hold, in MiB."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[stat.parent.name] = stat.read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
    mine, found = {str(os.getpid())}, set()
    while more := {p for p, parent in parents.items() if parent in mine} - found:
        found |= more
        mine = more
    return sum(memory("VmRSS", p) for p in found)


if __name__ == "__main__":
    main()
