"""JPEG: every hiding place is reported and empty in the copy; coded data stay byte for byte."""

from __future__ import annotations

import datetime
import io
import re
import struct
from collections.abc import Callable
from functools import cache

import numpy as np
import piexif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jpeg_kit import segment as put
from PIL import Image, ImageCms

from medimg import audit, formats
from medimg.errors import Malformed, MedimgError, TooLarge, Unsupported
from medimg.formats import capture
from medimg.formats.jpeg import photo as jpeg
from medimg.formats.shared import exif, icc
from medimg.types import Cover, Limits

LIMITS = Limits()
MARK = b"ZqMARKERqZ"
XMP, XMP_MORE = b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0"


@cache
def plain(mode: str = "RGB", size: tuple[int, int] = (70, 50), **options: object) -> bytes:
    rng = np.random.default_rng(5)
    channels = {"L": 1}.get(mode, len(mode))
    pixels = rng.integers(0, 255, (size[1], size[0], channels)).astype(np.uint8).squeeze()
    out = io.BytesIO()
    Image.fromarray(pixels, mode).save(out, "JPEG", **options)
    return out.getvalue()


def after_soi(*segments: bytes, base: bytes | None = None) -> bytes:
    data = base or plain()
    return data[:2] + b"".join(segments) + data[2:]


def categories(data: bytes) -> set[str]:
    return {f.category for f in formats.open_photo(data, LIMITS).metadata()}


def thumbnail() -> bytes:
    return plain("RGB", (16, 12))


def exif_block(**more: object) -> bytes:
    return piexif.dump(
        {
            "0th": {0x010F: MARK, 0x0110: MARK, 0x0131: MARK, 0x013B: MARK, 0x0132: b"2024:02:03 04:05:06"},
            "Exif": {
                0x9003: b"2024:02:03 04:05:06",
                0xA431: MARK,
                0xA430: MARK,
                0x9286: b"ASCII\0\0\0" + MARK,
                0x927C: MARK,
            },
            "GPS": {1: b"S", 2: ((36, 1), (50, 1), (10, 1)), 3: b"E", 4: ((174, 1), (45, 1), (1, 1))},
            "1st": {0x0103: 6},
            "thumbnail": thumbnail(),
            **more,
        }
    )


def little_endian_exif() -> bytes:
    body = struct.pack("<H", 2) + struct.pack("<HHI", 0x010F, 2, len(MARK) + 1) + struct.pack("<I", 38)
    body += struct.pack("<HHII", 0x8825, 4, 1, 38 + len(MARK) + 1) + struct.pack("<I", 0)
    gps = struct.pack("<H", 1) + struct.pack("<HHI4s", 1, 2, 2, b"S\0\0\0") + struct.pack("<I", 0)
    return b"II*\0\x08\0\0\0" + body + MARK + b"\0" + gps


HIDING_PLACES: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "exif, big endian": (
        lambda: after_soi(put(0xE1, exif_block())),
        {"location", "capture-time", "device", "serial", "owner", "software", "comment", "maker-note", "thumbnail"},
    ),
    "exif, little endian": (lambda: after_soi(put(0xE1, b"Exif\0\0" + little_endian_exif())), {"location", "device"}),
    "exif that nobody can parse": (lambda: after_soi(put(0xE1, b"Exif\0\0II" + MARK)), {"unknown-block"}),
    "second exif": (lambda: after_soi(put(0xE1, exif_block()), put(0xE1, b"Exif\0\0II" + MARK)), {"unknown-block"}),
    "xmp": (
        lambda: after_soi(put(0xE1, XMP + b"<rdf exif:GPSLatitude='1' dc:creator='" + MARK + b"'/>")),
        {"xmp", "location", "owner"},
    ),
    "extended xmp": (
        lambda: after_soi(put(0xE1, XMP_MORE + b"0" * 40 + b"<dc:description>" + MARK)),
        {"caption"},
    ),
    "iptc": (
        lambda: after_soi(
            put(
                0xED,
                b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", 15) + b"\x1c\x02\x5a\0\x0a" + MARK + b"\0",
            )
        ),
        {"location"},
    ),
    "photoshop thumbnail": (
        lambda: after_soi(put(0xED, b"Photoshop 3.0\0" + b"8BIM\x04\x0c\0\0" + struct.pack(">I", 10) + MARK)),
        {"thumbnail"},
    ),
    "comment": (lambda: after_soi(put(0xFE, MARK)), {"comment"}),
    "jfif thumbnail": (
        lambda: after_soi(put(0xE0, b"JFIF\0\1\1\0\0\1\0\1\4\1" + MARK + b"xx"), base=b"\xff\xd8" + plain()[20:]),
        {"thumbnail"},
    ),
    "jfxx thumbnail": (lambda: after_soi(put(0xE0, b"JFXX\0\x10" + MARK)), {"thumbnail"}),
    "flir": (lambda: after_soi(put(0xE1, b"FLIR\0\1\0\0" + MARK)), {"thermal-image"}),
    "c2pa": (lambda: after_soi(put(0xEB, b"JP\0\1\0\0\0\1" + MARK)), {"content-credential"}),
    "second pictures table": (lambda: after_soi(put(0xE2, b"MPF\0" + MARK)), {"second-image"}),
    "preview in a flashpix segment": (lambda: after_soi(put(0xE2, b"FPXR\0" + thumbnail() + MARK)), {"preview"}),
    "gain map": (lambda: after_soi(put(0xE2, b"urn:iso:std:iso:ts:21496:-1\0" + MARK)), {"gain-map"}),
    "kodak": (lambda: after_soi(put(0xE3, b"Meta\0\0" + MARK)), {"device"}),
    "stereo picture": (lambda: after_soi(put(0xE3, b"_JPSJPS_" + MARK)), {"second-image"}),
    "dji thermal data": (lambda: after_soi(put(0xE3, MARK * 50)), {"unknown-block"}),
    "ricoh": (lambda: after_soi(put(0xE5, b"RMETA\0" + MARK)), {"device"}),
    "samsung": (lambda: after_soi(put(0xE5, b"ssuniqueid\0" + MARK)), {"id"}),
    "gopro": (lambda: after_soi(put(0xE6, b"GoPro\0" + MARK)), {"maker-note"}),
    "casio": (lambda: after_soi(put(0xE1, b"QVCI\0" + MARK)), {"maker-note"}),
    "photostudio": (lambda: after_soi(put(0xEA, b"UNICODE\0" + MARK)), {"comment"}),
    "olympus": (lambda: after_soi(put(0xEC, b"OLYMPUS OPTICAL" + MARK)), {"device"}),
    "segments behind the frame": (
        lambda: plain().replace(b"\xff\xda", put(0xE1, exif_block()) + put(0xFE, MARK) + b"\xff\xda", 1),
        {"location", "comment"},
    ),
    "bytes before the start": (lambda: b"\xef\xbb\xbf\r\n" + after_soi(put(0xFE, MARK)), {"bytes-before-start"}),
    "a table that no scan uses": (
        lambda: after_soi(
            put(0xC4, b"\x13" + bytes(7) + b"\x08" + bytes(8) + bytes(dict.fromkeys(b"ZqMARKER1"))) + put(0xFE, MARK)
        ),
        {"unused-table"},
    ),
    "a restart interval that no scan uses": (
        lambda: after_soi(put(0xDD, b"ab"), put(0xDD, b"\0\0"), put(0xFE, MARK)),
        {"unused-table"},
    ),
    "the end of an earlier file": (lambda: plain() + MARK + plain()[-300:], {"earlier-version"}),
    "samsung trailer": (lambda: plain() + b"\0\0\1\x0a" + MARK + b"SEFHxxxxSEFT", {"maker-note"}),
    "ducky": (lambda: after_soi(put(0xEC, b"Ducky\0" + MARK)), {"software"}),
    "unknown app15": (lambda: after_soi(put(0xEF, MARK)), {"unknown-block"}),
    "long adobe segment": (lambda: after_soi(put(0xEE, b"Adobe\0\x64\0\0\0\0\1" + MARK)), {"unknown-block"}),
    "colour profile that is no profile": (
        lambda: after_soi(put(0xE2, b"ICC_PROFILE\0" + b"\1\1" + MARK)),
        {"colour-profile-text"},
    ),
    "bytes between segments": (lambda: plain()[:20] + MARK + plain()[20:], {"bytes-between-segments"}),
    "bytes after the end": (lambda: plain() + MARK, {"trailing-bytes"}),
    "a video after the end": (lambda: plain() + b"\0\0\0\x18ftypmp42" + MARK, {"motion-video"}),
    "a picture after the end": (lambda: plain() + thumbnail() + MARK, {"second-image"}),
    "an archive after the end": (lambda: plain() + b"PK\x03\x04" + MARK, {"attached-archive"}),
}


@pytest.mark.parametrize("place", HIDING_PLACES)
def test_every_hiding_place_is_reported_and_empty_in_the_copy(place: str) -> None:
    build, expected = HIDING_PLACES[place]
    data = build()
    assert MARK in data
    assert expected <= categories(data)
    copy = jpeg.open(data, LIMITS).write()
    assert MARK not in copy.data
    assert thumbnail()[20:] not in copy.data
    assert categories(copy.data) == set()
    assert audit.walk(copy.data, "jpeg") == []
    if place != "long adobe segment":  # its transform has to stay
        assert copy.data == jpeg.open(plain(), LIMITS).write().data


@given(
    st.lists(
        st.tuples(st.sampled_from([*range(0xE1, 0xEE), 0xEF, 0xFE]), st.binary(max_size=300)).filter(
            lambda s: not s[1].startswith((b"Exif\0", b"ICC_PROFILE\0"))
        ),
        max_size=6,
    ),
    st.binary(max_size=50),
)
@settings(max_examples=200)
def test_inserting_anything_and_stripping_gives_the_same_file(segments: list[tuple[int, bytes]], tail: bytes) -> None:
    data = after_soi(*(put(marker, payload) for marker, payload in segments)) + tail
    copy = jpeg.open(data, LIMITS).write()
    assert copy.data == jpeg.open(plain(), LIMITS).write().data


VARIANTS = {
    "grey": {"mode": "L"},
    "4:2:0": {"subsampling": 2},
    "4:4:4": {"subsampling": 0},
    "progressive": {"progressive": True},
    "restart markers": {"restart_marker_rows": 1},
    "cmyk": {"mode": "CMYK"},
    "rgb": {"keep_rgb": True},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_pixels_and_coded_data_stay(variant: str) -> None:
    data = plain(**VARIANTS[variant])  # type: ignore[arg-type]
    photo = jpeg.open(data, LIMITS)
    copy = photo.write()
    before, after = (np.asarray(Image.open(io.BytesIO(d))) for d in (data, copy.data))
    assert np.array_equal(before, after)
    at = data.index(b"\xff\xda")
    assert copy.data.endswith(data[at:])
    assert all(t in copy.data for t in re.findall(rb"\xff[\xdb\xc0\xc2\xdd]\0.{2,160}?(?=\xff)", data[:at], re.S))
    assert np.array_equal(jpeg.open(copy.data, LIMITS).samples(), photo.samples())
    assert np.array_equal(photo.samples(), before)


@pytest.mark.parametrize("orientation", range(2, 9))
def test_the_orientation_is_kept_and_nothing_else(orientation: int) -> None:
    data = after_soi(put(0xE1, exif_block(**{"0th": {0x0112: orientation, 0x010F: MARK}})))
    copy = jpeg.open(data, LIMITS).write()
    assert copy.orientation == orientation
    assert Image.open(io.BytesIO(copy.data)).getexif() == {0x0112: orientation}
    assert categories(copy.data) == set()


def test_a_profile_keeps_its_colours_and_loses_its_words() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    out = io.BytesIO()
    Image.open(io.BytesIO(plain())).save(out, "JPEG", icc_profile=profile)
    photo = jpeg.open(out.getvalue(), LIMITS)
    assert "colour-profile-text" in {f.category for f in photo.metadata()}
    copy = photo.write()
    kept = Image.open(io.BytesIO(copy.data)).info["icc_profile"]
    assert kept == icc.clean(profile)
    assert kept[24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    assert b"sRGB built-in".decode().encode("utf-16-be") not in kept
    picture = Image.open(io.BytesIO(plain())).convert("RGB")
    lab = ImageCms.createProfile("LAB")
    shown = [
        np.asarray(ImageCms.applyTransform(picture, ImageCms.buildTransform(
            ImageCms.ImageCmsProfile(io.BytesIO(p)), lab, "RGB", "LAB")))
        for p in (profile, kept)
    ]  # fmt: skip
    assert np.array_equal(*shown)
    assert "APP2/ICC" not in {f.where for f in jpeg.open(copy.data, LIMITS).metadata()}


def test_covers_fill_and_everything_else_stays() -> None:
    data = plain("RGB", (160, 96), quality=90)
    photo = jpeg.open(data, LIMITS)
    copy = photo.write([Cover(polygon=((40.0, 20.0), (90.0, 20.0), (90.0, 40.0), (40.0, 40.0)), category="name")])
    assert (copy.method, copy.lossless) == ("coefficients", True)
    after = jpeg.open(copy.data, LIMITS).samples()
    assert after[22:38, 42:88].max() < 10
    outside = np.ones(after.shape[:2], bool)
    for polygon in copy.covered:
        (x0, y0), _, (x1, y1), _ = polygon
        outside[max(0, int(y0) - 1) : int(y1) + 1, max(0, int(x0) - 1) : int(x1) + 1] = False
    assert np.array_equal(after[outside], photo.samples()[outside])
    assert audit.walk(copy.data, "jpeg") == []


@pytest.mark.parametrize("cut", range(1, 700, 7))
def test_a_truncated_photo_is_refused(cut: int) -> None:
    data = after_soi(put(0xE1, exif_block()))
    cut = min(cut * 3, len(data) - 4)
    with pytest.raises(MedimgError):
        jpeg.open(data[:-cut], LIMITS)


@given(st.integers(2, 5000), st.binary(min_size=1, max_size=6))
@settings(max_examples=400)
def test_damage_is_refused_or_the_copy_is_judged_well_formed(at: int, junk: bytes) -> None:
    data = after_soi(put(0xE1, exif_block()))
    at = 2 + at % (len(data) - 2)
    try:
        photo = formats.open_photo(data[:at] + junk + data[at + len(junk) :], LIMITS)
        photo.metadata()
        copy = photo.write()
    except MedimgError:
        return
    assert audit.walk(copy.data, "jpeg") == []


def sof(width: int, height: int, marker: int = 0xC0, precision: int = 8) -> bytes:
    return put(marker, struct.pack(">BHHB", precision, height, width, 1) + b"\1\x11\0")


SCAN = put(0xDA, b"\1\1\0\0\x3f\0") + b"\x12\x34"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"\xff\xd8" + sof(65535, 65535) + SCAN + b"\xff\xd9", TooLarge),
        (b"\xff\xd8" + sof(0, 10) + SCAN + b"\xff\xd9", Malformed),
        (b"\xff\xd8" + sof(10, 0) + SCAN + b"\xff\xd9", Unsupported),
        (b"\xff\xd8" + sof(10, 10, 0xC3) + SCAN + b"\xff\xd9", Unsupported),
        (b"\xff\xd8" + sof(10, 10, 0xC1, 12) + SCAN + b"\xff\xd9", Unsupported),
        (b"\xff\xd8" + sof(10, 10) + sof(10, 10) + SCAN + b"\xff\xd9", Malformed),
        (b"\xff\xd8" + SCAN + b"\xff\xd9", Malformed),
        (b"\xff\xd8\xff\xe0\xff\xff" + b"x" * 50, Malformed),
        (b"\xff\xd8\xff\xd9", Malformed),
        (b"\xff\xd8\xff\xd8\xff\xd9", Malformed),
        (b"\xff\xd8" + put(0xDB, bytes(65) + MARK) + sof(8, 8) + SCAN + b"\xff\xd9", Malformed),
        (b"\xff\xd8" + put(0xC4, bytes(17) + MARK) + sof(8, 8) + SCAN + b"\xff\xd9", Malformed),
        (b"\xff\xd8" + sof(8, 8) + SCAN, Malformed),
        (b"\xff\xd8\xff" + b"\xff" * 100_000, Malformed),
    ],
    ids=["65535 square", "no width", "height later", "lossless", "12 bit", "two frames", "no frame", "long length",
         "nothing inside", "soi twice", "text behind a table", "text behind codes", "no end", "only fill"],
)  # fmt: skip
def test_hostile_streams_are_refused(data: bytes, error: type[MedimgError]) -> None:
    with pytest.raises(error):
        formats.open_photo(data, LIMITS)


def test_the_audit_notices_what_is_added() -> None:
    copy = jpeg.open(plain(), LIMITS).write().data
    assert audit.walk(copy + b"x", "jpeg")
    for segment in (
        put(0xFE, b"x"),
        put(0xE1, exif_block()),
        put(0xEF, b""),
        put(0xE2, b"ICC_PROFILE\0" + b"\1\1" + bytes(140)),
    ):
        assert audit.walk(copy[:2] + segment + copy[2:], "jpeg")


@pytest.mark.parametrize("fill", [b"", b"\xff\xff"])
def test_the_date_is_read_from_what_stands_before_the_picture_alone(fill: bytes) -> None:
    data, block = plain(), exif_block()
    assert capture.taken(data[:2] + fill + put(0xE1, block) + data[2:]) == datetime.datetime(2024, 2, 3, 4, 5, 6)
    assert capture.taken(data[:2] + fill + data[2:] + block) is None


def test_exif_directories_in_a_circle_end() -> None:
    loop = b"MM\0*" + struct.pack(">I", 8) + struct.pack(">HHHII", 1, 0x8769, 4, 1, 8) + struct.pack(">I", 8)
    assert exif.findings(loop, "x")
    assert exif.orientation(loop) == 1
