"""JPEG: what decoders disagree about is refused, what all pass over is left out, and the picture stays."""

from __future__ import annotations

import io
import itertools
import re
import shutil
import struct
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jpeg_kit import segment
from PIL import Image

from medimg import audit, formats
from medimg.errors import InputError, Malformed, MedimgError
from medimg.formats import jpeg
from medimg.types import Cover, Limits

LIMITS = Limits()


@cache
def plain(mode: str = "RGB", size: tuple[int, int] = (72, 56), **options: object) -> bytes:
    rng = np.random.default_rng(7)
    small = rng.integers(0, 255, (size[1] // 4, size[0] // 4, {"L": 1}.get(mode, len(mode)))).astype(np.uint8)
    pixels = np.kron(small, np.ones((4, 4, 1), np.uint8)).squeeze()
    out = io.BytesIO()
    Image.fromarray(pixels, mode).save(out, "JPEG", **options)
    return out.getvalue()


def program(name: str, *options: str, data: bytes) -> bytes:
    path = shutil.which(name)
    if path is None:
        pytest.skip("program not installed")
    return subprocess.run([path, *options], input=data, capture_output=True, check=True).stdout


def opened(data: bytes) -> formats.Opened:
    return formats.open_photo(data, LIMITS)


def split(data: bytes) -> tuple[bytes, bytes]:
    """The file before its first scan header, and from there on."""
    at = data.index(b"\xff\xda")
    return data[:at], data[at:]


# -- colour ---------------------------------------------------------------------------------------------------------


def ids(data: bytes, names: bytes) -> bytes:
    """The same coefficients under other component ids."""
    out = bytearray(data)
    for marker in (b"\xff\xc0\0\x11\x08", b"\xff\xda\0\x0c\x03"):
        at = data.index(marker) + (10 if marker[1] == 0xC0 else 5)
        for k, name in enumerate(names):
            out[at + (3 if marker[1] == 0xC0 else 2) * k] = name
    return bytes(out)


BARE = plain()[:2] + plain()[20:]
ADOBE = {k: segment(0xEE, b"Adobe\0\x64\x80\0\0\0" + bytes((k,))) for k in range(4)}


@pytest.mark.parametrize(
    "data",
    [
        plain(),
        BARE,
        ids(BARE, b"RGB"),
        ids(plain(), b"RGB"),
        ids(BARE, b"\0\1\2"),
        *(BARE[:2] + ADOBE[k] + BARE[2:] for k in range(4)),
        *(plain()[:20] + ADOBE[k] + plain()[20:] for k in range(2)),
        plain("CMYK"),
        plain("L"),
        plain("L")[:20] + ADOBE[1] + plain("L")[20:],
    ],
    ids=["jfif", "bare", "ids RGB", "jfif, ids RGB", "ids 0", "adobe 0", "adobe 1", "adobe 2", "adobe 3",
         "jfif, adobe 0", "jfif, adobe 1", "cmyk", "grey", "grey, adobe"],
)  # fmt: skip
def test_colours_are_understood_as_before(data: bytes) -> None:
    """JFIF, Adobe's marker and the component ids decide the colour space together (libjpeg, jdapimin.c)."""
    photo = opened(data)
    copy = photo.write().data
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(copy)) as after:
        assert before.mode == after.mode
        assert np.array_equal(np.asarray(before), np.asarray(after))
        assert np.array_equal(photo.samples(), np.asarray(before))
        assert np.array_equal(opened(copy).samples(), np.asarray(before))
        shown = np.asarray(before.convert("RGB"), np.int16)
    view, *inks = photo.views()
    assert len(inks) == (2 if before.mode == "CMYK" else 0)  # the colours without black, and black alone
    assert (view.shape, view.dtype) == ((56, 72, 3), np.uint8)
    assert np.abs(view - shown).max() <= 1
    assert audit.walk(copy, "jpeg") == []


def test_the_shape_of_a_pixel_is_kept_and_its_density_is_not() -> None:
    for density, kept in (((300, 300), (1, 1)), ((144, 72), (2, 1)), ((0, 72), (1, 1))):
        data = bytearray(plain())
        data[13:18] = b"\1" + struct.pack(">HH", *density)
        photo = opened(bytes(data))
        assert "resolution" in {f.category for f in photo.metadata()}
        copy = photo.write().data
        assert copy[13:18] == b"\0" + struct.pack(">HH", *kept)
        assert opened(copy).metadata() == []
        assert audit.walk(copy, "jpeg") == []


# -- ways of coding -------------------------------------------------------------------------------------------------

WAYS = {
    "baseline": (),
    "optimised": ("-optimize",),
    "progressive": ("-progressive",),
    "restart": ("-restart", "1"),
    "restart by block": ("-restart", "3B"),
    "arithmetic": ("-arithmetic",),
    "arithmetic, progressive": ("-arithmetic", "-progressive"),
    "grey": ("-grayscale", "-arithmetic"),
}


@pytest.mark.parametrize(
    ("way", "mode"), [(w, m) for w in WAYS for m in ("RGB", "L", "CMYK") if (w, m) != ("grey", "CMYK")]
)
def test_every_way_of_coding_is_copied_and_shows_the_same_samples(way: str, mode: str) -> None:
    data = program("jpegtran", "-copy", "all", *WAYS[way], data=plain(mode))
    photo = opened(data)
    copy = photo.write()
    if "-arithmetic" in WAYS[way]:
        assert copy.method == "coefficients"
    else:
        assert copy.method == "segment-copy"
        assert split(copy.data)[1] == split(data)[1]
    assert np.array_equal(opened(copy.data).samples(), photo.samples())
    if way != "grey":
        assert np.array_equal(photo.samples(), opened(plain(mode)).samples())
    covered = photo.write([Cover(polygon=((8.0, 8.0), (30.0, 8.0), (30.0, 30.0), (8.0, 30.0)), category="name")])
    assert covered.method == "coefficients"
    for written in (copy.data, covered.data):
        assert audit.walk(written, "jpeg") == []
        assert opened(written).metadata() == []
    after = opened(covered.data).views()[0]
    assert after[10:28, 10:28].max() < 12


def test_one_scan_a_component_with_tables_between(tmp_path: Path) -> None:
    path = shutil.which("jpegtran")
    if path is None:
        pytest.skip("program not installed")
    script, source = tmp_path / "scans", tmp_path / "in.jpg"
    script.write_text("0;\n1;\n2;\n")
    source.write_bytes(plain())
    data = subprocess.run([path, "-scans", script, "-optimize", source], capture_output=True, check=True).stdout
    assert data.count(b"\xff\xda") == 3
    photo = opened(data)
    copy = photo.write().data
    assert split(copy)[1] == split(data)[1]
    assert np.array_equal(photo.samples(), opened(plain()).samples())
    assert audit.walk(copy, "jpeg") == []


def test_fill_bytes_go_and_the_picture_stays() -> None:
    before, after = split(plain())
    data = before[:20] + b"\xff" * 9 + before[20:] + b"\xff" * 3 + after[:-2] + b"\xff" * 5 + after[-2:]
    assert opened(data).write().data == opened(plain()).write().data


def test_a_restart_marker_behind_the_last_interval_goes() -> None:
    data = program("jpegtran", "-restart", "4", data=plain())
    last = data.rindex(b"\xff", 0, -2)
    assert 0xD0 <= data[last + 1] <= 0xD7 or data[last + 1] == 0
    numbers = [data[k + 1] & 7 for k in range(len(data) - 1) if data[k] == 0xFF and 0xD0 <= data[k + 1] <= 0xD7]
    more = data[:-2] + bytes((0xFF, 0xD0 | (len(numbers) & 7))) + data[-2:]
    assert opened(more).write().data == opened(data).write().data


def test_fill_bytes_before_restart_markers_go() -> None:
    data = program("jpegtran", "-restart", "1", data=plain())
    filled = re.sub(rb"\xff[\xd0-\xd7]", lambda found: b"\xff\xff\xff" + found[0], data)
    assert len(filled) > len(data) + 6
    photo = opened(filled)
    assert ("bytes-between-segments", "between segments") in {(f.category, f.where) for f in photo.metadata()}
    copy = photo.write().data
    assert copy == opened(data).write().data
    assert audit.walk(copy, "jpeg") == []
    number = len(re.findall(rb"\xff[\xd0-\xd7]", data)) & 7
    last = filled[:-2] + b"\xff\xff\xff" + bytes((0xD0 | number,)) + filled[-2:]
    assert opened(last).write().data == copy


# -- damage -----------------------------------------------------------------------------------------------------------


def dropped_restart(data: bytes) -> bytes:
    at = data.index(b"\xff\xd1")
    return data[:at] + data[at + 2 :]


BROKEN = {
    "a restart marker where none was announced": lambda: plain()[:-2] + b"\xff\xd0\xff\xd9",
    "a restart marker missing": lambda: dropped_restart(program("jpegtran", "-restart", "1B", data=plain())),
    "restart markers out of order": lambda: program("jpegtran", "-restart", "1B", data=plain()).replace(
        b"\xff\xd1", b"\xff\xd3", 1
    ),
    "a stuffed zero behind fill bytes": lambda: plain()[:-2] + b"\xff\xff\0\xff\xd9",
    "a scan twice": lambda: plain()[:-2] + split(plain())[1],
    "a scan missing": lambda: (
        program("jpegtran", "-progressive", data=plain()).rpartition(b"\xff\xda")[0] + b"\xff\xd9"
    ),
    "a table missing": lambda: plain().replace(b"\xff\xdb", b"\xff\xfe"),
    "two frames": lambda: plain()[:-2] + plain()[2:],
    "soi in the middle": lambda: plain()[:20] + plain(),
    "height given later": lambda: plain()[:-2] + b"\xff\xdc\0\4\0\x38\xff\xd9",
    "two orientations": lambda: plain()[:2] + turned(3) + turned(6) + plain()[2:],
    "a table changed between scans": lambda: changed_table(program("jpegtran", "-progressive", data=plain())),
    "conditioning twice": lambda: plain()[:2] + segment(0xCC, b"\0\x10\0\x10") + plain()[2:],
    "conditioning out of range": lambda: plain()[:2] + segment(0xCC, b"\x10\x40") + plain()[2:],
    "an unknown segment": lambda: plain()[:2] + segment(0xF3, b"x") + plain()[2:],
}


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "x"
    return segment(0xE1, b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0"))


def changed_table(data: bytes) -> bytes:
    at = data.rindex(b"\xff\xda")
    return data[:at] + segment(0xDB, b"\0" + b"\x03" * 64) + data[at:]


@pytest.mark.parametrize("name", BROKEN)
def test_what_decoders_show_differently_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        opened(BROKEN[name]())


@pytest.mark.parametrize("way", ["baseline", "progressive", "restart", "arithmetic"])
def test_picture_data_cut_short_never_become_samples(way: str) -> None:
    """libjpeg fills such places with grey; viewers differ."""
    before, after = split(program("jpegtran", *WAYS[way], data=plain()))
    if way == "arithmetic":  # every decoder reads zeros on behind the end of arithmetic data (T.81, D.2.6)
        assert opened(before + after[: len(after) // 2] + b"\xff\xd9").samples().shape == (56, 72, 3)
        return
    after = after[: len(after) // 2] + b"\xff\xd9"
    with pytest.raises(Malformed):
        opened(before + after).samples()


@pytest.mark.parametrize("way", ["baseline", "progressive", "restart", "arithmetic"])
def test_bytes_behind_the_last_block_are_cut(way: str) -> None:
    """Every decoder passes over them."""
    data = program("jpegtran", *WAYS[way], data=plain())
    photo = opened(data[:-2] + b"hidden behind the last block" + data[-2:])
    assert np.array_equal(photo.samples(), opened(data).samples())
    copy = photo.write()
    assert b"hidden" not in copy.data
    assert "trailing-bytes-dropped" in copy.notes
    assert "trailing-bytes" in {f.category for f in photo.metadata()}
    assert np.array_equal(opened(copy.data).samples(), photo.samples())
    assert opened(copy.data).metadata() == []


def resized(data: bytes, width: int, height: int) -> bytes:
    """The same coded data under another size."""
    at = re.search(rb"\xff[\xc0\xc1\xc9]\0[\x0b\x11\x14]\x08", data)
    assert at is not None
    return data[: at.end()] + struct.pack(">HH", height, width) + data[at.end() + 4 :]


@pytest.mark.parametrize("way", ["baseline", "restart", "arithmetic"])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2"])
def test_a_picture_past_the_edge_is_emptied_and_what_is_shown_stays(way: str, subsampling: str) -> None:
    """Blocks that only fill the last MCU: a size that was made smaller in the header leaves its text there."""
    whole = program("jpegtran", *WAYS[way], data=plain("RGB", (80, 64), subsampling=subsampling, quality=90))
    width, height = 70, (50 if subsampling == "4:2:0" else 64)
    photo = opened(resized(whole, width, height))
    before = photo.samples()
    assert photo.behind()  # type: ignore[attr-defined]
    assert {f.category for f in photo.metadata()} == {"hidden-pixels"}
    copy = photo.write()
    assert "hidden-pixels-dropped" in copy.notes
    again = opened(copy.data)
    assert np.array_equal(again.samples(), before)
    assert (again.behind(), again.metadata()) == (False, [])  # type: ignore[attr-defined]
    full = Image.open(io.BytesIO(resized(copy.data, 80, 64)))
    full.draft("L", full.size)  # a block of colours reaches into what is shown; one of brightness does not
    blocks = np.asarray(full).astype(int).reshape(8, 8, 10, 8)
    flat = np.ptp(blocks, axis=(1, 3)) == 0
    assert flat[:, 9].all()
    assert flat[7].all() == (height < 64)
    assert not flat[:6, :8].any()
    covered = photo.write((Cover(polygon=((40, 30), (69, 30), (69, 49), (40, 49)), category="name"),))
    assert (opened(covered.data).behind(), opened(covered.data).metadata()) == (False, [])  # type: ignore[attr-defined]


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_what_encoders_fill_the_last_blocks_with_is_no_finding(mode: str, progressive: bool) -> None:
    for size in ((65, 57), (71, 49), (80, 64)):
        photo = opened(plain(mode, size, progressive=progressive))
        assert not photo.behind()  # type: ignore[attr-defined]
        assert photo.write().method == "segment-copy"


def test_no_truncation_gives_a_copy() -> None:
    data = plain("RGB", (24, 16))
    for length in range(len(data) - 2):
        with pytest.raises(InputError):
            opened(data[:length])
    for length in (len(data) - 2, len(data) - 1):  # the end mark alone is missing: every block is there
        assert np.array_equal(opened(data[:length]).samples(), opened(data).samples())


@pytest.mark.parametrize("way", ["baseline", "progressive", "restart by block"])
def test_every_truncation_that_is_ended_properly_is_refused(way: str) -> None:
    data = program("jpegtran", *WAYS[way], data=plain("RGB", (24, 16)))
    whole = opened(data).samples()
    for length in range(2, len(data) - 2):
        try:
            samples = opened(data[:length] + b"\xff\xd9").samples()
        except MedimgError:
            continue
        # The last byte of coded data may hold nothing but padding.
        assert length > len(data) - 5
        assert np.array_equal(samples, whole)


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["RGB", "L", "CMYK"]), st.booleans(), st.data())
def test_mutants_are_refused_or_copied_whole(mode: str, progressive: bool, data: st.DataObject) -> None:
    mutant = bytearray(plain(mode, (24, 16), progressive=progressive))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(2, len(mutant) - 1))
        if data.draw(st.booleans()):
            mutant[at] = data.draw(st.sampled_from([0, 1, 0xFF, 0xD9, 0xDA, 0xC4, *range(0, 256, 17)]))
        else:
            mutant[at:at] = data.draw(st.binary(max_size=4))
    try:
        photo = formats.open_photo(bytes(mutant), Limits(pixels=1 << 20))
        photo.metadata()
        copy = photo.write()
    except MedimgError:
        return
    assert audit.walk(copy.data, "jpeg") == []
    assert opened(copy.data).metadata() == []
    assert opened(copy.data).write().data == copy.data
    try:
        samples = photo.samples()
    except MedimgError:
        return
    assert np.array_equal(opened(copy.data).samples(), samples)


@settings(max_examples=150)
@given(st.data())
def test_segments_anywhere_before_and_between_scans_go(data: st.DataObject) -> None:
    base = plain("RGB", (24, 16), progressive=True)
    places = [m for m in range(2, len(base) - 1) if base[m] == 0xFF and base[m + 1] in (0xDB, 0xC4, 0xC2, 0xDA, 0xD9)]
    cuts = sorted(data.draw(st.lists(st.sampled_from(places), max_size=4)))
    pieces = [base[a:b] for a, b in itertools.pairwise([0, *cuts, len(base)])]
    noise = st.builds(
        segment,
        st.sampled_from([0xE3, 0xE5, 0xEB, 0xEF, 0xFE]),
        st.one_of(st.binary(max_size=60), st.just(b"\xff\xd8\xff\xd9\xff\xda\0\x08")),
    )
    noisy = pieces[0] + b"".join(data.draw(noise) + piece for piece in pieces[1:])
    assert jpeg.open(noisy, LIMITS).write().data == jpeg.open(base, LIMITS).write().data
    assert bool(jpeg.open(noisy, LIMITS).metadata()) == bool(cuts)
