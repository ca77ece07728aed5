"""GIF: what is found, what the copy holds, and that the picture is the original's."""

from __future__ import annotations

import io
import shutil
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from medimg import audit, formats
from medimg.errors import InputError, Malformed, MedimgError, TooLarge
from medimg.formats import _lzw, gif
from medimg.types import Box, Cover, Limits

LIMITS = Limits()


def random(*shape: int, high: int = 256, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, high, shape).astype(np.uint8)


def blocks(payload: bytes) -> bytes:
    parts = (payload[k : k + 255] for k in range(0, len(payload), 255))
    return b"".join(bytes((len(p),)) + p for p in parts) + b"\0"


def control(hole: int | None, *, delay: int = 0) -> bytes:
    return b"!\xf9\x04" + struct.pack("<BHB", hole is not None, delay, hole or 0) + b"\0"


def image(indices: np.ndarray, *, at: tuple[int, int] = (0, 0), own: bytes = b"", lace: int = 0, stream: bytes = b""):
    height, width = indices.shape
    size = max(2, int(indices.max()).bit_length())
    flags = 0x40 * lace | (0x80 | (len(own) // 3 - 1).bit_length() - 1 if own else 0)
    if lace:
        order = [r for start, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for r in range(start, height, step)]
        indices = indices[order]
    stream = stream or _lzw.pack(indices.tobytes(), size)
    return b"," + struct.pack("<HHHHB", *at, width, height, flags) + own + bytes((size,)) + blocks(stream)


def built(size: tuple[int, int], table: np.ndarray, *parts: bytes, end: bytes = b";") -> bytes:
    power = (len(table) - 1).bit_length() - 1
    head = b"GIF89a" + struct.pack("<HHBBB", *size, 0xF0 | power, 0, 0)
    return head + table.astype(np.uint8).tobytes() + b"".join(parts) + end


TABLE = random(16, 3, seed=3) | 1
INDICES = np.concatenate((np.arange(16), random(20 * 30 - 16, high=16))).astype(np.uint8).reshape(20, 30)
PLAIN = built((30, 20), TABLE, image(INDICES))


def opened(data: bytes) -> formats.Opened:
    photo = formats.open_photo(data, LIMITS)
    assert photo.name == "gif"
    return photo


def categories(data: bytes) -> set[str]:
    return {f.category for f in opened(data).metadata()}


def copied(data: bytes, *boxes: Box, name: str = "gif") -> bytes:
    photo = opened(data)
    copy = photo.write([Cover(polygon=b.polygon, category="name") for b in boxes])
    assert copy.format == name
    assert audit.walk(copy.data, name) == []
    again = formats.open_photo(copy.data, LIMITS)
    assert again.name == name
    assert again.metadata() == []
    before, after = photo.samples(), again.samples()
    assert before.shape == after.shape
    outside = np.ones(before.shape[:2], bool)
    for box in boxes:
        outside[box.y0 : box.y1, box.x0 : box.x1] = False
        assert not after[box.y0 : box.y1, box.x0 : box.x1, :3].any()
        assert (after[box.y0 : box.y1, box.x0 : box.x1, 3:] == 255).all()
    assert np.array_equal(before[outside], after[outside])
    shown = np.asarray(Image.open(io.BytesIO(copy.data)).convert("RGBA"))
    assert np.array_equal(
        shown[..., 3] if after.shape[2] == 4 else shown[..., :3], after[..., 3] if after.shape[2] == 4 else after
    )
    if not boxes:
        assert again.write().data == copy.data
    return copy.data


def test_pillow_sees_the_same_picture() -> None:
    photo = opened(PLAIN)
    assert photo.metadata() == []
    assert np.array_equal(photo.samples(), TABLE[INDICES])
    assert np.array_equal(photo.samples(), np.asarray(Image.open(io.BytesIO(PLAIN)).convert("RGB")))


def test_the_code_stream_is_copied() -> None:
    noisy = built(
        (30, 20),
        TABLE,
        b"!\xfe" + blocks(b"Jane Doe, MRN 123"),
        control(None, delay=9),
        image(INDICES),
        b"!\xff\x0bPRIVATE1234" + blocks(b"serial"),
        b"!\x01\x0c" + bytes(12) + blocks(b"plain text"),
    )
    assert categories(noisy) == {"comment", "unknown-block"}
    assert copied(noisy + b"PK\x03\x04") == copied(PLAIN)
    assert copied(PLAIN) == PLAIN
    values = {f.secret.reveal() for f in opened(noisy).metadata()}
    assert "Jane Doe, MRN 123" in values
    assert "Jane" not in repr(opened(noisy).metadata())


@pytest.mark.parametrize(
    ("extension", "category"),
    [
        (b"!\xff\x0bNETSCAPE2.0" + blocks(b"\x01\0\0"), "animation-loop"),
        (b"!\xff\x0bICCRGBG1012" + blocks(b"no profile"), "colour-profile-text"),
        (b"!\xff\x0bC2PA_GIF\x01\0\0" + blocks(b"jumb"), "content-credential"),
        (b"!\x77" + blocks(b"x"), "unknown-block"),
        (
            b"!\xff\x0bXMP DataXMP<x:xmpmeta/>"
            + bytes(range(255, -1, -1))[:0]
            + b"\x01"
            + bytes(range(255, -1, -1))
            + b"\0",
            None,
        ),
    ],
)
def test_each_extension_is_named_and_dropped(extension: bytes, category: str | None) -> None:
    data = built((30, 20), TABLE, extension, image(INDICES))
    found = opened(data).metadata()
    assert found
    assert category is None or {f.category for f in found} == {category}
    assert copied(data) == PLAIN


@pytest.mark.parametrize("lace", [0, 1])
@pytest.mark.parametrize("own", [False, True])
def test_covers(lace: int, own: bool) -> None:
    table = TABLE.astype(np.uint8).tobytes()
    data = built((30, 20), TABLE[::-1], image(INDICES, lace=lace, own=table if own else b""))
    expected = (TABLE if own else TABLE[::-1])[INDICES]
    assert np.array_equal(opened(data).samples(), expected)
    copied(data)
    copy = copied(data, Box(3, 4, 20, 9))
    assert len(copy) < len(data) + 200


def test_a_full_palette_without_black_becomes_png() -> None:
    indices = np.arange(256, dtype=np.uint8).reshape(16, 16)
    table = np.column_stack((np.arange(256), np.full(256, 3), np.full(256, 5)))
    data = built((16, 16), table, image(indices))
    copied(data)
    copied(data, Box(2, 2, 5, 5), name="png")
    assert opened(data).write([Cover(polygon=Box(2, 2, 5, 5).polygon, category="x")]).notes == ("format-changed",)


def test_a_colour_wholly_under_a_cover_leaves_the_palette() -> None:
    indices = np.zeros((10, 10), np.uint8)
    indices[2:4, 2:4] = 1
    data = built((10, 10), np.array([[9, 9, 9], [77, 88, 99]]), image(indices))
    assert bytes((77, 88, 99)) not in copied(data, Box(1, 1, 5, 5))


def test_transparency() -> None:
    data = built((30, 20), TABLE, control(5), image(INDICES))
    photo = opened(data)
    assert photo.samples().shape == (20, 30, 4)
    assert len(photo.views()) == 3
    assert categories(data) == {"hidden-pixels"}
    assert not photo.samples()[INDICES == 5].any()
    copy = copied(data)
    assert bytes(TABLE[5]) not in copy
    copied(data, Box(1, 1, 9, 9))


def test_hidden_places_in_the_palette() -> None:
    table = np.zeros((16, 3), np.uint8)
    table[:4] = TABLE[:4]
    few = INDICES % 4
    assert opened(built((30, 20), table, image(few))).metadata() == []
    secret = built((30, 20), TABLE, image(few))
    assert categories(secret) == {"unused-palette"}
    copied(secret)
    twice = TABLE.copy()
    twice[7] = twice[3]
    equal = built((30, 20), twice, image(INDICES))
    assert categories(equal) == {"hidden-pixels"}
    assert "palette/equal colours" in audit.walk(equal, "gif")
    copied(equal)


def test_data_after_the_picture_goes() -> None:
    stream = _lzw.pack(INDICES.tobytes(), 4)
    longer = _lzw.pack(INDICES.tobytes() + b"\1\2\3" * 50, 4)
    for data in (stream + b"secret", longer, stream[:-1] + bytes((stream[-1] | 0x80, 1))):
        file = built((30, 20), TABLE, image(INDICES, stream=data))
        assert categories(file) == {"trailing-bytes"}
        assert audit.walk(file, "gif") == ["image/after the picture"]
        assert copied(file) == PLAIN


def test_an_animation_becomes_its_first_frame() -> None:
    frames = [Image.fromarray(random(20, 30, high=200, seed=s)) for s in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    photo = opened(out.getvalue())
    assert photo.frames == 3
    assert ("hidden-image", "extra-frames", 2) in {(f.kind, f.category, f.count) for f in photo.metadata()}
    copy = copied(out.getvalue())
    assert len(list(ImageSequence.Iterator(Image.open(io.BytesIO(copy))))) == 1
    assert photo.write().notes == ("frames-dropped",)
    with pytest.raises(MedimgError):
        photo.views(1)
    with pytest.raises(TooLarge):
        gif.open(out.getvalue(), Limits(frames=2))


@pytest.mark.parametrize("hole", [None, 5])
def test_a_first_frame_on_part_of_its_screen_is_put_in_its_place(hole: int | None) -> None:
    parts = [control(hole)] if hole is not None else []
    data = built((50, 40), TABLE, *parts, image(INDICES, at=(11, 7)))
    expected = np.zeros((40, 50, 4), np.uint8)
    expected[7:27, 11:41] = np.dstack((TABLE[INDICES], np.full((20, 30), 255)))
    if hole is not None:
        expected[7:27, 11:41][hole == INDICES] = 0
    assert np.array_equal(opened(data).samples(), expected)
    copied(data)
    copied(data, Box(5, 5, 20, 20))


def test_a_part_with_a_full_palette_becomes_png() -> None:
    indices = np.arange(256, dtype=np.uint8).reshape(16, 16)
    data = built((20, 20), np.column_stack((np.arange(256), np.full(256, 3), np.full(256, 5))), image(indices))
    copied(data, name="png")


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a",
        built((30, 20), TABLE),
        built((0, 0), TABLE, image(INDICES)),
        built((30, 19), TABLE, image(INDICES)),
        built((30, 20), TABLE, image(INDICES), end=b""),
        built((30, 20), TABLE, image(INDICES), b"?"),
        built((30, 20), TABLE, b"!\xf9\x03abc\0", image(INDICES)),
        built((30, 20), TABLE, image(INDICES, stream=_lzw.pack(INDICES.tobytes()[:-5], 4))),
        built((30, 20), TABLE, image(INDICES, stream=b"\xff" * 300)),
        built((30, 20), TABLE[:4], image(INDICES)),
        PLAIN.replace(b"GIF89a\x1e\0\x14\0\xf3", b"GIF89a\x1e\0\x14\0\x73"),
    ],
)
def test_damage_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        opened(data).metadata()


def test_limits_hold_before_unpacking() -> None:
    with pytest.raises(TooLarge):
        opened(built((65535, 65535), TABLE, image(INDICES)))


def test_every_truncation_is_refused() -> None:
    data = built((30, 20), TABLE, b"!\xfe" + blocks(b"comment"), control(5), image(INDICES))
    for length in range(6, len(data)):
        with pytest.raises(InputError):
            opened(data[:length]).metadata()


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=3000), st.integers(2, 8))
def test_code_streams_round_trip(raw: bytes, size: int) -> None:
    pixels = bytes(b & ((1 << size) - 1) for b in raw) or b"\0"
    assert _lzw.unpack(_lzw.pack(pixels, size), size, len(pixels)) == (pixels, False)


@pytest.mark.parametrize("count", [1, 3838, 3839, 3840, 3841, 9000])
@pytest.mark.parametrize("size", [2, 5, 8])
def test_code_streams_are_read_by_others(count: int, size: int) -> None:
    pixels = random(1, count, high=1 << size)
    table = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    indices = pixels.copy()
    indices[0, 0] = (1 << size) - 1
    data = built((count, 1), table, image(indices))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data)).convert("L")), indices)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_extensions_go_again(data: st.DataObject) -> None:
    labels = st.sampled_from([0xFE, 0xFF, 0x01, 0x00, 0x42])
    extra = data.draw(st.lists(st.tuples(labels, st.binary(max_size=300)), max_size=4))
    noise = b"".join(bytes((0x21, label)) + blocks(payload) for label, payload in extra)
    tail = data.draw(st.binary(max_size=20))
    for file in (built((30, 20), TABLE, noise, image(INDICES)), built((30, 20), TABLE, image(INDICES), noise)):
        assert bool(opened(file + tail).metadata()) == bool(noise or tail)
        assert copied(file + tail) == PLAIN


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 3), st.data())
def test_mutants_are_refused_or_copied_whole(which: int, data: st.DataObject) -> None:
    bases = [
        PLAIN,
        built((30, 20), TABLE, control(5), image(INDICES, lace=1)),
        built((50, 40), TABLE, b"!\xfe" + blocks(b"comment"), control(5), image(INDICES, at=(11, 7))),
        built((30, 20), TABLE, image(INDICES), control(3), image(INDICES[:9, :9], own=TABLE.tobytes())),
    ]
    mutant = bytearray(bases[which])
    for _ in range(data.draw(st.integers(1, 4))):
        mutant[data.draw(st.integers(6, len(mutant) - 1))] = data.draw(st.integers(0, 255))
    try:
        photo = formats.open_photo(bytes(mutant), Limits(pixels=1 << 18))
        photo.metadata()
        copy = photo.write()
    except MedimgError:
        return
    assert audit.walk(copy.data, copy.format) == []
    assert np.array_equal(opened(copy.data).samples() if copy.format == "gif" else photo.samples(), photo.samples())


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="program not installed")
def test_exiftool_finds_structure_only(tmp_path) -> None:
    import subprocess

    noisy = built((30, 20), TABLE, b"!\xfe" + blocks(b"Jane"), control(3), image(INDICES), control(2), image(INDICES))
    target = tmp_path / "copy.gif"
    target.write_bytes(copied(noisy + b"tail"))
    shown = subprocess.run(
        ["exiftool", "-a", "-u", "-U", "-G1", "-ee", "-s", str(target)], capture_output=True, text=True, check=True
    ).stdout
    structure = {"GIFVersion", "ImageWidth", "ImageHeight", "HasColorMap", "ColorResolutionDepth", "BitsPerPixel",
                 "BackgroundColor", "TransparentColor"}  # fmt: skip
    for line in shown.splitlines():
        group, tag = line[1:].split("]")[0], line.split("]")[1].split(":")[0].strip()
        assert group in {"ExifTool", "File", "Composite", "System"} or (group == "GIF" and tag in structure), tag


def test_many_extensions_are_counted() -> None:
    packet = b"!\xff\x0bXMP DataXMP" + blocks(b"x" * 40)
    found = opened(built((30, 20), TABLE, packet * 3000, image(INDICES))).metadata()
    assert sum(f.count for f in found if f.category == "unknown-block") == 2800
