"""Weighs what the views say of one place: a logistic regression, and the scores at which something is done.

Fitted by ``benchmarks/faces_fit.py`` on half of the labelled pictures; measured by ``benchmarks/faces.py`` on the
other half. Every view counts for a face and none alone decides, but for the largest: a face of a few pixels is seen
by no other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

LOG_SIZE = 9
BIAS = -3.96
WEIGHTS = (1.06, 1.52, 1.46, 0.76, 0.67, 0.55, 1.31, 1.54, 1.56, 0.41, -0.20)
"""In the order of :meth:`medimg.detect._facegroups.Group.features`."""

COVER = 0.74
"""About 1 in 100 clinical pictures without a face had a place that scores as much."""

ASK = 0.41
"""About 1 in 8 of them had one that scores as much."""

LARGEST_VIEW = 0.6
"""No picture without a face had a score like this in the largest view of CenterFace (0.56 was the highest)."""

SMALL = math.log(0.08)
SMALL_COVER = 0.45
SMALL_ASK = 0.3
"""A face with less than this part of the long side is seen by the largest view alone, whose own score decides then:
0 and 4 of 337 pictures without a face had such a place."""


def score(features: Sequence[float]) -> float:
    """How sure, 0 to 1."""
    z = BIAS + sum(w * f for w, f in zip(WEIGHTS, features, strict=True))
    return 1 / (1 + math.exp(-max(min(z, 50.0), -50.0)))


def judged(features: Sequence[float]) -> tuple[float, Literal["face", "possible-face", ""]]:
    """The score of a place and what it is taken for."""
    largest, small = features[0], features[LOG_SIZE] < SMALL
    sure = score(features)
    if sure >= COVER or largest >= (SMALL_COVER if small else LARGEST_VIEW):
        return max(sure, largest), "face"
    if sure >= ASK or (small and largest >= SMALL_ASK):
        return max(sure, largest), "possible-face"
    return sure, ""
