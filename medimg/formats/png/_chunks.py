"""PNG chunks: a strict walk, without an imaging library (PNG, third edition, W3C 2025; "PNG" below)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from medimg.errors import Malformed, TooLarge, Unsupported

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHUNKS = 1_000_000
"""More chunks than any encoder writes for 512 MiB (8 KiB IDATs would be 65 536)."""
BLOCK = 1 << 20

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples per pixel by colour type (PNG 11.2.1)."""
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column, first row, column step, row step of the seven passes (PNG 8.2)."""
ONCE = frozenset(
    (b"IHDR", b"PLTE", b"tRNS", b"IEND", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT", b"acTL", b"eXIf")
)
"""Chunks whose second appearance viewers resolve differently."""
NEEDED = frozenset((b"tRNS", b"acTL", b"fcTL", b"fdAT"))
"""Ancillary chunks whose loss would change what is shown or counted."""
DAMAGED = b"crc?"
"""Stands for the type of an ancillary chunk with a wrong checksum; no chunk can have it."""
GAMMA = (20_000, 106_000)
"""Exponents of light, in 100,000ths, that show no two neighbouring levels far apart (11.3.2.2): 100,000, linear light,
takes the two darkest 21 levels from each other, and a hundredth or ten would make black and white of them."""
TRIANGLE, LEAST_PART = (0.08, 0.5), 0.1
"""Area that primaries in use span in x and y (0.10 those of ITU-R BT.601, 0.28 ProPhoto, 0.5 CIE XYZ), and the least
share of it on either side of the white point: 0.2 there. Others would pull colours apart that hardly differ."""
BEFORE_PLTE = frozenset((b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT"))


class Chunk(NamedTuple):
    """One chunk: its type, where the whole of it starts, and where its payload starts and ends."""

    type: bytes
    begin: int
    start: int
    end: int

    def whole(self, data: bytes) -> bytes:
        """Length, type, payload and CRC as they stand."""
        return data[self.begin : self.end + 4]

    def payload(self, data: bytes) -> bytes:
        """The payload."""
        return data[self.start : self.end]


class Pass(NamedTuple):
    """A grid of pixels compressed as one picture: the whole, or one of the Adam7 passes."""

    x: int
    y: int
    dx: int
    dy: int
    width: int
    height: int
    row: int
    """Bytes of a row, without its filter byte."""


class Header(NamedTuple):
    """IHDR (PNG 11.2.1)."""

    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    @property
    def channels(self) -> int:
        """Samples per pixel."""
        return CHANNELS[self.colour]

    @property
    def stride(self) -> int:
        """Bytes between a byte and the one it is predicted from (PNG 9.2)."""
        return max(1, self.depth * self.channels // 8)

    def row(self, width: int) -> int:
        """Bytes of a row of ``width`` pixels."""
        return (width * self.depth * self.channels + 7) // 8

    def passes(self, width: int = 0, height: int = 0) -> list[Pass]:
        """The grids, in the order in which they are stored; empty ones left out."""
        w, h = width or self.width, height or self.height
        if not self.interlaced:
            return [Pass(0, 0, 1, 1, w, h, self.row(w))]
        out = []
        for x, y, dx, dy in ADAM7:
            across, down = (w - x + dx - 1) // dx, (h - y + dy - 1) // dy
            if across > 0 and down > 0:
                out.append(Pass(x, y, dx, dy, across, down, self.row(across)))
        return out

    def packed(self) -> bytes:
        """The payload of IHDR."""
        return struct.pack(">IIBBBBB", self.width, self.height, self.depth, self.colour, 0, 0, self.interlaced)


class Stream(NamedTuple):
    """What a zlib stream holds besides the rows of the picture."""

    surplus: bool
    """More data inside the stream after the last row."""
    trailing: int
    """Bytes after the end of the stream."""


def chunk(kind: bytes, payload: bytes) -> bytes:
    """One chunk, ready to be written."""
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(payload, zlib.crc32(kind)))


def assembled(head: Header, looks: bytes, colours: bytes, idat: bytes) -> bytes:
    """A PNG file of ready chunks."""
    return SIGNATURE + chunk(b"IHDR", head.packed()) + looks + colours + idat + chunk(b"IEND", b"")


def walk(data: bytes) -> tuple[list[Chunk], int]:
    """Every chunk up to IEND, and where IEND ends.

    Raises:
        Malformed: A length, a CRC, the order or the end is wrong.
        Unsupported: A critical chunk this reader does not know decides how the picture looks.
    """
    if data[:8] != SIGNATURE:
        raise Malformed("the PNG signature is damaged.")
    view, at = memoryview(data), 8
    out: list[Chunk] = []
    seen: set[bytes] = set()
    while True:
        kind, end = _next(view, at)
        _in_order(kind, seen, out[-1].type if out else b"")
        seen.add(kind)
        out.append(Chunk(kind, at, at + 8, end))
        empty, at = end == at + 8, end + 4
        if kind == b"IEND":
            if not empty:
                raise Malformed("the last PNG chunk is not empty.")
            if b"IDAT" not in seen:
                raise Malformed("the PNG file holds no picture.")
            return out, at
        if len(out) > CHUNKS:
            raise TooLarge("the PNG file is cut into too many pieces.")


def _next(view: memoryview, at: int) -> tuple[bytes, int]:
    """Type of the chunk at ``at``, and where its checksum stands."""
    if at + 12 > len(view):
        raise Malformed("the PNG file ends in the middle.")
    length, kind = int.from_bytes(view[at : at + 4], "big"), bytes(view[at + 4 : at + 8])
    end = at + 8 + length
    if length > 0x7FFFFFFF or end + 4 > len(view):
        raise Malformed("a PNG chunk claims to be longer than the file.")
    if not kind.isalpha():
        raise Malformed("a PNG chunk has no valid type.")
    if zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
        if kind[0] < 0x60 or kind in NEEDED:
            raise Malformed("a PNG chunk does not fit its checksum.")
        kind = DAMAGED  # libpng and browsers pass over it, whatever it said
    return kind, end


def _in_order(kind: bytes, seen: set[bytes], before: bytes) -> None:
    """Chunk ordering rules (PNG 5.6) where breaking them makes viewers differ."""
    if kind == b"CgBI":
        raise Unsupported("this is Apple's private variant of PNG, which is not cleaned.")
    if (kind == b"IHDR") != (not seen):
        raise Malformed("the PNG header is not where it belongs.")
    if kind in ONCE and kind in seen:
        raise Malformed("a PNG chunk that may stand only once appears twice.")
    if kind == b"IDAT" and kind in seen and before != b"IDAT":
        raise Malformed("the picture data of the PNG file is torn apart.")
    if kind in (b"PLTE", b"tRNS", b"acTL") and b"IDAT" in seen:
        raise Malformed("a PNG chunk comes too late.")
    if kind == b"PLTE" and b"tRNS" in seen:
        raise Malformed("a PNG chunk comes too late.")
    if kind in BEFORE_PLTE and (b"IDAT" in seen or b"PLTE" in seen):
        raise Malformed("a PNG chunk comes too late.")
    if kind[0] < 0x60 and kind not in (b"IHDR", b"PLTE", b"IDAT", b"IEND"):
        raise Unsupported("this PNG file needs an extension that is not handled.")


def header(payload: bytes, pixels: int) -> Header:
    """IHDR, checked.

    Raises:
        Malformed: A field is out of range.
        TooLarge: More than ``pixels`` pixels.
    """
    if len(payload) != 13:
        raise Malformed("the PNG header is damaged.")
    width, height, depth, colour, method, filters, lace = struct.unpack(">IIBBBBB", payload)
    if depth not in DEPTHS.get(colour, ()) or method or filters or lace > 1:
        raise Malformed("the PNG header is damaged.")
    if not 0 < width <= 0x7FFFFFFF or not 0 < height <= 0x7FFFFFFF:
        raise Malformed("the PNG header is damaged.")
    if width * height > pixels:
        raise TooLarge("the picture is larger than the policy allows.")
    return Header(width, height, depth, colour, bool(lace))


def appearance(kind: bytes, payload: bytes, head: Header) -> bool:
    """Whether a chunk says how the picture looks, with values that can mean that (PNG 11.3.2)."""
    match kind, len(payload):
        case b"gAMA", 4:
            return GAMMA[0] <= int.from_bytes(payload, "big") <= GAMMA[1]
        case b"cHRM", 32:
            return _triangle(*(v / 100_000 for v in struct.unpack(">8I", payload)))
        case b"sRGB", 1:
            return payload[0] <= 3
        case b"cICP", 4:
            return payload[0] <= 22 and payload[1] <= 18 and payload[2] == 0 and payload[3] <= 1
        case b"sBIT", length:
            most = 8 if head.colour == 3 else head.depth
            return length == (3 if head.colour == 3 else head.channels) and all(1 <= v <= most for v in payload)
    return False


def _triangle(wx: float, wy: float, rx: float, ry: float, gx: float, gy: float, bx: float, by: float) -> bool:
    """Whether three primaries span a triangle as large as those in use, with the white point inside it."""

    def twice(ax: float, ay: float, cx: float, cy: float, dx: float, dy: float) -> float:
        return (cx - ax) * (dy - ay) - (dx - ax) * (cy - ay)

    whole = twice(rx, ry, gx, gy, bx, by)
    parts = (twice(wx, wy, rx, ry, gx, gy), twice(wx, wy, gx, gy, bx, by), twice(wx, wy, bx, by, rx, ry))
    return TRIANGLE[0] <= whole / 2 <= TRIANGLE[1] and all(part >= LEAST_PART * whole for part in parts)


class Inflation:
    """The contents of a zlib stream in blocks, at most ``most`` bytes and one; ``trailing`` counts what follows it."""

    def __init__(self, parts: Iterable[memoryview | bytes], most: int) -> None:
        self._parts, self._most = parts, most
        self.produced = 0
        self.trailing = 0

    def __iter__(self) -> Iterator[bytes]:
        """Blocks of at most :data:`BLOCK` bytes.

        Raises:
            Malformed: The stream is damaged or ends in the middle.
        """
        inflater = zlib.decompressobj()
        for part in self._parts:
            if inflater.eof:
                self.trailing += len(part)
                continue
            pending: memoryview | bytes = part
            while not inflater.eof:
                room = min(BLOCK, self._most + 1 - self.produced)
                if room <= 0:
                    return
                try:
                    out = inflater.decompress(pending, room)
                except zlib.error as error:
                    raise Malformed("the compressed picture data is damaged.") from error
                pending = inflater.unconsumed_tail
                self.produced += len(out)
                if out:
                    yield out
                if not pending and len(out) < room:
                    break
            self.trailing += len(inflater.unused_data)
        if not inflater.eof:
            raise Malformed("the compressed picture data ends in the middle.")


def check_stream(parts: Iterable[memoryview | bytes], grids: Sequence[Pass]) -> Stream:
    """Inflate a picture without keeping it: enough rows, valid filter types, and what else is in there.

    Raises:
        Malformed: Rows are missing, a filter type is unknown, or the stream is damaged.
    """
    spans, start = [], 0
    for grid in grids:
        spans.append((start, start + grid.height * (grid.row + 1), grid.row + 1))
        start = spans[-1][1]
    total, produced = start, 0
    blocks = Inflation(parts, total)
    for out in blocks:
        for first, end, step in spans:
            low, high = max(first, produced), min(end, produced + len(out))
            if low < high:
                offset = low + (first - low) % step
                if offset < high and max(out[offset - produced : high - produced : step]) > 4:
                    raise Malformed("the picture data uses a filter that does not exist.")
        produced += len(out)
    if produced < total:
        raise Malformed("the picture data is shorter than the header says.")
    return Stream(produced > total, blocks.trailing)


def parts(data: bytes, idat: Sequence[Chunk]) -> Iterator[memoryview]:
    """Payloads of the picture chunks."""
    view = memoryview(data)
    for c in idat:
        yield view[c.start : c.end]
