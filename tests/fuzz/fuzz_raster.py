"""Fuzz what reads GIF, BMP and JPEG 2000: ``python tests/fuzz/fuzz_raster.py -max_total_time=600`` (needs atheris).

A file is either refused with an error of ours, or its copy, a PNG, passes both readers and shows the same samples.
"""

from __future__ import annotations

import io

import atheris
import kit
import numpy as np
from PIL import Image

kit.watched(
    ("raster",),
    ("raster.photo", "raster._gif", "raster._bmp", "raster._jp2", "shared.bmff", "shared.icc", "shared.xmp", "png"),
)

from medimg.types import Limits  # noqa: E402 - after what is watched

LIMITS = Limits(bytes=1 << 20, pixels=1 << 16, frames=8)


def seeds() -> list[bytes]:
    indices = (np.add.outer(np.arange(9), np.arange(12)) % 16).astype(np.uint8)
    picture = Image.fromarray(indices, "P")
    picture.putpalette(bytes(range(48)))
    out = []
    for name, mode, options in (
        ("GIF", "P", {"comment": b"hello", "transparency": 3, "interlace": 1}),
        ("GIF", "P", {"save_all": True, "append_images": [picture.rotate(180)], "loop": 0}),
        ("BMP", "P", {}),
        ("BMP", "1", {}),
        ("BMP", "RGB", {}),
        ("JPEG2000", "RGB", {"comment": "hello"}),
        ("JPEG2000", "L", {"no_jp2": True}),
    ):
        file = io.BytesIO()
        image = picture if mode == "P" else picture.convert("RGB").convert(mode)
        image.save(file, name, **options)
        out.append(file.getvalue() + b"tail")
    return out


def one(data: bytes) -> None:
    kit.same_picture(data, "raster", LIMITS)


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Start from a seed where there is little."""
    if len(data) < 20:
        data = SEEDS[seed % len(SEEDS)]
    return atheris.Mutate(data, max_size)


SEEDS = seeds()

if __name__ == "__main__":
    kit.fuzz(one, mutate)
