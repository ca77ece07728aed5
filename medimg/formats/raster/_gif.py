"""GIF blocks: a strict walk (GIF89a specification, CompuServe 1990): size, frames and what is beside the pictures."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from medimg.errors import Malformed, TooLarge
from medimg.formats.raster.photo import Header, bounded
from medimg.formats.shared import icc, trailing, xmp
from medimg.types import Finding, Limits, Secret
from medimg.vocabulary import Category, Kind

DETECTOR = "gif reader"
BLOCKS = 200_000
LOOKED_INTO, XMP_LIMIT, SECRET_LIMIT = 200, 4 << 20, 4096
"""Extensions of one file that are looked into, most bytes of an XMP packet, and of a text kept in memory."""
MODES = {"L": "L", "RGB": "RGB", "RGBA": "RGBA"}


class Extension(NamedTuple):
    """An extension block: its label and the contents of its sub-blocks."""

    label: int
    begin: int
    first: bytes
    rest: bytes


class Picture(NamedTuple):
    """One image: place on the screen, its own palette (empty without), and its code stream."""

    begin: int
    x: int
    y: int
    width: int
    height: int
    interlaced: bool
    palette: bytes
    code_size: int
    stream: bytes
    transparent: int
    """Palette index that is not drawn; -1 for none."""


class Screen(NamedTuple):
    """A whole file.

    Attributes:
        width: Pixels across.
        height: Pixels down.
        palette: The palette of all pictures that have none of their own.
        pictures: In order.
        extensions: All but the graphic control of pictures.
        end: Where the trailer ends.
    """

    width: int
    height: int
    palette: bytes
    pictures: tuple[Picture, ...]
    extensions: tuple[Extension, ...]
    end: int


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        out = self.data[self.at : self.at + count]
        if len(out) != count:
            raise Malformed("the GIF file ends in the middle.")
        self.at += count
        return out

    def table(self, flags: int) -> bytes:
        """A palette, where the flags announce one (sections 19 and 21)."""
        return self.take(3 << ((flags & 7) + 1)) if flags & 0x80 else b""

    def sub_blocks(self) -> list[bytes]:
        """Data sub-blocks up to their terminator (section 15)."""
        out = []
        while size := self.take(1)[0]:
            out.append(self.take(size))
        return out


def sniff(head: bytes) -> bool:
    """Whether content starts with a GIF signature."""
    return head[:6] in (b"GIF87a", b"GIF89a")


def header(data: bytes, limits: Limits) -> Header:
    """Walk every block.

    Raises:
        Malformed: A block is damaged, or the trailer is missing.
        TooLarge: The screen or the number of pictures is over the limits.
    """
    screen = read(data, limits.frames)
    bounded(screen.width, screen.height, limits)
    found = [f for e in screen.extensions[:LOOKED_INTO] for f in _extension(data, e)]
    if more := len(screen.extensions[LOOKED_INTO:]):
        found.append(_finding(Category.UNKNOWN_BLOCK, "extension", count=more))
    count = len(screen.pictures)
    if count > 1:
        found.append(_finding(Category.EXTRA_FRAMES, "image 2...", kind=Kind.HIDDEN_IMAGE, count=count - 1))
    found += trailing.finding(data, screen.end, "after the trailer", DETECTOR)
    return Header("gif", "GIF", screen.width, screen.height, tuple(found), MODES, frames=count)


def _extension(data: bytes, e: Extension) -> list[Finding]:
    if e.label == 0xFE:
        return [_finding(Category.COMMENT, "comment", value=(e.first + e.rest)[:SECRET_LIMIT].decode("latin-1"))]
    if e.label == 0x01:
        return [_finding(Category.COMMENT, "plain text", value=e.rest[:SECRET_LIMIT].decode("latin-1"))]
    if e.label != 0xFF:
        return [_finding(Category.UNKNOWN_BLOCK, "extension")]
    match e.first[:11]:
        case b"NETSCAPE2.0" | b"ANIMEXTS1.0":
            return [_finding(Category.ANIMATION_LOOP, "application/loop")]
        case b"XMP DataXMP":
            # The packet is not cut into sub-blocks; walking it as if it were loses the bytes taken for lengths.
            start = e.begin + 14
            end = data.find(b"\x01\xff\xfe\xfd", start, start + XMP_LIMIT)
            found = xmp.findings(data[start : max(end, start)], "application/XMP")
            return found or [_finding(Category.XMP, "application/XMP")]
        case b"ICCRGBG1012":
            return icc.findings(e.rest, "application/ICC") or [
                _finding(Category.COLOUR_PROFILE_TEXT, "application/ICC")
            ]
        case b"C2PA_GIF\x01\x00\x00":
            return [_finding(Category.CONTENT_CREDENTIAL, "application/C2PA")]
    return [_finding(Category.UNKNOWN_BLOCK, "application")]


def _finding(category: str, where: str, *, kind: Kind = Kind.METADATA, count: int = 1, value: str = "") -> Finding:
    return Finding(kind=kind, category=category, where=where, count=count, detector=DETECTOR, secret=Secret(value))


def read(data: bytes, frames: int) -> Screen:
    """Follow a file to its trailer.

    Raises:
        Malformed: It is damaged or has no picture.
        TooLarge: More than ``frames`` pictures.
    """
    r = _Reader(data)
    r.take(6)
    width, height, flags, _, _ = struct.unpack("<HHBBB", r.take(7))
    palette = r.table(flags)
    pictures: list[Picture] = []
    extensions: list[Extension] = []
    transparent = -1
    while (kind := r.take(1)) != b";":
        if len(pictures) + len(extensions) > BLOCKS:
            raise TooLarge("the GIF file is cut into too many pieces.")
        begin = r.at - 1
        if kind == b"!":
            label = r.take(1)[0]
            blocks = r.sub_blocks()
            if label == 0xF9:
                transparent = _transparent(blocks)
            else:
                extensions.append(Extension(label, begin, blocks[0] if blocks else b"", b"".join(blocks[1:])))
                if label == 0x01:
                    transparent = -1  # the control block was the plain text's
        elif kind == b",":
            if len(pictures) == frames:
                raise TooLarge("the animation has more frames than the policy allows.")
            x, y, w, h, flags = struct.unpack("<HHHHB", r.take(9))
            own = r.table(flags)
            code_size = r.take(1)[0]
            stream = b"".join(r.sub_blocks())
            pictures.append(Picture(begin, x, y, w, h, bool(flags & 0x40), own, code_size, stream, transparent))
            transparent = -1
        else:
            raise Malformed("the GIF file has a block that does not exist.")
    if not pictures or not width or not height:
        raise Malformed("the GIF file holds no picture.")
    screen = Screen(width, height, palette, tuple(pictures), tuple(extensions), r.at)
    for p in pictures:
        _checked(p, screen)
    return screen


def _transparent(blocks: Sequence[bytes]) -> int:
    """The colour that a control block makes transparent; -1 for none."""
    if len(blocks) != 1 or len(blocks[0]) != 4:
        raise Malformed("a control block of the GIF file is damaged.")
    return blocks[0][3] if blocks[0][0] & 1 else -1


def _checked(p: Picture, screen: Screen) -> None:
    if not p.width or not p.height or p.x + p.width > screen.width or p.y + p.height > screen.height:
        raise Malformed("a picture of the GIF file stands outside its screen.")
    if not p.palette and not screen.palette:
        raise Malformed("a picture of the GIF file has no palette.")
