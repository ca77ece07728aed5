"""The LZW variant of GIF (GIF89a, appendix F), strict in both directions; no imaging library."""

from __future__ import annotations

from typing import NamedTuple

from medimg.errors import Malformed

TABLE = 4096


class Unpacked(NamedTuple):
    """Pixels, and whether anything but padding follows them."""

    pixels: bytes
    surplus: bool


def unpack(data: bytes, code_size: int, count: int) -> Unpacked:
    """Exactly ``count`` palette indices from a code stream; work is bounded by ``count`` and the stream's length.

    Raises:
        Malformed: A code that cannot stand there, or too few pixels.
    """
    if not 2 <= code_size <= 8:
        raise Malformed("the picture data of the GIF file is damaged.")
    clear, stop = 1 << code_size, (1 << code_size) + 1
    roots: list[bytes] = [bytes((k,)) for k in range(clear)] + [b"", b""]
    table = list(roots)
    width, limit = code_size + 1, 1 << (code_size + 1)
    previous = b""
    out: list[bytes] = []
    produced = bits = held = at = 0
    while True:
        while held < width:
            if at == len(data):
                if produced == count:  # some encoders leave the stop code out
                    return Unpacked(b"".join(out), False)
                raise Malformed("the picture data of the GIF file ends in the middle.")
            bits |= data[at] << held
            held += 8
            at += 1
        code = bits & (limit - 1)
        bits >>= width
        held -= width
        if code == clear:
            table = list(roots)
            width, limit, previous = code_size + 1, 1 << (code_size + 1), b""
            continue
        if code == stop:
            if produced != count:
                raise Malformed("the picture data of the GIF file ends in the middle.")
            return Unpacked(b"".join(out), at < len(data) or bits != 0)
        if produced >= count:
            return Unpacked(b"".join(out)[:count], True)
        if code < len(table):
            entry = table[code]
        elif code == len(table) and previous and len(table) < TABLE:
            entry = previous + previous[:1]
        else:
            raise Malformed("the picture data of the GIF file is damaged.")
        if previous and len(table) < TABLE:
            table.append(previous + entry[:1])
            if len(table) == limit and width < 12:
                width += 1
                limit <<= 1
        previous = entry
        out.append(entry)
        produced += len(entry)
        if produced > count:
            return Unpacked(b"".join(out)[:count], True)


def pack(pixels: bytes, code_size: int) -> bytes:
    """A code stream of palette indices, all below ``1 << code_size``."""
    clear, stop = 1 << code_size, (1 << code_size) + 1
    roots = {bytes((k,)): k for k in range(clear)}
    table, following = dict(roots), stop + 1
    width = code_size + 1
    out = bytearray()
    bits, held = clear, width
    run = b""
    for k in range(len(pixels)):
        longer = run + pixels[k : k + 1]
        if longer in table:
            run = longer
            continue
        bits |= table[run] << held
        held += width
        if following < TABLE:
            table[longer] = following
            if following == 1 << width:
                width += 1
            following += 1
        else:
            bits |= clear << held
            held += width
            table, following, width = dict(roots), stop + 1, code_size + 1
        run = pixels[k : k + 1]
        while held >= 8:
            out.append(bits & 255)
            bits >>= 8
            held -= 8
    if run:
        bits |= table[run] << held
        held += width
        if following < TABLE and following == 1 << width:
            width += 1
    bits |= stop << held
    held += width
    while held > 0:
        out.append(bits & 255)
        bits >>= 8
        held -= 8
    return bytes(out)
