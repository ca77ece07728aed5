"""Old eye bars and mosaics that a photo already carries. They are no disguise, and they say that somebody is in it.

A bar is a flat patch, about a rectangle, that differs from what is round it. By itself it may be anything: tape, a
label, a cover of our own. :mod:`medimg.detect.faces` takes it for an eye bar when the networks see a face round it.
A mosaic is a grid of squares of one colour each; nothing else in a photograph has all its steps on such a grid.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medimg.detect import LIKE_A_COVER, Frame, Pixels
from medimg.detect.faces.groups import Corners
from medimg.native.opencv import cv2
from medimg.types import Box, Point, bounding_box

Table = NDArray[np.float32]

BAR_SIDE = 640
FLAT = ((14, 0), (5, 0), (5, 7))
"""Largest step between neighbours of a flat patch, of 255: JPEG rings that much beside an edge; and the side of the
squares it is made of, in pixels: 0 for any. The strict ones part a bar from the dark hair or wall that it touches."""
EVEN = 7.0
STANDS_OUT = 25.0
LEAST_LONG, LEAST_SHORT = 12, 3
FULL = 0.72
"""Least share of its smallest rectangle that a bar fills; an ellipse fills 0.785."""
ASPECT = (1.4, 12.0)
MOST_BARS = 200

LEAST_FACE = 0.15
"""How sure the networks are of the least of faces that make a bar an eye bar: a face with a bar is seen less well, and
a question costs less than a face that passes. Of 163 pictures without a face none had a flat patch where a place of
more than 0.01 would have its eyes; of 41 with two solid covers drawn over each, 6 had (at 0.42, 1; it lost a face)."""
WEAK_FACE = 0.46
"""Below this, where a face is not even asked about, what lies along the long sides of a bar has to be skin, mostly: a
skirting board or a wall beside a foot is a flat patch too. Forehead and cheeks are; a fringe hides one of them."""
EYES = (0.4, -0.4, 0.12)
"""Where the middle of a bar lies from that of the face box: at most so far aside, and between these two along it."""
LONG, THICK, SLANT = (0.25, 1.9), 0.5, math.radians(40)
HEAD = (1.5, 2.4)
"""Breadth of a head, and its height on both sides together, in lengths of an eye bar."""
LARGE, LARGE_ASPECT = 0.5, 2.5
SKIN = ((30, 136, 77), (255, 180, 130))
"""Y, Cr and Cb of skin, least and most; wide enough for every tone."""
SKIN_SHARE = 0.6

MOSAIC_SIDE = 1600
LEVELS = 4
"""The mosaic is looked for at this long side and at a half, a quarter and an eighth of it."""
WINDOW = 64
PITCHES = (6.0, 16.0)
"""Sides of the squares, in pixels of a level: from one level to the next they overlap."""
JPEG_BLOCK = 8.0
"""Pixels: the grid of a JPEG that was saved very small."""
NOISE, STRONG = 2, 24
"""Steps between neighbours that count for nothing, and those above which more does not count."""
LEAST_STEP = 0.15
"""Mean of the steps below which a window is one plain surface."""
ON_GRID = 0.7
ONE_LINE = 0.6
"""Most of the steps of a window along one line, three pixels wide: the corner of a board lies on every grid."""
LEAST_GREYS = 5
MOSAIC_SKIN = 0.2
"""Least share of a mosaic in the colours of skin, where the networks see no face on it and the picture has colours: a
tiled wall or a chequered board lies on a grid too."""
GREY = 6
"""Most that the chroma of a picture without colours differs from neutral, on the whole."""


class Bar(NamedTuple):
    """A flat patch in upright full-size pixels: middle, long and short side, and the direction of the long side."""

    middle: Point
    long: float
    short: float
    angle: float
    """Radians, clockwise from the x axis, in [-pi/2, pi/2)."""

    @property
    def box(self) -> Box:
        """What it takes."""
        return self._about(self.long, self.short)

    @property
    def head(self) -> Box:
        """A head that it may be on, whichever side of it is up."""
        return self._about(HEAD[0] * self.long, HEAD[1] * self.long)

    def _about(self, along: float, over: float) -> Box:
        corners = cv2.boxPoints((self.middle, (along, over), math.degrees(self.angle)))
        return bounding_box([(float(x), float(y)) for x, y in corners])


class Disguise(NamedTuple):
    """An eye bar or a mosaic, with the head it is on as far as that can be told; upright full-size pixels."""

    head: Box
    score: float


class Place(NamedTuple):
    """A place where the networks see something: face box, the whole head, quarter turns, how sure they are."""

    face: Corners
    head: Box
    turn: int
    score: float


def disguises(frame: Frame, places: Sequence[Place]) -> list[Disguise]:
    """Every eye bar and mosaic, each head once."""
    likely = sorted((p for p in places if p.score >= LEAST_FACE), key=lambda p: -p.score)
    found: list[Disguise] = []
    for bar in bars(frame):
        on = next((p for p in likely if on_eyes(bar, p)), None)
        if on is not None and (on.score >= WEAK_FACE or _among_skin(frame, bar)):
            found.append(Disguise(_round(on.head, bar.box), on.score))
        elif between_skin(frame, bar):
            found.append(Disguise(bar.head, LIKE_A_COVER if one_grey(frame, bar) else LEAST_FACE))
    for box in mosaics(frame):
        middle = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
        over = [p.head for p in likely if p.face[0] < middle[0] < p.face[2] and p.face[1] < middle[1] < p.face[3]]
        if over or _as_skin(frame, box):
            found.append(Disguise(_round(over[0] if over else box, box), 1.0))
    out: list[Disguise] = []
    for one in found:
        head = one.head.clipped(frame.width, frame.height)
        if head.area and all(head.overlap(k.head) < 0.5 * min(head.area, k.head.area) for k in out):
            out.append(Disguise(head, one.score))
    return out


def _round(a: Box, b: Box) -> Box:
    return Box(min(a.x0, b.x0), min(a.y0, b.y0), max(a.x1, b.x1), max(a.y1, b.y1))


def on_eyes(bar: Bar, place: Place) -> bool:
    """Does a bar lie where the eyes of a face are, about as long as they are apart, and in their direction?"""
    x0, y0, x1, y1 = place.face
    wide, high = (x1 - x0, y1 - y0) if place.turn % 2 == 0 else (y1 - y0, x1 - x0)
    dx, dy = bar.middle[0] - (x0 + x1) / 2, bar.middle[1] - (y0 + y1) / 2
    # The same turned so that the face is upright.
    dx, dy = ((dx, dy), (dy, -dx), (-dx, -dy), (-dy, dx))[place.turn]
    slant = (bar.angle + math.pi / 2 * (place.turn % 2) + math.pi / 2) % math.pi - math.pi / 2
    return (
        abs(dx) < EYES[0] * wide
        and EYES[1] * high < dy < EYES[2] * high
        and LONG[0] * wide < bar.long < LONG[1] * wide
        and bar.short < THICK * high
        and abs(slant) < SLANT
    )


def bars(frame: Frame) -> list[Bar]:
    """Flat patches that have the shape of an eye bar."""
    small, factor = frame.scaled(BAR_SIDE)
    kernel = np.ones((3, 3), np.uint8)
    red, green, blue = cv2.split(cv2.subtract(cv2.dilate(small, kernel), cv2.erode(small, kernel)))
    steps = np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)
    out: list[Bar] = []
    for limit, opened in FLAT:
        flat = np.asarray(steps <= limit, np.uint8)
        if opened:
            flat = np.asarray(cv2.morphologyEx(flat, cv2.MORPH_OPEN, np.ones((opened, opened), np.uint8)), np.uint8)
        out += (
            Bar((x / factor, y / factor), long / factor, short / factor, angle)
            for (x, y), long, short, angle in _patches(small, flat)
        )
    return sorted(set(out), key=lambda b: -b.long)[:MOST_BARS]


def _patches(small: Pixels, flat: Pixels) -> Iterator[tuple[Point, float, float, float]]:
    _, marked, stats, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    labels, sizes = np.asarray(marked, np.int32), np.asarray(stats, np.int64)
    large = (sizes[:, 2:4].max(axis=1) >= LEAST_LONG) & (sizes[:, 4] >= LEAST_LONG * LEAST_SHORT)
    for n in (np.flatnonzero(large[1:]) + 1).tolist():
        x, y, wide, high, area = (int(v) for v in sizes[n])
        sides = (x <= 1) + (y <= 1) + (x + wide >= small.shape[1] - 1) + (y + high >= small.shape[0] - 1)
        if sides < 3 and min(wide, high) >= LEAST_SHORT and (bar := _bar(small, labels, n, (x, y, wide, high), area)):
            yield bar


def _bar(
    small: Pixels, labels: NDArray[np.int32], n: int, box: tuple[int, int, int, int], area: int
) -> tuple[Point, float, float, float] | None:
    x, y, wide, high = box
    if area < 0.2 * FULL * wide * high:  # a slanted bar fills little of its upright box, but never so little
        return None
    pad = 5
    x0, y0 = max(x - pad, 0), max(y - pad, 0)
    part = small[y0 : y + high + pad, x0 : x + wide + pad]
    inside = np.asarray(labels[y0 : y + high + pad, x0 : x + wide + pad] == n, np.uint8)
    outline = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0]
    (cx, cy), (a, b), degrees = cv2.minAreaRect(outline)
    # The rectangle runs through the middles of the outermost pixels.
    long, short = max(a, b) + 1, min(a, b) + 1
    if not ASPECT[0] <= long / short <= ASPECT[1] or cv2.contourArea(outline) + len(outline) / 2 < FULL * long * short:
        return None
    patch = part[inside > 0].astype(np.float32)
    if float(patch.std(axis=0).max()) > EVEN:
        return None
    kernel = np.ones((3, 3), np.uint8)
    near, far = (cv2.dilate(inside, kernel, iterations=k) for k in (3, 5))
    ring = part[(far > 0) & (near == 0)].astype(np.float32)
    if len(ring) < 8 or float(np.abs(np.median(ring, axis=0) - patch.mean(axis=0)).max()) < STANDS_OUT:
        return None
    turn = math.radians(degrees if a >= b else degrees + 90)
    angle = (turn + math.pi / 2) % math.pi - math.pi / 2
    # The pixels at its edge are not flat: one more on every side.
    return (cx + x0 + 0.5, cy + y0 + 0.5), long + 2, short + 2, angle


def one_grey(frame: Frame, bar: Bar) -> bool:
    """Is every pixel of a bar, but at its edges, one and the same grey, as in the covers of a written copy?"""
    edge = 3 + 4 * max(
        1.0, max(frame.width, frame.height) / BAR_SIDE
    )  # chroma beside it, and how well the bar is placed
    sides = (bar.long - edge, bar.short - edge)
    if min(sides) < 1:
        return False
    corners = cv2.boxPoints((bar.middle, sides, math.degrees(bar.angle)))
    x0, y0 = (max(0, math.floor(side)) for side in corners.min(axis=0).tolist())
    x1, y1 = (math.ceil(side) + 1 for side in corners.max(axis=0).tolist())
    part = frame.rgb[y0:y1, x0:x1]
    inside = np.zeros(part.shape[:2], np.uint8)
    cv2.fillConvexPoly(inside, np.round(corners - (x0, y0)).astype(np.int32), 1)
    values = part[inside > 0]
    return bool(values.size) and bool((values == values[0, 0]).all())


def between_skin(frame: Frame, bar: Bar) -> bool:
    """Is a bar large, and is there skin on both its long sides?"""
    if bar.long < LARGE * max(frame.width, frame.height) or bar.long < LARGE_ASPECT * bar.short:
        return False
    return min(_skin_beside(frame, bar)) >= SKIN_SHARE


def _among_skin(frame: Frame, bar: Bar) -> bool:
    """Is there mostly skin along the long sides of a bar, or is the picture one without colours to tell by?"""
    return _colourless(frame.scaled(BAR_SIDE)[0]) or sum(_skin_beside(frame, bar)) / 2 >= SKIN_SHARE


def _skin_beside(frame: Frame, bar: Bar) -> list[float]:
    """Which share of a strip along each long side of a bar has the colours of skin."""
    small, factor = frame.scaled(BAR_SIDE)
    skin = _skin(small)
    shares = []
    along = (math.cos(bar.angle), math.sin(bar.angle))
    thick = max(3.0, 0.35 * bar.short * factor)
    for side in (-1, 1):
        away = side * (bar.short * factor / 2 + 3 + thick / 2)
        middle = (bar.middle[0] * factor - along[1] * away, bar.middle[1] * factor + along[0] * away)
        corners = cv2.boxPoints((middle, (0.7 * bar.long * factor, thick), math.degrees(bar.angle)))
        strip = np.zeros(skin.shape, np.uint8)
        cv2.fillPoly(strip, [np.round(corners).astype(np.int32)], 1)
        shares.append(float(np.count_nonzero(skin[strip > 0])) / (0.7 * bar.long * factor * thick))
    return shares


def _colourless(rgb: Pixels) -> bool:
    chroma = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)[..., 1:].astype(np.float32) - 128
    return float(np.abs(chroma).mean()) < GREY


def _skin(rgb: Pixels) -> Pixels:
    """Which pixels have the colours of skin: 255 or 0."""
    low, high = (np.array(v, np.uint8) for v in SKIN)
    return np.asarray(cv2.inRange(cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb), low, high), np.uint8)


def _as_skin(frame: Frame, box: Box) -> bool:
    """Whether a place has enough of the colours of skin, or the picture no colours to tell by."""
    small, factor = frame.scaled(BAR_SIDE)
    x0, y0, x1, y1 = (round(v * factor) for v in (box.x0, box.y0, box.x1, box.y1))
    part = np.ascontiguousarray(small[max(y0, 0) : max(y1, y0 + 1), max(x0, 0) : max(x1, x0 + 1)])
    if not part.size:
        return True
    return _colourless(small) or float((_skin(part) > 0).mean()) >= MOSAIC_SKIN


def mosaics(frame: Frame) -> list[Box]:
    """Upright boxes round grids of one-coloured squares, full-size pixels."""
    small, factor = frame.scaled(MOSAIC_SIDE)
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    half = WINDOW // 2
    found = np.zeros((-(-grey.shape[0] // half), -(-grey.shape[1] // half)), np.uint8)
    for level in range(LEVELS):
        times = 2**level
        if level:
            size = (max(1, grey.shape[1] // 2), max(1, grey.shape[0] // 2))
            grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
        for y, x in _gridded(grey, JPEG_BLOCK * factor / times):
            found[y * times : (y + 2) * times, x * times : (x + 2) * times] = 1
    _, _, stats, _ = cv2.connectedComponentsWithStats(found, connectivity=8)
    boxes = (half / factor * np.asarray(stats, np.float64)[1:, :4]).tolist()
    return [
        Box(math.floor(x), math.floor(y), math.ceil(x + wide), math.ceil(y + high)).clipped(frame.width, frame.height)
        for x, y, wide, high in boxes
    ]


def _gridded(grey: Pixels, jpeg: float) -> Iterator[tuple[int, int]]:
    """Row and column, in half windows, of windows whose steps lie on a grid of squares.

    Args:
        grey: The picture at one level.
        jpeg: The pitch that a JPEG's own blocks have here.
    """
    half = WINDOW // 2
    down, along = grey.shape[0] // half, grey.shape[1] // half
    if min(down, along) < 2:
        return
    grey = grey[: down * half, : along * half]
    # Sums of the steps to the right over half a window of rows, and of those below over half a window of columns.
    right = _steps(grey).reshape(down, half, -1).sum(axis=1, dtype=np.float32)
    below = _steps(grey.T).reshape(along, half, -1).sum(axis=1, dtype=np.float32)
    across = _profiles(right)  # (down - 1, along - 1, WINDOW)
    upright = _profiles(below).transpose(1, 0, 2)
    waves = _frequencies(jpeg)
    ways = [across.reshape(-1, WINDOW), upright.reshape(-1, WINDOW)]
    stepped = np.minimum(*(way.sum(axis=1) for way in ways)) >= LEAST_STEP * WINDOW**2
    some = np.flatnonzero(stepped & (np.maximum(*map(_one_line, ways)) <= ONE_LINE))
    both = np.minimum(*(_on_grid(way[some], waves) for way in ways))
    for n in some[both.max(axis=1) >= ON_GRID]:
        y, x = divmod(int(n), along - 1)
        if _greys(grey[y * half : y * half + WINDOW, x * half : x * half + WINDOW]) >= LEAST_GREYS:
            yield y, x


def _steps(grey: Pixels) -> Pixels:
    """Steps from each pixel to the next in its row, less the noise; 0 for the last."""
    grey = np.ascontiguousarray(grey)
    step = np.asarray(cv2.absdiff(grey[:, :-1], grey[:, 1:]), np.uint8)
    out = np.zeros(grey.shape, np.uint8)
    out[:, :-1] = np.minimum(np.maximum(step, NOISE) - NOISE, STRONG - NOISE)
    return out


def _profiles(sums: Table) -> Table:
    """Profiles of all windows from sums over half windows, (rows - 1, windows along, WINDOW)."""
    pairs = sums[1:] + sums[:-1]
    halves = pairs.reshape(len(pairs), -1, WINDOW // 2)
    return np.concatenate([halves[:, :-1], halves[:, 1:]], axis=2)


def _one_line(profiles: Table) -> Table:
    """The share of each profile that lies in three neighbouring places, (profiles,); 0 for one without steps."""
    three = profiles[:, :-2] + profiles[:, 1:-1] + profiles[:, 2:]
    return np.asarray(three.max(axis=1) / np.maximum(profiles.sum(axis=1), 1e-3), np.float32)


def _frequencies(jpeg: float) -> Table:
    """Frequencies of the grids looked for, in periods a pixel: neighbours differ by an eighth of one over a window."""
    out = np.arange(1 / PITCHES[1], 1 / PITCHES[0], 1 / (8 * WINDOW))
    return np.asarray(out[np.abs(1 / out - jpeg) > 0.05 * jpeg], np.float32)


def _on_grid(profiles: Table, frequencies: Table) -> Table:
    """How much of each profile lies on a grid of each frequency, (profiles, frequencies): 1 for nothing between."""
    total = profiles.sum(axis=1, keepdims=True)
    at = np.arange(WINDOW, dtype=np.float32)
    out = np.ones((len(profiles), len(frequencies)), np.float32)
    for harmonic in (1, 2):
        angle = 2 * np.pi * harmonic * at[:, None] * frequencies[None]
        power = (profiles @ np.cos(angle)) ** 2 + (profiles @ np.sin(angle)) ** 2
        out = np.minimum(out, np.sqrt(power) / np.maximum(total, 1e-3))
    return out


def _greys(part: Pixels) -> int:
    """How many of 16 greys a patch holds: a bar code or a QR code lies on a grid too, but has two."""
    counts = np.bincount((part // 16).ravel(), minlength=16)
    return int((counts > 0.03 * part.size).sum())
