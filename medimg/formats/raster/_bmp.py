"""BMP headers (Windows SDK, BITMAPINFOHEADER to BITMAPV5HEADER): size, depth and what is beside the pixels."""

from __future__ import annotations

import struct

from medimg.errors import Malformed, Unsupported
from medimg.formats.raster.photo import ADVICE, Header, bounded
from medimg.formats.shared import icc, trailing
from medimg.types import Finding, Limits
from medimg.vocabulary import Category, Kind

DETECTOR = "bmp reader"
SIZES = (12, 40, 52, 56, 64, 108, 124)
PLAIN, RLE8, RLE4, BITFIELDS, JPEG, PNG, ALPHABITFIELDS = range(7)
EMBEDDED, LINKED = b"DEBM", b"KNIL"
"""PROFILE_EMBEDDED and PROFILE_LINKED, little-endian 'MBED' and 'LINK'."""
MODES = {"1": "L", "L": "L", "RGB": "RGB", "RGBA": "RGBA"}


def sniff(head: bytes) -> bool:
    """``BM`` and the size of a known header."""
    return head[:2] == b"BM" and len(head) >= 18 and struct.unpack_from("<I", head, 14)[0] in SIZES


def header(data: bytes, limits: Limits) -> Header:
    """Read the headers, and look at what stands between and behind the rows.

    Raises:
        Malformed: They are cut short or out of range.
        TooLarge: The picture is over the limits.
        Unsupported: A JPEG or PNG inside, or more than 8 bits for a colour.
    """
    start, size = struct.unpack_from("<II", data, 10) if len(data) >= 26 else (0, 0)
    if size not in SIZES or len(data) < 14 + size or not 14 + size <= start < len(data):
        raise Malformed("the header of the BMP file is damaged.")
    fields = struct.unpack_from("<HHHH", data, 18) if size == 12 else struct.unpack_from("<iiHHIIiiI", data, 18)
    width, height, _, depth, packing, _, _, _, used = (*fields, 0, 0, 0, 0, 0)[:9]
    bounded(width, abs(height), limits)
    if depth not in (1, 2, 4, 8, 16, 24, 32) or used > 1 << 16:
        raise Malformed("the header of the BMP file is damaged.")
    if packing in (JPEG, PNG) and size != 64:
        raise Unsupported("this BMP file holds a picture of another format.", todo=ADVICE)
    if packing in (BITFIELDS, ALPHABITFIELDS) and size != 64:
        _masks(data, 4 if size >= 56 or packing == ALPHABITFIELDS else 3)
    profile, found = _profile(data, size)
    row = (width * depth + 31) // 32 * 4
    pixels_end = start + row * abs(height) if packing not in (RLE8, RLE4) else len(data)
    if pixels_end > len(data):
        raise Malformed("the BMP file ends in the middle.")
    palette = (used or (1 << depth if depth <= 8 else 0)) * (3 if size == 12 else 4)
    extra = 4 * 4 if size == 40 and packing in (BITFIELDS, ALPHABITFIELDS) else 0
    if data[14 + size + extra + palette : start].strip(b"\0"):
        found.append(_finding(Category.UNKNOWN_BLOCK, "before the pixels"))
    if data[6:10].strip(b"\0"):
        found.append(_finding(Category.UNKNOWN_BLOCK, "header/spare fields"))
    pixels = (width * depth + 7) // 8
    ends = range(start + pixels, pixels_end, row) if packing not in (RLE8, RLE4) else ()
    if any(data[at : at + row - pixels].strip(b"\0") for at in ends):
        found.append(_finding(Category.PADDING_BITS, "pixels/row ends"))
    tail = data[pixels_end:]
    if tail and not (profile and tail.strip(b"\0") == profile.strip(b"\0")):
        found += trailing.finding(data, pixels_end, "after the pixels", DETECTOR)
    return Header("bmp", "BMP", width, abs(height), tuple(found), MODES, profile=profile)


def _masks(data: bytes, count: int) -> None:
    if len(data) < 54 + 4 * count:
        raise Malformed("the BMP file ends in the middle.")
    for mask in struct.unpack_from(f"<{count}I", data, 54):
        if mask and (mask // (mask & -mask)).bit_length() > 8:
            raise Unsupported("BMP files with more than 8 bits for a colour are not handled.", todo=ADVICE)


def _profile(data: bytes, size: int) -> tuple[bytes, list[Finding]]:
    """The embedded profile of a BITMAPV5HEADER, and what its text says."""
    if size != 124:
        return b"", []
    if data[70:74] == LINKED:
        return b"", [_finding(Category.COLOUR_PROFILE_TEXT, "header/linked profile")]
    place, length = struct.unpack_from("<II", data, 126)
    if data[70:74] != EMBEDDED or not length:
        return b"", []
    profile = data[14 + place : 14 + place + length]
    if len(profile) != length:
        raise Malformed("the colour profile of the BMP file is cut short.")
    clean = profile == icc.clean(profile)
    return profile, [] if clean else icc.findings(profile, "profile") or [
        _finding(Category.COLOUR_PROFILE_TEXT, "profile")
    ]


def _finding(category: str, where: str) -> Finding:
    return Finding(kind=Kind.METADATA, category=category, where=where, detector=DETECTOR)
