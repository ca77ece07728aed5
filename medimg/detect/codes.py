"""Bar and 2-D codes: what zxing-cpp reads, and what looks like a code and cannot be read.

A code goes whether or not it decodes, so its content is dropped at once; only the place and the sort are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import NamedTuple, cast

import numpy as np
import zxingcpp

from medimg._opencv import cv2
from medimg.detect import Detector, Frame, Pixels
from medimg.detect import _code_finder as finder
from medimg.detect._code_matrix import TINT
from medimg.detect._code_shape import Floats, Gray, stretched, tint, whole, whole_bars
from medimg.detect.ruler import ticked
from medimg.policy import Policy
from medimg.types import NOTHING_KNOWN, Finding, KnownValues, Polygon

NAME = "codes"
LEVELS = (2400, 1200, 600, 300)
"""Longer sides at which codes are looked for; a code is seen where its modules are 1 to 4 pixels. The first is also the
one that is read: at 4000 zxing-cpp needs 0.8 s for the grain of a 12 MP photo, and what it reads more has its looks."""
NARROW, LONGEST = 256, 32_000
"""A picture is not shrunk below this shorter side, as long as its longer side stays within what cv2 can warp."""
MATRIX = frozenset(("QRCode", "MicroQRCode", "RMQRCode", "DataMatrix", "Aztec", "PDF417", "MaxiCode", "CompactPDF417"))
ACCEPT, ACCEPT_MATRIX = 0.5, 0.68
CLOSER_LOOK = 0.05
"""Candidates from this score up to what is accepted are tried with the reader, enlarged."""
MOST_CLOSER_LOOKS = 12
COVERED = 0.7
"""Share of a code found again that has to lie under covers."""
TICKED = 0.5
"""Share of a strip that has to be a row of ticks for it to be a ruler (:func:`medimg.detect.ruler.ticked`)."""
READ = 12.0
"""Most times a 2-D code that was read may grow: of a stacked code the reader may give a few rows only."""
DETAIL = 1000

Corners = Floats


class Seen(NamedTuple):
    """A code: its corners at full size, whether it is a bar code, how sure, and whether its quiet zone was seen."""

    corners: Corners
    linear: bool
    score: float
    complete: bool


def make(_policy: Policy) -> Detector:
    """The detector; it has no model to load."""
    return Codes()


class Codes:
    """See :class:`medimg.detect.Detector`."""

    name = NAME

    def __init__(self) -> None:
        self.version = f"zxing-cpp {version('zxing-cpp')}, code finder 2"

    def find(self, frame: Frame, known: KnownValues = NOTHING_KNOWN) -> list[Finding]:  # noqa: ARG002
        """Every code that is read or looks like one."""
        if min(frame.width, frame.height) < 8:
            return []
        seen = list(self._read(frame))
        sizes = _sizes(frame)
        for size in sizes:
            pixels, factor = frame.scaled(size)
            gray = cast(Gray, cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
            here = []
            for candidate in _accepted(gray, finder.level(gray, pixels, size == sizes[-1])):
                if not _spared(pixels, candidate):
                    corners, complete = whole(gray, candidate.corners)
                    here.append(Seen(corners / factor, candidate.linear, candidate.score, complete))
            # A coarse level takes a whole label for a code: what a finer one saw the end of is not seen again.
            done = [s.corners for s in seen if s.complete]
            seen += [s for s in here if not _holds(s.corners, done)]
        return [
            Finding(
                kind="code",
                category="barcode" if linear else "2d-code",
                detector=self.version,
                score=round(score, 3),
                region=frame.region(tuple((float(x), float(y)) for x, y in corners)),
            )
            for corners, linear, score, _ in _distinct(seen)
        ]

    def _read(self, frame: Frame) -> Iterator[Seen]:
        """The codes that decode, in full-size coordinates."""
        pixels, factor = frame.scaled(_sizes(frame)[0])
        gray = cast(Gray, cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
        for code in zxingcpp.read_barcodes(gray):
            p = code.position
            points = (p.top_left, p.top_right, p.bottom_right, p.bottom_left)
            corners = np.asarray([(c.x, c.y) for c in points], np.float32)
            linear = code.format.symbology.name not in MATRIX and code.format.name not in MATRIX
            corners, complete = whole(gray, whole_bars(gray, corners) if linear else corners, 2.6 if linear else READ)
            yield Seen(corners / factor, linear, 1.0, complete)

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


def _accepted(gray: Gray, found: list[finder.Candidate]) -> list[finder.Candidate]:
    """The sure candidates, and the doubtful ones in which the reader finds a code."""
    good, doubtful = [], []
    for candidate in found:
        if candidate.score >= (ACCEPT if candidate.linear else ACCEPT_MATRIX):
            good.append(candidate)
        elif candidate.score >= CLOSER_LOOK:
            doubtful.append(candidate)
    doubtful.sort(key=lambda c: -c.score)
    return good + [c for c in doubtful[:MOST_CLOSER_LOOKS] if _readable(gray, c.corners)]


def _sizes(frame: Frame) -> list[int]:
    """The longer sides to look at, largest first, each giving other pixels."""
    long, short = max(frame.width, frame.height), min(frame.width, frame.height)
    least = min(long, LONGEST, round(long * NARROW / short))
    return sorted({min(long, max(size, least)) for size in LEVELS}, reverse=True)


def _fill(canvas: Gray, polygons: Sequence[Polygon], factor: float) -> None:
    for polygon in polygons:
        if polygon:
            points = np.clip(np.asarray(polygon) * factor * 16, -(2**27), 2**27)
            cv2.fillPoly(canvas, [np.round(points).astype(np.int32)], 1, cv2.LINE_8, 4)


def _readable(gray: Gray, corners: Corners) -> bool:
    """Whether the reader finds a code in a candidate, enlarged; one that fails its check digits counts."""
    height, width = gray.shape
    low, high = corners.min(0) - 12, corners.max(0) + 12
    x0, y0 = (int(v) for v in np.maximum(low, 0))
    x1, y1 = (int(v) for v in np.minimum(high, (width, height)))
    patch = gray[y0:y1, x0:x1]
    if min(patch.shape, default=0) < 8 or patch.size > 400_000:
        return False
    enlarged = cv2.resize(patch, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    return bool(zxingcpp.read_barcodes(enlarged, return_errors=True))


def _spared(pixels: Pixels, candidate: finder.Candidate) -> bool:
    """A ruler's ticks or a colour card: never covered for looking like a code."""
    if candidate.linear:
        if ticked(pixels, candidate.corners) >= TICKED:
            return True
        # A few ticks are too few to tell by; the rest of the ruler goes on beside them.
        long = float(np.linalg.norm(candidate.corners[1] - candidate.corners[0]))
        further = stretched(candidate.corners, 2 * long)
        if candidate.score < finder.SURE and ticked(pixels, further) >= TICKED:
            return True
    return tint(pixels, candidate.corners) > TINT


def _inside(inner: Corners, outer: Corners) -> bool:
    (x, y, w, h), (u, v, a, b) = cv2.boundingRect(inner), cv2.boundingRect(outer)
    if x > u + a or u > x + w or y > v + b or v > y + h:
        return False
    return bool(cv2.intersectConvexConvex(outer, inner)[0] > 0.85 * cv2.contourArea(inner))


def _holds(corners: Corners, done: list[Corners]) -> bool:
    """Whether a box is a code seen whole already and little more: up to four times its size."""
    area = cv2.contourArea(corners)
    held = [cv2.contourArea(d) for d in done if cv2.contourArea(d) < area and _inside(d, corners)]
    return bool(held) and area < 4 * max(held) + sum(held) - max(held)


def _distinct(seen: list[Seen]) -> list[Seen]:
    """Without those that lie inside another; the largest first."""
    kept: list[Seen] = []
    for one in sorted(seen, key=lambda s: -cv2.contourArea(s.corners)):
        if not any(_inside(one.corners, other.corners) for other in kept):
            kept.append(one)
    return kept
