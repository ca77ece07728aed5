"""Faces: found to be covered (``face``), or shown to the person who looks (``possible-face``).

One network looks at the picture at several sizes and at four quarter turns, because patients lie down and because
a face that fills the frame is found only when the picture is made small. What it finds is grouped; a group that is
sure enough is a face, a weaker one a possible face. No embedding is computed: nothing here can tell who it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from medimg._opencv import cv2
from medimg.detect import Frame, Pixels
from medimg.detect._centerface import CenterFace, Rows
from medimg.types import NOTHING_KNOWN, Box, Finding, KnownValues, Polygon

if TYPE_CHECKING:
    from medimg.policy import Policy


class View(NamedTuple):
    """One size the network looks at: long side in pixels, least score to cover, least score to ask."""

    side: int
    cover: float
    ask: float


VIEWS = (View(640, 0.35, 0.2), View(192, 0.5, 0.25), View(128, 2.0, 0.25))


class Found(NamedTuple):
    """A face in upright full-size coordinates."""

    face: Box
    head: Box
    score: float
    sure: bool


class Faces:
    """The face check; see :class:`medimg.detect.Detector`."""

    name = "faces"

    def __init__(self) -> None:
        self._net = CenterFace()
        self.version = f"centerface {self._net.digest[:8]}"

    def find(self, frame: Frame, known: KnownValues = NOTHING_KNOWN) -> list[Finding]:  # noqa: ARG002 - no values here
        """Faces, and places that may be one."""
        return [self._finding(frame, found) for found in self.look(frame)]

    def recheck(
        self,
        frame: Frame,
        covers: Sequence[Polygon],
        known: KnownValues = NOTHING_KNOWN,  # noqa: ARG002 - no values here
    ) -> tuple[list[Finding], str]:
        """Faces of the copy that do not lie mostly under the covers."""
        under = _mask(frame, covers)
        left = [f for f in self.look(frame) if f.sure and _share(under, frame, f.face) < 0.5]
        return [self._finding(frame, f) for f in left], self.version

    def _finding(self, frame: Frame, found: Found) -> Finding:
        return Finding(
            kind="face",
            category="face" if found.sure else "possible-face",
            detector=self.version,
            score=round(min(found.score, 1.0), 3),
            region=frame.region(found.head.polygon),
        )

    def look(self, frame: Frame) -> list[Found]:
        """Every face, most certain first; none inside another."""
        seen = sorted(self._candidates(frame), key=lambda f: (not f.sure, -f.score))
        kept: list[Found] = []
        for found in seen:
            if all(found.face.overlap(k.face) < 0.4 * min(found.face.area, k.face.area) for k in kept):
                kept.append(found)
        return kept

    def _candidates(self, frame: Frame) -> Iterator[Found]:
        for view in VIEWS:
            small, factor = frame.scaled(view.side)
            for turn in range(4):
                rows = self._net.detect(np.ascontiguousarray(np.rot90(small, turn)), view.ask)
                yield from _found(rows, turn, small, factor, frame, view)


def _found(rows: Rows, turn: int, small: Pixels, factor: float, frame: Frame, view: View) -> Iterator[Found]:
    height, width = small.shape[:2]
    for row in rows:
        x0, y0, x1, y1 = (float(v) for v in row[:4])
        wide, high = x1 - x0, y1 - y0
        head = (x0 - 0.3 * wide, y0 - 0.45 * high, x1 + 0.3 * wide, y1 + 0.35 * high)
        boxes = [
            _unturned(b, turn, width, height, factor).clipped(frame.width, frame.height)
            for b in ((x0, y0, x1, y1), head)
        ]
        if boxes[0].area:
            yield Found(boxes[0], boxes[1], float(row[4]), bool(row[4] >= view.cover))


def _unturned(box: tuple[float, float, float, float], turn: int, width: int, height: int, factor: float) -> Box:
    """A box found in a picture turned ``turn`` quarters counter-clockwise, in full-size upright coordinates."""
    x0, y0, x1, y1 = box
    match turn:
        case 1:
            x0, y0, x1, y1 = width - y1, x0, width - y0, x1
        case 2:
            x0, y0, x1, y1 = width - x1, height - y1, width - x0, height - y0
        case 3:
            x0, y0, x1, y1 = y0, height - x1, y1, height - x0
    return Box(int(x0 / factor), int(y0 / factor), int(np.ceil(x1 / factor)), int(np.ceil(y1 / factor)))


def _mask(frame: Frame, covers: Sequence[Polygon]) -> tuple[Pixels, float]:
    factor = min(1.0, 1024 / max(frame.width, frame.height))
    under = np.zeros((max(1, round(frame.height * factor)), max(1, round(frame.width * factor))), np.uint8)
    for cover in covers:
        cv2.fillPoly(under, [np.round(np.array(cover) * factor).astype(np.int32)], 1)
    return under, factor


def _share(under: tuple[Pixels, float], frame: Frame, box: Box) -> float:
    """Which part of a box lies under the covers."""
    mask, factor = under
    box = box.clipped(frame.width, frame.height)
    part = mask[
        int(box.y0 * factor) : max(int(box.y1 * factor), int(box.y0 * factor) + 1),
        int(box.x0 * factor) : max(int(box.x1 * factor), int(box.x0 * factor) + 1),
    ]
    return float(part.mean()) if part.size else 1.0


def make(policy: Policy) -> Faces:  # noqa: ARG001 - the same nets whatever the policy; it decides afterwards
    """Load the network.

    Raises:
        MissingPart: The weights are not there or were changed.
    """
    return Faces()
