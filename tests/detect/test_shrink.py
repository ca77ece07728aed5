"""The pyramid: pictures are turned as EXIF says, and the compiled area filter and cv2's give the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from medimg._build import kernel
from medimg.detect import Frame, shrink
from medimg.native.opencv import cv2

Pixels = NDArray[np.uint8]
ROOT = Path(__file__).resolve().parents[2]


def noise(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@pytest.fixture(scope="module", autouse=True)
def library(tmp_path_factory: pytest.TempPathFactory) -> object:
    """The C file as it stands, made the way the build makes it."""
    root = tmp_path_factory.mktemp("built")
    (root / "medimg/native").mkdir(parents=True)
    for header in (ROOT / "medimg/native").glob("*.h"):
        (root / "medimg/native" / header.name).write_bytes(header.read_bytes())
    for source in kernel.SOURCES:
        (root / source.parent).mkdir(parents=True, exist_ok=True)
        (root / source).write_bytes((ROOT / source).read_bytes())
    made = kernel.build(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shrink, "LIBRARY", made[-1])
        return shrink.compiled()


def both(rgb: Pixels, width: int, height: int, run: object, monkeypatch: pytest.MonkeyPatch) -> tuple[Pixels, Pixels]:
    monkeypatch.setattr(shrink, "LARGE", 0)
    monkeypatch.setattr(shrink, "compiled", lambda: run)
    return shrink.shrunk(rgb, width, height), cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)


def alike(a: Pixels, b: NDArray[Any], rgb: Pixels) -> bool:
    """Equal, but for means half-way between two steps, which may go either way."""
    apart = np.abs(a.astype(np.int16) - b.astype(np.int16))
    (rows, by_row), (columns, by_column) = (shrink.table(rgb.shape[k], a.shape[k]) for k in (0, 1))
    down = np.einsum("yk,ykxc->yxc", by_row.astype(float), rgb[rows[:, None] + np.arange(by_row.shape[1])])
    exact = np.einsum(
        "xk,yxkc->yxc", by_column.astype(float), down[:, columns[:, None] + np.arange(by_column.shape[1])]
    )
    half = np.abs(exact - np.floor(exact) - 0.5) < 1e-3
    return a.shape == b.shape and int(apart.max()) <= 1 and bool(half[apart > 0].all())


@settings(max_examples=200)
@given(st.data(), st.integers(1, 90), st.integers(1, 90), st.integers(0, 9))
def test_both_filters_give_the_same(library: object, data: st.DataObject, height: int, width: int, seed: int) -> None:
    new_width, new_height = data.draw(st.integers(1, width)), data.draw(st.integers(1, height))
    rgb = noise(height, width, seed)
    with pytest.MonkeyPatch.context() as patch:
        a, b = both(rgb, new_width, new_height, library, patch)
    assert alike(a, b, rgb)


@pytest.mark.parametrize("to", [2400, 1601, 1600, 1333, 640, 1999])
def test_levels_of_a_large_picture(library: object, to: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rgb = noise(1500, 3000)
    a, b = both(rgb, to, round(to / 2), library, monkeypatch)
    assert alike(a, b, rgb)


def test_plain_stays_plain(library: object, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in (0, 1, 127, 254, 255):
        a, _ = both(np.full((301, 207, 3), value, np.uint8), 113, 59, library, monkeypatch)
        assert (a == value).all()


def test_a_turned_view_is_read_right(library: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that do not lie behind each other are left to cv2."""
    view = noise(80, 120)[:, ::-1]
    a, b = both(view, 50, 33, library, monkeypatch)
    assert (a == b).all()
    assert alike(a, cv2.resize(np.ascontiguousarray(view), (50, 33), interpolation=cv2.INTER_AREA), view)


def test_every_share_adds_up() -> None:
    for old, new in ((4000, 2400), (3000, 1800), (7, 3), (5, 5), (1, 1), (4000, 1)):
        first, shares = shrink.table(old, new)
        assert np.allclose(shares.sum(axis=1), 1, atol=2e-3)
        assert first.min() >= 0
        assert int(first.max()) + shares.shape[1] <= old


def test_the_pyramid_uses_it() -> None:
    frame = Frame(noise(1200, 1600))
    level, factor = frame.scaled(900)
    assert alike(level, cv2.resize(frame.rgb, (900, 675), interpolation=cv2.INTER_AREA), frame.rgb)
    assert factor == pytest.approx(900 / 1600)
    assert frame.scaled(900)[0] is level


TURNED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}
"""EXIF 3.0, table 6: what a reader does to show a picture upright."""


@given(st.sampled_from(sorted(TURNED)), st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_every_orientation(orientation: int, height: int, width: int, view: bool) -> None:
    stored = noise(height, width)[:, ::-1] if view else noise(height, width)
    # Samples of one grey and of 16 bits are turned the same way for DICOM.
    for samples in (stored, stored[..., :1], stored.astype(np.uint16) << 8):
        frame = Frame(samples, orientation)
        assert np.array_equal(frame.rgb, TURNED[orientation](samples))
        assert frame.rgb.flags.c_contiguous
