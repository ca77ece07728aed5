"""What a camera burned into a picture: a level row of signs in a warm colour, a date as a rule.

On skin and on folds of cloth writing that nobody can read is asked about, because creases and sutures look like it. The
date in a small picture cannot be read either, and is told by its looks: of 301 photographs of foot ulcers about twenty
bore one, six were asked about, and none of the ten other places that were asked about looks like this.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from medimg.detect import Frame
from medimg.native.opencv import cv2

LEVEL = 3.0
"""Most slope of the row, in degrees: it follows the rows of pixels."""
LONG = (2.6, 14.0)
"""How many times as long as high it is."""
LOW = 0.07
"""Most height, as a share of the longer side of the picture."""
SIGNS = 4
"""Least signs that the reader makes of it, however wrong: of a crease it makes fewer."""
INK = 85.0
"""Percentile of yellowness (CIELAB) from which a pixel is ink."""
WARM = 5.0
"""How much yellower ink is than the middle of the box, in steps of 8 bits; blood and sutures are redder, or neither."""


def like_a_date(frame: Frame, quad: NDArray[np.float32], text: str) -> bool:
    """Whether a place looks like a date that a camera burned in.

    Args:
        frame: The picture.
        quad: The place, (4, 2), in upright pixels of full size.
        text: What the reader made of it.
    """
    if sum(c.isalnum() for c in text) < SIGNS:
        return False
    edges = np.diff(np.vstack([quad, quad[:1]]), axis=0)
    lengths = np.hypot(*edges.T)
    long, high = float(lengths.max()), float(lengths.min())
    slope = abs(np.degrees(np.arctan2(*edges[int(lengths.argmax())][::-1])))
    level = min(slope, 180.0 - slope) <= LEVEL
    if not (level and LONG[0] * high <= long <= LONG[1] * high and high <= LOW * max(frame.width, frame.height)):
        return False
    x0, y0 = np.maximum(quad.min(axis=0), 0).astype(int)
    x1, y1 = np.ceil(quad.max(axis=0)).astype(int)
    cut = frame.rgb[y0:y1, x0:x1]
    if not cut.size:
        return False
    lab = cv2.cvtColor(np.ascontiguousarray(cut), cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(np.float32)
    ink = lab[lab[:, 2] >= np.percentile(lab[:, 2], INK)].mean(axis=0) - np.median(lab, axis=0)
    return bool(ink[2] >= WARM and ink[2] >= ink[1])
