"""What a TIFF says besides the picture: fields, directories and bytes, by kind and count."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from medimg.errors import Malformed
from medimg.formats.shared import exif, icc, iptc, xmp
from medimg.formats.tiff._file import Ifd, Tiff, directory
from medimg.types import Finding
from medimg.vocabulary import Category, Kind

# Fields of the main directory -> category (TIFF 6.0, section 8; Exif 3.0, 4.6; DNG 1.7 for the serial number).
CATEGORIES = {
    269: Category.CAPTION, 270: Category.CAPTION, 271: Category.DEVICE, 272: Category.DEVICE, 285: Category.CAPTION,
    305: Category.SOFTWARE, 306: Category.CAPTURE_TIME, 315: Category.OWNER, 316: Category.DEVICE,
    33432: Category.OWNER, 42016: Category.SERIAL, 42032: Category.OWNER, 42033: Category.SERIAL,
    50735: Category.SERIAL, 50708: Category.DEVICE, 40091: Category.CAPTION, 40092: Category.COMMENT,
    40093: Category.OWNER, 40094: Category.CAPTION, 40095: Category.CAPTION, 37510: Category.COMMENT,
    36867: Category.CAPTURE_TIME, 36868: Category.CAPTURE_TIME, 37500: Category.MAKER_NOTE,
    52545: Category.CONTENT_CREDENTIAL,  # C2PA
}  # fmt: skip
# Fields that say nothing and are left out: sub-file type, thresholds, resolution, page number, curves; and what is said
# of colours or a packing that the picture does not have.
SILENT = frozenset(
    (254, 255, 263, 264, 265, 280, 281, 282, 283, 287, 286, 290, 291, 292, 293, 296, 297, 301, 317, 318, 319, 332)
) | {333, 334, 336, 529, 530, 531}
XMP, IPTC, IRB, PROFILE, EXIF, GPS = 700, 33723, 34377, 34675, 34665, 34853
SUB_IFD = 330
SUB_IFDS = (SUB_IFD, 34732, 40965)


def of_page(tiff: Tiff, page: Ifd, kept: frozenset[int]) -> list[Finding]:
    """Findings for every field of the first page that is not kept as it is."""
    out: list[Finding] = []
    for tag, entry in page.entries.items():
        where = f"IFD0/{tag}"
        if tag in BLOCKS:
            out += BLOCKS[tag](entry.raw, where)
        elif tag in kept or tag in SILENT or tag == SUB_IFD:
            continue  # a sub-IFD is counted by the reader, which knows whether one of them is the picture
        elif tag in (EXIF, GPS):
            out += exif.findings(_standalone(tiff, page, tag), where) or [
                _one(Kind.METADATA, Category.UNKNOWN_BLOCK, where)
            ]
        elif tag in SUB_IFDS:
            out.append(_one(Kind.HIDDEN_IMAGE, Category.SECOND_IMAGE, where, max(1, entry.count)))
        else:
            out.append(_one(Kind.METADATA, CATEGORIES.get(tag, Category.UNKNOWN_BLOCK), where))
    return out


def _packet(raw: bytes, where: str) -> list[Finding]:
    return xmp.findings(raw, where) or [_one(Kind.METADATA, Category.UNKNOWN_BLOCK, where)]


BLOCKS = {PROFILE: icc.findings, XMP: _packet, IPTC: iptc.iim, IRB: iptc.irb}
"""Fields that are read as blocks of their own kind."""


def _one(kind: Kind, category: str, where: str, count: int = 1) -> Finding:
    return Finding(kind=kind, category=category, where=where, count=count, detector="tiff reader")


def _standalone(tiff: Tiff, page: Ifd, tag: int) -> bytes:
    """The file with its first directory replaced by one that points at the EXIF or GPS directory alone."""
    try:
        offset = tiff.number(page, tag, 0)
        directory(tiff, offset)
    except (Malformed, struct.error):
        return b""
    if tiff.big:
        return b""
    at = len(tiff.data) + (len(tiff.data) & 1)
    head = tiff.data[:4] + struct.pack(f"{tiff.order}I", at)
    tail = struct.pack(f"{tiff.order}HHHIII", 1, tag, 4, 1, offset, 0)
    return head + tiff.data[8:] + bytes(len(tiff.data) & 1) + tail


def loose_bytes(tiff: Tiff, page: Ifd, chunks: list[tuple[int, int]]) -> bool:
    """Whether the file holds bytes that neither the page nor the directories it names account for."""
    at = 0
    for start, end in sorted(_spans(tiff, page, chunks)):
        if start > at and tiff.data[at:start].strip(b"\0"):
            return True
        at = max(at, end)
    return bool(tiff.data[at:].strip(b"\0"))


def _spans(tiff: Tiff, page: Ifd, chunks: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    yield 0, 16 if tiff.big else 8
    yield from page.spans
    for start, size in chunks:
        yield start, start + size
    for tag in (EXIF, GPS, *SUB_IFDS):
        if tag in page.entries:  # reported on their own; what they point to counts as theirs
            yield 0, len(tiff.data)
