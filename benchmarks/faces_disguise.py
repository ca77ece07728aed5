"""How many old eye bars, mosaics and small bystanders the face check finds, and what each stage of it costs.

    python benchmarks/faces_disguise.py FOLDER [FOLDER...] [--half report] [--limit N] [--sheet missed.png]

Folders are as for ``benchmarks/faces.py``. Over the largest face of each picture of the kind *general* a bar or a
mosaic is drawn, each picture another kind, and the result is saved as JPEG. Faces of less than 70 pixels are left out.
*False* are pictures without a face, and whole faces as they are, that are taken to carry a bar or a mosaic; of those
without a face two solid covers are then drawn over each, as on a copy that is cleaned again.

Small bystanders are drawn heads (``medimg.detect.drawn_head``) of 12 to 40 pixels, hair to chin, in frames of
1280 x 960 over pictures without a face. Costs are processor seconds on one thread for a 12 MP photo of noise.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from faces import Picture, Pixels, drawn, pictures, sheet
from PIL import Image, ImageOps

from medimg.detect import Frame
from medimg.detect import drawn_head as heads
from medimg.detect.faces import detector as faces
from medimg.detect.faces import disguise as _disguise
from medimg.detect.faces import groups as _groups
from medimg.native.opencv import cv2
from medimg.policy import FaceRules
from medimg.types import Box, Finding

LEAST = 70
Marks = dict[str, list[tuple[bool, bool, bool]]]


def bar(rgb: Pixels, at: Box, grey: int, *, slant: float = 0, wide: float = 1.0, thick: float = 0.2) -> Pixels:
    """A bar over the eyes of a face box; an ellipse when ``thick`` is negative."""
    out = rgb.copy()
    rectangle = (((at.x0 + at.x1) / 2, at.y0 + 0.4 * at.height), (wide * at.width, abs(thick) * at.height), slant)
    if thick < 0:
        cv2.ellipse(out, rectangle, (grey,) * 3, -1)
    else:
        cv2.fillPoly(out, [np.round(cv2.boxPoints(rectangle)).astype(np.int32)], (grey,) * 3)
    return out


def mosaic(rgb: Pixels, at: Box, blocks: int) -> Pixels:
    """A mosaic over a face box and what is round it, so many squares to the width of the box."""
    wider = Box(at.x0 - at.width // 8, at.y0 - at.height // 4, at.x1 + at.width // 8, at.y1 + at.height // 4)
    box = wider.clipped(rgb.shape[1], rgb.shape[0])
    side, out = max(2, round(at.width / blocks)), rgb.copy()
    size = (max(1, box.width // side), max(1, box.height // side))
    tiny = cv2.resize(rgb[box.y0 : box.y1, box.x0 : box.x1], size, interpolation=cv2.INTER_AREA)
    large = np.repeat(np.repeat(tiny, side, axis=0), side, axis=1)[: box.height, : box.width]
    out[box.y0 : box.y0 + large.shape[0], box.x0 : box.x0 + large.shape[1]] = large
    return out


KINDS: dict[str, Callable[[Pixels, Box], Pixels]] = {
    "black bar": lambda a, b: bar(a, b, 0),
    "thin white bar": lambda a, b: bar(a, b, 255, thick=0.15),
    "grey bar": lambda a, b: bar(a, b, 128),
    "black bar, slanted 20 degrees": lambda a, b: bar(a, b, 0, slant=20),
    "black ellipse": lambda a, b: bar(a, b, 0, thick=-0.25),
    "bar beyond the face": lambda a, b: bar(a, b, 0, wide=1.4, thick=0.3),
    "mosaic, 8 squares across": lambda a, b: mosaic(a, b, 8),
    "mosaic, 12 squares across": lambda a, b: mosaic(a, b, 12),
}


def read(picture: Picture) -> Pixels:
    """Upright pixels."""
    return np.array(ImageOps.exif_transpose(Image.open(picture.path)).convert("RGB"))


def saved(rgb: Pixels) -> Pixels:
    """As a JPEG of quality 85."""
    out = io.BytesIO()
    Image.fromarray(rgb).save(out, "JPEG", quality=85)
    return np.array(Image.open(out))


def old(found: list[Finding]) -> list[Box]:
    """Where an old disguise was found."""
    return [f.region.box for f in found if f.category == "old-disguise" and f.region]


def tried(detector: faces.Faces, general: list[Picture]) -> tuple[Marks, list[Image.Image]]:
    """Bars and mosaics: whether each was found, covered, and covered or asked; and the missed ones."""
    marks: Marks = {kind: [] for kind in KINDS}
    missed = []
    for n, picture in enumerate(general):
        rgb = read(picture)
        sure = [f for f in detector.look(Frame(rgb)) if f.sure]
        largest = max(sure, key=lambda f: f.head.area, default=None)
        if largest is None:
            continue
        at = Box(*(round(v) for v in largest.face)).clipped(rgb.shape[1], rgb.shape[0])
        if min(at.width, at.height) < LEAST:
            continue
        kind = list(KINDS)[n % len(KINDS)]
        changed = saved(KINDS[kind](rgb, at))
        found = detector.find(Frame(changed))
        hit = any(b.overlap(at) > 0.3 * at.area for b in old(found))
        marks[kind].append((hit, any(f.category == "face" for f in found), bool(found)))
        if not hit:
            missed.append(drawn(changed, found, "#c00000", kind))
    return marks, missed


def again(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Two solid covers of the shape of lines of text."""
    out, (high, wide) = rgb.copy(), rgb.shape[:2]
    for _ in range(2):
        long = rng.uniform(0.08, 0.45) * max(high, wide)
        x, y = int(rng.uniform(0.05, 0.6) * wide), int(rng.uniform(0.05, 0.9) * high)
        out[y : y + max(4, int(long / rng.uniform(2, 10))), x : x + int(long)] = 0
    return out


def small(none: list[Picture]) -> None:
    """Small bystanders: the table."""
    plain, larger = faces.Faces(), faces.Faces(FaceRules(small=True))
    rng = np.random.default_rng(3)
    print(
        f"\n{'head, pixels of 1280':28s} {'n':>4s} {'covered %':>10s} {'asked %':>8s} {'covered':>9s} {'asked %':>8s}"
    )
    for n, high in enumerate((12, 16, 20, 24, 32, 40)):
        seen: dict[int, list[tuple[bool, bool]]] = {0: [], 1: []}
        for k in range(2):
            room = saved(cv2.resize(read(none[(11 * n + 5 * k) % len(none)]), (1280, 960)))
            middles = []
            for j in range(6):
                tall = high * heads.HEIGHT // (heads.HEAD[3] - heads.HEAD[1])
                part = np.asarray(heads.draw(tall, list(heads.TONES)[j % 4], masked=j == 5, seed=j))
                x, y = 40 + j * 200, int(rng.integers(20, 900 - tall))
                room[y : y + tall, x : x + part.shape[1]] = part
                middles.append((x + part.shape[1] / 2, y + tall / 2))
            for m, detector in enumerate((plain, larger)):
                found = [(f.category, f.region.box) for f in detector.find(Frame(room)) if f.region]
                for x, y in middles:
                    here = {c for c, b in found if b.x0 <= x < b.x1 and b.y0 <= y < b.y1 and b.width < 6 * high}
                    seen[m].append(("face" in here, bool(here)))
        rows = [100 * np.mean(seen[m], axis=0) for m in (0, 1)]
        print(f"{high:<28d} {len(seen[0]):4d} {rows[0][0]:10.0f} {rows[0][1]:8.0f} {rows[1][0]:9.0f} {rows[1][1]:8.0f}")


def stages(detector: faces.Faces) -> None:
    """Processor seconds of each stage."""
    rgb = np.random.default_rng(1).integers(0, 255, (3024, 4032, 3), np.uint8)
    found: dict[str, list[float]] = {}

    centre, yunet = detector._centerface, detector._yunet
    runs: dict[str, Callable[[Frame], object]] = {
        "pictures of 1600 and 640, shared with text": lambda f: f.scaled(640),
        "both networks, four turns, and grouping": lambda f: list(_groups.groups(f, centre, yunet)),
        "eye bars": _disguise.bars,
        "mosaics": _disguise.mosaics,
        "small bystanders, when asked for": lambda f: list(_groups.small(f, centre)),
    }
    for _ in range(3):
        frame = Frame(rgb)
        for name, run in runs.items():
            start = time.process_time()
            run(frame)
            found.setdefault(name, []).append(time.process_time() - start)
    print("\n12 MP photo, processor seconds, median of 3")
    for name, taken in found.items():
        print(f"{name:44s} {sorted(taken)[1]:.2f}")


def main() -> None:
    """Run and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--half", choices=("tune", "report", "all"), default="report")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--limit", type=int, default=10**9, help="at most so many pictures of a kind")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    detector = faces.Faces()
    of = list(pictures(options.folders, options.half))
    general, none = (
        [p for p in of if p.kind == kind and "tiny" not in p.tags][: options.limit] for kind in ("general", "noface")
    )
    marks, missed = tried(detector, general)
    print(f"{'':32s} {'n':>4s} {'found %':>8s} {'covered %':>10s} {'covered or asked %':>19s}")
    for kind, outcomes in marks.items():
        if outcomes:
            found, covered, asked = 100 * np.mean(outcomes, axis=0)
            print(f"{kind:32s} {len(outcomes):4d} {found:8.0f} {covered:10.0f} {asked:19.0f}")
    rng = np.random.default_rng(5)
    false = {
        "false, without a face": [old(detector.find(Frame(read(p)))) for p in none],
        "false, without a face, two covers": [old(detector.find(Frame(saved(again(read(p), rng))))) for p in none],
        "false, whole faces": [old(detector.find(Frame(read(p)))) for p in general],
    }
    for name, results in false.items():
        if results:
            print(f"{name:32s} {len(results):4d} {100 * np.mean([bool(r) for r in results]):8.1f}")
    if none:
        small(none)
    stages(detector)
    if options.sheet and missed:
        sheet(missed, options.sheet)


if __name__ == "__main__":
    main()
