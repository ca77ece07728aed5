"""Where the coded data of a JPEG scan end, for the audit: by a few lines of C where they were compiled, else Python."""

from __future__ import annotations

import ctypes
import re
from functools import cache
from pathlib import Path
from typing import Any

from medimg.native import library

LIBRARY = library.beside(__file__, "_scan")
AFTER_CODED = re.compile(rb"\xff(?!\x00)")
AFTER_CODED_RESTARTING = re.compile(rb"\xff(?![\x00\xd0-\xd7])")


def coded_end(data: bytes, at: int, *, restarts: bool) -> int:
    """Where the first 0xFF stands that no zero follows, nor, with ``restarts``, a restart code; -1 if none does."""
    search = compiled()
    if search is not None:
        return int(search(data, at, len(data), restarts))
    return in_python(data, at, restarts=restarts)


def in_python(data: bytes, at: int, *, restarts: bool) -> int:
    """The same, without the compiled search."""
    found = (AFTER_CODED_RESTARTING if restarts else AFTER_CODED).search(data, at)
    return found.start() if found else -1


@cache
def compiled(path: Path = LIBRARY) -> Any:
    """The compiled search; None where it was not made, or is of another machine."""
    search = getattr(library.load(path), "medimg_audit_coded_end", None)
    if search is None:
        return None
    search.restype = ctypes.c_int64
    search.argtypes = [ctypes.c_char_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int32]
    return search
