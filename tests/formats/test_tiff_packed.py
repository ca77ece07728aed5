"""Packed TIFF strips: the copy has the same rows, packed anew, so that nothing can lie in how they were packed."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tiff_kit import build

from medimg import audit, formats
from medimg.errors import InputError
from medimg.formats import tiff
from medimg.types import Limits

WORDS = b"Dr Smith, ward 7"
CODES = {"raw": 1, "group3": 3, "group4": 4, "tiff_lzw": 5, "tiff_adobe_deflate": 8, "packbits": 32773}


def strip_of(pixels: np.ndarray, packing: str) -> bytes:
    """The one strip of a picture that libtiff packed."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "TIFF", compression=packing, tiffinfo={278: len(pixels)})
    with Image.open(io.BytesIO(out.getvalue())) as picture:
        tags = picture.tag_v2  # type: ignore[attr-defined]
        (start,), (size,) = tags[273], tags[279]
    return out.getvalue()[start : start + size]


def one_strip(packed: bytes, size: tuple[int, int], code: int, bits: int = 8, order: str = "<", **more: int) -> bytes:
    numbers = {256: size[0], 257: size[1], 258: bits, 259: code, 262: 1, 277: 1, 278: size[1]}
    numbers |= {int(tag[1:]): value for tag, value in more.items()}
    return build(order, {t: (4, struct.pack(f"{order}I", v)) for t, v in numbers.items()}, [packed])


def copied(data: bytes) -> bytes:
    """The copy, which both readers pass and which shows the same."""
    photo = tiff.open(data, Limits())
    copy = photo.write().data
    again = formats.open_photo(copy, Limits())
    assert (again.metadata(), audit.walk(copy, "tiff")) == ([], [])
    assert np.array_equal(again.samples(), photo.samples())
    assert again.write().data == copy
    return copy


@pytest.mark.parametrize("packing", [p for p in CODES if p != "raw"])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_the_copy_is_that_of_the_rows(packing: str, data: st.DataObject) -> None:
    side = st.integers(1, 90)
    height, width, colours = data.draw(side), data.draw(side), data.draw(st.sampled_from((1, 2, 5, 256)))
    pixels = np.random.default_rng(height).integers(0, colours, (height, width)).astype(np.uint8)
    bits = 1 if packing.startswith("group") else 8
    values = pixels % 2 == 1 if bits == 1 else pixels
    raw = strip_of(values, packing)
    rows = np.packbits(values, axis=1) if bits == 1 else pixels
    shown = data.draw(st.sampled_from((0, 1)))
    plain = zlib.compress(rows.tobytes())
    for order in "<>":
        wanted = copied(one_strip(plain, (width, height), 8, bits, order, _262=shown))
        for strip in (raw, raw + WORDS, raw + bytes(5)):
            assert copied(one_strip(strip, (width, height), CODES[packing], bits, order, _262=shown)) == wanted


def mirrored(raw: bytes) -> bytes:
    return bytes(int(f"{byte:08b}"[::-1], 2) for byte in raw)


@pytest.mark.parametrize("packing", [p for p in CODES if p != "raw"])
def test_bits_that_stand_the_other_way_round(packing: str) -> None:
    pixels = np.random.default_rng(3).integers(0, 256, (9, 21)).astype(np.uint8)
    bits = 1 if packing.startswith("group") else 8
    raw = strip_of(pixels % 2 == 1 if bits == 1 else pixels, packing)
    wanted = copied(one_strip(raw, (21, 9), CODES[packing], bits))
    assert copied(one_strip(mirrored(raw), (21, 9), CODES[packing], bits, _266=2)) == wanted


def codes_of_lzw(codes: Sequence[tuple[int, int]]) -> bytes:
    """Codes with how wide each is."""
    value = size = 0
    for code, wide in codes:
        value, size = value << wide | code, size + wide
    return (value << (-size % 8)).to_bytes(-(-size // 8))


CLEAR, STOP = (256, 9), (257, 9)
SAYING_NOTHING: Mapping[str, tuple[int, list[bytes]]] = {
    "PackBits, steps that give nothing": (32773, [b"\x80\x80\xfd\7\x80", b"\x80\xfd\7", b"\xfd\7\x80\x80\x80"]),
    "PackBits, runs or single bytes": (32773, [b"\3\7\7\7\7", b"\xff\7\xff\7", b"\0\7\0\7\0\7\0\7"]),
    "PackBits, too long a run": (32773, [b"\xf0\7", b"\x13\7\7\7\7" + WORDS]),
    "LZW, the table cleared": (5, [
        codes_of_lzw([CLEAR, (7, 9), (7, 9), (7, 9), (7, 9), STOP]),
        codes_of_lzw([CLEAR, (7, 9), CLEAR, CLEAR, (7, 9), (7, 9), CLEAR, (7, 9), STOP]),
        codes_of_lzw([CLEAR, CLEAR, CLEAR, (7, 9), (258, 9), (7, 9), STOP]),
        codes_of_lzw([CLEAR, (7, 9), (7, 9), (7, 9), (7, 9)]),
    ]),
    "deflate, empty blocks": (8, [
        zlib.compress(b"\7\7\7\7"),
        b"\x78\x01" + b"\0\0\0\xff\xff" + b"\xf8\0\0\xff\xff" + b"\1\4\0\xfb\xff\7\7\7\7"
        + struct.pack(">I", zlib.adler32(b"\7" * 4)),
    ]),
}  # fmt: skip
"""Packed in ways that give the same four bytes 7."""


@pytest.mark.parametrize("name", SAYING_NOTHING)
def test_codes_that_say_nothing_are_not_copied(name: str) -> None:
    code, strips = SAYING_NOTHING[name]
    copies = {copied(one_strip(strip, (2, 2), code)) for strip in strips}
    assert len(copies) == 1
    assert all(WORDS not in copy for copy in copies)


@pytest.mark.parametrize("code", [1, 8])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_bits_behind_the_last_pixel_of_a_row_are_zero(bits: int, order: int, code: int) -> None:
    width, height = 3, len(WORDS)
    spare = 8 - width * bits % 8
    for hidden in (0, 1, (1 << spare) - 1):
        row = np.full(height, 0b01100101 >> spare << spare | hidden, np.uint8)
        rows = np.column_stack((np.full(height, 0x5A, np.uint8), row))[:, -(-width * bits // 8) * -1 :]
        clean = rows.copy()
        clean[:, -1] &= 0xFF << spare & 0xFF
        raw, left = (zlib.compress(r.tobytes()) if code == 8 else r.tobytes() for r in (rows, clean))
        data = one_strip(mirrored(raw) if order == 2 else raw, (width, height), code, bits, _266=order)
        photo = tiff.open(data, Limits())
        copy = photo.write().data
        assert audit.walk(copy, "tiff") == []
        assert (mirrored(left) if order == 2 and code == 1 else left) in copy
        assert bool(photo.metadata()) == bool(hidden)


def test_the_judge_sees_bits_behind_the_last_pixel_of_a_row() -> None:
    for bits, code in ((1, 1), (1, 8), (4, 1)):
        clean, hiding = bytes((0x80, 0x80)), bytes((0x80, 0x81))
        for rows, found in ((clean, []), (hiding, ["strips/row ends"])):
            strip = zlib.compress(rows) if code == 8 else rows
            data = one_strip(strip, (1, 2), code, bits, _254=0)
            assert [s for s in audit.walk(data, "tiff") if s != "bytes of no field"] == found


@pytest.mark.parametrize("packing", ["tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_strips_that_end_early_are_refused(packing: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 90), np.uint8)
    raw = strip_of(pixels, packing)
    with pytest.raises(InputError):
        tiff.open(one_strip(raw[: len(raw) // 3], (90, 9), CODES[packing]), Limits()).write()
