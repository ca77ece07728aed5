"""How long each stage takes on drawn ward scenes of 3, 12 and 48 megapixels, and how long an import takes.

    python benchmarks/run.py                      # one process, two threads a model
    python benchmarks/run.py --scenes 6 --megapixels 12

Every check and the verification of the written copy are on; the text reader's second look uses Tesseract when it is
there. Seconds of wall time, mean over the scenes, models loaded beforehand. ``write`` and ``verify`` count every round.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PIL import Image

import medimg
from benchmarks import scenes

STAGES = ("open", "decode", "text", "codes", "faces", "write", "verify")


def jpeg(seed: int, megapixels: float) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 1, "Maker"
    Image.fromarray(scenes.scene(seed, megapixels).rgb).save(out, "JPEG", quality=90, exif=exif)
    return out.getvalue()


def imports() -> float:
    """Seconds ``import medimg`` adds to starting Python, best of 5."""
    best = []
    for _ in range(5):
        code = "import time; a = time.perf_counter(); import medimg; print(time.perf_counter() - a)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        best.append(float(done.stdout))
    return min(best)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=4)
    parser.add_argument("--megapixels", type=float, nargs="*", default=[3, 12, 48])
    given = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}, load {load:.1f}")
    print(f"import medimg: {imports() * 1000:.0f} ms")
    start = time.perf_counter()
    tool = medimg.Scrubber()
    engines = tool.engines
    print(f"models loaded: {time.perf_counter() - start:.2f} s ({'; '.join(engines.values())})")
    print()
    print("| megapixels | " + " | ".join(STAGES) + " | whole | of it CPU | peak MiB | copies |")
    print("| ---: " * (len(STAGES) + 5) + "|")
    for megapixels in given.megapixels:
        rows: list[dict[str, float]] = []
        copies = 0
        for seed in range(scenes.CHECK, scenes.CHECK + given.scenes):
            data = jpeg(seed, megapixels)
            used, began = time.process_time(), time.perf_counter()
            done = tool.scrub(data)
            whole = time.perf_counter() - began
            copies += not done.held
            rows.append({**done.report.seconds, "whole": whole, "cpu": time.process_time() - used})
        means = [statistics.mean(r.get(s, 0.0) for r in rows) for s in (*STAGES, "whole", "cpu")]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        cells = " | ".join(f"{m:.2f}" for m in means)
        print(f"| {megapixels:g} | {cells} | {peak} | {copies} of {given.scenes} |", flush=True)


if __name__ == "__main__":
    main()
