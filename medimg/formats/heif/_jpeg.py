"""A covered HEIC or AVIF photo as JPEG: smaller than PNG, and close to the original rather than equal to it.

The picture is encoded whole and then covered in its coefficients, so that no trace of what lies beneath a cover
spreads beyond it, and the covers are as flat as in any other JPEG.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from PIL import Image

from medimg.formats import jpeg
from medimg.types import Box, Copy, Cover, Limits

if TYPE_CHECKING:
    from medimg.formats.heif.photo import Heif

QUALITY = 98
"""Pillow's scale, chroma at full resolution: at least 48 dB on photographs (``benchmarks/cover_formats.py``)."""
HDR = frozenset((16, 18))
"""Transfer characteristics PQ and HLG (ITU-T H.273, table 3): a JPEG cannot say them."""


def write(photo: Heif, covers: Sequence[Cover], *, keep_profile: bool, crop: Box | None) -> Copy | None:
    """The covered photo as JPEG; None where only PNG keeps how it looks (alpha, or colours no profile describes)."""
    from medimg.formats.heif.photo import plain_profile

    samples = photo.samples()
    profile = plain_profile(photo)
    if profile is None or (samples.ndim == 3 and samples.shape[2] in (2, 4)):
        return None
    eight = samples if samples.dtype == np.uint8 else ((samples.astype(np.uint32) * 255 + 32767) // 65535)
    out = io.BytesIO()
    Image.fromarray(eight.astype(np.uint8, copy=False)).save(
        out, "JPEG", quality=QUALITY, subsampling=0, icc_profile=profile if keep_profile else b""
    )
    whole = jpeg.open(out.getvalue(), Limits(bytes=len(out.getvalue()), pixels=photo.width * photo.height))
    copy = whole.write(covers, keep_profile=keep_profile, crop=crop)
    return msgspec.structs.replace(
        copy, lossless=False, method="re-encoded", notes=("format-changed", "re-encoded", *copy.notes)
    )
