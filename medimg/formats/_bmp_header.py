"""BMP headers (Windows SDK, BITMAPINFOHEADER to BITMAPV5HEADER), read strictly."""

from __future__ import annotations

import struct
from typing import NamedTuple

from medimg.errors import Malformed, TooLarge, Unsupported

SIZES = (12, 40, 52, 56, 64, 108, 124)
RGB, RLE8, RLE4, BITFIELDS, ALPHABITFIELDS = 0, 1, 2, 3, 6
EMBEDDED = b"DEBM"
"""PROFILE_EMBEDDED, little-endian 'MBED'."""
MASKS = {16: (0x7C00, 0x03E0, 0x001F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}


class Header(NamedTuple):
    """What a BMP file says of itself; places are offsets into the file.

    Attributes:
        width: Pixels across.
        height: Pixels down.
        top_down: Whether the first row is the top one.
        depth: Bits per pixel.
        packing: 0 none, 1 and 2 run-length.
        masks: Bits of red, green, blue and alpha in a 16- or 32-bit pixel.
        palette: Blue, green, red and a spare byte for each entry.
        spare: Whether bytes that mean nothing for the picture are set: reserved fields, resolution, the spare
            bytes of the palette, fields of a colour space that is not used.
        header_end: Where header, masks and palette end.
        start: Where the pixels start.
        end: Where they end; for run-length packing, where the file ends.
        profile: Where an embedded profile stands: start and end; (0, 0) without one.
    """

    width: int
    height: int
    top_down: bool
    depth: int
    packing: int
    masks: tuple[int, int, int, int]
    palette: bytes
    spare: bool
    header_end: int
    start: int
    end: int
    profile: tuple[int, int]

    @property
    def row(self) -> int:
        """Bytes of a row, padded to four."""
        return (self.width * self.depth + 31) // 32 * 4


def read(data: bytes, pixels: int) -> Header:
    """Read all headers.

    Raises:
        Malformed: A field is out of range, or the file is too short.
        TooLarge: More than ``pixels`` pixels.
        Unsupported: JPEG or PNG inside, or another packing.
    """
    if len(data) < 26:
        raise Malformed("the BMP file ends in the middle.")
    start, size = struct.unpack_from("<II", data, 10)
    if size not in SIZES or len(data) < 14 + size:
        raise Malformed("the header of the BMP file is damaged.")
    info = data[14 : 14 + size]
    if size == 12:
        width, height, planes, depth = struct.unpack_from("<HHHH", info, 4)
        packing = used = resolution = 0
    else:
        width, height, planes, depth, packing = struct.unpack_from("<iiHHI", info, 4)
        resolution = struct.unpack_from("<Q", info, 24)[0]
        used = struct.unpack_from("<I", info, 32)[0]
    top_down, height = height < 0, abs(height)
    if planes != 1 or width <= 0 or not 0 < height < 1 << 31:
        raise Malformed("the header of the BMP file is damaged.")
    if width * height > pixels:
        raise TooLarge("the picture is larger than the policy allows.")
    masks, at = _masks(data, size, depth, packing, top_down)
    entry = 3 if size == 12 else 4
    most = 1 << depth if depth <= 8 else 0
    if used > 256 or (most and used > most):
        raise Malformed("the palette of the BMP file is damaged.")
    count = (used or most) if depth <= 8 else used
    if size == 12 and depth <= 8:  # a short palette is told by where the pixels start alone
        count = min(most, (start - at) // 3) if start > at else most
    palette = data[at : at + count * entry]
    if len(palette) != count * entry or (depth <= 8 and not count):
        raise Malformed("the palette of the BMP file is damaged.")
    if size == 12:
        palette = b"".join(palette[k : k + 3] + b"\0" for k in range(0, len(palette), 3))
    header_end = at + count * entry
    row = (width * depth + 31) // 32 * 4
    end = start + row * height if packing not in (RLE8, RLE4) else len(data)
    if start < header_end or end > len(data) or start >= len(data):
        raise Malformed("the BMP file ends in the middle.")
    spare = bool(data[6:10].strip(b"\0") or resolution or palette[3::4].strip(b"\0") or (depth > 8 and count))
    return Header(
        width,
        height,
        top_down,
        depth,
        packing if packing in (RLE8, RLE4) else RGB,
        masks,
        palette if depth <= 8 else b"",
        spare,
        header_end,
        start,
        end,
        _profile(data, info),
    )


def _masks(data: bytes, size: int, depth: int, packing: int, top_down: bool) -> tuple[tuple[int, int, int, int], int]:
    """The channel masks and where the palette starts."""
    at = 14 + size
    if size == 64 and packing not in (RGB, RLE8, RLE4):
        raise Unsupported("this kind of OS/2 BMP file is not handled.")
    if packing == RGB and depth in (1, 4, 8, 16, 24, 32):
        return MASKS.get(depth, (0, 0, 0, 0)), at  # masks of a header are read with BI_BITFIELDS alone
    if packing in (RLE8, RLE4) and depth == {RLE8: 8, RLE4: 4}[packing] and not top_down:
        return (0, 0, 0, 0), at
    if packing in (BITFIELDS, ALPHABITFIELDS) and depth in (16, 32):
        count = 4 if packing == ALPHABITFIELDS or size >= 56 else 3
        if len(data) < 54 + 4 * count:
            raise Malformed("the BMP file ends in the middle.")
        found = struct.unpack_from(f"<{count}I", data, 54)
        masks = (*found, 0)[:4]
        if size == 40:
            at += 4 * count
        _check_masks(masks, depth)
        return masks, at
    if packing in (4, 5):
        raise Unsupported("this BMP file holds a picture of another format.")
    raise Unsupported("this kind of BMP file is not handled.")


def _check_masks(masks: tuple[int, int, int, int], depth: int) -> None:
    taken = 0
    for mask in masks:
        low = mask & -mask
        if mask >> depth or mask & taken or (mask and (mask // low + 1) & (mask // low)):
            raise Malformed("the header of the BMP file is damaged.")
        if mask and (mask // low).bit_length() > 8:
            raise Unsupported("BMP files with more than 8 bits for a colour are not handled.")
        taken |= mask
    if not all(masks[:3]):
        raise Malformed("the header of the BMP file is damaged.")


def _profile(data: bytes, info: bytes) -> tuple[int, int]:
    """Where an embedded colour profile stands (BITMAPV5HEADER)."""
    if len(info) != 124 or info[56:60] != EMBEDDED:
        return (0, 0)
    start, size = struct.unpack_from("<II", info, 112)
    start += 14
    if not size or start + size > len(data):
        raise Malformed("the colour profile of the BMP file is cut off.")
    return (start, start + size)


def file(head: Header, rows: bytes, profile: bytes) -> bytes:
    """A BMP file of uncompressed rows, with the smallest header that says what has to be said."""
    standard = head.masks == MASKS.get(head.depth, (0, 0, 0, 0))
    long = bool(profile) or bool(head.masks[3])
    size = 124 if long else 40
    masks = b"" if long or standard else struct.pack("<3I", *head.masks[:3])
    start = 14 + size + len(masks) + len(head.palette)
    info = struct.pack(
        "<IiiHHIIiiII",
        size,
        head.width,
        -head.height if head.top_down else head.height,
        1,
        head.depth,
        RGB if standard else BITFIELDS,
        len(rows),
        0,
        0,
        len(head.palette) // 4,
        0,
    )
    if long:
        space = EMBEDDED if profile else b"BGRs"
        place = start - 14 + len(rows) if profile else 0
        fields = (0, 0, 0, 0) if standard else head.masks
        info += struct.pack("<4I4s48xIIII", *fields, space, 4, place, len(profile), 0)
    total = start + len(rows) + len(profile)
    return b"BM" + struct.pack("<IHHI", total, 0, 0, start) + info + masks + head.palette + rows + profile
