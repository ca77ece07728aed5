"""Wounds and empty cards that the finder takes for large print."""

from __future__ import annotations

import numpy as np

from medimg.detect import Pixels
from medimg.detect.text.lines import Quad
from medimg.native.opencv import cv2

SIDE = 64
"""Length of the box as it is looked at, in pixels."""
ABOUT = 8
"""Pixels round a box that are made soft with it, more than the filter reaches."""
REDDER = 10.0
"""Least difference of a wound from what lies round it along the red and green axis of CIELAB."""
RED = 143.0
"""Least of a wound itself on that axis, as 8 bits; 128 is grey."""
LARGE = 0.4
"""Least share of its box that a wound fills. Of a letter less is ink."""
ROUND = 0.86
"""Most of the rectangle round it that a wound fills; a red sticker, which may be written on, fills more."""

MIDDLE = (0.3, 0.7), (0.15, 0.85)
"""The part of a box that large print crosses and an empty card's edges do not, as shares of its height and length."""
INK, INKED = 24.0, 0.03
"""Least difference of ink from its ground, in 8 bits of brightness, and the least share of the middle that it fills."""


def wound(rgb: Pixels, quad: Quad) -> bool:
    """Whether a box holds one red, rounded blot.

    Args:
        rgb: (H, W, 3) uint8.
        quad: The box, corners clockwise.
    """
    red = cv2.cvtColor(_cut(rgb, quad), cv2.COLOR_RGB2LAB)[..., 1].astype(np.float32)
    rim = np.concatenate([red[:4].ravel(), red[-4:].ravel(), red[:, :4].ravel(), red[:, -4:].ravel()])
    least = max(RED, float(np.median(rim)) + REDDER)
    blot = cv2.morphologyEx((red > least).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    outlines, _ = cv2.findContours(blot, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = max(outlines, key=cv2.contourArea, default=None)
    if outline is None:
        return False
    size = float(cv2.contourArea(outline))
    _, (across, down), _ = cv2.minAreaRect(outline)
    return size >= LARGE * SIDE * SIDE and size < ROUND * across * down


def inked(rgb: Pixels, quad: Quad) -> bool:
    """Whether something darker or brighter than its ground crosses the middle of a box.

    Args:
        rgb: (H, W, 3) uint8.
        quad: The box, corners clockwise.
    """
    bright = cv2.cvtColor(_cut(rgb, quad), cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32)
    quad = np.asarray(quad, np.float32)
    upright = float(np.hypot(*(quad[1] - quad[0]))) < float(np.hypot(*(quad[2] - quad[1])))
    (top, bottom), (left, right) = MIDDLE[::-1] if upright else MIDDLE
    middle = bright[round(top * SIDE) : round(bottom * SIDE), round(left * SIDE) : round(right * SIDE)]
    return bool((np.abs(middle - np.median(middle)) > INK).mean() >= INKED)


def _cut(rgb: Pixels, quad: Quad) -> Pixels:
    quad = np.asarray(quad, np.float32)
    corners = np.array([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]], np.float32)
    # What lies about the box is enough: the whole of a large photo would be made anew for every box.
    height, width = rgb.shape[:2]
    x0, y0 = np.clip(np.floor(quad.min(axis=0)).astype(int) - ABOUT, 0, [width - 1, height - 1])
    x1, y1 = np.clip(np.ceil(quad.max(axis=0)).astype(int) + ABOUT, 1, [width, height])
    soft = cv2.blur(rgb[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)], (5, 5))
    matrix = cv2.getPerspectiveTransform(quad, corners) @ np.array([[1, 0, x0], [0, 1, y0], [0, 0, 1]], np.float64)
    cut = cv2.warpPerspective(soft, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)
