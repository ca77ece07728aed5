"""A photo made smaller before anything looks at it: what is checked, covered and written is the smaller picture.

It is a JPEG of its own, so that its copy is as exact to it as that of any JPEG; what the file of the photo says is said
of it too. A picture that cannot be made smaller without changing how it looks (transparency, several frames, colours
that no profile describes, DICOM) stays as large as it is.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from medimg.formats import Declaring, Opened, jpeg
from medimg.types import Box, Finding, Limits
from medimg.vocabulary import FormatName

QUALITY = 95
"""Pillow's scale; its documentation advises against more. Chroma stays at full resolution."""
_CICP = b"cICP"


class Smaller:
    """The smaller picture, which says of the file what the photo says of it."""

    def __init__(self, photo: Opened, small: Opened) -> None:
        self._photo, self._small = photo, small

    def metadata(self) -> list[Finding]:
        """Everything in the container of the photo that is not the picture."""
        return self._photo.metadata()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._small, name)


def of(photo: Opened, limits: Limits) -> Opened:
    """The photo, made smaller where its longest side is over ``limits.max_side``."""
    most = max(photo.width, photo.height)
    if most <= limits.max_side or photo.frames != 1 or isinstance(photo, Declaring):
        return photo
    samples = photo.samples()
    profile = _profile(photo)
    if profile is None or not (samples.ndim == 2 or samples.shape[2] == 3):
        return photo
    eight = samples if samples.dtype == np.uint8 else ((samples.astype(np.uint32) * 255 + 32767) // 65535)
    width, height = (max(1, round(n * limits.max_side / most)) for n in (photo.width, photo.height))
    out = io.BytesIO()
    Image.fromarray(eight.astype(np.uint8, copy=False)).resize((width, height), Image.Resampling.LANCZOS).save(
        out, "JPEG", quality=QUALITY, subsampling=0, icc_profile=profile, exif=_turned(photo.orientation)
    )
    small: Any = Smaller(photo, jpeg.open(out.getvalue(), limits))
    return small  # type: ignore[no-any-return]


def _profile(photo: Opened) -> bytes | None:
    """The cleaned colour profile, as the photo's own copy has it; None where none can say its colours."""
    if photo.name == FormatName.HEIF:
        from medimg.formats import heif

        return heif.plain_profile(photo)
    copy = photo.write(crop=Box(0, 0, 64, 64)).data  # its profile is that of the whole copy
    if _CICP in copy[: 64 * 1024]:
        return None
    with Image.open(io.BytesIO(copy), formats=("JPEG", "PNG", "TIFF", "WEBP")) as picture:
        return bytes(picture.info.get("icc_profile") or b"")


def _turned(orientation: int) -> bytes:
    """EXIF that says how the picture is turned, and nothing else."""
    from medimg.formats.shared import exif

    return b"Exif\0\0" + exif.orientation_only(orientation) if orientation > 1 else b""
