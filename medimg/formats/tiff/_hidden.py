"""What the strips and tiles of a TIFF hold and no viewer shows.

Tiles at the right and lower edge reach over it (TIFF 6.0, section 15). Writers fill them with one value or with the
last column and row again; anything else there may be a part of the picture that somebody cut off. A JPEG strip or tile
may be larger than what is taken of it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medimg.formats.tiff import _decode

if TYPE_CHECKING:
    from medimg.formats.tiff.photo import TiffPhoto

TOLERANCE = 12
"""Levels of 255 by which what a JPEG tile was filled with may have changed; other packings change nothing."""
PLANE = frozenset((320, 338, 339, 529, 530, 531, 532))
"""Fields that say something of colours, which one plane does not have."""


def hidden(photo: TiffPhoto) -> bool:
    """Whether a strip or tile holds more than is shown of it.

    Raises:
        CheckNotRun: The symbols of a JPEG cannot be read here.
        MedimgError: A tile that reaches over the edge cannot be decoded.
    """
    if photo.compression == "jpeg" and _larger(photo):
        return True
    across, down = photo.chunk_size(0)
    tiled = photo.tiles is not None
    return tiled and any(
        not _filled(photo, k, min(across, photo.width - x), min(down, photo.height - y))
        for k, (x, y) in enumerate(photo.places())
        if x + across > photo.width or y + down > photo.height
    )


def _larger(photo: TiffPhoto) -> bool:
    """Whether a JPEG strip or tile is larger than it should be, or cannot be read to its last symbol."""
    jpegs = photo.strips.jpegs
    sizes = [photo.chunk_size(k) for k in range(len(photo.chunks))]
    return jpegs is None or [(picture.width, picture.height) for picture in jpegs] != sizes


def _filled(photo: TiffPhoto, index: int, columns: int, rows: int) -> bool:
    """Whether what a tile holds beyond the columns and rows that are shown says nothing."""
    pixels = np.atleast_3d(_tile(photo, index))
    right, below = pixels[:rows, columns:], pixels[rows:].swapaxes(0, 1)
    edges = pixels[:rows, columns - 1 : columns], pixels[rows - 1 : rows].swapaxes(0, 1)
    allowed = 0 if photo.compression != "jpeg" else TOLERANCE
    return all(_says_nothing(strip, edge, allowed) for strip, edge in zip((right, below), edges, strict=True))


def _says_nothing(strip: NDArray[Any], edge: NDArray[Any], allowed: int) -> bool:
    """Whether a strip is of one colour, or repeats the edge that it begins at."""
    if not strip.size:
        return True
    wide = strip.astype(np.int32)
    return any(bool(np.abs(wide - fill).max() <= allowed) for fill in (wide[-1, -1], edge.astype(np.int32)))


def _tile(photo: TiffPhoto, index: int) -> NDArray[Any]:
    """A whole tile, as the picture of a file of its own; palettes as indices."""
    across, down = photo.chunk_size(index)
    fields = {tag: value for tag, value in photo.layout.items() if tag != 274}
    fields |= {256: _number(photo, across), 257: _number(photo, down)}
    if photo.planes > 1:
        fields = {tag: value for tag, value in fields.items() if tag not in PLANE}
        fields |= {258: _number(photo, photo.bits[0]), 262: _number(photo, 1)}
        fields |= {277: _number(photo, 1), 284: _number(photo, 1)}
    elif 320 in fields:
        del fields[320]
        fields[262] = _number(photo, 1)
    return _decode.of_file(photo.built(fields, [photo.strips.shown[index]]), photo.bits[0])


def _number(photo: TiffPhoto, value: int) -> tuple[int, bytes]:
    return 4, struct.pack(f"{photo.tiff.order}I", value)
