"""GIF blocks: a strict walk (GIF89a specification, CompuServe 1990), without an imaging library."""

from __future__ import annotations

import struct
from typing import NamedTuple

from medimg.errors import Malformed, TooLarge

BLOCKS = 200_000


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
                if len(blocks) != 1 or len(blocks[0]) != 4:
                    raise Malformed("a control block of the GIF file is damaged.")
                transparent = blocks[0][3] if blocks[0][0] & 1 else -1
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
    for p in pictures:
        if not p.width or not p.height or p.x + p.width > width or p.y + p.height > height:
            raise Malformed("a picture of the GIF file stands outside its screen.")
        if not p.palette and not palette:
            raise Malformed("a picture of the GIF file has no palette.")
    return Screen(width, height, palette, tuple(pictures), tuple(extensions), r.at)


def file(
    size: tuple[int, int], palette: bytes, code_size: int, stream: bytes, *, transparent: int, interlaced: bool
) -> bytes:
    """A GIF file of one picture that fills its screen; ``palette`` is RGB triples, 1 to 256 of them."""
    power = max(0, (len(palette) // 3 - 1).bit_length() - 1)
    out = b"GIF89a" + struct.pack("<HHBBB", *size, 0xF0 | power, 0, 0) + palette.ljust(3 << (power + 1), b"\0")
    if transparent >= 0:
        out += b"!\xf9\x04\x01\0\0" + bytes((transparent, 0))
    out += b"," + struct.pack("<HHHHB", 0, 0, *size, 0x40 * interlaced) + bytes((code_size,))
    blocks = [bytes((len(stream[k : k + 255]),)) + stream[k : k + 255] for k in range(0, len(stream), 255)]
    return out + b"".join(blocks) + b"\0;"
