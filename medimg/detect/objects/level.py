"""Places made level, and whether one is a row of strokes at one distance: the ticks of a scale, which are no bars."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Frame, Pixels
from medimg.detect.objects import marks
from medimg.native.opencv import cv2

Grey = NDArray[np.float32]
LONG = 384
"""Longer side that a place is shrunk to, in pixels; a smaller one is not enlarged."""
EVEN = 41
"""Pixels over which a row's ground is taken for even."""
LEAST_TICKS, STEADY, EVERY, WEAK = 10, 0.08, 0.9, 0.3
"""So many strokes at one distance, which differs by no more than this share of it, are a scale where so many of them
reach one side: the bars of a code stand at distances of two and three modules and more, so that theirs differ by a
third. A stroke is as dark as this share of the darkest."""


def level(rgb: Pixels, corners: NDArray[np.float32]) -> Pixels:
    """A place with its longer side level, no longer than :data:`LONG`, (h, w, 3)."""
    (cx, cy), (wide, high), angle = cv2.minAreaRect(corners)
    if high > wide:
        wide, high, angle = high, wide, angle + 90
    wide, high = max(wide, 2.0), max(high, 2.0)
    factor = min(1.0, LONG / wide)
    w, h = max(round(wide * factor), 2), max(round(high * factor), 2)
    turn = cv2.getPerspectiveTransform(
        cv2.boxPoints(((cx, cy), (wide, high), angle)), np.asarray(((0, h), (0, 0), (w, 0), (w, h)), np.float32)
    )
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpPerspective(rgb, turn, (w, h), flags=how, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def there(frame: Frame, corners: NDArray[np.float32]) -> Pixels:
    """A place of a frame, level, as the finest look of the network of marks shows it; corners in full-size pixels."""
    pixels, factor = frame.scaled(marks.FINE)
    return level(pixels, corners * factor)


def comb(part: Pixels) -> bool:
    """Whether a place that lies level is a row of strokes at one distance, across or along: the ticks of a scale."""
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return _ticked(grey) or _ticked(np.ascontiguousarray(grey.T))


def _ticked(grey: Grey) -> bool:
    line = _strokes(grey, 0.25, 0.75)
    dark = np.concatenate(([False], line > WEAK * float(np.percentile(line, 98)), [False])).astype(np.int8)
    starts, ends = np.flatnonzero(np.diff(dark) == 1), np.flatnonzero(np.diff(dark) == -1)
    if len(starts) < LEAST_TICKS:
        return False
    at = np.array([np.average(np.arange(a, b), weights=line[a:b]) for a, b in zip(starts, ends, strict=True)])
    apart = np.diff(at)
    if float(apart.std()) > STEADY * float(apart.mean()):
        return False
    # The bars of postal codes stand at one distance too, and go up or down as their digits say.
    sides = [_strokes(grey, *part)[np.round(at).astype(int)] for part in ((0.12, 0.3), (0.7, 0.88))]
    return any(float((side > WEAK * float(np.median(line[dark[1:-1] > 0]))).mean()) >= EVERY for side in sides)


def _strokes(grey: Grey, start: float, end: float) -> NDArray[Any]:
    """How dark each column is for what is beside it, in the rows from one share of the height to another."""
    rows = grey[int(start * len(grey)) : max(int(end * len(grey)), int(start * len(grey)) + 1)]
    return -even(rows.mean(axis=0))


def even(line: NDArray[Any], near: int = EVEN) -> NDArray[Any]:
    """A row without what is slower than so many pixels."""
    return np.asarray(line - cv2.blur(line[None], (near, 1))[0])
