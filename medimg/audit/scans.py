"""Where the coded data of a JPEG scan end, for the audit: a few lines of C of its own."""

from __future__ import annotations

from ctypes import c_char_p, c_int32, c_int64
from pathlib import Path

from medimg.native import library

LIBRARY = Path(__file__).with_name("_scan")


def coded_end(data: bytes, at: int, *, restarts: bool) -> int:
    """Where the first 0xFF stands that no zero follows, nor, with ``restarts``, a restart code; -1 if none does."""
    search = library.function(LIBRARY, "medimg_audit_coded_end", c_int64, c_char_p, c_int64, c_int64, c_int32)
    return int(search(data, at, len(data), restarts))
