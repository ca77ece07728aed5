"""Fuzz the JPEG reader and writer: ``python tests/fuzz/fuzz_jpeg.py -max_total_time=600`` (needs atheris).

A file is either refused with an error of ours, or its copy passes both readers, is its own copy, and shows the same
samples.
"""

from __future__ import annotations

import io
import struct

import atheris
import kit
import numpy as np
from PIL import Image

kit.watched(
    ("jpeg",),
    (
        "jpeg._findings",
        "jpeg._headers",
        "jpeg._parse",
        "jpeg._segments",
        *(f"shared.{n}" for n in ("exif", "icc", "iptc", "xmp")),
    ),
)

from medimg.types import Limits  # noqa: E402 - after what is watched

LIMITS = Limits(bytes=1 << 20, pixels=1 << 16)


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def extras() -> list[bytes]:
    """One segment of each sort that is looked into."""
    tiff = b"II*\0\x08\0\0\0" + struct.pack("<H", 3) + struct.pack("<HHII", 0x0112, 3, 1, 6)
    tiff += struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<HHII", 0x8825, 4, 1, 50) + bytes(16)
    icc = struct.pack(">I", 132 + 12 + 20) + bytes(4) + b"\2" + bytes(3) + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    icc = icc.ljust(128, b"\0") + struct.pack(">I4sII", 1, b"wtpt", 144, 20) + b"XYZ " + bytes(16)
    irb = b"8BIM\x04\x04\0\0" + struct.pack(">I", 8) + b"\x1c\x02\x50\0\3abc" + b"8BIM\x04\x0c\0\0\0\0\0\0"
    mpf = b"MM\0*\0\0\0\x08\0\1" + struct.pack(">HHII", 0xB002, 7, 32, 26) + bytes(36)
    return [
        segment(0xE1, b"Exif\0\0" + tiff),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<dc:creator>x</dc:creator>"),
        segment(0xE2, b"ICC_PROFILE\0\1\1" + icc),
        segment(0xED, b"Photoshop 3.0\0" + irb),
        segment(0xE2, b"MPF\0" + mpf),
        segment(0xEE, b"Adobe\0\x64\0\0\0\0\1"),
        segment(0xEB, b"JP\0\1\0\0\0\1jumb"),
        segment(0xFE, b"words"),
        segment(0xDD, b"\0\1"),
    ]


def seeds() -> list[bytes]:
    pixels = np.add.outer(np.arange(16), np.arange(24)).astype(np.uint8) * 6
    rgb = np.dstack((pixels, pixels[::-1], pixels[:, ::-1]))
    plain = []
    for image in (Image.fromarray(rgb), Image.fromarray(pixels), Image.fromarray(rgb).convert("CMYK")):
        for options in ({}, {"progressive": True}, {"restart_marker_blocks": 2}):
            file = io.BytesIO()
            image.save(file, "JPEG", **options)
            plain.append(file.getvalue())
    loaded = [plain[0][:20] + extra + plain[0][20:] for extra in extras()]
    return [*plain, *loaded, plain[0] + plain[1], b"\r\n" + plain[0]]


def one(data: bytes) -> None:
    kit.same_picture(data, "jpeg", LIMITS, own_copy=lambda _: True)


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Start from a seed where there is little; now and then put a whole segment in, and the end back."""
    if len(data) < 60 or not seed % 50:
        data = SEEDS[seed % len(SEEDS)]
    if seed % 3 == 0:
        places = [k for k in range(2, len(data) - 1) if data[k] == 0xFF and data[k + 1] >= 0xC0] or [2]
        at = places[seed // 3 % len(places)]
        data = data[:at] + EXTRAS[seed // 7 % len(EXTRAS)] + data[at:]
    data = atheris.Mutate(data, max_size)
    if seed % 5:
        data = b"\xff\xd8" + data[2:]
        data = data if data.endswith(b"\xff\xd9") else data[:-2] + b"\xff\xd9"
    return data


SEEDS, EXTRAS = seeds(), extras()

if __name__ == "__main__":
    kit.fuzz(one, mutate)
