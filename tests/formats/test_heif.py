"""HEIC and AVIF: the copy holds the primary picture and nothing else."""

from __future__ import annotations

import io
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import heif_kit as kit
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medimg import Policy, Scrubber, audit, formats
from medimg.errors import MedimgError
from medimg.formats import heif
from medimg.formats.shared.bmff import box, full_box
from medimg.selftest.hiding import C2PA_UUID
from medimg.types import Cover, Limits
from medimg.vocabulary import PhotoState

LIMITS = Limits()
MARK = b"ZqMARKERqZ"


def avif(size: tuple[int, int] = (64, 48), mode: str = "RGB", **options: object) -> bytes:
    rng = np.random.default_rng(7)
    channels = len(mode)
    pixels = rng.integers(0, 255, (size[1], size[0], channels), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels, mode).save(out, "AVIF", quality=80, **options)
    return out.getvalue()


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = MARK.decode()
    exif[0x0132] = "2024:03:01 10:00:00"
    return avif(exif=exif.tobytes(), xmp=b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + MARK + b"</x:xmpmeta>")


def categories(data: bytes) -> set[str]:
    return {f.category for f in formats.open_photo(data, LIMITS).metadata()}


def test_exif_and_xmp_items_are_reported_and_gone() -> None:
    data = with_exif()
    assert MARK in data
    assert categories(data)
    copy = heif.open(data, LIMITS).write()
    assert MARK not in copy.data
    assert categories(copy.data) == set()
    assert audit.walk(copy.data, "heif") == []


def test_the_copy_shows_the_same_picture_in_another_reader() -> None:
    data = with_exif()
    copy = heif.open(data, LIMITS).write()
    before = np.asarray(Image.open(io.BytesIO(data)))
    after = np.asarray(Image.open(io.BytesIO(copy.data)))
    assert copy.method == "segment-copy"
    assert np.array_equal(before, after)


def test_coded_bytes_are_the_originals() -> None:
    data = avif()
    photo = heif.open(data, LIMITS)
    again = heif.open(photo.write().data, LIMITS)
    before = photo.tables.payload(data, photo.tables.items[photo.tables.primary])
    after = again.tables.payload(again.data, again.tables.items[again.tables.primary])
    assert before.endswith(after)
    assert len(before) - len(after) <= 2  # a temporal delimiter carries nothing


@pytest.mark.parametrize(
    "extra",
    [
        box(b"free", MARK),
        box(b"uuid", C2PA_UUID, MARK),
        box(b"mpvd", MARK),
        box(b"sefd", MARK),
    ],
    ids=["free", "c2pa", "motion video", "vendor trailer"],
)
def test_boxes_beside_the_picture_are_reported_and_gone(extra: bytes) -> None:
    data = avif() + extra
    assert categories(data)
    copy = heif.open(data, LIMITS).write()
    assert MARK not in copy.data
    assert copy.data == heif.open(avif(), LIMITS).write().data


def test_bytes_of_no_item_are_reported_and_gone() -> None:
    data = avif() + box(b"mdat", MARK)
    assert "unknown-block" in categories(data)
    assert MARK not in heif.open(data, LIMITS).write().data


def test_a_covered_copy_is_an_exact_png() -> None:
    photo = heif.open(avif((64, 48)), LIMITS)
    cover = Cover(polygon=((8.0, 8.0), (24.0, 8.0), (24.0, 20.0), (8.0, 20.0)), category="name")
    copy = photo.write([cover])
    assert (copy.format, copy.suffix, copy.lossless) == ("png", ".png", True)
    after = formats.open_photo(copy.data, LIMITS).samples()
    expected = photo.samples().copy()
    expected[8:20, 8:24] = 0
    assert np.array_equal(after, expected)
    assert audit.walk(copy.data, "png") == []


def test_colours_under_alpha_zero_do_not_survive() -> None:
    rgba = np.full((32, 32, 4), 200, np.uint8)
    rgba[:16, :, 3] = 0
    out = io.BytesIO()
    Image.fromarray(rgba, "RGBA").save(out, "AVIF", quality=100)
    copy = heif.open(out.getvalue(), LIMITS).write()
    after = formats.open_photo(copy.data, LIMITS).samples()
    assert (after[:14, :, :3] == 0).all()


def test_turned_pictures_are_turned_once() -> None:
    grey = np.zeros((48, 64, 3), np.uint8)
    grey[:24, :32] = 250  # top left bright
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(grey, "RGB").save(out, "AVIF", quality=95, exif=exif.tobytes())
    photo = heif.open(out.getvalue(), LIMITS)
    assert photo.property(photo.tables.primary, b"irot")
    assert (photo.width, photo.height, photo.orientation) == (48, 64, 1)
    shown = photo.views()[0]
    assert shown[:20, 30:].mean() > 200  # orientation 6: the top left goes to the top right
    assert shown[40:, :20].mean() < 50
    again = heif.open(photo.write().data, LIMITS)
    assert np.array_equal(again.samples(), photo.samples())


def test_real_files(corpus: Callable[[str], list[Path]]) -> None:
    exiftool = shutil.which("exiftool")
    for path in [*corpus("*.avif"), *corpus("*.hei?"), *corpus("*.HEIC")]:
        data = path.read_bytes()
        photo = heif.open(data, LIMITS)
        copy = photo.write()
        assert audit.walk(copy.data, copy.format) == [], path.name
        again = formats.open_photo(copy.data, LIMITS)
        assert again.metadata() == [], path.name
        if copy.format == "png":
            continue
        assert np.array_equal(photo.samples(), again.samples()), path.name
        if exiftool:
            shown = subprocess.run(
                [exiftool, "-a", "-u", "-G1", "-s", "-"], input=copy.data, capture_output=True, check=False
            ).stdout.decode("utf-8", "replace")
            groups = {line.split("]")[0].strip("[ ") for line in shown.splitlines() if line.startswith("[")}
            assert groups <= {"ExifTool", "System", "File", "QuickTime", "Meta", "Composite", "ICC_Profile",
                              "ICC-header", "ICC-view", "ICC-meas"}, path.name  # fmt: skip


@given(st.integers(0, 4000), st.binary(min_size=1, max_size=8))
@settings(max_examples=300)
def test_damage_is_refused_or_harmless(at: int, junk: bytes) -> None:
    data = with_exif()
    at %= len(data)
    hurt = data[:at] + junk + data[at + len(junk) :]
    try:
        photo = formats.open_photo(hurt, LIMITS)
        photo.metadata()
        copy = photo.write()
    except MedimgError:
        return
    if copy.format == "heif":
        assert audit.walk(copy.data, "heif") == []


def test_no_copy_opens_nowhere_though_only_metadata_is_looked_at() -> None:
    scrubber = Scrubber(Policy(scope="metadata-only"))
    data = avif((160, 120))
    start, refused = data.index(b"mdat") + 4, 0
    for at in range(start, start + 60):  # the headers of the frame, and its first symbols
        result = scrubber.scrub(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        if result.data is None:
            assert result.report.state == PhotoState.REFUSED
            refused += 1
        else:
            Image.open(io.BytesIO(result.data)).load()
    assert refused, "none of these was damaged enough"


@pytest.mark.parametrize("cut", range(0, 900, 13))
def test_truncation_is_refused_or_harmless(cut: int) -> None:
    data = with_exif()
    try:
        copy = formats.open_photo(data[: max(0, len(data) - cut)], LIMITS).write()
    except MedimgError:
        return
    assert audit.walk(copy.data, copy.format) == []


@pytest.mark.parametrize(
    "data",
    [
        box(b"ftyp", b"avif", bytes(4), b"avif", b"mif1"),
        box(b"ftyp", b"avif", bytes(4), b"avif") + struct.pack(">I4sQ", 1, b"meta", 5 << 30),
        box(b"ftyp", b"heic", bytes(4), b"mif1") + full_box(b"meta", 0),
        box(b"ftyp", b"heic", bytes(4), b"mif1") + struct.pack(">I4s", 2, b"meta"),
        box(b"ftyp", b"heic", bytes(4), b"mif1") + struct.pack(">I4s", 0, b"meta") + bytes(40),
    ],
    ids=["no meta", "five gigabytes claimed", "empty meta", "size below its header", "size to the end"],
)
def test_hostile_boxes_are_refused(data: bytes) -> None:
    with pytest.raises(MedimgError):
        formats.open_photo(data, LIMITS)


@pytest.mark.parametrize("again", [box(b"irot", b"\1"), kit.ispe(64, 48)])
def test_a_property_that_a_picture_has_twice_is_refused(again: bytes) -> None:
    """Readers differ about it (two quarter turns may count as one), and the second reader accepts no such copy."""
    data, config = kit.av1(Image.new("RGB", (64, 48), (90, 120, 60)))
    once = [config, kit.ispe(64, 48), box(b"irot", b"\1")]
    copy = heif.open(kit.heif(b"avif", [(b"av01", data, once)]), LIMITS).write()
    assert not audit.walk(copy.data, "heif")
    with pytest.raises(MedimgError, match="property twice"):
        heif.open(kit.heif(b"avif", [(b"av01", data, [*once, again])]), LIMITS).write()


def test_the_audit_notices_what_is_added() -> None:
    copy = heif.open(avif(), LIMITS).write().data
    assert audit.walk(copy + box(b"free", b""), "heif")
    assert audit.walk(copy.replace(b"pict" + bytes(13), b"pict" + bytes(8) + b"hello"), "heif")
