"""Many small photos, metadata alone, over a Dask cluster of three workers on this computer; one is killed and back.

    nice -n 15 python benchmarks/cluster.py --items 100000 --plot docs/img/cluster.svg
    nice -n 15 python benchmarks/cluster.py --items 300 --full
    python benchmarks/cluster.py --rest 20

It brings the cluster up as docs/batch.md does, kills the first worker with SIGKILL after a third of the photos, starts
another in its place, and counts at the end: every photo settled once, every copy there and the one that was checked,
every original as it was. Memory is resident, each node with its child processes. Processor time tells what a photo
costs where others use the computer as well. ``--rest`` cleans nothing: it counts what the nodes use while they wait.
Everything lies in a temporary folder and is removed.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
from batch import _plot, machine, processes, resident, tree
from PIL import Image, ImageDraw

import medimg
from medimg.cluster import certificates
from medimg.cluster.engine import Cluster
from medimg.cluster.nodes import Identity
from medimg.engine.batch import Progress
from medimg.engine.pool import Workers
from medimg.engine.worker import Setup
from medimg.policy import Policy
from medimg.types import Report, from_json

MARK = b"Margaret-Whitcombe-1961"
LOOK = 10.0
"""Seconds between two looks at the memory."""
BACK = 20.0
"""Seconds until the killed worker is started again, as a service manager does."""


class Node:
    """A scheduler or a worker of the command line."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "medimg", "cluster", *arguments], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().split()[1]

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, one way or the other."""
        self.process.send_signal(number)
        self.process.wait(120)


class Looks:
    """What the command, the scheduler and all workers use, child processes with them, from one look to the next."""

    def __init__(self) -> None:
        self._spent: dict[int, float] = {}
        self._last = [0.0, 0.0, 0.0]

    def look(self, scheduler: int, workers: list[int]) -> tuple[list[float], list[float]]:
        """Processor seconds of each since the last look; resident MiB of each, of the workers that of the largest."""
        found = processes()
        nodes = {pid: tree(pid, found) for pid in (scheduler, *workers)}
        memory = {pid: sum(map(resident, below)) for pid, below in nodes.items()}
        now = {pid: sum(found[p][1] for p in below if p in found) for pid, below in nodes.items()}
        for pid, spent in now.items():
            self._spent[pid] = max(spent, self._spent.get(pid, 0.0))  # one that was killed keeps what it had
        sums = [time.process_time(), self._spent[scheduler], sum(s for p, s in self._spent.items() if p != scheduler)]
        since, self._last = [new - old for new, old in zip(sums, self._last, strict=True)], sums
        return since, [resident(os.getpid()), memory[scheduler], max(memory[p] for p in workers)]


def made(folder: Path, items: int, full: bool) -> dict[str, bytes]:
    """Small JPEG photos with an owner's name in them, 2,000 a folder, and digests; ``full``: in the picture too."""
    exif = Image.Exif()
    exif[315] = MARK.decode()
    out: dict[str, bytes] = {}
    bodies = []
    for seed in range(50):
        size = (360, 480, 3) if full else (48, 64, 3)
        picture = Image.fromarray(np.random.default_rng(seed).integers(90, 200, size, dtype=np.uint8))
        if full:
            picture = picture.reduce(2).resize(picture.size)
            ImageDraw.Draw(picture).text((60, 150), f"Margaret Whitcombe {1940 + seed}", fill="white", font_size=32)
        coded = io.BytesIO()
        picture.save(coded, "JPEG", quality=80, exif=exif)
        bodies.append(coded.getvalue())
    for n in range(items):
        path = folder / f"{n // 2000:03d}" / f"IMG_{n:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        body = bodies[n % len(bodies)]
        data = body[:2] + b"\xff\xfe\x00\x0a%08d" % n + body[2:]  # a comment that tells one from another
        path.write_bytes(data)
        out[str(path)] = hashlib.sha256(data).digest()
    return out


def brought_up(base: Path) -> tuple[Node, list[Node], list[str]]:
    """A scheduler, three workers, and with what they are started."""
    certificates.make(base / "certs", ["scheduler", "worker", "client"])
    scheduler = Node("scheduler", "--certificates", str(base / "certs/scheduler"), "--port", "0")
    more = ["--certificates", str(base / "certs/worker"), "--host", "127.0.0.1", "--threads", "1"]
    return scheduler, [Node("worker", scheduler.address, *more) for _ in range(3)], more


def rest(base: Path, seconds: float) -> None:
    scheduler, workers, _ = brought_up(base)
    looks, pids = Looks(), (scheduler.process.pid, [n.process.pid for n in workers])
    with (
        Workers(Setup(policy=Policy(scope="metadata-only")), 1) as local,
        Cluster(scheduler.address, Identity(base / "certs/client")).pool(local),
    ):
        looks.look(*pids)
        time.sleep(seconds)
        own, there, all_ = (1000 * spent / seconds for spent in looks.look(*pids)[0])
    print(f"load {os.getloadavg()[0]:.1f}; processor ms a second, nothing to do:")
    print(f"command {own:.1f}, scheduler {there:.1f}, each worker {all_ / len(workers):.1f}")
    for node in (*workers, scheduler):
        node.stop()


def run(base: Path, items: int, full: bool, plot: Path | None) -> None:
    originals = made(base / "in", items, full)
    scheduler, workers, more = brought_up(base)
    rows: list[tuple[float, ...]] = []
    settled: Counter[str] = Counter()
    start = last = time.monotonic()
    counted = 0
    back: list[threading.Thread] = []
    looks = Looks()

    def again() -> None:
        time.sleep(BACK)
        workers[0] = Node("worker", scheduler.address, *more)

    def tell(event: Progress) -> None:
        nonlocal last, counted
        if event.event == "start":
            looks.look(scheduler.process.pid, [n.process.pid for n in workers])
            last = time.monotonic()
        if event.report is None:
            return
        settled[event.report.safe_id] += 1
        if len(settled) == items // 3 and not back:
            workers[0].stop(signal.SIGKILL)
            back.append(threading.Thread(target=again))
            back[0].start()
            print(f"a worker was killed after {len(settled)} photos", flush=True)
        now = time.monotonic()
        if now - last > LOOK:
            spent, memory = looks.look(scheduler.process.pid, [n.process.pid for n in workers])
            new = len(settled) - counted
            each = [1000 * s / new for s in spent]
            rows.append((len(settled), new / (now - last), *each, *memory))
            last, counted = now, len(settled)
            print(f"{len(settled):>8} {rows[-1][1]:8.1f} " + " ".join(f"{m:7.1f}" for m in rows[-1][2:]), flush=True)

    policy = Policy.load() if full else Policy(scope="metadata-only")
    engine = Cluster(scheduler.address, Identity(base / "certs/client"))
    print(f"{items} photos, load {os.getloadavg()[0]:.1f} before", flush=True)
    print(" settled photos/s  processor ms a photo: command, scheduler, workers  MiB: the same, the largest worker")
    outcome = medimg.scrub_folder([base / "in"], base / "out", engine=engine, policy=policy, progress=tell)
    took = time.monotonic() - start
    for thread in back:
        thread.join()
    for node in (*workers, scheduler):
        node.stop()
    print(f"{took:.0f} s, {items / took:.1f} photos/s, load {os.getloadavg()[0]:.1f} after: {outcome.photos}")
    print(f"told once each: {len(settled) == items == settled.total()}")
    _judged(outcome.folder, items, originals)
    if plot is not None and rows:
        done, rate, *spent, own, there, largest = zip(*rows, strict=True)
        lines = {"command": own, "scheduler": there, "largest worker": largest}
        rates = {"photos/s": rate, "CPU ms each": [sum(one) for one in zip(*spent, strict=True)]}
        _plot(plot, f"{items:,} small photos over three workers, one killed", done, rates, lines)


def _judged(folder: Path, items: int, originals: dict[str, bytes]) -> None:
    reports = from_json((folder / "PRIVATE-patient-record/reports.json").read_bytes(), list[Report])
    copies = {p.name: p.read_bytes() for p in (folder / "unreviewed").iterdir()}
    named = {r.copy.name: r.copy.sha256 for r in reports if r.copy is not None}
    same = {name: hashlib.sha256(data).hexdigest() for name, data in copies.items()} == named
    looked = sum(r.scope == "full" for r in reports)
    print(f"every check {looked}, with a cover {sum(bool(r.row()['covered']) for r in reports)}")
    print(f"reports {len(reports)}, copies {len(copies)} of {items}, each the one that was checked: {same}")
    print(f"copies with the owner's name: {sum(MARK in data for data in copies.values())}")
    kept = all(hashlib.sha256(Path(p).read_bytes()).digest() == digest for p, digest in originals.items())
    left = [p.name for p in folder.rglob("*") if "journal" in p.name or p.suffix == ".part" or p.name == ".staging"]
    print(f"originals as they were: {kept}; left behind: {len(left)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=3000)
    parser.add_argument("--full", action="store_true", help="every check, and not metadata alone")
    parser.add_argument("--plot", type=Path, help="where the picture goes (SVG); needs matplotlib")
    parser.add_argument("--rest", type=float, help="seconds for which the nodes have nothing to do")
    given = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as where:
        os.environ["MEDIMG_SITE_KEY"] = f"{where}/key"
        if given.rest:
            rest(Path(where), given.rest)
        else:
            run(Path(where), given.items, given.full, given.plot)
