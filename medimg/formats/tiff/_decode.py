"""Decoding the first page of a TIFF exactly, and writing covered samples."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from medimg.errors import Malformed, Unsupported
from medimg.formats.tiff._file import ALPHA, MULTIPLIED, NO_COLOURS, build, wide_map
from medimg.formats.tiff.packed import all_deflated
from medimg.native.opencv import cv2
from medimg.redact.cover import clipped, cut, paint
from medimg.types import Box, Cover, Polygon

if TYPE_CHECKING:
    from medimg.formats.tiff.photo import TiffPhoto

ROWS = 64
"""Rows per strip of a written copy."""


def first_page(photo: TiffPhoto) -> NDArray[Any]:
    """Samples of the picture; see :meth:`medimg.formats.tiff.photo.TiffPhoto.samples`.

    The stripped file is decoded, not the original, so that both readers see one page and one picture.

    Raises:
        Malformed: It does not decode, or not to the size it claims.
        Unsupported: A channel that is not said to be alpha is not opaque.
    """
    sixteen = photo.bits[0] == 16
    fields = dict(photo.layout)
    fields.pop(274, None)
    if photo.has_alpha:  # premultiplied colours are read as they stand, not divided
        fields[338] = _short(photo, ALPHA)
    if sixteen and photo.tiff.number(photo.page, 284, 1) == 2:
        pixels = _planes(photo, fields)
    else:
        if sixteen and photo.tiff.number(photo.page, 262, 0) not in (0, 1, 2):
            raise _unknown_pixels()
        data = photo.built(fields, photo.strips.shown)
        pixels = _sixteen(data) if sixteen else _pillow(data)
    if sixteen and photo.tiff.number(photo.page, 262, 0) == 0:  # white is zero: cv2 leaves it so, Pillow does not
        colours = pixels if pixels.ndim == 2 else pixels[..., :1]
        colours[:] = 65535 - colours
    if pixels.shape[:2] != (photo.height, photo.width):
        raise Malformed("the picture does not decode to the size it claims.")
    if photo.has_alpha and pixels.ndim == 3 and pixels.shape[2] in (2, 4):
        # Some viewers take a channel without a word for alpha, others leave it out: the same picture if it is opaque.
        if not photo.alpha and (pixels[..., -1] != np.iinfo(pixels.dtype).max).any():
            raise Unsupported(NO_COLOURS)
        pixels[pixels[..., -1] == 0] = 0
    return pixels


def of_file(data: bytes, bits: int) -> NDArray[Any]:
    """Samples of a written file of one page.

    Raises:
        Malformed: It does not decode.
        Unsupported: Its pixels are of a kind that no decoder here shows exactly.
    """
    return _sixteen(data) if bits == 16 else _pillow(data)


def _planes(photo: TiffPhoto, fields: dict[int, tuple[int, bytes]]) -> NDArray[Any]:
    """Planes that stand apart, each decoded as a grey picture: cv2 mistakes 16-bit ones for interleaved samples."""
    channels = photo.tiff.number(photo.page, 277, 1)
    if photo.tiff.number(photo.page, 262, 0) not in (1, 2):
        raise _unknown_pixels()
    each = len(photo.strips.shown) // channels
    grey = {tag: value for tag, value in fields.items() if tag not in (338, 339)}
    grey |= {258: _short(photo, 16), 262: _short(photo, 1), 277: _short(photo, 1), 284: _short(photo, 1)}
    parts = [photo.strips.shown[k * each : (k + 1) * each] for k in range(channels)]
    return np.dstack([_sixteen(photo.built(grey, part)) for part in parts])


def _short(photo: TiffPhoto, value: int) -> tuple[int, bytes]:
    return 3, struct.pack(f"{photo.tiff.order}H", value)


def _unknown_pixels() -> Unsupported:
    return Unsupported("this TIFF has a kind of pixels that is not handled.")


def colour_map(photo: TiffPhoto) -> bytes:
    """The colour map (TIFF 6.0, section 8: all reds, greens, blues), black where the picture does not use a colour.

    Raises:
        Malformed: The picture does not decode, or its map has a wrong size.
    """
    values = np.array(wide_map(photo.tiff.numbers(photo.page, 320)))
    size = 1 << photo.bits[0]
    if values.size != 3 * size:
        raise Malformed("the picture's colour map has a wrong size.")
    fields = photo.layout | {262: _short(photo, 1)}
    for tag in (274, 320):
        fields.pop(tag, None)
    grey = _pillow(photo.built(fields, photo.strips.shown))
    if grey.shape != (photo.height, photo.width):
        raise Malformed("the picture does not decode to the size it claims.")
    used = np.zeros(size, bool)
    used[grey // (255 // (size - 1))] = True  # Pillow spreads fewer bits over 0 to 255
    values = np.where(np.tile(used, 3), values, 0)
    return values.astype(f"{photo.tiff.order}u2").tobytes()


def _sixteen(data: bytes) -> NDArray[Any]:
    # Pillow reads 16-bit RGB as 8 bit without saying so; cv2 keeps the depth.
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise Malformed("the picture cannot be decoded.")
    if pixels.dtype != np.uint16:
        raise _unknown_pixels()
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
                raise _unknown_pixels()
            return np.asarray(picture).copy()
    except UnidentifiedImageError as error:
        raise _unknown_pixels() from error
    except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError) as error:
        raise Malformed("the picture cannot be decoded.") from error


def divided(photo: TiffPhoto, samples: NDArray[Any]) -> NDArray[Any]:
    """Samples as the views module takes them: colours multiplied by alpha divided by it."""
    if photo.has_alpha and photo.alpha == MULTIPLIED:
        full = np.iinfo(samples.dtype).max
        alpha = np.maximum(samples[..., -1:], 1).astype(np.uint32)
        colours = np.minimum(samples[..., :-1].astype(np.uint32) * full // alpha, full).astype(samples.dtype)
        return np.concatenate((colours, samples[..., -1:]), axis=2)
    return samples


def covered(
    photo: TiffPhoto, covers: Sequence[Cover], profile: dict[int, tuple[int, bytes]], crop: Box | None = None
) -> tuple[bytes, tuple[Polygon, ...]]:
    """A deflated TIFF of the crop with the covers filled, and the polygons that were, in the crop's coordinates."""
    samples = cut(photo.samples(), crop)
    height, width = samples.shape[:2]
    cmyk = photo.tiff.number(photo.page, 262, 0) == 5
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    painted = paint(samples, covers, inks=cmyk)
    bits = samples.dtype.itemsize * 8
    order = photo.tiff.order
    photometric = 5 if cmyk else 2 if channels >= 3 else 1
    numbers = {
        256: width, 257: height, 259: 8, 262: photometric, 277: channels, 278: min(ROWS, height), 284: 1,
    }  # fmt: skip
    fields = {
        tag: _short(photo, value) if value <= 0xFFFF else (4, struct.pack(f"{order}I", value))
        for tag, value in numbers.items()
    }
    fields[258] = (3, struct.pack(f"{order}{channels}H", *[bits] * channels))
    fields[254] = (4, bytes(4))
    if photo.orientation != 1:
        fields[274] = (3, struct.pack(f"{order}H", photo.orientation))
    if channels in (2, 4) and not cmyk:
        fields[338] = _short(photo, photo.alpha or ALPHA)
    wire = np.ascontiguousarray(painted, painted.dtype.newbyteorder("<" if order == "<" else ">"))
    strips = all_deflated([wire[y : y + ROWS].data.cast("B") for y in range(0, height, ROWS)])
    data = build(order, fields | profile, strips, offsets=273, counts=279)
    return data, clipped(covers, width, height)
