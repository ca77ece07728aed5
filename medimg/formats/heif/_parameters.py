"""Parameter sets of HEVC pictures (ITU-T H.265, 7.3.2 and E.2.1), written again without what no still picture needs.

What a decoder of one picture reads stays bit for bit. Reserved bits become 0; timing, shapes of pixels, buffers,
references to other pictures and extensions for video are left out; nothing follows the last field. The video parameter
set, of which a still picture needs nothing, is made anew from the sequence's.
"""

from __future__ import annotations

from typing import NamedTuple

from medimg.errors import Malformed
from medimg.formats.heif._bits import CodedSize, Rewriting, Unusual
from medimg.formats.heif._factors import factors

VPS, SPS, PPS = 32, 33, 34
GENERAL = 88
"""Bits of a profile (7.3.3): space, tier and number, 32 of compatibility, four and 43 of constraints, and one more."""
COMPATIBLE, CONSTRAINTS = 12, 10
"""Of the 32 and the 43 so many say something (A.3): profiles 0 to 11; depths, formats, and pictures of their own."""
DEEPEST, LARGEST, WIDEST = 8, 16, 1 << 16
"""Bits above 8 of a sample; a logarithm, depth or count of buffers; a side: more is of no picture."""
POINTS = (22, 18, 17)
"""Primaries, transfer and matrix that ITU-T H.273 defines."""
STANDARD_RANGE_EXTENSION = 0b10000000
"""Of the eight bits that name extensions, the one of those for still pictures (7.3.2.2.1, 7.3.2.3.1)."""


class Sequence(NamedTuple):
    """A sequence parameter set: its number, the size it gives, and it written again; empty where it is unusual."""

    number: int
    size: CodedSize
    made: bytes
    profile: bytes
    """Twelve bytes: the profile and the level."""
    format: tuple[int, int, int]
    """Chroma format, and bits above 8 of luma and chroma."""
    buffers: tuple[int, int, int]
    """Pictures that a decoder holds, that change their order, and by how many they are late."""


def unescaped(unit: bytes) -> bytes:
    """A unit without its two bytes of head and the bytes that keep start codes out of it (7.3.1.1)."""
    return unit[2:].replace(b"\0\0\3", b"\0\0")


def _unit(kind: int, payload: bytes) -> bytes:
    """A unit with its head, and a 3 wherever a start code would stand (7.4.2)."""
    out = bytearray()
    for byte in payload:
        if byte <= 3 and out[-2:] == b"\0\0":
            out.append(3)
        out.append(byte)
    return bytes((kind << 1, 1)) + bytes(out)


# -- the sequence -----------------------------------------------------------------------------------------------------


def sequence(unit: bytes) -> Sequence:
    """Read a sequence parameter set and write it again, numbered 0.

    Raises:
        Malformed: It is cut short.
    """
    bits = Rewriting(unescaped(unit))
    bits.take(4)
    bits.put(4)
    layers = bits.take(3)
    bits.take(1)
    bits.put(3)
    bits.put(1, 1)
    start = len(bits.kept)
    usual = _profile(bits, layers)
    profile = int(bits.kept[start:], 2).to_bytes(12)
    number = bits.golomb()
    bits.put_golomb(0)
    size, chroma = _size(bits)
    try:
        if not usual:
            raise Unusual
        depths = bits.keep_golomb(DEEPEST), bits.keep_golomb(DEEPEST)
        buffers = _coding(bits, layers)
        _shown(bits)
        _extension(bits)
    except (Unusual, Malformed):
        return Sequence(number, size, b"", profile, (chroma, 0, 0), (0, 0, 0))
    return Sequence(number, size, _unit(SPS, bits.ended()), profile, (chroma, *depths), buffers)


def _profile(bits: Rewriting, layers: int) -> bool:
    """Profile, tier and level (7.3.3); False for a profile space that is reserved."""
    usual = not bits.take(2)
    bits.put(2)
    bits.keep(6)
    compatible = bits.take(32) >> (32 - COMPATIBLE)
    bits.put(32, compatible << (32 - COMPATIBLE))
    bits.keep(4)
    constraints = bits.take(44) >> (44 - CONSTRAINTS)
    bits.put(44, constraints << (44 - CONSTRAINTS))
    bits.keep(8)
    there = [(bits.take(1), bits.take(1)) for _ in range(8)] if layers else []
    for profile, level in there[:layers]:
        bits.take(GENERAL * profile + 8 * level)
    return usual


def _size(bits: Rewriting) -> tuple[CodedSize, int]:
    """Format, size and window (7.3.2.2.1)."""
    chroma = bits.golomb()
    bits.put_golomb(chroma)
    if chroma == 3:
        bits.keep()
    width, height = bits.golomb(), bits.golomb()
    bits.put_golomb(width)
    bits.put_golomb(height)
    window = [bits.golomb() for _ in range(4 * bits.keep())]
    for cut in window:
        bits.put_golomb(cut)
    left, right, top, bottom = window or (0, 0, 0, 0)
    across, down = 1 + (chroma in (1, 2)), 1 + (chroma == 1)
    return CodedSize(width, height, (left + right) * across, (top + bottom) * down), chroma


def _coding(bits: Rewriting, layers: int) -> tuple[int, int, int]:
    """From the order of pictures to the filters; gives what a decoder holds of pictures."""
    bits.keep_golomb(12)
    every = bits.take(1)
    bits.put(1, 1)
    held = [[bits.golomb() for _ in range(3)] for _ in range(layers + 1 if every else 1)][-1]
    for number in held:
        if number > LARGEST:
            raise Unusual
        bits.put_golomb(number)
    for _ in range(6):  # sizes of blocks and depths of trees
        bits.keep_golomb(LARGEST)
    if bits.keep() and bits.keep():
        factors(bits)
    bits.keep(2)
    if bits.keep():  # samples as they are
        bits.keep(8)
        bits.keep_golomb(LARGEST)
        bits.keep_golomb(LARGEST)
        bits.keep()
    _references(bits)
    bits.keep(2)
    return held[0], held[1], held[2]


def _references(bits: Rewriting) -> None:
    """Sets of other pictures (7.3.7, 7.4.8): a picture that stands alone names none, so they are left out."""
    numbers: list[int] = []
    many = bits.golomb()
    if many > 64:
        raise Unusual
    for one in range(many):
        if one and bits.take(1):
            bits.take(1)
            bits.golomb()
            used = [bits.take(1) or bits.take(1) for _ in range(numbers[-1] + 1)]
            numbers.append(sum(used))
            continue
        before, after = bits.golomb(), bits.golomb()
        if before + after > LARGEST:
            raise Unusual
        for _ in range(before + after):
            bits.golomb()
            bits.take(1)
        numbers.append(before + after)
    if bits.take(1):
        raise Unusual  # pictures long ago, by numbers of their own
    bits.put_golomb(0)
    bits.put(1)


def _shown(bits: Rewriting) -> None:
    """How the picture is to be shown (E.2.1): colours and where their samples lie stay."""
    if not bits.take(1):
        bits.put(1)
        return
    if bits.take(1) and bits.take(8) == 255:
        bits.take(32)
    if bits.take(1):
        bits.take(1)
    start = len(bits.kept)
    bits.put(3, 0b100)  # of the fields up to the colours: a description, no shape of pixels, no overscan
    _colours(bits)
    if bits.keep():
        bits.keep_golomb(5)
        bits.keep_golomb(5)
    _played(bits)
    bits.put(6)
    if bits.kept[start:] == "100" + "0" * 8:
        bits.kept = bits.kept[:start] + "0"


def _played(bits: Rewriting) -> None:
    """What is said of fields, windows, timing and motion, which is passed over."""
    bits.take(3)
    for _ in range(4 * bits.take(1)):
        bits.golomb()
    if bits.take(1):
        bits.take(64)
        if bits.take(1):
            bits.golomb()
        if bits.take(1):
            raise Unusual  # buffers of a stream
    if bits.take(1):
        bits.take(3)
        for _ in range(5):
            bits.golomb()


def _colours(bits: Rewriting) -> None:
    if not bits.keep():
        return
    bits.take(3)
    bits.put(3, 5)  # unspecified, as of pictures that are of no kind of television
    bits.keep()
    if bits.keep():
        for most in POINTS:
            value = bits.take(8)
            bits.put(8, value if value <= most else 2)


def _extension(bits: Rewriting) -> None:
    """The extension for still pictures, of nine bits; there is no other in a copy."""
    kinds = bits.take(8) if bits.take(1) else 0
    if kinds & ~STANDARD_RANGE_EXTENSION:
        raise Unusual
    flags = bits.take(9) if kinds else 0
    bits.put(1, flags > 0)
    if flags:
        bits.put(8, STANDARD_RANGE_EXTENSION)
        bits.put(9, flags)


def video(of: Sequence) -> bytes:
    """The video parameter set of a sequence: numbered 0, of one layer, without timing (7.3.2.1)."""
    bits = Rewriting(b"")
    bits.put(32, 0x0C01FFFF)  # in the base layer, of one, of one sub-layer, nested; 16 ones
    bits.put(96, int.from_bytes(of.profile))
    bits.put(1, 1)
    for number in of.buffers:
        bits.put_golomb(number)
    bits.put(6)
    bits.put_golomb(0)
    bits.put(2)
    return _unit(VPS, bits.ended())


# -- the picture ------------------------------------------------------------------------------------------------------


class Picture(NamedTuple):
    """A picture parameter set: its number, that of its sequence, and it written again; empty where it is unusual."""

    number: int
    sequence: int
    made: bytes


def picture(unit: bytes) -> Picture:
    """Read a picture parameter set (7.3.2.3.1) and write it again, of sequence 0.

    Raises:
        Malformed: It is cut short.
    """
    bits = Rewriting(unescaped(unit))
    number, of = bits.golomb(), bits.golomb()
    try:
        bits.put_golomb(number)
        bits.put_golomb(0)
        _picture(bits)
    except (Unusual, Malformed):
        return Picture(number, of, b"")
    return Picture(number, of, _unit(PPS, bits.ended()))


def _picture(bits: Rewriting) -> None:
    bits.keep(2)
    if bits.take(3):
        raise Unusual  # bits in the head of each slice
    bits.put(3)
    bits.keep()
    _passed_over(bits, "1ee")  # of pictures that refer to others
    bits.keep_golomb(2 * 64)
    bits.keep()
    skips = bits.keep()
    if bits.keep():
        bits.keep_golomb(LARGEST)
    bits.keep_golomb(24)
    bits.keep_golomb(24)
    bits.keep()
    _passed_over(bits, "11")
    bits.keep()
    tiles = bits.keep()
    bits.keep()
    if tiles:
        _tiles(bits)
    bits.keep()
    if bits.keep():
        bits.keep()
        if not bits.keep():
            bits.keep_golomb(12)
            bits.keep_golomb(12)
    if bits.keep():
        factors(bits)
    _passed_over(bits, "1e")
    if bits.take(1):
        raise Unusual  # bytes in the head of each slice
    bits.put(1)
    _picture_extension(bits, skips)


def _passed_over(bits: Rewriting, fields: str) -> None:
    """Fields that only pictures of a video have: 0 in place of bits and numbers."""
    for field in fields:
        if field == "e":
            bits.golomb()
            bits.put_golomb(0)
        else:
            bits.take(1)
            bits.put(1)


def _tiles(bits: Rewriting) -> None:
    columns, rows = bits.keep_golomb(19), bits.keep_golomb(21)
    if not bits.keep():
        for _ in range(columns + rows):
            bits.keep_golomb(WIDEST)
    bits.keep()


def _picture_extension(bits: Rewriting, skips: int) -> None:
    kinds = bits.take(8) if bits.take(1) else 0
    if kinds & ~STANDARD_RANGE_EXTENSION:
        raise Unusual
    bits.put(1, kinds > 0)
    if not kinds:
        return
    bits.put(8, kinds)
    if skips:
        bits.keep_golomb(LARGEST)
    bits.keep()
    if bits.keep():
        bits.keep_golomb(LARGEST)
        for _ in range(2 * (bits.keep_golomb(5) + 1)):
            bits.keep_golomb(24)
    bits.keep_golomb(LARGEST)
    bits.keep_golomb(LARGEST)
