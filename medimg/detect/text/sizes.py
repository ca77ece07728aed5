"""At which sizes a picture is looked at, and in how many pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from medimg.detect import Frame, Pixels, changes
from medimg.detect.answers import Answers
from medimg.detect.text.letters import SLIM, SMALL
from medimg.detect.text.ocr import FINDER, Models, Spot
from medimg.native.opencv import cv2

LEAST_SCORE = 0.5
WEAKEST = 0.3
"""A place between this and :data:`LEAST_SCORE` counts only when a closer look finds text in it."""
SHARPEN_RADIUS = 2.0
SHARPEN = 1.5
CLIP, TILES = 4.0, (8, 8)
"""Of the contrast that is made alike (CLAHE): how far, and in how many parts. On a drawn label in shade the text finder
finds nothing at 640, 1200 or 1600 pixels without it, and its lines with it."""


class Look:
    """One size at which the frame is looked at."""

    def __init__(self, pieces: Sequence[tuple[Pixels, float, float]], factor: float, *, size: int = 0) -> None:
        self._pieces = pieces
        self._factor = factor
        self._size = size

    def spots(self, models: Models, answers: Answers) -> Iterator[Spot]:
        """Places that look like text, in upright full-size coordinates."""
        for n, (pixels, x, y) in enumerate(self._pieces):
            question = (FINDER, WEAKEST, self._size, n)
            ask = partial(models.detect, least=WEAKEST)
            for spot in changes.places(answers, question, pixels, ask, _bounds, _moved):
                moved = (spot.quad + np.array([x, y], np.float32)) / self._factor
                yield Spot(moved.astype(np.float32), spot.score)


def _bounds(spot: Spot) -> changes.Bounds:
    (x0, y0), (x1, y1) = spot.quad.min(axis=0), spot.quad.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _moved(spot: Spot, x: int, y: int) -> Spot:
    return spot._replace(quad=spot.quad + np.array([x, y], np.float32))


def looks(frame: Frame, sizes: Sequence[int]) -> list[Look]:
    """The looks to take, the finest first; sizes the picture does not have fall together."""
    longest, shortest = max(frame.width, frame.height), min(frame.width, frame.height)
    if longest > SLIM * shortest:
        return [_slim(frame, max(sizes))]
    out: list[Look] = []
    for size in sorted({min(size, longest) for size in sizes}, reverse=True):
        pixels, factor = frame.scaled(size)
        if not out:
            # The look at the copy sees it in another way than the one before, not only at another size.
            pixels = sharpened(pixels) if len(sizes) > 1 else evened(pixels)
        out.append(Look([(pixels, 0.0, 0.0)], factor, size=size))
    if longest < SMALL:
        double = cv2.resize(frame.rgb, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        out.insert(0, Look([(np.asarray(double, np.uint8), 0.0, 0.0)], 2.0, size=2 * longest))
    return out


def sharpened(rgb: Pixels) -> Pixels:
    """Edges drawn clearer, for print that is out of focus.

    Measured on drawn scenes: of the lines with 8 to 12 pixel letters, low contrast or blur 82 % are found instead of
    76 %, at no more false places on wound photographs.
    """
    blurred = cv2.GaussianBlur(rgb, (0, 0), SHARPEN_RADIUS)
    return np.asarray(cv2.addWeighted(rgb, 1 + SHARPEN, blurred, -SHARPEN, 0), np.uint8)


def evened(rgb: Pixels) -> Pixels:
    """Contrast made alike everywhere, for faint print in shade and in glare."""
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)
    lab[..., 0] = cv2.createCLAHE(CLIP, TILES).apply(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def _slim(frame: Frame, size: int) -> Look:
    rgb = frame.rgb
    factor = min(1.0, size / (SLIM * min(frame.width, frame.height)))
    if factor < 1:
        rgb = np.asarray(cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
    height, width = rgb.shape[:2]
    high = min(height, width)
    # Pieces overlap by three times the shorter side, so that no word is cut in all of them.
    length = max(SMALL, round(SLIM * high))
    step = length - 3 * high
    ends = range(0, max(1, max(height, width) - 3 * high), step)
    if width >= height:
        pieces = [(np.ascontiguousarray(rgb[:, a : a + length]), float(a), 0.0) for a in ends]
    else:
        pieces = [(np.ascontiguousarray(rgb[a : a + length]), 0.0, float(a)) for a in ends]
    return Look(pieces, factor, size=size)
