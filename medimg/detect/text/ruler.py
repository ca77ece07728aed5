"""Measuring scales and colour cards: what may never be covered as a whole.

A detector of text sees a ruler as one long unreadable word. What tells it apart is that its marks repeat: the
brightness along a tick row correlates with itself at one distance all the way, while letters, bar codes and skin do
not. Numerals in line, rising in equal steps, are a scale too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Pixels
from medimg.native.opencv import cv2
from medimg.types import Polygon

STRIP = 64
"""Height a strip is brought to before it is looked at, in pixels."""
LONGEST_STRIP = 2400
BANDS = 8
LEAST_PERIOD = 4
PEAK = 0.7
"""Least autocorrelation at the period of a tick row; measured: bar codes and text lie below 0.4 nearly always."""
CLOSE = 0.28
"""Longest period, as a share of the strip's height: letters and figures follow each other at 0.35 and more."""
CORNERS = ((-1, -1), (1, -1), (1, 1), (-1, 1))
TICKS = 6
"""Least number of marks in a window."""
MOST_SCALES = 6
DIVISIONS = (10, 5, 16, 8, 4, 2, 6.3, 3.15, 3.94)
"""Into how many parts the distance of two numerals is divided: millimetres, halves to sixteenths of an inch, and
sixteenths, eighths and tenths of an inch on the other side of a ruler in centimetres."""
FINEST = (10, 16)
"""Divisions finer than letters stand, for numerals that are not sure to be a scale."""
EVEN = 0.55
"""Least autocorrelation at such a division."""
MARKS = 16
"""Least number of marks in all: the strokes of letters (as in *William*) keep one distance for a dozen at most."""


LEAST = 3
"""Least figures of a scale."""
COARSE = (20, 25, 50, 100, 200, 250, 500)
"""Steps of a scale's figures besides those up to 10, all of them multiples of it: of jugs, bags and bottles."""


class Numeral(NamedTuple):
    """A number that was read: its value, middle, and the height of its line, in pixels."""

    value: float
    x: float
    y: float
    height: float


class Scale(NamedTuple):
    """Numerals in line: which, one of them, and the way from a value to the next higher one, in pixels."""

    on: tuple[int, ...]
    first: Numeral
    dx: float
    dy: float

    @property
    def pitch(self) -> float:
        """Pixels for a step of one."""
        return math.hypot(self.dx, self.dy)

    def along(self, x: float, y: float) -> tuple[float, float]:
        """A place in steps along the scale (its value there) and in pixels beside it."""
        u, v = x - self.first.x, y - self.first.y
        step = (u * self.dx + v * self.dy) / max(self.pitch, 1e-6) ** 2
        return self.first.value + step, (v * self.dx - u * self.dy) / max(self.pitch, 1e-6)


def ticked(rgb: Pixels, polygon: Polygon | NDArray[np.float32]) -> float:
    """How much of a strip's length is a row of ticks, 0 to 1.

    Args:
        rgb: The picture.
        polygon: Four corners, clockwise; the longer side is the direction looked along.
    """
    return _ticked(rgb, np.asarray(polygon, np.float32), CLOSE, MARKS)


def beside_ticks(rgb: Pixels, quad: NDArray[np.float32]) -> bool:
    """Whether a row of ticks runs past a numeral, along its line or across it.

    Args:
        rgb: The picture.
        quad: Corners of the numeral.
    """
    x, y = quad.mean(axis=0)
    along, across = quad[1] - quad[0], quad[3] - quad[0]
    high = min(float(np.hypot(*along)), float(np.hypot(*across)))
    for side in (along, across):
        way = side / max(float(np.hypot(*side)), 1e-6)
        turned = np.array([-way[1], way[0]])
        # Numerals stand beside the long ticks, so the short ones are up to two lines away; the first and the last
        # numeral have ticks on one side of them only.
        for shift, ahead in ((s, a) for s in (-1.0, 1.0, -2.0, 2.0, 0.0) for a in (0.0, -4.5, 4.5)):
            middle = np.array([x, y]) + turned * shift * high + way * ahead * high
            near = [middle + a * way * 5 * high + b * turned * 0.8 * high for a, b in CORNERS]
            if _ticked(rgb, np.array(near, np.float32), 2 * CLOSE, MARKS - 4) >= 0.75:
                return True
    return False


def _ticked(rgb: Pixels, quad: NDArray[np.float32], close: float, marks: int) -> float:
    level = strip(rgb, quad)
    if level is None:
        return 0.0
    longest = close * STRIP * level.shape[1] / _length(quad, level.shape[1])
    return max(_shares(_bands(level), longest, marks))


def _length(quad: NDArray[np.float32], width: int) -> float:
    """What the strip's width would be without a limit, so that periods can be compared with its height."""
    a, b = math.dist(quad[0], quad[1]), math.dist(quad[1], quad[2])
    return max(a, b) * STRIP / max(min(a, b), 1e-6) if width else 1.0


def scale(numerals: Sequence[Numeral]) -> list[int]:
    """Which numerals lie on a scale: at least three in line, rising (or falling) in steps that fit their distance."""
    return sorted({k for found in _rows(numerals) for k in found.on})


def scales(numerals: Sequence[Numeral]) -> list[Scale]:
    """The scales with the most numerals, at most :data:`MOST_SCALES`; no two share more than half of theirs."""
    out: list[Scale] = []
    for found in sorted(_rows(numerals), key=lambda row: -len(row.on)):
        if all(2 * len(set(found.on) & set(other.on)) <= len(found.on) for other in out):
            out.append(found)
        if len(out) == MOST_SCALES:
            break
    return out


def _rows(numerals: Sequence[Numeral]) -> list[Scale]:
    """Every set of numerals that two of them agree on, with at least three values."""
    best: dict[tuple[int, ...], Scale] = {}
    count = len(numerals)
    # Two numerals fix where every other value of their scale must stand.
    for i in range(count):
        for j in range(count):
            a, b = numerals[i], numerals[j]
            step = b.value - a.value
            counts = 0 < step <= 10 or (step in COARSE and a.value % step == 0)
            if i == j or not counts or not 0.5 < a.height / max(b.height, 1e-6) < 2:
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
            if len({numerals[k].value for k in on}) >= LEAST:
                best.setdefault(tuple(sorted(on)), Scale(tuple(sorted(on)), a, dx, dy))
    return list(best.values())


def pairs(rgb: Pixels, numerals: Sequence[Numeral]) -> list[Scale]:
    """Two numerals of a scale whose others were not found: their distance is divided evenly by ticks beside them."""
    out = []
    for i, a in enumerate(numerals):
        for j, b in enumerate(numerals):
            step = b.value - a.value
            if not 0 < step <= 5 or not 0.6 < a.height / max(b.height, 1e-6) < 1.6:
                continue
            dx, dy = (b.x - a.x) / step, (b.y - a.y) / step
            if not 0.8 * a.height < math.hypot(dx, dy) * step < 16 * a.height:
                continue
            found = Scale((i, j), a, dx, dy)
            if any(divided(rgb, quad, found.pitch, FINEST) >= EVEN for quad in _beside(found, a, step)):
                out.append(found)
    return out


def _beside(found: Scale, a: Numeral, step: float) -> list[NDArray[np.float32]]:
    """Strips along a scale, on both sides of two numerals."""
    way = np.array([found.dx, found.dy]) / found.pitch
    turned = np.array([-way[1], way[0]])
    start = np.array([a.x, a.y]) - way * 0.6 * found.pitch
    end = np.array([a.x, a.y]) + way * (step + 0.6) * found.pitch
    out = []
    for near in (-3.0, -2.0, -1.2, 0.6, 1.4, 2.4):
        low, top = turned * near * a.height, turned * (near + 0.7) * a.height
        out.append(np.array([start + low, end + low, end + top, start + top], np.float32))
    return out


def divided(rgb: Pixels, quad: NDArray[np.float32], pitch: float, divisions: Sequence[float] = DIVISIONS) -> float:
    """How clearly a strip repeats at a small division of a scale: the autocorrelation there, 0 to 1.

    With the pitch known a few ticks are enough, where :func:`ticked` needs many.

    Args:
        rgb: The picture.
        quad: Corners of the strip; its longer side runs along the scale.
        pitch: Distance of two numerals that differ by one, in pixels.
        divisions: Into how many parts that may be divided.
    """
    level = strip(rgb, quad)
    if level is None:
        return 0.0
    long = max(math.dist(quad[0], quad[1]), math.dist(quad[1], quad[2]))
    best = 0.0
    bands, size = _bands(level), level.shape[1]
    for parts in divisions:
        lag = pitch / parts * size / long
        if lag < 3 or 4 * lag > size:
            continue
        for related in _related(bands, max(6, round(1.2 * lag)))[1]:
            peak = float(related[int(lag * 0.88) : math.ceil(lag * 1.12) + 1].max())
            between = float(related[round(lag * 0.4) : round(lag * 0.6) + 1].min())
            twice = float(related[int(lag * 1.8) : math.ceil(lag * 2.2) + 1].max())
            if between < 0:
                best = max(best, min(peak, twice * 1.2))
    return best


def strip(rgb: Pixels, quad: NDArray[np.float32]) -> NDArray[np.float32] | None:
    """A place made level, in grey, (:data:`STRIP`, width), its longer side across; None where it is next to square.

    Args:
        rgb: The picture.
        quad: Its corners.
    """
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
    part = rgb[y0 : max(y1, 0), x0 : max(x1, 0)]
    shrink = width / across
    if min(part.shape[:2]) < 8 or min(part.shape[:2]) * shrink < 2:  # next to nothing of it is in the picture
        return None
    # Of a very large place every second, third ... pixel is enough: thirty strips may be cut for one numeral.
    step = max(1, int(0.5 / shrink))
    grey = cv2.cvtColor(np.ascontiguousarray(part[::step, ::step]), cv2.COLOR_RGB2GRAY)
    if shrink < 0.6:
        rest = shrink * step
        grey = cv2.resize(grey, None, fx=rest, fy=rest, interpolation=cv2.INTER_AREA)
    else:
        shrink = 1.0
    inside = ((quad - np.array([x0, y0])) * shrink).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(inside, corners)
    out = cv2.warpPerspective(grey, matrix, (width, STRIP), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cast("NDArray[np.float32]", out.astype(np.float32))


def _bands(level: NDArray[np.float32]) -> NDArray[np.float32]:
    return cast("NDArray[np.float32]", level.reshape(BANDS, STRIP // BANDS, -1).mean(axis=1))


def _shares(bands: NDArray[np.float32], longest: float, marks: int) -> list[float]:
    """Share of the windows along each profile that repeat, at a period that changes slowly if at all (perspective)."""
    length = bands.shape[1]
    window = min(length, max(96, length // 4, round((TICKS + 0.5) * longest)))
    starts = range(0, max(1, length - window + 1), max(1, window // 2))
    parts = np.concatenate([bands[:, start : start + window] for start in starts])
    found = _periods(parts, longest).reshape(len(starts), len(bands)).T.tolist()
    out = []
    for periods in found:
        usual = median([p for p in periods if p] or [0.0])
        some = sum(1 for p in periods if p and abs(p - usual) <= 0.2 * usual)
        out.append(some / len(periods) if length >= marks * usual else 0.0)
    return out


def _periods(parts: NDArray[np.float32], longest: float) -> NDArray[np.float64]:
    """The distance at which each profile repeats, in pixels; 0 when it does not."""
    size = parts.shape[1]
    out = np.zeros(len(parts))
    if size < LEAST_PERIOD * TICKS:
        return out
    rows, related = _related(parts, max(12, round(0.75 * longest)))
    most = min(size // TICKS, int(longest)) + 1
    below = np.argmax(related[:, :most] < 0.0, axis=1)  # the first lag past the mark itself
    start = np.maximum(below, LEAST_PERIOD)
    beyond = np.where(np.arange(most) < start[:, None], -np.inf, related[:, :most])
    peaks, heights = beyond.argmax(axis=1), beyond.max(axis=1)
    for n in np.flatnonzero((below > 0) & (start + 2 <= most) & (heights >= PEAK)):
        peak = int(peaks[n])
        # What repeats once repeats again: twice and three times as far.
        again = (related[n, max(times * peak - times, 0) : min(times * peak + times + 1, size)] for times in (2, 3))
        if all(near.max(initial=-1.0) >= least * PEAK for near, least in zip(again, (0.8, 0.65), strict=True)):
            out[rows[n]] = peak
    return out


def _related(parts: NDArray[np.float32], half: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Autocorrelation of profiles without what is slower than ``2 half`` pixels: which are not flat, and theirs."""
    size = parts.shape[1]
    # Shading and shadow are slower than the marks.
    rough = parts - cv2.blur(parts, (2 * half + 1, 1), borderType=cv2.BORDER_REPLICATE)
    spread = rough.std(axis=1)
    rows = np.flatnonzero(spread >= 3.0)
    limit = (2.5 * spread[rows, None].astype(np.float64)).astype(np.float32)
    rough = np.clip(rough[rows], -limit, limit)
    # A length with small factors; what it has more than twice the profile's are zeros.
    length = cv2.getOptimalDFTSize(2 * size)
    length += length % 2
    power = np.abs(np.fft.rfft(rough - rough.mean(axis=1, keepdims=True), length)) ** 2
    raw = np.fft.irfft(power, length)[:, :size]
    return rows, raw / raw[:, :1] * size / np.maximum(size - np.arange(size), 1)
