"""Independent walk of a BMP copy: a small header, the palette in use, plain rows, a cleaned profile."""

from __future__ import annotations

import struct

from medimg.audit import _icc
from medimg.errors import Malformed

PLAIN16, PLAIN32 = (0x7C00, 0x3E0, 0x1F), (0xFF0000, 0xFF00, 0xFF)


def walk(data: bytes) -> list[str]:
    """Paths of everything that is not allow-listed; see :mod:`medimg.audit`."""
    magic, total, reserved, start, size = struct.unpack_from("<2sIIII", data)
    if magic != b"BM" or total != len(data) or size not in (40, 124):
        raise Malformed("the copy is not a BMP file of the kind that is written.")
    strays = ["header/reserved"] if reserved else []
    width, height, planes, depth, packing, length = struct.unpack_from("<iiHHII", data, 18)
    across, down, used, important = struct.unpack_from("<IIII", data, 38)
    if across or down or important or planes != 1:
        strays.append("header")
    if packing not in (0, 3) or (packing == 3 and depth not in (16, 32)):
        raise Malformed("the copy is packed in a way that is not written.")
    masks, at = (0, 0, 0, 0), 14 + size
    if packing == 3 and size == 40:
        masks, at = (*struct.unpack_from("<3I", data, 54), 0), 66
    elif size == 124:
        masks = struct.unpack_from("<4I", data, 54)
    profile = b""
    if size == 124:
        space, intent, place, count, spare = struct.unpack_from("<4s48xIIII", data, 70)
        profile = data[14 + place : 14 + place + count] if space == b"DEBM" else b""
        if data[74:122].strip(b"\0") or spare or intent != 4 or space not in (b"DEBM", b"BGRs"):
            strays.append("header")
        if space == b"DEBM" and (_icc.strays(profile) or place + 14 != start + length):
            strays.append("profile")
        if space == b"BGRs" and (place or count):
            strays.append("header")
    if packing == 0 and any(masks):
        strays.append("header")
    palette = data[at : at + 4 * used]
    if (used == 0) != (depth > 8) or palette[3::4].strip(b"\0") or start != at + len(palette):
        strays.append("palette")
    row = (width * depth + 31) // 32 * 4
    if width <= 0 or not height or length != row * abs(height):
        raise Malformed("the copy is not of the size it claims.")
    if start + length + len(profile) != len(data):
        strays.append("after the pixels")
    if strays:
        return strays
    if packing == 0 and depth in (16, 32):
        masks = (*(PLAIN16 if depth == 16 else PLAIN32), 0)
    return _pixels(data[start : start + length], (width, abs(height)), depth, masks, palette)


def _pixels(rows: bytes, size: tuple[int, int], depth: int, masks: tuple[int, ...], palette: bytes) -> list[str]:
    """Padding is 0, no pixel has bits of no channel or a colour under alpha 0, no palette entry hides anything."""
    import numpy as np

    width, height = size
    grid = np.frombuffer(rows, np.uint8).reshape(height, -1)
    bits = np.unpackbits(grid[:, width * depth // 8 :], axis=1)
    if bool(bits[:, width * depth % 8 :].any()):
        return ["pixels/row ends"]
    if depth in (16, 32):
        values = grid[:, : width * depth // 8].copy().view(f"<u{depth // 8}").astype(np.uint64)
        red, green, blue, alpha = (np.uint64(m) for m in masks)
        if bool((values & ~(red | green | blue | alpha)).any()):
            return ["pixels/spare bits"]
        if alpha and bool(values[(values & alpha) == 0].any()):
            return ["pixels/alpha 0"]
    if depth <= 8:
        planes = np.unpackbits(grid, axis=1)[:, : width * depth].reshape(height, width, depth)
        used = np.bincount(np.packbits(planes, axis=2, bitorder="big").ravel() >> (8 - depth), minlength=256) > 0
        colours = [palette[k : k + 4] for k in range(0, len(palette), 4)]
        if used[len(colours) :].any() or not used[len(colours) - 1]:
            return ["palette/length"]
        shown = [c for k, c in enumerate(colours) if used[k]]
        if len(set(shown)) != len(shown):
            return ["palette/equal colours"]
        if any(c != bytes(4) for k, c in enumerate(colours) if not used[k]):
            return ["palette/unused"]
    return []
