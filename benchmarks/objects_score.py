"""How well the network of objects sees, on what was not trained on.

    python -m benchmarks.objects_score --pictures JUDGED --scenes 20 --photos PHOTOS --each 100 [--sheets DIR]

``--pictures`` takes what ``objects_pictures --judge`` wrote (composites); ``--scenes`` draws ward scenes by another
maker (``benchmarks.scenes``, seeds from 10000); ``--photos`` takes photographs of the sources that judge: every
carrier, ruler or code that is seen in them is counted, except in those that ``--skip`` names (a file with one name a
line, of photographs that do show one). The older network (``_marks``) is asked the same where it can be. Nothing is
tuned here.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks import _object_network as objects
from benchmarks import objects_data as data
from benchmarks import scenes
from benchmarks._object_regions import CARRIERS, MEASURES, Region
from benchmarks._object_sheets import GROUNDS
from fixtures import _draw as d
from medimg.detect import Frame
from medimg.detect.objects import marks as _marks
from medimg.native.opencv import cv2
from medimg.redact.cover import mask

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]
LEAST = 0.0008
"""Least share of the frame of a thing that counts."""
WARD = {
    "wristband": "wristband", "label": "label", "whiteboard": "whiteboard", "monitor": "screen", "badge": "badge",
    "envelope": "paper", "door sign": "badge", "chart": "paper", "packet": "packet", "ruler": "ruler",
    "colour card": "colour card", "sticker": "label",
}  # fmt: skip
"""What the carriers of ``benchmarks.scenes`` are called here."""


@dataclass
class Tally:
    """What was seen of one sort of picture.

    Attributes:
        best: By class of a true thing, the IoU of the region that fits best.
        right: By class, whether that region has the right label.
        mixed: By family, whether most of a thing was taken for the other family.
        older: IoU of the older network's outline, of rulers.
        both: By class, squares of the truth and of what was seen, and of both.
        false: Regions with no thing below them, a picture.
    """

    best: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    right: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    mixed: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    older: list[float] = field(default_factory=list)
    both: NDArray[np.int64] = field(default_factory=lambda: np.zeros((len(GROUNDS), 3), np.int64))
    false: list[int] = field(default_factory=list)


def ward(seed: int) -> tuple[Bytes, Bytes]:
    """A ward scene and a map of its things, as ``objects_pictures`` makes them."""
    laid: list[tuple[str, list[tuple[float, float]], tuple[tuple[float, float], ...]]] = []
    lay = scenes._lay

    def noted(
        rng: d.RNG, rgb: d.Array, carrier: str, card: d.Card, centre: tuple[float, float], room: tuple[float, float]
    ) -> tuple[list[d.Mark], list[tuple[float, float]], tuple[tuple[float, float], ...]]:
        out = lay(rng, rgb, carrier, card, centre, room)
        laid.append((carrier, out[1], out[2]))
        return out

    scenes._lay = noted
    try:
        made = scenes.scene(seed, 0.8)
    finally:
        scenes._lay = lay
    over = np.zeros(made.rgb.shape, np.uint8)
    over[..., 0] = data.OPEN
    for k, (carrier, corners, finger) in enumerate(laid):
        if carrier in WARD:
            area = mask([tuple(corners)], made.rgb.shape[1], made.rgb.shape[0])
            over[area] = (GROUNDS.index(WARD[carrier]), 0, k + 1)
        if finger:
            over[mask([finger], made.rgb.shape[1], made.rgb.shape[0])] = (data.OPEN, 0, 0)
    return made.rgb, over


def things(over: Bytes) -> Iterator[tuple[str, Mask]]:
    """Class and visible part of every thing large enough to count."""
    for k in np.unique(over[..., 2]):
        own = over[..., 2] == k
        kinds = np.bincount(over[..., 0][own], minlength=256)[: len(GROUNDS)]
        kinds[GROUNDS.index("picture")] = 0
        if k and kinds.max() and own.mean() >= LEAST:
            yield GROUNDS[int(kinds.argmax())], own


def iou(a: Mask, b: Mask) -> float:
    """Of two masks."""
    return float((a & b).sum()) / max(float((a | b).sum()), 1.0)


def judge(tally: Tally, rgb: Bytes, over: Bytes) -> list[Region]:
    """Score one picture whose things are known."""
    frame = Frame(rgb)
    found = objects.find(frame)
    height, width = rgb.shape[:2]
    areas = {k: mask([r.polygon], width, height) for k, r in enumerate(found) if r.label in (*CARRIERS, *MEASURES)}
    covered = np.zeros((height, width), bool)
    for name, own in things(over):
        family, other = (CARRIERS, MEASURES) if name in CARRIERS else (MEASURES, CARRIERS)
        covered |= own
        if name not in (*CARRIERS, *MEASURES):
            continue
        fits = [(iou(own, area), found[k].label) for k, area in areas.items() if found[k].label in family]
        fit, label = max(fits, default=(0.0, ""))
        tally.best[name].append(fit)
        if fit >= 0.5:
            tally.right[name].append(label == name)
        wrong = np.zeros_like(own)
        for k, area in areas.items():
            if found[k].label in other:
                wrong |= area
        tally.mixed[name].append(float((wrong & own).sum()) > 0.5 * float(own.sum()))
        if name == "ruler":
            outlines = [tuple(map(tuple, o.tolist())) for o in _marks.rulers(frame)]
            tally.older.append(max((iou(own, mask([o], width, height)) for o in outlines), default=0.0))
    known = over[..., 0] < len(GROUNDS)
    tally.false.append(
        sum(not (known | covered)[area].any() or (covered & area).sum() < 0.2 * area.sum() for area in areas.values())
    )
    look = objects.maps(frame)
    said = look.grounds.argmax(0)
    truth = cv2.resize(over[..., 0], said.shape[::-1], interpolation=cv2.INTER_NEAREST)
    for k in range(len(GROUNDS)):
        a, b = truth == k, (said == k) & (truth < len(GROUNDS))
        tally.both[k] += np.asarray((a.sum(), b.sum(), (a & b).sum()))
    return found


def drawn_on(rgb: Bytes, found: list[Region], size: int = 480) -> Image.Image:
    """The picture and the regions on it."""
    image = Image.fromarray(rgb)
    draw = ImageDraw.Draw(image)
    colours = {"ruler": "lime", "colour card": "yellow", "skin": "pink", "wound": "darkred", "dressing": "lightblue"}
    wide = max(2, max(rgb.shape[:2]) // 240)
    for region in found:
        mark = region.label in objects.MARKS
        colour = "cyan" if mark else colours.get(region.label, "red")
        points = [*region.polygon, region.polygon[0]]
        draw.line(points, fill=colour, width=max(1, wide // 2) if mark else wide)
        if not mark:
            draw.text(
                region.polygon[0], f"{region.label} {region.certainty:.2f}", fill=colour, font=d.font("", 6 * wide)
            )
    image.thumbnail((size, size))
    return image


def sheet(tiles: list[Image.Image], path: Path, across: int = 4, size: int = 480) -> None:
    """A contact sheet."""
    out = Image.new("RGB", (across * size, max(1, -(-len(tiles) // across)) * size), (40, 40, 40))
    for k, tile in enumerate(tiles):
        out.paste(tile, (k % across * size, k // across * size))
    out.save(path)


def report(title: str, tally: Tally) -> None:
    """Print one tally."""
    print(
        f"\n{title}: {len(tally.false)} pictures, {np.mean(tally.false):.2f} regions a picture with no thing below them"
    )
    print(f"{'':14}{'n':>5}{'IoU >= .8':>11}{'>= .6':>8}{'median':>8}{'labelled':>10}{'taken for other family':>24}")
    rows: dict[str, list[float]] = {name: tally.best[name] for name in (*CARRIERS, *MEASURES) if tally.best[name]}
    rows |= {f"{family[0]} ...": [v for name in family for v in tally.best[name]] for family in (CARRIERS, MEASURES)}
    rows["ruler (older)"] = tally.older
    for name, held in rows.items():
        if held:
            got = np.asarray(held)
            line = f"{name:14}{len(got):5}{(got >= 0.8).mean():11.2f}{(got >= 0.6).mean():8.2f}{np.median(got):8.2f}"
            right = tally.right[name]
            print(line + (f"{np.mean(right):10.2f}{sum(tally.mixed[name]):24}" if right else ""))
    true, said, both = tally.both.T
    shown = (
        f"{GROUNDS[k]} {both[k] / max(true[k] + said[k] - both[k], 1):.2f}" for k in range(len(GROUNDS)) if true[k]
    )
    print("IoU by square:", ", ".join(shown))


def photographs(folder: Path, each: int, skipped: set[str]) -> tuple[list[str], list[Image.Image]]:
    """False regions in photographs, by source; and the pictures that have one."""
    lines, tiles = [], []
    for origin in data.ORIGINS:
        judges = origin.use == "judge" and origin.sort != "packets"
        paths = [p for p in data.paths(folder, origin) if p.name not in skipped] if judges else []
        counts: dict[str, int] = defaultdict(int)
        shown = paths[:: max(1, len(paths) // each)][:each]
        for path in shown:
            rgb, _ = data.photograph(path, origin)
            found = objects.find(Frame(rgb))
            seen = {r.label for r in found}
            counts["carrier"] += bool(seen & set(CARRIERS))
            counts["measure"] += bool(seen & set(MEASURES))
            counts["code"] += bool(seen & {"bar code", "2-D code"})
            area = sum(
                (mask([r.polygon], rgb.shape[1], rgb.shape[0]).mean() for r in found if r.label in CARRIERS), 0.0
            )
            counts["broad"] += area > 0.1
            counts["older ruler"] += bool(_marks.rulers(Frame(rgb)))
            if seen & {*CARRIERS, *MEASURES, "bar code", "2-D code"}:
                tiles.append(drawn_on(rgb, found, 300))
        if shown:
            rest = ", ".join(
                f"{name} {counts[name]}" for name in ("carrier", "broad", "measure", "code", "older ruler")
            )
            lines.append(f"{origin.name} ({origin.sort}), {len(shown)} photographs, with a {rest}")
    return lines, tiles


def spent(call: Callable[[], object]) -> float:
    """Processor seconds of a call."""
    began = time.process_time()
    call()
    return time.process_time() - began


def main() -> None:
    """Score."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--scenes", type=int, default=0)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--each", type=int, default=100)
    parser.add_argument("--skip", type=Path)
    parser.add_argument("--sheets", type=Path)
    given = parser.parse_args()
    sets: dict[str, list[Callable[[], tuple[Bytes, Bytes]]]] = {
        "composites": [
            lambda p=p: data.read(p)
            for p in (sorted(given.pictures.glob("*.npz")) if given.pictures else ())  # type: ignore[misc]
        ],
        "drawn ward scenes": [lambda k=k: ward(scenes.CHECK + k) for k in range(given.scenes)],  # type: ignore[misc]
    }
    times: list[tuple[float, float]] = []
    if given.sheets:
        given.sheets.mkdir(parents=True, exist_ok=True)
    for title, makers in sets.items():
        tally, tiles = Tally(), []
        for make in makers:
            rgb, over = make()
            tiles.append(drawn_on(rgb, judge(tally, rgb, over)))
            if len(times) < 12:
                a, b = Frame(rgb), Frame(rgb)
                times.append((spent(lambda: objects.find(a)), spent(lambda: _marks.views(b))))  # noqa: B023
        if makers:
            report(title, tally)
            if given.sheets:
                sheet(tiles[:40], given.sheets / f"{title.replace(' ', '-')}.png")
    if given.photos:
        skipped = set(given.skip.read_text("utf-8").split()) if given.skip else set()
        lines, tiles = photographs(given.photos, given.each, skipped)
        print("\n" + "\n".join(lines))
        if given.sheets:
            sheet(tiles[:80], given.sheets / "photographs.png", 8, 300)
    if times:
        ours, older = np.asarray(times[1:] or times).mean(0)
        print(f"\nprocessor time, to all looks of the older network: {ours / older:.2f} ({ours:.3f} s)")


if __name__ == "__main__":
    main()
