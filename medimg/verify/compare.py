"""The copy beside its original, sample by sample: equal outside the covers, flat inside."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from medimg import formats
from medimg.native.opencv import cv2
from medimg.redact.cover import mask
from medimg.types import Box, Check, Copy
from medimg.vocabulary import CheckName, CheckState
from medimg.words import mark

BAND = 64
"""Rows compared at a time: what they take stays in the processor's cache."""
ALIKE = 36
"""Decibels (peak signal-to-noise ratio): a copy that was saved again and is further from its original in any band of
rows is held. JPEG at quality 98 lay above 48 on the photographs tried (``benchmarks/cover_formats.py``)."""


def pixels(original: formats.Opened, written: formats.Opened, copy: Copy, crop: Box | None = None) -> Check:
    """Are the covers flat, is every sample outside them the original's, and is nothing outside the crop left?

    A copy in a format with chroma subsampling has a fringe of ``copy.fringe`` pixels on both sides of a cover's
    edge, and inside a crop's edge, where the decoder mixes chroma; it is left out of both comparisons.

    Rows are compared a band at a time, so the cost is that of reading both pictures once and no picture-sized
    arrays are made but one byte a pixel.

    Args:
        original: The photo.
        written: The copy, opened from what is on disk.
        copy: How it was made.
        crop: The box that was to be kept; None for all.
    """
    before, after = original.samples(), written.samples()
    sure = Box(0, 0, after.shape[1], after.shape[0])
    if crop is not None or copy.cropped is not None:
        whole = Box(0, 0, before.shape[1], before.shape[0])
        asked, kept = (crop or whole).clipped(whole.x1, whole.y1), copy.cropped or whole
        if asked.overlap(kept) != kept.area or whole.overlap(kept) != kept.area:
            return _check(CheckState.FAILED, mark("more than the crop was kept"))
        before = before[kept.y0 : kept.y1, kept.x0 : kept.x1]
        sure = _within(kept, whole, copy.fringe)
    if before.shape[:2] != after.shape[:2]:
        return _check(CheckState.FAILED, mark("the size changed"))
    after = _with_alpha(after, before)
    if before.shape != after.shape or (copy.lossless and before.dtype != after.dtype):
        return _check(CheckState.FAILED, mark("the kind of samples changed"))
    uneven, moved = _differences(before, after, copy, sure)
    if uneven:
        return _check(CheckState.FAILED, mark("a cover is not flat"), uneven)
    if not copy.lossless:
        return _saved_again(before, after, copy)
    if moved:
        return _check(CheckState.FAILED, mark("pixels outside changed"), moved)
    return _check(CheckState.PASSED, mark("equal outside the covers, flat inside"))


def _check(state: CheckState, detail: str, found: int = 0) -> Check:
    return Check(name=CheckName.PIXELS, state=state, engine="compare", found=found, detail=detail)


def _saved_again(before: NDArray[Any], after: NDArray[Any], copy: Copy) -> Check:
    """Does the picture outside the covers still look like the original's?"""
    if unlike := _unlike_bands(before, after, copy):
        return _check(CheckState.FAILED, mark("the picture outside the covers looks different"), unlike)
    return _check(
        CheckState.PASSED, mark(f"saved again: flat inside the covers, at least {ALIKE} dB like the original outside")
    )


def _unlike_bands(before: NDArray[Any], after: NDArray[Any], copy: Copy) -> int:
    """Bands of rows whose peak signal-to-noise ratio outside the covers is below :data:`ALIKE`."""
    height, width = after.shape[:2]
    outside = _eroded(~mask(copy.covered, width, height), copy.fringe)
    low = 0
    for start in range(0, height, BAND):
        rows = slice(start, start + BAND)
        if not outside[rows].any():
            continue
        error = (_to_eight(before[rows]) - _to_eight(after[rows]))[outside[rows]]
        low += float(np.mean(np.square(error))) > 255**2 / 10 ** (ALIKE / 10)
    return low


def _to_eight(samples: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(samples * np.float32(255 / np.iinfo(samples.dtype).max), np.float32)


def _with_alpha(after: NDArray[Any], before: NDArray[Any]) -> NDArray[Any]:
    """The copy with opaque alpha where only the original has alpha: covers or a crop may take the last hole away."""
    channels = 1 if after.ndim == 2 else after.shape[2]
    if channels not in (1, 3) or before.ndim != 3 or before.shape[2] != channels + 1 or before.dtype != after.dtype:
        return after
    full = np.full(after.shape[:2], np.iinfo(after.dtype).max, after.dtype)
    return np.dstack((after, full))


def _within(kept: Box, whole: Box, fringe: int) -> Box:
    """The part of a crop that no fringe along its cut sides reaches, in the crop's coordinates."""
    return Box(
        fringe * (kept.x0 > 0),
        fringe * (kept.y0 > 0),
        kept.width - fringe * (kept.x1 < whole.x1),
        kept.height - fringe * (kept.y1 < whole.y1),
    )


def _differences(before: NDArray[Any], after: NDArray[Any], copy: Copy, sure: Box) -> tuple[int, int]:
    """Pairs of neighbours that differ inside the covers, and pixels of ``sure`` that changed outside them."""
    height, width = after.shape[:2]
    covered = mask(copy.covered, width, height)
    uneven = moved = 0
    for start in range(0, height, BAND):
        end = min(start + BAND, height)
        last = min(end + 1, height)  # one row more, for the pairs across bands
        low, high = max(start - copy.fringe, 0), min(last + copy.fringe, height)
        band = covered[low:high]
        rows, columns = slice(max(start, sure.y0), min(end, sure.y1)), slice(sure.x0, sure.x1)
        a, b = (before[rows, columns], after[rows, columns]) if copy.lossless else (after[:0], after[:0])
        if not band.any():
            if not np.array_equal(a, b):
                moved += int(np.count_nonzero(_unlike(a, b)))
            continue
        inside = _eroded(band, copy.fringe)[start - low : last - low]
        uneven += _steps(after[start:last], inside, end - start)
        if copy.lossless:
            outside = _eroded(~band, copy.fringe)[rows.start - low : rows.stop - low, columns]
            moved += int(np.count_nonzero(_unlike(a, b) & outside))
    return uneven, moved


def _unlike(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
    """Pixels with any sample that differs, (H, W)."""
    differ: NDArray[np.bool_] = a != b
    if differ.ndim == 2:
        return differ
    out = differ[..., 0].copy()
    for k in range(1, differ.shape[2]):  # numpy's any() along a short last axis is several times slower
        out |= differ[..., k]
    return out


def _steps(samples: NDArray[Any], inside: NDArray[np.bool_], rows: int) -> int:
    """How many neighbouring pairs of pixels inside the covers differ, beside each other in the first ``rows``."""
    columns = np.flatnonzero(inside.any(axis=0))
    if not columns.size:
        return 0
    some = slice(int(columns[0]), int(columns[-1]) + 1)
    samples, inside = samples[:, some], inside[:, some]
    total = 0
    for a, b, both in (
        (samples[:rows, :-1], samples[:rows, 1:], inside[:rows, :-1] & inside[:rows, 1:]),
        (samples[:-1], samples[1:], inside[:-1] & inside[1:]),
    ):
        total += int(np.count_nonzero(_unlike(a, b) & both))
    return total


def _eroded(area: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """The area without its outermost ``by`` pixels; the picture's own edge is no edge of an area."""
    if not by or area.all():
        return area
    kernel = np.ones((2 * by + 1, 2 * by + 1), np.uint8)
    return cast("NDArray[np.bool_]", cv2.erode(area.view(np.uint8), kernel).view(np.bool_))
