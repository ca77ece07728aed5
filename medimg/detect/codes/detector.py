"""Bar and 2-D codes: what zxing-cpp reads, and what the network of :mod:`medimg.detect.objects.marks` takes for one.

What the network takes for one counts only if :mod:`medimg.detect.codes.likeness` says so too, or some of it was read.

A code goes whether or not it decodes, so its content is dropped at once; only the place and the sort are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import version
from typing import NamedTuple, cast

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from medimg.detect import Detector, Frame, proof
from medimg.detect.codes.likeness import like_a_code
from medimg.detect.objects import marks as _marks
from medimg.native.opencv import cv2
from medimg.policy import Policy
from medimg.types import NOTHING_KNOWN, Finding, KnownValues, Polygon
from medimg.vocabulary import Category, Kind

NAME = "codes"
READ_AT = 2400
"""Longer side of the picture that is read: at 4000 zxing-cpp needs 0.8 s for the grain of a 12 MP photo."""
NARROW, LONGEST = 256, 32_000
"""A picture is not shrunk below this shorter side, as long as its longer side stays within what cv2 can warp."""
MATRIX = frozenset(("QRCode", "MicroQRCode", "RMQRCode", "DataMatrix", "Aztec", "PDF417", "MaxiCode", "CompactPDF417"))
SURE = 0.73
"""Least mean likelihood of a code's squares."""
SQUARES, SQUARES_COARSE = 4, 12
"""Least squares of a code in the finest look and in a coarser one."""
SHORTEST, WIDE, UNSEEN = 67, 6.0, 0.3
"""Modules of the shortest bar code in common use (EAN-8, ISO/IEC 15420), the pixels of a module that the network sees
well, and the mean likelihood below which it saw no code."""
ELSE = 0.15
"""Least mean likelihood of print, a ruler or a colour card for a place to be one."""
PART = 0.25
"""Least likelihood of a square that belongs to a code of which a part was read."""
KNOWN = 0.9
"""Share of a place that has to lie in others for it to be known already."""
MOST_READ = 255
"""Codes that zxing-cpp reads in a picture at most; with so many there may be more, and the whole picture counts."""
SOME = 0.3
"""Share of the smaller of two places that has to lie in the other for what was read in one to speak for the other."""
COVERED = 0.7
"""Share of a code found again that has to lie under covers."""
DETAIL = 1000

Corners = NDArray[np.float32]


class Detection(NamedTuple):
    """A code: its corners at full size, whether it is a bar code, and how sure."""

    corners: Corners
    linear: bool
    score: float


def make(_policy: Policy) -> Detector:
    """Load the network.

    Raises:
        MissingPart: The weights are not there or were changed.
    """
    return Codes()


class Codes:
    """See :class:`medimg.detect.Detector`."""

    name = NAME

    def __init__(self) -> None:
        self._proof = proof.Proof(_marks.network().prove)
        self.version = f"zxing-cpp {version('zxing-cpp')}, {_marks.network().version}"

    def find(self, frame: Frame, known: KnownValues = NOTHING_KNOWN) -> list[Finding]:  # noqa: ARG002
        """Every code that is read or looks like one."""
        self._proof()
        _prove_reader()
        if min(frame.width, frame.height) < 8:
            return []
        looks, read = _marks.views(frame), list(_read(frame))
        seen: list[Detection] = []
        for look in range(len(looks)):
            # What a finer look saw is outlined better there.
            seen += _new(_likely(frame, looks, look, read), seen)
        seen += [one._replace(corners=_whole(one.corners, looks)) for one in _new(read, seen)]
        return [
            Finding(
                kind=Kind.CODE,
                category=Category.BARCODE if one.linear else Category.TWO_D_CODE,
                detector=self.version,
                score=round(one.score, 3),
                region=frame.region(tuple((float(x), float(y)) for x, y in one.corners)),
            )
            for one in _distinct(seen)
        ]

    def recheck(
        self, frame: Frame, covers: Sequence[Polygon], known: KnownValues = NOTHING_KNOWN
    ) -> tuple[list[Finding], str]:
        """Codes outside the covers."""
        factor = float(min(1.0, DETAIL / max(frame.width, frame.height)))
        shape = (round(frame.height * factor) + 1, round(frame.width * factor) + 1)
        hidden = np.zeros(shape, np.uint8)
        _fill(hidden, covers, factor)
        left = []
        for finding in self.find(frame, known):
            if finding.region is None:
                continue
            inside = np.zeros(shape, np.uint8)
            _fill(inside, [frame.upright(finding.region.polygon)], factor)
            if int(np.count_nonzero(inside & hidden)) < COVERED * max(int(np.count_nonzero(inside)), 1):
                left.append(finding)
        return left, self.version


def _prove_reader() -> None:
    """Have a drawn code read. It takes half a millisecond, so every look at a photo begins with it.

    Raises:
        CheckNotRun: zxing-cpp does not read it.
    """
    said = [code.text for code in zxingcpp.read_barcodes(proof.code()[..., 0])]
    proof.found(said == [proof.CODE], "the code reader")


def _read(frame: Frame) -> Iterator[Detection]:
    """The codes that decode, in full-size coordinates."""
    longest, shortest = max(frame.width, frame.height), min(frame.width, frame.height)
    pixels, factor = frame.scaled(min(longest, max(READ_AT, min(LONGEST, round(longest * NARROW / shortest)))))
    codes = zxingcpp.read_barcodes(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
    if len(codes) >= MOST_READ:
        w, h = frame.width, frame.height
        yield Detection(np.asarray(((0, 0), (w, 0), (w, h), (0, h)), np.float32), False, 1.0)
        return
    for code in codes:
        p = code.position
        points = (p.top_left, p.top_right, p.bottom_right, p.bottom_left)
        linear = code.format.symbology.name not in MATRIX and code.format.name not in MATRIX
        corners = np.asarray([(c.x, c.y) for c in points], np.float32)
        if not np.isfinite(corners).all():
            raise proof.nonsense("the code reader")
        yield Detection(_thick(corners) / factor, linear, 1.0)


def _thick(corners: Corners) -> Corners:
    """A place at least two pixels high: of a bar code the reader may give one scan line."""
    (x, y), (w, h), angle = cv2.minAreaRect(corners)
    return cast(Corners, cv2.boxPoints(((x, y), (max(w, 2.0), max(h, 2.0)), angle)))


def _likely(frame: Frame, looks: Sequence[_marks.View], look: int, read: Sequence[Detection]) -> Iterator[Detection]:
    """What the network takes for codes in one look, and what is one by its looks or because some of it was read."""
    view = looks[look]
    bars, squares = view.marks[_marks.BAR], view.marks[_marks.MATRIX]
    for place in _marks.places(view, np.maximum(bars, squares), SQUARES_COARSE if look else SQUARES):
        bar, square, _, _, text = (float(part[place.own].mean()) for part in view.marks[:, *place.box])
        one = Detection(place.corners, bar >= square, place.score)
        # What a finer look saw to be something else is no code.
        if place.score < max(SURE, text) or (look and _else(one, looks[look - 1])):
            continue
        if any(_touch(one.corners, other.corners) for other in read) or like_a_code(frame, place, looks, look):
            yield one


def _touch(corners: Corners, other: Corners) -> bool:
    """Whether two places have a good part of the smaller in common."""
    least = max(min(cv2.contourArea(corners), cv2.contourArea(other)), 1.0)
    return float(cv2.intersectConvexConvex(corners, other)[0]) >= SOME * least


def _else(one: Detection, finer: _marks.View) -> bool:
    """Whether a finer look saw print, a ruler or a colour card where a coarser one saw a code."""
    x0, y0 = (int(v) for v in np.maximum(one.corners.min(0) / (finer.across, finer.down), 0))
    x1, y1 = (int(v) + 1 for v in np.maximum(one.corners.max(0) / (finer.across, finer.down), 0))
    there = finer.marks[:, y0:y1, x0:x1].mean(axis=(1, 2)) if y1 > y0 and x1 > x0 else np.zeros(5)
    code = there[_marks.BAR] + there[_marks.MATRIX]
    # So long a bar code has bars that the finer look sees; a row of stitches has not.
    side = max(cv2.minAreaRect(np.asarray(one.corners / (finer.across, finer.down), np.float32))[1]) * _marks.STRIDE
    fine = one.linear and side < WIDE * SHORTEST and code < UNSEEN
    return bool(fine or max(there[_marks.TEXT], there[_marks.RULER], there[_marks.CARD]) > max(code, ELSE))


def _new(places: Iterable[Detection], seen: Sequence[Detection]) -> list[Detection]:
    return [one for one in places if not _held(one.corners, [s.corners for s in seen])]


def _whole(corners: Corners, looks: Sequence[_marks.View]) -> Corners:
    """All of a code of which the reader gave a few rows or a scan line: what looks like code and touches it."""
    best = corners
    for view in looks:
        likely = np.maximum(view.marks[_marks.BAR], view.marks[_marks.MATRIX])
        here = np.zeros(likely.shape, np.uint8)
        cv2.fillPoly(here, [np.round(corners / (view.across, view.down)).astype(np.int32)], 1)
        part = ((likely >= PART) | (here > 0)).astype(np.uint8)
        _, labels = cv2.connectedComponents(part, connectivity=4)
        touched = np.unique(labels[here > 0])
        own = np.isin(labels, touched[touched > 0])
        rows, columns = np.nonzero(own)
        if len(rows):
            points = np.stack((columns + 0.5, rows + 0.5), 1) * (view.across, view.down)
            made = cv2.boxPoints(cv2.minAreaRect(np.concatenate((points, corners)).astype(np.float32)))
            if cv2.contourArea(made) > cv2.contourArea(best):
                best = np.asarray(made, np.float32)
    return best


def _fill(canvas: NDArray[np.uint8], polygons: Sequence[Polygon], factor: float) -> None:
    for polygon in polygons:
        if polygon:
            points = np.clip(np.asarray(polygon) * factor * 16, -(2**27), 2**27)
            cv2.fillPoly(canvas, [np.round(points).astype(np.int32)], 1, cv2.LINE_8, 4)


def _held(corners: Corners, others: Sequence[Corners]) -> bool:
    """Whether most of a place lies in others."""
    return sum(cv2.intersectConvexConvex(other, corners)[0] for other in others) >= KNOWN * cv2.contourArea(corners)


def _distinct(seen: list[Detection]) -> list[Detection]:
    """Without those that lie inside another; the largest first."""
    kept: list[Detection] = []
    for one in sorted(seen, key=lambda s: -cv2.contourArea(s.corners)):
        if not any(_held(one.corners, [other.corners]) for other in kept):
            kept.append(one)
    return kept
