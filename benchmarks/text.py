"""How much identifying text is covered, how much of it can still be read, and what harmless text that costs.

Run from the project's root::

    python -m benchmarks.text --scenes 40                   # check seeds, prints the table
    python -m benchmarks.text --scenes 20 --tuning          # tuning seeds
    python -m benchmarks.text --clean FOLDER                # false boxes on pictures known to have no text
    python -m benchmarks.text --scenes 10 --sheet FOLDER    # contact sheets of misses and of false covers

Tuning seeds begin at 0, check seeds at 1,000,000; thresholds are chosen on the first and reported on the second.
A text counts as *covered* when at least 85 % of it lies under covers, as *still readable* when PP-OCR or Tesseract
reads at least half of its letters in order in the covered copy. A harmless text is *lost* when 30 % of it is covered, a
ruler or card *hit* when 2 % of it is (a name written on it, and what its cover needs, apart).
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections import defaultdict
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from benchmarks import _text_scenes as scenes
from medimg.detect import Frame, _ocr, _tesseract, text
from medimg.detect._known import skeleton
from medimg.detect.identifiers import KEPT
from medimg.policy import Policy, covers, decide
from medimg.redact.cover import mask

COVERED, LOST, HIT, READABLE = 0.85, 0.30, 0.02, 0.5
CHECK_SEEDS = 1_000_000


class Table:
    """Counts by the value of each column."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])

    def add(self, item: scenes.Item, covered: bool, readable: bool) -> None:
        for column, value in (("all", "all"), ("class", item.kind), ("tier", item.tier), ("carrier", item.carrier),
                              ("angle", item.angle), ("culture", item.culture)):  # fmt: skip
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


def attack(copy: np.ndarray[Any, Any], item: scenes.Item, reader: _tesseract.Reader) -> list[str]:
    """What both engines read at the place of a text in the covered copy; the place is given away to them."""
    quad = np.asarray(item.polygon, np.float32)
    cut = _ocr.crop(copy, scenes.grown(quad, 0.25))
    if cut.size == 0:
        return []
    flipped = np.ascontiguousarray(cut[::-1, ::-1])
    said = [r.text for r in _ocr.models().read([cut, flipped]) if r.score > 0.3]
    for view in (cut, flipped):
        wide = Image.fromarray(view).convert("L")
        wide = wide.resize((max(1, wide.width * 48 // wide.height), 48))
        padded = np.pad(np.asarray(wide, np.uint8), 16, mode="edge")
        said.append(" ".join(w.text for w in reader.read(padded, layout=7)))
    return said


def run(count: int, first: int, sheet: Path | None) -> None:
    policy = Policy()
    detector = text.make(policy)
    reader = _tesseract.Reader()
    table, harm = Table(), defaultdict(lambda: [0, 0])
    seconds: dict[str, list[float]] = defaultdict(list)
    for seed in range(first, first + count):
        scene = scenes.draw(seed)
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
        for item in scene.items:
            place = mask([item.polygon], width, height)
            if item.kind in ("ruler", "colour-card"):
                place &= ~mask([scenes.with_room(p) for p in item.excepted], width, height)
            share = float(hidden[place].mean()) if place.any() else 0.0
            if item.identifying:
                ok = share >= COVERED
                left = share < 0.995 and readable(item, attack(copy, item, reader))
                table.add(item, ok, left)
                bad = not ok
            else:
                bad = share >= (HIT if item.kind in ("ruler", "colour-card") else LOST)
                harm[item.kind][0] += 1
                harm[item.kind][1] += bad
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
            f"{item.kind} {item.tier} {share:.2f}",
            fill=(160, 0, 160, 255),
            font_size=picture.width // 70,
        )
    picture.thumbnail((1500, 1500))
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def clean(folder: Path, sheet: Path | None) -> None:
    policy = Policy()
    detector = text.make(policy)
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".png", ".jpg", ".jpeg"))
    boxes = pictures = 0
    for path in paths:
        rgb = np.asarray(Image.open(path).convert("RGB"), np.uint8)
        found = [f for f in detector.find(Frame(rgb)) if f.region]
        bad = [f for f in found if f.category not in KEPT]
        boxes += len(bad)
        pictures += bool(bad)
        if bad and sheet:
            save(sheet / f"clean-{path.stem}.png", rgb, found, [])
    print(f"{len(paths)} pictures, {pictures} with a cover, {boxes} covers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=20)
    parser.add_argument("--tuning", action="store_true")
    parser.add_argument("--clean", type=Path)
    parser.add_argument("--sheet", type=Path)
    arguments = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if arguments.clean:
        clean(arguments.clean, arguments.sheet)
    else:
        run(arguments.scenes, 0 if arguments.tuning else CHECK_SEEDS, arguments.sheet)


if __name__ == "__main__":
    main()
