"""Filling covers in decoded samples: exact everywhere else, at any bit depth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medimg._opencv import cv2
from medimg.types import Cover, Polygon, bounding_box


def mask(polygons: Iterable[Polygon], width: int, height: int) -> NDArray[np.bool_]:
    """Pixels inside the polygons, (height, width). Upright boxes are exact: every pixel they touch."""
    out = np.zeros((height, width), np.uint8)
    for polygon in polygons:
        box = bounding_box(polygon).clipped(width, height)
        if not box.area:
            continue
        if is_box(polygon):
            out[box.y0 : box.y1, box.x0 : box.x1] = 1
            continue
        # cv2 puts pixel centres at whole numbers, we put them at halves; 4 fractional bits.
        points = (np.array(polygon, np.float64) - 0.5) * 16
        cv2.fillPoly(out, [np.clip(points, -(2**30), 2**30).round().astype(np.int32)], 1, shift=4)
    return out.astype(bool)


def is_box(polygon: Polygon) -> bool:
    """Whether a polygon is an upright rectangle."""
    xs, ys = {p[0] for p in polygon}, {p[1] for p in polygon}
    return len(polygon) == 4 and len(xs) == 2 and len(ys) == 2 and len(set(polygon)) == 4


def clipped(covers: Sequence[Cover], width: int, height: int, frame: int = 0) -> tuple[Polygon, ...]:
    """The polygons of one frame that touch the picture, as :class:`~medimg.types.Copy` lists them."""
    return tuple(c.polygon for c in covers if c.frame == frame and bounding_box(c.polygon).clipped(width, height).area)


def paint(
    samples: NDArray[Any], covers: Sequence[Cover], frame: int = 0, colour: int | Sequence[int] | None = None
) -> NDArray[Any]:
    """A copy of ``samples`` (H, W) or (H, W, C) with the covers filled.

    ``colour`` is given in sample values. Left out, it is black: the last of two or four channels full, the others 0,
    which is opaque for alpha and black ink for CMYK.
    """
    if colour is None:
        channels = 1 if samples.ndim == 2 else samples.shape[2]
        colour = [0] * (channels - 1) + [int(np.iinfo(samples.dtype).max)] if channels in (2, 4) else 0
    out = samples.copy()
    polygons = [c.polygon for c in covers if c.frame == frame]
    out[mask(polygons, samples.shape[1], samples.shape[0])] = colour
    return out
