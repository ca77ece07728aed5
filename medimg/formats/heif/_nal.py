"""HEVC pictures of a HEIF file: their slices and the parameter sets that these use, and nothing else.

ITU-T H.265, 7.4.2.2: an image item holds slices of a picture that needs no other (types 16 to 21; ISO/IEC 23008-12,
B.2.2) and parameter sets (32 to 34), all of layer 0; 35 to 38 are structure. 39 and 40 are supplemental information
(encoder settings, user data); other types and layers are passed over by decoders.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from medimg.errors import Malformed
from medimg.formats.heif import _parameters
from medimg.formats.heif._bits import Bits, Coded
from medimg.formats.shared.bmff import Reader

PICTURE, PARAMETERS, STRUCTURE = range(16, 22), range(32, 35), range(35, 39)
ALONE = (19, 20)
"""Slices that name no other picture in their head (7.3.6.1): instantaneous refreshes, with or without followers."""
_One = TypeVar("_One", bound="_Numbered")


def read(configuration: bytes, payload: bytes) -> Coded:
    """A coded picture and its configuration (an ``hvcC`` record), without what no decoder of the picture needs.

    Raises:
        Malformed: It is damaged, or not clear about which parameters it uses.
    """
    prefix, listed = _configured(configuration)
    units = list(_units(payload, prefix))
    slices = [unit for unit in units if _kind(unit) in PICTURE and _of_base_layer(unit)]
    if not any(len(unit) > 2 and unit[2] >> 7 for unit in slices) or any(len(unit) < 3 for unit in slices):
        raise Malformed("a coded picture is not whole.")
    pictures, sequence = _used(slices, [*listed, *units])
    made = b"".join(len(unit).to_bytes(prefix) + unit for unit in slices)
    sets = [_parameters.video(sequence), sequence.made, *(picture.made for picture in pictures)]
    record = _record(sequence, sets, prefix) if all(sets) else b""
    plain = bool(record) and all(_kind(unit) in ALONE and unit[1] == 1 for unit in slices)
    kept = [unit for unit in units if _of_base_layer(unit) and _kind(unit) in (*PICTURE, *PARAMETERS)]
    if not plain:
        record = configuration[:22] + _lists([unit for unit in listed if _of_base_layer(unit)])
        made = b"".join(len(unit).to_bytes(prefix) + unit for unit in kept)
    structure = [unit for unit in units if _kind(unit) in STRUCTURE]
    return Coded(
        configuration=record,
        payload=made,
        dropped=len(units) - len(kept) - len(structure) + (record != configuration),
        plain=plain,
        pictures=sum(unit[2] >> 7 for unit in slices),
        size=sequence.size,
    )


def _kind(unit: bytes) -> int:
    return unit[0] >> 1 & 63


def _of_base_layer(unit: bytes) -> bool:
    """Whether a NAL unit is of layer 0 (ITU-T H.265, 7.3.1.2); decoders of one layer pass over all others (F.8)."""
    return len(unit) >= 2 and not unit[0] & 0x81 and not unit[1] & 0xF8


def _configured(record: bytes) -> tuple[int, list[bytes]]:
    """Bytes of a length before a unit, and the units that a record lists (ISO/IEC 14496-15, 8.3.3.1)."""
    reader = Reader(record, 0, len(record))
    head = reader.take(22)
    units: list[bytes] = []
    for _ in range(reader.uint(1)):
        kind = reader.uint(1) & 63
        listed = [reader.take(reader.uint(2)) for _ in range(reader.uint(2))]
        units += [unit for unit in listed if len(unit) > 1 and _kind(unit) == kind]
    return (head[21] & 3) + 1, units


def _record(of: _parameters.Sequence, sets: list[bytes], prefix: int) -> bytes:
    """A decoder's configuration of what the parameter sets say, and nothing else.

    Args:
        of: The sequence.
        sets: Its parameter sets, rewritten.
        prefix: Bytes of the length before each unit.
    """
    chroma, luma_depth, chroma_depth = of.format
    head = b"\1" + of.profile + b"\xf0\0\xfc" + bytes((0xFC | chroma, 0xF8 | luma_depth, 0xF8 | chroma_depth))
    return head + bytes((0, 0, 1 << 3 | 1 << 2 | prefix - 1)) + _lists(sets)  # one temporal layer, nested


def _lists(sets: list[bytes]) -> bytes:
    """The lists of parameter sets at the end of a record: how many, and each one's kind and units."""
    out = b""
    for kind in PARAMETERS:
        units = [unit for unit in sets if _kind(unit) == kind]
        out += struct.pack(">BH", 0x80 | kind, len(units))
        out += b"".join(struct.pack(">H", len(unit)) + unit for unit in units)
    return b"\3" + out


def _named(unit: bytes) -> int:
    """The number of the picture parameter set that a slice of a picture that stands alone uses (7.3.6.1)."""
    bits = Bits(_parameters.unescaped(unit[:16]))
    bits.take(2)
    return bits.golomb()


def _units(payload: bytes, prefix: int) -> Iterator[bytes]:
    at = 0
    while at < len(payload):
        size = int.from_bytes(payload[at : at + prefix], "big")
        at += prefix
        if size < 2 or at + size > len(payload):
            raise Malformed("a coded picture ends early.")
        yield payload[at : at + size]
        at += size


def _used(slices: list[bytes], units: list[bytes]) -> tuple[list[_parameters.Picture], _parameters.Sequence]:
    """The picture parameter sets that slices name, and the one sequence of these.

    Raises:
        Malformed: One is missing, there twice with other contents, or there are several sequences.
    """
    sequences = _numbered(units, _parameters.SPS, _parameters.sequence)
    sets = _numbered(units, _parameters.PPS, _parameters.picture)
    named = {_named(unit) for unit in slices}
    pictures = [sets[number] for number in sorted(named & set(sets))]
    used = {picture.sequence for picture in pictures}
    if len(pictures) != len(named) or len(used) != 1 or not used <= set(sequences):
        raise Malformed("a coded picture does not say how large it is.")
    return pictures, sequences[used.pop()]


class _Numbered(Protocol):
    @property
    def number(self) -> int: ...


def _numbered(units: list[bytes], kind: int, read: Callable[[bytes], _One]) -> dict[int, _One]:
    """Parameter sets of one kind by their number; one that cannot be read is none, and one of two contents neither."""
    found: dict[int, _One] = {}
    twice: set[int] = set()
    for unit in dict.fromkeys(unit for unit in units if _kind(unit) == kind and _of_base_layer(unit)):
        with contextlib.suppress(Malformed):
            one = read(unit)
            twice |= {one.number} & set(found)
            found[one.number] = one
    return {number: one for number, one in found.items() if number not in twice}
