"""What a caller may hand over as a photo: a path, bytes, an open file, a Pillow image or an array, read as a file."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Union, cast

from medimg.errors import CheckNotRun, TooLarge, Unreadable, UsageError, WrongType
from medimg.formats import filename
from medimg.system import files
from medimg.types import Finding, KnownValues, Limits

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

Source = Union[str, os.PathLike[str], bytes, bytearray, memoryview, BinaryIO, "NDArray[Any]", "Image"]
"""A path, the bytes of a file, an open binary file, a Pillow image, or an array of samples: grey, RGB or RGBA, uint8 or
uint16, (H, W) or (H, W, C). An array is taken as a PNG picture of sRGB colours, and so is its copy; a Pillow image as a
PNG picture that stands upright and has its colour profile."""


def read(source: Source, limits: Limits, known: KnownValues) -> tuple[bytes, list[Finding]]:
    """The bytes of a photo, and what its file's name says.

    Raises:
        InputError: It cannot be read, or is larger than the limits.
        UsageError: It is no photo, nor something that can be made one.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source), []
    if isinstance(source, str | os.PathLike):
        path = path_of(source)
        return files.read_original(path, limits.bytes), filename.findings(path.name, known=known)
    if hasattr(source, "getbands"):  # Pillow's, which nobody has to have loaded
        return _png_of_image(cast("Image", source), limits.pixels), []
    reader = getattr(source, "read", None)
    if reader is None:
        return _png_of(cast("NDArray[Any]", source), limits.pixels), []
    try:
        data = reader(limits.bytes + 1)
    except MemoryError:
        raise
    except Exception as error:  # whatever the caller's own object raises; its text may quote the photo
        raise Unreadable("the file could not be read.") from error
    if not isinstance(data, bytes):
        raise WrongType("the file must be open in binary mode.")
    if len(data) > limits.bytes:
        raise TooLarge("the file is larger than the policy allows.")
    return data, []


def path_of(place: str | os.PathLike[str]) -> Path:
    """A path that the caller names.

    Raises:
        WrongType: It is none.
    """
    try:
        return Path(place)
    except TypeError as error:
        raise WrongType("a path is a str, or an object that stands for one.") from error


def with_names(source: Source, known: KnownValues) -> KnownValues:
    """The known values, with the names that a file's own name holds."""
    return filename.known(Path(source).name, given=known) if isinstance(source, str | os.PathLike) else known


def _png_of(samples: NDArray[Any], pixels: int) -> bytes:
    """An array as a file.

    Raises:
        TooLarge: It has more pixels than the policy allows.
        UsageError: It is no array of samples.
    """
    import numpy as np

    from medimg.formats import png

    if not isinstance(samples, np.ndarray) or samples.ndim not in (2, 3) or samples.dtype not in (np.uint8, np.uint16):
        raise WrongType("a photo is a path, bytes, an open file, an image, or an array of 8- or 16-bit samples.")
    if samples.shape[0] * samples.shape[1] > pixels:
        raise TooLarge("the picture is larger than the policy allows.")
    try:
        return png.encode(samples)
    except CheckNotRun as error:
        raise UsageError("an array of samples is grey, RGB or RGBA, and not empty.") from error


def _png_of_image(image: Image, pixels: int) -> bytes:
    """A Pillow image as a file: its samples, upright, and its colour profile.

    Raises:
        TooLarge: It has more pixels than the policy allows.
        UsageError: Its pixels are not of a kind that PNG has.
    """
    from PIL import ImageOps

    if image.width * image.height > pixels:
        raise TooLarge("the picture is larger than the policy allows.")
    file = io.BytesIO()
    try:
        ImageOps.exif_transpose(image).save(file, "PNG", icc_profile=image.info.get("icc_profile"))
    except MemoryError:
        raise
    except Exception as error:  # what Pillow raises where the file behind the image is damaged is not listed anywhere
        raise UsageError("an image is grey, RGB or RGBA, and not empty.", todo="Convert it to RGB first.") from error
    return file.getvalue()
