"""Shapes of code candidates: laying a patch straight, and growing a bar code to its whole height and length."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import NDArray

from medimg._opencv import cv2
from medimg.detect import Pixels

Gray = NDArray[np.uint8]
Floats = NDArray[np.float32]
QUIET = 0.3
"""Most that may change beside a whole code (:func:`beside`): a line of print or the edge of its label does."""


def straight(gray: Gray, corners: Floats, width: int, height: int) -> Floats:
    """The patch inside four corners, laid straight."""
    target = np.asarray(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    matrix = cv2.getPerspectiveTransform(np.asarray(corners, np.float32), target)
    return cast(Floats, cv2.warpPerspective(gray, matrix, (width, height), flags=cv2.INTER_LINEAR).astype(np.float32))


def sides(corners: Floats) -> tuple[float, float]:
    return float(np.linalg.norm(corners[1] - corners[0])), float(np.linalg.norm(corners[3] - corners[0]))


def stretched(corners: Floats, along: float, across: float = 0.0) -> Floats:
    """The rectangle with ``along`` pixels more at both ends, and ``across`` at both sides."""
    u, v = corners[1] - corners[0], corners[3] - corners[0]
    u, v = u / max(float(np.linalg.norm(u)), 1e-6) * along, v / max(float(np.linalg.norm(v)), 1e-6) * across
    return np.asarray([corners[0] - u - v, corners[1] + u - v, corners[2] + u + v, corners[3] - u + v], np.float32)


def tint(pixels: Pixels, corners: Floats) -> float:
    """Spread of the colour that is left when brightness is taken out, 0 to 255: print of one ink has little."""
    x0, y0 = (int(v) for v in np.maximum(corners.min(0), 0))
    x1, y1 = (int(v) for v in np.minimum(corners.max(0) + 1, pixels.shape[1::-1]))
    patch = pixels[y0:y1, x0:x1].reshape(-1, 3)
    if len(patch) < 16:
        return 0.0
    part = patch[:: max(1, len(patch) // 3000)].astype(np.float32)
    light = part.mean(1) - part.mean()
    colour = np.stack((part[:, 0] - part[:, 1], part[:, 2] - part[:, 1]), 1)
    colour -= colour.mean(0)
    rest = colour - np.outer(light, light @ colour) / max(float(light @ light), 1e-6)
    return float(rest.std())


def whole_bars(gray: Gray, corners: Floats) -> Floats:
    """The whole of a bar code of which a few scan lines or the middle is known (corners clockwise)."""
    start, end = (corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2
    length = float(np.linalg.norm(end - start))
    if length < 4:
        return corners
    u = (end - start) / length
    v = np.asarray((-u[1], u[0]), np.float32)
    side = corners[3] - corners[0]
    known = float(np.linalg.norm(side))
    # The bars of a code seen from the side are slanted; scan lines alone do not tell how much.
    ways = [v + t * u for t in (0.0, 0.15, -0.15, 0.35, -0.35, 0.6, -0.6)]
    if known > 3:
        ways.append(side / known)
    ends = [(way, *_height(gray, start, end, way)) for way in ways]
    way, first, last = max(ends, key=lambda e: e[2] - e[1])
    before, after = _length(gray, start, end, way * (last - first) * 0.3, way * (first + last) / 2)
    start, end = start - u * before, end + u * after
    made = np.asarray((start + first * way, end + first * way, end + last * way, start + last * way), np.float32)
    return stretched(made, 0.03 * length + 2, 0.01 * length + 1)


def _lines(gray: Gray, start: Floats, end: Floats, shifts: Floats, n: int) -> Floats:
    """Brightness along copies of a line moved by ``shifts`` (m, 2); (m, n)."""
    points = start + np.linspace(0, 1, n, dtype=np.float32)[:, None] * (end - start)
    x = (points[None, :, 0] + shifts[:, None, 0]).astype(np.float32)
    y = (points[None, :, 1] + shifts[:, None, 1]).astype(np.float32)
    return cast(Floats, cv2.remap(gray, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32))


def _height(gray: Gray, start: Floats, end: Floats, way: Floats) -> tuple[float, float]:
    """How far the pattern between two points goes on along ``way``, both ways."""
    length = float(np.linalg.norm(end - start))
    reach = length * 0.8
    offsets = np.linspace(-reach, reach, 161, dtype=np.float32)
    rows = _lines(gray, start, end, offsets[:, None] * way, int(np.clip(length, 16, 600)))
    rows -= rows.mean(1, keepdims=True)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-3)
    first = last = middle = 80
    while first > 0 and float(rows[first - 1] @ rows[min(first + 2, middle)]) > 0.7:
        first -= 1
    while last < 160 and float(rows[last + 1] @ rows[max(last - 2, middle)]) > 0.7:
        last += 1
    return float(offsets[first]), float(offsets[last])


def _length(gray: Gray, start: Floats, end: Floats, half: Floats, shift: Floats) -> tuple[float, float]:
    """How far bars go on beyond two ends, in pixels: places where two lines through them look alike and not even."""
    length = float(np.linalg.norm(end - start))
    n, part = 240, 10  # over three times the length; judged in parts of an eighth of it
    lines = _lines(gray, 2 * start - end, 2 * end - start, np.asarray((shift - half, shift + half)), n)
    parts = lines.reshape(2, n // part, part)
    parts = parts - parts.mean(2, keepdims=True)
    alike = (parts[0] * parts[1]).sum(1)
    strength = np.sqrt((parts**2).sum(2).prod(0))
    usual = float(np.median(strength[8:16]))
    bars = (alike > 0.75 * strength) & (strength > 0.25 * usual)
    first, last = 8, 15
    while first > 0 and bars[first - 1]:
        first -= 1
    while last < n // part - 1 and bars[last + 1]:
        last += 1
    return (8 - first) * length / 8, (last - 15) * length / 8


def parallel(quad: Floats) -> bool:
    """Whether opposite sides are nearly of a length, as in a square seen from the side."""
    a, b, c, d = (float(np.linalg.norm(quad[k] - quad[k - 1])) for k in range(4))
    return max(a, c) < 1.3 * min(a, c) and max(b, d) < 1.3 * min(b, d)


def clockwise(quad: Floats) -> Floats:
    """Four corners in the order of :func:`cv2.boxPoints`."""
    (ax, ay), (bx, by) = quad[1] - quad[0], quad[2] - quad[1]
    return quad if ax * by - ay * bx > 0 else np.ascontiguousarray(quad[::-1])


def turned(points: Floats, u: Floats) -> Floats:
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


def beside(gray: Gray, corners: Floats) -> float:
    """How much changes just outside the busiest side of a box, against inside: near 0 for a code with a quiet zone."""
    long, high = sides(corners)
    side = float(np.sqrt(max(long * high, 1.0)))
    gap, broad = 1.5 + 0.03 * side, 2.0 + 0.08 * side
    around = stretched(corners, gap + broad, gap + broad)
    scale = min(1.0, 160.0 / max(long, high, 1.0))
    w, h = (max(8, round(scale * (v + 2 * gap + 2 * broad))) for v in (long, high))
    patch = straight(gray, around, w, h)
    strength = cv2.magnitude(cv2.Sobel(patch, -1, 1, 0, ksize=3), cv2.Sobel(patch, -1, 0, 1, ksize=3)) ** 2
    rim, skip = max(2, round(scale * broad)), max(1, round(scale * (gap + broad)))
    own = float(strength[skip : h - skip, skip : w - skip].mean()) if min(h, w) > 2 * skip else 0.0
    if own < 1e-3:
        return 1.0
    capped = np.minimum(strength, 2 * own)
    edges = (capped[:rim, skip:-skip], capped[-rim:, skip:-skip], capped[skip:-skip, :rim], capped[skip:-skip, -rim:])
    return max(float(e.mean()) for e in edges) / own


def whole(gray: Gray, corners: Floats, most: float = 2.6) -> tuple[Floats, bool]:
    """All of a code of which a part is known, and whether its quiet zone was seen.

    Stacked codes are found in part (their start and stop bars change one way only, their rows both ways), and the
    reader leaves out rows it did not need: what changes as strongly right beside belongs to them. What would grow to
    over ``most`` times its size runs on into print or cloth, and stays as it is.
    """
    first, part = corners, cv2.contourArea(corners)
    for _ in range(3):
        if beside(gray, corners) < QUIET:
            return corners, True
        grown = _grown(gray, corners)
        if grown is None or cv2.contourArea(grown) < 1.06 * cv2.contourArea(corners):
            break
        if cv2.contourArea(grown) > most * part:
            return first, False
        corners = grown
    return corners, beside(gray, corners) < QUIET


def _grown(gray: Gray, corners: Floats) -> Floats | None:
    long, high = sides(corners)
    if min(long, high) < 6:
        return None
    reach = 0.5 * max(long, high) + 8
    x0, y0 = (int(v) for v in np.maximum(corners.min(0) - reach, 0))
    x1, y1 = (int(v) for v in np.minimum(corners.max(0) + reach, gray.shape[::-1]))
    patch = gray[y0:y1, x0:x1]
    if min(patch.shape, default=0) < 12:
        return None
    shrink = min(1.0, 360.0 / max(patch.shape))
    if shrink < 1:
        patch = np.asarray(cv2.resize(patch, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
    at = np.asarray((x0, y0), np.float32)
    inside = (corners - at) * shrink
    picture = patch.astype(np.float32)
    gx = cast(Floats, cv2.Sobel(picture, -1, 1, 0, ksize=3))
    gy = cast(Floats, cv2.Sobel(picture, -1, 0, 1, ksize=3))
    pitch = _pitch(gx, gy, inside)
    side = int(np.clip(round(1.6 * pitch), 3, 25)) | 1
    strength = cv2.boxFilter(gx * gx + gy * gy, -1, (side, side))
    own = np.zeros(patch.shape, np.uint8)
    cv2.fillConvexPoly(own, np.round(inside).astype(np.int32), 1)
    if not own.any():
        return None
    usual = float(np.median(strength[own > 0]))
    busy = (strength > 0.3 * usual).astype(np.uint8)
    busy = np.asarray(cv2.erode(busy, np.ones((side, side), np.uint8)), np.uint8)
    count, labels = cv2.connectedComponents(busy, connectivity=4)
    if count < 2:
        return None
    shares = np.bincount(labels[own > 0], minlength=count)[1:]
    part = (labels == 1 + int(shares.argmax())).astype(np.uint8)
    part = np.asarray(cv2.dilate(part, np.ones((side, side), np.uint8)), np.uint8)
    outline = max(cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0], key=cv2.contourArea)
    points = np.concatenate((outline.reshape(-1, 2), np.round(inside).astype(np.int32)))
    box = cast(Floats, cv2.boxPoints(cv2.minAreaRect(points)))
    area = float(cv2.contourArea(box))
    if cv2.contourArea(outline) < 0.72 * area or area > 6 * cv2.contourArea(inside):
        return None
    return np.asarray(box / shrink + at, np.float32)


def _pitch(gx: Floats, gy: Floats, inside: Floats) -> float:
    """About how far apart edges are inside a polygon, in pixels."""
    middle = inside.mean(0)
    low = np.maximum(np.round(middle + 0.8 * (inside.min(0) - middle)).astype(int), 0)
    high = np.round(middle + 0.8 * (inside.max(0) - middle)).astype(int) + 1
    runs: list[float] = []
    for part, axis in ((gx[low[1] : high[1], low[0] : high[0]], 1), (gy[low[1] : high[1], low[0] : high[0]], 0)):
        if min(part.shape, default=0) < 4:
            continue
        loud = np.abs(part) > 0.3 * float(np.percentile(np.abs(part), 90))
        turns = int(np.count_nonzero(np.diff(np.where(loud, np.sign(part), 0), axis=axis)))
        runs.append(2.0 * part.size / max(turns, 1))
    return min(runs, default=4.0)
