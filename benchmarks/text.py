"""How much identifying text is covered, how much of it can still be read, and what harmless text that costs.

Run from the project's root::

    python -m benchmarks.text --scenes 40                   # check seeds, prints the table
    python -m benchmarks.text --scenes 20 --tuning          # tuning seeds
    python -m benchmarks.text --scenes 20 --side 1280       # of copies that --max-side makes smaller
    python -m benchmarks.text --textfree 100                # false boxes on drawn skin, wounds and cloth
    python -m benchmarks.text --clean FOLDER                # the same on a folder of pictures without text
    python -m benchmarks.text --scenes 10 --sheet FOLDER    # contact sheets of misses and of false covers

Tuning seeds begin at 0, check seeds at 10,000; thresholds are chosen on the first and reported on the second.
A text counts as *covered* when at least 85 % of it lies under covers, as *still readable* when PP-OCR or Tesseract
reads at least half of its letters in order in the covered copy. A harmless text is *lost* when 30 % of it is covered, a
ruler or card *hit* when 2 % of it is (a name written on it, and what its cover needs, apart).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import platform
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from benchmarks import scenes
from medimg.covers import covers
from medimg.decide import decide
from medimg.detect import Frame, text
from medimg.detect.text import ocr, tesseract
from medimg.detect.text.identifiers import KEPT
from medimg.detect.text.known import skeleton
from medimg.errors import CheckNotRun
from medimg.formats.smaller import QUALITY
from medimg.policy import Policy
from medimg.redact.cover import mask

COVERED, LOST, HIT, READABLE = 0.85, 0.30, 0.02, 0.5
BODIES = ("ruler", "colour-card", "lesion")


def angle(item: scenes.Item) -> str:
    turned = min(abs(item.angle) % 180, 180 - abs(item.angle) % 180)
    head = "upside down" if abs(item.angle) > 135 else ""
    return head or ("0-10" if turned < 10 else "10-45" if turned <= 45 else "over 45")


def grown(quad: np.ndarray[Any, Any], share: float) -> np.ndarray[Any, Any]:
    middle = quad.mean(axis=0)
    high = min(np.hypot(*(quad[1] - quad[0])), np.hypot(*(quad[3] - quad[0])))
    out = quad - middle
    lengths = np.hypot(out[:, 0], out[:, 1])[:, None]
    return np.asarray(middle + out * (1 + share * high / np.maximum(lengths, 1e-6)), np.float32)


def with_room(item: scenes.Item) -> tuple[tuple[float, float], ...]:
    """The place of a text with what a cover that is grown by 12 % and found a little large needs."""
    return tuple((float(x), float(y)) for x, y in grown(np.asarray(item.polygon, np.float32), 1.2))


class Table:
    """Counts by the value of each column."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])

    def add(self, item: scenes.Item, covered: bool, readable: bool) -> None:
        for column, value in (("all", "all"), ("class", item.cls), ("tier", item.tier), ("carrier", item.carrier),
                              ("angle", angle(item)), ("culture", item.culture)):  # fmt: skip
            if value:
                row = self.rows[column, value]
                row[0] += 1
                row[1] += covered
                row[2] += readable

    def show(self) -> None:
        print(f"{'':10} {'':16} {'n':>5} {'covered':>8} {'readable':>9}")
        for (column, value), (n, covered, readable) in sorted(self.rows.items()):
            print(f"{column:10} {value:16} {n:5} {covered / n:8.3f} {readable / n:9.3f}")


def readable(item: scenes.Item, texts: list[str]) -> bool:
    wanted = skeleton(item.text)
    for said in texts:
        bones = skeleton(said)
        same = sum(
            b.size for b in SequenceMatcher(None, wanted, bones, autojunk=False).get_matching_blocks() if b.size > 1
        )
        if wanted and same >= READABLE * len(wanted):
            return True
    return False


def attack(copy: np.ndarray[Any, Any], item: scenes.Item, reader: tesseract.Reader) -> list[str]:
    """What both engines read at the place of a text in the covered copy; the place is given away to them."""
    quad = np.asarray(item.polygon, np.float32)
    cut = ocr.crop(copy, grown(quad, 0.25))
    if cut.size == 0:
        return []
    flipped = np.ascontiguousarray(cut[::-1, ::-1])
    said = [r.text for r in ocr.models().read([cut, flipped]) if r.score > 0.3]
    for view in (cut, flipped):
        wide = Image.fromarray(view).convert("L")
        wide = wide.resize((max(1, wide.width * 48 // wide.height), 48))
        padded = np.pad(np.asarray(wide, np.uint8), 16, mode="edge")
        with contextlib.suppress(CheckNotRun):  # a strip on which it does not find the words drawn beside it
            said.append(" ".join(w.text for w in reader.read(padded)))
    return said


def smaller(scene: scenes.Scene, side: int) -> scenes.Scene:
    """The scene as ``--max-side`` makes it before anything looks at it, with everything in it at its new place."""
    image = Image.fromarray(scene.rgb)
    scale = side / max(image.size)
    if scale >= 1:
        return scene
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    out = io.BytesIO()
    image.resize(size, Image.Resampling.LANCZOS).save(out, "JPEG", quality=QUALITY, subsampling=0)

    def moved(polygon: Any) -> Any:
        return tuple((x * scale, y * scale) for x, y in polygon)

    return replace(
        scene,
        rgb=np.asarray(Image.open(out).convert("RGB"), np.uint8),
        items=[replace(i, polygon=moved(i.polygon), height=i.height * scale) for i in scene.items],
        over=[(index, moved(polygon)) for index, polygon in scene.over],
    )


def run(count: int, first: int, sheet: Path | None, megapixels: float, side: int) -> None:
    policy = Policy()
    detector = text.make(policy)
    reader = tesseract.Reader()
    table, harm = Table(), defaultdict(lambda: [0, 0])
    seconds: dict[str, list[float]] = defaultdict(list)
    for seed in range(first, first + count):
        scene = smaller(scenes.scene(seed, megapixels), side) if side else scenes.scene(seed, megapixels)
        height, width = scene.rgb.shape[:2]
        frame = Frame(scene.rgb)
        start, used = time.perf_counter(), time.process_time()
        found = detector.find(frame)
        seconds["find, wall"].append(time.perf_counter() - start)
        seconds["find, processor"].append(time.process_time() - used)
        plan = decide([f for f in found if f.region], policy, width=width, height=height)
        polygons = [c.polygon for c in covers(plan, policy)]
        hidden = mask(polygons, width, height)
        copy = scene.rgb.copy()
        copy[hidden] = 0
        start = time.perf_counter()
        again, _ = detector.recheck(Frame(copy), polygons)
        seconds["second look, wall"].append(time.perf_counter() - start)
        more = decide([f for f in again if f.category not in KEPT], policy, width=width, height=height)
        late = [c.polygon for c in covers(more, policy)]
        hidden |= mask(late, width, height)
        copy[hidden] = 0
        marks = []
        names = [with_room(i) for i in scene.items if i.identifying]
        for index, item in enumerate(scene.items):
            if item.kind == "code" or (item.kind == "text" and item.tier == "lost"):
                continue
            place = mask([item.polygon], width, height)
            shown = place & ~mask(scene.on_top(index), width, height)
            if shown.sum() < 0.3 * place.sum():
                continue
            place = shown
            if item.kind in BODIES:
                place &= ~mask(names, width, height)
            share = float(hidden[place].mean()) if place.any() else 0.0
            if item.identifying:
                bad = share < COVERED
                table.add(item, not bad, share < 0.995 and readable(item, attack(copy, item, reader)))
            else:
                name = item.kind if item.kind in BODIES else f"{item.cls} text"
                bad = share >= (HIT if item.kind in BODIES else LOST)
                harm[name][0] += 1
                harm[name][1] += bad
            if bad:
                marks.append((item, share))
        if sheet and marks:
            save(sheet / f"scene-{seed}.png", scene.rgb, found, marks)
    table.show()
    for kind, (n, bad) in sorted(harm.items()):
        print(f"{'harmless':10} {kind:16} {n:5} lost or hit {bad / n:.3f}")
    for name, values in seconds.items():
        print(f"{name:28} median {np.median(values):.2f} s, worst {max(values):.2f} s")


def save(path: Path, rgb: np.ndarray[Any, Any], found: list[Any], marks: list[tuple[scenes.Item, float]]) -> None:
    picture = Image.fromarray(rgb)
    draw = ImageDraw.Draw(picture, "RGBA")
    for finding in found:
        if finding.region:
            colour = (0, 200, 0) if finding.category in KEPT else (230, 0, 0)
            draw.polygon(finding.region.polygon, outline=(*colour, 255), fill=(*colour, 50))
            label = f"{finding.category} {finding.score:.2f} {finding.secret.reveal()[:16]}"
            draw.text(finding.region.polygon[0], label, fill=(0, 0, 255, 255), font_size=picture.width // 90)
    for item, share in marks:
        draw.polygon(item.polygon, outline=(255, 0, 255, 255), width=5)
        draw.text(
            item.polygon[2],
            f"{item.cls or item.kind} {item.tier} {share:.2f}",
            fill=(160, 0, 160, 255),
            font_size=picture.width // 70,
        )
    picture.thumbnail((1500, 1500))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def clean(pictures: Iterable[tuple[str, np.ndarray[Any, Any]]], sheet: Path | None) -> None:
    detector = text.make(Policy())
    total = boxes = with_box = 0
    for name, rgb in pictures:
        bad = [f for f in detector.find(Frame(rgb)) if f.region and f.category not in KEPT]
        total += 1
        boxes += len(bad)
        with_box += bool(bad)
        if bad and sheet:
            save(sheet / f"clean-{name}.png", rgb, bad, [])
    print(f"{total} pictures, {with_box} with a cover, {boxes} covers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=20)
    parser.add_argument("--tuning", action="store_true")
    parser.add_argument("--skip", type=int, default=0, help="seeds to leave out at the beginning")
    parser.add_argument("--megapixels", type=float, default=3)
    parser.add_argument("--side", type=int, default=0, help="make the scenes smaller first, as --max-side does")
    parser.add_argument("--textfree", type=int, default=0)
    parser.add_argument("--clean", type=Path)
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    first = arguments.skip + (0 if arguments.tuning else scenes.CHECK)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if arguments.clean:
        paths = sorted(p for p in arguments.clean.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
        clean(((p.stem, np.asarray(Image.open(p).convert("RGB"), np.uint8)) for p in paths), arguments.sheet)
    elif arguments.textfree:
        drawn = (scenes.textfree(s, arguments.megapixels) for s in range(first, first + arguments.textfree))
        clean(((str(scene.seed), scene.rgb) for scene in drawn), arguments.sheet)
    else:
        run(arguments.scenes, first, arguments.sheet, arguments.megapixels, arguments.side)


if __name__ == "__main__":
    main()
