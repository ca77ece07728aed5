"""Whether a description of colours would show what nobody looked at.

The checks look at the numbers of the pixels; viewers turn these into colours first. A curve or table that takes two
neighbouring numbers far apart makes black on white of what is one even grey to every check, so such a description is
left out, as one that cannot be read: the copy is then shown as it was looked at.
"""

from __future__ import annotations

import functools
import io
import itertools
import struct
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

STEP = 24
"""Most difference of two colours shown, 8 bits a channel, whose numbers differ by one; the two darkest levels of linear
light are 13 apart (IEC 61966-2-1)."""
OTHERS, CLOSE = 5, 64
"""Levels of the other channels at which each channel is tried: curves know nothing of them, tables do."""
CLOSE_OF_INKS = 9
"""The same for tables of four inks."""
SLAB = 8
"""Levels of red that are tried at once: all neighbours of three channels are, in 4 s of a processor."""
FINE, FINE_OF_INKS = 0.03, 0.1
"""Most of a cell of a table that a number is from the next one for the two to be no farther apart than :data:`STEP`,
whatever the cells say: with three channels together, and one of four inks, of which there are too many to try."""
MODES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
"""Colour space of a profile -> the mode of pictures in it; what CIELAB and YCbCr mean needs no profile."""
TABLES = (b"A2B0", b"A2B1", b"A2B2")
"""Tables to the eye, one for each way of rendering (ICC.1:2022, 9.2.1); without them all ways are one."""

WAYS = [way for way in itertools.product((-1, 0, 1), repeat=3) if way > (0, 0, 0)]
"""From a number of three channels to half of its 26 neighbours; the other half are the same pairs."""
Shown = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
"""Numbers, (n, 256, channels), to colours, (n, 256, 3)."""


@functools.lru_cache(maxsize=8)
def steep(data: bytes) -> bool:
    """Whether an ICC profile is so, or cannot be tried.

    Args:
        data: The profile, as it would be written.
    """
    mode = MODES.get(data[16:20])
    if mode is None:
        return True
    try:
        return any(
            _far_apart(shown, mode, tables=bool(table)) or _hidden(shown, mode, table)
            for each in (data, *without_tables(data))
            for shown, table in renderings(each, mode)
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return True


def without_tables(data: bytes) -> Iterator[bytes]:
    """A profile as those see it who do not know its tables, where curves stand beside these."""
    tags = [data[132 + 12 * n : 136 + 12 * n] for n in range(int.from_bytes(data[128:132], "big"))]
    if {*TABLES} & {*tags} and {b"rTRC", b"kTRC"} & {*tags}:
        out = bytearray(data)
        for n, tag in enumerate(tags):
            if tag in TABLES:
                out[132 + 12 * n : 136 + 12 * n] = b"none"
        yield bytes(out)


def renderings(data: bytes, mode: str) -> Iterator[tuple[Shown, bytes]]:
    """What a profile shows in each of its ways, and the table of that; none of the same table twice."""
    tables: dict[bytes, int] = {}
    for n in range(int.from_bytes(data[128:132], "big")):
        tag, at, size = struct.unpack_from(">4sII", data, 132 + 12 * n)
        if tag in TABLES:
            tables.setdefault(data[at : at + size], TABLES.index(tag))
    device, screen = ImageCms.ImageCmsProfile(io.BytesIO(data)), ImageCms.createProfile("sRGB")
    for table, intent in (tables or {b"": 0}).items():
        transform = ImageCms.buildTransform(
            device, screen, mode, "RGB", ImageCms.Intent(intent), flags=ImageCms.Flags.NOOPTIMIZE
        )

        def shown(numbers: NDArray[np.uint8], how: ImageCms.ImageCmsTransform = transform) -> NDArray[np.uint8]:
            image = Image.frombytes(mode, (numbers.shape[1], len(numbers)), numbers.tobytes())
            out = ImageCms.applyTransform(image, how)
            if out is None:
                raise ValueError("nothing came back")
            return np.asarray(out, np.uint8)

        yield shown, table


def _far_apart(shown: Shown, mode: str, *, tables: bool) -> bool:
    channels = Image.getmodebands(mode)
    many = OTHERS if not tables else CLOSE if channels == 3 else CLOSE_OF_INKS
    levels = np.linspace(0, 255, many).round().astype(np.uint8)
    for channel in range(channels):
        others = (
            np.stack(np.meshgrid(*[levels] * (channels - 1), indexing="ij"), axis=-1) if channels > 1 else levels[:1]
        )
        rest = others.reshape(-1, max(channels - 1, 1))
        numbers = np.empty((len(rest), 256, channels), np.uint8)
        numbers[..., [k for k in range(channels) if k != channel]] = rest[:, None, : channels - 1]
        numbers[..., channel] = np.arange(256)
        if np.abs(np.diff(shown(numbers).astype(np.int16), axis=1)).max() > STEP:
            return True
    return False


def _hidden(shown: Shown, mode: str, table: bytes) -> bool:
    """Whether neighbours may be far apart at a place between those that were tried.

    Curves hide one too: where three channels make light together, one of them changes nothing while the others clip.
    """
    if mode == "CMYK":
        return bool(table) and not _fine(table, FINE_OF_INKS)
    return mode == "RGB" and not (table and _fine(table, FINE)) and _anywhere(shown)


def _anywhere(shown: Shown) -> bool:
    """Whether any two of three channels' numbers that differ by one in each channel at most are far apart."""
    green, blue = np.meshgrid(*[np.arange(256, dtype=np.uint8)] * 2, indexing="ij")
    last = None
    for start in range(0, 256, SLAB):
        numbers = np.empty((SLAB, 256, 256, 3), np.uint8)
        numbers[..., 0] = np.arange(start, start + SLAB)[:, None, None]
        numbers[..., 1], numbers[..., 2] = green, blue
        seen = shown(numbers.reshape(SLAB * 256, 256, 3)).reshape(numbers.shape).astype(np.int16)
        block = seen if last is None else np.concatenate([last, seen])
        for way in WAYS:
            there, from_there = (tuple(map(side, way)) for side in (_begins, _ends))
            if np.abs(block[from_there] - block[there]).max() > STEP:
                return True
        last = seen[-1:]
    return False


def _begins(step: int) -> slice:
    return slice(1 if step < 0 else None, -1 if step > 0 else None)


def _ends(step: int) -> slice:
    return slice(1 if step > 0 else None, -1 if step < 0 else None)


def _fine(table: bytes, most: float) -> bool:
    """Whether all neighbouring numbers lie within so much of a cell of a table (ICC.1:2022, 10.10 and 10.11)."""
    kind, inputs, points = table[:4], table[8], table[10]
    if kind not in (b"mft1", b"mft2"):
        return False
    entries = 256 if kind == b"mft1" else int.from_bytes(table[48:50], "big")
    start, width = (48, 1) if kind == b"mft1" else (52, 2)
    curves = np.frombuffer(table, f">u{width}", inputs * entries, start).reshape(inputs, entries) / (256**width - 1)
    levels = np.linspace(0, entries - 1, 256)
    steps = [np.abs(np.diff(np.interp(levels, np.arange(entries), curve))).max() for curve in curves]
    return bool(max(steps) * (points - 1) <= most)
