"""Run-length packed BMP pictures (Windows SDK, "Bitmap Compression"), unpacked strictly."""

from __future__ import annotations

from medimg.errors import Malformed, Unsupported


def unpack(data: bytes, width: int, height: int, depth: int) -> tuple[bytes, int]:
    """Palette indices, bottom row first, one byte each, and how many bytes of ``data`` they took.

    Raises:
        Malformed: A run leaves its row, or the data ends early.
        Unsupported: Pixels are left out; viewers fill them differently.
    """
    rows: list[bytes] = []
    row, at = bytearray(), 0
    while True:
        if at + 2 > len(data):
            raise Malformed("the picture data of the BMP file ends in the middle.")
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            row += bytes((value,)) * count if depth == 8 else bytes((value >> 4, value & 15)) * (count // 2 + 1)
            if depth == 4:
                del row[len(row) - 2 * (count // 2 + 1) + count :]
        elif value >= 3:
            size = value if depth == 8 else (value + 1) // 2
            literal = data[at : at + size]
            if len(literal) != size:
                raise Malformed("the picture data of the BMP file ends in the middle.")
            row += literal if depth == 8 else bytes(n for b in literal for n in (b >> 4, b & 15))[:value]
            at += size + (size & 1)
        elif value == 2:
            raise Unsupported("this BMP file leaves pixels out, which viewers fill differently.")
        else:
            if len(row) != width and not (value == 1 and not row and len(rows) == height):
                raise Unsupported("this BMP file leaves pixels out, which viewers fill differently.")
            if row:
                rows.append(bytes(row))
                row = bytearray()
            if value == 1:
                break
        if len(row) > width or len(rows) > height or (len(rows) == height and row):
            raise Malformed("the picture data of the BMP file does not fit its size.")
    if len(rows) != height:
        raise Unsupported("this BMP file leaves pixels out, which viewers fill differently.")
    return b"".join(rows), min(at, len(data))
