"""The ground that a find stands on: grown over like colour up to the next long edge, and outlined by straight sides.

From the colour beside the letters of a line, or between the bars of a code, the ground is grown over pixels of the same
colour at several tolerances. Finds on it are no hole in it. Colour alone leaks over pale neighbours, so edges bar the
way. Which tolerance gave the outline of a real thing is judged by :mod:`medimg.detect.objects.judge`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Frame
from medimg.native.opencv import cv2

SIZE = 640
"""Longer side of the picture in which grounds are grown, in pixels; the text check makes that picture anyway."""
TOLERANCES = (8.0, 14.0, 24.0)
"""How far a colour may be from that of the ground: CIELAB as 8 bits, brightness at :data:`LIGHT` of its weight."""
LIGHT = 0.7
EDGES = (36.0, 18.0, 12.0)
"""Least step of a colour channel across three pixels that bars the way; the rim of pale paper on pale cloth, or out of
focus, is a low step."""
SAME = 0.96
"""IoU from which two outlines are one."""
LEAST = 60
"""Least ground worth an outline, in pixels."""
REACH = 14.0
"""How far a ground is followed from its find, in heights of the find; at least a sixth of the picture."""

FILLED = 0.9
"""Least share of the rectangle round an outline that it fills to be given that rectangle's sides."""

Points = NDArray[np.float32]
Mask = NDArray[np.uint8]


class Ground(NamedTuple):
    """A ground grown from one find.

    Attributes:
        quad: Its straight sides, mostly four, (n, 2), in pixels of the small picture.
        hull: Its convex outline, (n, 2), in the same.
        size: Its own pixels, those of finds on it included.
        tolerance: At which it was grown.
        barrier: The edge that barred the way.
        colour: Its colour, CIELAB as 8 bits.
    """

    quad: Points
    hull: Points
    size: float
    tolerance: float
    barrier: float
    colour: Points


class Picture:
    """A frame at :data:`SIZE`, as grounds are grown in it.

    Attributes:
        factor: By which it was shrunk, at most 1.
        lab: CIELAB as 8 bits, float32 (h, w, 3).
        planes: Its three, each for itself.
        edges: Strength of edges, float32 (h, w).
    """

    def __init__(self, frame: Frame) -> None:
        small, self.factor = frame.scaled(SIZE)
        smooth = cv2.medianBlur(small, 3)
        eight = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)
        self.lab = np.asarray(eight, np.float32)
        kernel = np.ones((3, 3), np.uint8)
        self.planes = tuple(np.ascontiguousarray(self.lab[..., c]) for c in range(3))
        self.edges = np.asarray(
            cv2.subtract(cv2.dilate(eight, kernel), cv2.erode(eight, kernel)).max(axis=2), np.float32
        )
        self.shape: tuple[int, int] = self.lab.shape[:2]

    def within(self, polygon: Points) -> tuple[tuple[slice, slice], Mask]:
        """The box round a polygon in the picture, and which of its pixels lie in it."""
        height, width = self.shape
        x0, y0 = np.clip(np.floor(polygon.min(0)).astype(int), 0, (width - 1, height - 1))
        x1, y1 = np.clip(np.ceil(polygon.max(0)).astype(int) + 1, (x0 + 1, y0 + 1), (width, height))
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(mask, [np.round(polygon - (x0, y0)).astype(np.int32)], 1)
        mask[mask.shape[0] // 2, mask.shape[1] // 2] |= not mask.any()
        return (slice(int(y0), int(y1)), slice(int(x0), int(x1))), mask

    def around(self, polygon: Points, by: float) -> Points:
        """The colours of the pixels round a polygon, up to so many pixels from it, (n, 3)."""
        (x, y), (w, h), angle = cv2.minAreaRect(polygon)
        wider = np.asarray(cv2.boxPoints(((x, y), (w + 2 * by, h + 2 * by), angle)), np.float32)
        place, mask = self.within(wider)
        corner = np.asarray((place[1].start, place[0].start), np.float32)
        cv2.fillPoly(mask, [np.round(polygon - corner).astype(np.int32)], 0)
        return np.asarray(self.lab[place][mask > 0], np.float32)

    def colour(self, polygon: Points, code: bool) -> Points:
        """The colour of the ground beneath a find: the usual one; of a code, half of it ink, a bright one."""
        place, mask = self.within(polygon)
        colours = self.lab[place][mask > 0]
        if code:
            colours = colours[colours[:, 0] >= np.percentile(colours[:, 0], 70)]
        return np.asarray(np.median(colours, axis=0), np.float32)


def grown(picture: Picture, quad: Points, colour: Points, finds: Sequence[Points]) -> Iterator[Ground]:
    """The different grounds of a find, by the edge that bars the way and by tolerance.

    Args:
        picture: Where.
        quad: The find, (4, 2).
        colour: Of its ground.
        finds: All finds whose ground has about that colour; they are part of it.
    """
    height, width = picture.shape
    (cx, cy), (w, h), _ = cv2.minAreaRect(quad)
    reach = max(REACH * min(w, h), max(w, h), max(picture.shape) / 6) + max(w, h) / 2
    x0, y0 = max(int(cx - reach), 0), max(int(cy - reach), 0)
    x1, y1 = min(int(cx + reach) + 1, width), min(int(cy + reach) + 1, height)
    place = (slice(y0, y1), slice(x0, x1))
    light, red, yellow = (plane[place] - float(c) for plane, c in zip(picture.planes, colour, strict=True))
    squared = LIGHT**2 * light * light + red * red + yellow * yellow
    edges = picture.edges[place]
    inked = np.zeros(squared.shape, np.uint8)
    corner = np.asarray((x0, y0), np.float32)
    cv2.fillPoly(inked, [np.round(q - corner).astype(np.int32) for q in (quad, *finds)], 1)
    own = np.zeros_like(inked)
    cv2.fillPoly(own, [np.round(quad - corner).astype(np.int32)], 1)
    seen: list[Points] = []
    if not own.any():
        return
    for barrier in EDGES:
        before = 0.0
        for tolerance in TOLERANCES:
            like = (squared < tolerance**2) & (edges < barrier)
            outline = _outline(np.asarray(like, np.uint8) | inked, own)
            size = float(cv2.contourArea(outline))
            if size >= max(LEAST, 1.03 * before):
                hull = cv2.convexHull(outline).reshape(-1, 2).astype(np.float32) + corner
                sides = straight(hull)
                if not any(iou(sides, other) >= SAME for other in seen):
                    seen.append(sides)
                    yield Ground(sides, hull, size, tolerance, barrier, colour)
            before = size


def _outline(there: Mask, own: Mask) -> NDArray[np.int32]:
    """The outline of what is connected to a find."""
    opened = cv2.morphologyEx(there, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    _, labels = cv2.connectedComponents(np.asarray(opened, np.uint8) | own, connectivity=4)
    said = labels[own > 0]
    whole = (labels == np.bincount(said).argmax()).astype(np.uint8)
    outlines, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return np.asarray(max(outlines, key=cv2.contourArea), np.int32)


def straight(hull: Points) -> Points:
    """Straight sides round a convex outline: its own, where it has about four, else the rectangle round it.

    Where that rectangle would take in too much beside it, as for a thing that the frame cuts askew, it keeps its own
    few sides.
    """
    size = max(float(cv2.contourArea(hull)), 1.0)
    length = cv2.arcLength(hull, True)
    for share in (0.02, 0.035, 0.05, 0.07):
        near = cv2.approxPolyDP(hull, share * length, True).reshape(-1, 2).astype(np.float32)
        if len(near) < 4:
            break
        if len(near) == 4:
            both, _ = cv2.intersectConvexConvex(near, hull)
            if both >= 0.94 * size and cv2.isContourConvex(near):
                return near
            break
    rectangle = np.asarray(cv2.boxPoints(cv2.minAreaRect(hull)), np.float32)
    if size >= FILLED * float(cv2.contourArea(rectangle)):
        return rectangle
    few = cv2.approxPolyDP(hull, 0.01 * length, True).reshape(-1, 2)
    return np.asarray(cv2.convexHull(few).reshape(-1, 2), np.float32) if len(few) >= 3 else rectangle


def iou(a: Points, b: Points) -> float:
    """Area that two convex polygons share, as a share of what they cover together."""
    both = cv2.intersectConvexConvex(a.astype(np.float32), b.astype(np.float32))[0]
    return float(both / max(cv2.contourArea(a) + cv2.contourArea(b) - both, 1e-6))


def share_in(a: Points, b: Points) -> float:
    """Share of a convex polygon that lies in another."""
    return float(cv2.intersectConvexConvex(a.astype(np.float32), b.astype(np.float32))[0]) / max(
        float(cv2.contourArea(a)), 1e-6
    )
