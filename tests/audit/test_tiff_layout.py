"""What the fields of a TIFF copy may say, each up to the edge of its section, and how long its strips and tiles are."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tiff_kit import build

from medimg import audit
from medimg.errors import Malformed

SHORT, LONG, RATIONAL, UNDEFINED = 3, 4, 5, 7
CODES = {SHORT: "H", LONG: "I", RATIONAL: "I", UNDEFINED: "B"}
Value = tuple[int, Sequence[int]]
"""The type of a field, and its numbers; of a fraction both."""
Fields = Mapping[int, Value]


def s(*numbers: int) -> Value:
    return SHORT, numbers


def copy(fields: Fields, strips: Sequence[bytes], order: str = "<") -> bytes:
    return build(order, {t: (k, struct.pack(f"{order}{len(v)}{CODES[k]}", *v)) for t, (k, v) in fields.items()}, strips)


def strays(fields: Fields, strips: Sequence[bytes], order: str = "<") -> list[str]:
    return audit.walk(copy(fields, strips, order), "tiff")


def noticed(data: bytes) -> bool:
    try:
        return bool(audit.walk(data, "tiff"))
    except Malformed:
        return True


def as_tiles(data: bytes, order: str = "<") -> bytes:
    """The same file with its strips called tiles."""
    (count,) = struct.unpack_from(f"{order}H", data, 8)
    moved = {273: 324, 279: 325}
    entries = [
        (struct.unpack_from(f"{order}H", data, at)[0], data[at + 2 : at + 12]) for at in range(10, 10 + 12 * count, 12)
    ]
    table = b"".join(struct.pack(f"{order}H", t) + rest for t, rest in sorted((moved.get(t, t), r) for t, r in entries))
    return data[:10] + table + data[10 + len(table) :]


GREY: Fields = {256: s(8), 257: s(6), 258: s(8), 259: s(1), 262: s(1), 277: s(1), 278: s(6)}
"""Eight by six pixels, not packed."""
STRIP = bytes(48)
PACKED = {1: STRIP, 8: zlib.compress(STRIP)}


def with_field(tag: int, value: Value, beside: Fields | None = None) -> list[str]:
    """What is found but for the strip, which may be too short or too long then."""
    fields = {**GREY, **(beside or {}), tag: value}
    strip = PACKED.get(fields[259][1][0], b"\0")
    if fields[259][1][0] == 7:
        out = io.BytesIO()
        Image.new("L", (8, 6), 90).save(out, "JPEG")
        strip = out.getvalue()[:2] + out.getvalue()[20:]
    return [stray for stray in strays(fields, [strip]) if not stray.startswith("strips/")]


INKS, YCBCR, PALETTE, DEFLATED = {262: s(5)}, {262: s(6)}, {262: s(3)}, {259: s(8)}


@pytest.mark.parametrize(
    ("tag", "good", "wrong", "beside"),
    [
        (258, [1, 2, 4, 8, 16], [0, 3, 5, 9, 17], {}),
        (259, [1, 7, 8], [0, 2, 3, 4, 5, 6, 9, 32773, 32946], {}),
        (262, [0, 1, 2, 3, 5, 6, 8], [4, 7, 9], {}),
        (266, [1, 2], [0, 3], {}),
        (274, range(2, 9), [0, 1, 9], {}),
        (277, range(1, 6), [0, 6], {}),
        (278, [6], [7], {}),
        (284, [1, 2], [0, 3], {}),
        (317, [1, 2, 3], [0, 4], DEFLATED),
        (332, [1, 2], [0, 3], INKS),
        (338, [0, 1, 2], [3], {}),
        (339, [1, 4], [0, 2, 3, 5], {}),
        (530, [1, 2, 4], [0, 3, 5], YCBCR),
        (531, [1, 2], [0, 3], YCBCR),
    ],
)  # fmt: skip
def test_a_field_has_the_values_that_its_section_defines(
    tag: int, good: Sequence[int], wrong: Sequence[int], beside: Fields
) -> None:
    for value in good:
        assert with_field(tag, s(value), beside) == [], value
        assert with_field(tag, (LONG, (value,)), beside) == [], value
    for value in wrong:
        assert f"IFD0/{tag}" in with_field(tag, s(value), beside), value
    assert f"IFD0/{tag}" in with_field(tag, (RATIONAL, (good[-1], 10_000)), beside)


@pytest.mark.parametrize(
    ("tag", "value", "most", "beside"),
    [
        (258, 8, 8, {}), (259, 1, 1, {}),
        (262, 1, 1, {}), (266, 1, 1, {}), (274, 6, 1, {}), (277, 1, 1, {}), (278, 6, 1, {}),
        (284, 1, 1, {}), (317, 2, 1, DEFLATED), (320, 257, 768, PALETTE),
        (332, 1, 1, INKS), (338, 0, 8, {}), (339, 1, 8, {}), (529, 1, 3, YCBCR), (530, 2, 2, YCBCR),
        (531, 1, 1, YCBCR), (532, 1, 6, YCBCR),
    ],
)  # fmt: skip
def test_a_field_has_no_more_values_than_its_section_defines(tag: int, value: int, most: int, beside: Fields) -> None:
    assert with_field(tag, s(*[value] * most), beside) == []
    assert with_field(tag, s(*[value] * (most + 1)), beside) == [f"IFD0/{tag}"]


@pytest.mark.parametrize(
    ("tag", "value", "other", "wrong"),
    [
        (266, s(1), 259, (8,)), (317, s(2), 259, (1, 7)), (320, s(9), 262, (2, 5)),
        (332, s(1), 262, (3, 6)), (529, s(1), 262, (5, 8)), (530, s(2), 262, (5, 8)), (531, s(1), 262, (5, 8)),
        (532, s(1), 262, (5, 8)), (529, (RATIONAL, (1, 10_000)), 262, (5, 8)),
    ],
)  # fmt: skip
def test_a_field_stands_beside_what_it_belongs_to_alone(
    tag: int, value: Value, other: int, wrong: tuple[int, ...]
) -> None:
    for one in wrong:
        assert with_field(tag, value, {other: s(one)}) == [f"IFD0/{tag}"]


@pytest.mark.parametrize(("tag", "most"), [(529, 3), (532, 6)])
def test_fractions_are_ten_thousandths(tag: int, most: int) -> None:
    def judged(*words: int) -> list[str]:
        return with_field(tag, (RATIONAL, words), YCBCR)

    assert judged(*[2990, 10_000] * most) == []
    assert judged(*[2990, 10_000] * (most + 1)) == [f"IFD0/{tag}"]
    assert judged(*[2990, 10_000] * (most - 1), 2990, 10_001) == [f"IFD0/{tag}"]
    assert judged(2990, 9_999, *[2990, 10_000] * (most - 1)) == [f"IFD0/{tag}"]


@pytest.mark.parametrize(("values", "found"), [((0, 0, 0), []), ((0, 256, 9), []), ((0, 255, 9), ["IFD0/320"])])
def test_a_colour_map_cannot_be_taken_for_one_of_8_bits(values: tuple[int, ...], found: list[str]) -> None:
    assert with_field(320, s(*values * 256), PALETTE) == found


@pytest.mark.parametrize(("tag", "most"), [(529, 3), (532, 6)])
def test_a_jpeg_says_by_itself_what_its_colours_are(tag: int, most: int) -> None:
    assert with_field(tag, s(*[1] * most), {**YCBCR, 259: s(8)}) == []
    assert with_field(tag, s(*[1] * most), {**YCBCR, 259: s(7)}) == [f"IFD0/{tag}"]


def test_bits_of_the_channels_are_alike() -> None:
    assert with_field(258, s(8, 8, 8)) == []
    assert with_field(258, s(8, 8, 4)) == ["IFD0/258"]


def test_a_picture_says_of_itself_that_it_is_no_thumbnail_page_or_mask() -> None:
    assert with_field(254, (LONG, (0,))) == []
    for wrong in (s(0), s(0, 0), (LONG, (1,)), (LONG, (4,)), (LONG, (1 << 24,))):
        assert with_field(254, wrong) == ["IFD0/254"]


@pytest.mark.parametrize(
    "tag", [255, 263, 264, 269, 270, 271, 272, 280, 285, 290, 292, 293, 296, 305, 315, 347, 33432, 34665, 34853]
)
def test_a_field_that_no_copy_needs_is_named(tag: int) -> None:
    assert with_field(tag, s(0)) == [f"IFD0/{tag}"]


def test_a_picture_has_a_width_and_a_height() -> None:
    for tag in (256, 257):
        one = {**GREY, 256: s(1), 257: s(1), 258: s(8), 259: s(1), 278: s(1)}
        assert strays(one, [b"\7"]) == []
        assert noticed(copy({t: v for t, v in one.items() if t != tag}, [b"\7"]))
        assert noticed(copy({**one, tag: s(1, 1)}, [b"\7"]))


def test_one_bit_one_sample_and_one_strip_are_meant_where_nothing_is_said() -> None:
    bare = {256: s(9), 257: s(3), 262: s(1)}  # TIFF 6.0, section 3 and page 117: also no packing
    assert strays(bare, [bytes(6)]) == []
    assert strays(bare, [bytes(5)]) == strays(bare, [bytes(7)]) == ["strips/length"]


def test_the_spare_bytes_of_a_short_value_are_zero() -> None:
    data = copy(GREY, [STRIP])
    for tag in GREY:
        at = data.index(struct.pack("<HHI", tag, SHORT, 1)) + 8
        for k in (2, 3):
            assert audit.walk(data[: at + k] + b"\1" + data[at + k + 1 :], "tiff") == [f"IFD0/{tag}/padding"]


def test_fields_stand_in_their_order_and_once() -> None:
    data = copy(GREY, [STRIP])
    at = 10 + 12 * list(GREY).index(258)
    one, two, rest = data[at : at + 12], data[at + 12 : at + 24], data[at + 24 :]
    assert audit.walk(data[:at] + two + one + rest, "tiff") == ["IFD0/order"]
    assert "IFD0/order" in audit.walk(data[:at] + one + one + rest, "tiff")


def test_a_field_has_values_and_they_stand_in_the_file() -> None:
    for many, place in ((0, 0), (3, 1 << 20), (1 << 20, 8)):
        data = copy({**GREY, 258: s(8, 8, 8)}, [STRIP])
        at = data.index(struct.pack("<HHI", 258, SHORT, 3)) + 4
        with pytest.raises(Malformed):
            audit.walk(data[:at] + struct.pack("<II", many, place) + data[at + 8 :], "tiff")


@pytest.mark.parametrize("begin", [b"II+\0", b"MM\0+", b"II\0*", b"MM*\0", b"IM*\0", b"\xff\xd8\xff\xe0"])
def test_a_copy_is_a_classic_tiff(begin: bytes) -> None:
    with pytest.raises(Malformed):
        audit.walk(begin + copy(GREY, [STRIP])[4:], "tiff")


def test_a_profile_is_cleaned() -> None:
    from PIL import ImageCms

    from medimg.formats.shared import icc as writer

    made = writer.clean(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()) or b""
    assert with_field(34675, (UNDEFINED, made)) == []
    assert with_field(34675, (UNDEFINED, made + b"Bank")) == ["IFD0/34675"]


def test_strips_and_their_sizes_are_as_many_as_each_other() -> None:
    data = copy(GREY, [STRIP, STRIP])
    for tag in (273, 279):  # one of the two says two, the other one
        at = data.index(struct.pack("<HHI", tag, LONG, 2)) + 4
        assert noticed(data[:at] + struct.pack("<I", 1) + data[at + 4 :])
    assert audit.walk(data, "tiff") == ["strips/number"]


def test_a_strip_stands_in_the_file() -> None:
    data = copy(GREY, [STRIP])
    at = data.index(struct.pack("<HHI", 279, LONG, 1)) + 8
    with pytest.raises(Malformed, match="stands outside"):
        audit.walk(data[:at] + struct.pack("<I", len(data)) + data[at + 4 :], "tiff")


def test_a_copy_has_strips_or_tiles() -> None:
    whole = copy({**GREY, 322: s(16), 323: s(16), 324: (LONG, (8,)), 325: (LONG, (1,))}, [STRIP])
    with pytest.raises(Malformed):
        audit.walk(whole, "tiff")
    assert strays({**GREY, 322: s(16), 323: s(16)}, [STRIP]) == ["strips/number"]  # tiles, but places of strips
    neither = bytearray(copy(GREY, [STRIP]))
    for tag in (273, 279):
        at = neither.index(struct.pack("<HHI", tag, LONG, 1))
        neither[at : at + 2] = struct.pack("<H", tag + 3)
    with pytest.raises(Malformed):
        audit.walk(bytes(neither), "tiff")


def test_bytes_that_nothing_points_to_are_noticed() -> None:
    def behind(strip: bytes, tail: bytes) -> list[str]:
        fields = {**GREY, 256: s(len(strip)), 257: s(1), 259: s(1), 278: s(1)}
        return audit.walk(copy(fields, [strip]).removesuffix(b"\0" * (len(strip) % 2)) + tail, "tiff")

    assert behind(b"ab", b"") == behind(b"abc", b"") == behind(b"abc", b"\0") == []  # an even length (section 2)
    for strip, tail in ((b"ab", b"\0"), (b"ab", b"x"), (b"abc", b"x"), (b"abc", b"\0\0"), (b"abc", b"\0x")):
        assert behind(strip, tail) == ["bytes of no field"]


def test_a_strip_lies_in_no_other_part_of_the_file() -> None:
    data = copy(GREY, [STRIP])
    at = data.index(struct.pack("<HHI", 273, LONG, 1)) + 8
    (place,) = struct.unpack_from("<I", data, at)
    for wrong in (0, 7, 8, place - 1):
        assert "bytes of no field" in audit.walk(data[:at] + struct.pack("<I", wrong) + data[at + 4 :], "tiff")


# -- strips and tiles -------------------------------------------------------------------------------------------------

CUTS: list[tuple[int, int, int, int, int]] = [
    (9, 7, 8, 1, 3), (9, 7, 1, 1, 7), (9, 7, 1, 1, 2), (17, 5, 4, 1, 2), (5, 4, 16, 3, 3), (5, 4, 8, 4, 4),
    (3, 9, 2, 3, 4),
]  # fmt: skip
"""Width, height, bits, samples, rows of a strip."""


@pytest.mark.parametrize("apart", [False, True], ids=["together", "apart"])
@pytest.mark.parametrize(("width", "height", "bits", "samples", "rows"), CUTS)
def test_a_strip_is_as_long_as_its_rows(
    width: int, height: int, bits: int, samples: int, rows: int, apart: bool
) -> None:
    """Each row begins with a byte of its own (section 3); channels that stand apart have strips of their own."""
    row = (width * (1 if apart else samples) * bits + 7) // 8
    lengths = [row * min(rows, height - top) for top in range(0, height, rows)] * (samples if apart else 1)
    fields = {256: s(width), 257: s(height), 258: s(*[bits] * samples), 259: s(1), 262: s(1), 277: s(samples),
              278: s(rows), 284: s(1 + apart)}  # fmt: skip
    strips = [bytes(length) for length in lengths]
    assert strays(fields, strips) == strays(fields, strips, ">") == []
    for k, strip in enumerate(strips):
        for wrong in (strip + b"\0", strip[:-1]):
            assert strays(fields, [*strips[:k], wrong, *strips[k + 1 :]]) == ["strips/length"]
    assert strays(fields, [*strips, b"\0"]) == ["strips/number"]


@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("apart", [False, True], ids=["together", "apart"])
def test_a_tile_is_as_long_as_its_sides(samples: int, apart: bool) -> None:
    """All tiles are of one size, also those over the edge (section 15)."""
    length = 16 * 32 * (1 if apart else samples)
    fields = {256: s(48), 257: s(64), 258: s(*[8] * samples), 259: s(1), 262: s(1), 277: s(samples), 284: s(1 + apart),
              322: s(16), 323: s(32)}  # fmt: skip
    tiles = [bytes(length)] * (6 * (samples if apart else 1))

    def judged(fields: Fields, tiles: Sequence[bytes]) -> list[str]:
        return audit.walk(as_tiles(copy(fields, tiles)), "tiff")

    assert judged(fields, tiles) == []
    assert judged({**fields, 278: s(5)}, tiles) == []  # rows of a strip say nothing about tiles
    for k in range(len(tiles)):
        for wrong in (tiles[0] + b"\0", tiles[0][:-1]):
            assert judged(fields, [*tiles[:k], wrong, *tiles[k + 1 :]]) == ["strips/length"]
    assert judged(fields, tiles[1:]) == judged(fields, [*tiles, tiles[0]]) == ["strips/number"]
    assert judged({**fields, 257: s(65)}, tiles) == judged({**fields, 256: s(49)}, tiles) == ["strips/number"]
    with pytest.raises(Malformed):
        judged({t: v for t, v in {**fields, 256: s(16), 257: s(1)}.items() if t != 323}, [bytes(16 * samples)])


def test_a_packed_strip_ends_where_its_stream_ends() -> None:
    def judged(raw: bytes) -> list[str]:
        return strays({**GREY, 256: s(2048), 257: s(1024), 259: s(8), 278: s(1024)}, [raw])

    whole = zlib.compress(bytes(1 << 21))
    assert judged(whole) == []
    for wrong in (whole[:-1], whole[:-5], whole + b"\0", zlib.compress(bytes((1 << 21) - 1)), b""):
        assert judged(wrong) == ["strips/length"]
    for packing, raw in ((32773, b"\x81\0"), (5, b"\x80\0\x20\x20"), (4, b"\0"), (32946, whole)):
        assert strays({**GREY, 259: s(packing)}, [raw]) == ["IFD0/259", "strips/packing"]


# -- JPEG -------------------------------------------------------------------------------------------------------------


def jpeg_of(pixels: NDArray[np.uint8], **options: int | bool) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=90, **options)
    return out.getvalue()[:2] + out.getvalue()[20:]  # without JFIF


SLOPES = (np.mgrid[:16, :16].sum(0) * 7).astype(np.uint8)
CODED = {**GREY, 256: s(16), 257: s(16), 259: s(7), 278: s(16)}


@pytest.mark.parametrize("marker", [0x01, 0xBF, *range(0xC0, 0xD0), *range(0xDB, 0x100)])
def test_segments_of_a_jpeg_strip_are_the_pictures(marker: int) -> None:
    """And Adobe's, which says what the components are (Technical Note 5116, section 18)."""
    strip = jpeg_of(SLOPES)
    assert strays(CODED, [strip]) == []
    if marker not in (0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD):
        segment = bytes((0xFF, marker, 0, 7)) + b"Banks"
        for at in (2, strip.index(b"\xff\xc4"), strip.index(b"\xff\xda")):
            assert noticed(copy(CODED, [strip[:at] + segment + strip[at:]]))
    for marked, body in (
        (0xEE, b"Adobe\0\x64\0\0\0\0\1"), (0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        (0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"),
    ):  # fmt: skip
        said = bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body
        assert noticed(copy(CODED, [strip[:2] + said + strip[2:]])) == ((marker, marked) != (0xEE, 0xEE))


def test_each_jpeg_strip_has_its_tables() -> None:
    tables, strip = abbreviated(SLOPES)
    assert noticed(copy({**CODED, 347: (UNDEFINED, tables)}, [strip]))
    assert strays(CODED, [tables[:-2] + strip[2:]]) == []
    assert strays({**CODED, 347: (UNDEFINED, tables)}, [jpeg_of(SLOPES)]) == ["IFD0/347"]
    assert noticed(copy(CODED, [b"MB" + jpeg_of(SLOPES)[2:]]))


def test_a_jpeg_strip_ends_with_its_picture() -> None:
    strip = jpeg_of(SLOPES)
    for wrong in (strip + b"\0", strip + b"\xff\xd9", strip + b"Banks", strip + strip):
        assert strays(CODED, [wrong]) == ["strips/after EOI"]
    assert strays(CODED, [strip[:-2] + b"Amelia Thornbury 1958" + strip[-2:]]) == ["strips/SOS/more than the picture"]


@pytest.mark.parametrize(("frame", "progressive"), [(0xC0, False), (0xC1, False), (0xC2, True)])
def test_a_jpeg_strip_is_of_one_of_three_kinds_and_of_the_size_of_its_part(frame: int, progressive: bool) -> None:
    strip = jpeg_of(SLOPES, progressive=progressive)
    at = strip.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    strip = strip[: at + 1] + bytes((frame,)) + strip[at + 2 :]
    assert strays(CODED, [strip]) == []
    for height, width in ((16, 15), (15, 16), (17, 16), (16, 17)):
        wrong = strip[: at + 5] + struct.pack(">HH", height, width) + strip[at + 9 :]
        assert noticed(copy(CODED, [wrong]))
        if height < 16 or width < 16:
            assert strays(CODED, [wrong]) == ["strips/size of a JPEG"]


def abbreviated(pixels: NDArray[np.uint8]) -> tuple[bytes, bytes]:
    """Tables, and a strip that uses them (Adobe Photoshop TIFF Technical Notes, page 2)."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "TIFF", compression="jpeg")
    with Image.open(io.BytesIO(out.getvalue())) as picture:
        tags = picture.tag_v2  # type: ignore[attr-defined]
        return tags[347], out.getvalue()[tags[273][0] :][: tags[279][0]]


# -- past the edge ----------------------------------------------------------------------------------------------------


def tile(fields: Fields, raw: bytes, order: str = "<") -> list[str]:
    """One tile of 16 pixels; 12 columns are shown."""
    shown = {256: s(12), 257: s(16), 322: s(16), 323: s(16), **fields}
    return audit.walk(as_tiles(copy(shown, [raw], order), order), "tiff")


HIDES = ["strips/past the edge"]


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("order", "<>")
def test_a_slope_past_the_edge_is_no_filling_however_it_is_coded(channels: int, order: str) -> None:
    """Coded as differences it is one number again and again (section 14)."""
    fields = {258: s(*[8] * channels), 259: s(8), 262: s(2 if channels > 1 else 1), 277: s(channels), 317: s(2)}
    if channels == 4:
        fields[338] = s(2)
    flat = np.full((16, 16, channels), 90, np.uint8)
    slope = flat.copy()
    slope[:, 12:] += np.arange(1, 5, dtype=np.uint8)[:, None] * 20

    def judged(pixels: NDArray[np.uint8]) -> list[str]:
        differences = np.diff(pixels, axis=1, prepend=np.zeros((16, 1, channels), np.uint8))
        return tile(fields, zlib.compress(differences.astype(np.uint8).tobytes()), order)

    assert judged(flat) == []
    assert judged(slope) == HIDES


def turned_round(raw: bytes) -> bytes:
    """The bits of each byte the other way round: FillOrder 2 (section 8)."""
    return bytes(int(f"{byte:08b}"[::-1], 2) for byte in raw)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("planes", [1, 2], ids=["together", "apart"])
@pytest.mark.parametrize(("code", "filled"), [(1, 1), (1, 2), (8, 1)])
def test_bits_over_the_edge_are_read_as_they_were_written(code: int, filled: int, planes: int, order: str) -> None:
    fields = {258: s(1), 259: s(code), 262: s(0), 277: s(1), 284: s(planes)}
    if filled == 2:
        fields[266] = s(2)
    shown = np.zeros((16, 16), np.bool_)
    shown[4:9, 3:9] = True
    hiding = shown.copy()
    hiding[5:11, 13:15] = True
    for pixels, found in ((shown, []), (hiding, HIDES)):
        raw = np.packbits(pixels, axis=1).tobytes()
        raw = turned_round(raw) if filled == 2 else raw
        assert tile(fields, zlib.compress(raw) if code == 8 else raw, order) == found


def test_a_jpeg_over_the_edge_is_read() -> None:
    flat = np.full((16, 16), 90, np.uint8)
    hiding = flat.copy()
    hiding[4:12, 13:15] = 220
    for pixels, found in ((flat, []), (hiding, HIDES)):
        assert tile({258: s(8), 259: s(7), 262: s(1), 277: s(1)}, jpeg_of(pixels)) == found
