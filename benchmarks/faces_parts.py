"""How often a part of a face that fills a picture is covered or asked about: eyes, one eye, mouth, cheek.

    python benchmarks/faces_parts.py FOLDER [FOLDER...] [--half report] [--side 640] [--sheet missed.png]

Folders are as for ``benchmarks/faces.py``. Of each picture of the kind *general* in which the check finds a face, parts
of the face box are cut out and brought to ``--side`` pixels, as JPEG, as if the camera had been so close. Shares of the
box are those of a face from brow to chin. The sheet shows the parts of which nothing was found, and the range is the
95 % range of what was covered or asked about (Wilson). Needs scipy (with scikit-image in the ``dev`` extra).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from faces import drawn, pictures, sheet
from faces_disguise import LEAST, read, saved
from scipy.stats import binomtest

from medimg.detect import Frame
from medimg.detect.faces import detector as faces
from medimg.native.opencv import cv2

PARTS = {
    "both eyes": (0.0, 0.12, 1.0, 0.5),
    "one eye": (0.05, 0.15, 0.5, 0.5),
    "mouth": (0.15, 0.62, 0.85, 0.95),
    "mouth, chin and beard": (0.0, 0.58, 1.0, 1.1),
    "nose": (0.25, 0.35, 0.75, 0.72),
    "cheek": (0.0, 0.4, 0.45, 0.9),
    "upper half": (-0.1, -0.2, 1.1, 0.55),
    "lower half": (-0.1, 0.45, 1.1, 1.15),
}
"""Left, top, right and bottom as shares of the face box."""


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--half", choices=("tune", "report", "all"), default="report")
    parser.add_argument("--side", type=int, default=640)
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    detector = faces.Faces()
    seen: dict[str, list[tuple[bool, bool]]] = {part: [] for part in PARTS}
    missed = []
    for picture in pictures(options.folders, options.half):
        if picture.kind != "general":
            continue
        rgb = read(picture)
        largest = max((f for f in detector.look(Frame(rgb)) if f.sure), key=lambda f: f.head.area, default=None)
        if largest is None:
            continue
        x0, y0, x1, y1 = largest.face
        wide, high = x1 - x0, y1 - y0
        if min(wide, high) < LEAST:
            continue
        for part, (left, top, right, bottom) in PARTS.items():
            rows = slice(max(0, round(y0 + top * high)), max(1, round(y0 + bottom * high)))
            columns = slice(max(0, round(x0 + left * wide)), max(1, round(x0 + right * wide)))
            cut = np.ascontiguousarray(rgb[rows, columns])
            factor = options.side / max(cut.shape[:2])
            close = np.asarray(cv2.resize(cut, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8)
            close = saved(close)
            found = [f for f in detector.find(Frame(close)) if f.category != "old-disguise"]
            seen[part].append((any(f.category == "face" for f in found), bool(found)))
            if not found:
                missed.append(drawn(close, found, "#c00000", part))
    print(f"{detector.version}, {options.half} half, {options.side} pixels")
    print(f"{'':24} {'n':>4} {'covered':>8} {'or asked':>9}")
    for part, outcomes in {**seen, "all": [o for of in seen.values() for o in of]}.items():
        covered, asked = (sum(o[k] for o in outcomes) for k in (0, 1))
        range_ = binomtest(asked, len(outcomes)).proportion_ci(method="wilson")
        print(f"{part:24} {len(outcomes):4} {covered:8} {asked:9}   {range_.low:.3f} to {range_.high:.3f}")
    if options.sheet:
        sheet(missed[:140], options.sheet)


if __name__ == "__main__":
    main()
