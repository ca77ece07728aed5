"""Decoding HEIC through pi-heif (libheif, libde265) and AVIF through cv2 or Pillow (libavif)."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medimg.errors import Malformed

if TYPE_CHECKING:
    from medimg.formats.heif.photo import Heif

DEPTH_TOLERANCE = 4.0
"""Mean difference, of 255, that rounding to 8 bits and conversion of colours may make between two readers."""
READERS = 32
"""Difference, of 255, that the same may make in one pixel."""


def heic(photo: Heif) -> NDArray[Any]:
    """The primary picture, turned by the decoder; uint8 or uint16.

    The built copy is decoded, not the original: it holds one picture, so both give the same one.

    Raises:
        CheckNotRun: pi-heif is not installed.
        Malformed: It does not decode.
    """
    try:
        import pi_heif
    except ImportError as error:
        from medimg.formats.heif.photo import missing_decoder

        raise missing_decoder("pi-heif") from error
    from medimg.formats.heif import _build, _hidden

    cut = photo.property(photo.tables.primary, b"clap") is not None and not photo.alpha
    raw = photo.data[: photo.end] if photo.alpha else _build.build(_hidden.without_spare(photo), turned=not cut).data
    try:
        opened = pi_heif.open_heif(raw, convert_hdr_to_8bit=False)
        primary = opened[opened.primary_index]
        pixels = np.asarray(primary).copy()
    except (ValueError, OSError, RuntimeError, SyntaxError, EOFError, IndexError) as error:
        raise Malformed("the picture cannot be decoded.") from error
    # libheif takes a clean aperture much smaller than the coded picture for an attack, so the crop is done here.
    return _in_order(pixels, photo) if cut else pixels


def avif(photo: Heif) -> NDArray[Any]:
    """The primary picture, turned and mirrored as its properties say; more than 8 bits become 16.

    The built copy is decoded, not the original: it holds one picture, so both give the same one.

    Raises:
        Malformed: It does not decode.
    """
    from medimg.formats.heif import _build, _hidden
    from medimg.native.opencv import cv2

    raw = photo.data[: photo.end] if photo.alpha else _build.build(_hidden.without_spare(photo)).data
    stored = np.frombuffer(raw, np.uint8)
    pixels: NDArray[Any] | None = cv2.imdecode(stored, cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        pixels = _pillow(raw)
    elif pixels.ndim == 3:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB)
    if pixels.dtype == np.uint16:
        bits = (
            12 if photo.coded(photo.kept[-1]).configuration[2] & 0x20 else 10
        )  # AV1 in ISOBMFF, 2.3.3: high_bitdepth, twelve_bit
        pixels = _same(_widened(pixels, bits), _pillow(raw))
    elif pixels.ndim == 2:
        pixels = _pillow(raw)  # cv2 gives luma of limited range as it is coded
    if photo.hidden and pixels.dtype == np.uint8 and _apart(pixels, _pillow(raw)):
        raise Malformed("two readers disagree about the picture.")
    return _turned(_cropped(pixels, photo), photo)


def _apart(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two readings show different things anywhere, as of an item that holds two pictures."""
    if one.shape != other.shape:
        return True
    return bool(np.abs(one.astype(np.int16) - other.astype(np.int16)).max() > READERS)


def _widened(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    wide = pixels.astype(np.uint32)
    return np.asarray((wide << (16 - bits) | wide >> (2 * bits - 16)).astype(np.uint16))


def _same(deep: NDArray[Any], shallow: NDArray[Any]) -> NDArray[Any]:
    """Hold a 16-bit reading against an 8-bit one: a file may claim a depth its picture is not coded in.

    Grey of limited range (ITU-T H.273, 8.3) is spread over the full one: cv2 gives it as it is coded.
    """
    if deep.ndim == 2 and _differ(deep, shallow) > DEPTH_TOLERANCE:
        spread = (deep.astype(np.int64) - (16 << 8)) * 255 // 219
        deep = np.clip(spread, 0, 65535).astype(np.uint16)
    if _differ(deep, shallow) > DEPTH_TOLERANCE:
        raise Malformed("two readers disagree about the picture.")
    return deep


def _differ(deep: NDArray[Any], shallow: NDArray[Any]) -> float:
    """Mean difference, of 255."""
    eight = (deep >> 8).astype(np.int16)
    eight = eight[..., None] if eight.ndim == 2 else eight
    colours = shallow[..., None] if shallow.ndim == 2 else shallow
    if eight.shape[:2] != colours.shape[:2]:
        return 255.0
    channels = min(eight.shape[2], colours.shape[2], 3)
    return float(np.abs(eight[..., :channels] - colours[..., :channels]).mean())


def _pillow(raw: bytes) -> NDArray[Any]:
    import io

    from PIL import Image

    try:
        with Image.open(io.BytesIO(raw), formats=["AVIF"]) as picture:
            return np.asarray(picture).copy()
    except (OSError, ValueError, SyntaxError, RuntimeError) as error:
        raise Malformed("the picture cannot be decoded.") from error


def _cropped(pixels: NDArray[Any], photo: Heif) -> NDArray[Any]:
    """The clean aperture, which comes before rotation (ISO/IEC 14496-12, 12.1.4; MIAF, 7.3.6.7)."""
    clap = photo.property(photo.tables.primary, b"clap")
    if clap is None:
        return pixels
    size, (wide, high) = pixels.shape[:2], _ratios(clap[:16])
    right, down = _ratios(clap[16:], signed=True)
    left = (size[1] - wide) / 2 + right
    top = (size[0] - high) / 2 + down
    corners = [left, top, left + wide, top + high]
    if any(c.denominator != 1 for c in corners) or min(corners) < 0 or corners[2] > size[1] or corners[3] > size[0]:
        raise Malformed("the picture's clean aperture is damaged.")
    x0, y0, x1, y1 = map(int, corners)
    return pixels[y0:y1, x0:x1]


def _ratios(raw: bytes, *, signed: bool = False) -> tuple[Fraction, Fraction]:
    n1, d1, n2, d2 = struct.unpack(">iIiI" if signed else ">4I", raw)
    if not d1 or not d2:
        raise Malformed("the picture's clean aperture is damaged.")
    return Fraction(n1, d1), Fraction(n2, d2)


def _in_order(pixels: NDArray[Any], photo: Heif) -> NDArray[Any]:
    """Crop, rotation and mirror in the order in which the picture names them, as libheif does it."""
    properties = photo.tables.properties
    for kind in (properties[index - 1][0] for index, _ in photo.tables.items[photo.tables.primary].properties):
        if kind == b"clap":
            pixels = _cropped(pixels, photo)
        elif kind in (b"irot", b"imir"):
            pixels = _turned(pixels, photo, kind)
    return np.ascontiguousarray(pixels)


def _turned(pixels: NDArray[Any], photo: Heif, *kinds: bytes) -> NDArray[Any]:
    """Rotation then mirror, or one of them (ISO/IEC 23008-12, 6.5.10 and 6.5.12; MIAF, 7.3.6.7 for the order)."""
    kinds = kinds or (b"irot", b"imir")
    turn = photo.property(photo.tables.primary, b"irot") if b"irot" in kinds else None
    if turn and turn[0] & 3:
        pixels = np.rot90(pixels, turn[0] & 3)  # anticlockwise quarter turns
    mirror = photo.property(photo.tables.primary, b"imir") if b"imir" in kinds else None
    if mirror is not None:
        pixels = pixels[:, ::-1] if mirror[0] & 1 else pixels[::-1]
    return np.ascontiguousarray(pixels)
