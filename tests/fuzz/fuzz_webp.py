"""Fuzz the WebP reader and writer: ``python tests/fuzz/fuzz_webp.py -max_total_time=600`` (needs atheris).

A file is either refused with an error of ours, or its copy passes both readers and shows the same samples.
"""

from __future__ import annotations

import io
import struct

import atheris
import kit
import numpy as np
from PIL import Image

kit.watched(
    ("webp",),
    ("webp._pixels", "webp._chunks", "shared.exif", "shared.icc", "shared.xmp"),
    besides=("medimg.formats.webp._pixels",),
)

from medimg.types import Limits  # noqa: E402 - after what is watched

LIMITS = Limits(bytes=1 << 20, pixels=1 << 18, frames=8)


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
    kit.same_picture(data, "webp", LIMITS)


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
    kit.fuzz(one, mutate)
