"""What was once found wrong in one format, by fuzzing or on files of test suites. Every file is made here."""

from __future__ import annotations

import io
import struct
import zlib

import hevc_kit
import numpy as np
import pytest
from PIL import Image
from tiff_kit import build

from fixtures._meta import profile
from medimg import audit, formats
from medimg.errors import Malformed, MedimgError, Unsupported
from medimg.formats import heif, tiff
from medimg.formats.shared import icc
from medimg.formats.shared.bmff import box
from medimg.selftest import hiding
from medimg.selftest import hiding_tables as tables
from medimg.types import Box, Cover, Limits

LIMITS = Limits()


def opened(data: bytes) -> formats.Opened:
    return formats.open_photo(data, LIMITS)


# -- TIFF: once wrong -------------------------------------------------------------------------------------------------


def tiff_of(planes: list[np.ndarray], photometric: int, *, apart: bool = False, **more: tuple[int, ...]) -> bytes:
    """A TIFF of uint16 or uint8 planes."""
    first = planes[0]
    numbers: dict[int, tuple[int, ...]] = {
        256: (first.shape[1],), 257: (first.shape[0],), 258: (first.itemsize * 8,) * len(planes), 259: (1,),
        262: (photometric,), 277: (len(planes),), 278: (first.shape[0],), 284: (2 if apart else 1,),
    } | {int(k[1:]): v for k, v in more.items()}  # fmt: skip
    fields = {tag: (3, struct.pack(f"<{len(v)}H", *v)) for tag, v in numbers.items()}
    little = [p.astype(p.dtype.newbyteorder("<")) for p in planes]
    chunks = [p.tobytes() for p in little] if apart else [np.dstack(little).tobytes()]
    return build("<", fields, chunks)


def ramps(count: int) -> list[np.ndarray]:
    y, x = np.mgrid[0:20, 0:30]
    return [(x * 900 + y * 700 * (k + 1)).astype(np.uint16) for k in range(count)]


def patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


COVER = (Cover(polygon=Box(4, 4, 12, 10).polygon, category="name"),)


def test_planes_of_sixteen_bits_are_read_as_they_stand() -> None:
    planes = ramps(3)
    photo = tiff.open(tiff_of(planes, 2, apart=True), LIMITS)
    assert np.array_equal(photo.samples(), np.dstack(planes))
    after = opened(photo.write(COVER).data).samples()
    assert np.array_equal(after[12:], np.dstack(planes)[12:])


def test_sixteen_bits_with_white_as_zero_are_not_turned_round() -> None:
    (plane,) = ramps(1)
    photo = tiff.open(tiff_of([plane], 0), LIMITS)
    assert np.array_equal(photo.samples(), 65535 - plane)
    assert np.array_equal(opened(photo.write(COVER).data).samples()[12:], 65535 - plane[12:])


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", [1, 2])
def test_alpha_keeps_its_kind_and_colours_their_values(kind: int, depth: type) -> None:
    full = np.iinfo(depth).max
    colour = [(p // (65535 // full)).astype(depth) // 2 for p in ramps(3)]
    alpha = np.full(colour[0].shape, full // 2, depth)
    alpha[:3] = 0
    photo = tiff.open(tiff_of([*colour, alpha], 2, t338=(kind,)), LIMITS)
    copy = photo.write()
    again = tiff.open(copy.data, LIMITS)
    assert again.tiff.numbers(again.page, 338) == (kind,)
    expected = np.dstack([*colour, alpha])
    expected[:3] = 0
    assert np.array_equal(again.samples(), expected)


@pytest.mark.parametrize(
    ("photometric", "planes", "more"),
    [(1, 2, {}), (2, 4, {}), (2, 4, {"t338": (0,)}), (2, 5, {"t338": (2, 0)}), (5, 5, {"t338": (2,)}), (9, 3, {})],
    ids=["grey and one", "colour and one", "not told", "alpha and one", "four inks and one", "unknown colours"],
)
def test_channels_in_which_a_picture_could_hide_are_refused(photometric: int, planes: int, more: dict) -> None:
    with pytest.raises(Unsupported):
        tiff.open(tiff_of([p.astype(np.uint8) for p in ramps(planes)], photometric, **more), LIMITS).write()


def test_colours_the_picture_does_not_use_go() -> None:
    shown = np.tile(np.array([0, 1, 2, 3], np.uint8), (8, 4))
    spare = hiding.MARK + b"\0"
    values = [2313, 25_443, 51_143, 64_250, *struct.unpack(f"<{len(spare) // 2}H", spare)]
    colour_map = (values + [7] * (256 - len(values))) * 3
    data = tiff_of([shown], 3, t320=tuple(colour_map))
    assert hiding.MARK in data
    copy = tiff.open(data, LIMITS).write()
    assert hiding.MARK not in copy.data
    assert audit.walk(copy.data, "tiff") == []
    kept = tiff.open(copy.data, LIMITS)
    assert kept.tiff.numbers(kept.page, 320) == ((2313, 25_443, 51_143, 64_250) + (0,) * 252) * 3
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(copy.data)) as after:
        assert np.array_equal(np.asarray(before.convert("RGB")), np.asarray(after.convert("RGB")))


@pytest.mark.parametrize("values", [(), (1, 0x6941, 0x6E6E)], ids=["none", "three"])
@pytest.mark.parametrize("tag", [259, 262, 266, 284])
def test_a_field_of_one_value_has_one(tag: int, values: tuple[int, ...]) -> None:
    usual = {262: 1, 284: 1}
    values = (usual.get(tag, 1), *values[1:]) if values else ()
    with pytest.raises(MedimgError):
        tiff.open(tiff_of([ramps(1)[0].astype(np.uint8)], 1, **{f"t{tag}": values}), LIMITS).write()


def test_a_dicom_file_behind_a_tiff_header_is_called_by_its_name() -> None:
    with pytest.raises(Unsupported, match="DICOM"):
        opened(b"II*\0" + struct.pack("<I", 4096) + bytes(120) + b"DICM" + bytes(400))


# -- HEIF: once wrong -------------------------------------------------------------------------------------------------


def colour_box(primaries: int, transfer: int, matrix: int, last: int = 0x80) -> bytes:
    return box(b"colr", b"nclx", struct.pack(">HHHB", primaries, transfer, matrix, last))


def test_colour_codes_that_nobody_defined_go() -> None:
    data = tables.heif(more=(colour_box(0x4D52, 0x4E31, 0x3233),))
    photo = heif.open(data, LIMITS)
    copy = photo.write()
    assert b"nclx" not in copy.data
    covered = photo.write(COVER)
    assert (audit.walk(covered.data, "png"), opened(covered.data).metadata()) == ([], [])


def test_reserved_bits_of_properties_go() -> None:
    turned = box(b"irot", b"\xfc") + box(b"imir", b"\xfe")
    data = tables.heif(more=(colour_box(1, 13, 6, 0xFF), turned[:9], turned[9:]))
    data = data.replace(b"ispe\0\0\0\0", b"ispe\0abc")
    copy = heif.open(data, LIMITS).write()
    assert audit.walk(copy.data, "heif") == []
    for part in (b"ispe\0\0\0\0", b"irot\0", b"imir\0", colour_box(1, 13, 6)):
        assert part in copy.data
        assert audit.walk(copy.data.replace(part, part[:-1] + bytes([part[-1] | 4])), "heif")


def test_what_a_later_version_adds_to_pixel_information_goes() -> None:
    longer = tables.heif(more=(box(b"pixi", b"\0\0\0\1\3\x08\x08\x08" + hiding.MARK),))
    assert hiding.MARK not in heif.open(longer, LIMITS).write().data


def test_a_crop_is_applied_and_what_lies_round_it_is_gone() -> None:
    aperture = box(b"clap", struct.pack(">4IiIiI", 40, 1, 30, 1, 4, 1, -3, 1))
    photo = heif.open(tables.heif(more=(aperture,)), LIMITS)
    copy = photo.write()
    assert (copy.format, copy.width, copy.height) == ("png", 40, 30)
    whole = heif.open(tables.heif(), LIMITS).samples()
    assert np.array_equal(opened(copy.data).samples(), whole[6:36, 16:56])


@pytest.mark.parametrize("wide", [0, 66, 41], ids=["no width", "too wide", "half pixels"])
def test_a_crop_that_does_not_fit_is_refused(wide: int) -> None:
    aperture = box(b"clap", struct.pack(">4IiIiI", wide, 1, 30, 1, 0, 1, 0, 1))
    with pytest.raises(MedimgError):
        heif.open(tables.heif(more=(aperture,)), LIMITS).write()


def test_a_depth_the_picture_is_not_coded_in_is_put_right() -> None:
    data = tables.heif()
    at = data.index(b"av1C") + 6
    photo = heif.open(patched(data, at, bytes([data[at] | 0x40])), LIMITS)
    assert photo.samples().dtype == np.uint8
    assert photo.write().data == heif.open(data, LIMITS).write().data


@pytest.mark.parametrize("extent", ["full", "limited"])
def test_grey_pictures_are_as_bright_as_in_another_reader(extent: str) -> None:
    data = hiding.saved(hiding.picture().convert("L"), "AVIF", quality=95, range=extent)
    with Image.open(io.BytesIO(data)) as shown:
        expected = np.asarray(shown.convert("RGB"))
    assert np.abs(opened(data).views()[0].astype(int) - expected).max() <= 1


SETS = (
    hevc_kit.unit(hevc_kit.VPS, hevc_kit.video()),
    hevc_kit.unit(hevc_kit.SPS, hevc_kit.sequence(64, 48)),
    hevc_kit.unit(hevc_kit.PPS, hevc_kit.picture()),
)
SLICE = struct.pack(">I", 6) + b"\x26\1\xe1bcd"


def test_a_heic_whose_picture_no_decoder_reads_is_damaged() -> None:
    pytest.importorskip("pi_heif")
    photo = heif.open(tables.heif(hevc=(hevc_kit.record(*SETS), SLICE)), LIMITS)
    assert audit.walk(photo.write().data, "heif") == []
    with pytest.raises(Malformed):
        photo.samples()


def test_words_among_the_units_of_a_heic_go() -> None:
    words = b"\x4e\1" + hiding.MARK
    config = hevc_kit.record(*SETS, words)
    photo = heif.open(tables.heif(hevc=(config, struct.pack(">I", len(words)) + words + SLICE)), LIMITS)
    assert {f.category: f.count for f in photo.metadata()} == {"software": 2}
    copy = photo.write()
    assert hiding.MARK not in copy.data
    assert audit.walk(copy.data, "heif") == []


def test_a_sequence_without_a_still_picture_is_refused_as_such() -> None:
    data = tables.heif()
    with pytest.raises(Unsupported, match="primary"):
        heif.open(data.replace(b"pitm", b"free"), LIMITS)


# -- PNG: once wrong --------------------------------------------------------------------------------------------------


def test_a_profile_whose_stream_has_no_end_is_kept_where_viewers_use_it() -> None:
    packer = zlib.compressobj()
    stream = packer.compress(profile(hiding.MARK.decode())) + packer.flush(zlib.Z_SYNC_FLUSH)
    plain = hiding.saved(hiding.picture(), "PNG")
    data = plain[:33] + hiding.chunk(b"iCCP", b"name\0\0" + stream) + plain[33:]
    photo = opened(data)
    assert {f.category for f in photo.metadata()} == {"colour-profile-text"}
    with Image.open(io.BytesIO(photo.write().data)) as kept:
        assert kept.info["icc_profile"] == icc.clean(profile(""))
    cut = plain[:33] + hiding.chunk(b"iCCP", b"name\0\0" + stream[:40]) + plain[33:]
    assert b"iCCP" not in opened(cut).write().data
