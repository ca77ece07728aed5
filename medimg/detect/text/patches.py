"""Colour cards: a grid of plain patches of many colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Pixels
from medimg.native.opencv import cv2

SIDE = 160
"""Longer side a box is brought to, in pixels."""
PLAIN = 6.0
"""Largest spread of brightness inside a patch, 0 to 255."""
PATCHES = 8
COLOURS = 5
APART = 25.0
"""Least distance of two colours that count as two, in CIE Lab units of OpenCV's 8-bit scale."""


def card(rgb: Pixels, quad: NDArray[np.float32]) -> bool:
    """Whether a box holds at least eight plain patches of like size and at least five colours.

    Args:
        rgb: The picture.
        quad: Corners of the box, clockwise.
    """
    (x, y), (across, down), angle = cv2.minAreaRect(quad.astype(np.float32))
    if min(across, down) < 16:
        return False
    factor = SIDE / max(across, down)
    width, height = max(16, round(across * factor)), max(16, round(down * factor))
    turn = cv2.getRotationMatrix2D((x, y), angle, 1.0)
    turn[:, 2] += np.array([across / 2 - x, down / 2 - y])
    shrunk = cv2.warpAffine(rgb, np.diag([factor, factor]) @ turn, (width, height), flags=cv2.INTER_AREA)
    lab = cv2.cvtColor(cv2.GaussianBlur(shrunk, (3, 3), 0), cv2.COLOR_RGB2LAB).astype(np.float32)
    mean = cv2.blur(lab, (5, 5))
    spread = np.sqrt(np.maximum(cv2.blur(lab * lab, (5, 5)) - mean * mean, 0)).max(axis=2)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((spread < PLAIN).astype(np.uint8), connectivity=4)
    total = width * height
    some = [k for k in range(1, count) if 0.003 * total < stats[k, cv2.CC_STAT_AREA] < 0.12 * total]
    # A patch fills its own upright box; a letter, a wound or a fold does not.
    some = [
        k for k in some if stats[k, cv2.CC_STAT_AREA] > 0.6 * stats[k, cv2.CC_STAT_WIDTH] * stats[k, cv2.CC_STAT_HEIGHT]
    ]
    if len(some) < PATCHES:
        return False
    sizes = np.array([stats[k, cv2.CC_STAT_AREA] for k in some], np.float32)
    alike = [k for k, size in zip(some, sizes, strict=True) if 0.45 < size / float(np.median(sizes)) < 2.2]
    if len(alike) < PATCHES:
        return False
    colours: list[NDArray[np.float32]] = []
    for k in alike:
        colour = np.median(lab[labels == k], axis=0)
        if all(float(np.linalg.norm(colour - other)) > APART for other in colours):
            colours.append(colour)
    return len(colours) >= COLOURS
