"""Finds bar and 2-D codes that cannot be read, by what they look like.

A bar code is a patch whose brightness changes strongly, many times, and in one direction only (its structure tensor has
one large eigenvalue, and rising and falling edges cancel); a 2-D code changes strongly in both. What passes is laid
straight and looked at again, because rulers, cloth, hair and lines of text pass the first look now and then.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from medimg._opencv import cv2
from medimg.detect._code_shape import (
    Floats,
    Gray,
    clockwise,
    parallel,
    sides,
    straight,
    stretched,
    turned,
    whole_bars,
)

HALF_WINDOW = 7
"""Side of the square over which gradients are gathered, in pixels of a level at half size."""
BARS_ENERGY, BARS_COHERENCE = 45.0, 0.72
CHECKER_ENERGY = 60.0
BALANCE = 0.035
"""Most of the gradient that may point one way: a lone edge has 0.13, four edges in a window 0.03."""
STACKED = 0.9
ONE_WAY = 0.6
"""Most of the gradients of a 2-D code that run one way: ticks and bars have over 0.7, 2-D codes under 0.5."""
ON_A_SCALE, SURE = 0.09, 0.97
"""What the score of a candidate in a row of even ticks is taken times, unless it is as good as this."""
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


def level(gray: Gray) -> list[Candidate]:
    """The candidates of one level of the pyramid, those that do not pass with a low score."""
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
    checker = many & (energy - split > CHECKER_ENERGY)
    found = []
    strength = cast(Floats, small[0] + small[1])
    for corners, fill in _components(bars, small, True):
        found.append(_bars(gray, corners, fill, quiet(strength, corners)))
    for corners, fill in _components(checker, small, False):
        corners = _fitted(picture, corners)
        found.append(_checker(gray, corners, fill, quiet(strength, corners)))
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


def _fitted(picture: Floats, corners: Floats) -> Floats:
    """The least rectangle round what changes strongly in and just outside a rough one: the code without its margin."""
    reach = 0.25 * float(np.max(corners.max(0) - corners.min(0))) + 6
    x0, y0 = (int(v) for v in np.maximum(corners.min(0) - reach, 0))
    x1, y1 = (int(v) for v in np.minimum(corners.max(0) + reach, picture.shape[::-1]))
    patch = picture[y0:y1, x0:x1]
    if min(patch.shape, default=0) < 8:
        return corners
    strong = cv2.magnitude(cv2.Sobel(patch, -1, 1, 0, ksize=3), cv2.Sobel(patch, -1, 0, 1, ksize=3))
    rough = np.zeros(patch.shape, np.uint8)
    cv2.fillConvexPoly(rough, np.round(corners - (x0, y0)).astype(np.int32), 1)
    usual = float(np.percentile(strong[rough > 0], 70)) if rough.any() else 0.0
    busy = (strong > 0.5 * usual).astype(np.uint8)
    busy = np.asarray(cv2.morphologyEx(busy, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8)), np.uint8)
    busy = np.asarray(cv2.morphologyEx(busy, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8)), np.uint8)
    best, most = None, 0.0
    for outline in cv2.findContours(busy, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        if len(outline) > 12 and (area := cv2.contourArea(outline)) > most:
            best, most = outline, area
    if best is None:
        return corners
    fitted = cast(Floats, cv2.boxPoints(cv2.minAreaRect(best)))
    slanted = np.asarray(cv2.approxPolyN(best, 4, ensure_convex=True), np.float32).reshape(-1, 2)
    if len(slanted) == 4 and cv2.contourArea(slanted) < 0.88 * cv2.contourArea(fitted) and parallel(slanted):
        fitted = clockwise(slanted)  # seen from the side
    fitted = np.asarray(fitted + np.asarray((x0, y0), np.float32), np.float32)
    shared = cv2.intersectConvexConvex(fitted, corners)[0]
    return stretched(fitted, 1.5, 1.5) if shared > 0.5 * cv2.contourArea(corners) else corners


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


def _checker(gray: Gray, corners: Floats, fill: float, ring: float, most: int = 200) -> Candidate | None:
    long, high = sides(corners)
    if min(long, high) < 8:
        return None
    w, h = (int(np.clip(2 * side, 16, most)) for side in (long, high))
    patch = straight(gray, corners, w, h)
    gx, gy = cv2.Sobel(patch, -1, 1, 0, ksize=3), cv2.Sobel(patch, -1, 0, 1, ksize=3)
    strength = gx * gx + gy * gy
    weight = max(float(strength.sum()), 1e-6)
    way = gx + 1j * gy
    fourfold = complex((way**4 / np.maximum(strength, 1e-3)).sum()) / weight
    twofold = complex((way**2).sum()) / weight
    # The rim is left out: how much of the white round a code is in the patch differs.
    core = patch[int(h * 0.14) : int(np.ceil(h * 0.86)), int(w * 0.14) : int(np.ceil(w * 0.86))]
    flat = core - cv2.GaussianBlur(core, (0, 0), max(core.shape) / 3)
    even = cv2.normalize(flat, np.empty_like(flat), 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    inner = cv2.threshold(even, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1]
    ink = inner.astype(bool)
    share = float(ink.mean())
    step = float(flat[~ink].mean() - flat[ink].mean()) if 0 < share < 1 else 0.0
    two = share * (1 - share) * step**2 / max(float(flat.var()), 1e-6)
    across = np.count_nonzero(np.diff(inner, axis=1), axis=1)
    down = np.count_nonzero(np.diff(inner, axis=0), axis=0)
    measures = {
        "long": max(long, high),
        "high": min(long, high),
        "dark": share,
        "two": two,
        "spread": step,
        "across": float(across.mean()),
        "down": float(down.mean()),
        "pitch": float(inner.size / max(across.sum() + down.sum(), 1)),
        "gaps": float(max((across < 2).mean(), (down < 2).mean())),
        "rows": float(inner.mean(1).std()),
        "cols": float(inner.mean(0).std()),
        "square": abs(fourfold),
        "oneway": abs(twofold),
        "even": _even(strength),
        "fill": fill,
        "ring": ring,
    }
    ok = min(long, high) >= 9 and step > 15 and two > 0.6 and min(across.mean(), down.mean()) >= 1.5
    if ok and _stacked(measures):
        return Candidate(corners, False, STACKED, measures)
    ok = ok and measures["oneway"] < ONE_WAY
    return Candidate(corners, False, _score(measures) if ok else 0.0, measures)


def _stacked(m: dict[str, float]) -> bool:
    """Whether a long patch looks like rows of bars (PDF417): busy all over, without the gaps between lines of text."""
    return (
        1.6 < m["long"] / m["high"] < 6
        and m["high"] >= 14
        and m["gaps"] < 0.2
        and min(m["across"], m["down"]) >= 3.0
        and abs(m["dark"] - 0.52) < 0.15
        and m["square"] > 0.55
        and m["oneway"] < 0.93
        and m["even"] > 0.3
    )


def again(gray: Gray, corners: Floats) -> float:
    """The score of a 2-D candidate looked at in another level: lines of small text are told from a code there."""
    seen = _checker(gray, corners, 0.9, 0.3, 480)
    return seen.score if seen else 0.0


def _even(energy: Floats) -> float:
    """How evenly a patch is busy: the quiet tenth of 25 cells against their median. Codes are busy all over."""
    cells = cv2.resize(energy, (5, 5), interpolation=cv2.INTER_AREA)
    return float(np.percentile(cells, 10) / max(float(np.median(cells)), 1e-6))


def _score(m: dict[str, float]) -> float:
    """0 to 1: logistic regression over the measures, fitted on drawn scenes (benchmarks/codes.py)."""
    sum_ = (
        10.63 * m["square"]
        - 24.98 * abs(m["dark"] - 0.52)
        - 0.63 * max(m["rows"], m["cols"])
        - 3.11 * float(np.log(m["pitch"]))
        - 2.96 * float(np.log(m["long"] / m["high"]))
        + 2.81 * min(float(np.log(max(min(m["across"], m["down"]), 0.1))), 2.0)
        + 4.97 * min(m["even"], 1.0)
        - 2.48 * m["fill"]
        - 2.37 * min(m["ring"], 1.0)
        + 0.1
    )
    return float(1 / (1 + np.exp(-np.clip(sum_, -30, 30))))
