"""Wounds that the finder takes for one large sign."""

from __future__ import annotations

import numpy as np

from medimg.detect import Pixels
from medimg.detect.text.lines import Quad
from medimg.native.opencv import cv2

SIDE = 64
"""Length of the box as it is looked at, in pixels."""
REDDER = 10.0
"""Least difference of a wound from what lies round it along the red and green axis of CIELAB."""
RED = 143.0
"""Least of a wound itself on that axis, as 8 bits; 128 is grey."""
LARGE = 0.4
"""Least share of its box that a wound fills. Of a letter less is ink."""
ROUND = 0.86
"""Most of the rectangle round it that a wound fills; a red sticker, which may be written on, fills more."""


def wound(rgb: Pixels, quad: Quad) -> bool:
    """Whether a box holds one red, rounded blot.

    Args:
        rgb: (H, W, 3) uint8.
        quad: The box, corners clockwise.
    """
    corners = np.array([[0, 0], [SIDE, 0], [SIDE, SIDE], [0, SIDE]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.asarray(quad, np.float32), corners)
    cut = cv2.warpPerspective(cv2.blur(rgb, (5, 5)), matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
    red = cv2.cvtColor(np.asarray(cut, np.uint8), cv2.COLOR_RGB2LAB)[..., 1].astype(np.float32)
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
