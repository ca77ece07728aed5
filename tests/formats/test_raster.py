"""GIF, BMP and JPEG 2000: what becomes of them, and what is refused."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from medimg import Policy, Scrubber, formats
from medimg.errors import Malformed, MedimgError, TooLarge, Unsupported
from medimg.types import Limits

LIMITS = Limits()
METADATA_ONLY = Scrubber(Policy(scope="metadata-only"))
NAME = b"Zora Okonkwo-Lindqvist"


def noise(*shape: int, dtype: type = np.uint8, seed: int = 1) -> NDArray[np.generic]:
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def rgb() -> Image.Image:
    return Image.fromarray(noise(37, 53, 3))


def rle8(width: int, height: int, value: int) -> bytes:
    """A run-length coded BMP of one colour of a grey palette (Windows SDK, "Bitmap Compression")."""
    rows = (bytes((width, value)) + b"\0\0") * height + b"\0\1"
    palette = b"".join(bytes((n, n, n, 0)) for n in range(256))
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(rows), 0, 0, 0, 0)
    start = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + info + palette + rows


def fields(masks: tuple[int, int, int], depth: int, width: int = 5, height: int = 4) -> bytes:
    """A BMP with bit masks, BITMAPV4HEADER."""
    row = (width * depth + 31) // 32 * 4
    info = struct.pack("<IiiHHIIiiII", 108, width, height, 1, depth, 3, row * height, 0, 0, 0, 0)
    info += struct.pack("<4I", *masks, 0) + bytes(108 - 56)
    return b"BM" + struct.pack("<IHHI", 14 + 108 + row * height, 0, 0, 122) + info + bytes(row * height)


EXACT: dict[str, Callable[[], bytes]] = {
    "gif": lambda: saved(rgb().quantize(64), "GIF"),
    "gif, interlaced": lambda: saved(rgb().quantize(200), "GIF", interlace=1),
    "gif, grey": lambda: saved(rgb().convert("L"), "GIF"),
    "bmp, 24 bits": lambda: saved(rgb(), "BMP"),
    "bmp, 8 bits": lambda: saved(rgb().quantize(64), "BMP"),
    "bmp, grey": lambda: saved(rgb().convert("L"), "BMP"),
    "bmp, 1 bit": lambda: saved(rgb().convert("1"), "BMP"),
    "bmp, run-length": lambda: rle8(31, 9, 77),
    "bmp, 5-6-5": lambda: fields((0xF800, 0x07E0, 0x001F), 16),
    "jp2": lambda: saved(rgb(), "JPEG2000", irreversible=False),
    "jp2, tiles": lambda: saved(rgb(), "JPEG2000", irreversible=False, tile_size=(16, 16)),
    "jp2, grey": lambda: saved(rgb().convert("L"), "JPEG2000"),
    "jp2, 16 bits": lambda: saved(Image.fromarray(noise(37, 53, dtype=np.uint16)), "JPEG2000", irreversible=False),
    "bare codestream": lambda: saved(rgb(), "JPEG2000", no_jp2=True),
}


@pytest.mark.parametrize("which", EXACT)
def test_the_copy_is_a_png_with_exactly_the_pixels_a_viewer_shows(which: str) -> None:
    data = EXACT[which]()
    done = METADATA_ONLY.scrub(data)
    assert done.report.state == "unreviewed", done.report.reason
    assert (done.suffix, done.media_type) == (".png", "image/png")
    assert done.report.copy is not None
    assert done.report.copy.lossless
    assert "format-changed" in done.report.copy.notes
    assert done.data is not None
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(done.data)) as after:
        assert np.array_equal(np.asarray(before.convert(after.mode)), np.asarray(after))


@pytest.mark.parametrize("kind", ["GIF", "BMP", "JPEG2000"])
def test_what_is_under_transparency_is_gone(kind: str) -> None:
    pixels = noise(40, 40, 4)
    pixels[:20, :, 3] = 0
    pixels[20:, :, 3] = 255
    image = Image.fromarray(pixels)
    image = image.quantize(32) if kind == "GIF" else image
    done = METADATA_ONLY.scrub(saved(image, kind))
    assert done.data is not None
    with Image.open(io.BytesIO(done.data)) as copy:
        samples = np.asarray(copy.convert("RGBA"))
    assert not samples[samples[..., 3] == 0].any()


HIDDEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "gif comment": (lambda: saved(rgb().quantize(9), "GIF", comment=NAME), "comment"),
    "gif, behind the trailer": (lambda: EXACT["gif"]() + NAME, "trailing-bytes"),
    "bmp, behind the pixels": (lambda: EXACT["bmp, 24 bits"]() + NAME, "trailing-bytes"),
    "bmp, spare fields": (
        lambda: EXACT["bmp, 24 bits"]()[:6] + b"Zora" + EXACT["bmp, 24 bits"]()[10:],
        "unknown-block",
    ),
    "jp2 box": (lambda: EXACT["jp2"]() + struct.pack(">I4s", 8 + len(NAME), b"xml ") + NAME, "xmp"),
    "jp2 comment": (lambda: saved(rgb(), "JPEG2000", comment=NAME), "comment"),
    "bare, behind the end": (lambda: EXACT["bare codestream"]() + NAME, "trailing-bytes"),
}


@pytest.mark.parametrize("which", HIDDEN)
def test_what_is_beside_the_picture_is_named_and_gone(which: str) -> None:
    make, category = HIDDEN[which]
    done = METADATA_ONLY.scrub(make())
    assert category in {f.category for f in done.findings}
    assert done.data is not None
    assert NAME not in done.data
    assert b"Zora" not in done.data


def test_an_animation_becomes_its_first_picture_or_an_animated_png() -> None:
    shots = [Image.fromarray(noise(24, 24, seed=n)).convert("P") for n in range(3)]
    data = saved(shots[0], "GIF", save_all=True, append_images=shots[1:], duration=80, loop=0)
    done = METADATA_ONLY.scrub(data)
    assert {f.category: f.count for f in done.findings}["extra-frames"] == 2
    assert done.report.copy is not None
    assert "frames-dropped" in done.report.copy.notes
    assert formats.open_photo(done.data or b"", LIMITS).frames == 1


def test_a_profile_stays_without_its_text() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    done = METADATA_ONLY.scrub(_jp2_with_profile(profile))
    assert done.data is not None
    with Image.open(io.BytesIO(done.data)) as copy:
        kept = copy.info["icc_profile"]
    assert kept
    assert kept != profile
    assert b"Created by" not in kept


def _jp2_with_profile(profile: bytes) -> bytes:
    data = EXACT["jp2"]()
    at = data.index(b"colr") - 4
    size = struct.unpack_from(">I", data, at)[0]
    colour = struct.pack(">I4sBBB", 11 + len(profile), b"colr", 2, 0, 0) + profile
    head = data.index(b"jp2h") - 4
    length = struct.unpack_from(">I", data, head)[0] - size + len(colour)
    return data[:head] + struct.pack(">I", length) + data[head + 4 : at] + colour + data[at + size :]


REFUSED: dict[str, tuple[Callable[[], bytes], type[MedimgError]]] = {
    "bmp, 10 bits a colour": (lambda: fields((0x3FF00000, 0xFFC00, 0x3FF), 32), Unsupported),
    "jp2, 16 bits a colour": (lambda: _with_depth(EXACT["jp2"](), 15), Unsupported),
    "jp2, 12 bits": (lambda: _with_depth(EXACT["jp2, grey"](), 11), Unsupported),
    "bmp, cut short": (lambda: EXACT["bmp, 24 bits"]()[:-900], Malformed),
    "gif, cut short": (lambda: EXACT["gif"]()[:-40], Malformed),
    "jp2, cut short": (lambda: EXACT["bare codestream"]()[:-40], Malformed),
    "bmp, 65,000 across": (lambda: _patched(EXACT["bmp, 24 bits"](), 18, struct.pack("<ii", 65000, 65000)), TooLarge),
    "gif, 65,000 across": (lambda: _patched(EXACT["gif"](), 6, struct.pack("<HH", 65000, 65000)), TooLarge),
}


def _with_depth(data: bytes, depth: int) -> bytes:
    """The file with another number of bits (less one) in its SIZ segment (A.5.1)."""
    at = data.index(b"\xff\x51") + 40
    out = bytearray(data)
    for component in range(int.from_bytes(data[at - 2 : at])):
        out[at + 3 * component] = depth
    return bytes(out)


def _patched(data: bytes, at: int, new: bytes) -> bytes:
    return data[:at] + new + data[at + len(new) :]


@pytest.mark.parametrize("which", REFUSED)
def test_what_would_not_be_exact_is_refused_by_name(which: str) -> None:
    make, error = REFUSED[which]
    with pytest.raises(error) as caught:
        formats.open_photo(make(), LIMITS).samples()
    if error is Unsupported:
        assert "save it as PNG" in str(caught.value.todo)


@settings(max_examples=300)
@given(
    which=st.sampled_from(sorted(EXACT)),
    edits=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=6),
)
def test_a_damaged_file_is_refused_or_written_as_it_decodes(which: str, edits: list[tuple[int, int]]) -> None:
    data = bytearray(EXACT[which]())
    for at, value in edits:
        data[at % len(data)] = value
    try:
        photo = formats.open_photo(bytes(data), Limits(pixels=1_000_000))
        copy = photo.write()
    except MedimgError:
        return
    again = formats.open_photo(copy.data, LIMITS)
    assert again.metadata() == []
    assert np.array_equal(again.samples(), photo.samples())
