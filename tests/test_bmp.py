"""BMP: what is found, what the copy holds, and that the picture is the original's."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from medimg import audit, formats
from medimg.errors import InputError, Malformed, MedimgError, TooLarge, Unsupported
from medimg.formats import bmp
from medimg.types import Box, Cover, Limits

LIMITS = Limits()


def random(*shape: int, high: int = 256, seed: int = 1, kind: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, high, shape).astype(kind)


def built(
    width: int, height: int, depth: int, rows: bytes, *, palette: bytes = b"", packing: int = 0, size: int = 40,
    masks: tuple[int, ...] = (), gap: bytes = b"", tail: bytes = b"", spare: int = 0, extra: bytes = b"",
) -> bytes:  # fmt: skip
    if size == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, depth)
    else:
        info = struct.pack(
            "<IiiHHIIQII", size, width, height, 1, depth, packing, len(rows), spare, len(palette) // 4, 0
        )
        info += struct.pack(f"<{len(masks)}I", *masks) if size > 40 else b""
        info = (info + extra).ljust(size, b"\0") + (struct.pack(f"<{len(masks)}I", *masks) if size == 40 else b"")
    start = 14 + len(info) + len(palette) + len(gap)
    return b"BM" + struct.pack("<IIII", 0, 0, start, 0)[:12] + info + palette + gap + rows + tail


def padded(rows: np.ndarray, fill: int = 0) -> bytes:
    out = np.full((rows.shape[0], -(-rows.shape[1] // 4) * 4), fill, np.uint8)
    out[:, : rows.shape[1]] = rows
    return out.tobytes()


def opened(data: bytes) -> formats.Opened:
    photo = formats.open_photo(data, LIMITS)
    assert photo.name == "bmp"
    return photo


def categories(data: bytes) -> set[str]:
    return {f.category for f in opened(data).metadata()}


def copied(data: bytes, *boxes: Box) -> bytes:
    photo = opened(data)
    copy = photo.write([Cover(polygon=b.polygon, category="name") for b in boxes])
    assert audit.walk(copy.data, "bmp") == []
    again = opened(copy.data)
    assert again.metadata() == []
    before, after = photo.samples(), again.samples()
    assert before.shape == after.shape
    outside = np.ones(before.shape[:2], bool)
    for box in boxes:
        outside[box.y0 : box.y1, box.x0 : box.x1] = False
        assert not after[box.y0 : box.y1, box.x0 : box.x1, :3].any()
        assert (after[box.y0 : box.y1, box.x0 : box.x1, 3:] == 255).all()
    assert np.array_equal(before[outside], after[outside])
    if not boxes:
        assert again.write().data == copy.data
        assert again.write().method == "segment-copy"
    return copy.data


def seen_by_pillow(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize("depth", [1, 4, 8, 24, 32])
@pytest.mark.parametrize("width", [7, 8, 13, 32])
@pytest.mark.parametrize("top_down", [False, True])
def test_plain_pictures(depth: int, width: int, top_down: bool) -> None:
    height = 11
    palette = b""
    if depth <= 8:
        values = random(height, width, high=1 << depth)
        bits = np.unpackbits(values[..., None], axis=2)[..., 8 - depth :].reshape(height, -1)
        rows = np.packbits(bits, axis=1)
        table = random(1 << depth, 4, seed=4)
        table[:, 3] = 0
        table[0, 0] |= 1
        palette, expected = table.tobytes(), table[values][..., 2::-1]
    else:
        pixels = random(height, width, depth // 8)
        pixels[..., 3:] = 0
        rows, expected = pixels.reshape(height, -1), pixels[..., 2::-1]
    data = built(width, -height if top_down else height, depth, padded(rows), palette=palette)
    expected = expected if top_down else expected[::-1]
    assert np.array_equal(opened(data).samples(), expected)
    assert np.array_equal(seen_by_pillow(data), expected)
    copy = copied(data)
    assert padded(rows) == copy[struct.unpack("<I", copy[10:14])[0] :]
    assert np.array_equal(seen_by_pillow(copy), expected)
    covered = copied(data, Box(1, 2, 5, 6))
    assert np.array_equal(seen_by_pillow(covered), opened(covered).samples())
    assert struct.unpack("<H", covered[28:30])[0] == {1: 4, 4: 8}.get(depth, depth)


@pytest.mark.parametrize(
    ("depth", "masks"),
    [
        (16, (0x7C00, 0x3E0, 0x1F)),
        (16, (0xF800, 0x7E0, 0x1F)),
        (32, (0xFF0000, 0xFF00, 0xFF)),
        (32, (0xFF000000, 0xFF0000, 0xFF00)),
    ],
)
def test_bit_fields(depth: int, masks: tuple[int, ...]) -> None:
    kind = np.uint16 if depth == 16 else np.uint32
    values = random(9, 14, high=1 << depth, kind=kind)
    rows = padded(values.view(np.uint8).reshape(9, -1))
    data = built(14, 9, depth, rows, packing=3, masks=masks)
    taken = sum(masks)
    assert categories(data) == ({"padding-bits"} if taken + 1 != 1 << depth else set())
    assert np.array_equal(opened(data).samples()[..., 0] >> 3, seen_by_pillow(data)[..., 0] >> 3)
    clean = (values & kind(taken)).view(np.uint8).reshape(9, -1)
    assert copied(data).endswith(padded(clean))
    copied(data, Box(1, 1, 5, 6))
    if masks[0] in (0x7C00, 0xFF0000):
        assert copied(built(14, 9, depth, rows)) == copied(data)


def test_alpha() -> None:
    pixels = random(9, 14, 4)
    pixels[2:5, 3:9, 3] = 0
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    data = built(14, 9, 32, pixels.tobytes(), packing=3, masks=masks, size=108, extra=b"BGRs")
    photo = opened(data)
    assert photo.samples().shape == (9, 14, 4)
    assert len(photo.views()) == 5
    assert categories(data) == {"hidden-pixels"}
    out = np.asarray(Image.open(io.BytesIO(copied(data))))
    assert out.shape == (9, 14, 4)
    assert not out[::-1][2:5, 3:9].any()
    copied(data, Box(1, 1, 5, 6))


def test_every_hiding_place_is_named_and_dropped() -> None:
    pixels = random(5, 7, 3).reshape(5, -1)
    plain = built(7, 5, 24, padded(pixels))
    noisy = built(7, 5, 24, padded(pixels, 0x55), gap=b"Jane Doe", tail=b"PK\x03\x04", spare=0xB130000)
    noisy = noisy[:6] + b"MRN1" + noisy[10:]
    assert {(f.category, f.where) for f in opened(noisy).metadata()} == {
        ("unknown-block", "header/spare fields"),
        ("unknown-block", "before the pixels"),
        ("padding-bits", "pixels/row ends"),
        ("attached-archive", "after the pixels"),
    }
    assert copied(noisy) == copied(plain)
    assert opened(plain).metadata() == []


def test_hidden_places_in_the_palette() -> None:
    values = random(8, 8, high=4)
    table = random(256, 4, seed=8)
    table[:, 3] = 0
    data = built(8, 8, 8, values.tobytes(), palette=table.tobytes())
    assert categories(data) == {"unused-palette"}
    assert len(copied(data)) == 14 + 40 + 16 + 64
    table[2] = table[1]
    equal = built(8, 8, 8, values.tobytes(), palette=table[:4].tobytes())
    assert categories(equal) == {"hidden-pixels"}
    copied(equal)
    table[:, 3] = 7
    assert "unknown-block" in categories(built(8, 8, 8, values.tobytes(), palette=table.tobytes()))


def test_a_full_palette_without_black_becomes_rgb() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    table = np.column_stack((np.arange(256), np.full(256, 3), np.full(256, 5), np.zeros(256))).astype(np.uint8)
    data = built(16, 16, 8, values.tobytes(), palette=table.tobytes())
    assert opened(data).write([Cover(polygon=Box(2, 2, 5, 5).polygon, category="x")]).notes == ("palette-replaced",)
    copied(data, Box(2, 2, 5, 5))
    copied(data)


def test_the_old_header() -> None:
    pixels = random(5, 8, 3)
    data = built(8, 5, 24, pixels.tobytes(), size=12)
    assert np.array_equal(opened(data).samples(), pixels[::-1, :, ::-1])
    assert np.array_equal(seen_by_pillow(copied(data)), pixels[::-1, :, ::-1])
    values = random(8, 8, high=4)
    old = built(8, 8, 8, values.tobytes(), size=12, palette=random(256, 3, seed=8).tobytes())
    assert categories(old) == {"unused-palette"}
    copied(old, Box(0, 0, 2, 2))


@pytest.mark.parametrize("depth", [4, 8])
def test_run_lengths(depth: int) -> None:
    values = np.repeat(random(6, 5, high=1 << depth), 3, axis=1)
    values[2] = random(15, high=1 << depth)
    stream = b""
    for y, row in enumerate(values):
        if y == 2:
            literal = (
                row.tobytes()
                if depth == 8
                else bytes(int(a) << 4 | int(b) for a, b in zip(row[::2], [*row[1::2], 0], strict=True))
            )
            stream += bytes((0, 15)) + literal + b"\0" * (len(literal) & 1)
        else:
            stream += b"".join(bytes((3, int(v) * (17 if depth == 4 else 1))) for v in row[::3])
        stream += b"\0\0" if y < 5 else b"\0\1"
    table = random(1 << depth, 4, seed=4)
    table[:, 3] = 0
    data = built(15, 6, depth, stream, palette=table.tobytes(), packing=1 if depth == 8 else 2)
    expected = table[values][::-1, :, 2::-1]
    assert np.array_equal(opened(data).samples(), expected)
    assert np.array_equal(seen_by_pillow(data), expected)
    assert np.array_equal(seen_by_pillow(copied(data)), expected)
    copied(data, Box(2, 2, 5, 5))
    assert "trailing-bytes" in categories(data + b"\0\0tail")
    for broken in (stream[:-1], stream.replace(b"\0\1", b"\0\2"), b"\xff\0" + stream):
        with pytest.raises(InputError):
            opened(built(15, 6, depth, broken, palette=table.tobytes(), packing=1 if depth == 8 else 2)).samples()


def test_the_profile_is_rebuilt() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = random(5, 8, 3)
    extra = bytes(16) + b"DEBM" + bytes(48) + struct.pack("<IIII", 4, 124 + 120, len(profile), 0)
    data = built(8, 5, 24, pixels.tobytes(), size=124, extra=extra, tail=profile)
    assert categories(data) == {"colour-profile-text"}
    copy = copied(data)
    assert copy[70:74] == b"DEBM"
    assert b"acsp" in copy
    assert b"acsp" not in opened(data).write(keep_profile=False).data
    linked = built(8, 5, 24, pixels.tobytes(), size=124, extra=bytes(16) + b"KNIL", tail=b"C:\\Users\\Jane\\x.icc")
    assert categories(linked) == {"colour-profile-text", "trailing-bytes"}
    assert b"Jane" not in copied(linked)
    with pytest.raises(Malformed):
        opened(data[:-1])


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (built(70000, 70000, 24, b""), TooLarge),
        (built(8, 5, 24, bytes(10)), Malformed),
        (built(0, 5, 24, bytes(100)), Malformed),
        (built(-8, 5, 24, bytes(400)), Malformed),
        (built(8, -(1 << 31), 24, bytes(400)), Malformed),
        (built(8, 5, 23, bytes(400)), Unsupported),
        (built(8, 5, 24, bytes(400), packing=4), Unsupported),
        (built(8, 5, 16, bytes(400), packing=3, masks=(0x7C00, 0x7C00, 0x1F)), Malformed),
        (built(8, 5, 16, bytes(400), packing=3, masks=(0x7400, 0x3E0, 0x1F)), Malformed),
        (built(8, 5, 32, bytes(400), packing=3, masks=(0x3FF00000, 0xFFC00, 0x3FF)), Unsupported),
        (built(8, 5, 8, bytes(400), palette=bytes(4 * 300)), Malformed),
    ],
)
def test_damage_is_refused(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        opened(data)


def test_an_index_beyond_the_palette_is_refused() -> None:
    with pytest.raises(Malformed):
        opened(built(8, 8, 8, bytes([9]) * 64, palette=bytes(16))).metadata()


def test_every_truncation_is_refused() -> None:
    data = built(7, 5, 8, padded(random(5, 7, high=4)), palette=random(4, 4).tobytes())
    for length in range(18, len(data)):
        with pytest.raises(InputError):
            opened(data[:length]).metadata()


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 4), st.data())
def test_mutants_are_refused_or_copied_whole(which: int, data: st.DataObject) -> None:
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    bases = [
        built(7, 5, 24, padded(random(5, 21))),
        built(7, 5, 8, padded(random(5, 7, high=4)), palette=random(16, 4).tobytes()),
        built(7, 5, 16, padded(random(5, 14)), packing=3, masks=(0xF800, 0x7E0, 0x1F)),
        built(7, 5, 32, padded(random(5, 28)), packing=3, masks=masks, size=124),
        built(2, 2, 8, b"\2\1\0\0\2\2\0\1", palette=random(4, 4).tobytes(), packing=1),
    ]
    mutant = bytearray(bases[which])
    for _ in range(data.draw(st.integers(1, 4))):
        mutant[data.draw(st.integers(2, len(mutant) - 1))] = data.draw(st.integers(0, 255))
    try:
        photo = formats.open_photo(bytes(mutant), Limits(pixels=1 << 18))
        photo.metadata()
        copy = photo.write()
    except MedimgError:
        return
    assert audit.walk(copy.data, "bmp") == []
    assert np.array_equal(opened(copy.data).samples(), photo.samples())


def test_content_that_only_starts_with_bm_is_no_bmp() -> None:
    assert not bmp.sniff(b"BMW repair invoice, page 1 of 3")


def test_real_files(corpus) -> None:
    for path in corpus("*.bmp"):
        data = path.read_bytes()
        assert np.array_equal(opened(data).samples(), seen_by_pillow(data))
        copied(data)
        copied(data, Box(3, 3, 40, 30))
