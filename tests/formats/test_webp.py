"""WebP: what is found, what the copy holds, and that the picture is the original's."""

from __future__ import annotations

import base64
import io
import shutil
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from medimg import audit, formats
from medimg.errors import InputError, Malformed, MedimgError, TooLarge
from medimg.formats import webp
from medimg.native.opencv import cv2
from medimg.types import Box, Cover, Limits

LIMITS = Limits()


def smooth(*shape: int, seed: int = 1) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.5)


def saved(array: np.ndarray, *, lossless: bool = False, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, "WEBP", lossless=lossless, **options)
    return out.getvalue()


def opaque(array: np.ndarray) -> np.ndarray:
    return array | np.array([0, 0, 0, 1], np.uint8)


RGB, RGBA = smooth(40, 60, 3), opaque(smooth(40, 60, 4))
FILES = {
    "lossy": saved(RGB),
    "lossless": saved(RGB, lossless=True),
    "lossy alpha": saved(RGBA),
    "lossy raw alpha": saved(RGBA, alpha_quality=100, method=0),
    "lossless alpha": saved(RGBA, lossless=True, exact=True),
}


def chunk(name: bytes, payload: bytes) -> bytes:
    return name + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) & 1)


def riff(body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def parts(data: bytes) -> list[tuple[bytes, bytes]]:
    out, at = [], 12
    while at < len(data):
        size = struct.unpack("<I", data[at + 4 : at + 8])[0]
        out.append((data[at : at + 4], data[at + 8 : at + 8 + size]))
        at += 8 + size + (size & 1)
    return out


def extended(data: bytes, *, flags: int = 0, before: bytes = b"", after: bytes = b"") -> bytes:
    """The same picture with VP8X and further chunks."""
    found = parts(data)
    width, height = Image.open(io.BytesIO(data)).size
    head = next((p for n, p in found if n == b"VP8X"), b"\0" * 10)
    head = bytes((head[0] | flags, *head[1:4])) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    picture = b"".join(chunk(n, p) for n, p in found if n != b"VP8X")
    return riff(chunk(b"VP8X", head) + before + picture + after)


def opened(data: bytes) -> formats.Opened:
    photo = formats.open_photo(data, LIMITS)
    assert photo.name == "webp"
    return photo


def categories(data: bytes) -> set[str]:
    return {f.category for f in opened(data).metadata()}


def copied(data: bytes, *boxes: Box) -> bytes:
    photo = opened(data)
    copy = photo.write([Cover(polygon=b.polygon, category="name") for b in boxes])
    assert audit.walk(copy.data, "webp") == []
    again = opened(copy.data)
    assert again.metadata() == []
    before, after = photo.samples(), again.samples()
    assert before.dtype == after.dtype
    outside = np.ones(before.shape[:2], bool)
    for box in boxes:
        outside[box.y0 : box.y1, box.x0 : box.x1] = False
        assert not after[box.y0 : box.y1, box.x0 : box.x1, :3].any()
    assert np.array_equal(before[outside], after[outside])
    assert again.orientation == photo.orientation
    if not boxes:
        assert again.write().data == copy.data
    return copy.data


@pytest.mark.parametrize("name", FILES)
def test_a_lossy_picture_is_copied_byte_for_byte(name: str) -> None:
    data = FILES[name]
    noisy = extended(
        data, flags=0x0C, after=chunk(b"EXIF", b"II*\0junk") + chunk(b"XMP ", b"<x/>") + chunk(b"C2PA", b"j")
    )
    copy = copied(noisy + b"\xff\xd8\xff\xe0")
    assert [p for p in parts(copy) if p[0] == b"VP8 "] == [p for p in parts(data) if p[0] == b"VP8 "]
    assert copied(data) == copy
    assert {"content-credential", "second-image"} <= categories(noisy + b"\xff\xd8\xff\xe0")


@pytest.mark.parametrize("name", FILES)
def test_covers_are_exact(name: str) -> None:
    copy = copied(FILES[name], Box(5, 6, 30, 20), Box(50, 30, 60, 40))
    assert [n for n, _ in parts(copy)][-1] == b"VP8L"
    photo = opened(FILES[name])
    assert photo.write([Cover(polygon=Box(0, 0, 5, 5).polygon, category="x")]).method == "samples"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("extra", [9, 33, 1000])
def test_bytes_behind_the_coded_picture_go(name: str, extra: int) -> None:
    found = parts(FILES[name])
    longer = riff(b"".join(chunk(n, p + b"z" * extra * (n in (b"VP8 ", b"VP8L"))) for n, p in found))
    assert categories(longer) == {"trailing-bytes"}
    assert any("after the picture" in s for s in audit.walk(longer, "webp"))
    assert b"zzz" not in copied(longer)
    if name.startswith("lossless"):
        assert copied(longer) == copied(FILES[name])


@pytest.mark.parametrize("name", ["lossy alpha", "lossy raw alpha"])
def test_bytes_behind_the_alpha_go(name: str) -> None:
    found = parts(FILES[name])
    longer = riff(b"".join(chunk(n, p + b"z" * 500 * (n == b"ALPH")) for n, p in found))
    assert categories(longer) == {"trailing-bytes"}
    assert audit.walk(longer, "webp")
    assert copied(longer) == copied(FILES[name])


def test_colour_under_alpha_zero_goes() -> None:
    array = opaque(smooth(40, 60, 4))
    array[10:20, 10:30, 3] = 0
    for data in (saved(array, lossless=True, exact=True), saved(array, exact=True)):
        assert ("hidden-image", "hidden-pixels") in {(f.kind, f.category) for f in opened(data).metadata()}
        assert any(s.endswith("alpha 0") for s in audit.walk(data, "webp"))
        out = np.asarray(Image.open(io.BytesIO(copied(data))))
        assert not out[10:20, 10:30].any()


@pytest.mark.parametrize(
    ("name", "payload", "category"),
    [
        (b"abcd", b"x", "unknown-block"),
        (b"XMP ", b"<x:xmpmeta/>", "xmp"),
        (b"ICCP", b"no profile", "colour-profile-text"),
    ],
)
def test_each_chunk_is_named_and_dropped(name: bytes, payload: bytes, category: str) -> None:
    data = extended(FILES["lossy"], before=chunk(name, payload))
    assert opened(data).metadata()
    assert copied(data) == FILES["lossy"]
    assert all(payload.decode() not in f.where for f in opened(data).metadata())


def test_reserved_bits_and_padding_are_cleared() -> None:
    data = bytearray(extended(FILES["lossy alpha"], flags=0xC1, after=chunk(b"abcd", b"x")))
    data[-1] = 7
    assert categories(bytes(data)) == {"padding-bits", "unknown-block"}
    assert copied(bytes(data)) == copied(FILES["lossy alpha"])


@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
def test_orientation_is_all_that_stays_of_exif(prefix: bytes) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Pixel 4a"
    tiff = exif.tobytes().removeprefix(b"Exif\0\0")
    data = extended(FILES["lossy"], flags=8, after=chunk(b"EXIF", prefix + tiff))
    assert opened(data).orientation == 6
    copy = copied(data)
    assert dict(Image.open(io.BytesIO(copy)).getexif()) == {0x0112: 6}
    assert dict(Image.open(io.BytesIO(copied(data, Box(1, 1, 9, 9)))).getexif()) == {0x0112: 6}


def test_the_profile_is_rebuilt() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = saved(RGB, icc_profile=profile)
    assert categories(data) == {"colour-profile-text"}
    kept = Image.open(io.BytesIO(copied(data))).info["icc_profile"]
    assert kept[36:40] == b"acsp"
    assert kept != profile
    assert opened(data).write(keep_profile=False).data == saved(RGB)


def animated(*frames: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    images = [Image.fromarray(f) for f in frames]
    images[0].save(out, "WEBP", save_all=True, append_images=images[1:], duration=80, **options)
    return out.getvalue()


def test_an_animation_becomes_its_first_frame() -> None:
    data = animated(RGB, 255 - RGB, smooth(40, 60, 3, seed=9))
    photo = opened(data)
    assert photo.frames == 3
    assert [(f.kind, f.category, f.count) for f in photo.metadata()] == [("hidden-image", "extra-frames", 2)]
    assert photo.write().notes == ("frames-dropped",)
    copy = copied(data)
    assert not Image.open(io.BytesIO(copy)).is_animated
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert np.array_equal(opened(copy).samples(), expected)
    with pytest.raises(TooLarge):
        webp.open(data, Limits(frames=2))


def test_a_first_frame_on_part_of_the_canvas_is_put_in_its_place() -> None:
    small = parts(FILES["lossless"])[0][1]
    body = (10).to_bytes(3, "little") + (4).to_bytes(3, "little") + (59).to_bytes(3, "little")
    body += (39).to_bytes(3, "little") + bytes(4) + chunk(b"VP8L", small)
    head = bytes((2, 0, 0, 0)) + (99).to_bytes(3, "little") + (79).to_bytes(3, "little")
    data = riff(chunk(b"VP8X", head) + chunk(b"ANIM", bytes(6)) + chunk(b"ANMF", body))
    copy = opened(copied(data))
    assert (copy.width, copy.height) == (100, 80)
    assert np.array_equal(copy.samples()[8:48, 20:80, :3], RGB)
    assert not copy.samples()[..., 3][:8].any()


@pytest.mark.parametrize(
    "data",
    [
        b"RIFF\x04\0\0\0WEBP" + bytes(20),
        riff(chunk(b"VP8 ", b"short")),
        riff(chunk(b"VP8L", b"\x2f" + bytes(4))),
        riff(parts(FILES["lossy"])[0][0] + b"\xff\xff\xff\xff" + parts(FILES["lossy"])[0][1]),
        riff(FILES["lossy"][12:] * 2),
        riff(chunk(b"VP8X", bytes(10)) + FILES["lossy"][12:]),
        riff(chunk(b"VP8X", bytes(10)) * 2),
        riff(FILES["lossy"][12:] + chunk(b"VP8X", bytes(10))),
        riff(chunk(b"VP8X", b"\x02" + bytes(9)) + FILES["lossy"][12:]),
        riff(chunk(b"VP8X", b"\x02" + bytes(9)) + chunk(b"ANIM", bytes(6)) + chunk(b"ANMF", bytes(16))),
        riff(chunk(b"VP8X", b"\x02" + bytes(9)) + chunk(b"ANMF", bytes(3))),
        FILES["lossy alpha"].replace(parts(FILES["lossy alpha"])[1][1][:9], b"\xc1" + bytes(8)),
    ],
)
def test_damage_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        formats.open_photo(data, LIMITS)


def test_limits_hold_before_decoding() -> None:
    with pytest.raises(TooLarge):
        webp.open(FILES["lossy"], Limits(pixels=2399))


@pytest.mark.parametrize("name", FILES)
def test_truncations_are_refused(name: str) -> None:
    data = FILES[name]
    for length in [*range(60), *range(60, len(data), 7), len(data) - 1]:
        with pytest.raises(InputError):
            opened(data[:length]).samples()
        mended = data[:4] + struct.pack("<I", max(length - 8, 0)) + data[8:length]
        with pytest.raises(InputError):
            opened(mended).samples()


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_chunks_go_again(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FILES)))
    names = st.one_of(st.binary(min_size=4, max_size=4), st.sampled_from([b"XMP ", b"JUMB"]))
    extra = data.draw(st.lists(st.tuples(names, st.binary(max_size=40)), max_size=4))
    keep = (b"VP8 ", b"VP8L", b"ALPH", b"VP8X", b"ANIM", b"ANMF", b"ICCP", b"EXIF")
    noise = b"".join(chunk(n, p) for n, p in extra if n not in keep)
    tail = data.draw(st.binary(max_size=20))
    noisy = extended(FILES[name], before=noise, after=noise) + tail
    assert bool(opened(noisy).metadata()) == bool(noise or tail)
    assert copied(noisy) == copied(FILES[name])


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted([*FILES, "animated"])), st.data())
def test_mutants_are_refused_or_copied_whole(name: str, data: st.DataObject) -> None:
    mutant = bytearray(FILES.get(name) or animated(RGB, 255 - RGB))
    for _ in range(data.draw(st.integers(1, 4))):
        mutant[data.draw(st.integers(4, min(len(mutant) - 1, 400)))] = data.draw(st.integers(0, 255))
    try:
        photo = formats.open_photo(bytes(mutant), Limits(pixels=1 << 20))
        photo.metadata()
        copy = photo.write()
    except MedimgError:
        return
    assert audit.walk(copy.data, "webp") == []
    assert np.array_equal(opened(copy.data).samples(), photo.samples())


def test_real_files(corpus) -> None:
    for path in corpus("*.webp"):
        photo = opened(path.read_bytes())
        copied(photo.data)
        copied(photo.data, Box(3, 3, 60, 40))


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="program not installed")
def test_exiftool_finds_structure_only(corpus, tmp_path) -> None:
    import subprocess

    for path in corpus("*.webp"):
        target = tmp_path / "copy.webp"
        target.write_bytes(copied(path.read_bytes()))
        shown = subprocess.run(
            ["exiftool", "-a", "-u", "-U", "-G1", "-ee", "-s", str(target)], capture_output=True, text=True, check=True
        ).stdout
        assert "Warning" not in shown
        for line in shown.splitlines():
            group, tag = line[1:].split("]")[0], line.split("]")[1].split(":")[0].strip()
            assert group in {"ExifTool", "File", "Composite", "System", "ICC-header", "ICC_Profile", "RIFF"} or (
                tag in {"Orientation", "ExifByteOrder"}
            ), tag
        target.unlink()


def test_damaged_coded_data_that_decoders_fill_up() -> None:
    """Found by fuzzing: it decodes without its last bytes, but to another picture."""
    data = base64.b64decode(FILLED_UP)
    copied(data)
    copied(data, Box(1, 1, 4, 3))


FILLED_UP = (
    "UklGRrYAAABXRUJQVlA4WAoAAAAcAAAAHwAAFwAATFBBSBoAAAABuYzof0BN20ZQP9iFXgK33hQxARPQcx3vDVZQOCBqAAAAMAQA"
    "nQEqIAAYAD5tNJVHpCMiISgIAIANiWIAd+PwCT3AEE3Hu9rxGvngAED4jFPe/uKupKSjf/Y1NVpOZf/y0oZGjVSR27J95psfKYcc"
    "QDiAAAAARVhJRg4AAABJSSoACAAAAAAAAAAAAFhNUCAEAAAAPHgvPg=="
)


def test_the_smallest_files() -> None:
    for size in ((1, 1), (1, 32), (5, 1)):
        for colour in (0, 255):
            data = saved(np.full((*size, 3), colour, np.uint8), lossless=True)
            assert copied(data) == data
