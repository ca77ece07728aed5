"""Fuzz the WebP reader and writer: ``python tests/fuzz/fuzz_webp.py -max_total_time=600`` (needs atheris).

A file is either refused with an error of ours, or its copy passes both readers and shows the same samples.
"""

from __future__ import annotations

import importlib
import io
import struct
import sys

import atheris
import numpy as np
from PIL import Image

FORMATS_USED, PARTS = ("webp",), ("_webp_pixels", "_webp_chunks", "_exif", "_icc", "_xmp")

# Atheris keeps the arrays whose comparisons it watches: the module of pixels would fill the memory.
with atheris.instrument_imports(include=["medimg"], exclude=["medimg.formats._webp_pixels"]):
    from medimg import audit, formats
    from medimg.errors import MedimgError
    from medimg.types import Box, Cover, Limits

    for _name in FORMATS_USED:  # loaded here, so that they are watched
        formats.load(_name)
        importlib.import_module(f"medimg.audit.{_name}")
    for _name in PARTS:
        importlib.import_module(f"medimg.formats.{_name}")

LIMITS = Limits(bytes=1 << 20, pixels=1 << 18, frames=8)
COVER = (Cover(polygon=Box(1, 1, 4, 3).polygon, category="name"),)


def chunk(name: bytes, payload: bytes) -> bytes:
    return name + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) & 1)


def seeds() -> list[bytes]:
    pixels = np.add.outer(np.arange(24), np.arange(32)).astype(np.uint8) * 4
    rgb = np.dstack((pixels, pixels[::-1], pixels))
    rgba = np.dstack((rgb, pixels[:, ::-1]))
    out = []
    for array in (rgb, rgba):
        for lossless in (False, True):
            file = io.BytesIO()
            Image.fromarray(array).save(
                file, "WEBP", lossless=lossless, exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0", xmp=b"<x/>"
            )
            out.append(file.getvalue())
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "WEBP", save_all=True, append_images=[Image.fromarray(255 - rgb)])
    return [*out, file.getvalue() + b"tail"]


def one(data: bytes) -> None:
    try:
        photo = formats.load("webp").open(data, LIMITS)
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
    """Start from a seed where there is little; make the outer length fit again."""
    if len(data) < 30:
        data = SEEDS[seed % len(SEEDS)]
    data = atheris.Mutate(data, max_size)
    if seed % 4 and len(data) > 12:
        data = b"RIFF" + struct.pack("<I", len(data) - 8) + b"WEBP" + data[12:]
    return data


SEEDS = seeds()

if __name__ == "__main__":
    atheris.Setup(sys.argv, one, custom_mutator=mutate)
    atheris.Fuzz()
