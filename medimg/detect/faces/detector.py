"""Faces: found to be covered (``face``), or shown to the person who looks (``possible-face``, ``old-disguise``).

Two networks look at the picture at several sizes and at four quarter turns. What they say of one place is weighed:
a place that is sure enough is a face; a weaker one, a possible face. An eye bar or a mosaic that the photo already
carries is a finding of its own: it is no disguise, and a person looks at it whatever else was found. No embedding is
computed: nothing here can tell who it is, or whether two faces are the same (GDPR, recital 51).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from medimg.detect import Frame, Pixels, proof
from medimg.detect.faces.centerface import CenterFace
from medimg.detect.faces.disguise import Place, disguises
from medimg.detect.faces.groups import Corners, Detection, Group, groups, shared, small
from medimg.detect.faces.score import judged, score, small_judged
from medimg.detect.faces.yunet import YuNet
from medimg.native.opencv import cv2
from medimg.policy import FaceRules, Policy
from medimg.types import NOTHING_KNOWN, Box, Finding, KnownValues, Polygon
from medimg.vocabulary import Category, Kind

HEAD = (0.30, 0.45, 0.35)
"""What a head has beyond the face box, as parts of the box: each side of its width, above and below of its height.
The box runs from the brow or hairline to the chin; hair, ears and neck lie outside."""

UNDER_COVER = 0.6
"""A face of the copy with this part of its box under covers is one that was covered."""


class Face(NamedTuple):
    """A face in upright full-size pixels."""

    face: Corners
    head: Box
    score: float
    sure: bool


class Faces:
    """The face check; see :class:`medimg.detect.Detector`.

    Args:
        rules: The settings: thresholds, and whether small bystanders are looked for in a larger picture.

    Raises:
        MissingPart: A network is not there or was changed.
    """

    name = "faces"

    def __init__(self, rules: FaceRules | None = None) -> None:
        self._centerface, self._yunet = CenterFace(), YuNet()
        self._rules = rules or FaceRules()
        self._proof = proof.Proof(self._centerface.prove)
        self.version = f"{self._centerface.version}, {self._yunet.version}"

    def find(self, frame: Frame, known: KnownValues = NOTHING_KNOWN) -> list[Finding]:  # noqa: ARG002 - no values here
        """Faces, places that may be one, and eye bars and mosaics."""
        seen = list(self._groups(frame))
        places = [Place(g.corners, head_box(g.corners, g.turn), g.turn, score(g.features())) for g in seen]
        return [self._finding(frame, face) for face in self._faces(frame, seen)] + [
            Finding(
                kind=Kind.FACE,
                category=Category.OLD_DISGUISE,
                detector=self.version,
                score=round(one.score, 3),
                region=frame.region(one.head.polygon),
            )
            for one in disguises(frame, places)
        ]

    def recheck(
        self,
        frame: Frame,
        covers: Sequence[Polygon],
        known: KnownValues = NOTHING_KNOWN,  # noqa: ARG002 - no values here
    ) -> tuple[list[Finding], str]:
        """Faces of the copy that do not lie mostly under its covers: a flat box can look like nothing or like much."""
        under, factor = _painted(frame, covers)
        left = [f for f in self.look(frame) if f.sure and _share(under, factor, f.face) < UNDER_COVER]
        return [self._finding(frame, f) for f in left], self.version

    def look(self, frame: Frame) -> list[Face]:
        """Every face and possible face, most certain first; none twice."""
        return self._faces(frame, self._groups(frame))

    def _groups(self, frame: Frame) -> Iterator[Group]:
        self._proof()
        self._yunet.prove()
        return groups(frame, self._centerface, self._yunet)

    def _faces(self, frame: Frame, places: Iterable[Group]) -> list[Face]:
        seen = [f for f in (_face(g, frame, self._rules) for g in places) if f]
        if self._rules.small:
            seen += [f for s, side in small(frame, self._centerface) if (f := _small_face(s, side, frame))]
        kept: list[Face] = []
        for face in sorted(seen, key=lambda f: (not f.sure, -f.score)):
            if all(not _twice(face, k) for k in kept):
                kept.append(face)
        return kept

    def _finding(self, frame: Frame, face: Face) -> Finding:
        return Finding(
            kind=Kind.FACE,
            category=Category.FACE if face.sure else Category.POSSIBLE_FACE,
            detector=self.version,
            score=round(face.score, 3),
            region=frame.region(face.head.polygon),
            inner=_inner(frame, face.face),
        )


def _inner(frame: Frame, face: Corners) -> Polygon:
    """The face itself, brow to chin, as far as it lies in the picture; in stored coordinates."""
    x0, y0, x1, y1 = face
    box = Box(math.floor(x0), math.floor(y0), math.ceil(x1), math.ceil(y1)).clipped(frame.width, frame.height)
    return frame.region(box.polygon).polygon if box.area else ()


def _face(group: Group, frame: Frame, rules: FaceRules) -> Face | None:
    sure, verdict = judged(group.features(), face=rules.sure, possible=rules.possible)
    head = head_box(group.corners, group.turn).clipped(frame.width, frame.height)
    if not verdict or not head.area:
        return None
    return Face(group.corners, head, sure, verdict == "face")


def _small_face(seen: Detection, side: int, frame: Frame) -> Face | None:
    x0, y0, x1, y1 = seen.corners
    verdict = small_judged(seen.score, max(x1 - x0, y1 - y0) / side)
    head = head_box(seen.corners, seen.turn).clipped(frame.width, frame.height)
    return Face(seen.corners, head, seen.score, verdict == "face") if verdict and head.area else None


def head_box(face: Corners, turn: int) -> Box:
    """The whole head round a face.

    Args:
        face: The face box of the network, upright frame coordinates.
        turn: Quarters counter-clockwise that the picture was turned by to make the face upright.
    """
    x0, y0, x1, y1 = face
    side, above, below = HEAD
    across, along = (x1 - x0, y1 - y0) if turn % 2 == 0 else (y1 - y0, x1 - x0)
    s, a, b = side * across, above * along, below * along
    # Which way the top of the head points before the picture is turned: up, right, down, left.
    left, top, right, bottom = ((s, a, s, b), (b, s, a, s), (s, b, s, a), (a, s, b, s))[turn]
    return Box(math.floor(x0 - left), math.floor(y0 - top), math.ceil(x1 + right), math.ceil(y1 + bottom))


def _twice(face: Face, kept: Face) -> bool:
    """Does a less certain place say nothing new: the same face, or a possible one in a head that is covered anyway?"""
    areas = [(c[2] - c[0]) * (c[3] - c[1]) for c in (face.face, kept.face)]
    head = (float(kept.head.x0), float(kept.head.y0), float(kept.head.x1), float(kept.head.y1))
    inside = not face.sure and kept.sure and shared(face.face, head) > 0.6 * areas[0]
    return inside or shared(face.face, kept.face) > 0.4 * min(areas)


def _painted(frame: Frame, covers: Sequence[Polygon]) -> tuple[Pixels, float]:
    """Which pixels lie under covers, at no more than 1024 across, and the factor."""
    factor = min(1.0, 1024 / max(frame.width, frame.height))
    under = np.zeros((max(1, round(frame.height * factor)), max(1, round(frame.width * factor))), np.uint8)
    for cover in covers:
        cv2.fillPoly(under, [np.round(np.array(cover) * factor).astype(np.int32)], 1)
    return under, factor


def _share(under: Pixels, factor: float, face: Corners) -> float:
    """Which part of the visible part of a face lies under covers."""
    x0, y0, x1, y1 = (max(0, round(v * factor)) for v in face)
    part = under[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
    return float(part.mean()) if part.size else 1.0


def make(policy: Policy) -> Faces:
    """Load the networks.

    Raises:
        MissingPart: A network is not there or was changed.
    """
    return Faces(policy.faces)
