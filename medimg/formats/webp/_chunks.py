"""WebP containers: a strict walk (RFC 9649, sections 2 and 3), without an imaging library."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from medimg.errors import Malformed, TooLarge

CHUNKS = 100_000
ICC, ALPHA, EXIF, XMP, ANIMATION = 0x20, 0x10, 0x08, 0x04, 0x02
"""Flags of VP8X (RFC 9649 2.7.1)."""


class Chunk(NamedTuple):
    """One chunk: its name, where it starts, and where its payload starts and ends."""

    name: bytes
    begin: int
    start: int
    end: int


class Still(NamedTuple):
    """One coded picture.

    Attributes:
        coding: ``b"VP8 "`` or ``b"VP8L"``.
        image: Its payload.
        alpha: Payload of the ALPH chunk that goes with a VP8 picture; empty without one.
        width: Pixels across.
        height: Pixels down.
        veiled: Whether it may have alpha.
    """

    coding: bytes
    image: bytes
    alpha: bytes
    width: int
    height: int
    veiled: bool


class AnimationFrame(NamedTuple):
    """A frame of an animation and where it stands on the canvas (RFC 9649 2.7.1.1)."""

    x: int
    y: int
    still: Still
    others: tuple[bytes, ...]
    """Names of further chunks inside it."""


def chunk(name: bytes, payload: bytes) -> bytes:
    """One chunk, padded to an even length."""
    return name + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) & 1)


def riff(body: bytes) -> bytes:
    """A WebP file."""
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def number(data: bytes) -> int:
    """A little-endian number."""
    return int.from_bytes(data, "little")


def chunks(data: bytes, at: int, end: int) -> Iterator[Chunk]:
    """The chunks between two places.

    Raises:
        Malformed: One is longer than what holds it.
    """
    count = 0
    while at < end:
        count += 1
        if count > CHUNKS:
            raise TooLarge("the WebP file is cut into too many pieces.")
        if at + 8 > end:
            raise Malformed("the WebP file ends in the middle.")
        stop = at + 8 + number(data[at + 4 : at + 8])
        if stop > end:
            raise Malformed("a WebP chunk claims to be longer than the file.")
        yield Chunk(data[at : at + 4], at, at + 8, stop)
        at = stop + (stop - at & 1)
        # Some writers leave the last padding byte out (the RIFF size then ends the file).


def still(data: bytes, found: list[Chunk]) -> Still:
    """The one coded picture among chunks.

    Raises:
        Malformed: There is none, more than one, or its header is wrong.
    """
    images = [c for c in found if c.name in (b"VP8 ", b"VP8L")]
    alphas = [c for c in found if c.name == b"ALPH"]
    if len(images) != 1 or len(alphas) > 1 or (alphas and alphas[0].begin > images[0].begin):
        raise Malformed("the WebP file does not hold exactly one picture where one belongs.")
    image = data[images[0].start : images[0].end]
    if images[0].name == b"VP8L":
        if alphas:
            raise Malformed("the WebP file has alpha twice.")
        return _lossless(image)
    return _lossy(image, data[alphas[0].start : alphas[0].end] if alphas else None)


def _lossless(image: bytes) -> Still:
    """VP8L header (RFC 9649 3.4)."""
    if len(image) < 6 or image[0] != 0x2F or image[4] >> 5:
        raise Malformed("the picture data of the WebP file is damaged.")
    bits = number(image[1:5])
    return Still(b"VP8L", image, b"", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1))


def _lossy(image: bytes, alpha: bytes | None) -> Still:
    """VP8 key frame header (RFC 6386 9.1): frame tag, start code, 14-bit sizes with 2 bits of scaling."""
    if len(image) < 11 or image[3:6] != b"\x9d\x01\x2a" or image[0] & 1 or not image[0] & 0x10:
        raise Malformed("the picture data of the WebP file is damaged.")
    if (image[0] >> 1 & 7) > 3 or 10 + (number(image[:3]) >> 5) > len(image):
        raise Malformed("the picture data of the WebP file is damaged.")
    width, height = number(image[6:8]) & 0x3FFF, number(image[8:10]) & 0x3FFF
    if not width or not height:
        raise Malformed("the picture data of the WebP file is damaged.")
    if alpha is not None and (len(alpha) < 2 or alpha[0] & 3 > 1 or alpha[0] >> 4 > 1):
        raise Malformed("the alpha of the WebP file is damaged.")
    if alpha is not None and not alpha[0] & 3 and len(alpha) < 1 + width * height:
        raise Malformed("the alpha of the WebP file is damaged.")
    return Still(b"VP8 ", image, alpha or b"", width, height, alpha is not None)


def frame(data: bytes, c: Chunk) -> AnimationFrame:
    """A frame of an animation.

    Raises:
        Malformed: Its header or what it holds is damaged.
    """
    if c.end - c.start < 16:
        raise Malformed("a frame of the WebP file is damaged.")
    x, y, w, h = (number(data[c.start + k : c.start + k + 3]) for k in (0, 3, 6, 9))
    found = list(chunks(data, c.start + 16, c.end))
    picture = still(data, found)
    if (w + 1, h + 1) != (picture.width, picture.height):
        raise Malformed("a frame of the WebP file is not of the size it claims.")
    others = tuple(c.name for c in found if c.name not in (b"VP8 ", b"VP8L", b"ALPH"))
    return AnimationFrame(2 * x, 2 * y, picture, others)


def file(picture: Still, *, icc: bytes = b"", exif: bytes = b"") -> bytes:
    """A WebP file of one picture, in the simple layout where nothing else has to be said."""
    body = (chunk(b"ALPH", picture.alpha) if picture.alpha else b"") + chunk(picture.coding, picture.image)
    flags = (ICC if icc else 0) | (EXIF if exif else 0) | (ALPHA if picture.veiled else 0)
    if not icc and not exif and not picture.alpha:
        return riff(body)
    size = struct.pack("<I", picture.width - 1)[:3] + struct.pack("<I", picture.height - 1)[:3]
    head = chunk(b"VP8X", bytes((flags, 0, 0, 0)) + size)
    return riff(head + (chunk(b"ICCP", icc) if icc else b"") + body + (chunk(b"EXIF", exif) if exif else b""))
