"""A detector of one's own: rubber stamps and signatures in blue or red ink on white paper.

A policy asks for it with ``[detectors] also = ["stamps"]``; its package names it in ``pyproject.toml``::
    [project.entry-points."medimg.detectors"]
    stamps = "stamp_detector:make"
"""

from collections.abc import Sequence

import cv2

from medimg import Policy
from medimg.detect import Frame
from medimg.types import NOTHING_KNOWN, Finding, KnownValues, Polygon
from medimg.vocabulary import Category, Kind


class Stamps:
    """Finds strokes of saturated ink that stand close together, on white: a wound on skin is none."""

    name, version = "text", "stamps 1"  # it adds to the check of writing

    def find(self, frame: Frame, known: KnownValues = NOTHING_KNOWN) -> list[Finding]:
        hue, strong, bright = cv2.split(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2HSV))
        ink = ((strong > 90) & (bright > 50) & ((hue < 8) | (hue > 172) | ((hue > 100) & (hue < 130)))).astype("uint8")
        paper = (strong < 60) & (bright > 120)
        _, _, boxes, _ = cv2.connectedComponentsWithStats(cv2.dilate(ink, None, iterations=9))
        places = [(x, y, w, h) for x, y, w, h, _ in boxes[1:] if w > 60 and h > 25]
        return [self._found(frame, *p) for p in places if paper[p[1] : p[1] + p[3], p[0] : p[0] + p[2]].mean() > 0.4]

    def recheck(self, frame: Frame, covers: Sequence[Polygon], known: KnownValues = NOTHING_KNOWN):
        return self.find(frame), self.version  # a black cover has no coloured ink

    def _found(self, frame: Frame, x: float, y: float, w: float, h: float) -> Finding:
        place = frame.region(((x, y), (x + w, y), (x + w, y + h), (x, y + h)))
        return Finding(kind=Kind.TEXT, category=Category.UNKNOWN, detector=self.version, region=place)


def make(policy: Policy) -> Stamps:
    return Stamps()
