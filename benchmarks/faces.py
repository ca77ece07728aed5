"""How well the face check does, on a folder of pictures of your own.

    python benchmarks/faces.py FOLDER [FOLDER...] [--half report] [--sheet faces.png] [--limit N]

Each folder holds pictures and ``labels.csv`` with a header and these columns::

    file     path below the folder
    kind     general (a whole face), masked, closeup (part of a face, or one that fills the frame),
             crop (a close-up cut from another picture), bystander (a face in the background), noface
    tags     words, separated by spaces, that get a row of their own: tone:light tone:dark child bar profile ...
    group    pictures of one source have the same word here; a group is never split between tuning and reporting

``--half tune`` and ``--half report`` take the groups whose SHA-256 is even or odd. Thresholds were chosen on *tune*;
figures in the documentation come from *report*. The pictures themselves are not part of the project.

A picture counts as *covered* when the check finds a face in it, as *asked* when it finds a face or a possible face.
Old eye bars and mosaics are counted by ``benchmarks/faces_disguise.py``, which also says what each stage costs.
The sheet shows every miss (red frame) and every false cover or question (orange frame) with what was found.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from medimg.detect import Frame, make
from medimg.native.opencv import cv2
from medimg.policy import Policy
from medimg.types import Finding

Pixels = NDArray[np.uint8]
CELL = 200
KINDS = ("general", "masked", "bystander", "closeup", "crop", "noface")


class Picture(NamedTuple):
    """One labelled picture."""

    path: Path
    kind: str
    tags: tuple[str, ...]


class Outcome(NamedTuple):
    """What the check said of one view of a picture."""

    picture: Picture
    view: str
    covered: bool
    asked: bool


def pictures(folders: list[Path], half: str) -> Iterator[Picture]:
    """The labelled pictures of a half, or all of them."""
    for folder in folders:
        with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                odd = hashlib.sha256((row.get("group") or row["file"]).encode()).digest()[-1] % 2
                if half == "all" or odd == (half == "report"):
                    yield Picture(folder / row["file"], row["kind"], tuple((row.get("tags") or "").split()))


def small(rgb: Pixels, share: float) -> Pixels:
    """The picture shrunk to a share of the long side of a grey 12 MP frame, off its centre."""
    frame = np.full((3024, 4032, 3), 127, np.uint8)
    factor = share * 4032 / max(rgb.shape[:2])
    size = (max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor)))
    size = (min(size[0], 3900), min(size[1], 2900))
    part = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    frame[50 : 50 + size[1], 90 : 90 + size[0]] = part
    return frame


VIEWS: dict[str, Callable[[Pixels], Pixels]] = {
    "as it is": lambda a: a,
    "turned 90": lambda a: np.rot90(a, 1),
    "turned 180": lambda a: np.rot90(a, 2),
    "turned 270": lambda a: np.rot90(a, 3),
    "dark (x 0.25)": lambda a: (a * 0.25).astype(np.uint8),
    "grey": lambda a: np.repeat(a.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2),
    "1/4 of a 12 MP frame": lambda a: small(a, 0.25),
    "1/8 of a 12 MP frame": lambda a: small(a, 0.125),
}


def drawn(rgb: Pixels, found: list[Finding], frame: str, words: str) -> Image.Image:
    """A cell of the sheet."""
    picture = Image.fromarray(rgb).convert("RGB")
    pen = ImageDraw.Draw(picture)
    width = max(2, max(picture.size) // 150)
    for finding in found:
        if finding.region:
            box = finding.region.box
            colour = "#00c000" if finding.category == "face" else "#0080ff"
            pen.rectangle((box.x0, box.y0, box.x1, box.y1), outline=colour, width=width)
    picture.thumbnail((CELL - 8, CELL - 24))
    cell = Image.new("RGB", (CELL, CELL), frame)
    cell.paste(picture, (4, 4))
    ImageDraw.Draw(cell).text((4, CELL - 16), words, fill="white")
    return cell


def sheet(cells: list[Image.Image], path: Path) -> None:
    """All cells on one page, seven across."""
    page = Image.new("RGB", (7 * CELL, max(1, -(-len(cells) // 7)) * CELL), "white")
    for n, cell in enumerate(cells):
        page.paste(cell, (n % 7 * CELL, n // 7 * CELL))
    page.save(path)


def row(name: str, outcomes: list[Outcome]) -> None:
    """One line of the table."""
    if outcomes:
        covered = 100 * sum(o.covered for o in outcomes) / len(outcomes)
        asked = 100 * sum(o.asked for o in outcomes) / len(outcomes)
        print(f"{name:34s} {len(outcomes):5d} {covered:9.1f} {asked:17.1f}")


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--half", choices=("tune", "report", "all"), default="report")
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--limit", type=int, default=10**9, help="at most so many pictures of a kind")
    parser.add_argument("--views", default=",".join(VIEWS), help="comma-separated; default: all")
    options = parser.parse_args()
    detector = make("faces", Policy())
    outcomes: list[Outcome] = []
    cells: list[Image.Image] = []
    counts: dict[str, int] = {}
    for picture in pictures(options.folders, options.half):
        counts[picture.kind] = counts.get(picture.kind, 0) + 1
        if counts[picture.kind] > options.limit:
            continue
        rgb = np.asarray(ImageOps.exif_transpose(Image.open(picture.path)).convert("RGB"))
        for view in options.views.split(","):
            changed = np.ascontiguousarray(VIEWS[view](rgb))
            found = [f for f in detector.find(Frame(changed)) if f.category != "old-disguise"]
            covered = any(f.category == "face" for f in found)
            outcomes.append(Outcome(picture, view, covered, bool(found)))
            if view == "as it is" and covered == (picture.kind == "noface"):
                colour = "#b06000" if picture.kind == "noface" else "#c00000"
                cells.append(drawn(changed, found, colour, f"{picture.kind} {'asked' if found else ''}"))
            elif view == "as it is" and picture.kind == "noface" and found:
                cells.append(drawn(changed, found, "#b09000", "asked"))
    print(f"{detector.version}, {options.half} half\n{'':34s} {'n':>5s} {'covered %':>9s} {'covered or asked %':>17s}")
    for kind in KINDS:
        for view in options.views.split(","):
            row(f"{kind}, {view}", [o for o in outcomes if o.picture.kind == kind and o.view == view])
    for tag in sorted({t for o in outcomes for t in o.picture.tags}):
        for kind in KINDS:
            of = [o for o in outcomes if tag in o.picture.tags and o.picture.kind == kind and o.view == "as it is"]
            row(f"{tag} ({kind})", of)
    if options.sheet:
        sheet(cells, options.sheet)
        print(f"{len(cells)} misses and false finds drawn")


if __name__ == "__main__":
    main()
