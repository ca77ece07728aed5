"""How often the second reader's proof fails on what it is really given, so that a photo is held for nothing.

    python -m benchmarks.reader_proof FOLDER... [--scenes 200] [--lines drawn] [--each 1] [--part 0/1] [--log FILE]

Of every picture below the folders, and of drawn ward scenes, one canvas is made as the second look makes it: the lines
that stay and the surroundings of the covers. Besides what the text check covers, each picture gets up to four more
covers of a face's and a code's shape at places drawn by a seed, as most photographs without text have no other canvas.
With ``--lines drawn`` the text check is left out, which costs most of the time, and up to twenty lines are drawn by the
seed as well, each a strip of the picture: more than most photographs have, and harder, as little of it is writing.
With ``--each N`` that is done N times, with other places. What stands in the log already is counted and not read again.
What was cut off by its time on a busy machine is not counted, and read again with the next run.
A *false hold* is a canvas whose drawn words did not come back in any layout. The bound is the exact one for 95 %
(Clopper-Pearson, one-sided).
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import scenes
from medimg.covers import covers
from medimg.decide import decide
from medimg.detect import Frame, Pixels, text
from medimg.detect.text import second_look as _second_look
from medimg.detect.text import tesseract
from medimg.detect.text.detector import SECOND_SIZE, TextDetector
from medimg.detect.text.labels import Line
from medimg.detect.text.ocr import Spot
from medimg.errors import CheckNotRun
from medimg.policy import Policy
from medimg.redact.cover import mask
from medimg.types import NOTHING_KNOWN, Polygon

PICTURES = (".jpg", ".jpeg", ".png")
LEAST_SIDE = 200
"""Smaller pictures are left out, in pixels."""


def canvas(detector: TextDetector | None, rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """What the second reader is given for a copy of a picture, (H, W) uint8."""
    height, width = rgb.shape[:2]
    hidden = [_box(rng, width, height, 0.3, (0.2, 1.3)) for _ in range(rng.integers(1, 5))]
    if detector is None:
        quads = [np.asarray(_box(rng, width, height, 0.6, (0.05, 0.2)), np.float32) for _ in range(rng.integers(0, 21))]
        found = [Line(Spot(quad, 1.0), "", 0.0, cover=quad) for quad in quads]
    else:
        policy, frame = Policy(), Frame(rgb)
        found = detector._read(frame, (SECOND_SIZE,), NOTHING_KNOWN)
        findings = [detector._finding(frame, line) for line in found]
        plan = decide([f for f in findings if f.region], policy, width=width, height=height)
        hidden = [c.polygon for c in covers(plan, policy)] + hidden
    copy = rgb.copy()
    copy[mask(hidden, width, height)] = rng.choice([0, 0, 128, 255])
    lines = _second_look.outside(found, hidden, max(width, height))
    return _second_look.canvas([cut for _, cut in _second_look._cuts(Frame(copy), lines, hidden)])[1]


def _box(rng: np.random.Generator, width: int, height: int, most: float, shape: tuple[float, float]) -> Polygon:
    """A place, turned a little: at most so much of the picture long, and its height as a share of its length."""
    long = max(width, height) * rng.uniform(0.05, most)
    half = np.array([long, long * rng.uniform(*shape)]) / 2
    turn = rng.uniform(-0.4, 0.4)
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    spun = corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    middle = rng.uniform([0, 0], [width, height])
    return tuple((float(x), float(y)) for x, y in np.clip(spun + middle, 0, [width - 1, height - 1]))


def pictures(folders: Sequence[Path], drawn: int, part: int, parts: int) -> Iterator[tuple[str, Pixels]]:
    """The pictures of a part, and what each is called; those that cannot be decoded are named and left out."""
    paths = sorted(p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in PICTURES and p.is_file())
    paths.sort(key=lambda p: hashlib.sha256(p.name.encode()).digest())
    for path in paths[part::parts]:
        try:
            with Image.open(path) as picture:
                if min(picture.size) < LEAST_SIDE:
                    continue
                picture.thumbnail((2000, 2000))
                rgb = np.asarray(picture.convert("RGB"), np.uint8)
        except (OSError, Image.DecompressionBombError):
            print(f"{path}: cannot be decoded, left out")
            continue
        yield str(path), rgb
    for seed in range(part, drawn, parts):
        yield f"scene {seed}", scenes.scene(seed, 1.0).rgb


def bound(misses: int, tries: int) -> float:
    """The share of misses that is not exceeded, with 95 % confidence."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        term = total = (1 - middle) ** tries
        for k in range(misses):
            term *= (tries - k) / (k + 1) * middle / max(1 - middle, 1e-300)
            total += term
        low, high = (middle, high) if total > 0.05 else (low, middle)
    return high


class Counting(tesseract.Reader):
    """Notes in how many layouts a canvas was read (each is one call, with all pieces left) and whether one failed."""

    asked = 0
    stopped = False

    def _proved(self, pieces: Sequence[Pixels], layout: int) -> list[list[tesseract.Word] | None]:
        self.asked += 1
        self.stopped = True
        said = super()._proved(pieces, layout)
        self.stopped = False
        return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="+")
    parser.add_argument("--scenes", type=int, default=0)
    parser.add_argument("--lines", choices=("found", "drawn"), default="found")
    parser.add_argument("--each", type=int, default=1, help="canvases of a picture")
    parser.add_argument("--part", default="0/1", help="K/N: every Nth picture from the Kth on")
    parser.add_argument("--log", type=Path, help="a line for each canvas; a canvas that failed is kept beside it")
    arguments = parser.parse_args()
    part, parts = (int(n) for n in arguments.part.split("/"))
    detector, reader = text.make(Policy()) if arguments.lines == "found" else None, Counting()
    assert detector is None or isinstance(detector, TextDetector)
    known = {row[0]: row for row in map(json.loads, _lines(arguments.log))}
    for name, rgb in pictures(arguments.folder, arguments.scenes, part, parts):
        for k in range(arguments.each):
            called = f"{name} {k}" if k else name
            if called in known:
                continue
            seed = int.from_bytes(hashlib.sha256(called.encode()).digest()[:4], "big")
            grey = canvas(detector, rgb, np.random.default_rng(seed))
            again, held = proved(reader, grey)
            if held is None:
                print(f"{called}: the reader did not run, not counted")
                continue
            known[called] = [called, *grey.shape, again, held]
            if arguments.log:
                with arguments.log.open("a") as log:
                    log.write(json.dumps(known[called]) + "\n")
                if again > 0:
                    Image.fromarray(grey).save(arguments.log.with_name(f"{arguments.log.stem}-{seed}.png"))
    asked, misses = Counter(row[3] for row in known.values()), sum(row[4] for row in known.values())
    print(f"{len(known)} canvases, so often another layout was needed: {dict(sorted(asked.items()))}")
    print(f"{misses} false holds; at most {bound(misses, len(known)):.5f} (95 %)")


def _lines(log: Path | None) -> list[str]:
    return log.read_text().splitlines() if log and log.exists() else []


def proved(reader: Counting, grey: Pixels) -> tuple[int, bool | None]:
    """In how many more layouts a canvas was read; whether it was held for its words, or None for its time."""
    reader.asked, reader.stopped = 0, False
    try:
        reader.read(grey, layout=11)
    except CheckNotRun:
        return reader.asked - 1, None if reader.stopped else True
    return reader.asked - 1, False


if __name__ == "__main__":
    main()
