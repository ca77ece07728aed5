"""Bar and 2-D codes: read by zxing-cpp at several sizes. Content is dropped at once; only the place is kept."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
import zxingcpp

from medimg.detect import Detector, Frame
from medimg.policy import Policy
from medimg.redact.cover import mask
from medimg.types import NOTHING_KNOWN, Cover, Finding, KnownValues, Polygon

NAME = "codes"
SIZES = (4000, 1600, 800)
"""Longer sides, in pixels, that are searched; zxing-cpp shrinks further by itself."""
MATRIX = frozenset(("QRCode", "MicroQRCode", "RMQRCode", "DataMatrix", "Aztec", "PDF417", "MaxiCode", "CompactPDF417"))
COVERED = 0.7


def make(_policy: Policy) -> Detector:
    """The detector; it has no model to load."""
    return Codes()


class Codes:
    """See :class:`medimg.detect.Detector`."""

    name = NAME

    def __init__(self) -> None:
        self.version = f"zxing-cpp {version('zxing-cpp')}"

    def find(self, frame: Frame, known: KnownValues = NOTHING_KNOWN) -> list[Finding]:  # noqa: ARG002
        """Every code that is recognised, decoded or not."""
        found: dict[tuple[int, int], Finding] = {}
        for size in SIZES:
            pixels, factor = frame.scaled(size)
            for code in zxingcpp.read_barcodes(pixels, return_errors=True):
                p = code.position
                corners = (p.top_left, p.top_right, p.bottom_right, p.bottom_left)
                polygon = tuple((c.x / factor, c.y / factor) for c in corners)
                if len(set(polygon)) < 3:
                    continue
                category = "2d-code" if code.format.name in MATRIX else "barcode"
                key = (round(polygon[0][0] / 20), round(polygon[0][1] / 20))
                found.setdefault(
                    key, Finding(kind="code", category=category, detector=self.version, region=frame.region(polygon))
                )
            if factor == 1.0 and size <= max(frame.width, frame.height):
                continue
        return list(found.values())

    def recheck(
        self, frame: Frame, covers: Sequence[Polygon], known: KnownValues = NOTHING_KNOWN
    ) -> tuple[list[Finding], str]:
        """Codes outside the covers."""
        hidden = mask([Cover(polygon=c, category="").polygon for c in covers], frame.width, frame.height)
        left = []
        for finding in self.find(frame, known):
            if finding.region is None:
                continue
            box = finding.region.box
            inside = mask([frame.upright(finding.region.polygon)], frame.width, frame.height)
            if box.area and np.count_nonzero(inside & hidden) < COVERED * np.count_nonzero(inside):
                left.append(finding)
        return left, self.version
