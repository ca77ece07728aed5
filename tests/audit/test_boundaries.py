"""What lies just beyond what a copy may hold is noticed; what lies just inside is not."""

from __future__ import annotations

import io
import struct
import zlib

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


def with_chunk(png: bytes, kind: bytes, body: bytes) -> bytes:
    chunk = struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return png[:33] + chunk + png[33:]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("value", range(11))
def test_a_png_may_say_how_it_is_turned_and_no_more(value: int, order: str) -> None:
    data = with_chunk(saved("PNG"), b"eXIf", turned(value, order))
    assert (audit.walk(data, "png") == []) == (2 <= value <= 8)
    assert audit.walk(with_chunk(saved("PNG"), b"eXIf", turned(6, order) + b"\0"), "png") == ["eXIf"]


@pytest.mark.parametrize("value", range(11))
def test_a_jpeg_may_say_how_it_is_turned_and_no_more(value: int) -> None:
    plain = saved("JPEG")
    jpeg = plain[:2] + b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + plain[20:]
    assert audit.walk(jpeg, "jpeg") == []
    body = b"Exif\0\0" + turned(value, ">")
    data = jpeg[:20] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[20:]
    assert (audit.walk(data, "jpeg") == []) == (2 <= value <= 8)


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


@pytest.mark.parametrize(("kind", "numbers"), list(enumerate((1, 3, 4, 5, 7))))
def test_a_parametric_curve_is_as_long_as_its_kind_says(kind: int, numbers: int) -> None:
    curve = b"para" + bytes(4) + struct.pack(">HH", kind, 0) + struct.pack(">I", 1 << 16) * numbers
    assert icc.strays(profile({b"rTRC": curve})) == []
    for wrong in (curve + bytes(4), curve[:-4]):
        assert icc.strays(profile({b"rTRC": wrong}))
