"""Metadata alone: medimg, a plain copy, ExifTool's batch mode and mat2 on the same phone-like JPEGs.

    python benchmarks/strip.py --items 500

The photos (12 megapixels, 2 to 5 MB, EXIF with maker note and thumbnail, GPS, XMP, a second picture behind the end on
every third) are made in a temporary folder and removed. medimg reads, lists, copies, fsyncs, reads back and checks
every copy with both readers, in ``--workers`` processes; ``cp + fsync`` is the limit of the disk. ``medimg clean`` is
the whole command: journal, sheets with their small pictures and all. ExifTool and mat2 do not fsync and do not look at
what they wrote. CPU is user and system time of all processes, their start included; ``at work`` leaves the start out.
Each way runs ``--rounds`` times, the ways taking turns; the line is the round with the least CPU, because other work on
the machine only ever adds.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SIZE = (4032, 3024)
KINDS = 6


def photos(folder: Path, items: int) -> float:
    """Make the photos; returns their size in MB. A few pictures, each file with metadata and some bytes of its own."""
    import numpy as np  # here, so that the workers need not load them
    import piexif
    from PIL import Image

    rng = np.random.default_rng(1)
    pictures = []
    for kind in range(KINDS):
        small = Image.fromarray(rng.integers(60, 200, (SIZE[1] // 48, SIZE[0] // 48, 3)).astype(np.uint8))
        pixels = np.asarray(small.resize(SIZE, Image.Resampling.BICUBIC), np.int16)
        noise = rng.normal(0, 2.5 + kind * 0.6, (SIZE[1], SIZE[0], 1)).astype(np.int16)
        out = io.BytesIO()
        Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=88)
        pictures.append(out.getvalue())
    thumbnail = io.BytesIO()
    Image.open(io.BytesIO(pictures[0])).resize((160, 120)).save(thumbnail, "JPEG")
    total = 0
    for n in range(items):
        exif = piexif.dump(
            {
                "0th": {0x010F: b"Maker", 0x0110: b"Model %d" % n, 0x0112: 1, 0x013B: b"Owner %d" % n},
                "Exif": {0x9003: b"2024:01:02 03:04:05", 0x927C: rng.bytes(20_000), 0xA431: b"SN%08d" % n},
                "GPS": {1: b"S", 2: ((36, 1), (50, 1), (n, 1)), 3: b"E", 4: ((174, 1), (45, 1), (n, 1))},
                "1st": {0x0103: 6},
                "thumbnail": thumbnail.getvalue(),
            }
        )
        xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + b" " * 4000 + b"</x:xmpmeta>"
        picture = pictures[n % KINDS]
        head = b"".join(b"\xff\xe1" + (len(p) + 2).to_bytes(2) + p for p in (exif, xmp))
        data = picture[:20] + head + picture[20:] + (thumbnail.getvalue() * 3 if n % 3 == 0 else b"")
        (folder / f"IMG_{n:05d}.jpg").write_bytes(data)
        total += len(data)
    return total / 1e6


def _strip(job: tuple[str, str]) -> bool:
    from medimg import pipeline
    from medimg.policy import Policy
    from medimg.system.files import FileSink

    source, target = map(Path, job)
    report = pipeline.scrub(
        source.read_bytes(), FileSink(target.parent, target.stem, durable=False), [], Policy(scope="metadata-only")
    )
    return report.state == "unreviewed"


def medimg_strip(files: list[Path], out: Path, workers: int) -> None:
    from medimg.system.files import sync_folder

    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        done = pool.map(_strip, [(str(f), str(out / f.name)) for f in files], chunksize=4)
        pool.close()
        pool.join()
    sync_folder(out)
    if not all(done):
        raise SystemExit("a photo was not stripped")


def medimg_clean(files: list[Path], out: Path, workers: int) -> None:
    command = [sys.executable, "-m", "medimg", "clean", str(files[0].parent), "-o", str(out), "--metadata-only"]
    done = subprocess.run([*command, "--workers", str(workers)], check=False, capture_output=True)
    if len(list(out.glob("*/unreviewed/*"))) != len(files):
        raise SystemExit(f"medimg clean: exit {done.returncode}, not every photo was cleaned")


def copy(files: list[Path], out: Path) -> None:
    subprocess.run(["cp", *map(str, files), str(out)], check=True)
    for f in files:
        handle = os.open(out / f.name, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def exiftool(files: list[Path], out: Path) -> None:
    subprocess.run(["exiftool", "-q", "-all=", "-o", f"{out}/", *map(str, files)], check=True)


def mat2(files: list[Path], out: Path) -> None:
    for f in files:
        shutil.copy(f, out)
    subprocess.run(["mat2", "--inplace", *(str(out / f.name) for f in files)], check=True, capture_output=True)


def cpu() -> float:
    return sum(
        u.ru_utime + u.ru_stime for u in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


Way = Callable[[list[Path], Path], None]


def measured(files: list[Path], run: Way) -> tuple[float, float]:
    """Wall and processor milliseconds a file."""
    with tempfile.TemporaryDirectory(dir=files[0].parent.parent) as out:
        os.sync()
        began, used = time.perf_counter(), cpu()
        run(files, Path(out))
        wall, used = time.perf_counter() - began, cpu() - used
    return wall * 1e3 / len(files), used * 1e3 / len(files)


def at_work(files: list[Path]) -> float:
    """Processor milliseconds of medimg a file, in a process that has started and is warm."""
    with tempfile.TemporaryDirectory(dir=files[0].parent.parent) as out:
        _strip((str(files[0]), str(Path(out) / "first.jpg")))
        os.sync()
        used = time.process_time()
        for f in files:
            _strip((str(f), str(Path(out) / f.name)))
        return (time.process_time() - used) * 1e3 / len(files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--folder", type=Path, help="where the temporary folder is made")
    parser.add_argument("--at-work", type=Path, nargs="+", metavar="PHOTO", help="only these, in one warm process")
    args = parser.parse_args()
    if args.at_work:
        print(f"{min(at_work(args.at_work) for _ in range(args.rounds)):.1f} ms of processor time a photo")
        return
    with tempfile.TemporaryDirectory(dir=args.folder) as base:
        folder = Path(base) / "in"
        folder.mkdir()
        size = photos(folder, args.items)
        files = sorted(folder.iterdir())
        print(f"{args.items} photos, {size / args.items:.1f} MB each; {platform.platform()}, {os.cpu_count()} cores,")
        print(f"Python {sys.version.split()[0]}; load average {os.getloadavg()[0]:.1f}")
        ways: dict[str, tuple[Way, list[Path]]] = {
            "cp, fsync each": (copy, files),
            f"medimg, {args.workers} workers": (lambda f, o: medimg_strip(f, o, args.workers), files),
            "medimg, 1 worker": (lambda f, o: medimg_strip(f, o, 1), files),
            "medimg clean --metadata-only": (lambda f, o: medimg_clean(f, o, args.workers), files),
        }
        if shutil.which("exiftool"):
            ways["exiftool -all="] = (exiftool, files)
        if shutil.which("mat2"):
            ways["mat2"] = (mat2, files[: max(3, args.items // 10)])
        measured(files, copy)  # warm-up
        best: dict[str, tuple[float, float]] = {}
        for _ in range(args.rounds):
            for name, (run, some) in ways.items():
                done = measured(some, run)
                best[name] = min(best.get(name, done), done, key=lambda d: d[1])
        print(f"{'':30} {'files':>6} {'files/s':>9} {'wall ms':>9} {'CPU ms':>9}")
        for name, (wall, used) in best.items():
            print(f"{name:30} {len(ways[name][1]):6} {1e3 / wall:9.1f} {wall:9.1f} {used:9.1f}")
        used = min(at_work(files) for _ in range(args.rounds))
        print(f"{'medimg, at work':30} {len(files):6} {'':9} {'':9} {used:9.1f}")


if __name__ == "__main__":
    main()
