"""Measuring scales and colour cards: what may never be covered as a whole.

A detector of text sees a ruler as one long unreadable word. What tells it apart is that its marks repeat: the
brightness along a tick row correlates with itself at one distance all the way, while letters, bar codes and skin do
not. Numerals in line, rising in equal steps, are a scale too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from medimg._opencv import cv2
from medimg.detect import Pixels
from medimg.types import Polygon

STRIP = 64
"""Height a strip is brought to before it is looked at, in pixels."""
LONGEST_STRIP = 2400
BANDS = 8
LEAST_PERIOD = 4
PEAK = 0.45
"""Least autocorrelation at the period of a tick row; measured: bar codes and text lie below 0.4 nearly always."""
TICKS = 6
"""Least number of marks in a row."""


class Numeral(NamedTuple):
    """A number that was read: its value, middle, and the height of its line, in pixels."""

    value: float
    x: float
    y: float
    height: float


def ticked(rgb: Pixels, polygon: Polygon | NDArray[np.float32]) -> float:
    """How much of a strip's length is a row of ticks, 0 to 1.

    Args:
        rgb: The picture.
        polygon: Four corners, clockwise; the longer side is the direction looked along.
    """
    strip = _strip(rgb, np.asarray(polygon, np.float32))
    if strip is None:
        return 0.0
    return max(_share(band) for band in _bands(strip))


def scale(numerals: Sequence[Numeral]) -> list[int]:
    """Which numerals lie on a scale: at least three in line, rising (or falling) in steps that fit their distance."""
    out: set[int] = set()
    count = len(numerals)
    # Two numerals fix where every other value of their scale must stand.
    for i in range(count):
        for j in range(count):
            a, b = numerals[i], numerals[j]
            step = b.value - a.value
            if i == j or not 0 < step <= 10 or not 0.5 < a.height / max(b.height, 1e-6) < 2:
                continue
            dx, dy = (b.x - a.x) / step, (b.y - a.y) / step
            unit = math.hypot(dx, dy)
            if unit * step < 0.8 * a.height:
                continue
            on = [i, j]
            for k in range(count):
                if k in (i, j):
                    continue
                c = numerals[k]
                steps = c.value - a.value
                off = math.hypot(c.x - a.x - dx * steps, c.y - a.y - dy * steps)
                # Perspective moves the outer marks; the tolerance grows with the distance.
                if off < 0.35 * unit * step + 0.06 * unit * abs(steps) and 0.5 < c.height / max(a.height, 1e-6) < 2:
                    on.append(k)
            if len({numerals[k].value for k in on}) >= 3:
                out.update(on)
    return sorted(out)


def _strip(rgb: Pixels, quad: NDArray[np.float32]) -> NDArray[np.float32] | None:
    across, down = math.dist(quad[0], quad[1]), math.dist(quad[1], quad[2])
    if down > across:
        quad = np.roll(quad, 1, axis=0)
        across, down = down, across
    if down < 4 or across < 1.5 * down:
        return None
    factor = max(STRIP / down, 0.0)
    width = int(min(LONGEST_STRIP, max(16.0, across * min(factor, 2.0))))
    corners = np.array([[0, 0], [width, 0], [width, STRIP], [0, STRIP]], np.float32)
    x0, y0 = np.maximum(np.floor(quad.min(axis=0)).astype(int) - 2, 0)
    x1, y1 = np.ceil(quad.max(axis=0)).astype(int) + 3
    part = rgb[y0:y1, x0:x1]
    if part.size == 0:
        return None
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    shrink = width / across
    if shrink < 0.6:
        grey = cv2.resize(grey, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    else:
        shrink = 1.0
    inside = ((quad - np.array([x0, y0])) * shrink).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(inside, corners)
    out = cv2.warpPerspective(grey, matrix, (width, STRIP), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cast("NDArray[np.float32]", out.astype(np.float32))


def _bands(strip: NDArray[np.float32]) -> NDArray[np.float32]:
    return strip.reshape(BANDS, STRIP // BANDS, -1).mean(axis=1)


def _share(profile: NDArray[np.float32]) -> float:
    """Share of the windows along a profile that repeat at one period."""
    length = len(profile)
    window = min(length, max(96, length // 4))
    starts = range(0, max(1, length - window + 1), max(1, window // 2))
    good = 0
    total = 0
    for start in starts:
        total += 1
        good += _repeats(profile[start : start + window])
    return good / total


def _repeats(part: NDArray[np.float32]) -> bool:
    size = len(part)
    if size < LEAST_PERIOD * TICKS:
        return False
    # Shading and shadow are slower than the marks.
    smooth = np.convolve(np.pad(part, 12, mode="edge"), np.full(25, 1 / 25, np.float32), mode="valid")
    rough = part - smooth
    spread = float(rough.std())
    if spread < 3.0:
        return False
    rough = np.clip(rough, -2.5 * spread, 2.5 * spread)
    power = np.abs(np.fft.rfft(rough - rough.mean(), 2 * size)) ** 2
    raw = np.fft.irfft(power)[:size]
    lags = np.arange(size)
    related = raw / raw[0] * size / np.maximum(size - lags, 1)
    most = size // TICKS + 1
    inner = related[LEAST_PERIOD:most]
    if len(inner) < 3:
        return False
    below = int(np.argmax(related[:most] < 0.0))  # the first lag past the mark itself
    if below == 0:
        return False
    start = max(below, LEAST_PERIOD)
    if start >= most:
        return False
    peak = start + int(np.argmax(related[start:most]))
    if related[peak] < PEAK:
        return False
    near = slice(max(2 * peak - 2, 0), min(2 * peak + 3, size))
    return bool(related[near].max(initial=-1.0) > 0.75 * PEAK)
