"""Making the copy of a PNG file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medimg.errors import CheckNotRun
from medimg.formats import _palette, _png_pixels
from medimg.formats._png_chunks import Header, assembled, chunk
from medimg.redact.cover import paint
from medimg.types import Cover

if TYPE_CHECKING:
    from medimg.formats.png import Png


def verbatim_palette(photo: Png) -> bytes:
    """PLTE and tRNS with the entries in use alone, at their places."""
    return _palette_chunks(photo.palette.clean())


def anew(photo: Png, covers: Sequence[Cover], looks: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The file with its picture encoded again, with covers and without what hides in it; and notes for the report."""
    if photo.header.colour == 3:
        return _palette_anew(photo, covers, looks)
    stored = photo.stored
    key = photo.key
    if photo.header.colour in (4, 6):
        full = (1 << photo.header.depth) - 1
        painted = paint(photo.samples(), covers, colour=[0] * (stored.shape[2] - 1) + [full])
    else:
        # Black, unless black is the colour that is shown as transparent.
        painted = paint(stored, covers, colour=1 if key is not None and not any(key) else 0)
    trns = b"".join(c.whole(photo.data) for c in photo.chunks if c.type == b"tRNS")
    head = photo.header._replace(interlaced=False)
    return assembled(head, looks, trns, _idat(painted, head)), ()


def _palette_anew(photo: Png, covers: Sequence[Cover], looks: bytes) -> tuple[bytes, tuple[str, ...]]:
    palette, depth = photo.palette, photo.header.depth
    indices = palette.first.astype(np.uint8)[photo.stored]
    table, black = palette.clean(), 0
    if covers:
        room = _palette.with_colour(palette.clean(), palette, _palette.BLACK)
        if room is None:
            samples = photo.samples()
            colour = [0, 0, 0, 255][: samples.shape[2]]
            return file(paint(samples, covers, colour=colour), looks), ("palette-replaced",)
        table, black = room
        depth = depth if len(table) <= 1 << depth else 8
    head = Header(photo.width, photo.height, depth, 3, False)
    painted = paint(indices, covers, colour=black)
    # A cover may hide the last pixels of a colour; its entry goes too.
    left = _palette.read(*_palette.chunks(table), painted)
    return assembled(head, looks, _palette_chunks(left.clean()), _idat(painted, head)), ()


def _palette_chunks(table: NDArray[np.uint8]) -> bytes:
    plte, trns = _palette.chunks(table)
    return chunk(b"PLTE", plte) + (chunk(b"tRNS", trns) if trns else b"")


def _idat(pixels: NDArray[Any], head: Header) -> bytes:
    photo = head.colour != 3 and head.depth >= 8
    return chunk(b"IDAT", _png_pixels.packed(_png_pixels.row_bytes(pixels, head.depth), head.stride, photo=photo))


def file(samples: NDArray[Any], looks: bytes) -> bytes:
    """A PNG file of samples, uint8 or uint16, (H, W) or (H, W, C); see :func:`medimg.formats.png.encode`.

    Raises:
        CheckNotRun: There are no such PNG files.
    """
    from medimg.formats.png import without_hidden

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
