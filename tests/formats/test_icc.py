"""Colour profiles: the same colours, no words, no dates; and nothing behind or between the tags."""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

import medimg
from medimg.audit import icc as judge
from medimg.formats.shared import icc, steep


def profile(name: str = "sRGB") -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


def tag(sig: bytes, body: bytes) -> tuple[bytes, bytes]:
    return sig, body


def built(
    *tags: tuple[bytes, bytes],
    space: bytes = b"RGB ",
    kind: bytes = b"mntr",
    version: int = 2,
    connection: bytes = b"XYZ ",
) -> bytes:
    head = bytearray(128)
    head[8] = version
    head[4:8], head[12:16], head[16:20], head[20:24] = b"vend", kind, space, connection
    head[24:36] = struct.pack(">6H", 2024, 5, 6, 7, 8, 9)
    head[36:40], head[48:56], head[80:84], head[84:100] = b"acsp", b"CAMERA01", b"auth", b"0123456789abcdef"
    head[68:80] = struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    at, index, body = 132 + 12 * len(tags), b"", b""
    for sig, data in tags:
        index += struct.pack(">4sII", sig, at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    out = bytes(head) + struct.pack(">I", len(tags)) + index + body
    return struct.pack(">I", len(out)) + out[4:]


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(v * 65536) for v in values))


GAMMA = b"curv\0\0\0\0" + struct.pack(">IH", 1, 0x0233)
MATRIX = (
    tag(b"desc", b"desc\0\0\0\0\0\0\0\x0cDr Smith's X\0" + bytes(78)),
    tag(b"cprt", b"text\0\0\0\0Mercy Hospital\0"),
    tag(b"mmod", b"mmod" + bytes(36)),
    tag(b"wtpt", xyz(0.9505, 1, 1.089)),
    tag(b"rXYZ", xyz(0.6097, 0.3111, 0.0195)),
    tag(b"gXYZ", xyz(0.2053, 0.6257, 0.0609)),
    tag(b"bXYZ", xyz(0.1492, 0.0632, 0.7446)),
    tag(b"rTRC", GAMMA),
    tag(b"gTRC", GAMMA),
    tag(b"bTRC", GAMMA),
)


def transformed(data: bytes, intent: int) -> np.ndarray:
    pixels = np.random.default_rng(3).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    source = ImageCms.ImageCmsProfile(io.BytesIO(data))
    to = ImageCms.buildTransform(source, ImageCms.createProfile("LAB"), "RGB", "LAB", intent)
    return np.asarray(ImageCms.applyTransform(Image.fromarray(pixels), to))


@pytest.mark.parametrize("data", [profile(), built(*MATRIX)], ids=["sRGB", "camera"])
@pytest.mark.parametrize("intent", [0, 1])
def test_colours_stay_and_words_go(data: bytes, intent: int) -> None:
    clean = icc.clean(data)
    assert clean is not None
    assert np.array_equal(transformed(data, intent), transformed(clean, intent))
    assert icc.findings(data, "x")
    for word in (b"Smith", b"Mercy", b"CAMERA01", b"vend", b"auth", b"0123456789abcdef", b"mmod"):
        assert word not in clean
    assert clean[24:36] == struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
    assert icc.clean(clean) == clean
    assert icc.findings(clean, "x") == []
    assert judge.strays(clean) == []
    assert judge.strays(data)


def lookup(kind: bytes, extra: bytes = b"") -> bytes:
    """A lookup table of three channels and two grid points."""
    head = kind + bytes(4) + bytes((3, 3, 2, 0)) + struct.pack(">9i", *(65536 * k for k in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    if kind == b"mft1":
        return head + bytes(range(256)) * 3 + bytes(24) + bytes(range(256)) * 3 + extra
    ramp = struct.pack(">2H", 0, 65535) * 3
    return head + struct.pack(">HH", 2, 2) + ramp + bytes(48) + ramp + extra


@pytest.fixture
def not_steep() -> Iterator[None]:
    """To try all neighbours takes four seconds a profile: for tests of bytes; the colours are tried in their own."""
    with mock.patch.object(steep, "_anywhere", return_value=False):
        yield


@pytest.mark.usefixtures("not_steep")
@pytest.mark.parametrize("kind", [pytest.param(b"mft1", marks=pytest.mark.long), b"mft2"])
def test_nothing_rides_behind_a_lookup_table(kind: bytes) -> None:
    plain, loaded = (built(*MATRIX, tag(b"A2B0", lookup(kind, extra))) for extra in (b"", b"Mrs Jones 1961"))
    clean = icc.clean(loaded)
    assert clean == icc.clean(plain)
    assert clean is not None
    assert b"Jones" not in clean
    assert judge.strays(clean) == []
    at = clean.index(kind)
    assert judge.strays(clean[:at] + clean[at:].replace(b"\x03\x03\x02", b"\x03\x03\x01", 1))


@pytest.mark.parametrize(
    ("space", "sig", "body"),
    [
        (b"RGB ", b"kTRC", b"curv\0\0\0\0\0\0\0\x07Mrs Jones 1961"),
        (b"RGB ", b"bkpt", b"XYZ \0\0\0\0Mrs Jones 19"),
        (b"RGB ", b"lumi", b"XYZ \0\0\0\0Mrs Jones 19"),
        (b"GRAY", b"rTRC", b"curv\0\0\0\0\0\0\0\x07Mrs Jones 1961"),
        (b"GRAY", b"rXYZ", b"XYZ \0\0\0\0Mrs Jones 19"),
        (b"GRAY", b"cicp", b"cicp\0\0\0\0\1\x0d\0\1"),
    ],
)
def test_a_tag_that_nothing_reads_for_these_colours_goes(space: bytes, sig: bytes, body: bytes) -> None:
    tags = MATRIX if space == b"RGB " else (*MATRIX[:4], tag(b"kTRC", GAMMA))
    clean = icc.clean(built(*tags, tag(sig, body), space=space))
    assert clean is not None
    assert clean == icc.clean(built(*tags, space=space))
    assert judge.strays(clean) == []
    renamed = built(*tags, tag(sig, body), space=space)
    assert judge.strays(clean[:128] + renamed[128:]).count("tag") > judge.strays(
        clean[:128] + built(*tags, space=space)[128:]
    ).count("tag")


def test_the_minor_version_says_nothing() -> None:
    odd = bytearray(built(*MATRIX))
    odd[9] = 0x37
    clean = icc.clean(bytes(odd))
    assert clean is not None
    assert clean[8:10] == b"\2\x30"
    odd[9] = 0xC4
    assert (icc.clean(bytes(odd)) or b"")[8:10] == b"\2\x40"
    for minor in (0x31, 0x50):
        assert "header" in judge.strays(clean[:9] + bytes((minor,)) + clean[10:])


@pytest.mark.usefixtures("not_steep")
@pytest.mark.parametrize("kind", [b"mft1", b"mft2"])
def test_the_matrix_of_a_table_is_the_one_that_changes_nothing(kind: bytes) -> None:
    """Some viewers multiply by it, others know that it is not for device colours."""
    table = lookup(kind)
    other = table[:12] + struct.pack(">i", 40 * 65536) + table[16:]
    assert icc.clean(built(*MATRIX, tag(b"A2B0", other))) is None
    clean = icc.clean(built(*MATRIX, tag(b"A2B0", table)))
    assert clean is not None
    at = clean.index(kind) + 12
    assert judge.strays(clean[:at] + other[12:16] + clean[at + 4 :]) == ["tag"]
    inks = one_black_cell(4, bytes(range(256)))
    says = inks[:12] + b"Mrs Jones 1961".ljust(36) + inks[48:]
    assert icc.clean(of_a_table(b"CMYK", says)) == icc.clean(of_a_table(b"CMYK", inks))


def table(steps: list[int]) -> bytes:
    return b"curv" + bytes(4) + struct.pack(f">I{len(steps)}H", len(steps), *steps)


def jump(at: int, high: int = 40000) -> bytes:
    """A curve that is even but for one step."""
    return table([20 * k + high * (k > at) for k in range(256)])


def with_curves(*curves: bytes, colours: tuple[bytes, ...] = ()) -> bytes:
    tags = dict(MATRIX)
    tags.update(zip((b"rTRC", b"gTRC", b"bTRC"), curves, strict=True))
    tags.update(zip((b"rXYZ", b"gXYZ", b"bXYZ"), colours, strict=False))
    return built(*tags.items())


LOOKUP_JUMP = (
    b"mft2" + bytes(4) + bytes((3, 3, 2, 0)) + struct.pack(">9i", *(65536 * k for k in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    + struct.pack(">HH", 256, 2) + struct.pack(">256H", *(65535 * (k > 128) for k in range(256))) * 3
    + struct.pack(">24H", *(v * 32768 for n in range(8) for v in (n >> 2, n >> 1 & 1, n & 1)))
    + struct.pack(">2H", 0, 65535) * 3
)  # fmt: skip
"""A table of colours behind three curves with one step each."""


def one_black_cell(inputs: int, curve: bytes) -> bytes:
    """A table of colours, six cells along each channel, white everywhere but in one."""
    cells = b"".join(
        bytes((0 if set(at) == {2} else 255, 128, 128)) for at in itertools.product(range(6), repeat=inputs)
    )
    unit = struct.pack(">9i", *(65536 * k for k in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    return b"mft1" + bytes(4) + bytes((inputs, 3, 6, 0)) + unit + curve * inputs + cells + bytes(range(256)) * 3


def of_a_table(space: bytes, table: bytes) -> bytes:
    return built(*MATRIX[:4], (b"A2B0", table), space=space, connection=b"Lab ")


STEP_TO_102 = bytes([0] * 102 + [51, 102, 153] + [204] * 151)
STEEP = {
    "one curve": with_curves(GAMMA, jump(128), GAMMA),
    "back again": with_curves(GAMMA, GAMMA, table([20 * k + 40000 * (k == 77) for k in range(256)])),
    "absurd gamma": with_curves(*[b"curv" + bytes(4) + struct.pack(">IH", 1, 0xFFFF)] * 3),
    "one point": with_curves(GAMMA, GAMMA, GAMMA, colours=(xyz(30, 1, 1), xyz(-29, 1, 1), xyz(0, -1, 1))),
    "a lookup table": built(*MATRIX, (b"A2B0", LOOKUP_JUMP)),
    "a cell of one grey": of_a_table(b"RGB ", one_black_cell(3, STEP_TO_102)),
    "a cell of four inks": of_a_table(b"CMYK", one_black_cell(4, STEP_TO_102)),
    "curves that make light together": with_curves(
        *[table([65535 * (k != 101) for k in range(256)])] * 3, colours=(xyz(0.9642, 1, 0.8249),) * 3
    ),
    "curves beside a table": built(
        *MATRIX[:7], *((sig, jump(128)) for sig in (b"rTRC", b"gTRC", b"bTRC")), (b"A2B0", lookup(b"mft2"))
    ),
    "grey": built(*MATRIX[:4], (b"kTRC", jump(3)), space=b"GRAY"),
    "no colours": built(*MATRIX[:4]),
}
"""Profiles that show two neighbouring numbers far apart somewhere, or no colours at all."""


@pytest.mark.parametrize(("space", "inputs"), [(b"RGB ", 3), (b"CMYK", 4)])
def test_a_table_whose_cells_are_wide_stays(space: bytes, inputs: int) -> None:
    assert icc.clean(of_a_table(space, one_black_cell(inputs, bytes(range(256))))) is not None


@pytest.mark.parametrize("data", STEEP.values(), ids=STEEP)
def test_a_profile_that_shows_what_nobody_looked_at_goes(data: bytes) -> None:
    assert icc.clean(data) is None
    assert [f.category for f in icc.findings(data, "x")] == ["colour-profile-text"]


def test_writing_that_only_a_profile_shows_is_not_in_the_copy() -> None:
    picture = np.full((80, 200, 3), 128, np.uint8)
    picture[20:60, 20:180:8] = 129
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG", icc_profile=with_curves(*[jump(128)] * 3))

    def shown(data: bytes) -> int:
        image = Image.open(io.BytesIO(data))
        profile = image.info.get("icc_profile")
        if profile:
            image = ImageCms.profileToProfile(image, io.BytesIO(profile), ImageCms.createProfile("sRGB"))
        return int(np.ptp(np.asarray(image)))

    assert shown(file.getvalue()) > 100
    result = medimg.Scrubber(medimg.Policy.load()).scrub(file.getvalue())
    assert result.data is None or shown(result.data) <= 1


@pytest.mark.parametrize("count", [1024, pytest.param(4096, marks=pytest.mark.long)])
def test_smooth_tables_and_linear_light_stay(count: int) -> None:
    smooth = table([round(65535 * (k / (count - 1)) ** 2.2) for k in range(count)])
    for data in (with_curves(smooth, smooth, smooth), with_curves(*[b"curv" + bytes(8)] * 3)):
        assert icc.clean(data) is not None


CURVES = (b"para\0\0\0\0\0\3\0\0" + struct.pack(">5i", 157286, 62119, 3417, 5072, 2651)) * 3
LINES = (b"curv\0\0\0\0\0\0\0\0") * 3


def parts(kind: bytes, hidden: bytes = b"") -> bytes:
    """A table with all five parts, in no usual order, with something hidden before, between and behind them."""
    gap = hidden + bytes(-len(hidden) % 4)
    grid = bytes((2, 3, 2)).ljust(16, b"\0") + b"\2" + (hidden[:3] or bytes(3))
    steps = [(a, b, c) for a in (0, 1) for b in (0, 0.5, 1) for c in (0, 1)]
    colours = np.array(steps) @ ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
    grid += b"".join(struct.pack(">3H", *(round(v * 32768) for v in colour)) for colour in colours)
    matrix = struct.pack(">12i", *(65536 * k for k in (1, 0, 0, 0, 1, 0, 0, 0, 1)), 0, 0, 0)
    body, places = b"", {}
    for name, part in (("grid", grid), ("b", LINES), ("a", CURVES), ("m", LINES), ("matrix", matrix)):
        body += gap
        places[name] = 32 + len(body)
        body += part + bytes(-len(part) % 4)
    order = struct.pack(">5I", *(places[n] for n in ("b", "matrix", "m", "grid", "a")))
    return kind + bytes(4) + bytes((3, 3)) + (hidden[:2] or bytes(2)) + order + body + gap


@pytest.mark.usefixtures("not_steep")
@pytest.mark.parametrize(("kind", "sig"), [(b"mAB ", b"A2B0")])
def test_nothing_hides_between_the_parts_of_a_table(kind: bytes, sig: bytes) -> None:
    plain, loaded = (built(*MATRIX, tag(sig, parts(kind, hidden)), version=4) for hidden in (b"", b"Mrs Jones 1961"))
    clean = icc.clean(loaded)
    assert clean is not None
    assert clean == icc.clean(plain)
    assert b"Jones" not in clean
    assert b"Mr" not in clean
    assert judge.strays(clean) == []
    assert judge.strays(loaded.replace(b"para\0\0\0\0\0\3\0\0", b"para\0\0\0\0\0\3ab"))
    if kind == b"mAB ":
        assert np.array_equal(transformed(loaded, 0), transformed(clean, 0))
        assert not np.array_equal(transformed(built(*MATRIX), 0), transformed(clean, 0))


@pytest.mark.usefixtures("not_steep")
@pytest.mark.parametrize("sig", [b"B2A0", b"B2A1", b"B2A2", b"gamt"])
def test_a_table_from_the_eye_to_a_device_goes(sig: bytes) -> None:
    """No viewer needs it to show a picture, and whole files have room in it."""
    loaded = built(*MATRIX, tag(sig, parts(b"mBA ")), version=4)
    clean = icc.clean(loaded)
    assert clean is not None
    assert clean == icc.clean(built(*MATRIX, version=4))
    assert judge.strays(clean) == []
    renamed = icc.clean(built(*MATRIX, tag(b"A2B0", parts(b"mAB ")), version=4))
    assert renamed is not None
    assert judge.strays(renamed.replace(b"A2B0", sig))


@pytest.mark.parametrize(("kind", "sig"), [(b"mAB ", b"A2B0")])
def test_the_judge_finds_what_stands_in_a_table(kind: bytes, sig: bytes) -> None:
    clean = icc.clean(built(*MATRIX, tag(sig, parts(kind)), version=4))
    assert clean is not None
    start = clean.index(kind)
    size = len(icc.exact(sig, clean[start:]) or b"")
    matrix, values = range(32 + 36, 32 + 36 + 48), range(32 + 36 + 48 + 36 + 20, 32 + 36 + 48 + 36 + 20 + 72)
    harmless = {8, 9, *matrix, *values}
    harmless |= {at + k for at in range(size - 96, size, 32) for k in range(12, 32)}
    for at in set(range(size)) - harmless:
        changed = bytearray(clean)
        changed[start + at] ^= 0x41
        try:
            assert judge.strays(bytes(changed)), at
        except IndexError:  # the walk of a copy takes that for a file that cannot be followed
            continue


def test_a_parametric_curve_hides_nothing() -> None:
    loaded = b"para\0\0\0\0\0\0ab" + struct.pack(">i", 144179)
    clean = icc.clean(built(*MATRIX[:7], *((t, loaded) for t in (b"rTRC", b"gTRC", b"bTRC"))))
    assert clean is not None
    assert loaded not in clean
    assert loaded.replace(b"ab", b"\0\0") in clean
    assert judge.strays(clean) == []
    assert judge.strays(clean.replace(loaded.replace(b"ab", b"\0\0"), loaded))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(200),
        built(*MATRIX)[:140],
        built(*MATRIX, kind=b"link"),
        built(*MATRIX, space=b"CMY "),
        built(MATRIX[0]),
        built(*MATRIX, tag(b"rTRC", GAMMA)),
        built(*MATRIX[:7], tag(b"rTRC", b"curv\0\0\0\0\xff\xff\xff\xff\0\0")),
        built(*MATRIX[:7], tag(b"rTRC", b"text\0\0\0\0words and more words")),
        built(*MATRIX, tag(b"A2B0", lookup(b"mft2")[:-1])),
    ],
    ids=["empty", "zeros", "cut", "device link", "space", "no colours", "twice", "long curve", "words", "short table"],
)
def test_what_cannot_be_parsed_is_dropped_and_reported(data: bytes) -> None:
    assert icc.clean(data) is None
    assert icc.findings(data, "x")


def mutants(data: st.DataObject) -> None:
    """They come out well-formed, or not at all."""
    tables = (lookup(b"mft1"), lookup(b"mft2"), parts(b"mAB "), parts(b"mBA "))
    mutant = bytearray(built(*MATRIX, tag(b"A2B0", data.draw(st.sampled_from(tables)))))
    for _ in range(data.draw(st.integers(1, 5))):
        mutant[data.draw(st.integers(0, len(mutant) - 1))] = data.draw(st.integers(0, 255))
    with mock.patch.object(steep, "_anywhere", return_value=False):  # tried above
        clean = icc.clean(bytes(mutant))
        if clean is not None:
            assert judge.strays(clean) == []
            assert icc.clean(clean) == clean


test_mutants_come_out_well_formed_or_not_at_all = settings(max_examples=30)(given(st.data())(mutants))
test_many_mutants = pytest.mark.long(settings(max_examples=1000)(given(st.data())(mutants)))


def test_profiles_of_real_files(corpus: Callable[[str], list[Path]]) -> None:
    seen = 0
    for path in [*corpus("*.jpg"), *corpus("*.png"), *corpus("*.webp")]:
        with Image.open(path) as picture:
            data, mode = picture.info.get("icc_profile"), picture.mode
        if not data or mode != "RGB":
            continue
        clean = icc.clean(data)
        assert clean is not None, path.name
        assert judge.strays(clean) == [], path.name
        for intent in (0, 1):
            assert np.array_equal(transformed(data, intent), transformed(clean, intent)), path.name
        seen += 1
    assert seen
