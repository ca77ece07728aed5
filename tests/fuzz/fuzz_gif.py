"""Fuzz the GIF and BMP readers and writers: ``python tests/fuzz/fuzz_gif.py -max_total_time=600`` (needs atheris).

A file is either refused with an error of ours, or its copy passes both readers and shows the same samples.
"""

from __future__ import annotations

import importlib
import io
import sys

import atheris
import numpy as np
from PIL import Image

FORMATS_USED, PARTS = ("gif", "bmp"), ("_gif_blocks", "_lzw", "_palette", "_bmp_header", "_bmp_pixels", "_bmp_rle")

with atheris.instrument_imports(include=["medimg"]):
    from medimg import audit, formats
    from medimg.errors import MedimgError
    from medimg.types import Box, Cover, Limits

    for _name in FORMATS_USED:  # loaded here, so that they are watched
        formats.load(_name)
        importlib.import_module(f"medimg.audit.{_name}")
    for _name in PARTS:
        importlib.import_module(f"medimg.formats.{_name}")

LIMITS = Limits(bytes=1 << 20, pixels=1 << 16, frames=8)
COVER = (Cover(polygon=Box(1, 1, 4, 3).polygon, category="name"),)


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
    if not formats.load(name).sniff(data[:4096]):
        return
    try:
        photo = formats.load(name).open(data, LIMITS)
        photo.metadata()
        samples = photo.samples()
        photo.views()
        copies = [photo.write(), photo.write(COVER)]
    except MedimgError:
        return
    for copy in copies:
        strays = audit.walk(copy.data, copy.format)
        again = formats.open_photo(copy.data, LIMITS)
        left = again.metadata()
        if strays or left or again.samples().shape[:2] != samples.shape[:2]:
            raise RuntimeError(f"left: {strays} {left}")
    if not np.array_equal(formats.open_photo(copies[0].data, LIMITS).samples(), samples):
        raise RuntimeError("the picture changed")


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Start from a seed where there is little."""
    if len(data) < 20:
        data = SEEDS[seed % len(SEEDS)]
    return atheris.Mutate(data, max_size)


SEEDS = seeds()

if __name__ == "__main__":
    atheris.Setup(sys.argv, one, custom_mutator=mutate)
    atheris.Fuzz()
