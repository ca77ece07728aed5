"""Which findings in a finished copy are its covers: the one place that decides it, for a picture that is judged alone.

A cover is of one grey, exactly. The networks take its outline for a word that cannot be read, or a long one on skin for
an old eye bar. Where the covers of a copy are known, they are told to the second look; ``medimg verify`` is given the
picture alone and has to see them. What stands in a cover's grey makes a hole in it, so writing is never taken for one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medimg.detect import LIKE_A_COVER, Frame
from medimg.native.opencv import cv2
from medimg.redact.cover import mask
from medimg.types import Finding, Polygon, bounding_box
from medimg.vocabulary import Category

OUTLINE = 0.6
"""Least share of what cannot be read that lies on a cover, as in the second look of a run: it takes the edge in."""
AROUND = 24
"""Pixels that are looked at beside it."""


def is_cover(finding: Finding, frame: Frame) -> bool:
    """Whether what was found in a finished copy is one of its covers.

    Args:
        finding: Of a detector, in stored coordinates.
        frame: The view it was found in.
    """
    if finding.category == Category.OLD_DISGUISE:
        return finding.score == LIKE_A_COVER
    if finding.category != Category.UNREAD or finding.region is None or len(finding.region.polygon) < 3:
        return False
    return _on_one_grey(frame, frame.upright(finding.region.polygon))


def _on_one_grey(frame: Frame, place: Polygon) -> bool:
    box = bounding_box(place)
    x0, y0 = max(0, box.x0 - AROUND), max(0, box.y0 - AROUND)
    part = frame.rgb[y0 : box.y1 + AROUND, x0 : box.x1 + AROUND]
    if not part.size:
        return False
    inside = mask([tuple((x - x0, y - y0) for x, y in place)], part.shape[1], part.shape[0])
    grey = (part[..., 0] == part[..., 1]) & (part[..., 1] == part[..., 2])
    counts = np.bincount(part[..., 0][grey & inside], minlength=256)
    patch = _largest(grey & (part[..., 0] == int(counts.argmax())))
    outline = cv2.findContours(patch, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    filled = cv2.drawContours(np.zeros_like(patch), outline, -1, 1, -1)
    whole, without_holes, all_of_it = (int(part[inside].sum()) for part in (patch, np.asarray(filled), inside))
    return whole == without_holes and 0 < OUTLINE * all_of_it <= whole


def _largest(area: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The largest connected part, as ones."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(area.astype(np.uint8), connectivity=4)
    if len(stats) < 2:
        return np.zeros(area.shape, np.uint8)
    return np.asarray(labels == 1 + int(np.asarray(stats)[1:, cv2.CC_STAT_AREA].argmax()), np.uint8)
