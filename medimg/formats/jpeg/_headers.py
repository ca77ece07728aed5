"""Frame, scan and table segments of a JPEG (ITU-T T.81, B.2), each read to its last byte."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property

from medimg.errors import Malformed, Unsupported
from medimg.formats.jpeg.tables import is_valid

PROGRESSIVE, ARITHMETIC = (0xC2, 0xCA), (0xC9, 0xCA)
HANDLED = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
MAX_BLOCKS_IN_MCU = 10
"""T.81, B.2.3."""
LAST = 63
AC = 4
"""First slot of the AC tables; the slots before it are the DC tables'."""
MAX_DC_SYMBOL = 15


@dataclass(frozen=True, slots=True)
class Component:
    """Id, sampling factors and slot of the quantisation table."""

    id: int
    h: int
    v: int
    tq: int


@dataclass(frozen=True)
class FrameHeader:
    """The frame header.

    ``width`` and ``height``, ``mcu_width`` and ``mcu_height`` are in pixels; ``mcus_x`` and ``mcus_y`` count the MCUs
    of an interleaved scan. A picture of one component has MCUs of one block whatever its sampling factors say (A.2.2).
    """

    sof: int
    width: int
    height: int
    components: tuple[Component, ...]

    @property
    def progressive(self) -> bool:
        """Whether it is coded in several passes."""
        return self.sof in PROGRESSIVE

    @property
    def arithmetic(self) -> bool:
        """Whether it is coded arithmetically."""
        return self.sof in ARITHMETIC

    @cached_property
    def hmax(self) -> int:
        """Largest horizontal sampling factor."""
        return max(c.h for c in self.components)

    @cached_property
    def vmax(self) -> int:
        """Largest vertical sampling factor."""
        return max(c.v for c in self.components)

    @property
    def mcu_width(self) -> int:
        """Pixels across."""
        return 8 * self.hmax

    @property
    def mcu_height(self) -> int:
        """Pixels down."""
        return 8 * self.vmax

    @property
    def mcus_x(self) -> int:
        """MCUs across."""
        return -(-self.width // self.mcu_width)

    @property
    def mcus_y(self) -> int:
        """MCUs down."""
        return -(-self.height // self.mcu_height)

    def shown(self, c: Component) -> tuple[int, int]:
        """Columns and rows of blocks of a component that hold some of the picture (A.1.1, A.2.2)."""
        width = -(-self.width * c.h // self.hmax)
        height = -(-self.height * c.v // self.vmax)
        return -(-width // 8), -(-height // 8)

    @property
    def subsampled(self) -> bool:
        """Whether a component has fewer samples than another."""
        return len({(c.h, c.v) for c in self.components}) > 1


@dataclass(frozen=True)
class ScanHeader:
    """Components (index, DC slot, AC slot), the band of coefficients, and the bit positions."""

    parts: tuple[tuple[int, int, int], ...]
    ss: int
    se: int
    ah: int
    al: int

    def tables(self, header: FrameHeader) -> list[int]:
        """Slots of the Huffman tables it needs: 0 to 3 DC, 4 to 7 AC."""
        if header.arithmetic:
            return []
        dc = self.ss == 0 and self.ah == 0
        ac = self.se > 0
        return [p[1] for p in self.parts if dc] + [AC + p[2] for p in self.parts if ac]

    def mcus(self, header: FrameHeader) -> tuple[int, int]:
        """MCUs across and down; those of a scan of one component are its blocks (T.81, A.2)."""
        if len(self.parts) == 1:
            return header.shown(header.components[self.parts[0][0]])
        return header.mcus_x, header.mcus_y

    def blocks_in_mcu(self, header: FrameHeader) -> int:
        """Blocks of an MCU."""
        if len(self.parts) == 1:
            return 1
        return sum(header.components[n].h * header.components[n].v for n, _, _ in self.parts)


def frame(marker: int, payload: bytes) -> FrameHeader:
    """Read a frame header.

    Raises:
        Unsupported: Lossless, hierarchical, not 8 bits, two components, or no height.
        Malformed: It does not make sense.
    """
    if marker not in HANDLED:
        raise Unsupported("this is a lossless or hierarchical JPEG.")
    if len(payload) < 6:
        raise Malformed("the header of the JPEG is damaged.")
    bits, height, width, count = struct.unpack_from(">BHHB", payload)
    if len(payload) != 6 + 3 * count or not width:
        raise Malformed("the header of the JPEG is damaged.")
    if bits != 8:
        raise Unsupported("this JPEG does not have 8 bits a sample.")
    if not height:
        raise Unsupported("the JPEG gives its height after its picture.")
    if count not in (1, 3, 4):
        raise Unsupported("this JPEG has an unusual number of colour components.", todo="Save it as RGB first.")
    rows = [payload[6 + 3 * k : 9 + 3 * k] for k in range(count)]
    parts = tuple(Component(r[0], r[1] >> 4, r[1] & 15, r[2]) for r in rows)
    if any(not (1 <= c.h <= 4 and 1 <= c.v <= 4 and c.tq < 4) for c in parts) or len({c.id for c in parts}) != count:
        raise Malformed("the header of the JPEG is damaged.")
    if count == 1:
        parts = (Component(parts[0].id, 1, 1, parts[0].tq),)
    return FrameHeader(marker, width, height, parts)


def scan(payload: bytes, header: FrameHeader) -> ScanHeader:
    """Read a scan header.

    Raises:
        Malformed: It does not make sense.
    """
    bad = Malformed("a scan header of the JPEG is damaged.")
    count = payload[0] if payload else 0
    if not 1 <= count <= 4 or len(payload) != 4 + 2 * count:
        raise bad
    ids = [c.id for c in header.components]
    parts = []
    for k in range(count):
        name, slots = payload[1 + 2 * k : 3 + 2 * k]
        if name not in ids or slots >> 4 > 3 or slots & 15 > 3:
            raise bad
        parts.append((ids.index(name), slots >> 4, slots & 15))
    order = [p[0] for p in parts]
    if order != sorted(set(order)):
        raise bad
    ss, se, bits = payload[-3:]
    read = ScanHeader(tuple(parts), ss, se, bits >> 4, bits & 15)
    if read.blocks_in_mcu(header) > MAX_BLOCKS_IN_MCU:
        raise bad
    return read


class Progress:
    """Which bits of which coefficients have come; each must come once and in order (T.81, G.1.1.1)."""

    def __init__(self, header: FrameHeader) -> None:
        self._progressive = header.progressive
        self._known: list[list[int | None]] = [[None] * 64 for _ in header.components]

    def add(self, read: ScanHeader) -> None:
        """Note a scan.

        Raises:
            Malformed: It brings what is there already, or what cannot come yet.
        """
        ss, se, ah, al = read.ss, read.se, read.ah, read.al
        if self._progressive:
            fits = (ss == se == 0 or (0 < ss <= se <= LAST and len(read.parts) == 1)) and al <= 13
        else:
            fits = (ss, se, ah, al) == (0, LAST, 0, 0)
        for n, _, _ in read.parts:
            bits = self._known[n]
            fits = fits and not (ss and bits[0] is None)
            for k in range(ss, se + 1) if fits else ():
                fits = fits and (bits[k] is None if ah == 0 else bits[k] == ah == al + 1)
                bits[k] = al
        if not fits:
            raise Malformed("the scans of the JPEG are out of order.")

    def finish(self) -> None:
        """Every coefficient must have come to its last bit.

        Raises:
            Malformed: Something is missing; decoders make up for it each in their own way.
        """
        if any(bit is None or bit for bits in self._known for bit in bits):
            raise Malformed("a part of the picture is missing.")


def huffman_tables(payload: bytes) -> list[tuple[int, int, int]]:
    """(slot, from, to) of each table in a DHT segment, the byte that names it included; slots 0 to 3 are DC, 4 to 7 AC.

    Raises:
        Malformed: A table is cut short, has more codes than there can be, or bytes follow it.
    """
    out, at = [], 0
    while at < len(payload):
        kind, slot, counts = payload[at] >> 4, payload[at] & 15, payload[at + 1 : at + 17]
        end = at + 17 + sum(counts)
        table = payload[at + 1 : end]
        if kind > 1 or slot > 3 or not is_valid(table) or (kind == 0 and max(table[16:], default=0) > MAX_DC_SYMBOL):
            raise Malformed("a Huffman table of the JPEG is damaged.")
        out.append((AC * kind + slot, at, end))
        at = end
    return out


def quantisation_tables(payload: bytes) -> list[tuple[int, int, int]]:
    """(slot, from, to) of each table in a DQT segment, the byte that names it included.

    Raises:
        Malformed: A table is cut short or holds a zero, or bytes follow it.
    """
    out, at = [], 0
    while at < len(payload):
        wide, slot = payload[at] >> 4, payload[at] & 15
        end = at + 1 + (128 if wide else 64)
        if wide > 1 or slot > 3 or end > len(payload):
            raise Malformed("a quantisation table of the JPEG is damaged.")
        steps = struct.unpack(">64H" if wide else "64B", payload[at + 1 : end])
        if 0 in steps:
            raise Malformed("a quantisation table of the JPEG is damaged.")
        out.append((slot, at, end))
        at = end
    return out
