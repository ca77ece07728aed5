"""Fuzz the PNG reader and writer: ``python tests/fuzz/fuzz_png.py -max_total_time=600`` (needs atheris).

A file is either refused with an error of ours, or its copy passes both readers and shows the same samples.
Checksums are made right after each mutation, so that what stands behind them is reached.
"""

from __future__ import annotations

import struct
import zlib

import atheris
import kit

kit.watched(
    ("png",), ("png._write", "png._pixels", "png._chunks", "png._palette", "shared.exif", "shared.icc", "shared.xmp")
)

from medimg.types import Limits  # noqa: E402 - after what is watched

LIMITS = Limits(bytes=1 << 20, pixels=1 << 18, frames=8)


def chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def seeds() -> list[bytes]:
    out = []
    for depth, colour, row in ((8, 2, 24), (8, 6, 32), (16, 4, 32), (1, 0, 1), (4, 3, 4), (8, 3, 8), (16, 2, 48)):
        raw = b"".join(bytes((k % 5,)) + bytes((k * 7 + j) % 16 for j in range(row)) for k in range(8))
        for lace in (0, 1):
            body = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, depth, colour, 0, 0, lace))
            body += chunk(b"tEXt", b"Author\0x") + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"y"))
            body += chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0")
            if colour == 3:
                body += chunk(b"PLTE", bytes(range(48))) + chunk(b"tRNS", b"\0\x80")
            raw2 = raw + bytes(60) if lace else raw
            body += chunk(b"acTL", bytes(8)) * lace + chunk(b"IDAT", zlib.compress(raw2)) + chunk(b"IEND", b"")
            out.append(b"\x89PNG\r\n\x1a\n" + body + b"tail")
    return out


def mended(data: bytes) -> bytes:
    """The file with every checksum right; a picture is packed again when its first byte says so."""
    out, at = bytearray(data[:8]), 8
    while at + 12 <= len(data):
        size = min(int.from_bytes(data[at : at + 4], "big"), len(data) - at - 12)
        out += chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + size])
        at += size + 12
    return bytes(out) + data[at:]


def one(data: bytes) -> None:
    kit.same_picture(data, "png", LIMITS)


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Now and then start from a seed; mutate inside the compressed picture as well as around it."""
    if len(data) < 40:
        data = SEEDS[seed % len(SEEDS)]
    if seed % 3 == 0:
        start = data.find(b"IDAT")
        if start > 0:
            size = int.from_bytes(data[start - 4 : start], "big")
            try:
                rows = zlib.decompressobj().decompress(data[start + 4 : start + 4 + size], 1 << 16)
            except zlib.error:
                rows = b""
            rows = atheris.Mutate(rows, 1 << 12) if rows else b""
            packed = chunk(b"IDAT", zlib.compress(rows))
            return data[: start - 4] + packed + data[start + 8 + size :]
    return mended(atheris.Mutate(data, max_size))


SEEDS = seeds()

if __name__ == "__main__":
    kit.fuzz(one, mutate)
