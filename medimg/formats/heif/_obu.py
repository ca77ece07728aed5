"""AV1 pictures of a HEIF file: open bitstream units, and the sequence header that says what they are.

AV1 bitstream specification, 6.2.2: types 1, 3, 4 and 6 are picture; 5 is metadata, 15 padding, and 7 repeats a frame
header. A copy has one sequence header, without timing, without layers and with nothing behind it; every unit states its
length as short as it can. The configuration (AV1 codec ISO media file format binding 1.2, 2.3.3) is made from it: AVIF
wants no units there (AVIF 1.1, 2.2.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from medimg.errors import Malformed
from medimg.formats.heif._bits import Coded, CodedSize, Rewriting, Unusual

SEQUENCE, DELIMITER, FRAME_HEADER, TILES, FRAME = 1, 2, 3, 4, 6
PICTURE = frozenset((SEQUENCE, FRAME_HEADER, TILES, FRAME))
POINTS = (22, 18, 17)
"""Primaries, transfer and matrix that ITU-T H.273 defines."""
HEADER = 32
"""Most bytes of a frame header that is a unit of its own, as encoders write them: what they say has up to 16."""
SRGB = (1, 13, 0)
"""Code points of RGB, which is neither subsampled nor of limited range (5.5.2)."""


class Unit(NamedTuple):
    """An open bitstream unit."""

    kind: int
    content: bytes


class Sequence(NamedTuple):
    """A sequence header: the size it allows, it written again, and what a configuration says of it."""

    size: CodedSize
    made: bytes
    configuration: bytes


def read(configuration: bytes, payload: bytes) -> Coded:
    """A coded picture and its configuration (an ``av1C`` record), without what no decoder of the picture needs.

    Raises:
        Malformed: It is damaged, or holds no whole frame.
    """
    if len(configuration) < 4 or configuration[0] != 0x81:  # marker bit and version 1
        raise Malformed("a coded picture's configuration is cut short.")
    units = [unit for unit in _units(payload) if unit.kind != DELIMITER]
    kept = [unit for unit in units if unit.kind in PICTURE]
    pictures = _pictures([unit.kind for unit in kept])
    size, made, said = _sequence(next(unit.content for unit in kept if unit.kind == SEQUENCE))
    coded = b"".join(_sized(unit.kind, made if unit.kind == SEQUENCE else unit.content) for unit in kept)
    if any(unit.kind == FRAME_HEADER and len(unit.content) > HEADER for unit in kept):
        made = b""
    if not made:
        said, coded = configuration, payload
    dropped = len(units) - len(kept) + (said != configuration)
    return Coded(said, coded, dropped, bool(made), pictures, size)


def _pictures(kinds: list[int]) -> int:
    """How many frames a payload holds; tiles that no frame needs count as one.

    Raises:
        Malformed: There is no whole frame.
    """
    frames = kinds.count(FRAME) + kinds.count(FRAME_HEADER)
    if not frames or SEQUENCE not in kinds or not {FRAME, TILES} & set(kinds):
        raise Malformed("a coded picture is not whole.")
    order = [kind for kind in kinds if kind != SEQUENCE]
    stray = order[0] == TILES or {FRAME, TILES} <= set(kinds)
    return max(frames, kinds.count(SEQUENCE)) + stray


# -- units ------------------------------------------------------------------------------------------------------------


def _units(payload: bytes) -> Iterator[Unit]:
    at = 0
    while at < len(payload):
        head = payload[at]
        kind, extended, sized = head >> 3 & 15, head >> 2 & 1, head >> 1 & 1
        body = at + 1 + extended
        if head & 0x80 or body > len(payload):
            raise Malformed("a coded picture is damaged.")
        size = len(payload) - body
        if sized:
            size, body = _leb128(payload, body)
        if body + size > len(payload):
            raise Malformed("a coded picture ends early.")
        yield Unit(kind, payload[body : body + size])
        at = body + size


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for k in range(8):
        if at >= len(data):
            break
        byte = data[at]
        value |= (byte & 127) << 7 * k
        at += 1
        if byte < 128:
            return value, at
    raise Malformed("a coded picture is damaged.")


def _sized(kind: int, content: bytes) -> bytes:
    """A unit of no layer, behind its length."""
    size, out = len(content), bytearray((kind << 3 | 2,))
    while size > 127:
        out.append(size & 127 | 128)
        size >>= 7
    return bytes(out) + bytes((size,)) + content


# -- the sequence header (5.5) ----------------------------------------------------------------------------------------


class _Level(NamedTuple):
    profile: int
    level: int
    tier: int


def _sequence(content: bytes) -> Sequence:
    """Read a sequence header and write it again; empty where it is unusual.

    Raises:
        Malformed: It is cut short.
    """
    bits = Rewriting(content)
    profile = bits.keep(3)
    bits.keep()
    reduced, usual = bits.keep(), True
    if reduced:
        level = _Level(profile, bits.keep(5), 0)
    else:
        usual, level = _points(bits, profile)
    across, down = bits.keep(4) + 1, bits.keep(4) + 1
    size = CodedSize(bits.keep(across) + 1, bits.keep(down) + 1, 0, 0)
    try:
        if not usual:
            raise Unusual
        if not reduced and bits.keep():
            bits.keep(7)
        bits.keep(3)
        if not reduced:
            _tools(bits)
        bits.keep(3)
        colours = _colours(bits, profile)
        if bits.keep():
            raise Unusual  # grain, which is described in each frame
    except (Unusual, Malformed):
        return Sequence(size, b"", b"")
    record = bytes((0x81, profile << 5 | level.level, level.tier << 7 | colours, 0))
    return Sequence(size, bits.ended(), record)


def _points(bits: Rewriting, profile: int) -> tuple[bool, _Level]:
    """Timing and operating points; whether there is one of all layers, and no buffer that frames speak of."""
    usual, delay = True, 0
    bits.put(1)
    if bits.take(1):
        bits.take(64)
        if bits.take(1):
            bits.golomb()
        if bits.take(1):
            usual, delay = False, bits.take(5) + 1
            bits.take(42)
    display = bits.take(1)
    bits.put(1)
    many = bits.take(5)
    bits.put(5)
    levels = []
    for _ in range(many + 1):
        usual = not bits.take(12) and usual
        number = bits.take(5)
        levels.append(_Level(profile, number, bits.take(1) if number > 7 else 0))
        if delay and bits.take(1):
            bits.take(2 * delay + 1)
        if display and bits.take(1):
            bits.take(4)
    bits.put(12)
    bits.put(5, levels[0].level)
    if levels[0].level > 7:
        bits.put(1, levels[0].tier)
    return usual and not many, levels[0]


def _tools(bits: Rewriting) -> None:
    """What frames may be coded with (5.5.1), of sequences that are more than one picture."""
    bits.keep(4)
    ordered = bits.keep()
    if ordered:
        bits.keep(2)
    content = 2 if bits.keep() else bits.keep()
    if content and not bits.keep():
        bits.keep()
    if ordered:
        bits.keep(3)


def _colours(bits: Rewriting, profile: int) -> int:
    """Depth, colours and subsampling (5.5.2); gives the lower seven bits of the third byte of a configuration.

    Raises:
        Unusual: The colours are none that ITU-T H.273 defines.
    """
    deep = bits.keep()
    deepest = bits.keep() if profile == 2 and deep else 0
    grey = bits.keep() if profile != 1 else 0
    points = tuple(bits.keep(8, most) for most in POINTS) if bits.keep() else (2, 2, 2)
    across = down = place = 1
    if grey:
        bits.keep()
        place = 0
    elif points == SRGB:
        across = down = place = 0
    else:
        bits.keep()
        across, down = _subsampled(bits, profile, deepest)
        place = bits.keep(2, 2) if across and down else 0
    if not grey:
        bits.keep()
    return deep << 6 | deepest << 5 | grey << 4 | across << 3 | down << 2 | place


def _subsampled(bits: Rewriting, profile: int, deepest: int) -> tuple[int, int]:
    if profile == 2 and deepest:
        across = bits.keep()
        return across, bits.keep() if across else 0
    return int(profile != 1), int(profile == 0)
