"""A plain grey field in an outline: a grey card, by which white is balanced, with writing on its pale margin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medimg.detect.objects.grounds import Picture, Points
from medimg.native.opencv import cv2

COLOURLESS = 12.0
"""Most colour of a grey field, CIELAB as 8 bits: lamps tint it."""
EVEN = 12.0
"""Most that its brightness differs from its usual one, in the same."""
DARKER = 45.0
"""How much darker it is than the paper round it, in the same. Grey cards give back a fifth of what white paper does,
which is 100 and more below white; a shadow on a label falls softly, and seldom takes so much."""
LEAST = 0.3
"""Least share of an outline that is a grey field; the fields of a step wedge are each less."""
FILLED = 0.9
"""Least share of the rectangle round it that it fills."""


def inside(picture: Picture, outline: Points, finds: Sequence[Points]) -> bool:
    """Whether a plain grey rectangle, with nothing on it, is a large part of an outline.

    Args:
        picture: The small picture.
        outline: Of what may be one thing, (n, 2), in its pixels.
        finds: What was found there, (4, 2) each.
    """
    place, mask = picture.within(outline)
    lab, there = picture.lab[place], mask > 0
    light = lab[..., 0]
    colour = np.hypot(lab[..., 1] - 128, lab[..., 2] - 128)
    paper = float(np.percentile(light[there], 90))
    grey = there & (colour <= COLOURLESS) & (light <= paper - DARKER)
    if grey.sum() < LEAST * there.sum():
        return False
    usual = float(np.median(light[grey]))
    field = (grey & (np.abs(light - usual) <= EVEN)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(field, connectivity=4)
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA])) if len(stats) > 1 else 0
    own = (labels == largest).astype(np.uint8)
    if not largest or own.sum() < LEAST * there.sum():
        return False
    points = np.ascontiguousarray(np.argwhere(own)[:, ::-1]).astype(np.float32)
    rectangle = cv2.minAreaRect(cv2.convexHull(points))
    corner = np.asarray((place[1].start, place[0].start), np.float32)
    free = all(cv2.intersectConvexConvex(cv2.boxPoints(rectangle) + corner, quad)[0] <= 0 for quad in finds)
    # A field of pixels is one wider and higher than the distance of their middles.
    return free and float(own.sum()) >= FILLED * (rectangle[1][0] + 1) * (rectangle[1][1] + 1)
