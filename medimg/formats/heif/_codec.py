"""Coded pictures inside a HEIF file: what of HEVC and AV1 payloads is picture, and what is something else.

HEVC (ITU-T H.265, 7.4.2.2): an image item holds slices of a picture that needs no other (types 16 to 21; ISO/IEC
23008-12, B.2.2) and parameter sets (32 to 34), all of layer 0; 35 to 38 are structure. 39 and 40 are supplemental
information (encoder settings, user data); other types and layers are passed over by decoders.
AV1 (bitstream specification, 6.2.2): OBU types 1, 3, 4 and 6 are picture; 5 is metadata, 15 padding, and 7 repeats a
frame header.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from medimg.errors import Malformed
from medimg.formats.shared.bmff import Reader

HEVC_PICTURE = frozenset(range(16, 22))
HEVC_PARAMETERS = frozenset((32, 33, 34))
SEQUENCE_PARAMETERS = 33
AV1_SEQUENCE, AV1_DELIMITER, AV1_FRAME_HEADER, AV1_TILES, AV1_FRAME = 1, 2, 3, 4, 6
AV1_PICTURE = frozenset((AV1_SEQUENCE, AV1_FRAME_HEADER, AV1_TILES, AV1_FRAME))


class CodedSize(NamedTuple):
    """Width and height of a coded picture in pixels, and how many of each its own cropping hides."""

    width: int
    height: int
    hidden_across: int
    hidden_down: int

    @property
    def shown(self) -> tuple[int, int]:
        return self.width - self.hidden_across, self.height - self.hidden_down


class Bits:
    """Bits of a parameter set, the most significant first."""

    def __init__(self, data: bytes) -> None:
        self.left = 8 * len(data)
        self.value = int.from_bytes(data)

    def take(self, count: int) -> int:
        """The next bits as a number.

        Raises:
            Malformed: There are too few.
        """
        self.left -= count
        if self.left < 0:
            raise Malformed("a coded picture's configuration is cut short.")
        return self.value >> self.left & ((1 << count) - 1)

    def golomb(self) -> int:
        """An Exp-Golomb number (ITU-T H.265, 9.2; ``uvlc()`` of AV1 is the same)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)


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
        kept = [u for u in units if kind & 63 in HEVC_PARAMETERS and _of_base_layer(u) and u[0] >> 1 == kind & 63]
        dropped += len(units) - len(kept)
        if kept:
            body = b"".join(struct.pack(">H", len(u)) + u for u in kept)
            arrays.append(struct.pack(">BH", kind & 0xBF, len(kept)) + body)
    if reader.left:
        dropped += 1
    return head + bytes([len(arrays)]) + b"".join(arrays), (head[21] & 3) + 1, dropped


def _of_base_layer(unit: bytes) -> bool:
    """Whether a NAL unit is of layer 0 (ITU-T H.265, 7.3.1.2); decoders of one layer pass over all others (F.8)."""
    return len(unit) >= 2 and not unit[0] & 0x81 and not unit[1] & 0xF8


def _nal_units(payload: bytes, length_size: int) -> Iterator[bytes]:
    at = 0
    while at < len(payload):
        size = int.from_bytes(payload[at : at + length_size], "big")
        at += length_size
        if size < 2 or at + size > len(payload):
            raise Malformed("a coded picture ends early.")
        yield payload[at : at + size]
        at += size


def hevc_picture(payload: bytes, length_size: int) -> tuple[bytes, int]:
    """Length-prefixed NAL units without supplemental information, and how many were left out."""
    out: list[bytes] = []
    dropped = 0
    for unit in _nal_units(payload, length_size):
        kind = unit[0] >> 1 & 63
        if kind in HEVC_PICTURE | HEVC_PARAMETERS and _of_base_layer(unit):
            out.append(len(unit).to_bytes(length_size, "big") + unit)
        elif kind not in (35, 36, 37, 38):
            dropped += 1
    return b"".join(out), dropped


def hevc_pictures(payload: bytes, length_size: int) -> int:
    """How many pictures a payload holds: slices that call themselves the first of one (ITU-T H.265, 7.3.6.1).

    Raises:
        Malformed: There is none, or a slice is empty.
    """
    units = [u for u in _nal_units(payload, length_size) if u[0] >> 1 & 63 in HEVC_PICTURE and _of_base_layer(u)]
    if not any(len(u) > 2 and u[2] >> 7 for u in units) or any(len(u) < 3 for u in units):
        raise Malformed("a coded picture is not whole.")
    return sum(u[2] >> 7 for u in units)


def hevc_size(record: bytes, payload: bytes) -> CodedSize:
    """The coded size in the parameter set of a picture (ITU-T H.265, 7.3.2.2).

    Raises:
        Malformed: There is none, or there are several.
    """
    clean, length_size, _ = hevc_configuration(record)
    found = {u for u in _nal_units(payload, length_size) if u[0] >> 1 & 63 == SEQUENCE_PARAMETERS}
    reader = Reader(clean, 0, len(clean))
    reader.take(22)
    for _ in range(reader.uint(1)):
        kind = reader.uint(1)
        units = [reader.take(reader.uint(2)) for _ in range(reader.uint(2))]
        found |= set(units) if kind & 63 == SEQUENCE_PARAMETERS else set()
    if len(found) != 1:
        raise Malformed("a coded picture does not say how large it is.")
    return _sps_size(Bits(found.pop()[2:].replace(b"\0\0\3", b"\0\0")))


def _sps_size(bits: Bits) -> CodedSize:
    bits.take(4)
    layers = bits.take(3)
    bits.take(1 + 96)  # profile and level (7.3.3)
    if layers:
        present = [(bits.take(1), bits.take(1)) for _ in range(8)][:layers]
        for profile, level in present:
            bits.take(88 * profile + 8 * level)
    bits.golomb()
    chroma = bits.golomb()
    if chroma == 3:
        bits.take(1)
    width, height = bits.golomb(), bits.golomb()
    window = [bits.golomb() for _ in range(4)] if bits.take(1) else [0] * 4
    across, down = 1 + (chroma in (1, 2)), 1 + (chroma == 1)
    return CodedSize(width, height, (window[0] + window[1]) * across, (window[2] + window[3]) * down)


def _open_units(payload: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Type, start, start of the body, and end of every open bitstream unit."""
    at = 0
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
        yield kind, at, body, end
        at = end


def av1_units(payload: bytes) -> tuple[bytes, int]:
    """Open bitstream units of the picture alone, and how many others were left out."""
    units = list(_open_units(payload))
    out = [payload[at:end] for kind, at, _, end in units if kind in AV1_PICTURE]
    return b"".join(out), sum(kind not in AV1_PICTURE and kind != AV1_DELIMITER for kind, *_ in units)


def av1_pictures(payload: bytes) -> int:
    """How many frames a payload holds; tiles that no frame needs count as one.

    Raises:
        Malformed: There is no whole frame.
    """
    kinds = [kind for kind, *_ in _open_units(payload) if kind in AV1_PICTURE]
    frames = kinds.count(AV1_FRAME) + kinds.count(AV1_FRAME_HEADER)
    if not frames or AV1_SEQUENCE not in kinds or not {AV1_FRAME, AV1_TILES} & set(kinds):
        raise Malformed("a coded picture is not whole.")
    order = [kind for kind in kinds if kind != AV1_SEQUENCE]
    stray = order[0] == AV1_TILES or {AV1_FRAME, AV1_TILES} <= set(kinds)
    return max(frames, kinds.count(AV1_SEQUENCE)) + stray


def av1_size(payload: bytes) -> CodedSize:
    """The largest frame that the sequence header allows (AV1 bitstream specification, 5.5.1).

    Raises:
        Malformed: There is no sequence header.
    """
    for kind, _, body, end in _open_units(payload):
        if kind == AV1_SEQUENCE:
            return _sequence_size(Bits(payload[body:end]))
    raise Malformed("a coded picture does not say how large it is.")


def _sequence_size(bits: Bits) -> CodedSize:
    bits.take(4)
    if bits.take(1):
        bits.take(5)
    else:
        _operating_points(bits)
    across, down = bits.take(4) + 1, bits.take(4) + 1
    return CodedSize(bits.take(across) + 1, bits.take(down) + 1, 0, 0)


def _timing(bits: Bits) -> int:
    """Bits of a buffer delay; 0 where the decoder model is not described."""
    if not bits.take(1):
        return 0
    bits.take(64)
    if bits.take(1):
        bits.golomb()
    delay = bits.take(5) + 1 if bits.take(1) else 0
    bits.take(42 if delay else 0)
    return delay


def _operating_points(bits: Bits) -> None:
    delay = _timing(bits)
    display = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay and bits.take(1):
            bits.take(2 * delay + 1)
        if display and bits.take(1):
            bits.take(4)


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
