"""Fuzz the TIFF reader and writer: ``python tests/fuzz/fuzz_tiff.py -max_total_time=600`` (needs atheris).

A file is either refused with an error of ours, or its copy passes both readers, is its own copy, and shows the same
samples.
"""

from __future__ import annotations

import importlib
import io
import struct

import atheris
import kit
import numpy as np
from PIL import Image

kit.watched(
    ("tiff",),
    (
        *(f"tiff.{n}" for n in ("_file", "_findings", "_decode", "packed")),
        *(f"shared.{n}" for n in ("exif", "icc", "iptc", "xmp")),
        "png",
        "refused",
    ),
)

from medimg.types import Limits  # noqa: E402 - after what is watched

LIMITS = Limits(bytes=1 << 20, pixels=1 << 16, frames=8)
COMPRESSIONS = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")


def seeds() -> list[bytes]:
    pixels = np.add.outer(np.arange(16), np.arange(24)).astype(np.uint8) * 6
    rgb = np.dstack((pixels, pixels[::-1], pixels[:, ::-1]))
    rgba = np.dstack((rgb, pixels))
    out = []
    for array in (pixels, rgb, rgba, pixels.astype(np.uint16) * 257):
        for compression in COMPRESSIONS:
            if compression == "jpeg" and (array.dtype != np.uint8 or array.shape[-1] == 4):
                continue
            file = io.BytesIO()
            Image.fromarray(array).save(file, "TIFF", compression=compression, description="words", x_resolution=72)
            out.append(file.getvalue())
    for picture, options in (
        (Image.fromarray(rgb).quantize(16), {}),
        (Image.fromarray(pixels).convert("1"), {"compression": "group4"}),
        (Image.fromarray(rgb).convert("CMYK"), {"compression": "tiff_lzw"}),
        (Image.fromarray(rgb), {"save_all": True, "append_images": [Image.fromarray(pixels)]}),
        (Image.fromarray(rgb), {"big_tiff": True}),
    ):
        file = io.BytesIO()
        picture.save(file, "TIFF", **options)
        out.append(file.getvalue())
    return [*out, planes(">"), planes("<")]


def planes(order: str) -> bytes:
    """16-bit colours, each plane of its own."""
    values = {256: 8, 257: 4, 258: 16, 259: 1, 262: 2, 277: 3, 278: 4, 284: 2}
    fields = {tag: (3, struct.pack(f"{order}H", value)) for tag, value in values.items()}
    fields[258] = (3, struct.pack(f"{order}3H", 16, 16, 16))
    build = importlib.import_module("medimg.formats.tiff._file").build
    return bytes(build(order, fields, [bytes(range(64))] * 3, offsets=273, counts=279))


def one(data: bytes) -> None:
    kit.same_picture(data, "tiff", LIMITS, own_copy=lambda again: not again.has_alpha)


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Start from a seed where there is little; often change one entry of the directory and nothing else."""
    if len(data) < 60 or not seed % 50:
        data = SEEDS[seed % len(SEEDS)]
    if seed % 3:
        return bytes(atheris.Mutate(data, max_size))
    order = "<" if data[:2] == b"II" else ">"
    at = struct.unpack_from(f"{order}I", data, 4)[0] if data[2:4] in (b"*\0", b"\0*") else 16
    entry = at + 2 + 12 * (seed // 3 % 14)
    if entry + 12 > len(data):
        return bytes(atheris.Mutate(data, max_size))
    return data[:entry] + bytes(atheris.Mutate(data[entry : entry + 12], 12)).ljust(12, b"\0") + data[entry + 12 :]


SEEDS = seeds()

if __name__ == "__main__":
    kit.fuzz(one, mutate)
