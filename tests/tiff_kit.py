"""TIFF files made for tests, byte by byte; shares nothing with medimg's writer."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}
"""Field type -> bytes of one value (TIFF 6.0, section 2)."""
OFFSETS, COUNTS = 273, 279


def build(order: str, fields: Mapping[int, tuple[int, bytes]], strips: Sequence[bytes]) -> bytes:
    """A classic TIFF of one page.

    Args:
        order: ``<`` or ``>``.
        fields: Tag -> (field type, value bytes in that byte order), without the places and sizes of the strips.
        strips: What each holds.
    """
    sizes = struct.pack(f"{order}{len(strips)}I", *map(len, strips))
    all_fields = {**fields, OFFSETS: (4, bytes(4 * len(strips))), COUNTS: (4, sizes)}
    at = 8 + 2 + 12 * len(all_fields) + 4
    at += sum(_even(len(raw)) for _, raw in all_fields.values() if len(raw) > 4)
    places, body = [], b""
    for strip in strips:
        places.append(at + len(body))
        body += strip.ljust(_even(len(strip)), b"\0")
    all_fields[OFFSETS] = (4, struct.pack(f"{order}{len(strips)}I", *places))
    table, values = struct.pack(f"{order}H", len(all_fields)), b""
    behind = 8 + 2 + 12 * len(all_fields) + 4
    for tag, (kind, raw) in sorted(all_fields.items()):
        there = raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(f"{order}I", behind + len(values))
        table += struct.pack(f"{order}HHI", tag, kind, len(raw) // SIZES[kind]) + there
        values += raw.ljust(_even(len(raw)), b"\0") if len(raw) > 4 else b""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return head + table + bytes(4) + values + body


def _even(size: int) -> int:
    return size + size % 2
