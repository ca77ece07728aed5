"""JPEG 2000 headers (ISO/IEC 15444-1, Annex A and I): size, depth and what is beside the picture."""

from __future__ import annotations

import struct

from medimg.errors import Malformed, Unsupported
from medimg.formats.raster.photo import ADVICE, Header, bounded
from medimg.formats.shared import exif, icc, trailing, xmp
from medimg.formats.shared.bmff import Span, boxes, top_boxes
from medimg.types import Finding, Limits
from medimg.vocabulary import Category, Kind

DETECTOR = "jpeg 2000 reader"
SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
START, SIZE, TILE, COMMENT, END = 0xFF4F, 0xFF51, 0xFF90, 0xFF64, 0xFFD9
BARE = struct.pack(">HH", START, SIZE)
SRGB, GREY = 16, 17
"""Enumerated colour spaces (I.5.3.3) whose samples are decoded as they are."""
MODES = {
    (1, 8): {"L": "L"},
    (1, 16): {"I;16": "I;16"},
    (2, 8): {"LA": "LA"},
    (3, 8): {"RGB": "RGB"},
    (4, 8): {"RGBA": "RGBA"},
}
"""Components and bits -> the modes in which Pillow gives every sample as it is; 12 and 16 bits of colour it cuts."""

# Boxes that hold something known -> category. UUIDs of XMP, Exif, IPTC and GeoJP2 as ExifTool lists them.
BOXES = {
    b"jp2i": Category.OWNER,
    b"jumb": Category.CONTENT_CREDENTIAL,
    b"asoc": Category.CAPTION,
    b"uinf": Category.UNKNOWN_BLOCK,
}
XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
EXIF = (b"JpgTiffExif->JP2", bytes.fromhex("0537cdab9d0c4431a72afa561f2a113e"))
IPTC = (bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"), bytes.fromhex("09a14e97c0b442e0bebf36df6f0ce36f"))
PLACE = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")


def sniff(head: bytes) -> bool:
    """A JP2 file or a bare codestream."""
    return head.startswith((SIGNATURE, BARE))


def header(data: bytes, limits: Limits) -> Header:
    """Read boxes and the main header of the codestream.

    Raises:
        Malformed: They are damaged.
        TooLarge: The picture is over the limits.
        Unsupported: A kind of samples or colours that would not be decoded exactly.
    """
    found: list[Finding] = []
    start, end, profile = 0, len(data), b""
    if data.startswith(SIGNATURE):
        top, last = top_boxes(data)
        streams = [b for b in top if b.type == b"jp2c"]
        heads = [b for b in top if b.type == b"jp2h"]
        if len(streams) != 1 or len(heads) != 1:
            raise Malformed("a box of the JPEG 2000 file is missing or there twice.")
        inner = list(boxes(data, heads[0].body, heads[0].end))
        profile = _colours(data, inner)
        found = [f for span in top for f in _box(data, span)] + [f for span in inner for f in _inner(data, span)]
        found += trailing.finding(data, last, "after the last box", DETECTOR)
        start, end = streams[0].body, streams[0].end
    width, height, components, depth, comments = _main_header(data, start, end)
    bounded(width, height, limits)
    if (components, depth) not in MODES:
        raise Unsupported(f"JPEG 2000 pictures of {components} x {depth} bits are not handled.", todo=ADVICE)
    if comments:
        found.append(
            Finding(
                kind=Kind.METADATA,
                category=Category.COMMENT,
                where="codestream/COM",
                count=len(comments),
                detector=DETECTOR,
                secret=exif.secret(comments[0]),
            )
        )
    stop = data.rfind(struct.pack(">H", END), start, end)
    if stop < 0:
        raise Malformed("the JPEG 2000 picture ends in the middle.")
    found += trailing.finding(data[:end], stop + 2, "after EOC", DETECTOR)
    return Header("jp2", "JPEG2000", width, height, tuple(found), MODES[components, depth], profile=profile)


def _main_header(data: bytes, start: int, end: int) -> tuple[int, int, int, int, list[bytes]]:
    """Size, components, bits and comments (A.5, A.9.2), up to the first tile.

    Raises:
        Malformed: It is damaged.
        Unsupported: Components differ in size or depth, or are signed.
    """
    at, comments, size = start + 2, [], b""
    if data[start : start + 2] != struct.pack(">H", START):
        raise Malformed("the JPEG 2000 picture does not begin as it must.")
    while True:
        if at + 4 > end:
            raise Malformed("the JPEG 2000 picture ends in the middle.")
        marker, length = struct.unpack_from(">HH", data, at)
        if marker == TILE:
            break
        payload, at = data[at + 4 : at + 2 + length], at + 2 + length
        if marker >> 8 != 0xFF or length < 2 or at > end:
            raise Malformed("the JPEG 2000 picture is damaged.")
        if marker == SIZE:
            size = payload
        elif marker == COMMENT:
            comments.append(payload[2:])
    if len(size) < 39 or len(size) != 36 + 3 * int.from_bytes(size[34:36]):
        raise Malformed("the header of the JPEG 2000 picture is damaged.")
    _, x1, y1, x0, y0 = struct.unpack_from(">HIIII", size)
    depths, steps = set(size[36::3]), set(size[37::3] + size[38::3])
    if len(depths) != 1 or steps != {1} or max(depths) > 37:
        raise Unsupported("this JPEG 2000 picture is coded in a way that is not handled.", todo=ADVICE)
    return x1 - x0, y1 - y0, int.from_bytes(size[34:36]), min(depths) + 1, comments


def _colours(data: bytes, inner: list[Span]) -> bytes:
    """The colour profile, if there is one; a palette and other colour spaces are refused.

    Raises:
        Unsupported: Decoding would change the samples.
    """
    if {b"pclr", b"cmap"} & {b.type for b in inner}:
        raise Unsupported("JPEG 2000 pictures with a palette are not handled.", todo=ADVICE)
    for span in inner:
        payload = data[span.body : span.end]
        if span.type != b"colr" or len(payload) < 7 or payload[0] not in (1, 2):
            continue  # a reader of JP2 passes over other methods (I.5.3.3)
        if payload[0] == 2:
            return payload[3:]
        if int.from_bytes(payload[3:7]) not in (SRGB, GREY):
            raise Unsupported("this JPEG 2000 picture has colours that are not handled.", todo=ADVICE)
        return b""
    raise Unsupported("this JPEG 2000 picture does not say what its colours are.", todo=ADVICE)


def _inner(data: bytes, span: Span) -> list[Finding]:
    if span.type == b"colr" and data[span.body : span.body + 1] == b"\2":
        profile = data[span.body + 3 : span.end]
        return [] if profile == icc.clean(profile) else icc.findings(profile, "jp2h/colr")
    if span.type == b"res ":
        return [_finding(Category.RESOLUTION, "jp2h/res")]
    return [] if span.type in (b"ihdr", b"colr", b"bpcc", b"cdef") else [_finding(Category.UNKNOWN_BLOCK, "jp2h")]


def _box(data: bytes, span: Span) -> list[Finding]:
    payload, kind = data[span.body : span.end], span.type
    if kind in (b"jP  ", b"ftyp", b"jp2h", b"jp2c"):
        return []
    if kind == b"xml ":
        return xmp.findings(payload, "xml") or [_finding(Category.XMP, "xml")]
    if kind == b"uuid":
        name, body = payload[:16], payload[16:]
        if name == XMP:
            return xmp.findings(body, "uuid/XMP") or [_finding(Category.XMP, "uuid/XMP")]
        if name in EXIF:
            return exif.findings(body.removeprefix(b"Exif\0\0"), "uuid/Exif")
        return [
            _finding(
                Category.IPTC if name in IPTC else Category.LOCATION if name == PLACE else Category.UNKNOWN_BLOCK,
                "uuid",
            )
        ]
    return [_finding(BOXES.get(kind, Category.UNKNOWN_BLOCK), kind.decode() if kind in BOXES else "box")]


def _finding(category: str, where: str) -> Finding:
    return Finding(kind=Kind.METADATA, category=category, where=where, detector=DETECTOR)
