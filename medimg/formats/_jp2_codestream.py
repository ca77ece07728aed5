"""The codestream of JPEG 2000 (ISO/IEC 15444-1, Annex A), read strictly; packets are never opened."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from medimg.errors import SAVE_AS_PNG, Malformed, TooLarge, Unsupported
from medimg.types import Limits

START, SIZE, TILE, DATA, END = 0xFF4F, 0xFF51, 0xFF90, 0xFF93, 0xFFD9
COD, COC, QCD, QCC, RGN, POC = 0xFF52, 0xFF53, 0xFF5C, 0xFF5D, 0xFF5E, 0xFF5F
COMMENT = 0xFF64
KEPT = frozenset((COD, COC, QCD, QCC, RGN, POC))
FIRST_PART_ONLY = KEPT - {POC}
INDEX = frozenset((0xFF55, 0xFF57, 0xFF58))
"""Lengths of tile-parts and packets, for quick access: no decoder needs them, and they no longer fit a copy."""
REGISTRATION = 0xFF63
ADVICE = SAVE_AS_PNG
_NO_PACKET = re.compile(rb"\xff[\x90\x93-\xff]")
"""A marker that cannot stand among packets: only SOP and EPH may (A.8)."""


@dataclass
class Codestream:
    """A codestream taken apart.

    Attributes:
        width: Pixels across.
        height: Pixels down.
        components: 1 to 4, all of one depth and none subsampled.
        depth: Bits of a sample, 1 to 16.
        end: Behind the end marker.
        parts: What shows the picture, in order; tile-parts that got shorter say so.
        comments: Payloads of comments.
        others: How many other segments are left out.
    """

    width: int = 0
    height: int = 0
    components: int = 0
    depth: int = 0
    end: int = 0
    parts: list[bytes | memoryview] = field(default_factory=list)
    comments: list[bytes] = field(default_factory=list)
    others: int = 0


def parse(data: bytes, start: int, end: int, limits: Limits) -> Codestream:
    """Take a codestream apart.

    Args:
        data: The file.
        start: Where the codestream begins.
        end: Where the box or file that holds it ends; other bytes may stand before that.
        limits: Most pixels.

    Raises:
        Malformed: It is damaged or cut short.
        Unsupported: It is of a kind that is not handled.
        TooLarge: The picture is over the limits.
    """
    walk = _Walk(data, start, end)
    walk.run(limits)
    return walk.out


class _Walk:
    def __init__(self, data: bytes, start: int, end: int) -> None:
        self.data, self.at, self.stop = data, start, end
        self.out = Codestream()
        self.tiles = 0
        self.levels: set[int] = set()
        self.steps: set[int] = set()

    def run(self, limits: Limits) -> None:
        if self._marker() != START or self._marker() != SIZE:
            raise Malformed("the JPEG 2000 picture does not begin as it must.")
        self._size(self._payload(), limits)
        seen = self._header(KEPT | {REGISTRATION}, TILE)
        if not {COD, QCD} <= {marker for marker, _ in seen}:
            raise Malformed("a table that every JPEG 2000 picture needs is missing.")
        done: dict[int, int] = {}
        while True:
            marker = self._marker()
            if marker == END:
                break
            if marker != TILE:
                raise Malformed("a marker of the JPEG 2000 picture stands where it does not belong.")
            self._tile_part(done)
        if len(done) != self.tiles:
            raise Malformed("a part of the picture is missing.")
        self.out.parts.append(b"\xff\xd9")
        self.out.end = self.at

    def _marker(self) -> int:
        if self.at + 2 > self.stop:
            raise Malformed("the JPEG 2000 picture ends in the middle.")
        (marker,) = struct.unpack_from(">H", self.data, self.at)
        self.at += 2
        return int(marker)

    def _payload(self) -> bytes:
        length = int.from_bytes(self.data[self.at : self.at + 2])
        begin, self.at = self.at + 2, self.at + length
        if length < 2 or self.at > self.stop:
            raise Malformed("a segment of the JPEG 2000 picture is cut short.")
        return self.data[begin : self.at]

    def _size(self, payload: bytes, limits: Limits) -> None:
        """A.5.1."""
        if len(payload) < 36 or len(payload) != 36 + 3 * int.from_bytes(payload[34:36]):
            raise Malformed("the header of the JPEG 2000 picture is damaged.")
        needs, x1, y1, x0, y0, wide, high, tile_x, tile_y, count = struct.unpack_from(">H8IH", payload)
        if not (x0 < x1 and y0 < y1 and tile_x <= x0 < tile_x + wide and tile_y <= y0 < tile_y + high):
            raise Malformed("the header of the JPEG 2000 picture is damaged.")
        out = self.out
        out.width, out.height, out.components = x1 - x0, y1 - y0, count
        if out.width * out.height > limits.pixels:
            raise TooLarge("the picture is larger than the policy allows.")
        self.tiles = -(-(x1 - tile_x) // wide) * -(-(y1 - tile_y) // high)
        depths, steps = set(payload[36::3]), payload[37::3] + payload[38::3]
        out.depth = min(depths) + 1 if depths else 0
        if needs & 0xC000 or not 1 <= count <= 4 or len(depths) != 1 or out.depth > 16 or set(steps) != {1}:
            raise Unsupported("this JPEG 2000 picture is coded in a way that is not handled.", todo=ADVICE)
        if self.tiles > 65535:
            raise Malformed("the header of the JPEG 2000 picture is damaged.")
        out.parts.append(memoryview(self.data)[self.at - len(payload) - 6 : self.at])

    def _header(self, allowed: frozenset[int], until: int) -> set[tuple[int, int]]:
        """Segments up to a marker, which is left for the next reader; the kinds (and components) that were seen."""
        seen: set[tuple[int, int]] = set()
        self.levels = set(self.levels)
        steps: set[int] = set()
        while (marker := self._marker()) != until:
            begin = self.at - 2
            if marker == COMMENT:
                self.out.comments.append(self._payload())
            elif marker in INDEX or (marker == REGISTRATION and marker in allowed):
                self._payload()
                self.out.others += 1
            elif marker in KEPT and marker in allowed:
                payload = self._payload()
                key = (marker, payload[0] if marker in (COC, QCC, RGN) and payload else 0)
                if key in seen or not self._fits(marker, payload, steps):
                    raise Malformed("a table of the JPEG 2000 picture is damaged.")
                seen.add(key)
                self.out.parts.append(memoryview(self.data)[begin : self.at])
            elif marker in KEPT:
                raise Malformed("a table of the JPEG 2000 picture stands where it does not belong.")
            else:
                raise Unsupported("this JPEG 2000 picture is coded in a way that is not handled.", todo=ADVICE)
        self.at -= 2
        if steps - {3 * n + 1 for n in self.levels}:
            raise Malformed("a table of the JPEG 2000 picture is damaged.")
        return seen

    def _fits(self, marker: int, payload: bytes, steps: set[int]) -> bool:
        if marker in (COC, QCC, RGN):
            if not payload or payload[0] >= self.out.components:
                return False
            payload = payload[1:]
        check: dict[int, Callable[[bytes], bool]] = {
            COD: lambda p: len(p) >= 5 and p[0] < 8 and p[1] < 5 and p[4] < 2 and self._style(p[0] & 1, p[5:]),
            COC: lambda p: len(p) >= 1 and p[0] < 2 and self._style(p[0], p[1:]),
            RGN: lambda p: len(p) == 2 and not p[0],
            POC: lambda p: len(p) > 0 and len(p) % (7 if self.out.components < 257 else 9) == 0,
        }
        return check[marker](payload) if marker in check else _quantisation(payload, steps)

    def _style(self, precincts: int, payload: bytes) -> bool:
        """A.6.1, tables A.15 to A.20."""
        if len(payload) < 5:
            return False
        levels, wide, high, style, transform = payload[:5]
        self.levels.add(levels)
        sizes = payload[5:]
        good = levels <= 32 and max(wide, high, wide + high) <= 8 and style < 64 and transform < 2
        return good and len(sizes) == (levels + 1 if precincts else 0)

    def _tile_part(self, done: dict[int, int]) -> None:
        """A.4.2; the lengths are made anew."""
        begin, payload = self.at - 2, self._payload()
        if len(payload) != 8:
            raise Malformed("a tile of the JPEG 2000 picture is damaged.")
        tile, size, number, count = struct.unpack(">HIBB", payload)
        end = begin + size if size else self.stop - 2
        if tile >= self.tiles or number != done.get(tile, 0) or (count and number >= count) or end > self.stop - 2:
            raise Malformed("a tile of the JPEG 2000 picture is damaged.")
        done[tile] = number + 1
        place = len(self.out.parts)
        self._header(KEPT if number == 0 else frozenset((POC,)), DATA)
        self.at += 2
        if self.at > end or _NO_PACKET.search(self.data, self.at, end) or self.data[end - 1 : end] == b"\xff":
            raise Malformed("a tile of the JPEG 2000 picture is damaged.")
        self.out.parts += [b"\xff\x93", memoryview(self.data)[self.at : end]]
        kept = 12 + sum(map(len, self.out.parts[place:]))
        self.out.parts.insert(place, struct.pack(">HHHIBB", TILE, 10, tile, kept, number, count))
        self.at = end


def _quantisation(payload: bytes, steps: set[int]) -> bool:
    """A.6.4, tables A.27 to A.30; the number of bands is held against the levels later."""
    style = payload[0] & 31 if payload else 3
    sizes = payload[1:]
    if style == 0:
        steps.add(len(sizes))
        return not any(s & 7 for s in sizes)
    if style == 2:
        steps.add(len(sizes) // 2)
        return len(sizes) % 2 == 0
    return style == 1 and len(sizes) == 2
