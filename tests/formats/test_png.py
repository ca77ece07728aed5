"""PNG: what is found, what the copy holds, and that the picture is the original's."""

from __future__ import annotations

import io
import shutil
import struct
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from medimg import audit, formats
from medimg.errors import InputError, Malformed, MedimgError, TooLarge, Unsupported
from medimg.formats import png
from medimg.native.opencv import cv2
from medimg.types import Box, Cover, Limits

LIMITS = Limits()
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def ihdr(width: int, height: int, depth: int = 8, colour: int = 2, lace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, lace))


def built(head: bytes, raw: bytes, before: bytes = b"", after: bytes = b"", end: bytes = b"") -> bytes:
    return SIGNATURE + head + before + chunk(b"IDAT", zlib.compress(raw)) + after + chunk(b"IEND") + end


def saved(array: np.ndarray, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG", **options)
    return out.getvalue()


def random(*shape: int, high: int = 256, seed: int = 1) -> np.ndarray:
    kind = np.uint8 if high <= 256 else np.uint16
    return np.random.default_rng(seed).integers(0, high, shape).astype(kind)


def insert(data: bytes, *extra: bytes) -> bytes:
    """After IHDR."""
    return data[:33] + b"".join(extra) + data[33:]


def opened(data: bytes) -> formats.Opened:
    photo = formats.open_photo(data, LIMITS)
    assert photo.name == "png"
    return photo


def categories(data: bytes) -> set[str]:
    return {f.category for f in opened(data).metadata()}


def copied(data: bytes, *boxes: Box) -> bytes:
    """The copy, judged: both readers find nothing, samples outside the covers are equal, inside flat."""
    photo = opened(data)
    copy = photo.write([Cover(polygon=b.polygon, category="name") for b in boxes])
    assert audit.walk(copy.data, "png") == []
    again = opened(copy.data)
    assert again.metadata() == []
    before, after = photo.samples(), again.samples()
    assert before.shape == after.shape
    assert before.dtype == after.dtype
    outside = np.ones(before.shape[:2], bool)
    for box in boxes:
        outside[box.y0 : box.y1, box.x0 : box.x1] = False
        inside = after[box.y0 : box.y1, box.x0 : box.x1].reshape(box.area, -1)
        assert (inside == inside[0]).all()
    assert np.array_equal(before[outside], after[outside])
    assert again.orientation == photo.orientation
    if not boxes:
        assert again.write().data == copy.data
    return copy.data


ARRAYS = {
    "grey": random(23, 31),
    "rgb": random(23, 31, 3),
    "rgba": random(23, 31, 4) | np.array([0, 0, 0, 1], np.uint8),
    "grey16": random(23, 31, high=65536),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_the_copy_depends_on_the_pixels_alone(name: str) -> None:
    data = saved(ARRAYS[name])
    noisy = insert(data, chunk(b"tEXt", b"Author\0Jane Doe"), chunk(b"tIME", bytes(7)), chunk(b"prVt", b"serial"))
    assert copied(noisy + b"PK\x03\x04tail") == copied(data)
    for level in (0, 1, 9):
        assert copied(saved(ARRAYS[name], compress_level=level)) == copied(data)


@pytest.mark.parametrize(
    ("extra", "category"),
    [
        (chunk(b"tEXt", b"Author\0Jane Doe"), "owner"),
        (chunk(b"tEXt", b"Comment\0MRN 123"), "comment"),
        (chunk(b"zTXt", b"Software\0\0" + zlib.compress(b"x" * 99)), "software"),
        (chunk(b"zTXt", b"Comment\0\0broken"), "unknown-block"),
        (chunk(b"iTXt", b"Creation Time\0\0\0en\0\0today"), "capture-time"),
        (chunk(b"tIME", bytes(7)), "capture-time"),
        (chunk(b"caBX", b"\0\0\0\x0cjumb"), "content-credential"),
        (chunk(b"pHYs", bytes(9)), "resolution"),
        (chunk(b"bKGD", bytes(6)), "background-colour"),
        (chunk(b"zzZz", b"?"), "unknown-block"),
        (chunk(b"PLTE", b"abc"), "unused-palette"),
        (chunk(b"gAMA", b"Mary"), "unknown-block"),
        (chunk(b"tEXt", b"Raw profile type iptc\0\niptc\n4\n31323334"), "iptc"),
    ],
)
def test_each_chunk_is_named_and_dropped(extra: bytes, category: str) -> None:
    plain = saved(ARRAYS["rgb"])
    assert category in categories(insert(plain, extra))
    assert copied(insert(plain, extra)) == copied(plain)


def test_findings_hold_their_value_in_memory_alone() -> None:
    found = opened(insert(saved(ARRAYS["rgb"]), chunk(b"tEXt", b"Author\0Jane Doe"))).metadata()
    assert [f.secret.reveal() for f in found] == ["Jane Doe"]
    assert "Jane" not in repr(found)


@pytest.mark.parametrize(
    ("tail", "kind", "category"),
    [
        (b"\0" * 8, "metadata", "trailing-bytes"),
        (b"\xff\xd8\xff\xe0", "hidden-image", "second-image"),
        (b"\0\0\0\x18ftypmp42", "hidden-image", "motion-video"),
        (b"PK\x03\x04", "metadata", "attached-archive"),
        (b"rows" * 9 + chunk(b"IEND"), "hidden-image", "earlier-version"),
    ],
)
def test_bytes_after_the_end_are_named_and_cut(tail: bytes, kind: str, category: str) -> None:
    plain = saved(ARRAYS["rgb"])
    found = opened(plain + tail).metadata()
    assert [(f.kind, f.category) for f in found] == [(kind, category)]
    assert copied(plain + tail) == copied(plain)


SRGB = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


@pytest.mark.parametrize("gamma", [45455, 55556, 100_000])
@pytest.mark.parametrize("points", [SRGB, (34567, 35850, 73470, 26530, 15960, 84040, 3660, 10)])
def test_what_says_how_the_picture_looks_stays(gamma: int, points: tuple[int, ...]) -> None:
    looks = chunk(b"gAMA", struct.pack(">I", gamma)) + chunk(b"cHRM", struct.pack(">8I", *points))
    looks += chunk(b"sRGB", b"\0") + chunk(b"sBIT", bytes((8, 8, 8)))
    data = insert(saved(ARRAYS["rgb"]), looks)
    assert opened(data).metadata() == []
    copy = copied(data)
    assert copy[33 : 33 + len(looks)] == looks


@pytest.mark.parametrize(
    "looks",
    [
        chunk(b"gAMA", struct.pack(">I", 1000)), chunk(b"gAMA", struct.pack(">I", 1_000_000)),
        chunk(b"cHRM", struct.pack(">8I", *[31270] * 8)),  # three primaries in one point
        chunk(b"cHRM", struct.pack(">8I", *SRGB[:2], *SRGB[4:6], *SRGB[2:4], *SRGB[6:])),  # red and green changed over
        chunk(b"cHRM", struct.pack(">8I", 60000, 33000, *SRGB[2:])),  # white next to red
    ],
)  # fmt: skip
def test_what_would_show_levels_far_apart_goes(looks: bytes) -> None:
    """Levels 0 and 1 are black and white under an exponent of a hundredth: writing that no check saw would be seen."""
    plain = saved(ARRAYS["rgb"])
    assert [f.category for f in opened(insert(plain, looks)).metadata()] == ["unknown-block"]
    assert copied(insert(plain, looks)) == copied(plain)


# -- depth, colour types, alpha, palettes -------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sixteen_bits_stay_sixteen_bits(channels: int) -> None:
    array = random(40, 50, channels, high=65536)
    array[..., -1] |= 1
    file = cv2.imencode(".png", array)[1].tobytes()
    seen = opened(file).samples()
    expected = array[..., 0] if channels == 1 else array[..., [2, 1, 0, 3][:channels]]
    assert np.array_equal(seen, expected)
    covered = copied(file, Box(5, 6, 20, 18))
    assert struct.unpack(">BB", covered[24:26]) == (16, {1: 0, 3: 2, 4: 6}[channels])


@pytest.mark.parametrize("depth", [8, 16])
def test_grey_with_alpha(depth: int) -> None:
    array = random(9, 14, 2, high=1 << depth)
    array[2:5, 3:9, 1] = 0
    raw = b"".join(b"\0" + row.astype(">u2" if depth == 16 else "u1").tobytes() for row in array)
    data = built(ihdr(14, 9, depth, 4), raw)
    expected = array.copy()
    expected[array[..., 1] == 0] = 0
    assert np.array_equal(opened(data).samples(), expected)
    assert categories(data) == {"hidden-pixels"}
    copied(data)
    copied(data, Box(1, 1, 4, 8))


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("colour", [0, 3])
@pytest.mark.parametrize("width", [7, 8, 13, 16])
def test_small_depths(depth: int, colour: int, width: int) -> None:
    array = random(11, width, high=1 << depth)
    bits = np.unpackbits(array[..., None], axis=2)[..., 8 - depth :].reshape(11, -1)
    raw = b"".join(b"\0" + np.packbits(row).tobytes() for row in bits)
    table = random(1 << depth, 3, seed=5)
    data = built(ihdr(width, 11, depth, colour), raw, chunk(b"PLTE", table.tobytes()) if colour else b"")
    expected = table[array] if colour else array * np.uint8(255 // ((1 << depth) - 1))
    assert np.array_equal(opened(data).samples(), expected)
    assert copied(data)[24:26] == bytes((depth, colour))
    covered = copied(data, Box(1, 1, 5, 5))
    assert covered[25] == colour
    assert np.array_equal(opened(covered).samples()[2, 3], expected[0, 0] * 0)


def test_padding_bits_are_found_and_cleared() -> None:
    raw = b"".join(b"\0" + bytes((0b10101010, 0b11111111)) for _ in range(5))
    data = built(ihdr(11, 5, 1, 0), raw)
    assert categories(data) == {"padding-bits"}
    copy = copied(data)
    assert zlib.decompress(copy[copy.index(b"IDAT") + 4 : -16])[1:3] == bytes((0b10101010, 0b11100000))
    assert "IDAT/row ends" in audit.walk(data, "png")


@pytest.mark.parametrize("lace", [0, 1])
def test_padding_bits_of_interlaced_pictures(lace: int) -> None:
    passes = [(2, 1), (1, 1), (3, 1), (3, 2), (6, 1), (5, 3), (11, 2)] if lace else [(11, 5)]
    raw = b"".join(b"\0" + b"\xff" * ((w + 7) // 8) for w, h in passes for _ in range(h))
    data = built(ihdr(11, 5, 1, 0, lace), raw)
    assert categories(data) == {"padding-bits"}
    assert (opened(data).samples() == 255).all()
    assert audit.walk(data, "png") == ["IDAT/row ends"]
    copied(data)


def interlaced(array: np.ndarray, colour: int) -> bytes:
    depth, raw = array.dtype.itemsize * 8, b""
    steps = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    for x, y, dx, dy in steps:
        part = array[y::dy, x::dx]
        if part.size:
            raw += b"".join(b"\0" + row.astype(">u2" if depth == 16 else "u1").tobytes() for row in part)
    return built(ihdr(array.shape[1], array.shape[0], depth, colour, 1), raw)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (9, 14), (33, 20)])
@pytest.mark.parametrize(("colour", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
@pytest.mark.parametrize("high", [256, 65536])
def test_interlaced(size: tuple[int, int], colour: int, channels: int, high: int) -> None:
    array = random(*size, channels, high=high)
    if channels in (2, 4):
        array[..., -1] |= 1
    data = interlaced(array, colour)
    assert np.array_equal(opened(data).samples().reshape(array.shape), array)
    assert copied(data)[28] == 0
    copied(data, Box(0, 0, 1, 1))


def test_colour_under_alpha_zero_goes() -> None:
    array = random(20, 30, 4)
    array[5:15, 5:25, 3] = 0
    data = saved(array)
    assert [(f.kind, f.category) for f in opened(data).metadata()] == [("hidden-image", "hidden-pixels")]
    assert audit.walk(data, "png") == ["IDAT/alpha 0"]
    copy = copied(data)
    out = np.asarray(Image.open(io.BytesIO(copy)))
    assert not out[5:15, 5:25].any()
    assert np.array_equal(out[array[..., 3] > 0], array[array[..., 3] > 0])


def test_more_views_where_alpha_could_hide_writing() -> None:
    array = np.full((20, 30, 4), 255, np.uint8)
    array[5:9, 5:20] = (250, 0, 0, 2)
    views = opened(saved(array)).views()
    assert len(views) == 5
    assert all(v.shape == (20, 30, 3) and v.dtype == np.uint8 for v in views)
    white, black, grey, colours, alpha = (tuple(v[6, 6].tolist()) for v in views)
    assert white == (255, 253, 253)
    assert black == (2, 0, 0)
    assert grey == (129, 127, 127)
    assert colours == (250, 0, 0)
    assert max(alpha) < 10


def test_a_transparent_colour_gives_a_second_view_and_stays() -> None:
    array = random(8, 8, 3) // 2
    array[2, 2] = (9, 8, 7)
    data = insert(saved(array), chunk(b"tRNS", struct.pack(">3H", 9, 8, 7)))
    seen = [tuple(view[2, 2].tolist()) for view in opened(data).views()]
    assert seen == [(9, 8, 7), (255, 255, 255), (0, 0, 0), (128, 128, 128)]
    assert [tuple(view[2, 2].tolist()) for view in opened(copied(data)).views()] == seen
    copied(data, Box(0, 0, 3, 3))


def test_a_cover_is_not_the_transparent_colour() -> None:
    data = insert(saved(random(8, 8) | 1), chunk(b"tRNS", b"\0\0"))
    copy = copied(data, Box(0, 0, 4, 4))
    assert {tuple(view[1, 1].tolist()) for view in opened(copy).views()} == {(1, 1, 1)}


def palette(indices: np.ndarray, table: np.ndarray, alpha: bytes = b"") -> bytes:
    raw = b"".join(b"\0" + row.tobytes() for row in indices)
    before = chunk(b"PLTE", table.astype(np.uint8).tobytes()) + (chunk(b"tRNS", alpha) if alpha else b"")
    return built(ihdr(indices.shape[1], indices.shape[0], 8, 3), raw, before)


def test_unused_palette_entries_go_and_the_picture_stays() -> None:
    indices = random(9, 9, high=20)
    table = random(200, 3, seed=3)
    data = palette(indices, table)
    assert categories(data) == {"unused-palette"}
    copy = copied(data)
    assert len(copy) < len(data) - 3 * 170
    order = np.random.default_rng(4).permutation(200)
    assert copied(palette(np.argsort(order).astype(np.uint8)[indices], table[order])) == copy


def test_a_picture_in_equal_palette_entries_goes() -> None:
    indices = random(9, 9, high=4)
    data = palette(indices, np.array([[9, 9, 9], [9, 9, 9], [7, 7, 7], [1, 2, 3]]))
    assert categories(data) == {"hidden-pixels"}
    assert audit.walk(data, "png") == ["PLTE/equal colours"]
    assert opened(copied(data)).metadata() == []


def test_transparent_palette_entries_lose_their_colour() -> None:
    indices = random(9, 9, high=3)
    data = palette(indices, np.array([[9, 9, 9], [200, 9, 9], [7, 7, 7]]), b"\xff\0\x80")
    assert "hidden-pixels" in categories(data)
    copy = copied(data)
    assert np.asarray(Image.open(io.BytesIO(copy)).convert("RGBA"))[indices == 1].max() == 0
    assert copied(data, Box(0, 0, 3, 3))[25] == 3


def test_a_full_palette_without_black_becomes_rgb() -> None:
    indices = np.arange(256, dtype=np.uint8).reshape(16, 16)
    table = np.column_stack((np.arange(256), np.full(256, 3), np.full(256, 5)))
    photo = opened(palette(indices, table))
    copy = photo.write([Cover(polygon=Box(2, 2, 3, 3).polygon, category="name")])
    assert copy.notes == ("palette-replaced",)
    assert opened(copy.data).samples().shape == (16, 16, 3)
    copied(photo.data, Box(2, 2, 3, 3))


def test_an_index_beyond_the_palette_is_refused() -> None:
    with pytest.raises(Malformed):
        opened(palette(random(9, 9, high=20), random(3, 3))).metadata()


# -- orientation, profile, animation ------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_orientation_is_all_that_stays_of_exif(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x0132] = orientation, "Pixel 4a", "2022:08:24 22:07:42"
    data = saved(ARRAYS["rgb"], exif=exif.tobytes())
    photo = opened(data)
    assert photo.orientation == orientation
    assert photo.metadata()
    copy = copied(data)
    left = dict(Image.open(io.BytesIO(copy)).getexif())
    assert left == ({} if orientation == 1 else {0x0112: orientation})


def test_the_profile_is_rebuilt_under_a_neutral_name() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = insert(saved(ARRAYS["rgb"]), chunk(b"iCCP", b"Jane's screen\0\0" + zlib.compress(profile)))
    assert "colour-profile-text" in categories(data)
    copy = copied(data)
    assert b"Jane" not in copy
    assert Image.open(io.BytesIO(copy)).info["icc_profile"][36:40] == b"acsp"
    bare = opened(data).write(keep_profile=False).data
    assert "icc_profile" not in Image.open(io.BytesIO(bare)).info


def test_a_broken_profile_goes() -> None:
    data = insert(saved(ARRAYS["rgb"]), chunk(b"iCCP", b"x\0\0" + zlib.compress(b"no profile")))
    assert categories(data) == {"colour-profile-text"}
    assert copied(data) == copied(saved(ARRAYS["rgb"]))


def test_an_animation_becomes_its_first_picture() -> None:
    out = io.BytesIO()
    frames = [Image.fromarray(random(20, 20, 3, seed=s)) for s in range(3)]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:], duration=50)
    photo = opened(out.getvalue())
    assert photo.frames == 3
    assert [(f.kind, f.category, f.count) for f in photo.metadata()] == [("hidden-image", "extra-frames", 2)]
    copy = copied(out.getvalue())
    assert not getattr(Image.open(io.BytesIO(copy)), "is_animated", False)
    assert photo.write().notes == ("frames-dropped",)
    with pytest.raises(TooLarge):
        png.open(out.getvalue(), Limits(frames=2))


# -- bad input ----------------------------------------------------------------------------------------------------


def test_data_after_the_last_row_goes() -> None:
    raw = b"".join(b"\0" + bytes(range(30)) for _ in range(5))
    clean = built(ihdr(10, 5), raw)
    inside = built(ihdr(10, 5), raw + b"secret rows" * 50)
    stream = zlib.compress(raw) + b"after the stream"
    behind = SIGNATURE + ihdr(10, 5) + chunk(b"IDAT", stream[:40]) + chunk(b"IDAT", stream[40:]) + chunk(b"IEND")
    for data in (inside, behind):
        assert categories(data) == {"trailing-bytes"}
        assert audit.walk(data, "png")
        copied(data)
    assert copied(behind) == copied(inside) == copied(clean)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (SIGNATURE, Malformed),
        (built(ihdr(70000, 70000), b""), TooLarge),
        (built(ihdr(0, 5), b""), Malformed),
        (built(ihdr(4, 4, 3), b""), Malformed),
        (built(ihdr(4, 4), b"\0" * 30), Malformed),
        (built(ihdr(4, 4), b"\x07" + b"\0" * 51), Malformed),
        (built(ihdr(4, 4) + ihdr(4, 4), b"\0" * 52), Malformed),
        (built(b"", b"\0" * 52), Malformed),
        (built(ihdr(4, 4), b"\0" * 52)[:-12], Malformed),
        (built(ihdr(4, 4), b"\0" * 52, after=chunk(b"tEXt", b"") + chunk(b"IDAT", b"")), Malformed),
        (built(ihdr(4, 4), b"\0" * 52, after=chunk(b"PLTE", b"abc")), Malformed),
        (built(ihdr(4, 4), b"\0" * 52, before=chunk(b"ABCD", b"")), Unsupported),
        (built(chunk(b"CgBI", bytes(4)) + ihdr(4, 4), b"\0" * 52), Unsupported),
        (built(ihdr(4, 4, 8, 3), b"\0" * 20), Malformed),
        (built(ihdr(4, 4, 8, 4), b"\0" * 36, before=chunk(b"tRNS", b"\0\0")), Malformed),
        (built(ihdr(4, 4), b"\0" * 52, before=chunk(b"gAMA", bytes(4)) * 2), Malformed),
        (SIGNATURE + ihdr(4, 4) + chunk(b"IDAT", b"no zlib") + chunk(b"IEND"), Malformed),
        (SIGNATURE + ihdr(4, 4) + chunk(b"IEND"), Malformed),
        (SIGNATURE + ihdr(4, 4) + b"\xff\xff\xff\xffIDAT", Malformed),
    ],
)
def test_damage_is_refused(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        formats.open_photo(data, LIMITS)


def test_a_wrong_checksum_is_refused() -> None:
    data = bytearray(saved(ARRAYS["rgb"]))
    data[data.index(b"IDAT") + 30] ^= 1
    with pytest.raises(Malformed):
        opened(bytes(data))


def test_a_bomb_is_not_inflated() -> None:
    stream = zlib.compress(bytes(300_000_000), 9)
    data = SIGNATURE + ihdr(4, 4) + chunk(b"IDAT", stream) + chunk(b"IEND")
    assert categories(data) == {"trailing-bytes"}
    copied(data)
    text = insert(saved(ARRAYS["rgb"]), chunk(b"zTXt", b"Comment\0\0" + stream))
    assert categories(text) == {"unknown-block"}


def test_every_truncation_is_refused() -> None:
    data = insert(saved(random(6, 6, 3)), chunk(b"tEXt", b"Author\0x"))
    for length in range(len(data)):
        with pytest.raises(InputError):
            formats.open_photo(data[:length], LIMITS)


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_chunks_go_again(data: st.DataObject) -> None:
    plain = saved(random(5, 5, 3))
    names = st.binary(min_size=4, max_size=4).map(
        lambda b: bytes((97 + b[0] % 26, 97 + b[1] % 26, 65 + b[2] % 26, 97 + b[3] % 26))
    )
    extra = data.draw(st.lists(st.tuples(st.one_of(names, st.sampled_from([b"tEXt", b"zTXt", b"iTXt", b"tIME",
        b"caBX", b"sPLT", b"pHYs"])), st.binary(max_size=60)), max_size=5))  # fmt: skip
    noise = [chunk(k, v) for k, v in extra if k not in (b"sBIT", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"iCCP", b"eXIf")]
    tail = data.draw(st.binary(max_size=40))
    after = plain[:-12] + b"".join(noise) + plain[-12:] + tail
    assert bool(opened(after).metadata()) == bool(noise or tail)
    assert copied(after) == copied(insert(plain, *noise) + tail) == copied(plain)


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 7), st.data())
def test_mutants_are_refused_or_copied_whole(which: int, data: st.DataObject) -> None:
    bases = [
        saved(ARRAYS["rgb"]), saved(ARRAYS["rgba"]), saved(ARRAYS["grey16"]),
        palette(random(9, 9, high=20), random(30, 3), b"\0\x80\xff"), interlaced(random(9, 9, 3), 2),
        interlaced(random(9, 9, 2), 4), built(ihdr(11, 5, 1, 0), b"\0\xaa\xff" * 5),
        insert(saved(ARRAYS["rgb"]), chunk(b"eXIf", b"II*\0"), chunk(b"tRNS", bytes(6))),
    ]  # fmt: skip
    mutant = bytearray(bases[which])
    for _ in range(data.draw(st.integers(1, 4))):
        mutant[data.draw(st.integers(8, len(mutant) - 1))] = data.draw(st.integers(0, 255))
    mended = bytearray(SIGNATURE)
    at = 8
    while at + 12 <= len(mutant):  # checksums made right again, so that the parser behind them is reached
        size = int.from_bytes(mutant[at : at + 4], "big")
        body = bytes(mutant[at + 4 : at + 8 + size])
        mended += mutant[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + size
    try:
        photo = formats.open_photo(bytes(mended), Limits(pixels=1 << 20))
        photo.metadata()
        photo.views()
        copy = photo.write()
    except MedimgError:
        return
    assert audit.walk(copy.data, "png") == []
    assert opened(copy.data).metadata() == []
    assert np.array_equal(opened(copy.data).samples(), photo.samples())


# -- real files -----------------------------------------------------------------------------------------------------


def test_real_files(corpus) -> None:
    for path in corpus("*.png"):
        data = path.read_bytes()
        copied(data)
        photo = opened(data)
        copied(data, Box(3, 3, min(60, photo.width), min(40, photo.height)))


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="program not installed")
def test_exiftool_finds_structure_only(corpus, tmp_path) -> None:
    import subprocess

    structure = {"ExifTool", "File", "Composite", "System", "ICC-header", "ICC_Profile", "PNG-cICP"}
    picture = {"ImageWidth", "ImageHeight", "BitDepth", "ColorType", "Compression", "Filter", "Interlace", "Palette",
               "Transparency", "Gamma", "SRGBRendering", "SignificantBits", "ProfileName", "WhitePointX",
               "WhitePointY", "RedX", "RedY", "GreenX", "GreenY", "BlueX", "BlueY"}  # fmt: skip
    for path in corpus("*.png"):
        target = tmp_path / "copy.png"
        target.write_bytes(copied(path.read_bytes()))
        shown = subprocess.run(
            ["exiftool", "-a", "-u", "-U", "-G1", "-ee", "-s", str(target)], capture_output=True, text=True, check=True
        ).stdout
        assert "Warning" not in shown
        for line in shown.splitlines():
            group, tag = line[1:].split("]")[0], line.split("]")[1].split(":")[0].strip()
            assert group in structure or (group == "PNG" and tag in picture) or tag == "Orientation", tag
        target.unlink()


def test_encode_for_other_formats() -> None:
    for shape, kind in (((5, 6), 256), ((5, 6, 1), 256), ((5, 6, 2), 256), ((5, 6, 3), 65536), ((5, 6, 4), 65536)):
        array = random(*shape, high=kind)
        if shape[-1] in (2, 4):
            array[..., -1] |= 1
        data = png.encode(array, cicp=(9, 16), orientation=6)
        assert audit.walk(data, "png") == []
        photo = opened(data)
        assert photo.metadata() == []
        assert photo.orientation == 6
        assert np.array_equal(photo.samples().reshape(shape), array)


@pytest.mark.parametrize("kind", [3, 4, 5, 10, 12])
def test_exif_that_claims_gigabytes_costs_nothing(kind: int) -> None:
    import tracemalloc

    field = struct.pack(">HHII", 0x0112, kind, 0x48000001, 8)
    wide = struct.pack(">HHII", 0x0100, 1, 60_000, 8) * 5000
    for block in (b"MM\0*\0\0\0\x08\0\x01" + field + bytes(4), b"MM\0*\0\0\0\x08" + struct.pack(">H", 5000) + wide):
        tracemalloc.start()
        assert opened(insert(saved(ARRAYS["rgb"]), chunk(b"eXIf", block))).metadata()
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
        tracemalloc.stop()


def test_many_compressed_texts_are_not_all_inflated() -> None:
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(4_000_000), 9))
    data = insert(saved(ARRAYS["rgb"]), *[bomb] * 5000)
    found = opened(data).metadata()
    assert sum(f.count for f in found) == 5000
    assert copied(data) == copied(saved(ARRAYS["rgb"]))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(built(ihdr(1, 1, 8, 7), b"\0" * 4), id="a colour type that does not exist"),
        pytest.param(
            built(ihdr(1, 1), b"\0" * 4, before=chunk(b"iCCP", b"icc\0\0no stream")), id="a profile that is not packed"
        ),
    ],
)
def test_the_judge_says_so_when_it_cannot_follow(data: bytes) -> None:
    with pytest.raises(Malformed):
        audit.walk(data, "png")
