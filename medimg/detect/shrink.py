"""Making a picture smaller by the mean of what each new pixel covers (an area filter).

``_area.c`` as a shared library, made when medimg was built; small pictures and whole factors are cv2's. The two differ
by one step of 255 where a mean lies half-way between two.
"""

from __future__ import annotations

import ctypes
import math
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from medimg.native import library
from medimg.native.opencv import cv2

Pixels = NDArray[np.uint8]
LIBRARY = Path(__file__).with_name("_area")
LARGE = 1_000_000
"""Pixels from which the compiled filter is used: making its tables takes longer than it saves below."""


def shrunk(rgb: Pixels, width: int, height: int) -> Pixels:
    """The picture at a size that is no larger than its own.

    Args:
        rgb: (H, W, 3).
        width: New pixels across.
        height: New pixels down.
    """
    small = rgb.shape[0] * rgb.shape[1] < LARGE
    whole = rgb.shape[1] % width == 0 and rgb.shape[0] % height == 0
    if small or whole or rgb.shape[2:] != (3,) or not rgb.flags.c_contiguous:
        return cast(Pixels, cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA))
    out = np.empty((height, width, 3), np.uint8)
    rows, columns = table(rgb.shape[0], height), table(rgb.shape[1], width)
    work = np.zeros(3 * (rgb.shape[1] + width) + 8, np.float32)
    compiled()(
        rgb.ctypes.data, rgb.shape[1], rgb.strides[0], out.ctypes.data, width, height,
        *_pointers(rows), *_pointers(columns), work.ctypes.data,
    )  # fmt: skip
    return out


def table(old: int, new: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """For each new row or column the first old one that counts, and the shares of it and of those after it.

    All rows of the second have the same length, and ``first + length`` is at most ``old``.
    """
    scale = old / new
    start = np.arange(new) * scale
    most = min(math.ceil(scale) + 1, old)
    first = np.clip(np.floor(start), 0, old - most).astype(np.int32)
    at = first[:, None] + np.arange(most)
    part = np.minimum(at + 1, (start + scale)[:, None]) - np.maximum(at, start[:, None])
    # cv2 leaves out what is less than a thousandth of an old pixel.
    part[part <= 1e-3] = 0.0
    return first, np.ascontiguousarray(part / scale, np.float32)


def _pointers(made: tuple[NDArray[np.int32], NDArray[np.float32]]) -> tuple[int, int, int]:
    return made[0].ctypes.data, made[1].ctypes.data, made[1].shape[1]


def compiled() -> Any:
    """The compiled filter."""
    pointer, count = ctypes.c_void_p, ctypes.c_int64
    arguments = (pointer, count, count, pointer, count, count, *(pointer, pointer, count) * 2, pointer)
    return library.function(LIBRARY, "medimg_shrink", None, *arguments)
