"""The one loader of medimg's own C files: shared libraries beside their sources, made when medimg was built."""

from __future__ import annotations

import ctypes
from pathlib import Path

from medimg.system import host


def beside(module: str, name: str) -> Path:
    """Where the library ``name`` of a module (its ``__file__``) lies, whether or not it was made."""
    return Path(module).with_name(name + host.LIBRARY)


def load(path: Path) -> ctypes.CDLL | None:
    """The library; None where it was not made, or is of another machine."""
    if not path.is_file():
        return None
    try:
        return ctypes.CDLL(str(path))
    except OSError:
        return None


__all__ = ["beside", "load"]
