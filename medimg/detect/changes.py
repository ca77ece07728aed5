"""Where a picture differs from the one that a network saw before, and what it has to be asked about again.

A copy equals its original, and a copy with more covers the one before it, everywhere but in the covers. Both pictures
are compared sample by sample at the size the network sees; where they are equal, and no difference is within its
reach, the earlier answer stands.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from medimg.detect.answers import Answers
from medimg.native.opencv import cv2
from medimg.types import Box

T = TypeVar("T")
Pixels = NDArray[np.uint8]
Bounds = tuple[float, float, float, float]
"""x0, y0, x1, y1."""

BLOCK = 32
"""Windows begin and end at multiples of this, in pixels, as the networks halve five times."""
REACH = 64
"""How far from a difference an answer may change, in pixels of the size looked at; a window has as much round that."""
WORTH = 0.7
"""Share of the picture that windows take, from which all of it is looked at."""


def windows(before: Pixels, now: Pixels, reach: int, known: Sequence[Bounds] = ()) -> list[tuple[Box, Box]] | None:
    """Parts of a picture to look at again: where answers may change, and that with as much round it.

    Args:
        before: The picture that was looked at.
        now: The picture of the same size.
        reach: How far from a difference an answer may change, in pixels.
        known: Places found before; one that is reached is looked at whole.

    Returns:
        None when so much of it changed that the whole is to be looked at.
    """
    height, width = now.shape[:2]
    if before.shape != now.shape:
        return None
    room = -(-reach // BLOCK)
    around = np.ones((2 * room + 1, 2 * room + 1), np.uint8)
    blocks = cv2.dilate(_blocks(before, now), around)
    for x0, y0, x1, y1 in known:
        there = blocks[max(int(y0), 0) // BLOCK : int(y1) // BLOCK + 1, max(int(x0), 0) // BLOCK : int(x1) // BLOCK + 1]
        if there.any():
            there[:] = 1
    out: list[tuple[Box, Box]] = []
    for x0, y0, x1, y1 in _apart(np.asarray(blocks, np.uint8), room):
        inner, outer = (
            Box((x0 - r) * BLOCK, (y0 - r) * BLOCK, (x1 + r) * BLOCK, (y1 + r) * BLOCK).clipped(width, height)
            for r in (0, room)
        )
        out.append((inner, outer))
    return out if sum(outer.area for _, outer in out) < WORTH * width * height else None


def _blocks(before: Pixels, now: Pixels) -> Pixels:
    """Which blocks hold a difference, 0 or 1."""
    bits = before ^ now
    differ = bits[..., 0] | bits[..., 1] | bits[..., 2]  # numpy's any() along a short last axis is several times slower
    rows, columns = (np.arange(0, side, BLOCK) for side in differ.shape)
    most = np.maximum.reduceat(np.maximum.reduceat(differ, rows, axis=0), columns, axis=1)
    return np.asarray(most > 0, np.uint8)


def _apart(blocks: Pixels, room: int) -> list[tuple[int, int, int, int]]:
    """Boxes round connected blocks, so far from each other that they do not overlap with room round them."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(blocks, connectivity=8)
    boxes = [(int(x), int(y), int(x + w), int(y + h)) for x, y, w, h, _ in stats[1:]]
    k = 0
    while k < len(boxes):
        a = boxes[k]
        near = [
            b
            for b in boxes
            if min(a[2], b[2]) + 2 * room > max(a[0], b[0]) and min(a[3], b[3]) + 2 * room > max(a[1], b[1])
        ]
        if len(near) == 1:
            k += 1
            continue
        whole = (*(min(b[n] for b in near) for n in (0, 1)), *(max(b[n] for b in near) for n in (2, 3)))
        boxes = [b for b in boxes if b not in near]
        boxes.append((whole[0], whole[1], whole[2], whole[3]))
        k = 0
    return boxes


def places(
    answers: Answers,
    question: tuple[Hashable, ...],
    picture: Pixels,
    ask: Callable[[Pixels], Sequence[T]],
    bounds: Callable[[T], Bounds],
    moved: Callable[[T, int, int], T],
    *,
    reach: int = REACH,
) -> Sequence[T]:
    """The places that a network finds in a picture, asked again only where the picture changed.

    Args:
        answers: What was said in this photo.
        question: Which network, and everything that changes its answer but the picture.
        picture: It.
        ask: Asks the network about a picture or part of one.
        bounds: Of a place.
        moved: A place moved by so many pixels across and down.
        reach: How far from a difference an answer may change, in pixels.
    """
    last = answers.last(question)
    parts = windows(last[0], picture, reach, [bounds(place) for place in last[1]]) if last else None
    if last is None or parts is None:
        return answers.keep(question, picture, ask(picture))
    out = [place for place in last[1] if not any(_touch(bounds(place), inner) for inner, _ in parts)]
    for inner, outer in parts:
        part = np.ascontiguousarray(picture[outer.y0 : outer.y1, outer.x0 : outer.x1])
        there = (moved(place, outer.x0, outer.y0) for place in ask(part))
        out += [place for place in there if _touch(bounds(place), inner)]
    return answers.keep(question, picture, out)


def _touch(bounds: Bounds, box: Box) -> bool:
    x0, y0, x1, y1 = bounds
    return x0 < box.x1 and x1 > box.x0 and y0 < box.y1 and y1 > box.y0
