"""TIFF strips packed by LZW or PackBits: nothing rides behind the picture, and what shows it stays byte for byte."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tiff_kit import build

from medimg import audit, formats
from medimg.errors import Malformed
from medimg.formats import tiff
from medimg.formats.tiff import _packed
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
    [("tiff_lzw", 5, _packed.bare_lzw), ("packbits", 32773, _packed.bare_packbits)],
)
@settings(max_examples=60, deadline=None)
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


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.integers(1, 2000))
def test_the_kernel_and_python_walk_alike(raw: bytes, expected: int) -> None:
    search = _packed.compiled()
    slow = _packed.in_python(raw, expected)
    if search is not None:
        try:
            quick = _packed.lzw_bits(raw, expected)
        except Malformed:
            assert slow[0] < 0
        else:
            assert quick == slow
    for bare in (_packed.bare_lzw, _packed.bare_packbits):
        try:
            cut = bare(raw, expected)
        except Malformed:
            continue
        assert raw.startswith(cut) or (bare is _packed.bare_packbits and len(cut) <= len(raw))  # its last run cut
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
        assert _packed.in_python(raw, size) == _packed.lzw_bits(raw, size)
        assert _packed.bare_lzw(raw + bytes(3), size) == raw


def test_a_stop_code_that_came_wider_or_not_at_all() -> None:
    codes = [(256, 9), (7, 9), (7, 9), (7, 9)]
    for last in ([(257, 9)], [(257, 10)], [(256, 9), (257, 9)], []):
        value = bits = 0
        for code, wide in [*codes, *last]:
            value, bits = value << wide | code, bits + wide
        packed = (value << (-bits % 8)).to_bytes(-(-bits // 8))
        assert _packed.bare_lzw(packed + WORDS, 3) == packed


@pytest.mark.parametrize("cut", [0, 1, 5])
def test_strips_that_end_early_are_refused(cut: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (9, 9), np.uint8)
    for packing, bare in (("tiff_lzw", _packed.bare_lzw), ("packbits", _packed.bare_packbits)):
        raw, size = strips(pixels, packing)[0]
        with pytest.raises(Malformed):
            bare(raw[:cut], size)
    with pytest.raises(Malformed):
        _packed.bare_lzw(b"\x80\x1f\xff\xff\xff", 50)


def test_strips_of_the_old_bit_order_stay_as_they_are() -> None:
    raw = b"\0\1" + bytes(9)
    assert _packed.bare_lzw(raw, 5) == raw


def test_a_library_of_something_else_is_not_used(tmp_path: Path) -> None:
    assert _packed.compiled(tmp_path / "missing.so") is None
    other = tmp_path / "other.so"
    other.write_bytes(b"not a library")
    assert _packed.compiled(other) is None
