"""WebP pictures: decoding, encoding without loss, and where the coded data really ends.

The C decoder is only ever given a container made here, of checked chunks. ``_tails.c`` reads the symbols of lossy ones.
"""

from __future__ import annotations

import ctypes
import io
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medimg.errors import CheckNotRun, Malformed
from medimg.formats.webp._chunks import Still, chunks, file, still
from medimg.native import library
from medimg.redact.cover import paint
from medimg.types import Cover

LIBRARY = Path(__file__).with_name("_tails")
ROOM = 64
"""Bytes by which ``_tails.c`` may make a picture longer: three for each of nine partitions."""
SLACK = 8
"""Bytes at the end that a lossless encoder may leave without need; cut shorter, a picture decodes to another or not."""
PACKED = b"\1"
"""The byte before alpha: packed without loss, not filtered, nothing made coarser (RFC 9649, 2.7.1.2)."""
METHOD, QUALITY = 0, 20
"""Effort of the lossless encoder, 0 to 6 and 0 to 100, by measurement; see ``benchmarks/lossless_levels.py``."""
SIDE = 16383
"""Most pixels along a side (RFC 9649 3.4)."""


def decoded(picture: Still) -> NDArray[np.uint8] | None:
    """(H, W, 3) or (H, W, 4) of one coded picture; None when the decoder refuses it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(file(picture)), formats=("WEBP",)) as image:
                pixels = np.asarray(image)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        return None
    good = pixels.shape[:2] == (picture.height, picture.width) and pixels.ndim == 3 and pixels.shape[2] in (3, 4)
    return pixels if good else None


def canvas(picture: Still, place: tuple[int, int], width: int, height: int) -> tuple[NDArray[np.uint8], bool]:
    """A coded picture on its transparent canvas, 0 where alpha is 0, and whether anything was set there.

    Raises:
        Malformed: It does not decode.
    """
    pixels = decoded(picture)
    if pixels is None:
        raise Malformed("the picture data of the WebP file is damaged.")
    hidden = False
    if pixels.shape[2] == 4:
        gone = pixels[..., 3] == 0
        hidden = bool(pixels[..., :3][gone].any())
        if hidden:
            pixels = np.where(gone[..., None], np.uint8(0), pixels)
    if (picture.width, picture.height) != (width, height):
        whole = np.zeros((height, width, 4), np.uint8)
        part = whole[place[1] : place[1] + picture.height, place[0] : place[0] + picture.width]
        part[..., : pixels.shape[2]] = pixels
        if pixels.shape[2] == 3:
            part[..., 3] = 255
        pixels = whole
    if pixels.shape[2] == 4 and bool((pixels[..., 3] == 255).all()):
        pixels = np.ascontiguousarray(pixels[..., :3])
    return pixels, hidden


def bare(picture: Still) -> Still:
    """A lossy picture without what no decoder reads: its partitions end at their last symbols, alpha is packed anew.

    Raises:
        Malformed: It does not decode, or its symbols end early.
    """
    room = ctypes.create_string_buffer(len(picture.image) + ROOM)
    kinds = ctypes.c_int64, ctypes.c_char_p, ctypes.c_int64, ctypes.c_char_p
    size = int(library.function(LIBRARY, "medimg_vp8_bare", *kinds)(picture.image, len(picture.image), room))
    pixels = decoded(picture) if picture.alpha else None
    if size < 0 or (picture.alpha and pixels is None):
        raise Malformed("the picture data of the WebP file is damaged.")
    alpha = b"" if pixels is None else _packed(pixels[..., 3])
    return picture._replace(image=room.raw[:size], alpha=alpha)


def _packed(alpha: NDArray[np.uint8]) -> bytes:
    """Alpha as the green of a lossless picture, without that picture's five bytes of header (RFC 9649, 2.7.1.2)."""
    green = np.zeros((*alpha.shape, 3), np.uint8)
    green[..., 1] = alpha
    return PACKED + encoded(green, ()).image[5:]


def behind(picture: Still) -> bool:
    """Whether bytes stand behind what was packed without loss: a picture, or the alpha of a lossy one."""
    if picture.coding == b"VP8L":
        return _longer(picture, picture._replace(image=picture.image[:-SLACK]))
    if picture.alpha and not picture.alpha[0] & 3:
        return len(picture.alpha) > 1 + picture.width * picture.height
    return len(picture.alpha) > SLACK and _longer(picture, picture._replace(alpha=picture.alpha[:-SLACK]))


def _longer(picture: Still, cut: Still) -> bool:
    shorter = decoded(cut)
    whole = decoded(picture) if shorter is not None else None
    return shorter is not None and whole is not None and bool(np.array_equal(shorter, whole))


def encoded(samples: NDArray[Any], covers: Sequence[Cover]) -> Still:
    """A lossless picture of RGB or RGBA samples with the covers filled.

    Raises:
        CheckNotRun: It cannot be encoded.
    """
    if max(samples.shape[:2]) > SIDE:
        raise CheckNotRun("the picture is larger than a WebP file can be.")
    pixels = paint(samples, covers)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP", lossless=True, exact=True, method=METHOD, quality=QUALITY)
    data = out.getvalue()
    return still(data, [c for c in chunks(data, 12, len(data)) if c.name in (b"VP8L", b"VP8 ")])
