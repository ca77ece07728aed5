"""How high letters have to be in a photo to be looked for, from its size alone."""

from __future__ import annotations

import math

SIZES = (1600, 640)
"""Long sides at which text is looked for, in pixels. A small second size finds large and worn lettering that the first
takes apart."""
SMALL = 640
"""A picture with a longer side below this is enlarged to twice its size as well, in pixels."""
SLIM = 6.0
"""A picture more than this many times as long as high is looked at piece by piece: shrunk whole, nothing is left."""
LEAST = 8.0
"""Height of the least print that is looked for as one line by itself, in pixels of the largest size looked at; line
height, from the top of an l to the foot of a p. ``benchmarks/letters.py`` found it from 5.6 at 3 megapixels and from
6.8 at 12; on another strip, with steps of several pixels, at 7.2 (12), 7.5 (24) and 7.9 (48), not at 6.7."""
CLOSER = 1840
"""Longer side, in pixels, from which small print is looked at once more at up to 4000 pixels."""
LEAST_CLOSER = 6.4
"""As :data:`LEAST`, where that look was taken wherever print is seen (:mod:`medimg.detect.text.full_size`)."""


def least_height(width: int, height: int, *, closer: bool = False) -> int:
    """The least height of print that is looked for in a photo of this size, in its own pixels.

    Lower print may be found all the same, above all when there is more than one line of it.

    Args:
        width: Pixels across.
        height: Pixels down.
        closer: Whether the closer look was taken at every place where print is seen.
    """
    longest, shortest = max(width, height), min(width, height)
    if not shortest:
        return 0
    least = LEAST
    if longest > SLIM * shortest:
        factor = min(1.0, max(SIZES) / (SLIM * shortest))
    elif longest < SMALL:
        factor = 2.0
    else:
        factor = min(1.0, max(SIZES) / longest)
        least = LEAST_CLOSER if closer and longest >= CLOSER else LEAST
    return math.ceil(least / factor)
