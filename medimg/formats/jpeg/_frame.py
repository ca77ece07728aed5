"""Frame, scan and table segments of a JPEG (ITU-T T.81, B.2), each read to its last byte."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from medimg.errors import Malformed, Unsupported

DQT, DHT = 0xDB, 0xC4
PROGRESSIVE, ARITHMETIC = (0xC2, 0xCA), (0xC9, 0xCA)
HANDLED = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
MAX_BLOCKS_IN_MCU = 10
"""T.81, B.2.3."""
LAST = 63


@dataclass(frozen=True, slots=True)
class Component:
    """Id, sampling factors and slot of the quantisation table."""

    id: int
    h: int
    v: int
    tq: int


@dataclass(frozen=True)
class Frame:
    """The frame header; ``width`` and ``height`` in pixels."""

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


@dataclass(frozen=True)
class ScanHeader:
    """Components (index, DC slot, AC slot), the band of coefficients, and the bit positions."""

    parts: tuple[tuple[int, int, int], ...]
    ss: int
    se: int
    ah: int
    al: int

    def tables(self, header: Frame) -> list[tuple[int, int]]:
        """(DHT, slot) of the tables it needs; slots 0 to 3 are DC, 16 to 19 AC."""
        if header.arithmetic:
            return []
        dc = self.ss == 0 and self.ah == 0
        ac = self.se > 0
        return [(DHT, p[1]) for p in self.parts if dc] + [(DHT, 16 + p[2]) for p in self.parts if ac]

    def size(self, header: Frame) -> tuple[int, int]:
        """How many MCUs and how many blocks it codes (T.81, A.1.1 and A.2)."""
        every = header.components
        across, down = max(c.h for c in every), max(c.v for c in every)
        if len(self.parts) == 1:
            c = every[self.parts[0][0]]
            columns, rows = -(-header.width * c.h // across), -(-header.height * c.v // down)
            units = -(-columns // 8) * -(-rows // 8)
            return units, units
        units = -(-header.width // (8 * across)) * -(-header.height // (8 * down))
        return units, units * sum(every[n].h * every[n].v for n, _, _ in self.parts)


def frame(marker: int, payload: bytes) -> Frame:
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
    return Frame(marker, width, height, parts)


def scan(payload: bytes, header: Frame) -> ScanHeader:
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
    if count > 1 and sum(header.components[n].h * header.components[n].v for n in order) > MAX_BLOCKS_IN_MCU:
        raise bad
    ss, se, bits = payload[-3:]
    return ScanHeader(tuple(parts), ss, se, bits >> 4, bits & 15)


class Progress:
    """Which bits of which coefficients have come; each must come once and in order (T.81, G.1.1.1)."""

    def __init__(self, header: Frame) -> None:
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
    """(slot, from, to) of each table in a DHT segment; slots 0 to 3 are DC, 16 to 19 AC.

    Raises:
        Malformed: A table is cut short, has more codes than there can be, or bytes follow it.
    """
    out, at = [], 0
    while at < len(payload):
        slot, counts = payload[at], payload[at + 1 : at + 17]
        end = at + 17 + sum(counts)
        symbols = payload[at + 17 : end]
        codes = sum(n << (15 - k) for k, n in enumerate(counts))
        if slot & 15 > 3 or slot >> 4 > 1 or end > len(payload) or len(counts) < 16:
            raise Malformed("a Huffman table of the JPEG is damaged.")
        if codes > 1 << 16 or len(set(symbols)) != len(symbols) or (slot < 16 and max(symbols, default=0) > 15):
            raise Malformed("a Huffman table of the JPEG is damaged.")
        out.append((slot, at, end))
        at = end
    return out


def quantisation_tables(payload: bytes) -> list[tuple[int, int, int]]:
    """(slot, from, to) of each table in a DQT segment.

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
