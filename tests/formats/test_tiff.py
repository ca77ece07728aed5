"""TIFF: one page, its layout fields and its strips, and nothing else."""

from __future__ import annotations

import contextlib
import io
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, TiffImagePlugin
from tiff_kit import build

from medimg import audit, formats
from medimg.errors import Malformed, MedimgError, TooLarge, Unsupported
from medimg.formats import tiff
from medimg.native.opencv import cv2
from medimg.types import Cover, Limits

LIMITS = Limits()
MARK = "ZqMARKERqZ"
COVER = Cover(polygon=((4.0, 3.0), (20.0, 3.0), (20.0, 11.0), (4.0, 11.0)), category="name")
RNG = np.random.default_rng(3)


def made(
    mode: str = "RGB", compression: str | None = None, size: tuple[int, int] = (33, 40), **options: object
) -> bytes:
    channels = {"L": 1, "P": 1, "1": 1}.get(mode, len(mode))
    pixels = RNG.integers(0, 255, (size[1], size[0], channels)).astype(np.uint8).squeeze()
    base = mode if mode not in ("P", "1") else "L"
    picture = Image.fromarray(pixels, base).convert(mode)
    out = io.BytesIO()
    picture.save(out, "TIFF", compression=compression, software=MARK, artist=MARK, description=MARK, **options)
    return out.getvalue()


def strips(data: bytes) -> list[bytes]:
    photo = tiff.open(data, LIMITS)
    return [data[a : a + n] for a, n in photo.chunks]


KINDS = [
    (mode, compression)
    for mode in ("L", "RGB", "CMYK", "1", "P")
    for compression in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")
] + [("L", "jpeg"), ("RGB", "jpeg"), ("1", "group4")]


@pytest.mark.parametrize(("mode", "compression"), KINDS)
def test_fields_go_and_rows_stay(mode: str, compression: str | None) -> None:
    data = made(mode, compression)
    photo = tiff.open(data, LIMITS)
    assert {f.category for f in photo.metadata()} >= {"software", "owner", "caption"}
    copy = photo.write()
    assert MARK.encode() not in copy.data
    again = tiff.open(copy.data, LIMITS)
    if compression == "jpeg":  # each strip with its tables, and the same coded data
        assert all(b.endswith(a[a.index(b"\xff\xda") :]) for a, b in zip(strips(data), strips(copy.data), strict=True))
    elif compression is None:
        assert strips(copy.data) == strips(data) or mode == "1"
    else:
        assert again.compression == "deflate"
    assert (copy.method == "samples") == (compression not in (None, "jpeg"))
    assert audit.walk(copy.data, "tiff") == []
    assert again.metadata() == []
    assert np.array_equal(again.samples(), photo.samples())


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK", "RGBA", "LA", "P", "1"])
def test_covers_are_exact(mode: str) -> None:
    photo = tiff.open(made(mode, "tiff_lzw"), LIMITS)
    copy = photo.write([COVER])
    after = tiff.open(copy.data, LIMITS).samples()
    expected = photo.samples().copy()
    channels = 1 if expected.ndim == 2 else expected.shape[2]
    expected[3:11, 4:20] = [0] * (channels - 1) + [255] if channels in (2, 4) else 0
    assert np.array_equal(after, expected)
    assert audit.walk(copy.data, "tiff") == []
    assert copy.lossless


@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_stay_sixteen(channels: int) -> None:
    pixels = RNG.integers(0, 65535, (40, 33, channels)).astype(np.uint16).squeeze()
    data = cv2.imencode(".tif", pixels)[1].tobytes()
    photo = tiff.open(data, LIMITS)
    assert photo.samples().dtype == np.uint16
    after = tiff.open(photo.write([COVER]).data, LIMITS).samples()
    expected = photo.samples().copy()
    expected[3:11, 4:20] = 0
    assert after.dtype == np.uint16
    assert np.array_equal(after, expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_stays_over_untouched_pixels(orientation: int) -> None:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[274] = orientation
    data = made(tiffinfo=info)
    photo = tiff.open(data, LIMITS)
    copy = photo.write()
    assert copy.orientation == photo.orientation == orientation
    shown = [np.asarray(Image.open(io.BytesIO(d)).convert("RGB")) for d in (data, copy.data)]
    assert np.array_equal(*shown)


def test_further_pages_go() -> None:
    first, second = (Image.fromarray(RNG.integers(0, 255, (20, 20, 3)).astype(np.uint8)) for _ in range(2))
    out = io.BytesIO()
    first.save(out, "TIFF", save_all=True, append_images=[second])
    photo = tiff.open(out.getvalue(), LIMITS)
    assert "extra-frames" in {f.category for f in photo.metadata()}
    copy = photo.write()
    assert "frames-dropped" in copy.notes
    assert second.tobytes()[:60] not in copy.data
    assert np.array_equal(tiff.open(copy.data, LIMITS).samples(), np.asarray(first))


def test_bytes_of_no_field_go() -> None:
    data = made() + MARK.encode()
    photo = tiff.open(data, LIMITS)
    assert "unknown-block" in {f.category for f in photo.metadata()}
    assert MARK.encode() not in photo.write().data


def test_exif_and_gps_directories_are_reported_by_kind() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "S", 2: (36.0, 50.0, 10.0)})
    exif[0x010F] = MARK
    out = io.BytesIO()
    Image.new("RGB", (20, 20)).save(out, "TIFF", exif=exif.tobytes())
    photo = tiff.open(out.getvalue(), LIMITS)
    assert {"location", "device"} <= {f.category for f in photo.metadata()}
    assert MARK.encode() not in photo.write().data


def test_bigtiff_becomes_classic() -> None:
    out = io.BytesIO()
    Image.fromarray(RNG.integers(0, 255, (20, 20)).astype(np.uint8)).save(out, "TIFF", big_tiff=True)
    data = out.getvalue()
    assert data[:4] == b"II+\0"
    copy = tiff.open(data, LIMITS).write()
    assert copy.data[:4] == b"II*\0"
    assert strips(copy.data) == strips(data)


@pytest.mark.parametrize("marker", [b"\xff\xfe", b"\xff\xe3", b"\xff\xf0", b"\xff\xdc"])
def test_what_is_no_picture_inside_a_jpeg_strip_goes(marker: bytes) -> None:
    data = made("RGB", "jpeg")
    (strip,) = strips(data)
    comment = marker + struct.pack(">H", 2 + len(MARK)) + MARK.encode()
    photo = tiff.open(data, LIMITS)
    hurt = strip[:2] + comment + strip[2:]
    fields = {256: (3, struct.pack("<H", 33)), 257: (3, struct.pack("<H", 40)), 258: (3, struct.pack("<3H", 8, 8, 8)),
              259: (3, struct.pack("<H", 7)), 262: (3, struct.pack("<H", 6)), 277: (3, struct.pack("<H", 3)),
              278: (3, struct.pack("<H", 40))}  # fmt: skip
    tables = photo.page.entries.get(347)
    if tables is not None:
        fields[347] = (7, tables.raw)
    built = build("<", fields, [hurt])
    with contextlib.suppress(Malformed):  # a strip of a copy has its own tables
        assert audit.walk(built, "tiff")
    copy = tiff.open(built, LIMITS).write()
    assert MARK.encode() not in copy.data
    assert audit.walk(copy.data, "tiff") == []


def test_camera_raw_is_named_and_refused() -> None:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[50706] = b"\x01\x04\x00\x00"
    info.tagtype[50706] = 1
    with pytest.raises(Unsupported, match="raw"):
        formats.open_photo(made(tiffinfo=info), LIMITS)


def test_a_claimed_size_over_the_limit_is_refused() -> None:
    data = bytearray(made("L"))
    photo = tiff.open(bytes(data), LIMITS)
    for tag in (256, 257):
        entry = photo.page.entries[tag]
        data[entry.at : entry.at + 2] = b"\xff\xff"
    with pytest.raises((TooLarge, MedimgError)):
        tiff.open(bytes(data), LIMITS)


@given(st.integers(0, 2000), st.binary(min_size=1, max_size=8))
@settings(max_examples=300)
def test_damage_is_refused_or_harmless(at: int, junk: bytes) -> None:
    data = made("L", "tiff_adobe_deflate")
    at %= len(data)
    hurt = data[:at] + junk + data[at + len(junk) :]
    try:
        photo = formats.open_photo(hurt, LIMITS)
        photo.metadata()
        copy = photo.write()
    except MedimgError:
        return
    assert audit.walk(copy.data, "tiff") == []


def test_real_files(corpus: Callable[[str], list[Path]]) -> None:
    exiftool = shutil.which("exiftool")
    for path in corpus("*.tif"):
        data = path.read_bytes()
        try:
            photo = tiff.open(data, LIMITS)
        except Unsupported:
            assert "ome" in path.name
            continue
        copy = photo.write()
        assert audit.walk(copy.data, "tiff") == [], path.name
        assert tiff.open(copy.data, LIMITS).metadata() == [], path.name
        assert np.array_equal(tiff.open(copy.data, LIMITS).samples(), photo.samples())
        if exiftool:
            shown = subprocess.run(
                [exiftool, "-a", "-u", "-G1", "-s", "-"], input=copy.data, capture_output=True, check=False
            ).stdout.decode("utf-8", "replace")
            groups = {line.split("]")[0].strip("[ ") for line in shown.splitlines() if line.startswith("[")}
            assert groups <= {"ExifTool", "System", "File", "IFD0", "Composite", "ICC_Profile", "ICC-header"}, path.name


def beside_colours(last: np.ndarray, colours: np.ndarray, extra: int | None) -> bytes:
    """A TIFF of one strip whose last channel is not said to be alpha."""
    stacked = np.dstack([colours, last])
    height, width, channels = stacked.shape
    bits = stacked.dtype.itemsize * 8
    fields = {256: width, 257: height, 258: bits, 259: 1, 262: 1 if channels == 2 else 2, 273: 0, 277: channels,
              278: height, 279: stacked.nbytes, 284: 1, 338: extra}  # fmt: skip
    table = [(tag, value) for tag, value in fields.items() if value is not None]
    end = 8 + 2 + 12 * len(table) + 4
    fields[273] = end + 2 * channels
    out = b"II*\0" + struct.pack("<IH", 8, len(table))
    for tag, _ in table:
        if tag == 258 and channels > 2:
            out += struct.pack("<HHII", tag, 3, channels, end)
        elif tag == 258:
            out += struct.pack("<HHIHH", tag, 3, channels, bits, bits)
        else:
            out += struct.pack("<HHII", tag, 4, 1, fields[tag])
    return out + bytes(4) + np.full(channels, bits, np.uint16).tobytes() + stacked.tobytes()


@pytest.mark.parametrize("extra", [0, None])
@pytest.mark.parametrize(("dtype", "channels"), [(np.uint8, 3), (np.uint8, 1), (np.uint16, 3)])
def test_an_opaque_channel_that_nobody_calls_alpha(extra: int | None, dtype: type, channels: int) -> None:
    full = np.iinfo(dtype).max
    colours = np.random.default_rng(3).integers(0, full, (24, 36, channels)).astype(dtype)
    photo = tiff.open(beside_colours(np.full((24, 36), full, dtype), colours, extra), LIMITS)
    copy = photo.write()
    assert audit.walk(copy.data, "tiff") == []
    shown = tiff.open(copy.data, LIMITS)
    assert np.array_equal(shown.samples()[..., :channels], colours.reshape(24, 36, channels))
    assert (shown.samples()[..., -1] == full).all()


@pytest.mark.parametrize("extra", [0, None])
def test_a_channel_that_nobody_calls_alpha_and_that_is_a_picture_is_refused(extra: int | None) -> None:
    plane = np.full((24, 36), 255, np.uint8)
    plane[4:9, 5:20] = 90
    data = beside_colours(plane, np.zeros((24, 36, 3), np.uint8), extra)
    with pytest.raises(Unsupported, match="channels that are no colours"):
        tiff.open(data, LIMITS).write()


# ---------------------------------------------------------------- fields about something the picture does not have

SAYS = b"Quillfeather, MRN 5550173, "


def rgb(order: str = "<", more: dict[int, tuple[int, bytes]] | None = None) -> bytes:
    numbers = {256: 6, 257: 5, 259: 1, 262: 2, 277: 3, 278: 5, 284: 1}
    fields = {tag: (3, struct.pack(f"{order}H", value)) for tag, value in numbers.items()}
    fields[258] = (3, struct.pack(f"{order}3H", 8, 8, 8))
    return build(order, fields | (more or {}), [bytes(range(90))])


def test_channels_in_strips_of_their_own_are_all_there() -> None:
    planes = [bytes(range(30 * k, 30 * k + 30)) for k in range(3)]
    apart = {**fields_of(rgb()), 284: (3, struct.pack("<H", 2))}
    photo = formats.open_photo(build("<", apart, planes), LIMITS)
    copy = photo.write()
    assert audit.walk(copy.data, "tiff") == []
    assert [photo.samples()[..., k].tobytes() for k in range(3)] == planes
    for strips in (planes[:2], [*planes, bytes(30)]):
        assert audit.walk(build("<", fields_of(copy.data), strips), "tiff")


@pytest.mark.parametrize(
    ("tag", "field"),
    [
        (320, (3, (SAYS * 57)[:1536])),
        (532, (5, (SAYS * 2)[:48])),
        (529, (5, SAYS[:24])),
        (530, (3, SAYS[:4])),
        (332, (3, SAYS[:2])),
        (292, (4, SAYS[:4])),
        (317, (3, SAYS[:2])),
    ],
    ids=lambda x: str(x) if isinstance(x, int) else "",
)
def test_a_field_that_says_nothing_of_this_picture_is_left_out(tag: int, field: tuple[int, bytes]) -> None:
    data = rgb(more={tag: field})
    photo = formats.open_photo(data, LIMITS)
    copy = photo.write()
    assert field[1][:8] not in copy.data or len(field[1]) < 4
    assert audit.walk(copy.data, "tiff") == []
    assert copy.data == formats.open_photo(rgb(), LIMITS).write().data
    if tag in (320, 532):
        assert [f.where for f in photo.metadata()] == [f"IFD0/{tag}"]
    forged = build("<", {254: (4, bytes(4)), **fields_of(copy.data), tag: field}, [bytes(range(90))])
    assert f"IFD0/{tag}" in audit.walk(forged, "tiff")


def fields_of(data: bytes) -> dict[int, tuple[int, bytes]]:
    """The fields of a copy of :func:`rgb` but those that say where the picture lies."""
    with Image.open(io.BytesIO(data)) as opened:
        tags = dict(opened.tag_v2)
    out = {}
    for tag, value in tags.items():
        if tag not in (254, 273, 279):
            values = value if isinstance(value, tuple) else (value,)
            out[tag] = (3, struct.pack(f"<{len(values)}H", *values))
    return out


def test_rows_of_a_strip_are_no_more_than_the_picture_has() -> None:
    copy = formats.open_photo(rgb(more={278: (4, struct.pack("<I", 5_550_173))}), LIMITS).write()
    assert fields_of(copy.data)[278] == (3, struct.pack("<H", 5))
    assert formats.open_photo(copy.data, LIMITS).write().data == copy.data


@pytest.mark.parametrize("tag", [322, 323])
def test_a_picture_in_strips_has_no_size_of_tiles(tag: int) -> None:
    copy = formats.open_photo(rgb(more={tag: (3, struct.pack("<H", 2))}), LIMITS).write()
    assert tag not in fields_of(copy.data)
    assert not audit.walk(copy.data, "tiff")


def test_a_strip_of_no_rows_has_one() -> None:
    """As the reader counts it; the second reader follows no copy with strips of no rows."""
    line = {257: (3, struct.pack("<H", 1)), 278: (3, bytes(2))}
    copy = formats.open_photo(build("<", {**fields_of(rgb()), **line}, [bytes(range(18))]), LIMITS).write()
    assert fields_of(copy.data)[278] == (3, struct.pack("<H", 1))
    assert not audit.walk(copy.data, "tiff")


def packed(compression: int, *, inks: bool = False) -> dict[int, tuple[int, bytes]]:
    """Fields that make one that says something of them belong there."""
    return {259: (3, struct.pack("<H", compression)), **({262: (3, struct.pack("<H", 5))} if inks else {})}


@pytest.mark.parametrize(
    ("tag", "beside"),
    [(266, {}), (284, {}), (292, packed(3)), (293, packed(4)), (317, packed(5)), (332, packed(1, inks=True))],
    ids=str,
)
def test_a_value_that_is_not_defined_is_refused_and_noticed(tag: int, beside: dict[int, tuple[int, bytes]]) -> None:
    """A year stands there, which viewers pass over."""
    year = {**beside, tag: (3, struct.pack("<H", 1961))}
    with pytest.raises(MedimgError):
        formats.open_photo(rgb(more=year), LIMITS).write()
    forged = build("<", {254: (4, bytes(4)), **fields_of(rgb()), **year}, [bytes(range(90))])
    assert f"IFD0/{tag}" in audit.walk(forged, "tiff")


def test_fields_stand_once_and_in_order() -> None:
    """A viewer takes one of two, and the other could say anything."""
    copy = formats.open_photo(rgb(), LIMITS).write().data
    (count,) = struct.unpack_from("<H", copy, 8)
    entries = [copy[10 + 12 * k : 22 + 12 * k] for k in range(count)]
    for order in ([1, 0, *range(2, count)], [*range(count - 1), count - 2]):
        table = b"".join(entries[k] for k in order)
        assert "IFD0/order" in audit.walk(copy[:10] + table + copy[10 + 12 * count :], "tiff")


def test_a_copy_without_rows_in_a_strip_cannot_be_followed() -> None:
    with pytest.raises(Malformed):
        audit.walk(build("<", {**fields_of(rgb()), 278: (3, bytes(2))}, [bytes(range(90))]), "tiff")
