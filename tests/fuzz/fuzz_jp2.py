"""Fuzz the JPEG 2000 reader and writer: ``python tests/fuzz/fuzz_jp2.py -max_total_time=600`` (needs atheris).

A file is either refused with an error of ours, or its copy passes both readers, is its own copy, and shows the same
samples.
"""

from __future__ import annotations

import io

import atheris
import kit
import numpy as np
from PIL import Image

kit.watched(("jp2",), ("_bmff", "_exif", "_icc", "_jp2_codestream", "_trailing", "_xmp", "png"))

from medimg.types import Limits  # noqa: E402 - after what is watched

LIMITS = Limits(bytes=1 << 20, pixels=1 << 16)


def seeds() -> list[bytes]:
    pixels = np.add.outer(np.arange(16), np.arange(24)).astype(np.uint8) * 6
    rgb = np.dstack((pixels, pixels[::-1], pixels[:, ::-1]))
    arrays = (pixels, rgb, np.dstack((rgb, pixels)), pixels.astype(np.uint16) * 257)
    out = []
    for array in arrays:
        for options in ({}, {"irreversible": True, "comment": "words"}, {"tile_size": (16, 16)}, {"no_jp2": True}):
            file = io.BytesIO()
            Image.fromarray(array).save(file, "JPEG2000", num_resolutions=3, **options)
            out.append(file.getvalue())
    return [*out, out[0] + b"\0\0\0\x0cxml <x/>", out[3] + b"tail"]


def one(data: bytes) -> None:
    kit.same_picture(data, "jp2", LIMITS, own_copy=lambda again: again.name == "jp2")


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Start from a seed where there is little; mostly change the headers, a few bytes at once."""
    if len(data) < 60 or not seed % 50:
        data = SEEDS[seed % len(SEEDS)]
    end = data.find(b"\xff\x93")
    if seed % 4 == 0 or end < 20:
        return bytes(atheris.Mutate(data, max_size))
    at = seed // 4 % (end - 8)
    return data[:at] + bytes(atheris.Mutate(data[at : at + 8], 8)).ljust(8, b"\0") + data[at + 8 :]


SEEDS = seeds()

if __name__ == "__main__":
    kit.fuzz(one, mutate)
