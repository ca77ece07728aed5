"""Many small photos, metadata alone, over a Dask cluster of three workers on this computer; one is killed and back.

    nice -n 15 python benchmarks/cluster.py --items 100000 --plot docs/img/cluster.svg
    nice -n 15 python benchmarks/cluster.py --items 300 --full

It brings the cluster up as docs/batch.md does, kills the first worker with SIGKILL after a third of the photos, starts
another in its place, and counts at the end: every photo settled once, every copy there and the one that was checked,
every original as it was. Memory is resident, each node with its child processes. Everything lies in a temporary folder
and is removed.
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
from batch import _children, _plot, machine, resident
from PIL import Image

import medimg
from medimg.cluster import certificates
from medimg.cluster.engine import Cluster
from medimg.cluster.nodes import Identity
from medimg.engine.batch import Progress
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

    def memory(self) -> float:
        """Resident MiB of it and its children."""
        return sum(map(resident, (self.process.pid, *_below(self.process.pid))))

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End it, one way or the other."""
        self.process.send_signal(number)
        self.process.wait(120)


def _below(pid: int) -> list[int]:
    own = _children(pid)
    return own + [deeper for child in own for deeper in _below(child)]


def made(folder: Path, items: int) -> dict[str, bytes]:
    """Small JPEG photos with an owner's name in them, 2,000 a folder; the digest of each."""
    exif = Image.Exif()
    exif[315] = MARK.decode()
    out: dict[str, bytes] = {}
    bodies = []
    for seed in range(50):
        pixels = np.random.default_rng(seed).integers(90, 200, (48, 64, 3), dtype=np.uint8)
        coded = io.BytesIO()
        Image.fromarray(pixels).save(coded, "JPEG", quality=80, exif=exif)
        bodies.append(coded.getvalue())
    for n in range(items):
        path = folder / f"{n // 2000:03d}" / f"IMG_{n:06d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        body = bodies[n % len(bodies)]
        data = body[:2] + b"\xff\xfe\x00\x0a%08d" % n + body[2:]  # a comment that tells one from another
        path.write_bytes(data)
        out[str(path)] = hashlib.sha256(data).digest()
    return out


def run(base: Path, items: int, full: bool, plot: Path | None) -> None:
    originals = made(base / "in", items)
    certificates.make(base / "certs", ["scheduler", "worker", "client"])
    scheduler = Node("scheduler", "--certificates", str(base / "certs/scheduler"), "--port", "0")
    more = ["--certificates", str(base / "certs/worker"), "--host", "127.0.0.1", "--threads", "1"]
    workers = [Node("worker", scheduler.address, *more) for _ in range(3)]
    rows: list[tuple[float, ...]] = []
    settled: Counter[str] = Counter()
    start = last = time.monotonic()
    counted = 0
    back: list[threading.Thread] = []

    def again() -> None:
        time.sleep(BACK)
        workers[0] = Node("worker", scheduler.address, *more)

    def tell(event: Progress) -> None:
        nonlocal last, counted
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
            memory = [n.memory() for n in workers if n.process.poll() is None]
            rate = (len(settled) - counted) / (now - last)
            rows.append((len(settled), rate, resident(os.getpid()), scheduler.memory(), max(memory)))
            last, counted = now, len(settled)
            print(f"{rows[-1][0]:>8.0f} {rate:8.1f}/s " + " ".join(f"{m:7.0f}" for m in rows[-1][2:]), flush=True)

    policy = Policy.load() if full else Policy(scope="metadata-only")
    engine = Cluster(scheduler.address, Identity(base / "certs/client"))
    print(f"{items} photos, load {os.getloadavg()[0]:.1f} before; MiB of batch, scheduler, largest worker", flush=True)
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
        done, rate, own, there, largest = zip(*rows, strict=True)
        lines = {"command": own, "scheduler": there, "largest worker": largest}
        _plot(plot, f"{items:,} small photos over three workers, one killed", done, {"photos/s": rate}, lines)


def _judged(folder: Path, items: int, originals: dict[str, bytes]) -> None:
    reports = from_json((folder / "PRIVATE-patient-record/reports.json").read_bytes(), list[Report])
    copies = {p.name: p.read_bytes() for p in (folder / "unreviewed").iterdir()}
    named = {r.copy.name: r.copy.sha256 for r in reports if r.copy is not None}
    same = {name: hashlib.sha256(data).hexdigest() for name, data in copies.items()} == named
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
    given = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as where:
        os.environ["MEDIMG_SITE_KEY"] = f"{where}/key"
        run(Path(where), given.items, given.full, given.plot)
