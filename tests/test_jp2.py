"""JPEG 2000: what is kept, what is refused, and that a copy holds nothing else."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from medimg import audit, formats
from medimg.errors import Malformed, MedimgError, TooLarge, Unsupported
from medimg.formats._bmff import box
from medimg.pipeline import MemorySink, scrub
from medimg.policy import Policy
from medimg.types import Box, Cover, Limits

LIMITS = Limits()
COVER = (Cover(polygon=Box(17, 9, 39, 26).polygon, category="name"),)
RGB = np.dstack(
    (np.add.outer(np.arange(48) * 2, np.arange(64)), *(np.arange(48 * 64).reshape(48, 64) % m for m in (251, 97)))
)
RGB = RGB.astype(np.uint8)
GREY = RGB[..., 1]


def made(array: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, "JPEG2000", **{"irreversible": False} | options)
    return out.getvalue()


def opened(data: bytes) -> formats.Opened:
    return formats.open_photo(data, LIMITS)


def boxed(stream: bytes, *inner: bytes) -> bytes:
    return b"\0\0\0\x0cjP  \r\n\x87\n" + box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + box(b"jp2h", *inner) + box(b"jp2c", stream)


def header(height: int = 48, width: int = 64, count: int = 3, depth: int = 7) -> bytes:
    return box(b"ihdr", struct.pack(">IIHBBBB", height, width, count, depth, 7, 0, 0))


def colour(space: int) -> bytes:
    return box(b"colr", b"\1\0\0" + struct.pack(">I", space))


STREAM = made(RGB, no_jp2=True)

KINDS = {
    "rgb": made(RGB), "grey": made(GREY), "16 bit": made(GREY.astype(np.uint16) * 257),
    "lossy": made(RGB, irreversible=True, quality_mode="dB", quality_layers=[40]),
    "tiles": made(RGB, tile_size=(32, 32), tile_offset=(0, 0)), "layers": made(RGB, quality_layers=[60, 30, 0]),
    "precincts": made(RGB, precinct_size=(64, 64), codeblock_size=(16, 16), progression="PCRL"),
    "bare": STREAM, "comment": made(RGB, comment="Dr Smith"),
}  # fmt: skip
EVERY = pytest.mark.parametrize("name", list(KINDS))


@EVERY
def test_packets_stay_and_nothing_else_does(name: str) -> None:
    photo = opened(KINDS[name])
    copy = photo.write()
    again = opened(copy.data)
    assert (again.metadata(), audit.walk(copy.data, "jp2")) == ([], [])
    assert again.write().data == copy.data
    assert np.array_equal(again.samples(), photo.samples())
    with Image.open(io.BytesIO(photo.data)) as before, Image.open(io.BytesIO(copy.data)) as after:
        assert np.array_equal(np.asarray(before), np.asarray(after))
        assert np.array_equal(np.asarray(after), photo.samples())
    assert b"\xff\x64" not in copy.data[: copy.data.index(b"\xff\x93")]
    assert b"Smith" not in copy.data
    assert photo.data[photo.data.rindex(b"\xff\x93") : photo.data.rindex(b"\xff\xd9")] in copy.data
    assert copy.suffix == (".j2k" if name == "bare" else ".jp2")


@EVERY
def test_a_covered_copy_is_an_exact_png(name: str) -> None:
    photo = opened(KINDS[name])
    copy = photo.write(COVER)
    after, before = opened(copy.data).samples(), photo.samples()
    assert copy.format == "png"
    assert audit.walk(copy.data, "png") == []
    outside = np.ones(before.shape[:2], bool)
    outside[9:26, 17:39] = False
    assert np.array_equal(after[outside], before[outside])
    assert not after[~outside].any()


def test_alpha_becomes_a_png_without_the_colours_under_it() -> None:
    alpha = np.full(RGB.shape[:2], 255, np.uint8)
    alpha[:10] = 0
    photo = opened(made(np.dstack((RGB, alpha))))
    copy = photo.write()
    assert copy.format == "png"
    shown = opened(copy.data).samples()
    assert not shown[:10].any()
    assert np.array_equal(shown[10:, :, :3], RGB[10:])
    assert len(photo.views()) == 3


def test_the_whole_way_through() -> None:
    sink = MemorySink()
    loaded = KINDS["rgb"] + box(b"uuid", b"JpgTiffExif->JP2", b"II*\0\x08\0\0\0\1\0\x0f\1\2\0\4\0\0\0Ana\0\0\0\0\0")
    report = scrub(loaded, sink, [], Policy(scope="metadata-only"))
    assert report.state == "unreviewed", report.reason
    assert {"device", "comment"} <= set(report.counts("metadata"))
    assert b"Ana" not in sink.data
    assert sink.suffix == ".jp2"


def test_a_profile_is_cleaned() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = opened(boxed(STREAM, header(), box(b"colr", b"\2\0\0" + profile)))
    assert "colour-profile-text" in {f.category for f in photo.metadata()}
    copy = photo.write()
    assert audit.walk(copy.data, "jp2") == []
    assert b"desc" in copy.data
    assert b"medimg" not in copy.data.replace(b"\0", b"")
    without = photo.write(keep_profile=False)
    assert b"acsp" not in without.data
    assert without.notes == ("profile-dropped",)
    damaged = boxed(STREAM, header(), box(b"colr", b"\2\0\0" + bytes(200)))
    assert opened(damaged).write().notes == ("profile-dropped",)


SIZ = STREAM.index(b"\xff\x51") + 4


def patched(at: int, new: bytes, data: bytes = STREAM) -> bytes:
    return data[:at] + new + data[at + len(new) :]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (boxed(STREAM, header(height=47), colour(16)), Malformed),
        (boxed(STREAM, header(), header(), colour(16)), Malformed),
        (boxed(STREAM, header()), Unsupported),
        (boxed(STREAM, header(), colour(12)), Unsupported),
        (boxed(STREAM, header(), colour(17)), Unsupported),
        (boxed(STREAM, header(), colour(16), box(b"pclr", bytes(9))), Unsupported),
        (boxed(STREAM, header(), colour(16), box(b"cdef", bytes(20))), Unsupported),
        (boxed(STREAM, header(), colour(16)) + box(b"jp2c", STREAM), Malformed),
        (boxed(STREAM, header(), colour(16)).replace(b"jp2 \0\0\0\0jp2 ", b"jpx \0\0\0\0jpx "), Unsupported),
        (b"\0\0\0\x0cjP  \r\n\x87\n", Malformed),
        (patched(SIZ, b"\x40\0"), Unsupported),
        (patched(SIZ + 2, b"\x7f\xff\xff\xff"), TooLarge),
        (patched(SIZ + 2, b"\0\0\0\0"), Malformed),
        (patched(SIZ + 18, b"\0\0\0\0"), Malformed),
        (patched(SIZ + 36, b"\x87"), Unsupported),
        (patched(SIZ + 37, b"\2"), Unsupported),
        (patched(STREAM.index(b"\xff\x52"), b"\xff\x50"), Unsupported),
        (patched(STREAM.index(b"\xff\x52") + 4, b"\xff"), Malformed),
        (patched(STREAM.index(b"\xff\x5c") + 6, b"\xff"), Malformed),
        (patched(STREAM.index(b"\xff\x90") + 5, b"\1"), Malformed),
        (patched(STREAM.index(b"\xff\x90") + 6, b"\0\1\0\0"), Malformed),
        (patched(STREAM.index(b"\xff\x93") + 9, b"\xff\x95"), Malformed),
        (STREAM[:-2], Malformed),
        (KINDS["tiles"].replace(b"\xff\x90\0\x0a\0\3", b"\xff\x90\0\x0a\0\2"), Malformed),
    ],
)  # fmt: skip
def test_what_is_refused(data: bytes, error: type[MedimgError]) -> None:
    with pytest.raises(error):
        opened(data)


def test_kinds_of_pixels_that_cannot_be_covered_exactly_keep_their_codestream() -> None:
    stream = made(GREY.astype(np.uint16), no_jp2=True)
    photo = opened(patched(SIZ + 36, b"\x0b", stream))  # 12 bits
    assert audit.walk(photo.write().data, "jp2") == []
    with pytest.raises(Unsupported):
        photo.write(COVER)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("grey", lambda d: d.replace(b"ftypjp2 \0\0\0\0", b"ftypjp2 \0\0\0\1")),
        ("grey", lambda d: d + box(b"xml ", b"<x/>")),
        ("grey", lambda d: d.replace(b"\1\0\0\0\0\0\x11", b"\1\0\1\0\0\0\x11")),
        ("grey", lambda d: d.replace(b"colr", b"colx")),
        ("grey", lambda d: d.replace(b"\7\7\0\0", b"\7\7\1\0")),
        ("bare", lambda d: d + b"more"),
        ("bare", lambda d: d.replace(b"\xff\x52", b"\xff\x64\0\4ab\xff\x52")),
        ("bare", lambda d: d[: d.index(b"\xff\x93") + 3] + b"\xff\x95" + d[d.index(b"\xff\x93") + 5 :]),
        ("tiles", lambda d: d.replace(b"\xff\x90\0\x0a\0\1", b"\xff\x90\0\x0a\0\0")),
    ],
)  # fmt: skip
def test_the_judge_finds_what_was_put_into_a_copy(name: str, change: object) -> None:
    copy = opened(KINDS[name]).write().data
    changed = change(copy)  # type: ignore[operator]
    assert changed != copy
    assert audit.walk(copy, "jp2") == []
    assert audit.walk(changed, "jp2")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_mutants_are_refused_or_come_out_clean(data: st.DataObject) -> None:
    mutant = bytearray(data.draw(st.sampled_from(list(KINDS.values()))))
    for _ in range(data.draw(st.integers(1, 4))):
        mutant[data.draw(st.integers(0, min(len(mutant), 400) - 1))] = data.draw(st.integers(0, 255))
    try:
        copy = opened(bytes(mutant)).write()
    except MedimgError:
        return
    assert audit.walk(copy.data, copy.format) == []
    assert opened(copy.data).metadata() == []
