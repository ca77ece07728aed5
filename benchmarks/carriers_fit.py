"""Fit the trees by which :mod:`medimg.detect.objects.judge` tells outlines and what finds lie on.

    python -m benchmarks.carriers_fit ANSWERS PHOTOS FONTS medimg/detect/objects/carriers.json --take tune:0:60 ...

``PHOTOS`` is a folder of folders, one a source, ``FONTS`` one of typefaces (:mod:`benchmarks.carrier_scenes`). Only
what does not judge is used, and only sources whose terms allow that for numbers that ship. Photographs with nothing
laid on them teach by their source (:data:`TAUGHT_BY`): what is found on a garment lies on cloth, what is found in a
shelf of packets on a packet. A source that is not named there teaches nothing by itself.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from sklearn.ensemble import GradientBoostingClassifier

from benchmarks._carrier_answers import SORTS, answers
from medimg.detect import Frame
from medimg.detect.objects import blocks, carriers, grounds, judge
from medimg.detect.objects.grounds import Picture, Points
from medimg.native.opencv import cv2
from medimg.vocabulary import Category

RIGHT, INSIDE, HALF = 0.7, 0.96, 0.5
"""Least IoU of an outline with the thing for it to be right; or least share of it that lies in the thing, and of the
thing in it: the white field of a badge is joined with its header afterwards."""
MOST = 30
TAUGHT_BY = {"clothing_train": "bare", "packs_train": "packet", "ward": "bare"}
"""What finds lie on beside the things that were laid on a picture, by its source."""


class Taught(NamedTuple):
    """A picture: its frame, its small picture, its finds, its things by outline, and what it teaches beside them."""

    frame: Frame
    picture: Picture
    finds: list[judge.Find]
    things: list[tuple[str, Points]]
    beside: str


def taught(given: argparse.Namespace) -> Iterator[Taught]:
    for kind, first, end in (taken.split(":") for taken in given.take):
        for answer in answers(given.answers, given.photos, given.fonts, kind, range(int(first), int(end))):
            frame = answer.frame
            picture = Picture(frame)
            finds = [
                carriers.find_of(frame, picture, f) for f in answer.found if f.kind in ("text", "code") and f.region
            ]
            things = [
                (SORTS[t.sort], np.asarray(cv2.convexHull(t.polygon * picture.factor).reshape(-1, 2), np.float32))
                for t in answer.made.things
                if t.sort in SORTS
            ]
            beside = TAUGHT_BY.get(answer.made.source, "")
            if finds and (things or beside):
                yield Taught(frame, picture, finds, things, beside)


def beneath(quad: Points, things: list[tuple[str, Points]]) -> tuple[str, Points] | None:
    """The thing that most of a find lies on."""
    return next((t for t in things if grounds.share_in(quad, t[1]) > 0.5), None)


def _outlines(one: Taught) -> Iterator[tuple[dict[str, float], bool]]:
    if not one.things and one.beside == Category.PACKET:
        return  # there are outlines, but nobody drew them
    colours = [one.picture.colour(f.quad, f.code) for f in one.finds]
    height, width = one.picture.shape
    whole = np.asarray(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    for k, find in enumerate(one.finds[:MOST]):
        thing = beneath(find.quad, one.things)
        inside = cv2.intersectConvexConvex(thing[1], whole)[1] if thing else None
        others = [f for m, f in enumerate(one.finds) if m != k]
        for ground in blocks.candidates(one.picture, one.finds, colours, k):
            right = inside is not None and _right(ground.quad, np.asarray(inside.reshape(-1, 2), np.float32))
            yield judge.outline_features(one.picture, ground, find, others), right


def _right(quad: Points, thing: Points) -> bool:
    part = grounds.share_in(quad, thing) >= INSIDE and grounds.share_in(thing, quad) >= HALF
    return part or grounds.iou(quad, thing) >= RIGHT


def _lying(one: Taught) -> Iterator[tuple[dict[str, float], str]]:
    for block in blocks.found_blocks(one.picture, one.finds):
        rows = carriers.features(one.frame, one.picture, one.finds, block)
        for member, row in zip(block.members, rows, strict=True):
            thing = beneath(one.finds[member].quad, one.things)
            name = thing[0] if thing else one.beside
            if name:
                yield row, name


def trees(model: Any, start: float, which: int) -> judge.Trees:
    """The trees of one class, made whole."""
    features, thresholds, values = [], [], []
    for estimator in model.estimators_[:, which]:
        tree, inner, leaves = estimator.tree_, 2**judge.DEEP - 1, 2**judge.DEEP
        feature, threshold, value = [0] * inner, [0.0] * inner, [0.0] * leaves
        waiting = [(0, 0)]
        while waiting:
            node, at = waiting.pop()
            if at >= inner:
                value[at - inner] = round(float(tree.value[node, 0, 0]) * model.learning_rate, 5)
                continue
            below, above = tree.children_left[node], tree.children_right[node]
            if below >= 0:
                feature[at], threshold[at] = int(tree.feature[node]), float(f"{tree.threshold[node]:.9g}")
            waiting += [(below if below >= 0 else node, 2 * at + 1), (above if above >= 0 else node, 2 * at + 2)]
        features.append(feature)
        thresholds.append(threshold)
        values.append(value)
    return judge.Trees(start, features, thresholds, values)


def _fitted(rows: list[dict[str, float]], said: list[int], count: int, rate: float, least: int) -> Any:
    model = GradientBoostingClassifier(
        n_estimators=count, max_depth=judge.DEEP, learning_rate=rate, subsample=0.7, min_samples_leaf=least,
        random_state=0,
    )  # fmt: skip
    return model.fit(judge.table(rows, list(rows[0])), said)


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    for name in ("answers", "photos", "fonts", "out"):
        parser.add_argument(name, type=Path)
    taken = ["tune:0:60", "ward:500:520", "photo-tune:0:240"]
    parser.add_argument("--take", nargs="+", default=taken, metavar="KIND:FIRST:END")
    given = parser.parse_args()
    given.answers.mkdir(parents=True, exist_ok=True)
    every = list(taught(given))

    pairs = [pair for one in every for pair in _outlines(one)]
    right = [int(r) for _, r in pairs]
    model = _fitted([row for row, _ in pairs], right, 60, 0.15, 8)
    share = float(np.mean(right))
    outline, names = trees(model, float(np.log(share / (1 - share))), 0), list(pairs[0][0])
    print(f"{len(pairs)} outlines, {share:.2f} right")

    def write(features: list[str], by_ground: dict[str, judge.Trees]) -> None:
        given.out.write_bytes(msgspec.json.encode(judge.Fitted(names, outline, features, by_ground)))
        judge.fitted.cache_clear()

    write([], dict.fromkeys(judge.GROUNDS, outline))  # blocks are made by the outlines
    lying = [pair for one in every for pair in _lying(one)]
    said = [judge.GROUNDS.index(name) for _, name in lying]
    model = _fitted([row for row, _ in lying], said, 50, 0.12, 5)
    start = np.log(np.bincount(said, minlength=len(judge.GROUNDS)) / len(said))
    write(list(lying[0][0]), {g: trees(model, float(start[k]), k) for k, g in enumerate(judge.GROUNDS)})
    print(Counter(name for _, name in lying))


if __name__ == "__main__":
    main()
