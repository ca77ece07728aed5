"""Covers and crops in the coefficients, through the public doors, judged by readers that share no code with them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jpeg_kit as jpegs
import numpy as np
import pytest
from hiding_kit import SENTENCES, in_idle_zeros
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medimg.errors import CheckNotRun, MedimgError
from medimg.formats.jpeg.lossless import CoveredJpeg
from medimg.native.opencv import cv2
from medimg.types import Box, Cover, Polygon

ENGINES = jpegs.ENGINES
TOOLS = pytest.mark.skipif(not jpegs.have("cjpeg", "djpeg", "jpegtran"), reason="libjpeg's programs are not installed")

PILLOW = [
    ("RGB", {"subsampling": s, **extra})
    for s in ("4:4:4", "4:2:2", "4:2:0")
    for extra in ({}, {"progressive": True}, {"optimize": True}, {"restart_marker_blocks": 3})
] + [
    ("RGB", {"keep_rgb": True}),
    ("L", {}),
    ("L", {"progressive": True}),
    ("CMYK", {}),
    ("CMYK", {"progressive": True, "restart_marker_rows": 1}),
]


def cover(*polygons: Polygon) -> list[Cover]:
    return [Cover(polygon=p, category="name") for p in polygons]


def area(done: CoveredJpeg, width: int, height: int) -> np.ndarray:
    out = np.zeros((height, width), bool)
    for polygon in done.polygons:
        (x0, y0), (x1, y1) = polygon[0], polygon[2]
        out[int(y0) : int(y1), int(x0) : int(x1)] = True
    return out


def grown(mask: np.ndarray, by: int) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * by + 1,) * 2, np.uint8)).astype(bool) if by else mask


def flat(values: np.ndarray) -> np.ndarray:
    return values if values.ndim == 2 else values.max(axis=2)


def check(before: np.ndarray, after: np.ndarray, done: CoveredJpeg, colour: int | None = 0) -> None:
    """Equal beyond the fringe; of one colour inside it."""
    height, width = before.shape[:2]
    inside = area(done, width, height)
    assert not flat(before != after)[~grown(inside, done.fringe)].any()
    core = after[~grown(~inside, done.fringe)]
    assert not len(core) or (core == core[0]).all()
    if colour is not None and len(core):
        assert (core == colour).all()


def check_coefficients(before: bytes, after: bytes, done: CoveredJpeg) -> None:
    """Every shown coefficient outside the covers equal, AC inside zero, DC inside one value."""
    (width, height), old = jpegs.coefficients(before)
    _, new = jpegs.coefficients(after)
    hmax, vmax = max(p[0] for p in old), max(p[1] for p in old)
    mask = np.zeros((-(-height // (8 * vmax)), -(-width // (8 * hmax))), bool)
    for polygon in done.polygons:
        (x0, y0), (x1, y1) = polygon[0], polygon[2]
        mask[int(y0) // (8 * vmax) : -(-int(y1) // (8 * vmax)), int(x0) // (8 * hmax) : -(-int(x1) // (8 * hmax))] = 1
    for (h, v, a), (_, _, b) in zip(old, new, strict=True):
        blocks = np.repeat(np.repeat(mask, v, axis=0), h, axis=1)
        rows, columns = math.ceil(math.ceil(height * v / vmax) / 8), math.ceil(math.ceil(width * h / hmax) / 8)
        shown = np.zeros_like(blocks)
        shown[:rows, :columns] = True
        assert (a[shown & ~blocks] == b[shown & ~blocks]).all()
        assert not b[blocks][:, 1:].any()
        assert len(np.unique(b[blocks][:, 0])) <= 1
        assert not b[~shown & ~blocks][:, 1:].any()


boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h).polygon,
    st.integers(-20, 120),
    st.integers(-20, 90),
    st.integers(1, 60),
    st.integers(1, 40),
)
triangles = st.tuples(*[st.tuples(st.floats(-30, 150), st.floats(-30, 120))] * 3)
QUICK = settings(max_examples=40, suppress_health_check=list(HealthCheck))


@QUICK
@given(
    st.sampled_from(PILLOW),
    st.integers(1, 130),
    st.integers(1, 100),
    st.sampled_from([5, 40, 75, 90, 100]),
    st.lists(st.one_of(boxes, triangles), max_size=4),
)
def test_what_pillow_writes(
    kind: tuple[str, dict[str, object]], width: int, height: int, quality: int, polygons: list[Polygon]
) -> None:
    mode, options = kind
    data = jpegs.saved(jpegs.picture(width, height, mode), quality=quality, **options)
    results = [jpegs.covered(data, cover(*polygons), using=engine) for engine in ENGINES]
    assert all(r == results[0] for r in results)
    ink = 255 if mode == "CMYK" else 0  # Pillow turns inverted inks round
    check(jpegs.pixels(data), jpegs.pixels(results[0].data), results[0], ink)
    if not options.get("progressive"):
        check_coefficients(data, results[0].data, results[0])


@TOOLS
@QUICK
@given(
    st.sampled_from(["1x1", "2x1", "2x2", "1x2", "4x1", "4x2", "1x4", "4x1,2x1,1x1", "1x1,2x2,2x2", "1x1,2x1,1x2"]),
    st.lists(
        st.sampled_from([("-progressive",), ("-arithmetic",), ("-optimize",), ("-restart", "2B"), ("-rgb",)]),
        max_size=3,
        unique=True,
    ),
    st.integers(1, 130),
    st.integers(1, 100),
    st.sampled_from(["10", "80", "97"]),
    st.lists(boxes, min_size=1, max_size=3),
)
def test_what_cjpeg_writes(
    sampling: str,
    options: list[tuple[str, ...]],
    width: int,
    height: int,
    quality: str,
    polygons: list[Polygon],
) -> None:
    if ("-arithmetic",) in options:
        options = [o for o in options if o != ("-optimize",)]  # cjpeg takes no both
    words = [word for option in options for word in option]
    data = jpegs.compressed(jpegs.picture(width, height), "-quality", quality, "-sample", sampling, *words)
    results = [jpegs.covered(data, cover(*polygons), using=engine) for engine in ENGINES]
    assert all(r == results[0] for r in results)
    done = results[0]
    before, after = jpegs.djpeg(data), jpegs.djpeg(done.data)
    assert after[1] == ""
    check(before[0], after[0], done)
    check(jpegs.pixels(jpegs.baseline(data)), jpegs.pixels(done.data), done)  # Pillow reads what was arithmetic
    check_coefficients(jpegs.baseline(data), jpegs.baseline(done.data), done)


@TOOLS
@pytest.mark.parametrize("sampling", ["1x1", "2x1", "1x4"])
def test_an_arithmetic_scan_of_zeros_has_no_byte(sampling: str) -> None:
    words = ("-quality", "10", "-sample", sampling, "-arithmetic", "-progressive")
    data = jpegs.compressed(jpegs.picture(34, 1), *words)
    assert re.search(rb"\xff\xda\x00.{1,12}\x3f.\xff[\xc4\xcc\xda\xd9]", data, re.S), "no scan is empty"
    results = [jpegs.covered(data, cover(Box(0, 0, 4, 1).polygon), using=engine) for engine in ENGINES]
    assert all(r == results[0] for r in results)
    assert jpegs.djpeg(results[0].data)[1] == ""
    check_coefficients(jpegs.baseline(data), jpegs.baseline(results[0].data), results[0])


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: e.name)
def test_a_slanted_cover_fills_what_it_touches_and_not_its_bounding_box(engine: Any) -> None:
    data = jpegs.saved(jpegs.picture(320, 320), subsampling="4:2:0")
    slant = ((20.0, 10.0), (310.0, 290.0), (300.0, 300.0), (10.0, 20.0))
    done = jpegs.covered(data, cover(slant), using=engine)
    inside = area(done, 320, 320)
    drawn = np.zeros((320, 320), np.uint8)
    cv2.fillPoly(drawn, [np.array(slant, np.int32)], 1)
    assert inside[drawn.astype(bool)].all()
    assert inside.mean() < 0.25
    assert not inside[20:60, 200:].any()


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: e.name)
def test_no_covers_keeps_the_scan_bit_for_bit(engine: Any) -> None:
    data = jpegs.saved(jpegs.picture(160, 96), subsampling="4:2:0")
    assert jpegs.covered(data, (), using=engine).data == data


@pytest.mark.parametrize(
    ("mode", "options", "colour"),
    [
        ("RGB", {}, (200, 30, 90)),
        ("RGB", {"keep_rgb": True}, (200, 30, 90)),
        ("RGB", {}, (255, 255, 255)),
        ("L", {}, (128, 128, 128)),
        ("CMYK", {}, (255, 255, 255)),
        ("CMYK", {}, (200, 30, 90)),
    ],
)
def test_the_colour_is_right_in_each_colour_space(
    mode: str, options: dict[str, object], colour: tuple[int, int, int]
) -> None:
    data = jpegs.saved(jpegs.picture(96, 96, mode), quality=95, **options)
    done = jpegs.covered(data, cover(Box(16, 16, 80, 80).polygon), colour)
    got = np.asarray(jpegs.shown(done.data))[24:72, 24:72].reshape(-1, 3)
    assert (np.abs(got.astype(int) - colour) <= 3).all()
    assert (np.abs(jpegs.by_cv2(done.data)[24:72, 24:72].reshape(-1, 3).astype(int) - colour) <= 4).all()


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: e.name)
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 2}])
def test_a_crop_shows_the_same_pixels_and_keeps_nothing_else(engine: Any, options: dict[str, object]) -> None:
    data = jpegs.saved(jpegs.picture(150, 110), subsampling="4:2:0", **options)
    done = jpegs.cropped(data, Box(21, 17, 150, 70), using=engine)
    assert done.box == Box(32, 32, 150, 64)
    before, after = jpegs.pixels(data)[32:64, 32:150], jpegs.pixels(done.data)
    assert before.shape == after.shape
    assert (before == after)[1:-1, 1:].all()
    with pytest.raises(CheckNotRun):
        jpegs.cropped(data, Box(17, 17, 30, 30), using=engine)


@pytest.mark.parametrize("engine", ENGINES, ids=lambda e: e.name)
def test_real_camera_files(engine: Any, corpus: Callable[[str], list[Path]]) -> None:
    covered = 0
    for path in corpus("jpeg*.jpg"):
        data = jpegs.plain(path.read_bytes())
        try:
            before = jpegs.pixels(data)
        except OSError:
            with pytest.raises(MedimgError):
                jpegs.covered(data, (), using=engine)
            continue
        height, width = before.shape[:2]
        if engine.name == "python" and width * height > 2_000_000:
            continue
        box = Box(width // 5, height // 4, width // 2, height // 3)
        slant = ((width * 0.6, height * 0.6), (width * 0.9, height * 0.7), (width * 0.58, height * 0.66))
        done = jpegs.covered(data, cover(box.polygon, slant), using=engine)
        check(before, jpegs.pixels(done.data), done, None)
        covered += 1
    assert covered >= 5


def test_zeros_that_nothing_follows_are_written_by_no_engine() -> None:
    covers = cover(Box(40, 40, 90, 70).polygon)
    plain, *hiding = (in_idle_zeros(words) for words in (b"", *SENTENCES))
    for engine in jpegs.ENGINES:
        for of in ([], covers):
            wanted = jpegs.covered(plain, of, using=engine).data
            assert [jpegs.covered(data, of, using=engine).data for data in hiding] == [wanted] * 2


def test_what_cannot_be_covered_is_refused_in_plain_words() -> None:
    data = bytearray(jpegs.saved(jpegs.picture(64, 48)))
    sof = data.index(b"\xff\xc0")
    for at, value, words in (
        (sof + 1, 0xC3, "lossless"),
        (sof + 4, 12, "8 bits"),
        (sof + 9, 2, "header"),
        (sof + 5, 0xFF, "larger"),
    ):
        bad = bytearray(data)
        bad[at] = value
        if words == "larger":
            bad[sof + 5 : sof + 9] = b"\xff" * 4
        with pytest.raises(MedimgError, match=words):
            jpegs.covered(bytes(bad), ())
    for cut in (0, 1, 20, sof, sof + 12, len(data) // 2, len(data) - 3):
        with pytest.raises(MedimgError):
            jpegs.covered(bytes(data[:cut]), ())
    with pytest.raises(CheckNotRun):
        jpegs.covered(bytes(data), cover(((float("nan"), 0.0), (1.0, 1.0), (2.0, 2.0))))


def test_nothing_after_the_picture_and_nothing_past_its_edge_survives() -> None:
    data = jpegs.saved(jpegs.picture(100, 100), subsampling="4:2:0")
    assert jpegs.covered(data + b"a second picture", ()).data.endswith(b"\xff\xd9")
    # The same picture, declared narrower: a strip of it lies past the edge, in blocks of its own.
    sof = data.index(b"\xff\xc0")
    hidden = bytearray(data)
    hidden[sof + 7 : sof + 9] = (100 - 3).to_bytes(2)
    narrow = jpegs.covered(bytes(hidden), ())
    _, parts = jpegs.coefficients(narrow.data)
    assert parts[0][2].shape[1] == 14
    assert not parts[0][2][:, 13:, 1:].any()
