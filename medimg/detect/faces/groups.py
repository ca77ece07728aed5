"""Looks at a picture with both networks at several sizes and quarter turns, and groups what they say of one place.

Patients lie down, and a face that fills the frame is found only when the picture is made small: no one view finds
all. What several views say of the same place is weighed by :mod:`medimg.detect.faces.score`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Frame, Pixels, changes
from medimg.detect.answers import Answers, fingerprint
from medimg.detect.faces.centerface import CenterFace
from medimg.detect.faces.yunet import YuNet
from medimg.native.opencv import cv2

Corners = tuple[float, float, float, float]
"""x0, y0, x1, y1."""

CENTERFACE_SIDES = (640, 320, 160, 96, 64)
YUNET_SIDES = (160, 96)
BORDERED_SIDES = (96, 140)
"""YuNet also looks at the picture with its own reflection round it: a face that runs over the edge is whole again."""
BORDER = 0.35
VIEWS = len(CENTERFACE_SIDES) + len(YUNET_SIDES) + len(BORDERED_SIDES)
SMALL_SIDE = 1280
LEAST = 0.1
LEAST_YUNET = 0.35
MOST_CANDIDATES = 4000
"""Per tile. A crowd of 250 gives 1,500; a picture made to look like faces everywhere must not cost minutes."""

TURNS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_CLOCKWISE}
LONG = 2.5
MOST_TILES = 24


class Tile(NamedTuple):
    """A part of the frame that is looked at as a picture of its own, in full-size pixels."""

    x: int
    y: int
    width: int
    height: int


class Detection(NamedTuple):
    """What one view says: upright full-size corners, score, number of the view, quarter turns counter-clockwise."""

    corners: Corners
    score: float
    view: int
    turn: int


class Group(NamedTuple):
    """What the views say of one place, best first, and the long side of the tile it was seen in."""

    seen: list[Detection]
    side: int

    @property
    def turn(self) -> int:
        """The quarter turn that makes the face upright: the one the views say most of."""
        total = [0.0] * 4
        for s in self.seen:
            total[s.turn] += s.score
        return total.index(max(total))

    @property
    def corners(self) -> Corners:
        """Where the best view of that turn puts the face."""
        turn = self.turn
        return next(s.corners for s in self.seen if s.turn == turn)

    def features(self) -> list[float]:
        """What the score is made of: one number a view, then best, best of other turns, log size, log aspect."""
        turn = self.turn
        by_view = [0.0] * VIEWS
        for s in self.seen:
            if s.turn == turn:
                by_view[s.view] = max(by_view[s.view], s.score)
        x0, y0, x1, y1 = self.corners
        wide, high = max(x1 - x0, 1.0), max(y1 - y0, 1.0)
        return [
            *by_view,
            max(s.score for s in self.seen),
            max((s.score for s in self.seen if s.turn != turn), default=0.0),
            math.log(max(wide, high) / self.side),
            math.log(high / wide) * (1 if turn % 2 == 0 else -1),
        ]


def tiles(width: int, height: int) -> list[Tile]:
    """The whole frame, or overlapping parts of a strip whose faces would vanish when it is made small."""
    long, short = max(width, height), min(width, height)
    if long <= LONG * short:
        return [Tile(0, 0, width, height)]
    window = max(2 * short, math.ceil(long / (1 + (MOST_TILES - 1) * 0.75)))
    count = max(2, math.ceil((long - window) / (0.75 * window)) + 1)
    starts = [round(n * (long - window) / (count - 1)) for n in range(count)] if window < long else [0]
    window = min(window, long)
    if width >= height:
        return [Tile(start, 0, window, height) for start in starts]
    return [Tile(0, start, width, window) for start in starts]


def groups(frame: Frame, centerface: CenterFace, yunet: YuNet) -> Iterator[Group]:
    """Every place where any view sees anything."""
    parts = tiles(frame.width, frame.height)
    for tile in parts:
        seen = list(_views(frame, tile, len(parts) == 1, centerface, yunet))
        seen.sort(key=lambda s: -s.score)
        side = max(tile.width, tile.height)
        yield from (Group(members, side) for members in _grouped(seen[:MOST_CANDIDATES]))


def small(frame: Frame, centerface: CenterFace) -> Iterator[tuple[Detection, int]]:
    """What CenterFace alone says of a larger picture, and the long side of the tile, full-size pixels.

    A picture that is no larger than the largest of the other views gives nothing new.
    """
    parts = tiles(frame.width, frame.height)
    for tile in parts:
        side = max(tile.width, tile.height)
        if side <= CENTERFACE_SIDES[0]:
            continue
        picture = frame.scaled(SMALL_SIDE)[0] if len(parts) == 1 else _shrunk(_part(frame, tile), SMALL_SIDE)
        shown = fingerprint(picture)
        for turn in range(4):
            ask = partial(_asked, frame.answers, centerface, picture, turn, LEAST)
            rows = frame.answers.to((centerface.version, LEAST, turn, shown), ask)
            for one in _seen(rows, tile, picture, turn, VIEWS):
                yield one, side


def _views(frame: Frame, tile: Tile, whole: bool, centerface: CenterFace, yunet: YuNet) -> Iterator[Detection]:
    part = _part(frame, tile) if whole else _shrunk(_part(frame, tile), CENTERFACE_SIDES[0])
    nets = (
        [(centerface, s, 0.0, LEAST) for s in CENTERFACE_SIDES]
        + [(yunet, s, 0.0, LEAST_YUNET) for s in YUNET_SIDES]
        + [(yunet, s, BORDER, LEAST_YUNET) for s in BORDERED_SIDES]
    )
    for view, (net, side, border, least) in enumerate(nets):
        small = frame.scaled(side)[0] if whole else _shrunk(part, side)
        pad = round(border * max(small.shape[:2]))
        if pad:
            around = cv2.copyMakeBorder(small, pad, pad, pad, pad, cv2.BORDER_REFLECT_101)
            small = np.asarray(around, np.uint8)
        shown = fingerprint(small)
        for turn in range(4):
            # The copy may be equal here; and sizes larger than the picture are all the picture itself.
            ask = partial(_asked, frame.answers, net, small, turn, least)
            rows = frame.answers.to((net.version, least, turn, shown), ask)
            yield from _seen(rows, tile, small, turn, view, pad)


def _asked(
    answers: Answers, net: CenterFace | YuNet, picture: Pixels, turn: int, least: float
) -> Sequence[NDArray[np.float32]]:
    turned = _turned(picture, turn)
    question = (net.version, least, turn, turned.shape)
    return changes.places(answers, question, turned, lambda part: list(net.detect(part, least)), _bounds, _moved)


def _bounds(row: NDArray[np.float32]) -> Corners:
    return float(row[0]), float(row[1]), float(row[2]), float(row[3])


def _moved(row: NDArray[np.float32], x: int, y: int) -> NDArray[np.float32]:
    return row + np.array([x, y, x, y, 0], np.float32)


def _seen(
    rows: Sequence[NDArray[np.float32]], tile: Tile, small: Pixels, turn: int, view: int, pad: int = 0
) -> Iterator[Detection]:
    """Rows of a network, in upright full-size pixels; ``pad`` is the border round the picture it looked at."""
    factor = (max(small.shape[:2]) - 2 * pad) / max(tile.width, tile.height)
    for row in rows:
        corners = _unturned((row[0], row[1], row[2], row[3]), turn, small.shape[1], small.shape[0])
        x0, y0, x1, y1 = ((v - pad) / factor for v in corners)
        yield Detection((x0 + tile.x, y0 + tile.y, x1 + tile.x, y1 + tile.y), float(row[4]), view, turn)


def _turned(picture: Pixels, quarters: int) -> Pixels:
    return np.asarray(cv2.rotate(picture, TURNS[quarters]), np.uint8) if quarters else picture


def _part(frame: Frame, tile: Tile) -> Pixels:
    return frame.rgb[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]


def _shrunk(part: Pixels, side: int) -> Pixels:
    factor = side / max(part.shape[:2])
    if factor >= 1:
        return part
    size = (max(1, round(part.shape[1] * factor)), max(1, round(part.shape[0] * factor)))
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)


def _unturned(corners: Corners, turn: int, width: int, height: int) -> Corners:
    """Corners found in a picture turned by so many quarters counter-clockwise, in the picture before turning."""
    x0, y0, x1, y1 = (float(v) for v in corners)
    match turn:
        case 1:
            return (width - y1, x0, width - y0, x1)
        case 2:
            return (width - x1, height - y1, width - x0, height - y0)
        case 3:
            return (y0, height - x1, y1, height - x0)
        case _:
            return (x0, y0, x1, y1)


def shared(a: Corners, b: Corners) -> float:
    """Area that two boxes share."""
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0.0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)


def _grouped(seen: list[Detection]) -> list[list[Detection]]:
    """Every view joins the best one it agrees with: the boxes fit, or one lies in the other and is not much smaller."""
    out: list[list[Detection]] = []
    leaders = np.zeros((len(seen), 4))
    areas = np.zeros(len(seen))
    for one in seen:
        n = len(out)
        low, high = np.array(one.corners[:2]), np.array(one.corners[2:])
        area = float(np.prod(np.maximum(high - low, 1e-3)))
        sides = np.minimum(leaders[:n, 2:], high) - np.maximum(leaders[:n, :2], low)
        both = np.maximum(sides, 0.0).prod(axis=1)
        small, large = np.minimum(areas[:n], area), np.maximum(areas[:n], area)
        agree = (both > 0.3 * (small + large - both)) | ((both > 0.75 * small) & (large < 3.5 * small))
        if agree.any():
            out[int(agree.argmax())].append(one)
        else:
            leaders[n], areas[n] = one.corners, area
            out.append([one])
    return out
