"""Where the processor time of one photo goes, and what it is a multiple of.

    python -m benchmarks.budget                              # drawn ward scenes of 3 and 12 megapixels
    python -m benchmarks.budget --megapixels 24 48 --peer
    python -m benchmarks.budget photo.jpg another.jpg

Every check and the second look are on, with one thread. The photos are cleaned in a process of its own and each part
is measured apart: processor time of the calling thread, less that of the parts inside it. *first* is the look at the
original, *second* all that is done with the written copy. The last line gives the whole as a multiple of one pass of
the text finder at 1600 pixels, which compares machines better than seconds do. Threads and processes side by side:
``benchmarks/run.py``; metadata alone beside exiftool and cp: ``benchmarks/strip.py``.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.run import ROOT

PARTS = {
    "text finder": "medimg.detect.text.ocr:Models.detect",
    "text reader": "medimg.detect.text.ocr:Models.read",
    "text: crops": "medimg.detect.text.ocr:crop",
    "text: sharpening": "medimg.detect.text.sizes:sharpened",
    "text: closer look": "medimg.detect.text._zoom:closer",
    "text: what a line is": "medimg.detect.text.layout:decide",
    "text: the rest": "medimg.detect.text.detector:TextDetector._read",
    "marks": "medimg.detect.objects.marks:Network.see",
    "marks: the rest": "medimg.detect.objects.marks:views",
    "ruler": "medimg.detect.text.ruler:strip",
    "ruler: bands": "medimg.detect.text.ruler:_bands",
    "second reader, here": "medimg.detect.text.second_look:identifying",
    "codes: reader": "zxingcpp:read_barcodes",
    "codes: the rest": "medimg.detect.codes.detector:Codes.find",
    "CenterFace": "medimg.detect.faces.centerface:CenterFace.detect",
    "YuNet": "medimg.detect.faces.yunet:YuNet.detect",
    "eye bars, mosaics": "medimg.detect.faces.disguise:disguises",
    "faces: the rest": "medimg.detect.faces.detector:Faces.look",
    "pyramid": "medimg.detect:Frame.scaled",
    "open": "medimg.formats:open_photo",
    "decode": "medimg.formats.jpeg.photo:JpegPhoto.samples",
    "write": "medimg.formats.jpeg.photo:JpegPhoto.write",
    "container checks": "medimg.verify:reopened",
    "pixels compared": "medimg.verify.compare:pixels",
    "everything else": "medimg.pipeline:scrub",
}
"""What is measured: its name, and where it is."""
PHASES = ("first", "second")
ENVIRONMENTS = Path.home() / ".cache" / "medimg-compare"
"""Where :mod:`benchmarks.compare` installs the other tools."""


class Clock:
    """Adds up processor time by part and phase; time inside a part that is measured too counts for that one alone."""

    def __init__(self) -> None:
        self.spent: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0])
        self.phase = "first"
        self._inner: list[float] = []

    def around(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, timed."""

        @functools.wraps(call)
        def timed(*given: Any, **named: Any) -> Any:
            began = time.thread_time()
            self._inner.append(0.0)
            try:
                return call(*given, **named)
            finally:
                whole = time.thread_time() - began
                own = self.spent[part, self.phase]
                own[0] += whole - self._inner.pop()
                own[1] += 1
                if self._inner:
                    self._inner[-1] += whole

        return timed

    def second(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, during which the phase is the second one."""

        @functools.wraps(call)
        def looked(*given: Any, **named: Any) -> Any:
            self.phase = "second"
            try:
                return call(*given, **named)
            finally:
                self.phase = "first"

        return looked


def hook(where: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Put a wrapped function or method in the place of the one at ``module:name``, everywhere it was imported to."""
    module, _, path = where.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    before = getattr(owner, name)
    after = wrap(before)
    setattr(owner, name, after)
    if not outer:
        for other in [m for key, m in sys.modules.items() if key.startswith("medimg")]:
            for alias in [k for k, v in vars(other).items() if v is before]:
                setattr(other, alias, after)


def stages(paths: list[Path]) -> dict[str, Any]:
    """Clean photos in this process, one thread, and say where the time went."""
    import medimg
    from medimg.detect import Frame
    from medimg.detect.text import ocr

    tool = medimg.Scrubber()
    tool.scrub(paths[0])  # models and lazy imports
    clock = Clock()
    for part, where in PARTS.items():
        hook(where, functools.partial(clock.around, part))
    hook("medimg.still:_verify", clock.second)
    used, others, copies = time.process_time(), children(), 0
    for path in paths:
        copies += not tool.scrub(path).held
    used, others = time.process_time() - used, children() - others
    said = {
        "spent": [[part, phase, *spent] for (part, phase), spent in clock.spent.items()],
        "CPU": used, "second reader's process": others, "copies": copies,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }  # fmt: skip
    from PIL import Image  # after the peak was taken: Pillow holds a picture more than once

    picture = Frame(_pixels(Image.open(paths[0]))).scaled(1600)[0]
    ocr.models().detect(picture)
    passes = [_cpu(lambda: ocr.models().detect(picture)) for _ in range(5)]
    return {**said, "pass": min(passes)}


def _pixels(image: Any) -> Any:
    import numpy as np

    return np.asarray(image.convert("RGB"))


def _cpu(call: Callable[[], Any]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def children() -> float:
    """Processor seconds of ended child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def drawn(folder: Path, count: int, megapixels: float) -> list[Path]:
    """Draw scenes in processes of their own, whose memory is not the program's."""
    paths = [folder / f"{seed}.jpg" for seed in range(count)]
    for seed, path in enumerate(paths):
        code = "import sys; from pathlib import Path; from benchmarks.run import draw; draw(int(sys.argv[1]), "
        code += "float(sys.argv[2]), Path(sys.argv[3]))"
        subprocess.run([sys.executable, "-c", code, str(seed), str(megapixels), str(path)], check=True, cwd=ROOT)
    return paths


def print_stages(title: str, paths: list[Path]) -> None:
    """The table of one size."""
    command = [sys.executable, "-m", "benchmarks.budget", "--inside", *map(str, paths)]
    answer = subprocess.check_output(command, cwd=ROOT, env={**os.environ, "MEDIMG_THREADS": "1"})
    said, n = json.loads(answer), len(paths)
    cells = {(part, phase): (spent / n, calls / n) for part, phase, spent, calls in said["spent"]}
    print(f"\n| {title}, ms a photo | first | calls | second | calls |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for part in PARTS:
        row = [cells.get((part, phase), (0.0, 0.0)) for phase in PHASES]
        if any(calls for _, calls in row):
            print(f"| {part} | " + " | ".join(f"{1000 * spent:.0f} | {calls:.0f}" for spent, calls in row) + " |")
    sums = [sum(spent for (_, at), (spent, _) in cells.items() if at == phase) for phase in PHASES]
    print("| **sum** | " + " | ".join(f"**{1000 * s:.0f}** | " for s in sums) + "|")
    own, reader = said["CPU"] / n, said["second reader's process"] / n
    passes = (own + reader) / said["pass"]
    print(f"\n{own:.2f} processor seconds a photo and {reader:.2f} of the second reader's process:", end=" ")
    print(f"{passes:.1f} passes of the text finder at 1600 pixels ({said['pass']:.3f} s);", end=" ")
    print(f"peak {said['peak']} MiB; {said['copies']} of {n} copied", flush=True)


def peer(paths: list[Path]) -> float:
    """Processor seconds a photo of DentDeID's whole command on the same photos."""
    from benchmarks import _peers

    with tempfile.TemporaryDirectory() as folder:
        pictures, copies = Path(folder, "in"), Path(folder, "out")
        pictures.mkdir()
        copies.mkdir()
        for number, path in enumerate(paths):
            shutil.copy(path, pictures / f"{number}.jpg")
        _peers.dentdeid_bin(ENVIRONMENTS)
        before = children()
        _peers.dentdeid(ENVIRONMENTS, pictures, copies)
        return (children() - before) / len(paths)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, help="photos instead of drawn scenes")
    parser.add_argument("--megapixels", type=float, nargs="*", default=[3, 12])
    parser.add_argument("--scenes", type=int, default=4)
    parser.add_argument("--peer", action="store_true", help="DentDeID too; it is installed from the package index")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.inside:
        return print(json.dumps(stages(given.photos)))
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}, load {load:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        for size in given.megapixels if not given.photos else [0]:
            paths = [p.resolve() for p in given.photos] or drawn(Path(folder), given.scenes, size)
            print_stages(f"{size:g} megapixels" if size else f"{len(paths)} photos", paths)
            if given.peer:
                print(f"DentDeID's whole command: {peer(paths):.2f} processor seconds a photo", flush=True)
    return None


if __name__ == "__main__":
    main()
