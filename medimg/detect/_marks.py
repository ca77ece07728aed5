"""What a small network sees at a glance: bar codes, 2-D codes, rulers, colour cards and print.

It is this project's own, trained on drawn pictures (``benchmarks/marks_train.py``); for every square of four pixels it
says how likely each of :data:`CLASSES` lies there. A picture is looked at coarsely as a whole, and finely where the
coarse look saw print or a code. The codes check takes its candidates from it, the text check its rulers.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from medimg._opencv import cv2
from medimg.detect import Frame, Pixels, _weights

CLASSES = ("bar code", "2-D code", "ruler", "colour card", "text")
BAR, MATRIX, RULER, CARD, TEXT = range(5)
STRIDE = 4
"""Pixels of the picture to a square of the map."""
MULTIPLE = 32
"""What the network needs its sides to be multiples of, in pixels."""
COARSE = (1200, 400, 140)
"""Longer sides of the looks at the whole picture, in pixels: a code is seen where its modules are 0.8 to 8 pixels."""
FINE = 2400
"""Longer side of the look at parts, in pixels."""
TILE, MARGIN = 320, 32
"""Side of such a part and how much of its rim is looked at for the sake of the rest, in pixels."""
PROMISING = 0.1
"""Least likelihood of a code or of print in the coarse look for a fine look there."""

Map = NDArray[np.float32]
"""float32, (5, h, w): likelihoods, 0 to 1, of :data:`CLASSES`."""


class View(NamedTuple):
    """One look: the map, and pixels of the full-size frame to one square of it (across, down)."""

    marks: Map
    across: float
    down: float


class Network:
    """The network.

    Raises:
        MissingPart: The weights are not there or were changed.
    """

    def __init__(self) -> None:
        self._session, digest = _weights.session("marks")
        self.version = f"marks {digest[:8]}"

    def see(self, picture: Pixels) -> Map:
        """The map of a picture, (H, W, 3) with sides that are multiples of 32."""
        given = np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)[None]
        said = np.asarray(self._session.run(None, {"picture": given})[0], np.float32)[0]
        return np.asarray(1 / (1 + np.exp(-np.clip(said, -30, 30))), np.float32)


@functools.lru_cache(maxsize=1)
def network() -> Network:
    """The network, loaded once in a process; its calls may come from several threads.

    Raises:
        MissingPart: As for :class:`Network`.
    """
    return Network()


def views(frame: Frame) -> list[View]:
    """The looks at a frame, the finest first; made once, whoever asks for them."""
    return cast("list[View]", frame.once("marks", lambda: list(_views(frame))))


def _views(frame: Frame) -> Iterator[View]:
    longest = max(frame.width, frame.height)
    coarse = []
    for size in sorted({min(size, longest) for size in COARSE}, reverse=True):
        pixels, _ = frame.scaled(size)
        coarse.append(View(_whole(pixels), *_squares(frame, pixels)))
    if longest > COARSE[0]:
        pixels, _ = frame.scaled(min(FINE, longest))
        yield View(_parts(pixels, coarse[0].marks), *_squares(frame, pixels))
    yield from coarse


def _squares(frame: Frame, pixels: Pixels) -> tuple[float, float]:
    height, width = pixels.shape[:2]
    return STRIDE * frame.width / width, STRIDE * frame.height / height


def _whole(pixels: Pixels) -> Map:
    height, width = pixels.shape[:2]
    high, wide = -(-height // MULTIPLE) * MULTIPLE, -(-width // MULTIPLE) * MULTIPLE
    padded = cv2.copyMakeBorder(pixels, 0, high - height, 0, wide - width, cv2.BORDER_REPLICATE)
    seen = network().see(np.asarray(padded, np.uint8))
    return seen[:, : -(-height // STRIDE), : -(-width // STRIDE)]


def _parts(pixels: Pixels, coarse: Map) -> Map:
    """The fine map, with nothing where the coarse one promises nothing."""
    height, width = pixels.shape[:2]
    step = TILE - 2 * MARGIN
    rows, columns = -(-height // step), -(-width // step)
    hope = np.maximum(coarse[TEXT], np.maximum(coarse[BAR], coarse[MATRIX]))
    # The most promising square of every part and its rim.
    wide = cv2.dilate(hope, np.ones((2 * MARGIN // STRIDE + 1,) * 2, np.uint8))
    out = np.zeros((len(CLASSES), -(-height // STRIDE), -(-width // STRIDE)), np.float32)
    scale = hope.shape[1] / out.shape[2]
    wanted = []
    for r in range(rows):
        for c in range(columns):
            y, x = (slice(int(k * step / STRIDE * scale), int((k + 1) * step / STRIDE * scale) + 1) for k in (r, c))
            if wide[y, x].max(initial=0.0) >= PROMISING:
                wanted.append((r, c))
    if not wanted:
        return out
    room = cv2.copyMakeBorder(
        pixels, MARGIN, rows * step + MARGIN - height, MARGIN, columns * step + MARGIN - width, cv2.BORDER_REPLICATE
    )
    inner = slice(MARGIN // STRIDE, (TILE - MARGIN) // STRIDE)
    for r, c in wanted:
        part = np.asarray(room[r * step : r * step + TILE, c * step : c * step + TILE], np.uint8)
        there = out[:, r * step // STRIDE : (r + 1) * step // STRIDE, c * step // STRIDE : (c + 1) * step // STRIDE]
        seen = network().see(part)[:, inner, inner]
        there[:] = seen[:, : there.shape[1], : there.shape[2]]
    return out
