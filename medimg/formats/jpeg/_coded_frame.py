"""Segments and headers of a JPEG (ITU-T T.81, Annex B), read strictly. No imaging library."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from medimg.errors import CheckNotRun, Malformed
from medimg.formats.jpeg._tables import Table, is_valid

SOI, EOI, SOS, DQT, DHT, DAC, DRI, DNL = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xCC, 0xDD, 0xDC
APP0, APP14 = 0xE0, 0xEE
FRAMES = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive", 0xC9: "arithmetic", 0xCA: "arithmetic progressive"}
MAX_PIXELS = 1 << 28
MAX_BLOCKS_IN_MCU = 10
"""T.81, B.2.3."""

ADVICE = Malformed.todo_default


def refuse(what: str, todo: str = ADVICE) -> CheckNotRun:
    """The error for a JPEG that cannot be covered without loss."""
    return CheckNotRun(f"this JPEG cannot be covered without loss: {what}", todo=todo)


@dataclass(frozen=True)
class Component:
    """One component of the frame: its id, sampling factors and quantisation table slot."""

    id: int
    h: int
    v: int
    tq: int


@dataclass(frozen=True)
class Frame:
    """The frame header.

    ``mcu_width`` and ``mcu_height`` are in pixels, ``mcus_x`` and ``mcus_y`` count the MCUs of an interleaved scan.
    A picture of one component has MCUs of one block whatever its sampling factors say (A.2.2).
    """

    sof: int
    width: int
    height: int
    components: tuple[Component, ...]

    @property
    def progressive(self) -> bool:
        """Whether there is more than one scan to a coefficient."""
        return self.sof in (0xC2, 0xCA)

    @property
    def arithmetic(self) -> bool:
        """Whether it is coded arithmetically."""
        return self.sof in (0xC9, 0xCA)

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


def frame(marker: int, payload: bytes) -> Frame:
    """Read a frame header.

    Raises:
        CheckNotRun: It is of a kind that is not handled, or does not make sense.
    """
    if marker not in FRAMES:
        raise refuse("it is a lossless or hierarchical JPEG.", "Save the photo as a normal JPEG or PNG first.")
    if len(payload) < 6:
        raise refuse("its header is damaged.")
    precision, height, width, count = struct.unpack(">BHHB", payload[:6])
    if precision != 8:
        raise refuse(f"it has {precision} bits a sample.", "Save the photo as a normal 8-bit JPEG or as PNG first.")
    if len(payload) != 6 + 3 * count:
        raise refuse("its header is damaged.")
    if not height or not width:
        raise refuse("its header does not give its size.")
    if width * height > MAX_PIXELS:
        raise refuse("it claims too many pixels.")
    if count not in (1, 3, 4):
        raise refuse(f"it has {count} colour components.")
    rows = [payload[6 + 3 * k : 9 + 3 * k] for k in range(count)]
    parts = tuple(Component(r[0], r[1] >> 4, r[1] & 15, r[2]) for r in rows)
    if any(not (1 <= c.h <= 4 and 1 <= c.v <= 4 and c.tq < 4) for c in parts) or len({c.id for c in parts}) != count:
        raise refuse("its header is damaged.")
    if count == 1:
        parts = (Component(parts[0].id, 1, 1, parts[0].tq),)
    return Frame(marker, width, height, parts)


@dataclass(frozen=True)
class ScanHeader:
    """A scan header: components by index with their DC and AC table slots, the band, and the bit positions."""

    parts: tuple[tuple[int, int, int], ...]
    ss: int
    se: int
    ah: int
    al: int


def scan_header(payload: bytes, components: Sequence[Component]) -> ScanHeader:
    """Read a scan header.

    Raises:
        CheckNotRun: It does not make sense.
    """
    count = payload[0] if payload else 0
    if not 1 <= count <= 4 or len(payload) != 4 + 2 * count:
        raise refuse("a scan header is damaged.")
    ids = [c.id for c in components]
    parts = []
    for k in range(count):
        name, slots = payload[1 + 2 * k : 3 + 2 * k]
        if name not in ids or slots >> 4 > 3 or slots & 15 > 3:
            raise refuse("a scan header is damaged.")
        parts.append((ids.index(name), slots >> 4, slots & 15))
    order = [p[0] for p in parts]
    if order != sorted(set(order)):
        raise refuse("a scan header is damaged.")
    if count > 1 and sum(components[n].h * components[n].v for n in order) > MAX_BLOCKS_IN_MCU:
        raise refuse("a scan header is damaged.")
    ss, se, bits = payload[-3:]
    return ScanHeader(tuple(parts), ss, se, bits >> 4, bits & 15)


def segment(data: bytes, at: int) -> tuple[int, bytes, int]:
    """The segment that begins at ``at``: marker, payload, where it ends. SOI and EOI have no payload.

    Raises:
        CheckNotRun: There is none, or it is cut short.
    """
    if at >= len(data) or data[at] != 0xFF:
        raise refuse("it is cut short or damaged." if at >= len(data) else "there are data between its segments.")
    while at + 1 < len(data) and data[at + 1] == 0xFF:  # fill bytes, B.1.1.2
        at += 1
    if at + 2 > len(data):
        raise refuse("it is cut short or damaged.")
    marker = data[at + 1]
    if marker in (SOI, EOI):
        return marker, b"", at + 2
    length = int.from_bytes(data[at + 2 : at + 4])
    if marker < 0xC0 or 0xD0 <= marker <= 0xD7 or length < 2 or at + 2 + length > len(data):
        raise refuse("it is cut short or damaged.")
    return marker, data[at + 4 : at + 2 + length], at + 2 + length


def put(marker: int, payload: bytes) -> bytes:
    """A segment as it stands in a file."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def huffman_tables(payload: bytes) -> dict[int, Table]:
    """Slot (0 to 3 DC, 4 to 7 AC) -> table, of a DHT segment.

    Raises:
        CheckNotRun: A table is damaged.
    """
    out: dict[int, Table] = {}
    at = 0
    while at < len(payload):
        kind, slot = payload[at] >> 4, payload[at] & 15
        size = 16 + sum(payload[at + 1 : at + 17])
        table = payload[at + 1 : at + 1 + size]
        if kind > 1 or slot > 3 or not is_valid(table):
            raise refuse("a Huffman table is damaged.")
        out[4 * kind + slot] = table
        at += 1 + size
    return out


def first_steps(payload: bytes) -> dict[int, int]:
    """Slot -> quantisation step of the DC coefficient, of a DQT segment.

    Raises:
        CheckNotRun: A table is damaged.
    """
    out = {}
    at = 0
    while at < len(payload):
        wide, slot = payload[at] >> 4, payload[at] & 15
        width = 2 if wide else 1
        table = payload[at + 1 : at + 1 + 64 * width]
        steps = [int.from_bytes(table[k : k + width]) for k in range(0, len(table), width)]
        if wide > 1 or slot > 3 or len(table) != 64 * width or 0 in steps:
            raise refuse("a quantisation table is damaged.")
        out[slot] = steps[0]
        at += 1 + 64 * width
    return out
