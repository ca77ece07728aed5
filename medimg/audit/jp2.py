"""Independent walk of a JPEG 2000 copy: signature, type, header with size and colour, codestream; no more."""

from __future__ import annotations

import struct

from medimg.audit import _icc
from medimg.errors import Malformed

BEGIN = b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 "
# Segment -> bytes before the coding style or quantisation that are fixed in number (ISO/IEC 15444-1, A.6).
STYLES = {0x52: 5, 0x53: 2}
STEPS = {0x5C: 1, 0x5D: 2}
CHANGES = {0x5E: 3}
ORDER = 0x5F


def walk(data: bytes) -> list[str]:
    """Paths of everything that is not allow-listed; see :mod:`medimg.audit`."""
    if data[:2] == b"\xff\x4f":
        return _Stream(data, 0).read()
    if not data.startswith(BEGIN):
        return ["signature"]
    at = len(BEGIN)
    size, kind = struct.unpack_from(">I4s", data, at)
    header = data[at + 8 : at + size]
    at += size
    length, code = struct.unpack_from(">I4s", data, at)
    if kind != b"jp2h" or code != b"jp2c" or at + length != len(data):
        return ["boxes"]
    stream = _Stream(data, at + 8)
    return _header(header, data[at + 12 + 2 : at + 12 + 2 + 38]) + stream.read()


def _header(header: bytes, siz: bytes) -> list[str]:
    """The header box against the size segment of the codestream (without its marker)."""
    right, down, left, up = struct.unpack_from(">4I", siz, 2)
    (count,) = struct.unpack_from(">H", siz, 34)
    depth = header[18] if len(header) > 22 else 0
    size = struct.pack(">I4sIIHBBBB", 22, b"ihdr", down - up, right - left, count, depth, 7, 0, 0)
    if header[:22] != size or depth > 15 or siz[36:37] != header[18:19]:
        return ["jp2h/ihdr"]
    length, kind = struct.unpack_from(">I4s", header, 22)
    colour = header[30 : 22 + length]
    if kind != b"colr" or 22 + length != len(header):
        return ["jp2h"]
    if colour[:3] == b"\2\0\0":
        return ["jp2h/colr"] if _icc.strays(colour[3:]) else []
    return [] if len(colour) == 7 and colour[:6] == b"\1\0\0\0\0\0" and colour[6] in (16, 17, 18) else ["jp2h/colr"]


class _Stream:
    """One pass over a codestream that ends where the file ends."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at
        self.strays: list[str] = []
        self.parts: dict[int, int] = {}
        self.levels: set[int] = set()

    def read(self) -> list[str]:
        if self.data[self.at : self.at + 4] != b"\xff\x4f\xff\x51":
            raise Malformed("the copy does not begin like a JPEG 2000 picture.")
        self.at += 2
        size = self._segment()
        (self.components,) = struct.unpack_from(">H", size, 34)
        if len(size) != 36 + 3 * self.components or size[0] & 0xC0:
            self.strays.append("SIZ")
        self._segments(0x90)
        while self.data[self.at : self.at + 2] == b"\xff\x90":
            self._part()
        if self.data[self.at :] != b"\xff\xd9":
            self.strays.append("after the picture")
        if not self.parts:
            raise Malformed("the copy holds no picture.")
        return self.strays

    def _segment(self) -> bytes:
        (length,) = struct.unpack_from(">H", self.data, self.at + 2)
        body = self.data[self.at + 4 : self.at + 2 + length]
        if length < 2 or len(body) != length - 2:
            raise Malformed("the copy could not be followed to its end.")
        self.at += 2 + length
        return body

    def _segments(self, until: int) -> None:
        bands: list[int] = []
        while True:
            flag, code = self.data[self.at], self.data[self.at + 1]
            if flag != 0xFF:
                raise Malformed("the copy could not be followed to its end.")
            if code == until:
                break
            if not self._known(code, self._segment(), bands):
                self.strays.append("segment")
        if any(n not in {3 * k + 1 for k in self.levels} for n in bands):
            self.strays.append("segment")

    def _known(self, code: int, body: bytes, bands: list[int]) -> bool:
        if code in STYLES:
            first, rest = body[0 if code == 0x52 else 1], body[STYLES[code] :]
            self.levels.add(rest[0])
            return len(rest) == 5 + (rest[0] + 1) * (first & 1) and first < (8 if code == 0x52 else 2)
        if code in STEPS:
            style, rest = body[STEPS[code] - 1] & 31, body[STEPS[code] :]
            if style == 1:
                return len(rest) == 2
            bands.append(len(rest) // (style or 1))
            return (style == 0 and not any(b & 7 for b in rest)) or (style == 2 and len(rest) % 2 == 0)
        return len(body) == CHANGES.get(code) or (code == ORDER and len(body) % 7 == 0 and len(body) > 0)

    def _part(self) -> None:
        begin = self.at
        body = self._segment()
        tile, size, number, _ = struct.unpack(">HIBB", body)
        if number != self.parts.get(tile, 0):
            self.strays.append("tile")
        self.parts[tile] = number + 1
        self._segments(0x93)
        self.at += 2
        end = begin + size
        if not self.at <= end <= len(self.data) - 2:
            raise Malformed("the copy could not be followed to its end.")
        at = self.data.find(b"\xff", self.at, end)
        while at >= 0:
            if self.data[at + 1] > 0x8F and self.data[at + 1] not in (0x91, 0x92):
                self.strays.append("tile")
                break
            at = self.data.find(b"\xff", at + 1, end)
        self.at = end
