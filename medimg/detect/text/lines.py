"""Geometry of text lines: which boxes are the same text, which lines stand on the same label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from medimg.native.opencv import cv2
from medimg.types import Polygon

Quad = NDArray[np.float32]


def area(quad: Quad) -> float:
    """Area in square pixels."""
    return float(cv2.contourArea(quad.astype(np.float32)))


def shared(a: Quad, b: Quad) -> float:
    """Area two convex quadrilaterals share, in square pixels."""
    if (a.max(axis=0) <= b.min(axis=0)).any() or (b.max(axis=0) <= a.min(axis=0)).any():
        return 0.0
    got, _ = cv2.intersectConvexConvex(a.astype(np.float32), b.astype(np.float32))
    return float(got)


def sides(quad: Quad) -> tuple[float, float]:
    """The longer and the shorter side, in pixels."""
    a = (math.dist(quad[0], quad[1]) + math.dist(quad[3], quad[2])) / 2
    b = (math.dist(quad[0], quad[3]) + math.dist(quad[1], quad[2])) / 2
    return max(a, b), min(a, b)


def axis(quad: Quad) -> NDArray[np.float32]:
    """Unit vector along the longer side, pointing right (or down)."""
    top, left = quad[1] - quad[0], quad[3] - quad[0]
    along = top if np.hypot(*top) >= np.hypot(*left) else left
    unit = along / max(float(np.hypot(*along)), 1e-6)
    return cast("NDArray[np.float32]", -unit if unit[0] < -0.2 or (abs(unit[0]) <= 0.2 and unit[1] < 0) else unit)


def grown(quad: Quad, by: float) -> Quad:
    """Every side moved outward by ``by`` pixels."""
    (x, y), (w, h), angle = cv2.minAreaRect(quad.astype(np.float32))
    return cast(Quad, cv2.boxPoints(((x, y), (max(w + 2 * by, 1.0), max(h + 2 * by, 1.0)), angle)))


def around(quads: Sequence[Quad], along: NDArray[np.float32]) -> Quad:
    """The smallest rectangle round all corners with a side in the direction ``along``, clockwise."""
    points = np.concatenate(quads)
    across = np.array([-along[1], along[0]], np.float32)
    u, v = points @ along, points @ across
    corners = [(u.min(), v.min()), (u.max(), v.min()), (u.max(), v.max()), (u.min(), v.max())]
    return np.array([a * along + b * across for a, b in corners], np.float32)


def labels(quads: Sequence[Quad], overlap: float = 2.0) -> list[list[int]]:
    """Indices of lines that stand on the same label.

    They have like direction and height and are less than a line apart, one under or beside the other.

    Args:
        quads: The lines.
        overlap: Two boxes that share more than this part of the smaller one are the same text, not neighbours.
    """
    parent = list(range(len(quads)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    facts = [(axis(q), *sides(q), q.mean(axis=0)) for q in quads]
    for i, j in _near(facts):
        if root(i) != root(j) and _together(quads[i], quads[j], facts[i], facts[j]):
            smaller = min(area(quads[i]), area(quads[j]))
            if overlap < 1 and shared(quads[i], quads[j]) > overlap * smaller:
                continue
            parent[root(i)] = root(j)
    groups: dict[int, list[int]] = {}
    for k in range(len(quads)):
        groups.setdefault(root(k), []).append(k)
    return list(groups.values())


Fact = tuple[NDArray[np.float32], float, float, NDArray[np.float32]]


def _near(facts: Sequence[Fact]) -> list[tuple[int, int]]:
    """Pairs of lines of like height that are near enough to be looked at."""
    if len(facts) < 2:
        return []
    long = np.array([f[1] for f in facts])
    high = np.maximum(np.array([f[2] for f in facts]), 1e-6)
    mid = np.array([f[3] for f in facts])
    far = np.hypot(*(mid[:, None] - mid[None]).transpose(2, 0, 1)) > long[:, None] + long[None] + 2 * high[:, None]
    ratio = high[:, None] / high[None]
    wanted = ~far & (ratio > 0.45) & (ratio < 2.2)
    return [(int(i), int(j)) for i, j in zip(*np.nonzero(np.tril(wanted, -1)), strict=True)]


def _together(a: Quad, b: Quad, fact_a: Fact, fact_b: Fact) -> bool:
    (along, long_a, high_a, _), (other, long_b, high_b, _) = fact_a, fact_b
    # A box of one or two signs has no direction of its own.
    if min(long_a / max(high_a, 1e-6), long_b / max(high_b, 1e-6)) > 1.6 and abs(float(along @ other)) < 0.94:
        return False
    if long_b * high_a > long_a * high_b:
        along = other
    across = np.array([-along[1], along[0]], np.float32)
    ua, va, ub, vb = a @ along, a @ across, b @ along, b @ across
    gap_along = max(ua.min(), ub.min()) - min(ua.max(), ub.max())
    gap_across = max(va.min(), vb.min()) - min(va.max(), vb.max())
    high = min(high_a, high_b)
    return bool((gap_across < 0.9 * high and gap_along < 0) or (gap_across < -0.4 * high and gap_along < 1.5 * high))


def polygon(quad: Quad) -> Polygon:
    """As plain numbers."""
    return tuple((float(x), float(y)) for x, y in quad)
