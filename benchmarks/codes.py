"""How many bar and 2-D codes are covered, and what is covered by mistake.

    python -m benchmarks.codes [--first 10000] [--scenes 100] [--tables 0] [--free 100] [--megapixels 3] [--sheets DIR]
    python -m benchmarks.codes --scenes 0 --free 0 --photos DIR       # pictures without a code, or .npz with marks

Seeds from 10000 are the check seeds. A code counts as covered when 90 % of its bars or modules lie under the covers
that the default policy makes of the findings. A harmless thing (ruler, colour card, lesion) counts as hit when 1 % of
it does.
``--tables`` adds tables of codes of every sort (:mod:`benchmarks._code_tiles`). ``--photos`` takes photographs: of an
``.npz`` (as :mod:`benchmarks._mark_pictures` describes) every code counts as found when 90 % of it lies in what was
found; in anything else every find is a mistake. ``--sheets`` writes contact sheets of misses and mistakes.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks._carriers import MATRIX
from benchmarks._code_tiles import table
from benchmarks.scenes import CHECK, Item, Scene, scene, textfree
from medimg.covers import covers
from medimg.decide import decide
from medimg.detect import Frame
from medimg.detect.codes.detector import make
from medimg.native.opencv import cv2
from medimg.policy import Policy
from medimg.redact.cover import mask
from medimg.types import Polygon

Tile = tuple[Image.Image, str]


def inner(item: Item) -> Polygon:
    """What must be under a cover: a code without its quiet zone, anything else whole."""
    if item.kind != "code":
        return item.polygon
    # Quiet zones by the standards' least widths, as shares of usual sizes: QR 4 modules of 33, linear 10 of 130.
    along, across = (0.78, 0.78) if item.cls == "QRCode" else (0.9, 0.9) if item.cls in MATRIX else (0.85, 0.98)
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = item.polygon
    cx, cy = (x0 + x1 + x2 + x3) / 4, (y0 + y1 + y2 + y3) / 4
    ux, uy, vx, vy = (x1 + x2 - x0 - x3) / 4, (y1 + y2 - y0 - y3) / 4, (x2 + x3 - x0 - x1) / 4, (y2 + y3 - y0 - y1) / 4
    return tuple(
        (cx + s * along * ux + t * across * vx, cy + s * along * uy + t * across * vy)
        for s, t in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    )


def crop(rgb: NDArray[np.uint8], polygon: Polygon, others: list[Polygon]) -> Image.Image:
    """A tile for a contact sheet: the thing in yellow, the covers in red."""
    image = Image.fromarray(rgb)
    draw = ImageDraw.Draw(image)
    for other in others:
        draw.polygon(other, outline="red", width=2)
    draw.polygon(polygon, outline="yellow", width=2)
    points = np.asarray(polygon)
    (x0, y0), (x1, y1) = points.min(0) - 40, points.max(0) + 40
    tile = image.crop((int(x0), int(y0), int(x1), int(y1)))
    tile.thumbnail((240, 220))
    return tile


def sheet(tiles: list[Tile], out: Path) -> None:
    """Write a contact sheet."""
    if tiles:
        page = Image.new("RGB", (6 * 250, -(-len(tiles) // 6) * 250), (30, 30, 30))
        draw = ImageDraw.Draw(page)
        for k, (tile, text) in enumerate(tiles):
            page.paste(tile, (k % 6 * 250, k // 6 * 250))
            draw.text((k % 6 * 250, k // 6 * 250 + 224), text)
        page.save(out)


def angle_group(angle: float) -> str:
    """Upright, slanted or on its side."""
    off = abs((angle + 45) % 90 - 45)
    return f"{'0-10' if off < 10 else '10-30' if off < 30 else '30-45'} deg off level or upright"


def photograph(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Its pixels, and where there are codes."""
    if path.suffix == ".npz":
        with np.load(path) as stored:
            return stored["rgb"], stored["marks"]
    with Image.open(path) as image:
        rgb = np.asarray(image.convert("RGB"))
    return rgb, np.zeros(rgb.shape[:2], np.uint8)


MODULES = ((1.5, "< 1.5"), (2.5, "1.5-2.5"), (5.0, "2.5-5"), (1e9, "> 5"))
GROUPS: dict[str, Callable[[Item], str]] = {
    "symbology": lambda i: i.cls,
    "tier": lambda i: i.tier,
    "module px": lambda i: next(text for most, text in MODULES if i.height < most),
    "angle": lambda i: angle_group(i.angle),
    "blur": lambda i: "< 0.8 px" if i.blur < 0.8 else "0.8-1.5 px" if i.blur < 1.5 else "> 1.5 px",
    "all": lambda _i: "codes",
}


def main() -> None:
    """The command."""
    parse = argparse.ArgumentParser()
    parse.add_argument("--first", type=int, default=CHECK)
    parse.add_argument("--scenes", type=int, default=100)
    parse.add_argument("--tables", type=int, default=0)
    parse.add_argument("--free", type=int, default=100)
    parse.add_argument("--photos", type=Path)
    parse.add_argument("--megapixels", type=float, default=3)
    parse.add_argument("--sheets", type=Path)
    wish = parse.parse_args()
    policy = Policy()
    detector = make(policy)
    hits: dict[tuple[str, str], list[bool]] = defaultdict(list)
    harm: dict[str, list[bool]] = defaultdict(list)
    missed: list[Tile] = []
    wrong: list[Tile] = []
    extra = seconds = 0.0

    def covered(made: Scene) -> list[Polygon]:
        nonlocal seconds
        frame = Frame(made.rgb)
        start = time.process_time()
        findings = detector.find(frame)
        seconds += time.process_time() - start
        plan = decide(findings, policy, width=frame.width, height=frame.height)
        return [c.polygon for c in covers(plan, policy)]

    drawn = [(scene, seed) for seed in range(wish.first, wish.first + wish.scenes)]
    drawn += [(lambda seed, _: table(seed), seed) for seed in range(wish.first, wish.first + wish.tables)]
    for draw, seed in drawn:
        made = draw(seed, wish.megapixels)
        height, width = made.rgb.shape[:2]
        boxes = covered(made)
        hidden = mask(boxes, width, height)
        for item in made.items:
            if item.kind == "text" or (item.kind == "code" and item.tier == "lost"):
                continue
            area = mask([item.polygon if item.carrier == "table" else inner(item)], width, height)
            share = float((area & hidden).sum() / max(area.sum(), 1))
            if item.kind == "code":
                for group, of in GROUPS.items():
                    hits[group, of(item)].append(share >= 0.9)
                if share < 0.9:
                    missed.append((crop(made.rgb, item.polygon, boxes), f"{seed} {item.cls} {item.tier} {share:.2f}"))
            else:
                harm[item.kind].append(share > 0.01)
                if share > 0.01:
                    wrong.append((crop(made.rgb, item.polygon, boxes), f"{seed} {item.kind} {share:.2f}"))
        codes = mask([i.polygon for i in made.items if i.kind == "code"], width, height)
        for box in boxes:
            area = mask([box], width, height)
            if (area & codes).sum() < 0.2 * area.sum():
                extra += 1
                wrong.append((crop(made.rgb, box, boxes), f"{seed} not a code"))
    found = [0, 0]
    mistaken = photos = 0
    for path in sorted(wish.photos.iterdir()) if wish.photos else ():
        rgb, marks = photograph(path)
        frame = Frame(rgb)
        boxes = [frame.upright(f.region.polygon) for f in detector.find(frame) if f.region]
        hidden = mask(boxes, frame.width, frame.height)
        count, places = cv2.connectedComponents(((marks & 3) > 0).astype(np.uint8))
        for k in range(1, count):
            share = float(hidden[places == k].mean())
            found = [found[0] + 1, found[1] + (share >= 0.9)]
            if share < 0.9:
                ys, xs = np.nonzero(places == k)
                outline = tuple(
                    (float(x), float(y))
                    for x, y in cv2.boxPoints(cv2.minAreaRect(np.stack((xs, ys), 1).astype(np.int32)))
                )
                missed.append((crop(rgb, outline, boxes), f"{path.stem} {share:.2f}"))
        if not marks.any():
            photos += 1
            mistaken += bool(boxes)
            wrong += [(crop(rgb, box, boxes), path.stem) for box in boxes]
    free = 0
    for seed in range(wish.first, wish.first + wish.free):
        made = textfree(seed, wish.megapixels)
        boxes = covered(made)
        free += len(boxes)
        wrong += [(crop(made.rgb, box, boxes), f"{seed} text-free") for box in boxes]
    print(f"{'':34}{'covered':>9}{'of':>6}")
    for (group, value), got in sorted(hits.items()):
        print(f"{group + ': ' + value:34}{np.mean(got):9.3f}{len(got):6}")
    for kind, got in sorted(harm.items()):
        print(f"{kind + ' hit':34}{np.mean(got):9.3f}{len(got):6}")
    if wish.photos:
        print(f"photographs: {found[1]} of {found[0]} codes found; a find in {mistaken} of {photos} without a code")
    if drawn or wish.free:
        print(f"covers on something else, per picture {extra / max(len(drawn), 1):.2f}")
        print(f"covers on {wish.free} text-free pictures: {free}")
        print(f"CPU seconds per picture: {seconds / (len(drawn) + wish.free):.3f}")
    if wish.sheets:
        wish.sheets.mkdir(parents=True, exist_ok=True)
        sheet(missed[:60], wish.sheets / "missed.png")
        sheet(wrong[:60], wish.sheets / "wrong.png")


if __name__ == "__main__":
    main()
