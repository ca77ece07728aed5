"""What became of a picture, judged by the pixels and bytes of the copy alone; for :mod:`benchmarks.compare`."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from medimg._opencv import cv2
from medimg.redact.cover import mask
from medimg.types import Polygon

Pixels = NDArray[np.uint8]
GONE, LOST, HIT = 0.9, 0.3, 0.02
"""Shares of its ink by which a mark counts as covered, a harmless text as lost, a thing to keep as touched."""
INK = 5.0
"""Levels of local standard deviation from which a place of the original shows something that could be read."""
FLAT = 0.3
"""A place is flat when this share or less of its local contrast is left: a plain cover, or a blur that carries."""
ALIKE = 0.4
"""A place shows something else when its correlation with the original is at most this."""


def opened(data: bytes) -> Pixels:
    """The picture upright, (H, W, 3)."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"), np.uint8)


def gone(before: Pixels, after: Pixels, window: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where the original shows ink, and where the copy no longer shows it.

    Args:
        before: The original, (H, W, 3) or (H, W).
        after: The copy, of the same size.
        window: Pixels of the neighbourhood that a place is judged by; about the height of a letter.

    Returns:
        Two masks of (H, W). A place is gone when it became flat (a cover of one colour, a strong blur) or shows
        something unlike the original. A copy that is only encoded again is not gone.
    """
    a, b = (p.astype(np.float64).mean(axis=2) if p.ndim == 3 else p.astype(np.float64) for p in (before, after))
    size = (max(3, window | 1),) * 2

    def mean(values: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(cv2.blur(values, size, borderType=cv2.BORDER_REFLECT))

    ma, mb = mean(a), mean(b)
    sa, sb = (np.sqrt(np.maximum(mean(v * v) - m * m, 0)) for v, m in ((a, ma), (b, mb)))
    alike = (mean(a * b) - ma * mb) / np.maximum(sa * sb, 1e-6)
    ink = sa >= INK
    return ink, ink & ((sb <= FLAT * sa) | (alike <= ALIKE))


def share_gone(before: Pixels, after: Pixels, polygon: Polygon, height: float, hidden: Any = None) -> float | None:
    """The share of the ink in a polygon that the copy does not show; ``None`` where there is no ink to judge.

    Args:
        before: The original.
        after: The copy; one of another size shows everything.
        polygon: The place, in pixels.
        height: Height of its letters, of a bar code, or of a face.
        hidden: A mask of what something else hides in the original.
    """
    if before.shape != after.shape:
        return 0.0
    xs, ys = [p[0] for p in polygon], [p[1] for p in polygon]
    room = int(height) + 8
    x0, y0 = max(0, int(min(xs)) - room), max(0, int(min(ys)) - room)
    x1, y1 = min(before.shape[1], int(max(xs)) + room), min(before.shape[0], int(max(ys)) + room)
    if x1 <= x0 or y1 <= y0:
        return None
    cut = (slice(y0, y1), slice(x0, x1))
    place = mask([tuple((x - x0, y - y0) for x, y in polygon)], x1 - x0, y1 - y0)
    if hidden is not None:
        place &= ~hidden[cut]
    ink, away = gone(before[cut], after[cut], max(5, round(height / 2)))
    return float((away & place).sum() / (ink & place).sum()) if (ink & place).sum() >= 20 else None


def round_face(polygon: Polygon) -> Polygon:
    """The ellipse inside a four-cornered face: nobody is asked to cover the corners beside the cheeks."""
    corner = np.asarray(polygon, np.float64)
    middle, across, down = corner.mean(axis=0), (corner[1] - corner[0]) / 2, (corner[3] - corner[0]) / 2
    turns = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    return tuple((float(p[0]), float(p[1])) for p in (middle + np.cos(t) * across + np.sin(t) * down for t in turns))


def changed_outside(before: Pixels, after: Pixels) -> float | None:
    """Share of pixels that differ at all, 24 pixels and more away from everything that was covered on purpose."""
    if before.shape != after.shape:
        return None
    differs = np.abs(before.astype(np.int16) - after).max(axis=2)
    core = cv2.blur((differs > 24).astype(np.float32), (9, 9)) > 0.5
    near = cv2.dilate(core.astype(np.uint8), np.ones((49, 49), np.uint8)) > 0
    return float((differs[~near] > 0).mean()) if (~near).any() else None


def touched(before: Pixels, after: Pixels, inside: NDArray[np.bool_]) -> bool:
    """Whether a cover lies on a thing that must stay: encoding again does not move the mean of a neighbourhood."""
    if before.shape != after.shape or not inside.any():
        return False
    moved = np.abs(cv2.blur(before, (9, 9)).astype(np.int16) - cv2.blur(after, (9, 9))).max(axis=2) > 24
    return float(moved[inside].mean()) >= HIT


def holds(data: bytes, mark: bytes) -> bool:
    """Whether a mark stands in a file: as it is, in UTF-16, as hexadecimal, or in anything packed with zlib."""
    forms = (mark, mark.decode().encode("utf-16-le"), mark.decode().encode("utf-16-be"), mark.hex().encode())
    if any(form in data for form in forms):
        return True
    at = data.find(b"\x78")
    while at >= 0:
        try:
            if mark in zlib.decompressobj().decompress(data[at:], 1 << 20):
                return True
        except zlib.error:
            pass
        at = data.find(b"\x78", at + 1)
    return False
