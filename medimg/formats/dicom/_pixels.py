"""Samples of DICOM pixel data that are not JPEG: plain, run-length packed, JPEG 2000."""

from __future__ import annotations

import io
import struct
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medimg.errors import Malformed, Unsupported
from medimg.formats.shared import views as _views


def plain(raw: bytes, shape: tuple[int, int, int], depth: int, *, little: bool, planes: bool) -> NDArray[Any]:
    """One frame of plain pixel data (PS3.5, 8.1 and A.1): (H, W) or (H, W, 3).

    Args:
        raw: The frame's bytes.
        shape: Rows, columns, samples.
        depth: Bits allocated, 8 or 16.
        little: Byte order.
        planes: Whether each colour stands in a plane of its own.
    """
    rows, columns, count = shape
    values = np.frombuffer(raw, np.uint8 if depth == 8 else "<u2" if little else ">u2")
    values = values.astype(np.uint8 if depth == 8 else np.uint16)
    if count == 1:
        return values.reshape(rows, columns)
    if planes:
        return np.ascontiguousarray(values.reshape(count, rows, columns).transpose(1, 2, 0))
    return values.reshape(rows, columns, count)


def run_length(raw: bytes, shape: tuple[int, int, int], depth: int) -> NDArray[Any]:
    """One frame of run-length packed pixel data (PS3.5, Annex G): a plane for each byte of each sample.

    Raises:
        Malformed: It is damaged, or holds more or less than the picture.
    """
    rows, columns, count = shape
    width = depth // 8
    if len(raw) < 64:
        raise Malformed("the run-length packed pixel data are damaged.")
    number, *starts = struct.unpack("<16I", raw[:64])
    if number != count * width or any(starts[number:]):
        raise Malformed("the run-length packed pixel data are damaged.")
    ends = [*starts[1:number], len(raw)]
    out = np.zeros((rows * columns, count), np.uint8 if depth == 8 else np.uint16)
    at = 64
    for index, (start, end) in enumerate(zip(starts[:number], ends, strict=True)):
        if start != at or end < start or end > len(raw):
            raise Malformed("the run-length packed pixel data are damaged.")
        at = end
        sample, byte = divmod(index, width)
        values = np.frombuffer(_unpacked(raw[start:end], rows * columns), np.uint8)
        out[:, sample] |= values.astype(out.dtype) << (8 * (width - 1 - byte))
    return out.reshape(rows, columns) if count == 1 else out.reshape(rows, columns, count)


def _unpacked(raw: bytes, size: int) -> bytes:
    """PackBits (PS3.5, G.3.2) to exactly ``size`` bytes; at most one byte of padding may follow."""
    out = bytearray()
    at = 0
    while len(out) < size:
        if at >= len(raw):
            raise Malformed("the run-length packed pixel data are damaged.")
        code = raw[at]
        if code < 128:
            piece = raw[at + 1 : at + 2 + code]
            at += 2 + code
        else:
            piece = raw[at + 1 : at + 2] * (257 - code) if code > 128 else b""
            at += 2 if code > 128 else 1
        out += piece
    if len(out) != size or at > len(raw) or raw[at:] not in (b"", b"\0"):
        raise Malformed("the run-length packed pixel data are damaged.")
    return bytes(out)


def jpeg2000(raw: bytes, shape: tuple[int, int, int], stored: int) -> NDArray[Any]:
    """One JPEG 2000 frame (ITU-T T.800): a bare codestream of the size and depth the header gives.

    Raises:
        Malformed: It is damaged, or another picture than the header says.
        Unsupported: Signed, subsampled or of a depth that is not decoded exactly.
    """
    from PIL import Image

    rows, columns, count = shape
    if raw[:4] != b"\xff\x4f\xff\x51" or len(raw) < 42 + 3 * count:
        raise Malformed("the JPEG 2000 data do not begin as they should.")
    right, down, left, top = struct.unpack_from(">4I", raw, 8)
    parts = struct.unpack_from(">H", raw, 40)[0]
    if (right - left, down - top, parts) != (columns, rows, count):
        raise Malformed("the JPEG 2000 data are of another size than the DICOM header says.")
    kinds = {raw[42 + 3 * k : 45 + 3 * k] for k in range(count)}
    if kinds != {bytes((stored - 1, 1, 1))} or not (stored == 8 or (count == 1 and 8 < stored <= 16)):
        raise Unsupported("JPEG 2000 of this kind is not handled in DICOM.", todo="Export it uncompressed first.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # its size was held against the limit
            with Image.open(io.BytesIO(raw), formats=["JPEG2000"]) as picture:
                values = np.asarray(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Malformed("the JPEG 2000 data cannot be decoded.") from error
    if values.shape[:2] != (rows, columns):
        raise Malformed("the JPEG 2000 data cannot be decoded.")
    if stored > 8:  # Pillow moves the bits to the top of 16
        return (values.astype(np.uint16) >> (16 - stored)).astype(np.uint16)
    return np.asarray(values, np.uint8)


def spare_bits(samples: NDArray[Any], stored: int) -> bool:
    """Whether bits above those of the picture are set: old files keep overlays there."""
    return bool((samples >> stored).any()) if stored < samples.dtype.itemsize * 8 else False


def without_spare(samples: NDArray[Any], stored: int) -> NDArray[Any]:
    """The samples with the bits above those of the picture cleared."""
    return np.asarray(samples & samples.dtype.type((1 << stored) - 1), samples.dtype)


def views(
    samples: NDArray[Any], stored: int, window: tuple[str, str] | None, profile: bytes = b"", *, inverted: bool
) -> list[NDArray[np.uint8]]:
    """What can be seen, 8-bit RGB: all of the range, and what the header's window shows of it (PS3.3, C.11.2.1.2)."""
    full = (1 << stored) - 1
    upright = full - samples if inverted else samples
    if stored == 8:
        looks = _views.of(upright.astype(np.uint8), profile)
    else:
        looks = _views.of((upright.astype(np.uint32) * 65535 // full).astype(np.uint16), profile)
    if window is not None and samples.ndim == 2:
        centre, width = float(window[0]), max(float(window[1]), 1.0)
        shown = ((samples.astype(np.float64) - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5) * 255
        shown = np.clip(shown, 0, 255).astype(np.uint8)
        looks += _views.of(255 - shown if inverted else shown)
    return [np.asarray(look, np.uint8) for look in looks]
