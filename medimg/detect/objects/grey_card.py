"""A plain grey field in an outline: a grey card, by which white is balanced, with writing on its pale margin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medimg.detect.objects.grounds import Picture, Points
from medimg.native.opencv import cv2

COLOURLESS = 12.0
"""Most colour of a grey field, CIELAB as 8 bits: lamps tint it."""
EDGE = 14.0
"""Least step of a colour channel at which a field ends, in the same."""
DARKER = 45.0
"""How much darker it is than the paper round it, in the same. Grey cards give back a fifth of what white paper does,
which is 100 and more below white; a shadow on a label falls softly, and seldom takes so much."""
FIELD, LEAST = 0.1, 0.3
"""Least share of an outline that one field is, and that all of them are."""
FILLED = 0.85
"""Least share of the rectangle round a field that it fills."""


def inside(picture: Picture, outline: Points, finds: Sequence[Points]) -> bool:
    """Whether plain grey rectangles, with nothing on them, are a large part of an outline.

    Args:
        picture: The small picture.
        outline: Of what may be one thing, (n, 2), in its pixels.
        finds: What was found there, (4, 2) each.
    """
    place, mask = picture.within(outline)
    lab, there = picture.lab[place], mask > 0
    colour = np.hypot(lab[..., 1] - 128, lab[..., 2] - 128)
    paper = float(np.percentile(lab[..., 0][there], 90))
    grey = there & (colour <= COLOURLESS) & (lab[..., 0] <= paper - DARKER) & (picture.edges[place] < EDGE)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(grey.astype(np.uint8), connectivity=4)
    corner = np.asarray((place[1].start, place[0].start), np.float32)
    fields = [k for k in range(1, len(stats)) if stats[k, cv2.CC_STAT_AREA] >= FIELD * there.sum()]
    plain = [k for k in fields if _plain(labels == k, [quad - corner for quad in finds])]
    return bool(sum(int(stats[k, cv2.CC_STAT_AREA]) for k in plain) >= LEAST * there.sum())


def _plain(own: NDArray[np.bool_], finds: Sequence[Points]) -> bool:
    """Whether a field is a rectangle on which nothing was found."""
    points = np.ascontiguousarray(np.argwhere(own)[:, ::-1]).astype(np.float32)
    rectangle = cv2.minAreaRect(cv2.convexHull(points))
    # A field of pixels is one wider and higher than the distance of their middles.
    size = (rectangle[1][0] + 1) * (rectangle[1][1] + 1)
    free = all(cv2.intersectConvexConvex(cv2.boxPoints(rectangle), quad)[0] <= 0 for quad in finds)
    return free and float(own.sum()) >= FILLED * size
