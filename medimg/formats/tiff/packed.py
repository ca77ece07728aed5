"""Unpacking the strips of a TIFF to rows, and packing them: a copy has rows as they are, deflated anew, or JPEGs.

A foreign stream could say anything in codes that give no row, and behind its end (TIFF 6.0, sections 9 to 13).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import NamedTuple

from medimg.errors import Malformed
from medimg.formats.tiff._file import build

STOP = 257
LEVEL = 6
"""Of deflate, for drawings and writing."""
TRIED = 8192
"""Bytes of a few strips each that are tried both ways."""
MIRRORED = bytes(int(f"{k:08b}"[::-1], 2) for k in range(256))
"""Each byte with its bits the other way round: FillOrder 2 (section 8)."""


class Inflated(NamedTuple):
    """A deflated strip: its rows, the stream alone, and whether there was more."""

    rows: bytes
    stream: bytes
    more: bool


def inflated(raw: bytes, expected: int) -> Inflated:
    """The ``expected`` bytes of a zlib stream.

    Raises:
        Malformed: It is damaged, or gives fewer.
    """
    stream = zlib.decompressobj()
    try:
        out = stream.decompress(raw, expected + 1)
        if len(out) == expected and not stream.eof:  # the end mark may need one more call
            out += stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error as error:
        raise Malformed("a strip of the picture is damaged.") from error
    if len(out) > expected:  # writers fill the last strip up to the length of the others; libtiff passes over it
        return Inflated(out[:expected], deflated(out[:expected]), more=True)
    if len(out) != expected or not stream.eof:
        raise Malformed("a strip of the picture does not have the length it should.")
    behind = len(stream.unused_data)
    return Inflated(out, raw[: len(raw) - behind], more=bool(behind))


def deflated(rows: bytes | memoryview) -> bytes:
    """A zlib stream of rows."""
    return zlib.compress(rows, LEVEL)


def all_deflated(strips: Sequence[bytes | memoryview]) -> list[bytes]:
    """A zlib stream of each strip's rows. Looking for repeats takes a photo twice the time for next to nothing."""
    tried = b"".join(strips[len(strips) * k // 4][:TRIED] for k in (1, 2, 3)) if strips else b""
    if len(tried) < TRIED or len(deflated(tried)) < 0.8 * len(_by_runs(tried)):
        return [deflated(rows) for rows in strips]
    return [_by_runs(rows) for rows in strips]


def _by_runs(rows: bytes | memoryview) -> bytes:
    deflater = zlib.compressobj(1, strategy=zlib.Z_RLE)
    return deflater.compress(rows) + deflater.flush()


def by_libtiff(strips: Sequence[bytes], fields: dict[int, int], row: int) -> bytes:
    """The rows of strips of one plane, one behind the other, whatever their bytes mean.

    Args:
        strips: What each holds.
        fields: How they are packed: size in grey pixels, their bits, rows in a strip, compression and its options.
        row: Bytes in a row.

    Raises:
        Malformed: They are damaged, or give fewer rows.
    """
    import io

    from PIL import TiffImagePlugin

    said = {tag: (4, struct.pack("<I", value)) for tag, value in (fields | {262: 1, 277: 1}).items()}
    file = build("<", said, list(strips), offsets=273, counts=279)
    try:
        with TiffImagePlugin.TiffImageFile(io.BytesIO(file)) as picture:
            out = bytes(picture.tobytes())
    except (OSError, ValueError, SyntaxError, struct.error) as error:
        raise Malformed("a strip of the picture is damaged.") from error
    if len(out) != row * fields[257]:
        raise Malformed("a strip of the picture does not have the length it should.")
    return out


def packbits(raw: bytes) -> int:
    """How many bytes a PackBits strip gives (section 9); -1 when it does not end where a run ends."""
    at = size = 0
    while at < len(raw):
        head = raw[at]
        size += head + 1 if head < 128 else (257 - head) * (head > 128)
        at += head + 2 if head < 128 else 1 + (head > 128)
    return size if at == len(raw) else -1


def stops(raw: bytes) -> bool:
    """Whether an LZW strip ends with the code for the end, of 9 to 12 bits, and zeros to the next byte (section 13)."""
    tail = int.from_bytes(raw[-3:])
    return any(tail >> spare & (1 << wide) - 1 == STOP for wide in range(9, 13) for spare in range(8)
               if not tail & (1 << spare) - 1)  # fmt: skip


def without_padding(rows: bytes, row: int, spare: int, *, mirrored: bool = False) -> bytes:
    """The rows with the ``spare`` last bits of each, which belong to no pixel, 0."""
    if not spare:
        return rows
    import numpy as np

    grid = np.frombuffer(rows, np.uint8).reshape(-1, row).copy()
    grid[:, -1] &= 0xFF >> spare if mirrored else 0xFF << spare & 0xFF
    return grid.tobytes()


def without_applications(raw: bytes) -> bytes:
    """A JPEG stream (TIFF technical note 2): the segments that make the picture (ITU-T T.81, B.2.4), and Adobe's.

    Raises:
        Malformed: It is damaged.
    """
    if raw[:2] != b"\xff\xd8":
        raise Malformed("a strip of the picture is damaged.")
    out, at = [b"\xff\xd8"], 2
    while at + 4 <= len(raw):
        if raw[at] != 0xFF:
            raise Malformed("a strip of the picture is damaged.")
        marker = raw[at + 1]
        if marker == 0xD9:
            return b"".join(out) + b"\xff\xd9"
        size = int.from_bytes(raw[at + 2 : at + 4], "big")
        if size < 2 or at + 2 + size > len(raw):
            raise Malformed("a strip of the picture is damaged.")
        adobe = marker == 0xEE and raw[at + 4 : at + 9] == b"Adobe" and size == 14
        if adobe or 0xC0 <= marker <= 0xCF or marker in (0xDA, 0xDB, 0xDD):
            out.append(raw[at : at + 2 + size])
        at += 2 + size
        if marker == 0xDA:
            end = raw.find(b"\xff\xd9", at)
            if end < 0:
                raise Malformed("a strip of the picture ends early.")
            return b"".join(out) + raw[at : end + 2]
    if raw[at : at + 2] == b"\xff\xd9":
        return b"".join(out) + b"\xff\xd9"
    raise Malformed("a strip of the picture ends early.")
