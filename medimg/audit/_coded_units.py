"""Walkers of what HEVC and AV1 pictures are made of: NAL units, parameter sets, open bitstream units."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from medimg.errors import Malformed

SLICES = (19, 20)
"""NAL units of a picture that names no other in the heads of its slices (ITU-T H.265, table 7-1)."""
VPS, SPS, PPS = 32, 33, 34
"""Parameter sets of a video, a sequence, a picture."""
SEQUENCE, HEADER, TILES, FRAME = 1, 3, 4, 6
"""Open bitstream units of a picture (AV1 bitstream specification, 6.2.2)."""
LONGEST = 49
"""Where the eighth and last byte of a length begins, in bits (AV1, 4.10.5)."""


def nal_units(payload: bytes, prefix: int) -> Iterator[bytes]:
    """The units of an HEVC item, each behind its length in ``prefix`` bytes (ISO/IEC 14496-15, 4.3.3)."""
    at = 0
    while at < len(payload):
        end = at + prefix + int.from_bytes(payload[at : at + prefix], "big")
        unit = payload[at + prefix : end]
        if len(unit) < 3 or end > len(payload):
            raise Malformed("a coded picture of the copy ends early.")
        yield unit
        at = end


def parameter_sets(record: bytes) -> tuple[list[tuple[int, list[bytes]]], int]:
    """The lists of a decoder configuration, each its first byte and units, and where they end (14496-15, 8.3.3.1)."""
    lists, at = [], 23
    for _ in range(record[22]):
        kind, count = struct.unpack_from(">BH", record, at)
        at += 3
        units = []
        for _ in range(count):
            end = at + 2 + struct.unpack_from(">H", record, at)[0]
            units.append(record[at + 2 : end])
            at = end
        lists.append((kind, units))
    return lists, at


def open_units(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of each open bitstream unit (AV1, 5.3); the type is -1 where its head is not the shortest."""
    at = 0
    while at < len(data):
        head = data[at]
        at += 1 + (head >> 2 & 1)
        size, start = len(data) - at, at
        if head & 2:
            size, at = _length(data, at)
        if size < 0 or at + size > len(data):
            raise Malformed("a coded picture of the copy ends early.")
        shortest = not head & 0x85 and head & 2 and at - start == max(1, -(-size.bit_length() // 7))
        yield (head >> 3 & 15) if shortest else -1, data[at : at + size]
        at += size


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A length in bytes of seven bits, and where it ends."""
    size = shift = 0
    while data[at] & 128 and shift < LONGEST:
        size |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
    if data[at] & 128:
        raise Malformed("a coded picture of the copy is damaged.")
    return size | data[at] << shift, at + 1
