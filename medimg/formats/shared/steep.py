"""Whether a description of colours would show what nobody looked at.

The checks look at the numbers of the pixels; viewers turn these into colours first. A curve or table that takes two
neighbouring numbers far apart makes black on white of what is one even grey to every check, so such a description is
left out, as one that cannot be read: the copy is then shown as it was looked at.
"""

from __future__ import annotations

import functools
import io
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
MODES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
"""Colour space of a profile -> the mode of pictures in it; what CIELAB and YCbCr mean needs no profile."""
TABLES = (b"A2B0", b"A2B1", b"A2B2")
"""Tables to the eye, one for each way of rendering (ICC.1:2022, 9.2.1); without them all ways are one."""

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
        return any(_far_apart(shown, mode, tables=tables) for shown, tables in _renderings(data, mode))
    except (ImageCms.PyCMSError, OSError, ValueError):
        return True


def _renderings(data: bytes, mode: str) -> Iterator[tuple[Shown, bool]]:
    tables = [k for k, tag in enumerate(TABLES) if tag in data[128 : 132 + 12 * int.from_bytes(data[128:132], "big")]]
    device, screen = ImageCms.ImageCmsProfile(io.BytesIO(data)), ImageCms.createProfile("sRGB")
    for intent in tables or [0]:
        transform = ImageCms.buildTransform(
            device, screen, mode, "RGB", ImageCms.Intent(intent), flags=ImageCms.Flags.NOOPTIMIZE
        )

        def shown(numbers: NDArray[np.uint8], how: ImageCms.ImageCmsTransform = transform) -> NDArray[np.uint8]:
            image = Image.frombytes(mode, (numbers.shape[1], len(numbers)), numbers.tobytes())
            out = ImageCms.applyTransform(image, how)
            if out is None:
                raise ValueError("nothing came back")
            return np.asarray(out, np.uint8)

        yield shown, bool(tables)


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
