"""The next marker in coded JPEG data (ITU-T T.81, B.1.1.2), by the compiled kernel."""

from __future__ import annotations

from ctypes import c_char_p, c_int32, c_int64
from pathlib import Path

from medimg.native import library

LIBRARY = Path(__file__).with_name("_splice")


def next_marker(data: bytes, at: int, *, restarts: bool) -> int:
    """Where the first marker at or behind ``at`` stands, fill bytes included; -1 when there is none.

    Args:
        data: The file.
        at: Where to begin, in coded data.
        restarts: Whether restart markers are passed over.
    """
    search = library.function(LIBRARY, "medimg_next_marker", c_int64, c_char_p, c_int64, c_int64, c_int32)
    return int(search(data, at, len(data), restarts))
