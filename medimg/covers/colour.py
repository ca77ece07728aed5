"""The colour of the covers of a picture, chosen so that every one of them can be seen to be a cover.

All covers of a copy have the same colour, so that it says nothing of what lies beneath. Only greys are chosen: they
put no colour beside skin.
"""

from __future__ import annotations

from collections.abc import Sequence

from medimg.types import BLACK, Colour

LEVELS = range(255, -1, -5)
"""Greys to choose from, white first."""
SEEN = 40
"""Least difference in luma between a cover and its surroundings; black drapes and screens lie below it."""


def standing_out(around: Sequence[float]) -> Colour:
    """Black if all covers can be seen in black, else the grey that stands out best from what surrounds them.

    Args:
        around: Luma of what surrounds each cover, 0 to 255.
    """
    if not around or min(around) >= SEEN:
        return BLACK
    level = max(LEVELS, key=lambda grey: min(abs(grey - luma) for luma in around))
    return level, level, level
