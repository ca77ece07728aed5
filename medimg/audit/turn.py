"""The orientation as PNG and WebP copies state it: a TIFF block of one entry."""

from __future__ import annotations

import struct


def alone(block: bytes) -> bool:
    """Whether a block is the entry Orientation, 2 to 8, and nothing else (TIFF 6.0, section 2; Exif 3.0, 4.6.5)."""
    order = {b"MM\0*": ">", b"II*\0": "<"}.get(block[:4])
    if order is None or len(block) != 26:
        return False
    *fixed, value, spare, following = struct.unpack_from(order + "IHHHIHHI", block, 4)
    return (*fixed, spare, following) == (8, 1, 0x112, 3, 1, 0, 0) and 2 <= value <= 8
