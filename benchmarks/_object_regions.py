"""Regions with straight edges, made of the maps of a look."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks._object_network import GROUNDS, MARKS, Map, Maps
from medimg.native.opencv import cv2
from medimg.types import Polygon

CARRIERS = ("wristband", "label", "badge", "paper", "whiteboard", "screen", "packet")
"""Things that bear writing."""
MEASURES = ("ruler", "colour card")
FLESH = ("skin", "wound", "dressing", "picture")
SEEN = 0.5
"""Least likelihood of a square that belongs to a region."""
MET = 0.5
"""Least likelihood of a square where two things touch, which parts them."""
LEAST = {"carrier": 24, "flesh": 40, "mark": 3}
"""Least squares of a region. With 10 for carriers the tuning pictures had 1.7 times the false ones, and no true one
more."""
FINER = 4
"""Into how many parts a square is divided each way to draw an outline."""
CLOSE = 0.9
"""Least IoU of a polygon with few corners and the outline that it stands for."""
HOLDS = 0.5
"""Least share of a mark's squares within a thing for it to lie on that thing."""
RIM = 1.5
"""Squares from the picture's edge within which a region counts as cut by it."""

Mask = NDArray[np.bool_]


class Region(NamedTuple):
    """Something seen in a picture.

    Attributes:
        label: One of ``GROUNDS`` (but not ``background``) or of ``MARKS``.
        polygon: Its outline in upright pixels of the full-size frame; four corners where they are close enough.
        certainty: Mean likelihood of its squares, 0.5 to 1: for a carrier, that it is a carrier of any sort.
        labelled: Share of that which goes to its label, 0 to 1; the rest goes to its likes (a label may be a badge).
        cut: Whether the frame's edge cuts it.
        on: For a mark, the index of the thing it lies on in the same list; None on none.
    """

    label: str
    polygon: Polygon
    certainty: float
    labelled: float
    cut: bool
    on: int | None = None


def regions(look: Maps) -> list[Region]:
    """Carriers and measures, skin and wounds, and marks."""
    found = [
        (region, own)
        for family in (CARRIERS, MEASURES)
        for region, own in sorted(_things(look, family), key=lambda pair: -int(pair[1].sum()))
    ]
    out = [region for region, _ in found]
    for label in FLESH:
        likely = look.grounds[GROUNDS.index(label)]
        out += [
            Region(label, _outline(look, likely, own), float(likely[own].mean()), 1.0, _cut(own))
            for own in _parts(likely >= SEEN, LEAST["flesh"])
        ]
    for k, label in enumerate(MARKS):
        for own in _parts(look.marks[k] >= SEEN, LEAST["mark"]):
            shares = [float(own[thing].sum()) / float(own.sum()) for _, thing in found]
            on = int(np.argmax(shares)) if shares and max(shares) >= HOLDS else None
            outline = _outline(look, look.marks[k], own)
            out.append(Region(label, outline, float(look.marks[k][own].mean()), 1.0, _cut(own), on))
    return out


def _things(look: Maps, family: tuple[str, ...]) -> Iterator[tuple[Region, Mask]]:
    """Things of one family: where its labels together are likely, parted where two things touch."""
    each = look.grounds[[GROUNDS.index(label) for label in family]]
    together = np.asarray(each.sum(0), np.float32)
    if family is CARRIERS:
        # A portrait on a badge is part of it.
        together = np.maximum(together, np.where(_near(together >= SEEN), look.grounds[GROUNDS.index("picture")], 0))
    inside = together >= SEEN
    for core in _parts(inside & (look.meets < MET), LEAST["carrier"]):
        own = _filled(_grown(core, inside & (look.meets >= MET)))
        votes = each[:, core].sum(1)
        k = int(np.argmax(votes))
        share = float(votes[k] / max(float(votes.sum()), 1e-6))
        likely = np.where(own, np.maximum(together, SEEN), together)
        yield Region(family[k], _outline(look, likely, own), float(together[core].mean()), share, _cut(own)), own


def _near(mask: Mask) -> Mask:
    """A mask and everything it closes round."""
    return _filled(np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0))


def _filled(mask: Mask) -> Mask:
    """A mask without its holes."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(np.zeros(mask.shape, np.uint8), outlines, -1, 1, cv2.FILLED) > 0)


def _grown(core: Mask, rim: Mask) -> Mask:
    """A part and the rim squares beside it: two squares, which is as wide as the network draws a rim."""
    near = cv2.dilate(core.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=2) > 0
    return np.asarray(core | (near & rim))


def _parts(mask: Mask, least: int) -> Iterator[Mask]:
    """Connected squares, the largest first."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    for k in sorted(range(1, count), key=lambda k: -int(stats[k][4])):
        if stats[k][4] >= least:
            yield np.asarray(labels == k)


def _cut(own: Mask) -> bool:
    ys, xs = np.nonzero(own)
    high, wide = own.shape
    return bool(ys.min() < RIM or xs.min() < RIM or ys.max() + 1 > high - RIM or xs.max() + 1 > wide - RIM)


def _outline(look: Maps, likely: Map, own: Mask) -> Polygon:
    """The polygon of fewest corners that stands for connected squares, drawn along the likelihood between squares."""
    ys, xs = np.nonzero(own)
    y0, y1, x0, x1 = max(ys.min() - 2, 0), ys.max() + 3, max(xs.min() - 2, 0), xs.max() + 3
    near = cv2.dilate(own[y0:y1, x0:x1].astype(np.uint8), np.ones((3, 3), np.uint8))
    inner = np.asarray(likely[y0:y1, x0:x1] * near, np.float32)
    # Beyond the picture's edge nothing is known; a thing that reaches it goes on to it.
    part = cv2.copyMakeBorder(inner, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    fine = cv2.resize(part, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR)
    outlines, _ = cv2.findContours((fine >= SEEN).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        outlines, _ = cv2.findContours(np.ones_like(fine, np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = simple(np.asarray(max(outlines, key=cv2.contourArea), np.int32))
    points = (points + 0.5) / FINER - 1 + np.asarray((x0, y0))
    points = np.clip(points, 0, np.asarray(own.shape[::-1])) * (look.across, look.down)
    return tuple((float(x), float(y)) for x, y in points)


def simple(outline: NDArray[np.int32]) -> NDArray[np.float32]:
    """The polygon of fewest corners that is close to an outline, (n, 2).

    A rectangle is tried first, then four and up to eight corners of the convex hull, then the outline itself smoothed;
    of slim things the rectangle counts at a lower IoU, since one square more or less is much of their breadth.
    """
    box = cv2.minAreaRect(outline)
    rectangle = np.asarray(cv2.boxPoints((box[0], (box[1][0] + 1, box[1][1] + 1), box[2])), np.float32)
    slim = max(box[1]) > 4 * max(min(box[1]), 1.0)
    if _iou(rectangle, outline) >= (CLOSE - 0.15 if slim else CLOSE):
        return rectangle
    hull = cv2.convexHull(outline)
    around = float(cv2.arcLength(hull, True))
    for share in (0.1, 0.07, 0.05, 0.035, 0.02):
        few = np.asarray(cv2.approxPolyDP(hull, share * around, True), np.float32).reshape(-1, 2)
        if 4 <= len(few) <= 8 and _iou(few, outline) >= CLOSE:
            return few
    smooth = cv2.approxPolyDP(outline, max(1.0, 0.012 * around), True).reshape(-1, 2)
    return np.asarray(smooth if len(smooth) >= 3 else rectangle, np.float32)


def _iou(polygon: NDArray[np.float32], outline: NDArray[np.int32]) -> float:
    """Of two areas, drawn."""
    low = np.minimum(polygon.min(0), outline.reshape(-1, 2).min(0)) - 1
    size = np.ceil(np.maximum(polygon.max(0), outline.reshape(-1, 2).max(0)) - low).astype(int) + 2
    a, b = (
        np.asarray(cv2.fillPoly(np.zeros((size[1], size[0]), np.uint8), [np.round(p - low).astype(np.int32)], 1)) > 0
        for p in (polygon, outline.reshape(-1, 2).astype(np.float32))
    )
    return float((a & b).sum()) / max(float((a | b).sum()), 1.0)
