"""Copies spoilt one byte at a time: what can be changed without the judge noticing is the picture, and listed here."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator

import dicom_kit
import heif_kit
import numpy as np
import pytest
from PIL import Image, ImageCms

from medimg import audit, formats
from medimg.errors import Malformed
from medimg.types import Limits

Part = tuple[str, int, int]
"""What it is called, where it begins, where it ends."""
SIDE = 8
CHANGES = (0x01, 0x02, 0x40, 0x80)
"""Bits that are turned over, one after the other, in each byte."""


def copy_of(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return formats.open_photo(out.getvalue(), Limits()).write().data


def noise(mode: str) -> Image.Image:
    bands = {"L": 1, "RGB": 3, "RGBA": 4, "LA": 2}[mode]
    values = np.random.default_rng(7).integers(1, 256, (SIDE, SIDE, bands), np.uint8)
    return Image.fromarray(values[..., 0] if bands == 1 else values, mode)


def turned(k: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = k
    return exif


TURNED = heif_kit.box(b"irot", b"\1")
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def with_looks(data: bytes) -> bytes:
    """A PNG copy of RGB that says in every way how it looks."""
    out = data[:33]
    for kind, body in (
        (b"gAMA", struct.pack(">I", 45455)),
        (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
        (b"sRGB", b"\0"),
        (b"cICP", bytes((1, 13, 0, 1))),
        (b"sBIT", bytes((8, 8, 7))),
        (b"tRNS", struct.pack(">3H", 0, 1, 2)),
    ):
        out += struct.pack(">I", len(body)) + kind + body + bytes(4)
    return mended(out + data[33:])


def noticed(data: bytes, name: str) -> bool:
    try:
        return bool(audit.walk(data, name))
    except Malformed:
        return True


# -- the parts of a file ----------------------------------------------------------------------------------------------


def png_parts(data: bytes) -> Iterator[Part]:
    at = 8
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind.decode(), at + 8, at + 8 + size
        at += 12 + size


def jpeg_parts(data: bytes) -> Iterator[Part]:
    at = 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        yield f"{data[at + 1]:02X}", at, end
        at = end
    end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
    yield "DA", at, end
    yield "EOI", len(data) - 2, len(data)


def dicom_parts(data: bytes) -> Iterator[Part]:
    yield "preamble", 0, 132
    at = 132
    while True:
        group, number, kind, size = struct.unpack_from("<HH2sH", data, at)
        start = at
        at += 8
        if kind in (b"OB", b"OW", b"SQ"):
            (size,) = struct.unpack_from("<I", data, at)
            at += 4
        if (group, number) == (0x7FE0, 0x0010):
            yield "7FE00010", start, at
            return
        yield f"{group:04X}{number:04X}", start, at + size
        at += size


def webp_parts(data: bytes) -> Iterator[Part]:
    yield "RIFF", 0, 12
    at = 12
    while at < len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        yield kind.decode().strip(), at, at + 8 + (0 if kind[:3] == b"VP8" and kind != b"VP8X" else size)
        at += 8 + size + size % 2


def tiff_parts(data: bytes) -> Iterator[Part]:
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", data, 4)
    yield "head", 0, 8
    (count,) = struct.unpack_from(f"{order}H", data, at)
    yield "count", at, at + 2
    for k in range(at + 2, at + 2 + 12 * count, 12):
        tag, kind, many = struct.unpack_from(f"{order}HHI", data, k)
        yield str(tag), k, k + 12
        size = {3: 2, 4: 4, 5: 8, 7: 1}[kind] * many
        if size > 4:
            (place,) = struct.unpack_from(f"{order}I", data, k + 8)
            yield str(tag), place, place + size
    yield "next", at + 2 + 12 * count, at + 6 + 12 * count


def heif_parts(data: bytes, at: int = 0, end: int = 0) -> Iterator[Part]:
    end = end or len(data)
    while at < end:
        size, kind = struct.unpack_from(">I4s", data, at)
        inner = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"iinf": 6, b"iref": 4}.get(kind)
        head = at + (8 if inner is None and kind == b"mdat" else size if inner is None else 8 + inner)
        yield kind.decode(), at, head
        if inner is not None:
            yield from heif_parts(data, head, at + size)
        at += size


def mended(data: bytes) -> bytes:
    """A PNG file with the right checksums."""
    out = bytearray(data)
    for _, start, end in png_parts(data):
        out[end : end + 4] = struct.pack(">I", zlib.crc32(out[start - 4 : end]))
    return bytes(out)


# -- what may change --------------------------------------------------------------------------------------------------

HEADER = {
    *("0020000D", "0020000E"),  # new identifiers
    *("00080060", "00120063", "00200011", "00200013", "00200060", "00282110"),
}
"""Attributes of which another value is allowed as well."""
CASES: dict[str, tuple[str, bytes, Callable[[bytes], Iterator[Part]], set[str]]] = {
    "PNG": ("png", copy_of(noise("RGB"), "PNG", exif=turned(6)), png_parts, {"IHDR", "IDAT", "eXIf"}),
    "PNG with looks": (
        "png",
        with_looks(copy_of(noise("RGB"), "PNG")),
        png_parts,
        {"IHDR", "IDAT", "gAMA", "cHRM", "sRGB", "cICP", "sBIT", "tRNS"},
    ),
    "PNG with a profile": (  # of which a few bits of the packing unpack to the same
        "png",
        copy_of(noise("RGB"), "PNG", icc_profile=PROFILE),
        png_parts,
        {"IHDR", "IDAT", "iCCP"},
    ),
    "JPEG with a profile": (
        "jpeg",
        copy_of(noise("RGB"), "JPEG", icc_profile=PROFILE),
        jpeg_parts,
        {"C0", "DA", "E0", "E2"},
    ),
    "PNG with alpha": ("png", copy_of(noise("RGBA"), "PNG"), png_parts, {"IDAT"}),
    "PNG with a palette": (
        "png", copy_of(noise("RGB").quantize(16), "PNG"), png_parts, {"IHDR", "IDAT", "PLTE"},
    ),
    "PNG with a palette that is partly clear": (
        "png",
        copy_of(noise("RGB").quantize(16), "PNG", transparency=bytes((0, 40, 80, 120))),
        png_parts,
        {"IHDR", "IDAT", "PLTE", "tRNS"},
    ),
    "JPEG": ("jpeg", copy_of(noise("RGB"), "JPEG", exif=turned(6)), jpeg_parts, {"C0", "DA", "E0", "E1"}),
    "JPEG in passes": (
        "jpeg", copy_of(noise("RGB"), "JPEG", progressive=True), jpeg_parts, {"C2", "C4", "DA", "E0"},
    ),
    "WebP": ("webp", copy_of(noise("RGB"), "WEBP", exif=turned(6)), webp_parts, {"EXIF"}),
    "WebP without loss": ("webp", copy_of(noise("RGBA"), "WEBP", lossless=True), webp_parts, set()),
    "TIFF": ("tiff", copy_of(noise("RGB"), "TIFF", exif=turned(6)), tiff_parts, {"262", "274"}),
    "TIFF with a palette": ("tiff", copy_of(noise("RGB").quantize(16), "TIFF"), tiff_parts, {"320"}),
    "TIFF packed": (
        "tiff", copy_of(noise("RGB"), "TIFF", compression="tiff_adobe_deflate"), tiff_parts, {"262"},
    ),
    "TIFF around a JPEG": (
        "tiff", copy_of(noise("RGB"), "TIFF", compression="jpeg"), tiff_parts, {"262", "277"},
    ),
    "TIFF with a profile": (
        "tiff", copy_of(noise("L"), "TIFF", icc_profile=PROFILE), tiff_parts, {"262", "34675"},
    ),
    "AVIF": ("heif", copy_of(noise("RGB"), "AVIF"), heif_parts, {"colr", "pixi"}),
    "HEIC": (
        "heif",
        heif_kit.heif(
            b"heic",
            [(b"hvc1", heif_kit.SMOOTH, [heif_kit.box(b"hvcC", heif_kit.HVCC), heif_kit.ispe(64, 64), TURNED])],
        ),
        heif_parts,
        {"hvcC", "irot"},
    ),
    "HEIC grid": ("heif", heif_kit.grid_of_two(), heif_parts, {"hvcC"}),
    "DICOM": (
        "dicom",
        formats.open_photo(dicom_kit.saved(dicom_kit.dataset()), Limits()).write().data,
        dicom_parts,
        HEADER,
    ),
    "DICOM around a JPEG": (
        "dicom",
        formats.open_photo(dicom_kit.photograph(), Limits()).write().data,
        dicom_parts,
        {*HEADER, "00020010", "00282112"},
    ),
}  # fmt: skip
EVERY = pytest.mark.parametrize(("name", "data", "parts", "free"), CASES.values(), ids=CASES.keys())


@EVERY
def test_what_can_be_changed_unnoticed_is_listed(
    name: str, data: bytes, parts: Callable[[bytes], Iterator[Part]], free: set[str]
) -> None:
    assert audit.walk(data, name) == []
    unnoticed = set()
    for part, start, end in parts(data):
        for at in range(start, end):
            for bit in CHANGES:
                spoilt = bytearray(data)
                spoilt[at] ^= bit
                if not noticed(mended(spoilt) if name == "png" else bytes(spoilt), name):
                    unnoticed.add(part)
    assert unnoticed == free


@EVERY
def test_a_copy_that_ends_early_or_late_is_noticed(
    name: str, data: bytes, parts: Callable[[bytes], Iterator[Part]], free: set[str]
) -> None:
    padding = name == "tiff" and data[-1:] == b"\0"  # which makes the length even, and may be missing
    ends = {0, 1, 2, *(e for _, start, end in parts(data) for e in (start, start + 1, end - 1, end)), len(data) - 1}
    assert [e for e in ends - {len(data), len(data) - padding} if not noticed(data[:e], name)] == []
    assert noticed(data + b"\0", name)
    assert noticed(data + data, name)


@EVERY
def test_a_part_that_is_missing_or_there_twice_is_noticed_or_listed(
    name: str, data: bytes, parts: Callable[[bytes], Iterator[Part]], free: set[str]
) -> None:
    frame = {"png": (8, 4)}.get(name, (0, 0))  # length and name before a chunk's content, its checksum behind
    for part, start, end in parts(data):
        first, last = start - frame[0], end + frame[1]
        if last < len(data) and part not in ("IDAT", "DA", "VP8", "VP8L", "7FE00010"):
            assert noticed(data[:last] + data[first:last] + data[last:], name), part
