"""Chunks of a PNG copy, each up to the edge of its section, and what pixels, palettes and rows could hide."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from medimg import audit
from medimg.errors import Malformed

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
Chunk = tuple[bytes, bytes]
IEND: Chunk = (b"IEND", b"")


def joined(*chunks: Chunk) -> bytes:
    """A file of chunks, each with its length and checksum (PNG, third edition, 5.3)."""
    return SIGNATURE + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def strays(*chunks: Chunk) -> list[str]:
    return audit.walk(joined(*chunks), "png")


def head(colour: int = GREY, depth: int = 8, width: int = 2, height: int = 2, lace: int = 0) -> Chunk:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, lace)


def rows(colour: int = GREY, depth: int = 8, width: int = 2, height: int = 2) -> Chunk:
    """A black picture: of each row a byte for its filter, and its samples."""
    return b"IDAT", zlib.compress(bytes(height * (1 + (width * CHANNELS[colour] * depth + 7) // 8)))


def looks(kind: bytes, body: bytes, colour: int = GREY, depth: int = 8) -> list[str]:
    """What is said of a picture in which a chunk stands behind the header."""
    table = [(b"PLTE", bytes(3))] if colour == PALETTE else []
    before, after = ([], [(kind, body)]) if kind == b"tRNS" else ([(kind, body)], [])
    return strays(head(colour, depth), *before, *table, *after, rows(colour, depth), IEND)


# -- order and checksums (5.3, 5.6) -----------------------------------------------------------------------------------

LOOKS: list[Chunk] = [
    (b"gAMA", struct.pack(">I", 45455)), (b"cHRM", bytes(32)), (b"sRGB", b"\0"), (b"cICP", bytes((1, 13, 0, 1))),
    (b"sBIT", b"\x08"), (b"eXIf", b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x112, 3, 1, 6, 0, 0)),
]  # fmt: skip


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look[0].decode())
def test_what_says_how_a_picture_looks_stands_once_and_before_it(look: Chunk) -> None:
    name = [f"{look[0].decode()}/order"]
    assert strays(head(), look, rows(), IEND) == []
    assert strays(head(), *LOOKS, rows(), IEND) == strays(head(), *LOOKS[::-1], rows(), IEND) == []
    assert strays(head(), look, look, rows(), IEND) == name
    assert strays(head(), rows(), look, IEND) == name
    table = (b"PLTE", bytes(3))
    if look[0] != b"sBIT":
        assert strays(head(PALETTE), look, table, rows(), IEND) == []
        assert strays(head(PALETTE), table, look, rows(), IEND) == name
    assert strays(look, head(), rows(), IEND) == [*name, "IHDR/order"]


def test_the_parts_of_a_picture_stand_in_their_order() -> None:
    table, alpha, picture = (b"PLTE", bytes(3)), (b"tRNS", b"\x80"), rows()
    halves = [(b"IDAT", picture[1][:4]), (b"IDAT", picture[1][4:])]
    assert strays(head(PALETTE), table, alpha, *halves, IEND) == []
    assert strays(head(PALETTE), alpha, table, picture, IEND) == ["PLTE/order"]
    assert strays(head(PALETTE), table, picture, alpha, IEND) == ["tRNS/order"]
    assert strays(head(PALETTE), table, table, picture, IEND) == ["PLTE/order"]
    assert strays(head(PALETTE), table, alpha, alpha, picture, IEND) == ["tRNS/order"]
    assert strays(head(), head(), picture, IEND) == ["IHDR/order"]
    assert strays(picture, head(), IEND) == ["IDAT/order", "IHDR/order"]
    assert strays(head(), picture, (b"IEND", b"x")) == ["IEND"]
    assert audit.walk(joined(head(), picture, IEND) + b"\0", "png") == ["after IEND"]


@pytest.mark.parametrize(
    ("kind", "said"), [(b"tEXt", "tEXt"), (b"prVt", "chunk"), (b"a1b2", "chunk"), (b"\xe4bcd", "chunk")]
)
def test_a_chunk_of_no_copy_is_named_where_its_name_can_be_said(kind: bytes, said: str) -> None:
    for k in range(3):
        chunks = [head(), rows(), IEND]
        chunks.insert(k, (kind, b"Banks"))
        assert said in strays(*chunks)
    assert strays(head(), (kind, b"Banks"), rows(), IEND) == [said]


def test_a_chunk_has_its_length_and_its_checksum() -> None:
    whole = joined(head(), rows(), IEND)
    assert audit.walk(whole, "png") == []
    for at in (29, 32, len(whole) - 1):  # of the first chunk and of the last
        with pytest.raises(Malformed):
            audit.walk(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :], "png")
    for end in range(8, len(whole)):
        with pytest.raises(Malformed):
            audit.walk(whole[:end], "png")
    for begin in (b"\x88" + whole[1:], b"\xff\xd8" + whole[2:], whole[1:]):
        with pytest.raises(Malformed):
            audit.walk(begin, "png")


# -- how the picture looks (11.2, 11.3) -------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("colour", CHANNELS)
def test_significant_bits_are_of_each_channel_and_no_more_than_it_has(colour: int, depth: int) -> None:
    if depth not in {GREY: (1, 2, 4, 8, 16), PALETTE: (1, 2, 4, 8)}.get(colour, (8, 16)):
        return
    count, most = (3, 8) if colour == PALETTE else (CHANNELS[colour], depth)
    for bits in (1, most):
        assert looks(b"sBIT", bytes((bits,)) * count, colour, depth) == []
        for wrong in (bytes((bits,)) * (count + 1), bytes((bits,)) * (count - 1)):
            assert looks(b"sBIT", wrong, colour, depth) == ["sBIT"]
    for bits in (0, most + 1):
        assert looks(b"sBIT", bytes((1,)) * (count - 1) + bytes((bits,)), colour, depth) == ["sBIT"]


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_a_transparent_colour_is_one_that_pixels_can_have(depth: int) -> None:
    most = (1 << depth) - 1
    for value, found in ((0, []), (most, []), (most + 1, ["tRNS"]), (0xFFFF, ["tRNS"])):
        assert looks(b"tRNS", struct.pack(">H", value), GREY, depth) == found
        if depth == 8:
            assert looks(b"tRNS", struct.pack(">3H", 0, 0, value), RGB, depth) == found
    assert looks(b"tRNS", b"\xff\xff", GREY, 16) == looks(b"tRNS", b"\xff" * 6, RGB, 16) == []
    for colour, wrong in ((GREY, bytes(1)), (GREY, bytes(4)), (GREY, bytes(6)), (RGB, bytes(2)), (RGB, bytes(8)),
                          (GREY_ALPHA, bytes(2)), (RGBA, bytes(6))):  # fmt: skip
        assert looks(b"tRNS", wrong, colour) == ["tRNS"]


def test_a_palette_belongs_to_pixels_that_are_numbers_of_colours() -> None:
    assert strays(head(PALETTE), (b"PLTE", bytes(3)), rows(), IEND) == []
    for colour in (GREY, RGB, GREY_ALPHA, RGBA):
        assert strays(head(colour), (b"PLTE", bytes(3)), rows(colour), IEND) == ["PLTE"]


@pytest.mark.parametrize("place", range(8))
def test_each_point_of_a_colour_lies_where_colours_can_lie(place: int) -> None:
    for value, found in ((0, []), (200_000, []), (200_001, ["cHRM"])):
        points = [31_270] * 8
        points[place] = value
        assert looks(b"cHRM", struct.pack(">8I", *points)) == found
    for wrong in (bytes(31), bytes(33), bytes(36), bytes(28), b""):
        assert looks(b"cHRM", wrong) == ["cHRM"]


def test_a_profile_stands_alone_under_a_neutral_name() -> None:
    from PIL import ImageCms

    from medimg.formats.shared import icc as writer

    made = writer.clean(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert made is not None
    whole = zlib.compress(made)

    def judged(body: bytes) -> list[str]:
        return looks(b"iCCP", body, RGB)

    assert judged(b"icc\0\0" + whole) == []
    for wrong in (
        b"Banks\0\0" + whole, b"icc\0\1" + whole, b"\0\0" + whole, b"icc\0\0" + whole + b"\0", b"icc\0\0" + whole[:-1],
        b"icc\0\0" + zlib.compress(made + b"Banks"), b"icc\0\0" + whole + whole,
    ):  # fmt: skip
        assert judged(wrong) == ["iCCP"]


# -- the picture (10.1) -----------------------------------------------------------------------------------------------


def test_the_rows_are_as_many_as_the_header_says() -> None:
    for colour, depth, width, height in ((GREY, 1, 9, 3), (GREY, 4, 3, 2), (RGB, 8, 2, 2), (RGBA, 16, 3, 1)):
        size = height * (1 + (width * CHANNELS[colour] * depth + 7) // 8)
        for more, found in ((0, []), (1, ["IDAT/length"]), (-1, ["IDAT/length"]), (5000, ["IDAT/length"])):
            picture = (b"IDAT", zlib.compress(bytes(size + more)))
            assert strays(head(colour, depth, width, height), picture, IEND) == found


def test_nothing_stands_behind_the_rows() -> None:
    picture = rows()[1]
    assert strays(head(), (b"IDAT", picture + b"\0"), IEND) == ["IDAT/after the picture"]
    assert strays(head(), (b"IDAT", picture), (b"IDAT", b"Banks"), IEND) == ["IDAT/after the picture"]
    assert strays(head(), (b"IDAT", picture[:-1]), IEND) == ["IDAT/length"]  # without the end of its checksum
    assert strays(head(), (b"IDAT", picture), (b"IDAT", b""), IEND) == []
    for wrong in (picture[:-1] + bytes((picture[-1] ^ 1,)), b"Banks"):
        with pytest.raises(Malformed):
            strays(head(), (b"IDAT", wrong), IEND)


def test_no_picture_inflates_to_more_than_a_policy_allows() -> None:
    most = head(width=(1 << 20) - 1, height=1 << 13)  # 8 GiB with the bytes of the filters
    assert strays(most, rows(), IEND) == ["IDAT/length"]
    with pytest.raises(Malformed, match="larger than any picture"):
        strays(head(width=(1 << 20) - 1, height=(1 << 13) + 1), rows(), IEND)


# -- what pixels hide -------------------------------------------------------------------------------------------------


def picture(pixels: NDArray[np.uint8] | NDArray[np.uint16], lace: bool) -> list[str]:
    """A picture with alpha, whole or in the seven passes of 8.1."""
    height, width, channels = pixels.shape
    depth = pixels.dtype.itemsize * 8
    steps = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    raw = b""
    for x, y, across, down in steps if lace else [(0, 0, 1, 1)]:
        part = pixels[y::down, x::across]
        raw += b"".join(b"\0" + row.astype(">u2" if depth == 16 else "u1").tobytes() for row in part if part.size)
    colour = GREY_ALPHA if channels == 2 else RGBA
    return strays(head(colour, depth, width, height, lace), (b"IDAT", zlib.compress(raw)), IEND)


@pytest.mark.parametrize("lace", [False, True], ids=["whole", "in passes"])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [2, 4])
def test_no_colour_lies_under_alpha_zero(channels: int, depth: int, lace: bool) -> None:
    """In no channel and in no bit; a pixel that is all but clear is shown."""
    kind = np.uint8 if depth == 8 else np.uint16
    black = np.zeros((5, 7, channels), kind)
    if (channels, depth, lace) == (2, 16, True):  # no decoder at hand keeps such pixels as they are
        assert picture(black, lace) == ["IDAT/not followed"]
        return
    assert picture(black, lace) == []
    for channel in range(channels - 1):
        for bit in (0, 7, depth - 1):
            for y, x in ((0, 0), (4, 6), (2, 3)):
                pixels = black.copy()
                pixels[y, x, channel] = 1 << bit
                assert picture(pixels, lace) == ["IDAT/alpha 0"]
                for alpha in (1, 1 << (depth - 1)):
                    pixels[y, x, -1] = alpha
                    assert picture(pixels, lace) == []


def with_palette(indices: Sequence[int], table: bytes, alpha: bytes = b"") -> list[str]:
    raw = b"\0" + bytes(indices)
    clear = [(b"tRNS", alpha)] if alpha else []
    return strays(
        head(PALETTE, 8, len(indices), 1), (b"PLTE", table), *clear, (b"IDAT", zlib.compress(raw)), IEND
    )  # fmt: skip


BLACK, RED, BLUE = b"\0\0\0", b"\xc8\0\0", b"\0\0\xc8"


@pytest.mark.parametrize(
    ("indices", "table", "alpha", "found"),
    [
        ([0, 1], BLUE + RED, b"", ""), ([0], RED, b"", ""), ([0, 1], RED + BLUE, b"", "PLTE/order"),
        ([0, 2], BLACK + BLUE + RED, b"", "PLTE/unused"), ([1, 2], BLACK + BLUE + RED, b"", "PLTE/unused"),
        ([0, 1], RED + BLUE + BLACK, b"", "PLTE/length"), ([0, 2], RED + BLUE + BLACK, b"", "PLTE/unused"),
        ([0, 1], RED + RED, b"", "PLTE/equal colours"), ([0, 1], BLACK + RED, b"\0", ""),
        ([0, 1], b"\0\0\1" + RED, b"\0", "PLTE/equal colours"), ([0, 1], b"\1\0\0" + RED, b"\0", "PLTE/equal colours"),
        ([0, 1], b"\0\0\1" + RED, b"\1", ""), ([0, 1], RED + RED, b"\x80", ""), ([0, 1], RED + RED, b"\x80\x81", ""),
        ([0, 1], RED + RED, b"\x80\x80", "PLTE/equal colours"), ([0, 1], BLACK + BLACK, b"\0\0", "PLTE/equal colours"),
        ([0, 1], BLUE + RED, b"\x80\xff", "PLTE/length"), ([0, 1], BLUE + RED, b"\x80\x80\x80", "PLTE/length"),
        ([0, 1], RED + BLUE, b"\x80", ""), ([0, 1], BLUE + RED, b"\xff\x80", "PLTE/order"),
        ([0, 1], BLUE + RED, b"\x81\x80", "PLTE/order"), ([0, 1], RED + BLUE[:2], b"", "PLTE/length"),
    ],
)  # fmt: skip
def test_each_colour_of_a_palette_is_used_and_looks_like_no_other(
    indices: list[int], table: bytes, alpha: bytes, found: str
) -> None:
    assert with_palette(indices, table, alpha) == ([found] if found else [])


def test_a_large_picture_uses_the_colours_that_its_pixels_name() -> None:
    table = b"".join(bytes((k, 3, 5)) for k in range(256))
    every = list(range(256)) * 20
    assert with_palette(every, table) == []
    assert with_palette([k for k in every if k != 200], table) == ["PLTE/unused"]
    assert with_palette([k for k in every if k != 255], table) == ["PLTE/length"]


@pytest.mark.parametrize("lace", [False, True], ids=["whole", "in passes"])
@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("width", range(1, 10))
def test_the_bits_behind_the_last_pixel_of_a_row_are_zero(width: int, depth: int, lace: bool) -> None:
    """In the rows of each pass alike (7.2)."""
    height = 9
    steps = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    sizes = [(len(range(x, width, a)), len(range(y, height, b))) for x, y, a, b in steps] if lace else [(width, height)]
    sizes = [(w, h) for w, h in sizes if w and h]

    def judged(last: dict[int, int]) -> list[str]:
        """The rows, the last byte of the last row of some passes set."""
        raw = b""
        for number, (across, down) in enumerate(sizes):
            row = bytes(1 + (across * depth + 7) // 8)
            raw += row * (down - 1) + row[:-1] + bytes((last.get(number, 0),))
        return strays(head(GREY, depth, width, height, lace), (b"IDAT", zlib.compress(raw)), IEND)

    assert judged({}) == []
    for number, (across, _) in enumerate(sizes):
        spare = -across * depth % 8
        assert judged({number: 255 << spare & 255}) == []
        for bit in range(spare):
            assert judged({number: 1 << bit}) == ["IDAT/row ends"]
