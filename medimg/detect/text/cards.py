"""Cards and sheets of paper on which nothing, or little, was found.

Small or faded print far out of focus is no text to the finder, as a whole picture is looked at; the paper it stands on
is plain to see all the same. Paper is looked for as what is paler than all round it and has four straight sides, and
looked at by itself, along and across, at its own size and at half of it with its brightness spread out. Only three
rows of print that bear each other out count, so a dressing or a bar code on a sticker is left alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medimg.detect import Frame, Pixels
from medimg.detect.text._zoom import level, rows
from medimg.detect.text.labels import TRIO, Line
from medimg.detect.text.lines import Quad, area, axis, grown, shared, sides
from medimg.detect.text.ocr import Models, Spot
from medimg.native.opencv import cv2

SIZE = 480
"""Long side at which paper is looked for, in pixels."""
LEAST, MOST = 0.002, 0.15
"""Size of a card, as a share of the frame."""
LEAST_SIDE = 14
"""Its shorter side at :data:`SIZE`, in pixels."""
SLIM = 2.6
"""A card so many times as long as high, and more, is a ruler, a wristband or a bar code: other parts look at these."""
STRAIGHT, RECTANGLE = 0.92, 0.8
"""Least share of its convex outline that a card fills, and of the rectangle round it."""
LEVELS = 8
"""Brightnesses at which paper is told from what lies round it."""
CHROMA = 1.2
"""What colour takes away from paleness, both in units of CIELAB as 8 bits."""
FILLED = 0.12
"""A card with three lines and so much of it under them was read already."""
CARDS = 3
"""Cards looked at in one picture."""
USUAL = 2200
"""Long side of the frame in which a card is looked at in full size, in pixels; of a larger one it is made smaller."""
DRAWN_IN = 0.09
"""What a card is drawn in by, as a share of its shorter side, so that its own edge is no row."""
THICK, PARALLEL = 0.22, 0.94
"""Height of a row, as a share of the card's shorter side, and the cosine of what it may run aslant."""
VIEWS = tuple(
    (share, spread, turned) for share, spread in ((1.0, False), (0.57, True), (0.45, True)) for turned in (False, True)
)
"""Shares of that size, whether the brightness is spread out, whether the card is turned by a quarter."""


def unread(models: Models, frame: Frame, lines: Sequence[Line]) -> list[Spot]:
    """Rows of print on cards that hold few lines so far.

    Args:
        models: The networks.
        frame: The picture.
        lines: What was found and read.
    """
    out: list[Spot] = []
    left = CARDS
    for quad in cards(frame):
        on = [line.spot for line in lines if shared(quad, line.spot.quad) > 0.5 * area(line.spot.quad)]
        if not left or (len(on) >= TRIO and sum(area(s.quad) for s in on if s.score >= 0.5) >= FILLED * area(quad)):
            continue
        left -= 1
        inner = grown(quad, -DRAWN_IN * sides(quad)[1])
        cut, back = level(frame, inner, min(1.0, USUAL / max(frame.width, frame.height)))
        if cut is not None:
            there = [spot for spot in rows(models, frame, inner, VIEWS, cut, back) if _row(spot.quad, inner)]
            out += there if len(there) >= TRIO else []
    return out


def _row(quad: Quad, card: Quad) -> bool:
    """Whether a find is thin for its card and runs along one of its sides, as print does and hair does not."""
    way = abs(float(axis(quad) @ axis(card)))
    return sides(quad)[1] <= THICK * sides(card)[1] and (way >= PARALLEL or way <= (1 - PARALLEL**2) ** 0.5)


def cards(frame: Frame) -> list[Quad]:
    """Rectangles round what may be paper, the largest first, in pixels of the upright frame."""
    small, factor = frame.scaled(SIZE)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    pale = np.clip(lab[..., 0] - CHROMA * np.hypot(lab[..., 1] - 128, lab[..., 2] - 128), 0, 255)
    found: list[Quad] = []
    for plane in (pale, lab[..., 0]):
        # Print is closed over: what is left is the paper.
        paper = cv2.morphologyEx(plane, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
        low, high = np.percentile(paper, (10, 99.5))
        for least in np.linspace(low, high, LEVELS + 2)[1:-1]:
            found += _rectangles((paper > least).astype(np.uint8))
    found.sort(key=area, reverse=True)
    out: list[Quad] = []
    for quad in found:
        if not any(shared(quad, other) > 0.7 * area(quad) for other in out):
            out.append(quad)
    return [np.asarray(quad / factor, np.float32) for quad in out]


def _rectangles(there: Pixels) -> list[Quad]:
    outlines, _ = cv2.findContours(there, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    out = []
    for outline in outlines:
        size = cv2.contourArea(outline)
        if not LEAST * there.size < size < MOST * there.size:
            continue
        hull = cv2.convexHull(outline)
        (x, y), (across, down), angle = cv2.minAreaRect(hull)
        corners = len(cv2.approxPolyDP(hull, 0.03 * cv2.arcLength(hull, True), True))
        if (
            size >= STRAIGHT * cv2.contourArea(hull)
            and size >= RECTANGLE * across * down
            and corners in (4, 5)
            and min(across, down) >= LEAST_SIDE
            and max(across, down) < SLIM * min(across, down)
        ):
            out.append(np.asarray(cv2.boxPoints(((x, y), (across, down), angle)), np.float32))
    return out
