"""Independent walk of a JPEG copy: the coded picture, the tables it uses, a colour profile, an orientation; no more.

Every symbol of the picture is read; a copy has Huffman codes.
"""

from __future__ import annotations

import ctypes
import math
import struct
from collections.abc import Callable
from typing import NamedTuple

from medimg.audit import _jpeg_tables as _tables
from medimg.audit import icc, scans
from medimg.errors import Malformed

END, SCAN, QUANTISATION, HUFFMAN, RESTART = 0xD9, 0xDA, 0xDB, 0xC4, 0xDD
FRAMES = (0xC0, 0xC1, 0xC2)
MULTIPLE_PASSES = 0xC2
LARGEST = 1 << 28
"""Pixels; no picture within the limits of a policy has more."""

STRUCTURE = (QUANTISATION, HUFFMAN, RESTART, *FRAMES)
"""Segments that make the picture (ITU-T T.81, B.2.4); each has to be used by a scan."""
TURN = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0%c\0\0\0\0\0\0"
TURNS = frozenset(TURN % k for k in range(2, 9))
TRANSFORMS = frozenset(b"Adobe\0\x64\0\0\0\0%c" % k for k in range(3))


def _plain_jfif(payload: bytes) -> bool:
    """Version 1.01, no unit, no thumbnail, and a pixel's shape in smallest numbers."""
    if len(payload) != 14 or payload[:8] != b"JFIF\0\1\1\0" or payload[12:] != b"\0\0":
        return False
    across, down = struct.unpack(">HH", payload[8:12])
    return math.gcd(across, down) == 1


APPLICATIONS: dict[int, Callable[[bytes], bool]] = {
    0xE0: _plain_jfif,  # JFIF 1.02, page 5
    0xE1: TURNS.__contains__,  # Exif 3.0, 4.7.2: one entry, Orientation
    0xEE: TRANSFORMS.__contains__,  # Adobe Technical Note 5116, section 18: which colours the components are
}
"""What may be said besides, once and before the first scan; the parts of a colour profile (ICC.1, B.4) are apart."""


def walk(data: bytes) -> list[str]:
    """Paths of everything that is not allow-listed; see :mod:`medimg.audit`."""
    return _Reader(data).read()


class _Component(NamedTuple):
    """Sampling factors, slot of its quantisation table, columns and rows of blocks that hold some of the picture."""

    h: int
    v: int
    slot: int
    columns: int
    rows: int
    stride: int
    seen: ctypes.Array[ctypes.c_uint64]


class _Reader:
    """One pass; ``defined`` holds the tables that are in effect, ``said`` every table with what is used of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.strays: list[str] = []
        self.defined: dict[tuple[int, int], _tables.Table] = {}
        self.said: list[_tables.Table] = []
        self.chunks: list[bytes] = []
        self.once: set[int] = set()
        self.sof = self.scans = self.interval = 0
        self.units = 0, 0
        self.components: dict[int, _Component] = {}

    def read(self) -> list[str]:
        if self.data[:2] != b"\xff\xd8":
            raise Malformed("the copy does not begin like a JPEG.")
        at = 2
        while self.data[at : at + 2] != b"\xff\xd9":
            flag, marker, length = struct.unpack_from(">BBH", self.data, at)
            payload = self.data[at + 4 : at + 2 + length]
            if flag != 0xFF or len(payload) != length - 2:
                raise Malformed("the copy could not be followed to its end.")
            at += 2 + length
            if marker == SCAN:
                at = self._scan(payload, at)
            else:
                self._segment(marker, payload)
        if at + 2 != len(self.data):
            self.strays.append("after EOI")
        if not self.scans:
            raise Malformed("the copy holds no picture.")
        for table in self.said:
            self.strays += ["unused table"] * (not table.used) + ["table"] * (not table.plain)
        self._profile()
        return self.strays

    def _segment(self, marker: int, payload: bytes) -> None:
        if marker in STRUCTURE:
            self._structure(marker, payload)
        elif 0xE0 <= marker <= 0xEF or marker == 0xFE:
            self._application(marker, payload)
        else:
            raise Malformed("the copy has a segment of an unknown kind.")

    def _structure(self, marker: int, payload: bytes) -> None:
        if marker in (QUANTISATION, HUFFMAN):
            self._tables(marker, payload)
        elif marker in FRAMES:
            self._frame(marker, payload)
        elif len(payload) == 2:
            self._define(RESTART, 0, b"")
            self.interval = int.from_bytes(payload)
        else:
            raise Malformed("the copy has a segment of an unknown kind.")

    def _application(self, marker: int, payload: bytes) -> None:
        name = "COM" if marker == 0xFE else f"APP{marker - 0xE0}"
        first = marker not in self.once and not self.scans
        self.once.add(marker)
        if marker == 0xE2 and payload[:12] == b"ICC_PROFILE\0" and not self.scans:
            self.chunks.append(payload[12:])
        elif not first or marker not in APPLICATIONS or not APPLICATIONS[marker](payload):
            self.strays.append(name)

    def _profile(self) -> None:
        count = len(self.chunks)
        if not count:
            return
        numbered = all(c[:2] == bytes((k, count)) for k, c in enumerate(self.chunks, 1))
        if not numbered or icc.strays(b"".join(c[2:] for c in self.chunks)):
            self.strays.append("APP2/ICC")

    # -- structure ----------------------------------------------------------------------------------------------------

    def _define(self, marker: int, slot: int, content: bytes) -> None:
        self.defined[marker, slot] = table = _tables.Table(marker, content)
        self.said.append(table)

    def _use(self, marker: int, slot: int) -> _tables.Table:
        if (marker, slot) not in self.defined:
            raise Malformed("a table of the copy is missing.")
        table = self.defined[marker, slot]
        table.used = True
        return table

    def _tables(self, marker: int, payload: bytes) -> None:
        if not payload:
            self.strays.append("empty table")
        while payload:
            head = payload[0]
            if marker == QUANTISATION:
                size = {0: 65, 1: 129}.get(head >> 4, 0)
            else:
                symbols = payload[17 : 17 + sum(payload[1:17])]
                size = 17 + len(symbols) if head >> 4 < 2 and sum(payload[1:17]) == len(symbols) else 0
                codes = sum(n << 16 >> k for k, n in enumerate(payload[1:17], 1))
                if len(set(symbols)) != len(symbols) or codes > 1 << 16:
                    self.strays.append("table")
            if not size or size > len(payload) or head & 15 > 3:
                raise Malformed("a table of the copy is damaged.")
            self._define(marker, head if marker == HUFFMAN else head & 15, payload[1:size])
            payload = payload[size:]

    def _frame(self, marker: int, payload: bytes) -> None:
        _, height, width, count = struct.unpack_from(">BHHB", payload)
        rows = [payload[k : k + 3] for k in range(6, len(payload), 3)]
        if self.sof or payload[0] != 8 or len(payload) != 6 + 3 * count or count not in (1, 3, 4):
            raise Malformed("the frame of the copy is damaged.")
        factors = [(r[1] >> 4, r[1] & 15) if count > 1 else (1, 1) for r in rows]
        if not (height and width and all(1 <= h <= 4 and 1 <= v <= 4 for h, v in factors)):
            raise Malformed("the frame of the copy is damaged.")
        self.sof = marker
        if height * width > LARGEST:
            raise Malformed("the copy is larger than any picture.")
        most = max(h for h, _ in factors), max(v for _, v in factors)
        self.units = -(-width // (8 * most[0])), -(-height // (8 * most[1]))
        for row, (h, v) in zip(rows, factors, strict=True):
            columns, down = -(-width * h // (8 * most[0])), -(-height * v // (8 * most[1]))  # A.1.1
            stride, blocks = self.units[0] * h, self.units[0] * h * self.units[1] * v
            seen = (ctypes.c_uint64 * (blocks if marker == MULTIPLE_PASSES else 0))()
            self.components[row[0]] = _Component(h, v, row[2], columns, down, stride, seen)

    def _scan(self, payload: bytes, at: int) -> int:
        count = payload[0]
        if not self.sof or len(payload) != 4 + 2 * count or not 1 <= count <= 4:
            raise Malformed("a scan of the copy is damaged.")
        self.scans += 1
        (begin, last, bits), passes = payload[-3:], self.sof == MULTIPLE_PASSES
        if not passes and payload[-3:] != b"\0\x3f\0":
            self.strays.append("SOS")
            begin, last, bits = 0, 63, 0  # as decoders take it
        parts, steps = [], []
        tables: dict[int, _tables.Table] = {}
        for k in range(count):
            name, slots = payload[1 + 2 * k], payload[2 + 2 * k]
            c = self.components[name]
            steps.append(self._use(QUANTISATION, c.slot))
            dc, ac = slots >> 4, 4 + (slots & 15)
            if not (begin or bits >> 4):
                tables[dc] = self._use(HUFFMAN, dc)
            if last:
                tables[ac] = self._use(HUFFMAN, 12 + ac)
            h, v = (1, 1) if count == 1 else (c.h, c.v)
            parts.append(scans.Part(h, v, c.stride, c.columns, c.rows, dc, ac, ctypes.addressof(c.seen)))
        if (RESTART, 0) in self.defined:
            self._use(RESTART, 0)
        units = (parts[0].columns, parts[0].rows) if count == 1 else self.units
        read = scans.jpeg(
            self.data, at, parts, {slot: t.content for slot, t in tables.items()}, units, self.interval,
            progressive=passes, band=(begin, last), refines=bool(bits >> 4),
        )  # fmt: skip
        self.strays += ["SOS/more than the picture"] * read.loose + ["SOS/past the edge"] * read.past
        for slot, table in tables.items():
            table.met |= read.met[slot]
        for table, nonzero in zip(steps, read.nonzero, strict=True):
            table.nonzero |= nonzero
        return read.end
