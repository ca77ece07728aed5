"""Fuzz the HEIC and AVIF reader and writer: ``python tests/fuzz/fuzz_heif.py -max_total_time=600`` (needs atheris).

A file is either refused with an error of ours, or its copy passes both readers, is its own copy, and shows the same
samples. HEIC is fuzzed through its tables alone: no encoder for it is at hand.
"""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path

import atheris
import kit
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))
import hevc_kit

kit.watched(
    ("heif",),
    (
        *(f"heif.{n}" for n in ("_build", "_bits", "_decode", "_factors", "_items", "_nal", "_obu", "_parameters")),
        *(f"shared.{n}" for n in ("bmff", "exif", "icc", "xmp")),
        "png",
    ),
)

from medimg.types import Limits  # noqa: E402 - after what is watched

LIMITS = Limits(bytes=1 << 20, pixels=1 << 16)


def box(kind: bytes, *payload: bytes) -> bytes:
    body = b"".join(payload)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def heic() -> bytes:
    """Two tiles and a grid over them, with parameter sets and slices of a few bytes that no decoder reads."""
    hvcc = hevc_kit.record(
        hevc_kit.unit(hevc_kit.VPS, hevc_kit.video()),
        hevc_kit.unit(hevc_kit.SPS, hevc_kit.sequence(8, 8, shown=[])),
        hevc_kit.unit(hevc_kit.PPS, hevc_kit.picture()),
    )
    unit = struct.pack(">I", 6) + b"\x26\1\xe1bcd"
    sei = struct.pack(">I", 5) + b"\x4e\1abc"
    tile = unit + sei
    full = bytes(4)
    infe = [
        box(b"infe", b"\2\0\0\0", struct.pack(">HH4s", n, 0, t), b"\0")
        for n, t in enumerate((b"hvc1", b"hvc1", b"grid"), 1)
    ]
    ispe, whole = box(b"ispe", full, struct.pack(">II", 8, 8)), box(b"ispe", full, struct.pack(">II", 16, 8))
    entries = b"".join(struct.pack(">HBBB", n, 2, 0x81, 2) for n in (1, 2)) + struct.pack(">HBB", 3, 1, 3)
    grid = b"\0\0\0\1" + struct.pack(">HH", 16, 8)

    def meta(start: int) -> bytes:
        places = b"".join(struct.pack(">HHHII", n + 1, 0, 1, start + n * len(tile), len(tile)) for n in range(2))
        places += struct.pack(">HHHII", 3, 0, 1, start + 2 * len(tile), len(grid))
        return box(
            b"meta", full,
            box(b"hdlr", full, bytes(4), b"pict", bytes(12), b"\0"),
            box(b"pitm", full, struct.pack(">H", 3)),
            box(b"iinf", full, struct.pack(">H", 3), *infe),
            box(b"iref", full, box(b"dimg", struct.pack(">HHHH", 3, 2, 1, 2))),
            box(
                b"iprp",
                box(b"ipco", box(b"hvcC", hvcc), ispe, whole),
                box(b"ipma", full, struct.pack(">I", 3), entries),
            ),
            box(b"iloc", full, b"\x44\0", struct.pack(">H", 3), places),
        )  # fmt: skip

    ftyp = box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    return ftyp + meta(len(ftyp) + len(meta(0)) + 8) + box(b"mdat", tile, tile, grid)


def seeds() -> list[bytes]:
    pixels = np.add.outer(np.arange(16), np.arange(24)).astype(np.uint8) * 6
    rgb = np.dstack((pixels, pixels[::-1], pixels[:, ::-1]))
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "words", 6
    out = []
    for array in (pixels, rgb, np.dstack((rgb, pixels))):
        for options in ({}, {"exif": exif.tobytes(), "xmp": b"<x:xmpmeta/>"}):
            file = io.BytesIO()
            Image.fromarray(array).save(file, "AVIF", speed=10, **options)
            out.append(file.getvalue())
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "AVIF", speed=10, save_all=True, append_images=[Image.fromarray(rgb[::-1])])
    return [*out, file.getvalue(), heic(), out[0] + box(b"mpvd", b"x" * 20)]


def one(data: bytes) -> None:
    kit.same_picture(data, "heif", LIMITS, own_copy=lambda again: again.name == "heif")


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Start from a seed where there is little; mostly change the tables, not the coded picture."""
    if len(data) < 60 or not seed % 50:
        data = SEEDS[seed % len(SEEDS)]
    end = data.find(b"mdat")
    if seed % 4 == 0 or end < 0:
        return bytes(atheris.Mutate(data, max_size))
    at = seed // 4 % max(1, end - 16)
    return data[:at] + bytes(atheris.Mutate(data[at : at + 16], 16)).ljust(16, b"\0") + data[at + 16 :]


SEEDS = seeds()

if __name__ == "__main__":
    kit.fuzz(one, mutate)
