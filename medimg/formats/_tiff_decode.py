"""Decoding the first page of a TIFF exactly, and writing covered samples."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medimg._opencv import cv2
from medimg.errors import Malformed
from medimg.formats._tiff_file import build
from medimg.redact.cover import clipped, paint
from medimg.types import Cover, Polygon

if TYPE_CHECKING:
    from medimg.formats.tiff import TiffPhoto

ROWS = 64
"""Rows per strip of a written copy."""


def first_page(photo: TiffPhoto) -> NDArray[Any]:
    """Samples of the picture; see :meth:`medimg.formats.tiff.TiffPhoto.samples`.

    The stripped file is decoded, not the original, so that both readers see one page and one picture.

    Raises:
        Malformed: It does not decode, or not to the size it claims.
    """
    data = photo.stripped(keep_profile=False, keep_orientation=False)
    pixels = _sixteen(data) if photo.bits[0] == 16 else _pillow(data)
    if pixels.shape[:2] != (photo.height, photo.width):
        raise Malformed("the picture does not decode to the size it claims.")
    if photo.has_alpha and pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        pixels[pixels[..., -1] == 0] = 0
    return pixels


def _sixteen(data: bytes) -> NDArray[Any]:
    # Pillow reads 16-bit RGB as 8 bit without saying so; cv2 keeps the depth.
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None or pixels.dtype != np.uint16:
        raise Malformed("the picture cannot be decoded.")
    if pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    return np.asarray(pixels)


def _pillow(data: bytes) -> NDArray[Any]:
    try:
        with Image.open(io.BytesIO(data), formats=["TIFF"]) as opened:
            picture: Image.Image = opened
            if picture.mode == "1":
                picture = picture.convert("L")
            elif picture.mode in ("P", "PA"):
                picture = picture.convert("RGB")
            elif picture.mode not in ("L", "LA", "RGB", "RGBA", "CMYK"):
                raise Malformed("the picture has a kind of pixels that is not handled.")
            return np.asarray(picture).copy()
    except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError) as error:
        raise Malformed("the picture cannot be decoded.") from error


def to_rgb(photo: TiffPhoto, samples: NDArray[Any]) -> NDArray[Any]:
    """Samples as the views module takes them: CMYK converted, everything else as it is."""
    if photo.tiff.number(photo.page, 262, 0) == 5 and samples.ndim == 3 and samples.shape[2] == 4:
        return np.asarray(Image.fromarray(samples, "CMYK").convert("RGB"))
    return samples


def covered(
    photo: TiffPhoto, covers: Sequence[Cover], profile: dict[int, tuple[int, bytes]]
) -> tuple[bytes, tuple[Polygon, ...]]:
    """A deflated TIFF with the covers filled, and the polygons that were."""
    samples = photo.samples()
    cmyk = photo.tiff.number(photo.page, 262, 0) == 5
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    painted = paint(samples, covers)
    bits = samples.dtype.itemsize * 8
    order = photo.tiff.order
    photometric = 5 if cmyk else 2 if channels >= 3 else 1
    shorts = {
        256: photo.width, 257: photo.height, 259: 8, 262: photometric, 277: channels, 278: ROWS, 284: 1,
    }  # fmt: skip
    fields = {tag: (4, struct.pack(f"{order}I", value)) for tag, value in shorts.items()}
    fields[258] = (3, struct.pack(f"{order}{channels}H", *[bits] * channels))
    if photo.orientation != 1:
        fields[274] = (3, struct.pack(f"{order}H", photo.orientation))
    if channels in (2, 4) and not cmyk:
        fields[338] = (3, struct.pack(f"{order}H", 2))
    wire = painted.astype(painted.dtype.newbyteorder("<" if order == "<" else ">"))
    strips = [zlib.compress(wire[y : y + ROWS].tobytes(), 6) for y in range(0, photo.height, ROWS)]
    data = build(order, fields | profile, strips, offsets=273, counts=279)
    return data, clipped(covers, photo.width, photo.height)
