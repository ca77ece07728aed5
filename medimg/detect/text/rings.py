"""Print on a curve: a stamp, the rim of a bottle, a wristband seen on end.

The finder looks for straight lines and finds such print letter by letter at best. Where the squares in which the small
network (:mod:`medimg.detect.objects.marks`) sees print lie on an arc, the ring is unrolled and read as a line; what was
read is covered along the arc. A ring that cannot be read gives nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Frame, Pixels
from medimg.detect.objects import marks
from medimg.detect.text import identifiers
from medimg.detect.text.full_size import read
from medimg.detect.text.known import Known
from medimg.detect.text.labels import Line
from medimg.detect.text.lines import area, shared, sides
from medimg.detect.text.ocr import Models, Quad, crop, ordered
from medimg.native.opencv import cv2

Points = NDArray[np.float64]

LIKELY = 0.3
"""Least likelihood of print in a square."""
FEWEST, MOST = 24, 1500
"""Squares of print: fewer make no ring, of more so many are taken, evenly."""
TRIES = 200
RADII = (0.04, 0.7)
"""Least and largest radius, in parts of the picture's longer side."""
NEAR = 0.12
"""How far from the circle a square of it lies at most, in radii."""
STEPS, LEAST_STEPS = 36, 12
"""Parts a circle is divided into, and least parts with print: a third of a circle."""
ALONE = 0.6
"""Least share of the squares within the ring's outer edge that lie on it: a page of print is no ring."""
NARROW = 0.05
"""Most middle distance of its squares from the circle, in radii: print on a ring is a band, strewn lines are not."""
FILLED = 0.06
"""Least share of the parts with print, as broad as a ring may be, that is print: .08 for letters a tenth of its radius
high that stand apart, .04 for the squares of a strewn scene."""
SURE = 0.8
"""Least certainty of a word that makes print a ring: chance finds on strewn lines are read with less."""
BAND = 0.25
"""Half the breadth of what is unrolled, in radii."""
LONGEST = 2400
"""Longest unrolled ring, in pixels."""
LEAST_SCORE, LEAST_SIGNS, LEAST_LONG = 0.4, 6, 1.5
"""Of a find on the strip: its score, what is read in it, and its length in heights; a shorter one has no six signs."""
BENT = 0.5
"""Least rise of the arc over what was read, in its heights: what bends less is a straight line beside strewn print."""
CLOSED = 0.7
"""Least share of what was read, in steps of its height, in which print is seen: words strewn on a circle leave gaps."""
SQUEEZED = (1.0, 0.6)
"""How long the unrolled ring is made for each look: letters that stand far apart come together when it is short. The
first look that reads something counts."""
LIKE, PART, RUN = 0.7, 0.8, 3
"""Likeness to a straight line, 0 to 1 (matching letters in order), from which it is that line, bent by unrolling; share
of its letters that stand in the line, in runs of so many and more, from which it is a part of it."""
OTHERS = 2
"""So many straight lines that say something else, where a ring was read, are no ring."""
WITHIN = 0.4
"""Share of a line that lies on what was read on a ring, from which it is a letter of it; not so one that was read."""
PIECE = math.radians(15)
"""Longest piece of an arc that is covered by one quadrilateral."""


class Ring(NamedTuple):
    """A circle in upright full-size pixels, and the angle (clockwise from the right) at which it is cut open."""

    x: float
    y: float
    radius: float
    start: float


def lines(models: Models, frame: Frame, known: Sequence[Line]) -> list[Line]:
    """What stands on the clearest ring, in pieces along it; each has the reading that counts most.

    A ring with nothing but harmless words gives nothing.

    Args:
        models: The networks.
        frame: The picture.
        known: What was found and read before.
    """
    squares, square = _squares(frame, known)
    ring = found(squares, max(frame.width, frame.height), square)
    if ring is None:
        return []
    strip, scale = unrolled(frame.rgb, ring)
    for squeezed in SQUEEZED:
        size = (max(32, round(strip.shape[1] * squeezed)), max(32, strip.shape[0]))
        look = np.asarray(cv2.resize(strip, size, interpolation=cv2.INTER_AREA), np.uint8)
        back = np.array([strip.shape[1] / size[0], strip.shape[0] / size[1]], np.float32)
        read_now = [
            line
            for line in _read(models, look)
            if not straight(line, known, pieces(line.spot.quad * back, ring, scale, strip.shape[0]))
        ]
        some = [line.spot.quad * back for line in read_now]
        if some:
            # The ring is one thing: what identifies on it is told by the worst of its words, however much else is said.
            said = max(read_now, key=lambda line: (_identifies(line), len(line.text)))
            sure = max(line.certainty for line in read_now) >= SURE
            there = _on(squares, ring, scale)
            if not (_identifies(said) and sure and bent(some, ring, scale) and closed(some, there)):
                return []
            high = np.concatenate(some)[:, 1]
            boxes = [*some, *_runs(there, ring, scale, float(high.min()), float(high.max()))]
            quads = [q for box in boxes for q in pieces(box, ring, scale, strip.shape[0])]
            if strewn(read_now, known, quads):
                return []
            return [Line(said.spot._replace(quad=quad), said.text, said.certainty) for quad in quads]
    return []


def bent(boxes: Sequence[Quad], ring: Ring, scale: float) -> bool:
    """Whether what was read on a ring follows it so far that no straight line would hold it."""
    along = np.concatenate(boxes)[:, 0]
    half = min(float(np.ptp(along)) / (ring.radius * scale) / 2, math.pi)
    high = float(np.median([np.ptp(box[:, 1]) for box in boxes])) / scale
    return ring.radius * (1 - math.cos(half)) >= BENT * high


def straight(line: Line, known: Sequence[Line], there: Sequence[Quad]) -> bool:
    """Whether what was read on a ring was read on a straight line before, so that it tells of no ring.

    Args:
        line: What was read on the unrolled ring.
        known: What was read in the picture.
        there: Where it stands in the picture, in pieces: a line at that place is the same, though bent and misread.
    """
    said = _signs(line.text)
    some = [(_signs(before.text), before.spot.quad) for before in known if read(before)]
    return any(
        said in other or ((_alike(said, other) or _part(said, other)) and any(shared(q, quad) > 0 for q in there))
        for other, quad in some
    )


def strewn(ring: Sequence[Line], known: Sequence[Line], there: Sequence[Quad]) -> bool:
    """Whether straight lines that say something else stand where a ring was read, so that their print made it up.

    Args:
        ring: What was read on the unrolled ring.
        known: What was read in the picture.
        there: Where the ring's print stands in the picture, in pieces.
    """
    said = "".join(_signs(line.text) for line in ring)

    def another(line: Line) -> bool:
        signs = _signs(line.text)
        on = sum(shared(line.spot.quad, quad) for quad in there)
        return len(signs) >= LEAST_SIGNS and not _part(signs, said) and on >= WITHIN * area(line.spot.quad)

    return sum(read(line) and line.certainty >= SURE and another(line) for line in known) >= OTHERS


def closed(boxes: Sequence[Quad], along: NDArray[np.float64]) -> bool:
    """Whether print is seen all along what was read.

    Args:
        boxes: What was read, in pixels of the strip.
        along: Where print is seen on the ring, in pixels from the strip's left end.
    """
    steps = []
    for box in boxes:
        (x0, y0), (x1, y1) = box.min(axis=0), box.max(axis=0)
        count = max(1, round(float((x1 - x0) / max(y1 - y0, 1.0))))
        steps.append(np.histogram(along, count, (float(x0), float(x1) + 1e-3))[0] > 0)
    return float(np.concatenate(steps).mean()) >= CLOSED


def _on(squares: Points, ring: Ring, scale: float) -> NDArray[np.float64]:
    """Where on the ring the squares near it lie, in pixels from the strip's left end, in order."""
    away = squares - (ring.x, ring.y)
    on = np.abs(np.hypot(away[:, 0], away[:, 1]) - ring.radius) < NEAR * ring.radius
    turned = (np.arctan2(away[on, 1], away[on, 0]) - ring.start) % (2 * math.pi)
    return np.asarray(np.sort(turned) * ring.radius * scale, np.float64)


def _alike(a: str, b: str) -> bool:
    return SequenceMatcher(None, a, b, autojunk=False).ratio() >= LIKE


def _part(a: str, b: str) -> bool:
    """Whether nearly all of the first stands in the second."""
    blocks = SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks if block.size >= RUN) >= PART * len(a)


def _signs(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())


def _identifies(line: Line) -> bool:
    return identifiers.classify(line.text, line.certainty).category not in identifiers.KEPT


def _runs(along: NDArray[np.float64], ring: Ring, scale: float, top: float, foot: float) -> Iterator[Quad]:
    """Boxes of the strip over everything that looks like print on the ring: what was read names the rest."""
    around = 2 * math.pi * ring.radius * scale
    apart = around / STEPS
    for run in np.split(along, np.flatnonzero(np.diff(along) > apart) + 1):
        if len(run):
            x0, x1 = max(float(run[0]) - apart / 4, 0.0), min(float(run[-1]) + apart / 4, around)
            yield np.array([[x0, top], [x1, top], [x1, foot], [x0, foot]], np.float32)


def _read(models: Models, strip: Pixels) -> list[Line]:
    """What can be read on an unrolled ring: letters stand with their feet towards the middle, or with their heads."""
    spots = [s for s in models.detect(strip, LEAST_SCORE) if sides(s.quad)[0] >= LEAST_LONG * sides(s.quad)[1]]
    crops = [crop(strip, s.quad) for s in spots]
    ways = zip(models.read(crops), models.read([np.ascontiguousarray(np.rot90(c, 2)) for c in crops]), strict=True)
    best = [max(readings, key=lambda reading: reading.score) for readings in ways]
    found = [Line(spot, *reading) for spot, reading in zip(spots, best, strict=True)]
    return [line for line in found if read(line) and sum(c.isalnum() for c in line.text) >= LEAST_SIGNS]


def beside(lines: Sequence[Line], ring: Sequence[Line]) -> list[Line]:
    """The lines that are no letters of a ring that was read."""
    quads = [line.spot.quad for line in ring]

    def by_itself(line: Line) -> bool:
        return read(line) and len(_signs(line.text)) >= LEAST_SIGNS

    return [k for k in lines if by_itself(k) or sum(shared(k.spot.quad, q) for q in quads) < WITHIN * area(k.spot.quad)]


def judged(ring: Sequence[Line], known: Known, keep: Collection[str]) -> list[Line]:
    """The pieces of a ring with what its reading is."""
    out = []
    for line in ring:
        verdict = identifiers.classify(line.text, line.certainty, known)
        kind, quad = verdict.category, line.spot.quad
        out.append(replace(line, category=kind, strong=verdict.strong, cover=quad, keep=frozenset(keep)))
    return out


def _squares(frame: Frame, known: Sequence[Line]) -> tuple[Points, float]:
    """The middles of squares with print that is on no line that was read and on no ruler, (n, 2); the area of each."""
    view = marks.views(frame)[0 if max(frame.width, frame.height) <= marks.COARSE[0] else 1]
    print_, scale = view.marks[marks.TEXT], view.marks[marks.RULER]
    likely = np.where((scale >= marks.SEEN) & (scale > print_), 0, print_)
    for line in known:
        if read(line) and len(line.text) >= LEAST_SIGNS:
            cv2.fillPoly(likely, [np.round(line.spot.quad / (view.across, view.down)).astype(np.int32)], 0.0)
    at = np.argwhere(likely >= LIKELY)[:, ::-1]
    every = max(1, len(at) // MOST)
    return np.asarray((at[::every] + 0.5) * (view.across, view.down), np.float64), every * view.across * view.down


def found(points: Points, longest: int, size: float) -> Ring | None:
    """The circle on which most parts have print.

    Args:
        points: Where print is seen, (n, 2).
        longest: The picture's longer side, in pixels.
        size: The area that each of them stands for, in pixels.
    """
    if len(points) < FEWEST:
        return None
    rng = np.random.default_rng(0)
    best: tuple[int, Ring] | None = None
    for _ in range(TRIES):
        circle = _through(points[rng.choice(len(points), 3, replace=False)])
        if circle is None or not RADII[0] * longest < circle[2] < RADII[1] * longest:
            continue
        away = points - circle[:2]
        far = np.hypot(away[:, 0], away[:, 1])
        on = np.abs(far - circle[2]) < NEAR * circle[2]
        within = np.count_nonzero(far < (1 + NEAR) * circle[2])
        angles = np.arctan2(away[on, 1], away[on, 0])
        parts = np.bincount(((angles + math.pi) / (2 * math.pi) * STEPS).astype(int) % STEPS, minlength=STEPS) > 0
        strewn = not on.any() or np.median(np.abs(far[on] - circle[2])) > NARROW * circle[2]
        band = 4 * math.pi * NEAR * circle[2] ** 2 * float(parts.mean())
        few = np.count_nonzero(on) * size < FILLED * band
        if strewn or few or np.count_nonzero(on) < ALONE * within or parts.sum() < LEAST_STEPS:
            continue
        if best is None or parts.sum() > best[0]:
            best = int(parts.sum()), Ring(float(circle[0]), float(circle[1]), float(circle[2]), _gap(parts))
    return best[1] if best else None


def _through(three: Points) -> NDArray[np.float64] | None:
    """Middle and radius of the circle through three points."""
    matrix = 2 * (three[1:] - three[0])
    if abs(np.linalg.det(matrix)) < 1.0:
        return None
    squares = (three**2).sum(axis=1)
    middle = np.linalg.solve(matrix, squares[1:] - squares[0])
    return np.append(middle, np.hypot(*(three[0] - middle)))


def _gap(parts: NDArray[np.bool_]) -> float:
    """The angle in the middle of the longest run of parts without print."""
    longest, at, run = 0, 0.0, 0
    for n in range(2 * STEPS):
        run = 0 if parts[n % STEPS] else run + 1
        if longest < run <= STEPS:
            longest, at = run, n + 1 - run / 2
    return at / STEPS * 2 * math.pi - math.pi


def unrolled(rgb: Pixels, ring: Ring) -> tuple[Pixels, float]:
    """The ring as a strip, clockwise to the right, its outside above; and pixels of the strip to one of the frame."""
    scale = min(1.0, LONGEST / (2 * math.pi * ring.radius))
    width, high = round(2 * math.pi * ring.radius * scale), round(2 * BAND * ring.radius * scale)
    angle = ring.start + np.arange(width) / (ring.radius * scale)
    far = (1 + BAND) * ring.radius - np.arange(high) / scale
    x = ring.x + np.cos(angle)[None] * far[:, None]
    y = ring.y + np.sin(angle)[None] * far[:, None]
    strip = cv2.remap(
        rgb, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(strip, np.uint8), scale


def pieces(quad: Quad, ring: Ring, scale: float, high: int) -> list[Quad]:
    """A box of the strip as quadrilaterals of the frame, one beside the other along the arc."""
    x0, y0 = quad.min(axis=0)
    x1, y1 = quad.max(axis=0)
    start, end = (ring.start + float(x) / (ring.radius * scale) for x in (x0, x1))
    count = max(1, math.ceil((end - start) / PIECE))
    step = (end - start) / count
    outer = (1 + BAND) * ring.radius - max(float(y0), 0.0) / scale
    inner = (1 + BAND) * ring.radius - min(float(y1), high) / scale
    # The middle of a chord lies nearer to the middle of the circle than its ends.
    outer /= math.cos(step / 2)
    out = []
    for n in range(count):
        a, b = start + n * step, start + (n + 1) * step
        at = [(outer, a), (outer, b), (inner, b), (inner, a)]
        corners = [(ring.x + far * math.cos(t), ring.y + far * math.sin(t)) for far, t in at]
        out.append(ordered(np.array(corners, np.float32)))
    return out
