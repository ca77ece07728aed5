"""What surrounds the covers of a picture, for the choice of their colour (:mod:`medimg.covers`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from medimg.covers import standing_out
from medimg.redact.cover import mask
from medimg.types import Box, Colour, Cover, bounding_box

GRID = 160
"""Samples taken along each side of a cover's surroundings."""


def visible(views: Mapping[int, NDArray[np.uint8]], covers: Sequence[Cover]) -> Colour:
    """Black if all covers can be seen in black, else the grey that stands out best from what surrounds them.

    Args:
        views: RGB rendering (H, W, 3) of each frame, in stored orientation.
        covers: In stored coordinates.
    """
    return standing_out([luma for frame, view in views.items() for luma in _surroundings(view, covers, frame)])


def _surroundings(view: NDArray[np.uint8], covers: Sequence[Cover], frame: int) -> list[float]:
    """Median luma just outside each cover of a frame; nothing for a cover without uncovered surroundings."""
    height, width = view.shape[:2]
    polygons = [c.polygon for c in covers if c.frame == frame]
    boxes = [bounding_box(p).clipped(width, height) for p in polygons]
    if not any(b.area for b in boxes):
        return []
    hidden = mask(polygons, width, height)
    out = []
    for box in boxes:
        if not box.area:
            continue
        by = max(8, width // 80, height // 80)
        near = Box(box.x0 - by, box.y0 - by, box.x1 + by, box.y1 + by).clipped(width, height)
        down, across = max(1, near.height // GRID), max(1, near.width // GRID)
        part = (slice(near.y0, near.y1, down), slice(near.x0, near.x1, across))
        pixels = view[part][~hidden[part]]
        if len(pixels):
            out.append(float(np.median(pixels @ np.array([0.299, 0.587, 0.114]))))
    return out
