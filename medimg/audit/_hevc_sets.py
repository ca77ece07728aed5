"""The parameter sets of an HEVC picture in a copy, field by field (ITU-T H.265, 7.3.2): what one picture needs."""

from __future__ import annotations

import struct
from typing import NamedTuple

from medimg.audit._coded_units import PPS, SPS, VPS, parameter_sets
from medimg.audit._head_bits import Head

CUT = 16
"""Fewer pixels than this may be cut off inside a coded picture, in each direction."""
SMALL, OFFSET, FILTER = range(17), range(25), range(13)
"""Logarithms and counts; offsets of -12 to 12 and of -6 to 6, as the codes of signed numbers (9.2.2)."""
POINTS = (range(23), range(19), range(18))
"""Primaries, transfer and matrix that ITU-T H.273 defines."""
INTRA = 3
"""Of six lists of factors the first three are of pictures that refer to no other (7.3.4, table 7-4)."""


class Sequence(NamedTuple):
    """What a sequence parameter set says that has to stand elsewhere too."""

    good: bool
    profile: bytes
    layout: tuple[int, int, int]
    """Chroma format, and bits above 8 of luma and chroma."""
    buffers: tuple[int, int, int]
    size: tuple[int, int]
    """Of what is shown."""


def strays(record: bytes, slices: list[bytes], said: tuple[int, ...]) -> list[str]:
    """What a decoder's configuration holds that its slices do not need.

    Args:
        record: The ``hvcC`` record (ISO/IEC 14496-15, 8.3.3.1).
        slices: The units of the picture.
        said: The size that the item states.
    """
    lists, end = parameter_sets(record)
    kinds = [kind for kind, _ in lists]
    if end != len(record) or kinds != [0x80 | kind for kind in (VPS, SPS, PPS)] or not all(units for _, units in lists):
        return ["meta/iprp/hvcC"]
    (video,), (parameters,), pictures = ((units[:1] if kind != 0x80 | PPS else units) for kind, units in lists)
    wrong = len(lists[0][1]) + len(lists[1][1]) > 2
    sequence = _sequence(_bare(parameters, SPS))
    chroma, luma, other = sequence.layout
    head = b"\1" + sequence.profile + b"\xf0\0\xfc" + bytes((0xFC | chroma, 0xF8 | luma, 0xF8 | other, 0, 0))
    wrong |= record[:21] != head or record[21] & 0xFC != 0b00001100
    wrong |= not sequence.good or not _video(_bare(video, VPS), sequence)
    numbers = [_picture(_bare(unit, PPS)) for unit in pictures]
    wrong |= numbers != sorted({_named(unit) for unit in slices})
    found = ["meta/iprp/hvcC"] * wrong
    return found if sequence.size == said else [*found, "mdat/size of a picture"]


def _bare(unit: bytes, kind: int) -> bytes:
    """The content of a unit; empty where its head or its escapes are not as they have to be (7.3.1, 7.4.2)."""
    content = unit[2:].replace(b"\0\0\3", b"\0\0")
    again, zeros = bytearray(), 0
    for byte in content:
        if zeros >= 2 and byte < 4:
            again.append(3)
            zeros = 0
        again.append(byte)
        zeros = 0 if byte else zeros + 1
    return content if unit == bytes((2 * kind, 1)) + again else b""


def _named(unit: bytes) -> int:
    """The picture parameter set of a slice (7.3.6.1)."""
    head = Head(unit[2:18].replace(b"\0\0\3", b"\0\0"))
    head.bits(2)
    return head.code()


def _profile(head: Head) -> bytes:
    """Profile and level (7.3.3), reserved bits 0."""
    parts = [head.bits(2, (0,)) << 6 | head.bits(6)]
    compatible, free = head.bits(12), head.bits(20, (0,))
    flags = head.bits(14) << 34 | head.bits(34, (0,))
    parts += [*struct.pack(">I", compatible << 20 | free), *flags.to_bytes(6), head.bits(8)]
    return bytes(parts)


def _sequence(content: bytes) -> Sequence:
    """7.3.2.2.1."""
    head = Head(content)
    head.bits(8, (1,))  # of set 0, one layer, nested
    profile = _profile(head)
    head.code((0,))
    chroma = head.code(range(4))
    if chroma == 3:
        head.bits(1)
    width, height = head.code(), head.code()
    cut = [head.code() for _ in range(4 * head.bits(1))] or [0] * 4
    right = sum(cut[:2]) * (2 if chroma in (1, 2) else 1)
    low = sum(cut[2:]) * (2 if chroma == 1 else 1)
    size = (width - right, height - low) if max(right, low) < CUT else (0, 0)
    depths = head.code(range(9)), head.code(range(9))
    head.code(SMALL)
    head.bits(1, (1,))
    buffers = head.code(SMALL), head.code(SMALL), head.code(SMALL)
    for _ in range(6):
        head.code(SMALL)
    if head.bits(1) and head.bits(1):
        _factors(head, chroma)
    head.bits(2)
    if head.bits(1):
        head.bits(8)
        head.code(SMALL)
        head.code(SMALL)
        head.bits(1)
    head.none("eu")
    head.bits(2)
    if head.bits(1):
        _shown(head)
    if head.bits(1):
        head.bits(8, (0x80,))
        head.bits(9)
    return Sequence(head.ends(), profile, (chroma, *depths), buffers, size)


def _shown(head: Head) -> None:
    """Colours and where their samples lie, and no more (E.2.1)."""
    head.none("uu")
    if head.bits(1):
        head.bits(3, (5,))
        head.bits(1)
        for points in POINTS if head.bits(1) else ():
            head.bits(8, points)
    if head.bits(1):
        head.code(range(6))
        head.code(range(6))
    head.none("uuuuuu")


def _factors(head: Head, chroma: int) -> None:  # noqa: ARG001 - the same in every format
    """Lists of factors (7.3.4): those of other pictures as they are by default, a written one alike on both sides."""
    for size in range(4):
        for matrix in range(0, 6, 3 if size == 3 else 1):
            if not head.bits(1):
                head.code((0,) if matrix >= INTRA else range(matrix + 1))
                continue
            head.good &= matrix < INTRA
            _list(head, size)


def _list(head: Head, size: int) -> None:
    last = 8
    if size > 1:
        last = 8 + _signed(head)
        head.good &= 0 < last < 256
    values = []
    for _ in range(16 if size == 0 else 64):
        last = (last + _signed(head)) % 256
        values.append(last)
    side, at = (4 if size == 0 else 8), 0
    for diagonal in range(2 * side - 1):
        many = min(diagonal, 2 * side - 2 - diagonal) + 1
        head.good &= values[at : at + many] == values[at : at + many][::-1]
        at += many


def _signed(head: Head) -> int:
    """A signed number (9.2.2): 0, 1, -1, 2, -2 and so on."""
    code = head.code()
    return code // 2 + 1 if code % 2 else -(code // 2)


def _video(content: bytes, of: Sequence) -> bool:
    """Whether a video parameter set says nothing but what its sequence does (7.3.2.1)."""
    head = Head(content)
    head.bits(32, (0x0C01FFFF,))
    same = _profile(head) == of.profile
    head.bits(1, (1,))
    same &= tuple(head.code() for _ in range(3)) == of.buffers
    head.none("uuuuuueuu")
    return head.ends() and same


def _picture(content: bytes) -> int:
    """The number of a picture parameter set (7.3.2.3.1); -1 where it says what no single picture needs."""
    head = Head(content)
    number = head.code()
    head.code((0,))
    head.bits(2)
    head.none("uuu")
    head.bits(1)
    head.none("uee")
    head.code(range(129))
    head.bits(1)
    skips = head.bits(1)
    if head.bits(1):
        head.code(SMALL)
    head.code(OFFSET)
    head.code(OFFSET)
    head.bits(1)
    head.none("uu")
    head.bits(1)
    tiles, _ = head.bits(1), head.bits(1)
    if tiles:
        sides = head.code(range(20)) + head.code(range(22))
        for _ in range(0 if head.bits(1) else sides):
            head.code(range(1 << 16))
        head.bits(1)
    head.bits(1)
    if head.bits(1):
        head.bits(1)
        if not head.bits(1):
            head.code(FILTER)
            head.code(FILTER)
    if head.bits(1):
        _factors(head, 0)
    head.none("ueu")
    if head.bits(1):
        head.bits(8, (0x80,))
        _range(head, skips)
    return number if head.ends() else -1


def _range(head: Head, skips: int) -> None:
    """The extension of formats (7.3.2.3.2)."""
    if skips:
        head.code(SMALL)
    head.bits(1)
    if head.bits(1):
        head.code(SMALL)
        for _ in range(2 * head.code(range(6)) + 2):
            head.code(OFFSET)
    head.code(SMALL)
    head.code(SMALL)
