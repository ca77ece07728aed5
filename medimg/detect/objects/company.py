"""Codes beside what identifies a person: there the network's word is enough.

A code counts by itself only where it looks like one in every way that is known (:mod:`medimg.detect.codes.likeness`),
since wheels, fences and lettering have bars and dots as well. Within a few lines of a name or a number, on whose label
a code is to be expected, that would leave codes that are blurred, slanted or small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from medimg.detect import Frame
from medimg.detect.objects import marks
from medimg.detect.objects.grounds import Points, share_in
from medimg.detect.objects.level import comb, there
from medimg.native.opencv import cv2
from medimg.types import Finding
from medimg.vocabulary import IDENTIFYING, Category, Kind

LIKELY = 0.8
"""Least mean likelihood of a code's squares, where it stands beside what identifies."""
SQUARES = 6
"""Least squares of it."""
NEAR = 4.0
"""How far it may be from a line, in heights of the line."""
LOWEST, HIGHEST = 0.8, 12.0
"""Shorter side of the code, in the same."""
AS_HIGH = 1.5
"""Most height of letters that pass for a code, in that of their line."""
KNOWN = 0.5
"""Share of it that lies in a code, or of a code in it, for it to be found already; share of it that lines fill which
were read, for it to be these. The network's outline may reach into the line beside a code."""


def codes(frame: Frame, findings: Sequence[Finding]) -> list[Finding]:
    """Codes that the network sees beside identifying lines, and that were not found otherwise.

    Args:
        frame: The picture.
        findings: What the checks found in it.
    """
    quads = [(f, _upright(frame, f)) for f in findings if f.kind in (Kind.TEXT, Kind.CODE) and f.region]
    lines = [quad for f, quad in quads if f.kind == Kind.TEXT and f.category in IDENTIFYING]
    if not lines:
        return []
    out: list[Finding] = []
    known = [quad for f, quad in quads if f.kind == Kind.CODE]
    read = [quad for f, quad in quads if f.kind == Kind.TEXT and f.secret.reveal().strip()]
    for linear, score, corners in _likely(frame):
        if any(max(share_in(corners, quad), share_in(quad, corners)) > KNOWN for quad in known):
            continue
        # Of print that is seen from too far away whole blocks look like codes.
        if sum(share_in(corners, quad) for quad in read) > KNOWN:
            continue
        if not any(_beside(corners, line) for line in lines) or comb(there(frame, corners)):
            continue
        known.append(corners)
        out.append(
            Finding(
                kind=Kind.CODE,
                category=Category.BARCODE if linear else Category.TWO_D_CODE,
                detector="company",
                score=round(score, 3),
                region=frame.region(tuple((float(x), float(y)) for x, y in corners)),
            )
        )
    return out


def no_letters(frame: Frame, findings: Sequence[Finding]) -> list[Finding]:
    """The findings without 2-D codes that are bold letters of a harmless line: nobody read them, and they lie in it."""
    lines = [f for f in findings if f.kind == Kind.TEXT and f.category == Category.HARMLESS and f.score >= LIKELY]
    quads = [_upright(frame, f) for f in lines if f.region]

    def lettering(finding: Finding) -> bool:
        if finding.category != Category.TWO_D_CODE or finding.score >= 1 or not finding.region:
            return False
        code = _upright(frame, finding)
        high = float(min(cv2.minAreaRect(code)[1]))
        return any(
            share_in(code, line) > KNOWN and high <= AS_HIGH * float(min(cv2.minAreaRect(line)[1])) for line in quads
        )

    return [f for f in findings if not lettering(f)]


def _likely(frame: Frame) -> Iterator[tuple[bool, float, Points]]:
    """What the network takes for codes: whether a bar code, how sure, where; the finest look first."""
    for view in marks.views(frame):
        bars, squares = view.marks[marks.BAR], view.marks[marks.MATRIX]
        for place in marks.places(view, np.maximum(bars, squares), SQUARES):
            if place.score >= LIKELY:
                bar, square = (float(part[place.box][place.own].mean()) for part in (bars, squares))
                yield bar >= square, place.score, place.corners


def _beside(corners: Points, line: Points) -> bool:
    (x, y), (w, h), angle = cv2.minAreaRect(line)
    high = max(min(w, h), 1.0)
    around = np.asarray(cv2.boxPoints(((x, y), (w + 2 * NEAR * high, h + 2 * NEAR * high), angle)), np.float32)
    fits = LOWEST * high <= min(cv2.minAreaRect(corners)[1]) <= HIGHEST * high
    return fits and cv2.intersectConvexConvex(corners, around)[0] > 0


def _upright(frame: Frame, finding: Finding) -> Points:
    polygon = finding.region.polygon if finding.region else ()
    return np.asarray(cv2.convexHull(np.asarray(frame.upright(polygon), np.float32)).reshape(-1, 2), np.float32)
