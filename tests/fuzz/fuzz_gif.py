"""Fuzz the GIF and BMP readers and writers: ``python tests/fuzz/fuzz_gif.py -max_total_time=600`` (needs atheris).

A file is either refused with an error of ours, or its copy passes both readers and shows the same samples.
"""

from __future__ import annotations

import io

import atheris
import kit
import numpy as np
from PIL import Image

formats = kit.watched(("gif", "bmp"), ("_gif_blocks", "_lzw", "_palette", "_bmp_header", "_bmp_pixels", "_bmp_rle"))

from medimg.types import Limits  # noqa: E402 - after what is watched

LIMITS = Limits(bytes=1 << 20, pixels=1 << 16, frames=8)


def seeds() -> list[bytes]:
    indices = (np.add.outer(np.arange(9), np.arange(12)) % 16).astype(np.uint8)
    picture = Image.fromarray(indices, "P")
    picture.putpalette(bytes(range(48)))
    out = []
    for name, options in (
        ("GIF", {"comment": b"hello", "transparency": 3, "interlace": 1}),
        ("GIF", {"save_all": True, "append_images": [picture.rotate(180)], "loop": 0}),
        ("BMP", {}),
    ):
        file = io.BytesIO()
        picture.save(file, name, **options)
        out.append(file.getvalue())
    for mode in ("1", "RGB", "RGBA"):
        file = io.BytesIO()
        picture.convert("RGB").convert(mode).save(file, "BMP")
        out.append(file.getvalue() + b"tail")
    return out


def one(data: bytes) -> None:
    name = "gif" if data[:3] == b"GIF" else "bmp"
    if formats.load(name).sniff(data[:4096]):
        kit.same_picture(data, name, LIMITS)


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Start from a seed where there is little."""
    if len(data) < 20:
        data = SEEDS[seed % len(SEEDS)]
    return atheris.Mutate(data, max_size)


SEEDS = seeds()

if __name__ == "__main__":
    kit.fuzz(one, mutate)
