"""Decoding HEIC through pi-heif (libheif, libde265) and AVIF through cv2 or Pillow (libavif)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medimg.errors import Malformed

if TYPE_CHECKING:
    from medimg.formats.heif import Heif


def heic(data: bytes) -> NDArray[Any]:
    """The primary picture, turned by the decoder; uint8 or uint16.

    Raises:
        CheckNotRun: pi-heif is not installed.
        Malformed: It does not decode.
    """
    try:
        import pi_heif
    except ImportError as error:
        from medimg.formats.heif import missing_decoder

        raise missing_decoder("medimg[heic]") from error
    try:
        opened = pi_heif.open_heif(data, convert_hdr_to_8bit=False)
        primary = opened[opened.primary_index]
        pixels = np.asarray(primary).copy()
    except (ValueError, OSError, RuntimeError, SyntaxError, EOFError) as error:
        raise Malformed("the picture cannot be decoded.") from error
    return pixels


def avif(photo: Heif) -> NDArray[Any]:
    """The primary picture, turned and mirrored as its properties say; more than 8 bits become 16.

    The built copy is decoded, not the original: it holds one picture, so both give the same one.

    Raises:
        Malformed: It does not decode.
    """
    from medimg._opencv import cv2
    from medimg.formats import _heif_build

    raw = photo.data if photo.alpha else _heif_build.build(photo).data
    stored = np.frombuffer(raw, np.uint8)
    pixels: NDArray[Any] | None = cv2.imdecode(stored, cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        pixels = _pillow(raw)
    elif pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    if pixels.dtype == np.uint16:
        config = photo.property(photo.kept[-1], b"av1C") or bytes(4)
        bits = 12 if config[2] & 0x20 else 10  # AV1 in ISOBMFF, 2.3.3: high_bitdepth, twelve_bit
        wide = pixels.astype(np.uint32)
        pixels = (wide << (16 - bits) | wide >> (2 * bits - 16)).astype(np.uint16)
    return _turned(pixels, photo)


def _pillow(raw: bytes) -> NDArray[Any]:
    import io

    from PIL import Image

    try:
        with Image.open(io.BytesIO(raw), formats=["AVIF"]) as picture:
            return np.asarray(picture.copy())
    except (OSError, ValueError, SyntaxError) as error:
        raise Malformed("the picture cannot be decoded.") from error


def _turned(pixels: NDArray[Any], photo: Heif) -> NDArray[Any]:
    """Rotation then mirror, in the order HEIF gives them (ISO/IEC 23008-12, 6.5.10 and 6.5.12)."""
    turn = photo.property(photo.tables.primary, b"irot")
    if turn and turn[0] & 3:
        pixels = np.rot90(pixels, turn[0] & 3)  # anticlockwise quarter turns
    mirror = photo.property(photo.tables.primary, b"imir")
    if mirror is not None:
        pixels = pixels[:, ::-1] if mirror[0] & 1 else pixels[::-1]
    return np.ascontiguousarray(pixels)
