"""How long each stage takes on drawn ward scenes of 3, 12 and 48 megapixels, and how much memory.

    python benchmarks/run.py                      # one photo after the other, two threads
    python benchmarks/run.py --threads 1          # the same on one thread, as a worker of a batch
    python benchmarks/run.py --processes 2        # two workers of one thread each, as a batch on two cores
    python benchmarks/run.py --scenes 6 --megapixels 12

Every check and the verification of the written copy are on; the text reader's second look uses Tesseract when it is
there. The scenes are drawn by other processes, and every size is measured in a process of its own, so the peak is what
cleaning takes. Stages are seconds of wall time, mean over the scenes, models loaded beforehand; ``codes`` and ``faces``
run beside ``text`` where there are two threads, so the stages add up to more than the whole. ``write`` and ``verify``
count every round. ``CPU`` is processor time, ``Tesseract`` that of its processes, which is not in ``CPU``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

STAGES = ("open", "decode", "text", "codes", "faces", "write", "verify")
COLUMNS = (*STAGES, "whole", "CPU", "Tesseract")


def draw(seed: int, megapixels: float, path: Path) -> None:
    """Write one scene as a JPEG."""
    from PIL import Image

    from benchmarks import scenes

    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 1, "Maker"
    picture = Image.fromarray(scenes.scene(scenes.CHECK + seed, megapixels).rgb)
    picture.save(path, "JPEG", quality=90, exif=exif)


def measure(paths: list[Path]) -> dict[str, Any]:
    """Clean photos one after the other in this process."""
    import medimg

    start = time.perf_counter()
    tool = medimg.Scrubber()
    engines = tool.engines
    loaded = time.perf_counter() - start
    rows, copies = [], 0
    began = time.perf_counter()
    for path in paths:
        used, at = (time.process_time(), _children()), time.perf_counter()
        done = tool.scrub(path)
        whole = time.perf_counter() - at
        copies += not done.held
        cpu, others = time.process_time() - used[0], _children() - used[1]
        rows.append({**done.report.seconds, "whole": whole, "CPU": cpu, "Tesseract": others})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    wall = time.perf_counter() - began
    return {"loaded": loaded, "engines": engines, "rows": rows, "copies": copies, "peak": peak, "wall": wall}


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def imports() -> float:
    """Seconds ``import medimg`` adds to starting Python, best of 5."""
    code = "import time; a = time.perf_counter(); import medimg; print(time.perf_counter() - a)"
    return min(float(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT)) for _ in range(5))


def in_processes(count: int, threads: int, paths: list[Path]) -> list[dict[str, Any]]:
    """The measures of so many processes at work at the same time, each with all the photos."""
    command = [sys.executable, __file__, "--measure", *map(str, paths)]
    environment = {**os.environ, "MEDIMG_THREADS": str(threads)}
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for _ in range(count)]
    return [json.loads(process.communicate()[0]) for process in running]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=4)
    parser.add_argument("--megapixels", type=float, nargs="*", default=[3, 12, 48])
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--draw", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.draw:
        return draw(int(given.draw[0]), float(given.draw[1]), Path(given.draw[2]))
    if given.measure:
        return print(json.dumps(measure([Path(p) for p in given.measure])))
    threads = given.threads or (1 if given.processes > 1 else 2)
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}, load {load:.1f}")
    print(f"{given.processes} processes at once, {threads} threads each; import medimg: {imports() * 1000:.0f} ms")
    print()
    print("| megapixels | " + " | ".join(COLUMNS) + " | a photo | peak MiB | copies |")
    print("| ---: " * (len(COLUMNS) + 4) + "|")
    for megapixels in given.megapixels:
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder, f"{seed}.jpg") for seed in range(given.scenes)]
            for seed, path in enumerate(paths):
                subprocess.run([sys.executable, __file__, "--draw", str(seed), str(megapixels), str(path)], check=True)
            done = in_processes(given.processes, threads, paths)
        rows = [row for one in done for row in one["rows"]]
        means = [statistics.mean(row.get(column, 0.0) for row in rows) for column in COLUMNS]
        cells = " | ".join(f"{m:.2f}" for m in means)
        photo = max(one["wall"] for one in done) / len(rows)
        peak, copies = max(one["peak"] for one in done), sum(one["copies"] for one in done)
        print(f"| {megapixels:g} | {cells} | {photo:.2f} | {peak} | {copies} of {len(rows)} |", flush=True)
    print()
    loaded = max(one["loaded"] for one in done)
    print(f"models loaded in {loaded:.2f} s; {'; '.join(done[0]['engines'].values())}; load {os.getloadavg()[0]:.1f}")
    return None


if __name__ == "__main__":
    main()
