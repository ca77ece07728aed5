"""Finds bar and 2-D codes that cannot be read, by what they look like.

A bar code is a patch whose brightness changes strongly, many times, and in one direction only (its structure tensor has
one large eigenvalue, and rising and falling edges cancel); a 2-D code changes strongly in both. What passes is laid
straight and looked at again, because rulers, cloth, hair and lines of text pass the first look now and then.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from medimg._opencv import cv2
from medimg.detect import Pixels
from medimg.detect import _code_matrix as matrix
from medimg.detect._code_shape import Floats, Gray, sides, straight, stretched, turned, whole_bars

HALF_WINDOW = 7
"""Side of the square over which gradients are gathered, in pixels of a level at half size."""
BARS_ENERGY, BARS_COHERENCE = 45.0, 0.72
CHECKER_ENERGY = (24.0, 60.0, 180.0)
"""Least gradient energy of a 2-D code both ways; three, so that one in good light is apart from the print beside it."""
BALANCE = 0.035
"""Most of the gradient that may point one way: a lone edge has 0.13, four edges in a window 0.03."""
ON_A_SCALE, SURE = 0.09, 0.97
"""What the score of a candidate in a row of even ticks is taken times, unless it is as good as this."""
LARGE = 280.0
"""A 2-D candidate wider than this, in pixels, is left to the next coarser level."""
SHEET, FULL = 120.0, 0.85
"""Least side, in pixels, and least share filled, of what may be a sheet of many codes."""
MOST = 3000
"""Most components of one sort looked at in one level; largest first."""
AREA = 20
"""Least component, in pixels of a level at half size."""


class Candidate(NamedTuple):
    """A place that looks like a code: four corners (x, y) clockwise in level coordinates, and what was measured."""

    corners: Floats
    linear: bool
    score: float
    measures: dict[str, float]


def level(gray: Gray, pixels: Pixels, last: bool = True) -> list[Candidate]:
    """The candidates of one level of the pyramid, those that do not pass with a low score.

    Args:
        gray: The level's brightness.
        pixels: Its colours.
        last: Whether there is no coarser one, in which large codes are found.
    """
    if min(gray.shape) < 16:
        return []
    picture = cast(Floats, gray.astype(np.float32))
    gx = cv2.Sobel(picture, -1, 1, 0, ksize=3, scale=0.125)
    gy = cv2.Sobel(picture, -1, 0, 1, ksize=3, scale=0.125)
    # Gathered at half size: the windows are 14 pixels wide, and it is four times quicker.
    half = (gray.shape[1] // 2, gray.shape[0] // 2)
    products = (cv2.multiply(gx, gx), cv2.multiply(gy, gy), cv2.multiply(gx, gy), gx, gy)
    small = [np.asarray(cv2.resize(a, half, interpolation=cv2.INTER_AREA), np.float32) for a in products]
    xx, yy, xy, mx, my = (cv2.boxFilter(a, -1, (HALF_WINDOW, HALF_WINDOW)) for a in small)
    energy = xx + yy + 1e-3
    split = cv2.magnitude(xx - yy, 2 * xy)
    many = (mx * mx + my * my) < BALANCE * energy
    bars = many & (energy > BARS_ENERGY) & (split > BARS_COHERENCE * energy)
    found = []
    strength = cast(Floats, small[0] + small[1])
    for corners, fill in _components(bars, small, True):
        found.append(_bars(gray, corners, fill, quiet(strength, corners)))
    both = energy - split
    seen: list[tuple[Floats, float]] = []
    for least in CHECKER_ENERGY:
        for corners, fill in _components(many & (both > least), small, False):
            size = float(cv2.contourArea(corners))
            if any(abs(size - other) < 0.15 * size and abs(c - corners.mean(0)).max() < 6 for c, other in seen):
                continue
            seen.append((corners.mean(0), size))
            side = float(np.ptp(corners, axis=0).max())
            if side > SHEET and fill > FULL and matrix.sheet(gray, pixels, corners):
                found.append(Candidate(corners, False, SURE, {}))
            elif last or side < LARGE:
                found.append(_matrix(gray, pixels, corners, fill, strength))
    return _off_scales([c for c in found if c is not None])


def _off_scales(found: list[Candidate]) -> list[Candidate]:
    """With what stands at or in a row of even ticks scored down: numerals and ticks of a ruler."""
    rows = [
        stretched(c.corners, 3.0 * c.measures["high"], 1.2 * c.measures["high"])
        for c in found
        if c.linear and c.measures["turns"] >= 8 and c.measures["pitch"] < 0.2 and c.measures["long"] > 20
    ]
    out = []
    for c in found:
        area = max(float(cv2.contourArea(c.corners)), 1.0)
        at = any(float(cv2.intersectConvexConvex(row, c.corners)[0]) > 0.3 * area for row in rows)
        out.append(c._replace(score=c.score * ON_A_SCALE) if at and c.score < SURE else c)
    return out


def _components(mask: NDArray[np.bool_], tensor: list[Floats], linear: bool) -> list[tuple[Floats, float]]:
    """Corners round the connected parts of a half-size mask (turned with the bars, or least), and the share filled."""
    whole = mask.astype(np.uint8)
    close, clear = (5, 3) if linear else (3, 5)
    whole = np.asarray(cv2.morphologyEx(whole, cv2.MORPH_CLOSE, np.ones((close, close), np.uint8)), np.uint8)
    whole = np.asarray(cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones((clear, clear), np.uint8)), np.uint8)
    outlines = [c for c in cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0] if len(c) > 12]
    outlines = sorted(outlines, key=len, reverse=True)[:MOST]
    out = []
    for outline in outlines:
        area = cv2.contourArea(outline)
        if area < AREA:
            continue
        if not linear:
            _, extent, _ = least = cv2.minAreaRect(outline)
            if min(extent) < 4 or max(extent) > 6 * min(extent):
                continue
            around = cast(Floats, cv2.boxPoints(least))
            out.append((around * 2 + 1, area / max(cv2.contourArea(around), 1.0)))
            continue
        x, y, w, h = cv2.boundingRect(outline)
        inside = np.zeros((h, w), np.uint8)
        cv2.drawContours(inside, [outline], 0, 1, -1, offset=(-x, -y))
        part = inside.astype(bool)
        sums = [float(np.sum(t[y : y + h, x : x + w], where=part)) for t in tensor[:3]]
        turn = 0.5 * np.arctan2(2 * sums[2], sums[0] - sums[1])
        ys, xs = np.nonzero(part)
        points = np.stack((2 * (xs + x) + 1, 2 * (ys + y) + 1), 1).astype(np.float32)
        around = turned(points, np.asarray((np.cos(turn), np.sin(turn)), np.float32))
        out.append((around, 4 * area / max(cv2.contourArea(around), 1.0)))
    return out


def quiet(strength: Floats, corners: Floats) -> float:
    """How busy the ring round a patch is, against the patch: a code has a quiet zone (half-size gradients)."""
    inside = corners / 2
    centre = inside.mean(0)
    side = float(np.sqrt(max(cv2.contourArea(inside), 1.0)))
    shapes = [
        inside + (inside - centre) / np.linalg.norm(inside - centre, axis=1)[:, None] * g
        for g in (3.0, 3.0 + 0.2 * side)
    ]
    low = np.floor(shapes[1].min(0)).astype(int) - 1
    x0, y0 = (int(v) for v in np.maximum(low, 0))
    x1, y1 = (int(v) for v in np.minimum(shapes[1].max(0) + 2, strength.shape[::-1]))
    patch = strength[y0:y1, x0:x1]
    if min(patch.shape, default=0) < 2:
        return 1.0
    canvas = np.zeros(patch.shape, np.uint8)
    for shape, value in ((shapes[1], 1), (shapes[0], 2), (inside, 3)):
        cv2.fillConvexPoly(canvas, np.round(shape - (x0, y0)).astype(np.int32), value)
    ring, own = patch[canvas == 1], patch[canvas == 3]
    if ring.size < 4 or own.size < 4:
        return 1.0
    return float(np.minimum(ring, own.mean()).mean() / max(float(own.mean()), 1e-6))


def _matrix(gray: Gray, pixels: Pixels, rough: Floats, fill: float, strength: Floats) -> Candidate | None:
    """The best of the boxes that fit what a rough one lies on."""
    best: matrix.Measured | None = None
    for corners in matrix.fits(gray, rough):
        seen = matrix.measured(gray, pixels, corners, fill, partial(quiet, strength, corners))
        if seen is not None and (best is None or seen.score > best.score):
            best = seen
    return Candidate(best.corners, False, best.score, best.measures) if best else None


def _bars(gray: Gray, corners: Floats, fill: float, ring: float) -> Candidate | None:
    long, high = sides(corners)
    if long < 14 or high < 5:
        return None
    corners = stretched(corners, 6)
    n = min(1200, int((long + 12) * 2))
    patch = straight(gray, corners, n, 24)
    profile = patch[4:20].mean(0)
    bands = patch[2:22].reshape(4, 5, n).mean(1)
    alike = float(np.corrcoef(bands, profile[None])[:4, 4].min()) if (bands.std(1) > 1).all() else 0.0
    dx, dy = np.diff(patch, axis=1)[:-1], np.diff(patch, axis=0)[:, :-1] * (24 / (high * 2))
    inside = float((dx**2).sum() / max(float((dx**2).sum() + (dy**2).sum()), 1e-6))
    ground = cv2.GaussianBlur(profile[None], (0, 0), 24)[0]
    swing = profile - ground
    spread = float(np.percentile(profile, 95) - np.percentile(profile, 5))
    sign = np.sign(np.where(np.abs(swing) > 0.12 * max(spread, 1), swing, 0))
    kept = sign[sign != 0]
    turns = int(np.count_nonzero(np.diff(kept))) if kept.size else 0
    at = np.nonzero(sign)[0][:-1][np.diff(kept) != 0] if kept.size > 1 else np.zeros(0, int)
    runs = np.diff(at)
    vary = float(runs.std() / max(runs.mean(), 1e-6)) if runs.size > 3 else 0.0
    pairs = runs[:-1] + runs[1:]
    pitch = float(pairs.std() / max(pairs.mean(), 1e-6)) if pairs.size > 3 else 0.0
    dark = float(np.mean(profile < (np.percentile(profile, 95) + np.percentile(profile, 5)) / 2))
    measures = {
        "long": long,
        "high": high,
        "alike": alike,
        "spread": spread,
        "turns": turns,
        "vary": vary,
        "pitch": pitch,
        "dark": dark,
        "run": float(runs.mean() / 2) if runs.size else 0.0,
        "inside": inside,
        "fill": fill,
        "ring": ring,
    }
    ok = long >= 20 and high >= 7 and turns >= 8 and spread >= 14 and inside > 0.85
    score = _bars_score(measures) if ok else 0.0
    return Candidate(whole_bars(gray, corners) if score >= 0.5 else corners, True, score, measures)


def _bars_score(m: dict[str, float]) -> float:
    """0 to 1: logistic regression over the measures, fitted as for :func:`_score`."""
    sum_ = (
        5.08 * max(m["alike"], 0.2)
        - 12.36 * abs(m["dark"] - 0.52)
        + 6.21 * min(m["vary"], 0.8)
        + 2.12 * min(m["pitch"], 0.6)
        + 2.49 * min(float(np.log(m["turns"])), 3.2)
        + 21.82 * m["inside"]
        + 6.38 * m["fill"]
        - 2.06 * min(m["ring"], 1.0)
        - 0.73 * float(np.log(max(m["run"], 0.1)))
        + 3.24 * min(m["high"] / m["long"], 0.5)
        - 38.6
    )
    return float(1 / (1 + np.exp(-np.clip(sum_, -30, 30))))
