"""What lies just beyond what a copy may hold is noticed; what lies just inside is not."""

from __future__ import annotations

import io
import struct
import zlib

import dicom_kit
import numpy as np
import pytest
from PIL import Image, ImageCms

from medimg import audit, formats
from medimg.audit import icc
from medimg.errors import Malformed
from medimg.types import Limits


def saved(kind: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(3).integers(0, 256, (8, 8, 3), np.uint8)).save(out, kind)
    return out.getvalue()


def turned(value: int, order: str) -> bytes:
    """A TIFF block of one entry, Orientation."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x112, 3, 1, value, 0, 0)


def with_chunk(png: bytes, kind: bytes, body: bytes, at: int = 33) -> bytes:
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return png[:at] + chunk + png[at:]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("value", range(11))
def test_a_png_may_say_how_it_is_turned_and_no_more(value: int, order: str) -> None:
    data = with_chunk(saved("PNG"), b"eXIf", turned(value, order))
    assert (audit.walk(data, "png") == []) == (2 <= value <= 8)
    assert audit.walk(with_chunk(saved("PNG"), b"eXIf", turned(6, order) + b"\0"), "png") == ["eXIf"]


ADAM7 = ("16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777")
"""The pass of each pixel of a square of eight (PNG, third edition, 8.1)."""


@pytest.mark.parametrize("width", range(1, 10))
def test_an_interlaced_png_holds_every_pass_and_no_byte_more(width: int) -> None:
    for height in range(1, 10):
        of = {(x, y): ADAM7[y % 8][x % 8] for x in range(width) for y in range(height)}
        size = 0
        for one in "1234567":
            places = [place for place, found in of.items() if found == one]
            size += len({y for _, y in places}) + 3 * len(places)  # a byte for each row's filter
        head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
        for more, strays in ((0, []), (1, ["IDAT/length"])):
            png = b"\x89PNG\r\n\x1a\n"
            for kind, body in ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(size + more))), (b"IEND", b"")):
                png = with_chunk(png, kind, body, len(png))
            assert audit.walk(png, "png") == strays, (width, height, more)


@pytest.mark.parametrize("missing", [b"IHDR", b"IDAT", b"IEND"])
def test_a_png_without_a_head_a_picture_or_an_end_is_no_copy(missing: bytes) -> None:
    png = b"\x89PNG\r\n\x1a\n"
    for kind, body in ((b"IHDR", b"\0\0\0\1\0\0\0\1\x08\0\0\0\0"), (b"IDAT", zlib.compress(bytes(2))), (b"IEND", b"")):
        if kind != missing:
            png = with_chunk(png, kind, body, len(png))
    with pytest.raises(Malformed, match="could not be followed to its end"):
        audit.walk(png, "png")


@pytest.mark.parametrize("value", range(11))
def test_a_jpeg_may_say_how_it_is_turned_and_no_more(value: int) -> None:
    plain = saved("JPEG")
    jpeg = plain[:2] + b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + plain[20:]
    assert audit.walk(jpeg, "jpeg") == []
    body = b"Exif\0\0" + turned(value, ">")
    data = jpeg[:20] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[20:]
    assert (audit.walk(data, "jpeg") == []) == (2 <= value <= 8)


@pytest.mark.parametrize("marker", [*range(0xE0, 0xF0), 0xFE])
def test_a_segment_that_may_not_stand_in_a_jpeg_is_named(marker: int) -> None:
    plain = saved("JPEG")
    jpeg = plain[:2] + plain[20:]
    name = "COM" if marker == 0xFE else f"APP{marker - 0xE0}"
    segment = bytes((0xFF, marker, 0, 7)) + b"Banks"
    assert audit.walk(jpeg[:2] + segment + jpeg[2:], "jpeg") == [name]
    assert audit.walk(jpeg[:2] + segment * 2 + jpeg[2:], "jpeg") == [name, name]


@pytest.mark.parametrize("segment", [b"\xff\xdd\0\5\0\0\0", b"\xff\xdc\0\4\0\x08", b"\xff\xf0\0\2"])
def test_a_restart_interval_of_another_size_and_a_segment_of_no_known_kind_end_the_walk(segment: bytes) -> None:
    plain = saved("JPEG")
    jpeg = plain[:2] + plain[20:]
    assert audit.walk(jpeg, "jpeg") == []
    with pytest.raises(Malformed, match="of an unknown kind"):
        audit.walk(jpeg[:2] + segment + jpeg[2:], "jpeg")


@pytest.mark.parametrize(("head", "known"), [(0x03, True), (0x13, True), (0x04, False), (0x20, False), (0x23, False)])
def test_a_huffman_table_is_of_one_of_two_classes_and_in_one_of_four_places(head: int, known: bool) -> None:
    plain = saved("JPEG")
    table = b"\xff\xc4\0\x14" + bytes((head, 1)) + bytes(15) + b"\0"  # one code of one bit
    data = plain[:2] + table + plain[20:]
    if known:
        assert audit.walk(data, "jpeg") == ["unused table"]
    else:
        with pytest.raises(Malformed, match="a table of the copy is damaged"):
            audit.walk(data, "jpeg")


@pytest.mark.parametrize(
    "change", [lambda d: b"RIFX" + d[4:], lambda d: d[:8] + b"WEBQ" + d[12:], lambda d: d[:-2], lambda d: d[:12]]
)
def test_what_does_not_begin_like_a_webp_file_or_is_cut_short(change: object) -> None:
    copy = formats.open_photo(saved("WEBP"), Limits()).write().data
    assert audit.walk(copy, "webp") == []
    with pytest.raises(Malformed):
        audit.walk(change(copy), "webp")  # type: ignore[operator]


def profile(tags: dict[bytes, bytes]) -> bytes:
    """A cleaned profile with tags put in the place of its own."""
    from medimg.formats.shared import icc as writer

    made = writer.clean(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert made is not None
    count = int.from_bytes(made[128:132])
    found = {}
    for k in range(count):
        name, at, size = struct.unpack_from(">4sII", made, 132 + 12 * k)
        found[name] = made[at : at + size]
    found |= tags
    table, body, start = b"", b"", 132 + 12 * len(found)
    for name, value in found.items():
        table += struct.pack(">4sII", name, start + len(body), len(value))
        body += value.ljust(-(-len(value) // 4) * 4, b"\0")
    out = made[:128] + struct.pack(">I", len(found)) + table + body
    return struct.pack(">I", len(out)) + out[4:]


CODE_POINTS = b"cicp" + bytes(4) + bytes((1, 13, 0, 1))


def test_code_points_of_a_profile_have_one_form() -> None:
    assert icc.strays(profile({})) == icc.strays(profile({b"cicp": CODE_POINTS})) == []
    for wrong in (b"text" + CODE_POINTS[4:], CODE_POINTS + b"\0\0\0\0", CODE_POINTS[:8]):
        assert icc.strays(profile({b"cicp": wrong}))


@pytest.mark.parametrize("values", [0, 1, 2, 4, 256])
def test_a_curve_is_as_long_as_the_number_of_its_values_says(values: int) -> None:
    curve = b"curv" + bytes(4) + struct.pack(f">I{values}H", values, *range(values))
    assert icc.strays(profile({b"rTRC": curve})) == []
    for wrong in (curve + bytes(4), curve[:-2], curve + bytes(2)):
        assert icc.strays(profile({b"rTRC": wrong}))


@pytest.mark.parametrize(("kind", "numbers"), list(enumerate((1, 3, 4, 5, 7))))
def test_a_parametric_curve_is_as_long_as_its_kind_says(kind: int, numbers: int) -> None:
    curve = b"para" + bytes(4) + struct.pack(">HH", kind, 0) + struct.pack(">I", 1 << 16) * numbers
    assert icc.strays(profile({b"rTRC": curve})) == []
    for wrong in (curve + bytes(4), curve[:-4]):
        assert icc.strays(profile({b"rTRC": wrong}))


# -- every part of a profile ------------------------------------------------------------------------------------------


def strays(data: bytes) -> list[str]:
    try:
        return icc.strays(data)
    except (struct.error, LookupError):  # more tags than there are; a walk of a copy says then that it cannot follow
        return ["not followed"]


def test_the_head_of_a_profile_is_fixed_but_for_what_says_how_colours_are_meant() -> None:
    whole = profile({})
    meant = {8, 9, *range(12, 24), 67, *range(68, 80)}  # version, class, colours, connection, intent, illuminant
    for at in range(132):
        for bit in (1, 2, 4, 64, 128):
            spoilt = bytearray(whole)
            spoilt[at] ^= bit
            if at not in meant:
                assert strays(bytes(spoilt)), at


def test_what_lies_between_the_tags_of_a_profile() -> None:
    whole = profile({})

    def longer(tail: bytes) -> list[str]:
        return icc.strays(struct.pack(">I", len(whole) + len(tail)) + whole[4:] + tail)

    assert longer(b"\0\0\0") == []
    assert longer(b"\0\0\0\0") == longer(b"\0\1\0") == ["gap"]
    count = int.from_bytes(whole[128:132])
    table = bytearray(whole)
    for k in range(count):  # everything moved back by four bytes: a gap behind the table
        at = 136 + 12 * k
        table[at : at + 4] = struct.pack(">I", int.from_bytes(table[at : at + 4]) + 4)
    start = 132 + 12 * count
    moved = bytes(table[:start]) + bytes(4) + bytes(table[start:])
    assert icc.strays(struct.pack(">I", len(moved)) + moved[4:]) == ["gap"]


@pytest.mark.parametrize(("kind", "entries"), [(b"mft1", b""), (b"mft2", struct.pack(">HH", 3, 2))])
def test_a_table_of_colours_is_as_long_as_it_says(kind: bytes, entries: bytes) -> None:
    inputs, outputs, grid = 2, 3, 4
    rows, width = ((256, 256), 1) if kind == b"mft1" else ((3, 2), 2)
    numbers = rows[0] * inputs + grid**inputs * outputs + rows[1] * outputs
    matrix = struct.pack(">9i", *(65536 * k for k in (1, 0, 0, 0, 1, 0, 0, 0, 1)))  # of no colours but XYZ another
    body = kind + bytes(4) + bytes((inputs, outputs, grid, 0)) + matrix + entries + bytes(width * numbers)
    assert icc.strays(profile({b"A2B0": body})) == []
    reserved = body[:11] + b"\1" + body[12:]
    for wrong in (
        body + bytes(1),
        body[:-1],
        body + bytes(4),
        reserved,
        b"mft3" + body[4:],
        body[:7] + b"\1" + body[8:],
        body[:15] + b"\1" + body[16:],
    ):
        assert icc.strays(profile({b"A2B0": wrong})) == ["tag"]
    assert icc.strays(profile({b"rTRC": body})) == ["tag"]


def steps(kind: bytes, inputs: int, outputs: int, parts: dict[int, bytes]) -> bytes:
    """A table of steps: curves, matrix, curves, colours, curves, one behind the other."""
    places, body = [0] * 5, b""
    for number, part in sorted(parts.items()):
        places[number] = 32 + len(body)
        body += part
    return kind + bytes(4) + bytes((inputs, outputs, 0, 0)) + struct.pack(">5I", *places) + body


CURVE = b"curv" + bytes(4) + struct.pack(">I", 1) + b"\1\0" + bytes(2)  # filled up to a whole number of four bytes
COLOURS = bytes((2, 2)) + bytes(14) + b"\1" + bytes(3) + bytes(2 * 2 * 3) + b""


@pytest.mark.parametrize(("kind", "near", "far"), [(b"mAB ", 3, 2), (b"mBA ", 2, 3)])
def test_the_steps_of_a_table_stand_one_behind_the_other(kind: bytes, near: int, far: int) -> None:
    coming, going = 2, 3
    parts = {0: CURVE * near, 1: bytes(48), 2: CURVE * near, 3: COLOURS, 4: CURVE * far}
    good = steps(kind, coming, going, parts)
    assert icc.strays(profile({b"A2B0": good})) == []
    assert icc.strays(profile({b"A2B0": steps(kind, coming, going, {0: CURVE * near})})) == []
    wrong = {
        "bytes behind": good + bytes(4),
        "a curve too few": steps(kind, coming, going, {**parts, 4: CURVE * (far - 1)}),
        "a curve too many": steps(kind, coming, going, {**parts, 0: CURVE * (near + 1)}),
        "no numbers before the colours": steps(kind, coming, going, {**parts, 3: COLOURS[:2] + b"\1" + COLOURS[3:]}),
        "numbers of three bytes": steps(kind, coming, going, {**parts, 3: COLOURS[:16] + b"\3" + COLOURS[17:]}),
        "a reserved byte": steps(kind, coming, going, {**parts, 3: COLOURS[:17] + b"\1" + COLOURS[18:]}),
        "filling that says something": steps(kind, coming, going, {**parts, 4: CURVE * (far - 1) + CURVE[:-1] + b"x"}),
        "a curve of another kind": steps(kind, coming, going, {**parts, 2: (b"text" + CURVE[4:]) * near}),
        "a curve that is reserved": steps(kind, coming, going, {**parts, 2: (CURVE[:4] + b"\1" + CURVE[5:]) * near}),
        "a matrix too long": steps(kind, coming, going, {**parts, 1: bytes(52)}),
        "nothing at all": steps(kind, coming, going, {}),
        "reserved": good[:10] + b"\1" + good[11:],
    }
    for name, body in wrong.items():
        assert icc.strays(profile({b"A2B0": body})) == ["tag"], name


@pytest.mark.parametrize(("tag", "size"), [(b"wtpt", 20), (b"chad", 44)])
def test_numbers_of_a_profile_are_as_many_as_they_are(tag: bytes, size: int) -> None:
    kind = b"XYZ " if size == 20 else b"sf32"
    body = kind + bytes(size - 4)
    assert icc.strays(profile({tag: body})) == []
    for wrong in (body + bytes(4), body[:-4], b"text" + body[4:]):
        assert icc.strays(profile({tag: wrong})) == ["tag"]


def text(name: bytes, words: str, major: int) -> bytes:
    """A text as profiles of version 2 and 4 hold it (ICC.1:2001-04, 6.5.17 and 6.5.18; ICC.1:2010, 10.13)."""
    if major == 4:
        raw = words.encode("utf-16-be")
        return b"mluc" + bytes(4) + struct.pack(">II", 1, 12) + b"enUS" + struct.pack(">II", len(raw), 28) + raw
    plain = words.encode() + b"\0"
    if name == b"cprt":
        return b"text" + bytes(4) + plain
    return b"desc" + bytes(4) + struct.pack(">I", len(plain)) + plain + bytes(78)


@pytest.mark.parametrize("major", [2, 4])
def test_texts_of_a_profile_are_the_known_ones(major: int) -> None:
    def judged(copyright_: str, description: str) -> list[str]:
        whole = profile({b"cprt": text(b"cprt", copyright_, major), b"desc": text(b"desc", description, major)})
        return icc.strays(whole[:8] + bytes((major,)) + whole[9:])

    assert judged("CC0", "sRGB") == judged("CC0", "Display P3") == []
    assert judged("CC0", "J Banks") == judged("J Banks", "RGB") == judged("CC0", "Gray") == ["tag"]


# -- what a PNG may say of its looks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "good", "wrong"),
    [
        (b"gAMA", [20_000, 45455, 106_000], [0, 19_999, 106_001]),
        (b"cICP", [0x01010000, 0x16120001], [0x17010000, 0x01130000, 0x01010100, 0x01010002]),
    ],
)
def test_numbers_of_a_png_end_where_the_standard_ends(kind: bytes, good: list[int], wrong: list[int]) -> None:
    for value in good:
        assert audit.walk(with_chunk(saved("PNG"), kind, struct.pack(">I", value)), "png") == []
    for value in wrong:
        assert audit.walk(with_chunk(saved("PNG"), kind, struct.pack(">I", value)), "png") == [kind.decode()]
    assert audit.walk(with_chunk(saved("PNG"), kind, struct.pack(">I", good[0]) + b"\0"), "png") == [kind.decode()]


@pytest.mark.parametrize(
    ("body", "good"),
    [(b"\1\1\1", True), (b"\x08\x08\x08", True), (b"\0\1\1", False), (b"\x09\1\1", False), (b"\1\1", False)],
)
def test_significant_bits_are_those_of_the_channels(body: bytes, good: bool) -> None:
    assert (audit.walk(with_chunk(saved("PNG"), b"sBIT", body), "png") == []) == good


def test_points_of_a_png_lie_where_colours_can_lie() -> None:
    for most, good in ((200_000, True), (200_001, False)):
        body = struct.pack(">8I", most, *[0] * 7)
        assert (audit.walk(with_chunk(saved("PNG"), b"cHRM", body), "png") == []) == good
    for value in range(6):
        assert (audit.walk(with_chunk(saved("PNG"), b"sRGB", bytes((value,))), "png") == []) == (value < 4)


# -- what a DICOM copy says of how it was made ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "good"),
    [
        ((0, 1, 2), True), ((0, 2, 1), False), ((1, 0, 2), False), ((1, 2), False), ((0, 1, 1, 2), False),
        ((0, 0, 1, 2), False), ((), False), ((2,), False),
    ],
)  # fmt: skip
def test_the_methods_of_a_dicom_copy_stand_in_one_order(order: tuple[int, ...], good: bool) -> None:
    photo = formats.open_photo(dicom_kit.saved(dicom_kit.dataset()), Limits())
    assert isinstance(photo, formats.Declaring)
    photo.state(formats.Statement(key=bytes(32), text=True, faces=True))
    copy = photo.write().data
    assert audit.walk(copy, "dicom") == []
    at = copy.index(b"\x12\0\x64\0SQ\0\0") + 12
    size = int.from_bytes(copy[at - 4 : at], "little")
    items, end = [], at
    while end < at + size:
        step = 8 + int.from_bytes(copy[end + 4 : end + 8], "little")
        items.append(copy[end : end + step])
        end += step
    assert len(items) == 3
    body = b"".join(items[k] for k in order)
    changed = copy[: at - 4] + len(body).to_bytes(4, "little") + body + copy[end:]
    assert (audit.walk(changed, "dicom") == []) == good


def test_a_palette_has_alpha_for_its_colours_and_no_more() -> None:
    out = io.BytesIO()
    picture = Image.fromarray(np.random.default_rng(3).integers(1, 256, (8, 8, 3), np.uint8)).quantize(4)
    picture.save(out, "PNG", transparency=bytes((20, 40, 80, 120)))
    copy = formats.open_photo(out.getvalue(), Limits()).write().data
    at = copy.index(b"tRNS") - 4
    size = int.from_bytes(copy[at : at + 4])
    assert (size, audit.walk(copy, "png")) == (4, [])

    def with_alpha(body: bytes) -> list[str]:
        return audit.walk(with_chunk(copy[:at] + copy[at + 12 + size :], b"tRNS", body, at), "png")

    alpha = copy[at + 8 : at + 8 + size]
    assert with_alpha(alpha) == []
    assert with_alpha(alpha + b"\x10") == with_alpha(alpha[:-1] + b"\xff") == ["PLTE/length"]
