"""The one loader of medimg's own C files: shared libraries beside their sources, made when medimg was built."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

from medimg.errors import MissingPart
from medimg.system import host
from medimg.words import mark

_AGAIN = mark("Install medimg again: python -m pip install --force-reinstall medimg")


@cache
def load(path: Path) -> ctypes.CDLL:
    """The library that lies at ``path``, named without its suffix.

    Raises:
        MissingPart: It was not made, or is of another machine.
    """
    try:
        return ctypes.CDLL(str(path.with_suffix(host.LIBRARY)))
    except OSError:
        raise MissingPart("medimg's compiled part is missing or of another machine.", todo=_AGAIN) from None


@cache
def function(path: Path, name: str, result: Any, *arguments: Any) -> Any:
    """A function of that library, with the types of what it gives and takes.

    Raises:
        MissingPart: The library is not there, or is of another version.
    """
    found = getattr(load(path), name, None)
    if found is None:
        raise MissingPart("medimg's compiled part is of another version.", todo=_AGAIN)
    found.restype, found.argtypes = result, arguments
    return found
