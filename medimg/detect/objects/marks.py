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

from medimg.detect import Frame, Pixels, proof, weights
from medimg.detect.answers import Answers, fingerprint
from medimg.native.opencv import cv2

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
SEEN = 0.5
"""Least likelihood of a square that belongs to a thing."""
FINER = 4
"""Into how many parts a square is divided each way to draw the outline of a thing."""
LEAST_RULER, FILLED = 12, 0.5
"""Least squares of a ruler, and least share of its outline that they fill."""
PROMISING = 0.1
"""Least likelihood of a code or of print in the coarse look for a fine look there."""

NAME = "the network that looks for codes, rulers and print"

Map = NDArray[np.float32]
"""float32, (5, h, w): likelihoods, 0 to 1, of :data:`CLASSES`."""


class View(NamedTuple):
    """One look: the map, and pixels of the full-size frame to one square of it (across, down)."""

    marks: Map
    across: float
    down: float


class Place(NamedTuple):
    """Connected squares of one look.

    Attributes:
        corners: Their outline in the full-size frame, (4, 2).
        score: Their mean likelihood.
        box: The rows and columns of the map they lie in.
        own: Which squares of the box they are.
    """

    corners: NDArray[np.float32]
    score: float
    box: tuple[slice, slice]
    own: NDArray[np.bool_]


class Network:
    """The network.

    Raises:
        MissingPart: The weights are not there or were changed.
    """

    def __init__(self) -> None:
        self._session, digest = weights.session("marks")
        self.version = f"marks {digest[:8]}"

    def see(self, picture: Pixels) -> Map:
        """The map of a picture, (H, W, 3) with sides that are multiples of 32."""
        given = np.ascontiguousarray(picture.transpose(2, 0, 1), np.float32)[None]
        shape = (1, len(CLASSES), picture.shape[0] // STRIDE, picture.shape[1] // STRIDE)
        said = proof.whole(self._session.run(None, {"picture": given}), [shape], NAME)[0][0]
        return np.asarray(1 / (1 + np.exp(-np.clip(said, -30, 30))), np.float32)

    def prove(self) -> None:
        """See a drawn code and a drawn word, and take neither for the other.

        Raises:
            CheckNotRun: It does not.
        """
        code, text = (self.see(picture) for picture in (proof.code(), proof.text()))
        proof.found(bool(code[MATRIX].max() >= SEEN > code[TEXT].max()), NAME)
        proof.found(bool(text[TEXT].max() >= SEEN), NAME)


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


def places(view: View, likely: NDArray[np.float32], least: int) -> Iterator[Place]:
    """Connected squares of at least :data:`SEEN`, ``least`` of them and more.

    Args:
        view: The look.
        likely: Likelihood of each of its squares, (h, w).
        least: Squares of the smallest place.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((likely >= SEEN).astype(np.uint8), connectivity=4)
    for k in range(1, count):
        x, y, w, h, size = (int(v) for v in stats[k])
        if size >= least:
            box = (slice(y, y + h), slice(x, x + w))
            own = np.asarray(labels[box] == k)
            yield Place(_outline(view, likely, labels == k, (x, y, w, h)), float(likely[box][own].mean()), box, own)


def _outline(
    view: View, likely: NDArray[np.float32], own: NDArray[np.bool_], box: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    """The rectangle round connected squares, drawn along the likelihood between squares."""
    x, y, w, h = box
    x0, y0, x1, y1 = max(x - 2, 0), max(y - 2, 0), min(x + w + 2, own.shape[1]), min(y + h + 2, own.shape[0])
    near = cv2.dilate(own[y0:y1, x0:x1].astype(np.uint8), np.ones((3, 3), np.uint8))
    fine = cv2.resize(likely[y0:y1, x0:x1] * near, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR)
    outlines, _ = cv2.findContours((fine >= SEEN).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = (max(outlines, key=len).reshape(-1, 2) + 0.5) / FINER if outlines else np.zeros((1, 2))
    (cx, cy), (across, down), angle = cv2.minAreaRect(np.asarray(points + np.asarray((x0, y0)), np.float32))
    room = 1.0 / FINER
    corners = cv2.boxPoints(((cx, cy), (across + room, down + room), angle))
    return np.asarray(corners * (view.across, view.down), np.float32)


def rulers(frame: Frame) -> list[NDArray[np.float32]]:
    """Outlines of rulers, (4, 2) each, the longest first; of one with two arms none."""
    return cast("list[NDArray[np.float32]]", frame.once("rulers", lambda: _rulers(frame)))


def _rulers(frame: Frame) -> list[NDArray[np.float32]]:
    looks = views(frame)
    view = looks[1] if max(frame.width, frame.height) > COARSE[0] else looks[0]
    found = []
    for place in places(view, view.marks[RULER], LEAST_RULER):
        size = float(cv2.contourArea(place.corners)) / (view.across * view.down)
        if np.count_nonzero(place.own) >= FILLED * size:
            found.append(place.corners)
    return sorted(found, key=lambda corners: -float(cv2.arcLength(corners, True)))


def _views(frame: Frame) -> Iterator[View]:
    longest = max(frame.width, frame.height)
    coarse = []
    for size in sorted({min(size, longest) for size in COARSE}, reverse=True):
        pixels, _ = frame.scaled(size)
        coarse.append(View(_whole(pixels, frame.answers), *_squares(frame, pixels)))
    if longest > COARSE[0]:
        pixels, _ = frame.scaled(min(FINE, longest))
        yield View(_parts(pixels, coarse[0].marks, frame.answers), *_squares(frame, pixels))
    yield from coarse


def _squares(frame: Frame, pixels: Pixels) -> tuple[float, float]:
    height, width = pixels.shape[:2]
    return STRIDE * frame.width / width, STRIDE * frame.height / height


def _seen(picture: Pixels, answers: Answers) -> Map:
    return answers.to((NAME, fingerprint(picture)), lambda: network().see(picture))


def _whole(pixels: Pixels, answers: Answers) -> Map:
    height, width = pixels.shape[:2]
    high, wide = -(-height // MULTIPLE) * MULTIPLE, -(-width // MULTIPLE) * MULTIPLE
    padded = cv2.copyMakeBorder(pixels, 0, high - height, 0, wide - width, cv2.BORDER_REFLECT_101)
    seen = _seen(np.asarray(padded, np.uint8), answers)
    return seen[:, : -(-height // STRIDE), : -(-width // STRIDE)]


def _parts(pixels: Pixels, coarse: Map, answers: Answers) -> Map:
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
        pixels, MARGIN, rows * step + MARGIN - height, MARGIN, columns * step + MARGIN - width, cv2.BORDER_REFLECT_101
    )
    inner = slice(MARGIN // STRIDE, (TILE - MARGIN) // STRIDE)
    for r, c in wanted:
        part = np.asarray(room[r * step : r * step + TILE, c * step : c * step + TILE], np.uint8)
        there = out[:, r * step // STRIDE : (r + 1) * step // STRIDE, c * step // STRIDE : (c + 1) * step // STRIDE]
        seen = _seen(part, answers)[:, inner, inner]
        there[:] = seen[:, : there.shape[1], : there.shape[2]]
    return out
