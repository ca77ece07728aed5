"""Where the packed data of a TIFF strip end (TIFF 6.0, sections 9 and 13), so that nothing rides behind them."""

from __future__ import annotations

import zlib
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64

from medimg.errors import Malformed
from medimg.formats.jpeg.markers import LIBRARY
from medimg.native import library

CLEAR, STOP, WIDEST = 256, 257, 12
_DAMAGED, _SHORT = -1, -2


def bare_deflate(raw: bytes, expected: int) -> bytes:
    """A zlib stream without what follows its end, or what it holds beyond the rows of the picture.

    Raises:
        Malformed: It is damaged, or gives fewer than the ``expected`` bytes.
    """
    stream = zlib.decompressobj()
    try:
        out = stream.decompress(raw, expected + 1)
        if len(out) == expected and not stream.eof:  # the end mark may need one more call
            out += stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error as error:
        raise Malformed("a strip of the picture is damaged.") from error
    if len(out) > expected:  # writers fill the last strip up to the length of the others; libtiff passes over it
        return zlib.compress(out[:expected], 6)
    if len(out) != expected or not stream.eof:
        raise Malformed("a strip of the picture does not have the length it should.")
    return raw[: len(raw) - len(stream.unused_data)]


def bare_jpeg(raw: bytes) -> bytes:
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


def bare_packbits(raw: bytes, expected: int) -> bytes:
    """A PackBits strip without what follows its ``expected`` bytes, in its last run too.

    Raises:
        Malformed: It gives fewer.
    """
    at = begin = produced = 0
    while produced < expected:
        if at >= len(raw):
            raise Malformed("a strip of the picture ends early.")
        begin, head = at, raw[at]
        produced += head + 1 if head < 128 else (257 - head) * (head > 128)
        at += head + 2 if head < 128 else 1 + (head > 128)
    if at > len(raw):
        raise Malformed("a strip of the picture ends early.")
    over = produced - expected
    if not over:
        return raw[:at]
    head = raw[begin]
    if head < 128:
        return raw[:begin] + bytes([head - over]) + raw[begin + 1 : at - over]
    return raw[:begin] + bytes([(head + over) % 256, raw[begin + 1]])  # a run of one is a literal of one


def bare_lzw(raw: bytes, expected: int) -> bytes:
    """An LZW strip without what follows its ``expected`` bytes and its stop code; one of the old kind as it is.

    Raises:
        Malformed: A code cannot stand where it does, or it gives fewer.
    """
    if raw[:1] == b"\0" and raw[1:2] and raw[1] & 1:
        return raw  # the order of bits before TIFF 6.0, as libtiff tells it (tif_lzw.c)
    used, width = lzw_bits(raw, expected)
    end = -(-used // 8)
    # Encoders disagree about when the stop code gets wider, some put a clear code before it, some leave it out.
    tail = int.from_bytes(raw[used // 8 : used // 8 + 5].ljust(5, b"\0")) & ((1 << (40 - used % 8)) - 1)
    left = 40 - used % 8
    for codes in ((STOP,), (CLEAR, STOP)):
        for first in (width, min(width + 1, WIDEST), max(width - 1, 9)):
            widths = (first, 9)[: len(codes)]
            value, size = 0, 0
            for code, wide in zip(codes, widths, strict=True):
                value, size = value << wide | code, size + wide
            if tail >> (left - size) == value:
                end = -(-(used + size) // 8)
                return raw[:end]
    return raw[:end]


def lzw_bits(raw: bytes, expected: int) -> tuple[int, int]:
    """How many bits give ``expected`` bytes, and how wide the next code is.

    Raises:
        Malformed: A code cannot stand where it does, or there are too few.
    """
    wide = c_int32()
    search = library.function(LIBRARY, "medimg_lzw_bits", c_int64, c_char_p, c_int64, c_int64, POINTER(c_int32))
    used = int(search(raw, len(raw), expected, byref(wide)))
    if used == _SHORT:
        raise Malformed("a strip of the picture ends early.")
    if used == _DAMAGED:
        raise Malformed("a strip of the picture is damaged.")
    return used, wide.value
