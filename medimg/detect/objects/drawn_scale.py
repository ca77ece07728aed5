"""The scale that a scanner or a dermoscope draws into its picture: level strokes, one like the next, evenly apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Pixels
from medimg.detect.objects.grounds import Points
from medimg.native.opencv import cv2

REACH = 14.0
"""How far from a find the strokes go on, in its longer side: of a single one that was found, four on either side."""
INK, LEAST_INK = 0.35, 24.0
"""Least difference of a stroke from the ground, as a share of the greatest in the find, and in levels of 256."""
SLENDER, FILLED = 0.34, 0.7
"""Most breadth of a stroke in its length, and least share of its box that is ink."""
DUST = 4
"""Most pixels of what is noise."""
LEAST = 5
"""Fewest strokes of a scale: no letters stand like that, and the strokes of bar codes differ."""
RINGING, RIM = 8, 4
"""How far round a stroke JPEG leaves traces (a block), and how far into a place its neighbours reach, in pixels."""
LOOSE, EVEN = 1.5, 0.06
"""How far the ends of strokes may be from one line, in pixels, and by how much of it a distance may differ."""

Boxes = NDArray[np.int32]
"""Left, top, width, height and ink of connected strokes, in pixels: (n, 5)."""


def strokes(rgb: Pixels, quad: Points) -> bool:
    """Whether a place shows nothing but strokes of such a scale.

    Args:
        rgb: The picture.
        quad: Corners of the place.
    """
    least, most = quad.min(axis=0), quad.max(axis=0)
    reach = REACH * float((most - least).max())
    x0, y0 = (max(0, int(v - reach)) for v in least)
    x1, y1 = (min(size, int(v + reach) + 1) for v, size in zip(most, (rgb.shape[1], rgb.shape[0]), strict=True))
    left, top, right, bottom = (round(float(v)) for v in (*(least - (x0, y0)), *(most - (x0, y0))))
    grey = cv2.cvtColor(np.ascontiguousarray(rgb[y0:y1, x0:x1]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    apart = grey - float(np.median(grey))
    here = apart[max(top, 0) : bottom + 1, max(left, 0) : right + 1]
    if not here.size:
        return False
    if -here.min() > here.max():  # dark on light
        apart, here = -apart, -here
    ink = (apart >= max(INK * float(here.max()), LEAST_INK)).astype(np.uint8)
    every = np.asarray(cv2.connectedComponentsWithStats(ink)[2][1:], np.int32)
    boxes = every[every[:, 4] > DUST]
    middle = boxes[:, :2] + boxes[:, 2:4] / 2
    inside = np.all((middle >= (left, top)) & (middle <= (right, bottom)), axis=1)
    found = [_scale(boxes[:, order], inside) for order in ((0, 1, 2, 3, 4), (1, 0, 3, 2, 4))]
    if not any(row.any() for row in found):
        return False
    # Fainter writing between the strokes is no ink beside them.
    rest = np.abs(apart)
    for x, y, wide, high, _ in boxes[found[0] | found[1]]:
        rest[max(y - RINGING, 0) : y + high + RINGING, max(x - RINGING, 0) : x + wide + RINGING] = 0
    inner = rest[max(top, 0) + RIM : bottom + 1 - RIM, max(left, 0) + RIM : right + 1 - RIM]
    return not inner.size or float(inner.max()) < LEAST_INK  # what stands beside the place may reach over its rim


def _scale(boxes: Boxes, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The level strokes of one scale, if everything inside is of them; the others may lie outside."""
    start, at, long, thick, ink = boxes.T
    level = (thick <= SLENDER * long) & (ink >= FILLED * long * thick)
    none = np.zeros_like(inside)
    if not inside.any() or not level[inside].all():
        return none
    usual = float(np.median(thick[inside]))
    alike = level & (np.abs(thick - usual) <= max(1.0, SLENDER * usual))
    if not alike[inside].all():
        return none
    ends = (start, start + long, start + long / 2)
    rows = (alike & (np.abs(end - np.median(end[inside])) <= LOOSE) for end in ends)
    return next((row for row in rows if _even(at + thick / 2, row, inside)), none)


def _even(at: NDArray[np.float64], row: NDArray[np.bool_], inside: NDArray[np.bool_]) -> bool:
    """Whether strokes in a row, among them everything inside, are enough and evenly apart."""
    if not row[inside].all() or row.sum() < LEAST:
        return False
    order = np.argsort(at[row])
    places, own = at[row][order], inside[row][order]
    gaps = np.diff(places)
    first, last = int(np.argmax(own)), len(own) - 1 - int(np.argmax(own[::-1]))
    near = gaps[max(first - 1, 0) : last + 1]
    pitch = float(np.median(near))
    even = np.abs(gaps - pitch) <= LOOSE + EVEN * pitch
    while first > 0 and even[first - 1]:
        first -= 1
    while last < len(gaps) and even[last]:
        last += 1
    return last - first + 1 >= LEAST and bool(even[first:last].all())
