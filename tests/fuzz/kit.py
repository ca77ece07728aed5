"""What the fuzzers of formats share: loading what is watched, and what must hold of any file that is not refused."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import atheris
import numpy as np


def watched(names: Sequence[str], parts: Sequence[str], *, besides: Sequence[str] = ()) -> ModuleType:
    """Load formats, their audits and their parts so that they are watched, all but ``besides``; ``medimg.formats``.

    Atheris keeps the arrays whose comparisons it watches: a module of pixels would fill the memory.
    """
    with atheris.instrument_imports(include=["medimg"], exclude=list(besides)):
        formats = importlib.import_module("medimg.formats")
        for name in names:
            importlib.import_module(f"medimg.formats.{name}")
            importlib.import_module(f"medimg.audit.{'png' if name == 'raster' else name}")
        for part in parts:
            importlib.import_module(f"medimg.formats.{part}")
    return formats


def same_picture(data: bytes, name: str, limits: Any, *, own_copy: Callable[[Any], bool] = lambda _: False) -> None:
    """A file is refused with an error of ours, or its copies pass both readers and show the same samples.

    Args:
        data: The file.
        name: The format it is read as.
        limits: Of the reader.
        own_copy: For which opened copies the copy of the copy must be the copy.
    """
    from medimg.errors import MedimgError
    from medimg.types import Box, Cover

    photo = None
    try:
        photo = importlib.import_module(f"medimg.formats.{name}").open(data, limits)
        found = photo.metadata()
        copy = photo.write()
    except MedimgError:
        return
    again = _opened(copy, limits, own_copy)
    if not found and name == "jpeg" and data[-2:] != b"\xff\xd9":
        raise RuntimeError("bytes behind the end were not reported")
    try:
        samples = photo.samples()
        photo.views()
        covered = photo.write((Cover(polygon=Box(1, 1, 4, 3).polygon, category="name"),))
    except MedimgError:
        return
    if again is not None and not np.array_equal(again.samples(), samples):
        raise RuntimeError("the picture changed")
    shown = _opened(covered, limits, own_copy)
    if shown is not None and shown.samples().shape[:2] != samples.shape[:2]:
        raise RuntimeError("the covered picture has another size")


def _opened(copy: Any, limits: Any, own_copy: Callable[[Any], bool]) -> Any:
    """A copy that holds nothing but its picture; None for a TIFF that has the mark of DICOM by chance."""
    from medimg import audit, formats

    if copy.format == "tiff" and copy.data[128:132] == b"DICM":
        return None
    strays, again = audit.walk(copy.data, copy.format), formats.open_photo(copy.data, limits)
    left = again.metadata()
    if strays or left:
        raise RuntimeError(f"left: {strays} {[(f.category, f.where) for f in left]}")
    if own_copy(again) and again.write().data != copy.data:
        raise RuntimeError("the copy of the copy differs")
    return again


def fuzz(one: Callable[[bytes], None], mutate: Callable[[bytes, int, int], bytes]) -> None:
    """Run libFuzzer with the arguments of the command line."""
    atheris.Setup(sys.argv, one, custom_mutator=mutate)
    atheris.Fuzz()
