"""PNG rows and samples. The C decoder is only ever given IHDR, checked IDAT and IEND.

A PNG row is a string of bytes predicted from bytes ``stride`` places before it, whatever its bits mean (PNG 9.2).
So any picture is decoded, padding bits included, as a plain 8- or 16-bit picture with the same stride and rows,
and encoded the same way.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medimg.errors import CheckNotRun
from medimg.formats.png._chunks import SIGNATURE, Chunk, Header, Inflation, Pass, chunk, parts, walk
from medimg.native.opencv import cv2

LIKE = {1: (0, 8), 2: (0, 16), 3: (2, 8), 4: (6, 8), 6: (2, 16), 8: (6, 16)}
"""Stride -> colour type and depth of the plain picture a row is read as."""

LEVEL = 3
PHOTO = (cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_AVG, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)
DRAWING = (cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT)
"""Deflate level, filters and strategies by measurement (``benchmarks/lossless_levels.py``): noise leaves run lengths
nothing to lose and takes a third of the time, and the mean of two neighbours foretells it as well as the best of all
filters, which takes two thirds more; a screenshot gets half the size from looking for repeats."""
STRIP = 48
"""Rows that are tried with both strategies."""


def rows(data: bytes, idat: list[Chunk], header: Header, *, whole: bool) -> list[NDArray[np.uint8]]:
    """Unfiltered rows, padding bits included: (height, row bytes) for each grid of ``header.passes()``.

    Args:
        data: The file.
        idat: Its picture chunks, checked before.
        header: Its header.
        whole: True when the chunks hold the picture's zlib stream and nothing besides.
    """
    grids = header.passes()
    if len(grids) == 1 and whole:
        return [_unfiltered(b"".join(c.whole(data) for c in idat), grids[0], header.stride)]
    size = sum(g.height * (g.row + 1) for g in grids)
    raw = memoryview(b"".join(Inflation(parts(data, idat), size)))
    out, at = [], 0
    for grid in grids:
        end = at + grid.height * (grid.row + 1)
        out.append(_unfiltered(chunk(b"IDAT", zlib.compress(raw[at:end], 0)), grid, header.stride))
        at = end
    return out


def _unfiltered(idat: bytes, grid: Pass, stride: int) -> NDArray[np.uint8]:
    colour, depth = LIKE[stride]
    like = Header(grid.row // stride, grid.height, depth, colour, False)
    file = SIGNATURE + chunk(b"IHDR", like.packed()) + idat + chunk(b"IEND", b"")
    try:
        pixels = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise CheckNotRun("the picture is too large for the decoder.") from error
    channels = {0: 1, 2: 3, 6: 4}[colour]
    expected = (like.height, like.width) if channels == 1 else (like.height, like.width, channels)
    if pixels is None or pixels.shape != expected or pixels.dtype != (np.uint8 if depth == 8 else np.uint16):
        raise CheckNotRun("the picture could not be decoded.")
    if channels > 1:
        cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if channels == 3 else cv2.COLOR_BGRA2RGBA, dst=pixels)
    if depth == 16:
        pixels = pixels.astype(">u2", copy=False)
    raw: NDArray[np.uint8] = np.ascontiguousarray(pixels).view(np.uint8).reshape(grid.height, grid.row)
    return raw


def packed(grid: NDArray[np.uint8], stride: int, *, photo: bool) -> bytes:
    """One zlib stream of rows (height, row bytes): filtered for photographs, unfiltered for index pictures.

    Raises:
        CheckNotRun: The encoder refuses the size.
    """
    height, row = grid.shape
    if not photo:
        raw = np.zeros((height, row + 1), np.uint8)
        raw[:, 1:] = grid
        return zlib.compress(raw.tobytes(), 6)
    colour, depth = LIKE[stride]
    channels = {0: 1, 2: 3, 6: 4}[colour]
    shape = (height, row // stride) if channels == 1 else (height, row // stride, channels)
    pixels: NDArray[Any] = np.ascontiguousarray(grid).view(">u2").astype(np.uint16) if depth == 16 else grid
    pixels = np.ascontiguousarray(pixels).reshape(shape)
    if channels > 1:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR if channels == 3 else cv2.COLOR_RGBA2BGRA)
    middle = max(0, height // 2 - STRIP // 2)
    strip = np.ascontiguousarray(pixels[middle : middle + STRIP])
    drawing = len(_encoded(strip, DRAWING)) < 0.8 * len(_encoded(strip, PHOTO))
    whole = _encoded(pixels, DRAWING if drawing else PHOTO)
    return b"".join(parts(whole, [c for c in walk(whole)[0] if c.type == b"IDAT"]))


def _encoded(pixels: NDArray[Any], way: tuple[int, ...]) -> bytes:
    try:
        done, file = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, LEVEL, *way])
    except cv2.error as error:
        raise CheckNotRun("the picture is too large for the encoder.") from error
    if not done:
        raise CheckNotRun("the picture could not be encoded.")
    return bytes(file.tobytes())


def padding_used(grids: list[NDArray[np.uint8]], header: Header) -> bool:
    """Whether bits after the last pixel of a row are set (they belong to no pixel)."""
    for grid, place in zip(grids, header.passes(), strict=True):
        spare = place.row * 8 - place.width * header.depth * header.channels
        if spare and bool((grid[:, -1] & ((1 << spare) - 1)).any()):
            return True
    return False


def values(grids: list[NDArray[np.uint8]], header: Header) -> NDArray[Any]:
    """Stored values: uint8 or uint16, (H, W) or (H, W, C); small depths and palette indices unpacked, not scaled."""
    shape = (header.height, header.width) if header.channels == 1 else (header.height, header.width, header.channels)
    places = header.passes()
    if len(places) == 1:
        return _values(grids[0], places[0].width, header).reshape(shape)
    out = np.empty(shape, np.uint16 if header.depth == 16 else np.uint8)
    for grid, p in zip(grids, places, strict=True):
        part = _values(grid, p.width, header)
        out[p.y :: p.dy, p.x :: p.dx] = part.reshape(p.height, p.width, *shape[2:])
    return out


def _values(grid: NDArray[np.uint8], width: int, header: Header) -> NDArray[Any]:
    if header.depth == 16:
        return grid.view(">u2").astype(np.uint16)
    if header.depth == 8:
        return grid
    per_byte = 8 // header.depth
    shifts = np.arange(8 - header.depth, -1, -header.depth, dtype=np.uint8)
    bits = (grid[:, :, None] >> shifts) & np.uint8((1 << header.depth) - 1)
    return np.ascontiguousarray(bits.reshape(grid.shape[0], grid.shape[1] * per_byte)[:, :width])


def row_bytes(pixels: NDArray[Any], depth: int) -> NDArray[np.uint8]:
    """The reverse of :func:`values` for a picture that is not interlaced: (H, row bytes), padding bits 0."""
    height, width = pixels.shape[:2]
    if depth == 16:
        return np.ascontiguousarray(pixels.astype(">u2")).view(np.uint8).reshape(height, -1)
    if depth == 8:
        return np.ascontiguousarray(pixels).reshape(height, -1)
    per_byte = 8 // depth
    padded = np.zeros((height, -(-width // per_byte) * per_byte), np.uint8)
    padded[:, :width] = pixels
    shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
    packed_rows: NDArray[np.uint8] = np.bitwise_or.reduce(padded.reshape(height, -1, per_byte) << shifts, axis=2)
    return packed_rows.astype(np.uint8)
