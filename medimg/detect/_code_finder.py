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

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]

HALF_WINDOW = 7
"""Side of the square over which gradients are gathered, in pixels of a level at half size."""
BARS_ENERGY, BARS_COHERENCE = 45.0, 0.72
CHECKER_ENERGY = 60.0
BALANCE = 0.035
"""Most of the gradient that may point one way: a lone edge has 0.13, four edges in a window 0.03."""
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
    small = [cv2.resize(a, half, interpolation=cv2.INTER_AREA) for a in products]
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
    return [c for c in found if c is not None]


def _components(mask: NDArray[np.bool_], tensor: list[Floats], linear: bool) -> list[tuple[Floats, float]]:
    """Corners round the connected parts of a half-size mask, turned with the bars or the least rectangle; share filled."""
    whole = mask.astype(np.uint8)
    close, clear = (5, 3) if linear else (3, 5)
    whole = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, np.ones((close, close), np.uint8))
    whole = cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones((clear, clear), np.uint8))
    outlines = [c for c in cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0] if len(c) > 12]
    outlines = sorted(outlines, key=len, reverse=True)[:MOST]
    out = []
    for outline in outlines:
        area = cv2.contourArea(outline)
        if area < AREA:
            continue
        if not linear:
            around = cast(Floats, cv2.boxPoints(cv2.minAreaRect(outline)))
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
        around = _turned(points, np.asarray((np.cos(turn), np.sin(turn)), np.float32))
        out.append((around, 4 * area / max(cv2.contourArea(around), 1.0)))
    return out


def quiet(strength: Floats, corners: Floats) -> float:
    """How busy the ring round a patch is, against the patch: a code has a quiet zone (half-size gradients)."""
    inside = corners / 2
    centre = inside.mean(0)
    side = float(np.sqrt(max(cv2.contourArea(inside), 1.0)))
    shapes = [inside + (inside - centre) / np.linalg.norm(inside - centre, axis=1)[:, None] * g for g in (3.0, 3.0 + 0.2 * side)]
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
    busy = cv2.morphologyEx(busy, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    busy = cv2.morphologyEx(busy, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    best, most = None, 0.0
    for outline in cv2.findContours(busy, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        if len(outline) > 12 and (area := cv2.contourArea(outline)) > most:
            best, most = outline, area
    if best is None:
        return corners
    fitted = cast(Floats, cv2.boxPoints(cv2.minAreaRect(best)) + np.asarray((x0, y0), np.float32))
    shared = cv2.intersectConvexConvex(fitted, corners)[0]
    return stretched(fitted, 1.5, 1.5) if shared > 0.5 * cv2.contourArea(corners) else corners


def _turned(points: Floats, u: Floats) -> Floats:
    """The parallelogram round points whose short sides run along the bars, ``u`` being the way across them.

    A code seen from the side is sheared: its bars are not at right angles to its length.
    """
    v = np.asarray((-u[1], u[0]), np.float32)
    a, b = points @ u, points @ v
    middle = float(a.mean())
    shear = float(np.clip(np.mean((a - middle) * (b - b.mean())) / max(float(a.var()), 1.0), -0.7, 0.7))
    b = b - shear * (a - middle)
    (a0, a1), (b0, b1) = np.percentile(a, (0.5, 99.5)), np.percentile(b, (1.5, 98.5))
    return np.asarray(
        [s * u + (t + shear * (s - middle)) * v for s, t in ((a0, b0), (a1, b0), (a1, b1), (a0, b1))], np.float32
    )


def straight(gray: Gray, corners: Floats, width: int, height: int) -> Floats:
    """The patch inside four corners, laid straight."""
    target = np.asarray(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    matrix = cv2.getPerspectiveTransform(np.asarray(corners, np.float32), target)
    return cast(Floats, cv2.warpPerspective(gray, matrix, (width, height), flags=cv2.INTER_LINEAR).astype(np.float32))


def _sides(corners: Floats) -> tuple[float, float]:
    return float(np.linalg.norm(corners[1] - corners[0])), float(np.linalg.norm(corners[3] - corners[0]))


def stretched(corners: Floats, along: float, across: float = 0.0) -> Floats:
    """The rectangle with ``along`` pixels more at both ends, and ``across`` at both sides."""
    u, v = corners[1] - corners[0], corners[3] - corners[0]
    u, v = u / max(float(np.linalg.norm(u)), 1e-6) * along, v / max(float(np.linalg.norm(v)), 1e-6) * across
    return np.asarray([corners[0] - u - v, corners[1] + u - v, corners[2] + u + v, corners[3] - u + v], np.float32)


def whole_bars(gray: Gray, corners: Floats) -> Floats:
    """The full height of a bar code of which a reader gives a few scan lines (corners clockwise)."""
    start, end = (corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2
    length = float(np.linalg.norm(end - start))
    if length < 4:
        return corners
    u = (end - start) / length
    v = np.asarray((-u[1], u[0]), np.float32)
    side = corners[3] - corners[0]
    if float(np.linalg.norm(side)) > 6:
        v = (side / np.linalg.norm(side)).astype(np.float32)  # the bars of a code seen from the side are slanted
    n, reach = int(np.clip(length, 16, 800)), int(length * 0.8)
    offsets = np.arange(-reach, reach + 1, max(1, reach // 100), dtype=np.float32)
    along = np.linspace(0, length, n, dtype=np.float32)
    x = (start[0] + along[None] * u[0] + offsets[:, None] * v[0]).astype(np.float32)
    y = (start[1] + along[None] * u[1] + offsets[:, None] * v[1]).astype(np.float32)
    rows = cv2.remap(gray, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    rows -= rows.mean(1, keepdims=True)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-3)
    middle = len(offsets) // 2
    first = last = middle
    while first > 0 and float(rows[first - 1] @ rows[min(first + 2, middle)]) > 0.7:
        first -= 1
    while last < len(offsets) - 1 and float(rows[last + 1] @ rows[max(last - 2, middle)]) > 0.7:
        last += 1
    top, low = offsets[first] * v, offsets[last] * v
    made = np.asarray((start + top, end + top, end + low, start + low), np.float32)
    return stretched(made, 0.03 * length + 2, 0.01 * length + 1)


def _bars(gray: Gray, corners: Floats, fill: float, ring: float) -> Candidate | None:
    long, high = _sides(corners)
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
        "long": long, "high": high, "alike": alike, "spread": spread, "turns": turns, "vary": vary, "pitch": pitch, "dark": dark,
        "run": float(runs.mean() / 2) if runs.size else 0.0,
        "inside": inside,
        "fill": fill,
        "ring": ring,
    }  # fmt: skip
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


def _checker(gray: Gray, corners: Floats, fill: float, ring: float) -> Candidate | None:
    long, high = _sides(corners)
    if min(long, high) < 8:
        return None
    w, h = (int(np.clip(2 * side, 16, 200)) for side in (long, high))
    patch = straight(gray, corners, w, h)
    flat = patch - cv2.GaussianBlur(patch, (0, 0), max(w, h) / 3)
    gx, gy = cv2.Sobel(patch, -1, 1, 0, ksize=3), cv2.Sobel(patch, -1, 0, 1, ksize=3)
    turned = (gx + 1j * gy) ** 4 / np.maximum(gx * gx + gy * gy, 1e-3)
    weight = float((gx * gx + gy * gy).sum())
    fourfold = complex(turned.sum()) / max(weight, 1e-6)
    even = cv2.normalize(flat, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    dark = cv2.threshold(even, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1]
    inner = dark[int(h * 0.14) : int(np.ceil(h * 0.86)), int(w * 0.14) : int(np.ceil(w * 0.86))]
    ink = dark.astype(bool)
    share = float(inner.mean())
    step = float(flat[~ink].mean() - flat[ink].mean()) if 0 < ink.mean() < 1 else 0.0
    two = float(ink.mean() * (1 - ink.mean())) * step**2 / max(float(flat.var()), 1e-6)
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
        "even": _even(gx * gx + gy * gy),
        "fill": fill,
        "ring": ring,
    }
    ok = min(long, high) >= 9 and step > 15 and two > 0.6 and min(across.mean(), down.mean()) >= 1.5
    return Candidate(corners, False, _score(measures) if ok else 0.0, measures)


def _even(energy: Floats) -> float:
    """How evenly a patch is busy: the quiet tenth of 25 cells against their median. Codes are busy all over."""
    cells = cv2.resize(energy, (5, 5), interpolation=cv2.INTER_AREA)
    return float(np.percentile(cells, 10) / max(float(np.median(cells)), 1e-6))


def _score(m: dict[str, float]) -> float:
    """0 to 1: logistic regression over the measures, fitted on drawn scenes (benchmarks/codes.py)."""
    sum_ = (
        10.43 * m["square"]
        - 8.89 * abs(m["dark"] - 0.52)
        - 7.64 * max(m["rows"], m["cols"])
        - 2.74 * float(np.log(m["pitch"]))
        - 2.53 * float(np.log(m["long"] / m["high"]))
        + 1.52 * min(float(np.log(max(min(m["across"], m["down"]), 0.1))), 2.0)
        + 6.31 * min(m["even"], 1.0)
        + 1.22 * m["fill"]
        - 5.96 * min(m["ring"], 1.0)
        - 1.2
    )
    return float(1 / (1 + np.exp(-np.clip(sum_, -30, 30))))
