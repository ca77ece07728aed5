"""Pictures for the window, decoded in a worker: the window itself parses no photo.

A picture comes as raw RGB rows in a file of the worker's scratch folder. The window maps it into memory, and the file's
name is gone before anything is drawn. Large pictures come with a small one for the views from afar.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from medimg import _files, formats
from medimg.errors import CheckNotRun
from medimg.policy import Policy

FAR = 2048
"""Longest side of the small picture, in pixels."""


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """A picture as it is seen upright.

    Attributes:
        file: Raw RGB rows of the whole picture, one byte a sample, no padding; then those of the small one.
        width: Pixels across, upright.
        height: Pixels down, upright.
        far_width: Pixels across of the small picture.
        far_height: Pixels down of the small picture.
        orientation: EXIF orientation that was applied.
    """

    file: str
    width: int
    height: int
    far_width: int
    far_height: int
    orientation: int


def draw(path: bytes, policy: Policy, longest: int = 0) -> Drawn:
    """Decode a picture upright.

    Args:
        path: The file.
        policy: For its limits.
        longest: Longest side wanted, for a small picture; 0 for all of it.

    Raises:
        MedimgError: It cannot be read or decoded.
    """
    import numpy as np

    opened = formats.open_photo(_files.read_original(Path(os.fsdecode(path)), policy.limits.bytes), policy.limits)
    try:
        seen = _upright(opened.views(0)[0], opened.orientation)
    except IndexError as error:
        raise CheckNotRun("this picture cannot be shown.") from error
    near = _small(seen, longest) if longest else seen
    far = _small(near, FAR)
    handle, name = tempfile.mkstemp(prefix="picture-")
    with os.fdopen(handle, "wb") as file:
        for part in (near, far):
            np.ascontiguousarray(part, np.uint8).tofile(file)
    return Drawn(
        file=name,
        width=near.shape[1],
        height=near.shape[0],
        far_width=far.shape[1],
        far_height=far.shape[0],
        orientation=opened.orientation,
    )


def _upright(view: Any, orientation: int) -> Any:
    """Rows as a viewer shows them (Exif 3.0, tag 0x0112)."""
    import numpy as np

    match orientation:
        case 2:
            return view[:, ::-1]
        case 3:
            return view[::-1, ::-1]
        case 4:
            return view[::-1]
        case 5:
            return np.swapaxes(view, 0, 1)
        case 6:
            return np.rot90(view, -1)
        case 7:
            return np.swapaxes(view, 0, 1)[::-1, ::-1]
        case 8:
            return np.rot90(view)
        case _:
            return view


def _small(view: Any, longest: int) -> Any:
    import numpy as np

    height, width = view.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return view
    from medimg._opencv import cv2

    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(np.ascontiguousarray(view), size, interpolation=cv2.INTER_AREA)


__all__ = ["FAR", "Drawn", "draw"]
