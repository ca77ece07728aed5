"""Decoding a JPEG as it is stored, strictly."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medimg._opencv import cv2
from medimg.errors import Malformed

if TYPE_CHECKING:
    from medimg.formats.jpeg import Jpeg


def samples(photo: Jpeg) -> NDArray[Any]:
    """Stored samples: (H, W) grey, (H, W, 3) RGB, (H, W, 4) CMYK as Pillow gives it (0 is no ink).

    The stripped stream is decoded, so that the original and the copy are read alike and no second picture can step in.

    Raises:
        Malformed: It does not decode.
    """
    data = photo.stripped(keep_profile=False)
    if photo.components == 4:
        return _pillow(data)
    stored = np.frombuffer(data, np.uint8)
    mode = cv2.IMREAD_GRAYSCALE if photo.components == 1 else cv2.IMREAD_COLOR_RGB
    pixels: NDArray[Any] | None = cv2.imdecode(stored, mode | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise Malformed("the picture cannot be decoded.")
    return pixels


def _pillow(data: bytes) -> NDArray[Any]:
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
            picture.load()
            return np.asarray(picture).copy()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Malformed("the picture cannot be decoded.") from error


def rgb(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """What a viewer shows, (H, W, 3)."""
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=2)
    if pixels.shape[2] == 4:
        return np.asarray(Image.fromarray(pixels, "CMYK").convert("RGB"))
    return pixels
