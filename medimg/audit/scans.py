"""The audit's own readers of coded pictures, in C: every symbol of a JPEG scan and of a lossy WebP picture."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import c_char_p, c_int32, c_int64, c_uint8, c_uint64, c_void_p
from pathlib import Path
from typing import NamedTuple

from medimg.errors import Malformed
from medimg.native import library

LIBRARY = Path(__file__).with_name("_scan")


class Part(ctypes.Structure):
    """A component of a scan; the fields are explained in ``_scan.c``."""

    _fields_ = [
        *((n, c_int32) for n in ("h", "v", "stride", "columns", "rows", "dc", "ac")),
        ("seen", c_void_p),
        ("nonzero", c_uint64),
    ]


class _Scan(ctypes.Structure):
    _fields_ = [
        *((n, c_int32) for n in ("progressive", "first", "last", "refines", "interval", "across", "down", "parts")),
        ("part", Part * 4),
        ("table", c_uint8 * 272 * 8),
        ("met", c_uint8 * 256 * 8),
        ("loose", c_int32),
        ("past", c_int32),
    ]


class Read(NamedTuple):
    """What was read of a scan.

    Attributes:
        end: Where the marker behind it stands.
        loose: Whether there is more in it than its blocks need.
        past: Whether a block past the edge is not empty; not looked for in progressive pictures.
        met: Of each table, by slot, the symbols that were read.
        nonzero: Of each component, bit k set where coefficient k is not 0 in every block.
    """

    end: int
    loose: bool
    past: bool
    met: dict[int, set[int]]
    nonzero: list[int]


def jpeg(
    data: bytes,
    at: int,
    parts: Sequence[Part],
    tables: dict[int, bytes],
    units: tuple[int, int],
    interval: int,
    *,
    progressive: bool,
    band: tuple[int, int],
    refines: bool,
) -> Read:
    """Read a JPEG scan with Huffman codes whose coded data begin at ``at``.

    Args:
        data: The file.
        at: Where its coded data begin.
        parts: Its components.
        tables: The Huffman tables, 0 to 3 for DC and 4 to 7 for AC, as they stand in a DHT segment.
        units: MCUs across and down.
        interval: MCUs between restart markers, 0 for none.
        progressive: Whether the picture is coded in several passes.
        band: First and last coefficient.
        refines: Whether it brings one more bit of them.

    Raises:
        Malformed: The coded data are damaged.
    """
    scan = _Scan(progressive, *band, refines, interval, *units, len(parts))
    for n, part in enumerate(parts):
        scan.part[n] = part
    for slot, table in tables.items():
        scan.table[slot][: len(table)] = table
    size = library.function(LIBRARY, "medimg_audit_scan_size", c_int32)()
    if size != ctypes.sizeof(_Scan):
        raise Malformed("the audit's compiled part is of another version.")
    read = library.function(LIBRARY, "medimg_audit_scan", c_int64, c_void_p, c_char_p, c_int64, c_int64)
    end = int(read(ctypes.byref(scan), data, at, len(data)))
    if end < 0:
        raise Malformed("a scan of the copy is damaged.")
    met = {slot: {s for s, was in enumerate(bytes(scan.met[slot])) if was} for slot in tables}
    return Read(end, bool(scan.loose), bool(scan.past), met, [int(scan.part[n].nonzero) for n in range(len(parts))])


def vp8_ends_late(picture: bytes) -> bool:
    """Whether a partition of a lossy WebP picture (RFC 6386) holds more than its symbols.

    Raises:
        Malformed: The picture is damaged.
    """
    read = library.function(LIBRARY, "medimg_audit_vp8", c_int32, c_char_p, c_int64)
    said = int(read(picture, len(picture)))
    if said < 0:
        raise Malformed("the picture of the copy is damaged.")
    return bool(said)
