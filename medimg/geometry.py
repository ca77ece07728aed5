"""Boxes and polygons, their arithmetic, and orientation. No imaging library; coordinates as in :mod:`medimg.types`.

EXIF orientation (Exif 3.0, tag 0x0112): 1 as stored; 2 mirrored; 3 turned 180; 4 mirrored upside down;
5 mirrored then turned 270 clockwise; 6 to be turned 90 clockwise for viewing; 7 mirrored then turned 90
clockwise; 8 to be turned 270 clockwise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

Point = tuple[float, float]
Polygon = tuple[Point, ...]


class Box(msgspec.Struct, frozen=True, order=True):
    """Whole pixels ``x0 <= x < x1``, ``y0 <= y < y1``."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.x1 - self.x0

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.y1 - self.y0

    @property
    def area(self) -> int:
        """Pixels inside; 0 for an empty box."""
        return max(self.width, 0) * max(self.height, 0)

    def clipped(self, width: int, height: int) -> Box:
        """The part inside a picture of ``width`` x ``height`` pixels."""
        return Box(
            min(max(self.x0, 0), width),
            min(max(self.y0, 0), height),
            min(max(self.x1, 0), width),
            min(max(self.y1, 0), height),
        )

    def overlap(self, other: Box) -> int:
        """Pixels the two share."""
        return Box(max(self.x0, other.x0), max(self.y0, other.y0), min(self.x1, other.x1), min(self.y1, other.y1)).area

    @property
    def polygon(self) -> Polygon:
        """The four corners, clockwise from the top left."""
        return (
            (float(self.x0), float(self.y0)),
            (float(self.x1), float(self.y0)),
            (float(self.x1), float(self.y1)),
            (float(self.x0), float(self.y1)),
        )


def bounding_box(polygon: Iterable[Point]) -> Box:
    """The smallest box of whole pixels around a polygon."""
    points = list(polygon)
    xs = [p[0] for p in points]
    ys = [p[1] for p in points]
    return Box(math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys)))


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Size as a viewer shows it."""
    return (height, width) if orientation >= 5 else (width, height)


def to_stored(polygon: Polygon, width: int, height: int, orientation: int) -> Polygon:
    """Map points of the upright picture to stored coordinates of a ``width`` x ``height`` picture."""
    w, h = float(width), float(height)

    def one(p: Point) -> Point:
        x, y = p
        match orientation:
            case 2:
                return (w - x, y)
            case 3:
                return (w - x, h - y)
            case 4:
                return (x, h - y)
            case 5:
                return (y, x)
            case 6:
                return (y, h - x)
            case 7:
                return (w - y, h - x)
            case 8:
                return (w - y, x)
            case _:
                return (x, y)

    return tuple(one(p) for p in polygon)


def to_upright(polygon: Polygon, width: int, height: int, orientation: int) -> Polygon:
    """Map stored points of a ``width`` x ``height`` picture to the upright picture."""
    inverse = {6: 8, 8: 6}.get(orientation, orientation)
    return to_stored(polygon, *upright_size(width, height, orientation), inverse)


def moved(polygon: Polygon, across: float, down: float) -> Polygon:
    """The polygon elsewhere."""
    return tuple((x + across, y + down) for x, y in polygon)


def centre(polygon: Polygon) -> Point:
    """Mean of the corners."""
    n = len(polygon)
    return (sum(p[0] for p in polygon) / n, sum(p[1] for p in polygon) / n)


def area(polygon: Polygon) -> float:
    """Area in square pixels (shoelace formula)."""
    total = 0.0
    for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        total += x0 * y1 - x1 * y0
    return abs(total) / 2


def inside(polygon: Polygon, width: float, height: float) -> Polygon:
    """The part of a polygon inside a picture of that size (Sutherland and Hodgman's clipping); empty when none is."""
    for axis, bound, sign in ((0, 0.0, 1.0), (0, width, -1.0), (1, 0.0, 1.0), (1, height, -1.0)):
        depths = [sign * (point[axis] - bound) for point in polygon]
        out: list[Point] = []
        for k, (point, depth) in enumerate(zip(polygon, depths, strict=True)):
            (x, y), before = polygon[k - 1], depths[k - 1]
            if (depth >= 0) != (before >= 0):
                share = before / (before - depth)
                out.append((x + share * (point[0] - x), y + share * (point[1] - y)))
            if depth >= 0:
                out.append(point)
        polygon = tuple(out)
    return polygon


def grown(polygon: Polygon, margin: float) -> Polygon:
    """Every corner moved outward along both sides' normals by about ``margin`` pixels (convex polygons)."""
    cx, cy = centre(polygon)
    out = []
    n = len(polygon)
    clockwise = sum(
        (polygon[(k + 1) % n][0] - polygon[k][0]) * (polygon[(k + 1) % n][1] + polygon[k][1]) for k in range(n)
    )
    sign = 1.0 if clockwise < 0 else -1.0
    for k in range(n):
        (ax, ay), (bx, by), (x, y) = polygon[k - 1], polygon[(k + 1) % n], polygon[k]
        ux, uy = x - ax, y - ay
        vx, vy = bx - x, by - y
        lu, lv = math.hypot(ux, uy), math.hypot(vx, vy)
        if lu < 1e-6 or lv < 1e-6:
            d = math.hypot(x - cx, y - cy) or 1.0
            out.append((x + (x - cx) / d * margin, y + (y - cy) / d * margin))
            continue
        nx, ny = sign * (uy / lu + vy / lv), sign * (-ux / lu - vx / lv)
        dot = 1 + (ux * vx + uy * vy) / (lu * lv)
        scale = margin / max(dot, 0.25)
        out.append((x + nx * scale, y + ny * scale))
    return tuple(out)


FARTHEST = 2.0**24
"""Largest coordinate: up to here a 32-bit float holds every whole pixel, and no picture is so large."""


def somewhere(polygon: Polygon) -> bool:
    """Whether all points can be in a picture or beside it: numbers, and not endlessly far off."""
    return all(math.isfinite(v) and abs(v) <= FARTHEST for point in polygon for v in point)


def distance(a: Point, b: Point) -> float:
    """Euclidean distance in pixels."""
    return math.hypot(a[0] - b[0], a[1] - b[1])
