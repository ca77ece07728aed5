"""Covering and cropping a JPEG without generation loss.

Nothing is decoded to pixels. The entropy-coded data are read symbol by symbol; the blocks of every MCU a cover touches
become one flat colour, and all other quantised coefficients are written again as they were (the idea of jpegtran's
``-wipe`` and ``-crop``, for any number of polygons at once). Covers therefore grow to whole MCUs.

Baseline, extended, progressive and arithmetic files of 8 bits with 1, 3 or 4 components are handled, with restart
intervals, several scans and any whole-number sampling factors (ITU-T T.81). What was coded arithmetically comes back
with Huffman codes, same coefficients, because few viewers read arithmetic coding; without covers this is a way to make
such a file readable.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from medimg.formats.jpeg import _place, kernel
from medimg.formats.jpeg._rewrite import Goal, frame_of, refuse, rewrite
from medimg.formats.jpeg._segments import Head, Jpeg
from medimg.formats.jpeg.job import Engine, Fate
from medimg.types import BLACK, Box, Colour, Cover, Polygon, bounding_box


class CoveredJpeg(msgspec.Struct, frozen=True):
    """A covered JPEG.

    Attributes:
        data: The file.
        polygons: The boxes really filled, whole MCUs, clipped to the picture, in stored coordinates.
        fringe: Pixels on both sides of a cover's edge where decoders mix chroma from both sides: 1 with subsampled
            chroma, else 0.
    """

    data: bytes
    polygons: tuple[Polygon, ...]
    fringe: int


class CroppedJpeg(msgspec.Struct, frozen=True):
    """A cropped JPEG: the file, and the box of the original that it shows (whole MCUs inside the box asked for)."""

    data: bytes
    box: Box
    fringe: int


def cover_jpeg(
    jpeg: Jpeg,
    head: Head,
    covers: Sequence[Cover],
    colour: Colour = BLACK,
    *,
    using: Engine | None = None,
    cut: bool = False,
) -> CoveredJpeg:
    """Fill covers with one colour, in the coefficients.

    Every coefficient outside the MCUs a cover touches stays the same; inside, AC is zero and DC is the colour's. Blocks
    that lie wholly beyond the picture's right or lower edge, which no viewer shows, are emptied as well.

    Args:
        jpeg: The file taken apart. Only what is needed to show the picture comes into the copy.
        head: What stands before the picture in the copy.
        covers: Polygons in stored coordinates; those of other frames than 0 are passed over.
        colour: Red, green, blue, 0 to 255.
        using: The engine; None is the compiled kernel.
        cut: Leave out bytes behind the last block of a scan or restart interval, which every decoder passes over;
            otherwise a file with such bytes is damaged.

    Raises:
        CheckNotRun: The coded data are damaged, or a cover has no place.
    """
    frame = frame_of(jpeg)
    polygons = [_checked(c.polygon) for c in covers if c.frame == 0]
    polygons = [p for p in polygons if bounding_box(p).clipped(frame.width, frame.height).area]
    mask = _place.mcu_mask(polygons, frame)
    levels = _place.levels(frame, head.jfif, head.transform, colour)
    flat = [_place.flat_dc(level, jpeg.steps[n]) for n, level in enumerate(levels)]
    data = rewrite(jpeg, head, using or kernel.load(), Goal(_place.fates(mask, frame, Fate.FLAT), flat), cut=cut)
    return CoveredJpeg(data, tuple(b.polygon for b in _place.boxes(mask, frame)), int(frame.subsampled))


def crop_jpeg(jpeg: Jpeg, head: Head, box: Box, *, using: Engine | None = None) -> CroppedJpeg:
    """Keep the MCUs that lie wholly inside a box.

    The box shrinks to whole MCUs, except along the picture's own right and lower edge, so that nothing outside the box
    asked for stays in the file, shown or hidden. Coefficients of what is kept stay the same; restart intervals go.

    Args:
        jpeg: As for :func:`cover_jpeg`.
        head: As for :func:`cover_jpeg`.
        box: In stored coordinates.
        using: The engine; None is the compiled kernel.

    Raises:
        CheckNotRun: The coded data are damaged, or no whole MCU lies inside the box.
    """
    frame = frame_of(jpeg)
    w, h = frame.mcu_width, frame.mcu_height
    asked = box.clipped(frame.width, frame.height)
    x0, y0 = -(-asked.x0 // w), -(-asked.y0 // h)
    x1 = frame.mcus_x if asked.x1 == frame.width else asked.x1 // w
    y1 = frame.mcus_y if asked.y1 == frame.height else asked.y1 // h
    kept = Box(x0 * w, y0 * h, x1 * w, y1 * h).clipped(frame.width, frame.height)
    if x1 <= x0 or y1 <= y0:
        raise refuse("no whole block lies inside the crop.", "Choose a larger crop.")
    outside = np.ones((frame.mcus_y, frame.mcus_x), bool)
    outside[y0:y1, x0:x1] = False
    fates = _place.fates(outside, frame, Fate.DROP)
    goal = Goal(fates, [0] * len(fates), (kept.width, kept.height))
    return CroppedJpeg(rewrite(jpeg, head, using or kernel.load(), goal), kept, int(frame.subsampled))


def _checked(polygon: Polygon) -> Polygon:
    if not polygon or not all(math.isfinite(v) for point in polygon for v in point):
        raise refuse("a cover has no place in the picture.", "Draw the cover again.")
    return polygon
