"""Bar and 2-D codes: what zxing-cpp reads, and what looks like a code and cannot be read.

A code goes whether or not it decodes, so its content is dropped at once; only the place and the sort are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import cast

import numpy as np
import zxingcpp

from medimg._opencv import cv2
from medimg.detect import Detector, Frame, Pixels
from medimg.detect import _code_finder as finder
from medimg.detect._code_shape import Floats, Gray, whole_bars
from medimg.detect.ruler import ticked
from medimg.policy import Policy
from medimg.types import NOTHING_KNOWN, Finding, KnownValues, Polygon

NAME = "codes"
LEVELS = (2400, 1200, 600)
"""Longer sides at which codes are looked for; a code is seen where its modules are 1 to 4 pixels. The first is also the
one that is read: at 4000 zxing-cpp needs 0.8 s for the grain of a 12 MP photo, and what it reads more has its looks."""
NARROW, LONGEST = 256, 32_000
"""A picture is not shrunk below this shorter side, as long as its longer side stays within what cv2 can warp."""
MATRIX = frozenset(("QRCode", "MicroQRCode", "RMQRCode", "DataMatrix", "Aztec", "PDF417", "MaxiCode", "CompactPDF417"))
ACCEPT = 0.5
AGAIN = 0.2
"""What a 2-D candidate of a coarse level has to score in the finer one."""
CLOSER_LOOK = 0.05
"""Candidates from this score up to :data:`ACCEPT` are tried with the reader, enlarged."""
MOST_CLOSER_LOOKS = 12
COVERED = 0.7
"""Share of a code found again that has to lie under covers."""
TICKED = 0.5
"""Share of a strip that has to be a row of ticks for it to be a ruler (:func:`medimg.detect.ruler.ticked`)."""
TINT = 20.0
"""Spread of colour left when brightness is taken out, 0 to 255: print of one ink has 1 to 17, a colour card over 25."""
DETAIL = 1000

Corners = Floats


def make(_policy: Policy) -> Detector:
    """The detector; it has no model to load."""
    return Codes()


class Codes:
    """See :class:`medimg.detect.Detector`."""

    name = NAME

    def __init__(self) -> None:
        self.version = f"zxing-cpp {version('zxing-cpp')}, code finder 1"

    def find(self, frame: Frame, known: KnownValues = NOTHING_KNOWN) -> list[Finding]:  # noqa: ARG002
        """Every code that is read or looks like one."""
        if min(frame.width, frame.height) < 8:
            return []
        seen: list[tuple[Corners, bool, float]] = []
        finer: tuple[Gray, float] | None = None
        for size in _sizes(frame):
            pixels, factor = frame.scaled(size)
            gray = cast(Gray, cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
            found = finder.level(gray)
            good = [c for c in found if c.score >= ACCEPT]
            if finer is not None:
                ratio = float(finer[1] / factor)
                good = [c for c in good if c.linear or finder.again(finer[0], c.corners * ratio) >= AGAIN]
            finer = (gray, factor)
            doubtful = sorted((c for c in found if CLOSER_LOOK <= c.score < ACCEPT), key=lambda c: -c.score)
            good += [c for c in doubtful[:MOST_CLOSER_LOOKS] if _readable(gray, c.corners)]
            seen += [(c.corners / factor, c.linear, c.score) for c in good if not _spared(pixels, c)]
        seen += list(self._read(frame))
        return [
            Finding(
                kind="code",
                category="barcode" if linear else "2d-code",
                detector=self.version,
                score=round(min(score, 1.0), 3),
                region=frame.region(tuple((float(x), float(y)) for x, y in corners)),
            )
            for corners, linear, score in _distinct(seen)
        ]

    def _read(self, frame: Frame) -> Iterator[tuple[Corners, bool, float]]:
        """The codes that decode, in full-size coordinates."""
        pixels, factor = frame.scaled(_sizes(frame)[0])
        gray = cast(Gray, cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY))
        for code in zxingcpp.read_barcodes(gray):
            p = code.position
            points = (p.top_left, p.top_right, p.bottom_right, p.bottom_left)
            corners = np.asarray([(c.x, c.y) for c in points], np.float32)
            linear = code.format.symbology.name not in MATRIX and code.format.name not in MATRIX
            yield (whole_bars(gray, corners) if linear else corners) / factor, linear, 1.0

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
    if candidate.linear and ticked(pixels, candidate.corners) >= TICKED:
        return True
    height, width = pixels.shape[:2]
    x0, y0 = (int(v) for v in np.maximum(candidate.corners.min(0), 0))
    x1, y1 = (int(v) for v in np.minimum(candidate.corners.max(0) + 1, (width, height)))
    patch = pixels[y0:y1, x0:x1].reshape(-1, 3)
    if len(patch) < 16:
        return False
    part = patch[:: max(1, len(patch) // 4000)].astype(np.float64)
    light = part.mean(1) - part.mean()
    colour = np.stack((part[:, 0] - part[:, 1], part[:, 2] - part[:, 1]), 1)
    colour -= colour.mean(0)
    rest = colour - np.outer(light, light @ colour) / max(float(light @ light), 1e-6)
    return bool(rest.std() > TINT)


def _distinct(seen: list[tuple[Corners, bool, float]]) -> list[tuple[Corners, bool, float]]:
    """Without those that lie inside another; the largest first."""
    kept: list[tuple[Corners, bool, float]] = []
    for corners, linear, score in sorted(seen, key=lambda s: -cv2.contourArea(s[0])):
        own = float(cv2.contourArea(corners))
        box = cv2.boundingRect(corners)
        for other, *_ in kept:
            x, y, w, h = cv2.boundingRect(other)
            apart = x > box[0] + box[2] or box[0] > x + w or y > box[1] + box[3] or box[1] > y + h
            if not apart and cv2.intersectConvexConvex(other, corners)[0] > 0.85 * own:
                break
        else:
            kept.append((corners, linear, score))
    return kept
