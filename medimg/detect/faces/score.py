"""Weighs what the views say of one place: a logistic regression, and the scores at which something is done.

Fitted in the way of ``benchmarks/faces_fit.py`` on half of the labelled pictures; measured by ``benchmarks/faces.py``
on the other half. Every view counts for a face and none alone decides, but for the largest: a face of a few pixels is
seen by no other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

LOG_SIZE = 11
BIAS = -3.5
WEIGHTS = (0.45, 1.15, 1.41, 0.93, 0.49, 0.11, 1.26, 1.13, 1.18, 1.25, 1.21, 0.88, -0.13)
"""In the order of :meth:`medimg.detect.faces.groups.Group.features`."""

# A face with a small part of the long side is seen by the largest view of CenterFace alone, whose own score decides.
# Of 329 pictures without a face none had a place over the three covering scores below. Of 90 others, foot wounds and
# skin, 2 had one between 0.3 and 0.4, and none one of more than ASK.
LARGEST_VIEW = 0.6
SMALL, SMALL_COVER = math.log(0.2), 0.55
TINY, TINY_COVER = math.log(0.08), 0.45
ASK = 0.4
"""From this the largest view alone makes a place a possible face: a small face, or a pair of eyes in a part of it."""


def score(features: Sequence[float]) -> float:
    """How sure, 0 to 1."""
    z = BIAS + sum(w * f for w, f in zip(WEIGHTS, features, strict=True))
    return 1 / (1 + math.exp(-max(min(z, 50.0), -50.0)))


def judged(
    features: Sequence[float], *, face: float, possible: float
) -> tuple[float, Literal["face", "possible-face", ""]]:
    """The score of a place and what it is taken for.

    Args:
        features: Of the place.
        face: Score from which it is a face. At 0.83, the default, no picture of the tuning half without a face, of 163,
            had a place that scores as much.
        possible: Score from which it is asked about. At 0.46, the default, about 1 in 9 of them had one.
    """
    largest, size = features[0], features[LOG_SIZE]
    enough = TINY_COVER if size < TINY else SMALL_COVER if size < SMALL else LARGEST_VIEW
    sure = score(features)
    if sure >= face or largest >= enough:
        return max(sure, largest), "face"
    if sure >= possible or largest >= ASK:
        return max(sure, largest), "possible-face"
    return sure, ""


BYSTANDER = math.log(0.06)
"""Largest part of the long side that a face has to be judged by the view for small bystanders alone."""
BYSTANDER_COVER, BYSTANDER_ASK = 0.5, 0.35


def small_judged(score: float, size: float) -> Literal["face", "possible-face", ""]:
    """What a place is taken for that the view for small bystanders alone has seen.

    Args:
        score: The network's, 0 to 1.
        size: Long side of the face as a part of the long side of what was looked at.
    """
    if math.log(max(size, 1e-6)) > BYSTANDER:
        return ""
    return "face" if score >= BYSTANDER_COVER else "possible-face" if score >= BYSTANDER_ASK else ""
