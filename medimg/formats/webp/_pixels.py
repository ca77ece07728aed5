"""WebP pictures: decoding, encoding without loss, and where the coded data really ends.

The C decoder is only ever given a container made here, of checked chunks.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from medimg.errors import CheckNotRun, Malformed
from medimg.formats.webp._chunks import Still, chunks, file, still
from medimg.redact.cover import paint
from medimg.types import Cover

SLACK = 8
"""Bytes at the end that an encoder may flush without need; a picture that is cut shorter decodes to another or not."""
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


def shortest(picture: Still) -> Still:
    """The picture without bytes after its end."""
    if picture.alpha and not picture.alpha[0] & 3:
        picture = picture._replace(alpha=picture.alpha[: 1 + picture.width * picture.height])
    elif picture.alpha:
        picture = _cut(picture, picture.alpha, lambda raw: picture._replace(alpha=raw))
    return _cut(picture, picture.image, lambda raw: picture._replace(image=raw))


def _cut(picture: Still, raw: bytes, made: Callable[[bytes], Still]) -> Still:
    """The shortest beginning of ``raw`` that decodes to the same; all of it when nothing is to be cut."""
    shorter = decoded(made(raw[:-SLACK])) if len(raw) > SLACK else None
    if shorter is None:
        return picture
    whole = decoded(picture)
    if not _same(shorter, whole):
        return picture
    low, high = 0, len(raw) - SLACK  # decodes at high, not at low
    while high - low > 1:
        middle = (low + high) // 2
        if decoded(made(raw[:middle])) is None:
            low = middle
        else:
            high = middle
    while high < len(raw) - SLACK and not _same(decoded(made(raw[:high])), whole):
        high += 1  # the decoder makes up for the last few bits
    return made(raw[:high])


def _same(one: NDArray[Any] | None, other: NDArray[Any] | None) -> bool:
    return one is not None and other is not None and bool(np.array_equal(one, other))


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
