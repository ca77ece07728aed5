"""TIFF strips packed by LZW or PackBits: nothing rides behind the picture, and what shows it stays byte for byte."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tiff_kit import build

from medimg import audit, formats
from medimg.errors import Malformed
from medimg.formats import tiff
from medimg.formats.tiff import packed
from medimg.types import Limits

WORDS = b"Dr Smith, ward 7"


def strips(pixels: np.ndarray, packing: str) -> list[tuple[bytes, int]]:
    """The strips of a picture, and how many bytes each gives."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "TIFF", compression=packing)
    photo = tiff.open(out.getvalue(), Limits())
    return [(photo.data[a : a + n], photo._chunk_bytes(k)) for k, (a, n) in enumerate(photo.chunks)]


def one_strip(packed: bytes, pixels: np.ndarray, code: int) -> bytes:
    height, width = pixels.shape
    numbers = {256: width, 257: height, 258: 8, 259: code, 262: 1, 277: 1, 278: height}
    return build("<", {t: (4, struct.pack("<I", v)) for t, v in numbers.items()}, [packed])


@pytest.mark.parametrize(
    ("packing", "code", "bare"),
    [("tiff_lzw", 5, packed.bare_lzw), ("packbits", 32773, packed.bare_packbits)],
)
@settings(max_examples=60)
@given(data=st.data())
def test_strips_stay_and_what_rides_behind_them_goes(
    packing: str, code: int, bare: object, data: st.DataObject
) -> None:
    side = st.integers(1, 90)
    height, width, colours = data.draw(side), data.draw(side), data.draw(st.sampled_from((1, 2, 5, 256)))
    pixels = np.random.default_rng(height).integers(0, colours, (height, width)).astype(np.uint8)
    for raw, size in strips(pixels, packing):
        assert bare(raw, size) == raw  # type: ignore[operator]
        assert bare(raw + WORDS, size) == raw  # type: ignore[operator]
    (whole, size), *more = strips(pixels[: 8000 // width or 1], packing)
    if more or size != pixels[: 8000 // width or 1].size:
        return
    part = pixels[: 8000 // width or 1]
    loaded = tiff.open(one_strip(whole + WORDS, part, code), Limits())
    assert "unknown-block" in {f.category for f in loaded.metadata()}
    copy = loaded.write()
    assert copy.data == tiff.open(one_strip(whole, part, code), Limits()).write().data
    assert WORDS not in copy.data
    again = formats.open_photo(copy.data, Limits())
    assert (again.metadata(), audit.walk(copy.data, "tiff")) == ([], [])
    assert np.array_equal(again.samples(), part)


def lzw_walk(raw: bytes, expected: int) -> tuple[int, int]:
    """How many bits give so many bytes, and how wide the next code is (TIFF 6.0, section 13); -1 where they do not."""
    length = [1] * 256 + [0, 0]
    bits, previous, used, produced = 9, -1, 0, 0
    while produced < expected:
        if used + bits > 8 * len(raw):
            return -1, 0
        code = int.from_bytes(raw[used // 8 : used // 8 + 3].ljust(3, b"\0")) >> (24 - used % 8 - bits) & (
            (1 << bits) - 1
        )
        used += bits
        if code == 256:
            del length[258:]
            bits, previous = 9, -1
            continue
        table = len(length)
        if code == 257 or (code > 255 if previous < 0 else code > table or (code == table and table > 4095)):
            return -1, 0
        if previous >= 0 and table < 4096:
            length.append(length[previous] + 1)
            bits += table + 1 == (1 << bits) - 1 and bits < 12
        produced += length[code]
        previous = code
    return used, bits


@settings(max_examples=200)
@given(st.binary(max_size=400), st.integers(1, 2000))
def test_the_kernel_and_python_walk_alike(raw: bytes, expected: int) -> None:
    try:
        assert packed.lzw_bits(raw, expected) == lzw_walk(raw, expected)
    except Malformed:
        assert lzw_walk(raw, expected) == (-1, 0)
    for bare in (packed.bare_lzw, packed.bare_packbits):
        try:
            cut = bare(raw, expected)
        except Malformed:
            continue
        assert raw.startswith(cut) or (bare is packed.bare_packbits and len(cut) <= len(raw))  # its last run cut
        assert bare(cut, expected) == cut


@pytest.mark.parametrize("last", [bytes([2 + len(WORDS)]) + b"\7\7\7" + WORDS, b"\xf0\7"], ids=["literal", "run"])
def test_what_the_last_run_of_packbits_gives_too_much(last: bytes) -> None:
    part = np.full((2, 4), 7, np.uint8)
    loaded = tiff.open(one_strip(b"\xfc\7" + last, part, 32773), Limits())
    copy = loaded.write().data
    assert WORDS not in copy
    assert audit.walk(copy, "tiff") == []
    assert np.array_equal(formats.open_photo(copy, Limits()).samples(), part)


def test_a_full_table_and_every_width() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (300, 300), np.uint8)  # many times 4,096 strings
    for raw, size in strips(pixels, "tiff_lzw"):
        assert lzw_walk(raw, size) == packed.lzw_bits(raw, size)
        assert packed.bare_lzw(raw + bytes(3), size) == raw


def test_a_stop_code_that_came_wider_or_not_at_all() -> None:
    codes = [(256, 9), (7, 9), (7, 9), (7, 9)]
    for last in ([(257, 9)], [(257, 10)], [(256, 9), (257, 9)], []):
        value = bits = 0
        for code, wide in [*codes, *last]:
            value, bits = value << wide | code, bits + wide
        raw = (value << (-bits % 8)).to_bytes(-(-bits // 8))
        assert packed.bare_lzw(raw + WORDS, 3) == raw


@pytest.mark.parametrize("cut", [0, 1, 5])
def test_strips_that_end_early_are_refused(cut: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 9), np.uint8)
    for packing, bare in (("tiff_lzw", packed.bare_lzw), ("packbits", packed.bare_packbits)):
        raw, size = strips(pixels, packing)[0]
        with pytest.raises(Malformed):
            bare(raw[:cut], size)
    with pytest.raises(Malformed):
        packed.bare_lzw(b"\x80\x1f\xff\xff\xff", 50)


def test_strips_of_the_old_bit_order_stay_as_they_are() -> None:
    raw = b"\0\1" + bytes(9)
    assert packed.bare_lzw(raw, 5) == raw
