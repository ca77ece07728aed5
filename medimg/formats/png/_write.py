"""Making the copy of a PNG file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medimg.errors import CheckNotRun
from medimg.formats.png import _palette, _pixels
from medimg.formats.png._chunks import Header, assembled, chunk
from medimg.redact.cover import colour_of, cut, paint, sample_values
from medimg.types import Box, Cover

if TYPE_CHECKING:
    from medimg.formats.png.photo import Png


def anew(photo: Png, covers: Sequence[Cover], looks: bytes, crop: Box | None = None) -> tuple[bytes, tuple[str, ...]]:
    """The file with its picture encoded anew, with covers and without what hides in it; and notes for the report.

    The covers are in the coordinates of the crop.
    """
    if photo.header.colour == 3:
        return _palette_anew(photo, covers, looks, crop)
    if photo.header.colour in (4, 6):
        painted = paint(cut(photo.samples(), crop), covers)
    else:
        painted = paint(cut(photo.stored, crop), covers, colour=_shown(photo, covers))
    trns = b"".join(c.whole(photo.data) for c in photo.chunks if c.type == b"tRNS")
    head = photo.header._replace(interlaced=False, width=painted.shape[1], height=painted.shape[0])
    return assembled(head, looks, trns, _idat(painted, head)), ()


def _shown(photo: Png, covers: Sequence[Cover]) -> list[int] | int:
    """The colour of the covers in stored values of a grey or RGB picture, and not the one shown as transparent."""
    full = (1 << photo.header.depth) - 1
    values = sample_values(colour_of(covers), photo.header.channels, full)
    if photo.key == tuple(values):
        values = [v + 1 if v < full else v - 1 for v in values]
    return values if len(values) > 1 else values[0]


def _palette_anew(photo: Png, covers: Sequence[Cover], looks: bytes, crop: Box | None) -> tuple[bytes, tuple[str, ...]]:
    palette, depth = photo.palette, photo.header.depth
    indices = palette.first.astype(np.uint8)[cut(photo.stored, crop)]
    table, colour = palette.clean(), 0
    if covers:
        room = _palette.with_colour(palette.clean(), palette, (*colour_of(covers), 255))
        if room is None:
            return file(paint(cut(photo.samples(), crop), covers), looks), ("palette-replaced",)
        table, colour = room
        depth = depth if len(table) <= 1 << depth else 8
    painted = paint(indices, covers, colour=colour)
    head = Header(painted.shape[1], painted.shape[0], depth, 3, False)
    table, painted = _palette.in_order(table, painted)
    return assembled(head, looks, _palette_chunks(table), _idat(painted, head)), ()


def _palette_chunks(table: NDArray[np.uint8]) -> bytes:
    plte, trns = _palette.chunks(table)
    return chunk(b"PLTE", plte) + (chunk(b"tRNS", trns) if trns else b"")


def _idat(pixels: NDArray[Any], head: Header) -> bytes:
    photo = head.colour != 3 and head.depth >= 8
    return chunk(b"IDAT", _pixels.packed(_pixels.row_bytes(pixels, head.depth), head.stride, photo=photo))


def file(samples: NDArray[Any], looks: bytes) -> bytes:
    """A PNG file of samples, uint8 or uint16, (H, W) or (H, W, C); see :func:`medimg.formats.png.photo.encode`.

    Raises:
        CheckNotRun: There are no such PNG files.
    """
    from medimg.formats.png.photo import without_hidden

    if samples.ndim == 3 and samples.shape[2] == 1:
        samples = samples[..., 0]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    colour = {1: 0, 2: 4, 3: 2, 4: 6}.get(channels)
    if colour is None or samples.dtype not in (np.uint8, np.uint16) or not samples.size:
        raise CheckNotRun("a picture with these samples cannot be written as PNG.")
    if colour in (4, 6):
        samples = without_hidden(samples)
    head = Header(samples.shape[1], samples.shape[0], samples.dtype.itemsize * 8, colour, False)
    return assembled(head, looks, b"", _idat(samples, head))
