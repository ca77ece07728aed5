"""Coded pictures inside a HEIF file: what of HEVC and AV1 payloads is picture, and what is something else.

HEVC (ITU-T H.265, 7.4.2.2): NAL units of type 0 to 31 are coded slices, 32 to 34 parameter sets, 35 to 38 structure;
39 and 40 are supplemental information (encoder settings, user data), 41 and up reserved or unspecified.
AV1 (bitstream specification, 6.2.2): OBU types 1, 3, 4, 6 and 7 are picture; 5 is metadata, 15 padding.
"""

from __future__ import annotations

import struct

from medimg.errors import Malformed
from medimg.formats.shared.bmff import Reader

HEVC_PICTURE = frozenset(range(32))
HEVC_PARAMETERS = frozenset((32, 33, 34))
AV1_PICTURE = frozenset((1, 3, 4, 6, 7))
AV1_DELIMITER = 2


def hevc_configuration(record: bytes) -> tuple[bytes, int, int]:
    """An ``hvcC`` record with its parameter sets alone (ISO/IEC 14496-15, 8.3.3.1).

    Returns:
        The rebuilt record, the number of bytes of a NAL length, and how many other NAL units were left out.
    """
    reader = Reader(record, 0, len(record))
    head = reader.take(22)
    arrays: list[bytes] = []
    dropped = 0
    for _ in range(reader.uint(1)):
        kind = reader.uint(1)
        units = [reader.take(reader.uint(2)) for _ in range(reader.uint(2))]
        if kind & 63 in HEVC_PARAMETERS:
            body = b"".join(struct.pack(">H", len(u)) + u for u in units)
            arrays.append(struct.pack(">BH", kind & 0xBF, len(units)) + body)
        else:
            dropped += len(units)
    if reader.left:
        dropped += 1
    return head + bytes([len(arrays)]) + b"".join(arrays), (head[21] & 3) + 1, dropped


def hevc_picture(payload: bytes, length_size: int) -> tuple[bytes, int]:
    """Length-prefixed NAL units without supplemental information, and how many were left out."""
    out: list[bytes] = []
    dropped, at = 0, 0
    while at < len(payload):
        size = int.from_bytes(payload[at : at + length_size], "big")
        end = at + length_size + size
        if size < 2 or end > len(payload):
            raise Malformed("a coded picture ends early.")
        kind = payload[at + length_size] >> 1 & 63
        if kind in HEVC_PICTURE or kind in HEVC_PARAMETERS:
            out.append(payload[at:end])
        elif kind not in (35, 36, 37, 38):
            dropped += 1
        at = end
    return b"".join(out), dropped


def av1_units(payload: bytes) -> tuple[bytes, int]:
    """Open bitstream units of the picture alone, and how many others were left out."""
    out: list[bytes] = []
    dropped, at = 0, 0
    while at < len(payload):
        head = payload[at]
        kind, extended, sized = head >> 3 & 15, head >> 2 & 1, head >> 1 & 1
        body = at + 1 + extended
        if head & 0x80 or body > len(payload):
            raise Malformed("a coded picture is damaged.")
        if sized:
            size, body = _leb128(payload, body)
        else:
            size = len(payload) - body
        end = body + size
        if end > len(payload):
            raise Malformed("a coded picture ends early.")
        if kind in AV1_PICTURE:
            out.append(payload[at:end])
        elif kind != AV1_DELIMITER:
            dropped += 1
        at = end
    return b"".join(out), dropped


def av1_configuration(record: bytes) -> tuple[bytes, int]:
    """An ``av1C`` record with its sequence header alone, and how many other units were left out."""
    if len(record) < 4 or record[0] != 0x81:  # marker bit and version 1
        raise Malformed("a coded picture's configuration is cut short.")
    units, dropped = av1_units(record[4:])
    return record[:4] + units, dropped


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
