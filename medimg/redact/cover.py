"""Filling covers in decoded samples: exact everywhere else, at any bit depth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from medimg import geometry
from medimg.errors import UsageError
from medimg.native.opencv import cv2
from medimg.types import BLACK, Box, Colour, Cover, Polygon, bounding_box


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
    return out.view(np.bool_)


def is_box(polygon: Polygon) -> bool:
    """Whether a polygon is an upright rectangle."""
    xs, ys = {p[0] for p in polygon}, {p[1] for p in polygon}
    return len(polygon) == 4 and len(xs) == 2 and len(ys) == 2 and len(set(polygon)) == 4


def clipped(covers: Sequence[Cover], width: int, height: int, frame: int = 0) -> tuple[Polygon, ...]:
    """The polygons of one frame that touch the picture, as :class:`~medimg.types.Copy` lists them."""
    return tuple(c.polygon for c in covers if c.frame == frame and bounding_box(c.polygon).clipped(width, height).area)


def framed(covers: Sequence[Cover], crop: Box | None, width: int, height: int) -> tuple[Box | None, list[Cover]]:
    """The box that is kept, and the covers in its coordinates; no box when the crop leaves nothing out.

    Raises:
        UsageError: The crop lies outside the picture.
    """
    if crop is None:
        return None, list(covers)
    box = crop.clipped(width, height)
    if box.width <= 0 or box.height <= 0:
        raise UsageError("the crop lies outside the picture.")
    if box == Box(0, 0, width, height):
        return None, list(covers)
    return box, [msgspec.structs.replace(c, polygon=geometry.moved(c.polygon, -box.x0, -box.y0)) for c in covers]


def cut(samples: NDArray[Any], box: Box | None) -> NDArray[Any]:
    """The part of the samples inside a box; a view, not a copy."""
    return samples if box is None else samples[box.y0 : box.y1, box.x0 : box.x1]


def colour_of(covers: Sequence[Cover]) -> Colour:
    """The one colour of the covers; black without any."""
    return covers[0].colour if covers else BLACK


def sample_values(colour: Colour, channels: int, full: int = 255, *, inks: bool = False) -> list[int]:
    """A colour in sample values: grey, RGB, either with opaque alpha, or CMYK with greys in black ink alone.

    Args:
        colour: Red, green, blue, 0 to 255.
        channels: 1 to 4.
        full: The largest sample value.
        inks: Whether the four channels are inks, 0 for none.
    """
    red, green, blue = colour
    levels = [(299 * red + 587 * green + 114 * blue + 500) // 1000] if channels <= 2 else [red, green, blue]
    scaled = [(level * full * 2 + 255) // 510 for level in levels]
    if inks:
        return [0, 0, 0, full - scaled[0]] if red == green == blue else [*(full - s for s in scaled), 0]
    return scaled + [full] * (channels in (2, 4))


def paint(
    samples: NDArray[Any],
    covers: Sequence[Cover],
    frame: int = 0,
    colour: int | Sequence[int] | None = None,
    *,
    inks: bool = False,
) -> NDArray[Any]:
    """A copy of ``samples`` (H, W) or (H, W, C) with the covers filled.

    ``colour`` is given in sample values; left out, it is that of the covers (:func:`sample_values`).
    """
    if colour is None:
        channels = 1 if samples.ndim == 2 else samples.shape[2]
        values = sample_values(colour_of(covers), channels, int(np.iinfo(samples.dtype).max), inks=inks)
        colour = values[0] if samples.ndim == 2 else values
    out = samples.copy()
    polygons = [c.polygon for c in covers if c.frame == frame]
    if polygons:
        out[mask(polygons, samples.shape[1], samples.shape[0])] = colour
    return out
