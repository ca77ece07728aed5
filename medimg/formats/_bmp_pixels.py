"""BMP rows and samples."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medimg.formats import _bmp_rle
from medimg.formats._bmp_header import RGB, Header
from medimg.types import Colour


def unpacked(data: bytes, head: Header) -> tuple[NDArray[Any], bool, int]:
    """Stored values in the order of the file's rows, whether padding is set, and where the pixels end.

    Palette indices and 16- and 32-bit pixels: (H, W). 24-bit pixels: (H, W, 3), blue first.
    """
    if head.packing != RGB:
        pixels, taken = _bmp_rle.unpack(data[head.start :], head.width, head.height, head.depth)
        return np.frombuffer(pixels, np.uint8).reshape(head.height, head.width), False, head.start + taken
    raw = np.frombuffer(data, np.uint8, head.row * head.height, head.start).reshape(head.height, head.row)
    used = head.width * head.depth
    padded = bool(raw[:, -(-used // 8) :].any())
    if used % 8:
        padded |= bool((raw[:, used // 8] & ((1 << (8 - used % 8)) - 1)).any())
    whole = raw[:, : -(-used // 8)]
    match head.depth:
        case 32 | 16:
            return np.ascontiguousarray(whole).view("<u4" if head.depth == 32 else "<u2"), padded, head.end
        case 24:
            return whole.reshape(head.height, head.width, 3), padded, head.end
        case 8:
            return whole, padded, head.end
    shifts = np.arange(8 - head.depth, -1, -head.depth, dtype=np.uint8)
    values = (whole[:, :, None] >> shifts) & np.uint8((1 << head.depth) - 1)
    return np.ascontiguousarray(values.reshape(head.height, -1)[:, : head.width]), padded, head.end


def packed(values: NDArray[Any], depth: int) -> bytes:
    """Rows padded to four bytes with zeros; the reverse of :func:`unpacked`."""
    height, width = values.shape[:2]
    if depth < 8:
        per_byte = 8 // depth
        padded = np.zeros((height, -(-width // per_byte) * per_byte), np.uint8)
        padded[:, :width] = values
        shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
        rows = np.bitwise_or.reduce(padded.reshape(height, -1, per_byte) << shifts, axis=2).astype(np.uint8)
    else:
        rows = np.ascontiguousarray(values).view(np.uint8).reshape(height, -1)
    out = np.zeros((height, (width * depth + 31) // 32 * 4), np.uint8)
    out[:, : rows.shape[1]] = rows
    return out.tobytes()


def stored_colour(colour: Colour, head: Header) -> int | tuple[int, ...]:
    """A colour as :func:`unpacked` gives it for 16, 24 and 32 bits, opaque."""
    if head.depth == 24:
        return colour[::-1]
    value = head.masks[3]
    for level, mask in zip(colour, head.masks[:3], strict=True):
        low = mask & -mask
        value |= (level * (mask // max(low, 1)) * 2 + 255) // 510 * low
    return value


def spare_bits(values: NDArray[Any], head: Header) -> bool:
    """Whether bits of 16- or 32-bit pixels that belong to no channel are set."""
    return head.depth in (16, 32) and bool((values & ~values.dtype.type(_taken(head))).any())


def without_spare(values: NDArray[Any], head: Header) -> NDArray[Any]:
    """The values with such bits, and colours under alpha 0, set to 0."""
    if head.depth not in (16, 32):
        return values
    out = values & values.dtype.type(_taken(head))
    if head.masks[3]:
        out[(out & values.dtype.type(head.masks[3])) == 0] = 0
    cleaned: NDArray[Any] = out
    return cleaned


def _taken(head: Header) -> int:
    return head.masks[0] | head.masks[1] | head.masks[2] | head.masks[3]


def hidden(values: NDArray[Any], head: Header) -> bool:
    """Whether a fully transparent pixel has a colour."""
    if not head.masks[3]:
        return False
    colour = head.masks[0] | head.masks[1] | head.masks[2]
    gone = (values & values.dtype.type(head.masks[3])) == 0
    return bool((values[gone] & values.dtype.type(colour)).any())


def colours(values: NDArray[Any], head: Header) -> NDArray[np.uint8]:
    """RGB, or RGBA where a pixel is not opaque: uint8, scaled to 0..255, 0 under alpha 0, rows as given."""
    if head.depth == 24:
        return np.ascontiguousarray(values[..., ::-1])
    channels = []
    for mask in head.masks:
        if mask:
            low = mask & -mask
            most = mask // low
            part = ((values & values.dtype.type(mask)) // values.dtype.type(low)).astype(np.uint32)
            channels.append(((part * 255 + most // 2) // most).astype(np.uint8))
    if len(channels) == 4 and bool((channels[3] == 255).all()):
        channels.pop()
    out: NDArray[np.uint8] = np.dstack(channels)
    if len(channels) == 4:
        out[out[..., 3] == 0] = 0
    return out
