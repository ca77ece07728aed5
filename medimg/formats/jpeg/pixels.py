"""Decoding a JPEG that has been read to its last symbol before, so that no decoder has to make anything up."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medimg.errors import Malformed
from medimg.native.opencv import cv2


def samples(data: bytes, components: int, width: int, height: int) -> NDArray[np.uint8]:
    """Samples in stored orientation: (H, W) of 1 component, (H, W, 3) RGB of 3, (H, W, 4) of 4 as stored.

    Raises:
        Malformed: It cannot be decoded, or not to the size the header gives.
    """
    out = _inks(data) if components == 4 else _colours(data, components)
    shape = (height, width) if components == 1 else (height, width, components)
    if out is None or out.shape != shape or out.dtype != np.uint8:
        raise Malformed("the picture of the JPEG cannot be decoded.")
    return out


def _colours(data: bytes, components: int) -> NDArray[Any] | None:
    flags = cv2.IMREAD_GRAYSCALE if components == 1 else cv2.IMREAD_COLOR_RGB
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        return None


def _inks(data: bytes) -> NDArray[np.uint8] | None:
    """Pillow gives the four components; it turns Adobe's inverted inks round."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
            return np.asarray(picture) if picture.mode == "CMYK" else None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
