"""How much covers hide together: what lies under two of them counts once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from medimg import geometry
from medimg.types import Point, Polygon

ROWS = 400
"""Rows across all polygons along which they are measured; a polygon's area comes out right to about one row of it."""


def hidden_area(polygons: Sequence[Polygon], enough: float = 0.0) -> float:
    """Area of the union of polygons, in square pixels, also where they reach beyond the picture.

    Args:
        polygons: Any simple polygons.
        enough: Up to here the sum of their areas will do: the union is not larger.
    """
    areas = [geometry.area(p) for p in polygons]
    if len(polygons) < 2 or sum(areas) <= enough:
        return sum(areas)
    top = min(y for p in polygons for _, y in p)
    step = (max(y for p in polygons for _, y in p) - top) / ROWS
    if step <= 0:
        return 0.0
    rows: list[list[tuple[float, float]]] = [[] for _ in range(ROWS)]
    for polygon in polygons:
        for row, stretch in _stretches(polygon, top, step):
            rows[row].append(stretch)
    return max(step * sum(_length(row) for row in rows), *areas)


def _stretches(polygon: Polygon, top: float, step: float) -> Iterator[tuple[int, tuple[float, float]]]:
    """Where the middles of the rows run inside a polygon: the row, and the two ends (even-odd rule)."""
    crossings: dict[int, list[float]] = {}
    for a, b in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        upper, lower = sorted((a, b), key=_down)
        first, last = (math.ceil((y - top) / step - 0.5) for _, y in (upper, lower))
        for row in range(max(first, 0), min(last, ROWS)):
            share = (top + (row + 0.5) * step - upper[1]) / (lower[1] - upper[1])
            crossings.setdefault(row, []).append(upper[0] + share * (lower[0] - upper[0]))
    for row, xs in crossings.items():
        xs.sort()
        for ends in zip(xs[::2], xs[1::2], strict=False):
            yield row, ends


def _down(point: Point) -> float:
    return point[1]


def _length(stretches: list[tuple[float, float]]) -> float:
    """Length of the union of stretches."""
    total, reached = 0.0, -math.inf
    for start, end in sorted(stretches):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
