"""Independent walk of a GIF copy: one picture that fills its screen, and the colours it uses (GIF89a)."""

from __future__ import annotations

import io
import warnings

from medimg.errors import Malformed


def walk(data: bytes) -> list[str]:
    """Paths of everything that is not allow-listed; see :mod:`medimg.audit`."""
    if data[:6] != b"GIF89a":
        raise Malformed("the copy is not a GIF file.")
    strays: list[str] = []
    size, flags = data[6:10], data[10]
    if flags & 0xF8 != 0xF0 or data[11:13] != b"\0\0":
        strays.append("screen")
    at = 13 + (6 << (flags & 7))
    colours = data[13:at]
    hole = -1
    pictures = 0
    while data[at] != 0x3B:
        mark = data[at]
        if mark == 0x21:
            control = data[at + 1 : at + 8]
            if control[:5] == b"\xf9\x04\x01\0\0" and control[6:] == b"\0" and hole < 0 and not pictures:
                hole = control[5]
            else:
                strays.append("extension")
            at = _end(data, at + 2)
        elif mark == 0x2C:
            pictures += 1
            if data[at + 1 : at + 5] != bytes(4) or data[at + 5 : at + 9] != size or data[at + 9] & ~0x40:
                strays.append("image")
            if pictures > 1:
                strays.append("image 2")
                at = _end(data, at + 11)
                continue
            end = _end(data, at + 11)
            strays += _stream(_joined(data[at + 11 : end]), data[at + 10], size)
            at = end
        else:
            raise Malformed("the copy could not be followed to its end.")
    if pictures == 0:
        raise Malformed("the copy holds no picture.")
    if at + 1 != len(data):
        strays.append("after the trailer")
    return strays or _colours(data, colours, hole)


def _end(data: bytes, at: int) -> int:
    while data[at]:
        at += data[at] + 1
    return at + 1


def _joined(blocks: bytes) -> bytes:
    out, at = bytearray(), 0
    while blocks[at]:
        out += blocks[at + 1 : at + 1 + blocks[at]]
        at += blocks[at] + 1
    return bytes(out)


def _stream(stream: bytes, root: int, size: bytes) -> list[str]:
    """Count the pixels of a code stream without making them; nothing may follow its last code (appendix F)."""
    if not 2 <= root <= 8:
        raise Malformed("the picture of the copy is damaged.")
    wanted = int.from_bytes(size[:2], "little") * int.from_bytes(size[2:], "little")
    first = [1] * (1 << root) + [0, 0]
    lengths, last, total, position, width = list(first), 0, 0, 0, root + 1
    available = 8 * len(stream)
    while position + width <= available:
        window = int.from_bytes(stream[position >> 3 : (position >> 3) + 3], "little")
        code = (window >> (position & 7)) & ((1 << width) - 1)
        position += width
        if code == 1 << root:
            lengths, last, width = list(first), 0, root + 1
            continue
        if code == (1 << root) + 1:
            rest = stream[position >> 3 :]
            padded = len(rest) <= 1 and (not rest or rest[0] >> (position & 7) == 0)
            return [] if total == wanted and padded else ["image/after the picture"]
        if code < len(lengths):
            length = lengths[code]
        elif code == len(lengths) and last:
            length = last + 1
        else:
            raise Malformed("the picture of the copy is damaged.")
        if last and len(lengths) < 4096:
            lengths.append(last + 1)
            if len(lengths) == 1 << width and width < 12:
                width += 1
        last = length
        total += length
        if total > wanted:
            return ["image/after the picture"]
    return [] if total == wanted else ["image/length"]


def _colours(data: bytes, palette: bytes, hole: int) -> list[str]:
    """Entries that no pixel uses are black; entries in use look different."""
    import numpy as np
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=("GIF",)) as picture:
                if picture.mode not in ("P", "L"):
                    raise Malformed("the picture of the copy is of another kind than its header says.")
                pixels = np.asarray(picture)
    except (OSError, Image.DecompressionBombError) as error:
        raise Malformed("the picture of the copy could not be decoded.") from error
    used = np.bincount(pixels.ravel(), minlength=256) > 0
    looks: set[bytes] = set()
    for k in range(len(palette) // 3):
        colour = palette[3 * k : 3 * k + 3]
        if not used[k]:
            if colour != b"\0\0\0" or k == hole:
                return ["palette/unused"]
            continue
        look = b"hole" if k == hole else colour
        if look in looks or (k == hole and colour != b"\0\0\0"):
            return ["palette/equal colours"]
        looks.add(look)
    entries, last = len(palette) // 3, int(np.flatnonzero(used)[-1])
    return [] if entries == 2 or entries // 2 <= last < entries else ["palette/length"]
