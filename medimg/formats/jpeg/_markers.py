"""The next marker in coded JPEG data (ITU-T T.81, B.1.1.2): by the compiled kernel where it is there, else by Python.

Imports neither numpy nor the engines, so that a metadata-only run stays light.
"""

from __future__ import annotations

import ctypes
import re
from functools import cache
from pathlib import Path
from typing import Any

from medimg.native import library

LIBRARY = library.beside(__file__, "_splice")
_MARKER = re.compile(rb"\xff[^\x00]")
_MARKER_OR_RESTART = re.compile(rb"\xff[^\x00\xd0-\xd7]")


def next_marker(data: bytes, at: int, *, restarts: bool) -> int:
    """Where the first marker at or behind ``at`` stands, fill bytes included; -1 when there is none.

    Args:
        data: The file.
        at: Where to begin, in coded data.
        restarts: Whether restart markers are passed over.
    """
    search = compiled()
    if search is not None:
        return int(search(data, at, len(data), restarts))
    return in_python(data, at, restarts=restarts)


def in_python(data: bytes, at: int, *, restarts: bool) -> int:
    """The same, without the kernel."""
    found = (_MARKER_OR_RESTART if restarts else _MARKER).search(data, at)
    return found.start() if found else -1


@cache
def compiled(path: Path = LIBRARY) -> Any:
    """The kernel's search; None where it was not compiled, is older than this, or is of another machine."""
    search = getattr(library.load(path), "medimg_next_marker", None)
    if search is None:
        return None
    search.restype = ctypes.c_int64
    search.argtypes = [ctypes.c_char_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int32]
    return search
