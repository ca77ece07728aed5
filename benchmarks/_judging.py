"""What became of a picture, judged by the pixels and bytes of the copy alone; for :mod:`benchmarks.compare`."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from medimg.native.opencv import cv2
from medimg.redact.cover import mask
from medimg.types import Polygon

Pixels = NDArray[np.uint8]
GONE, LOST, HIT = 0.9, 0.3, 0.02
"""Shares of its ink by which a mark counts as covered, a harmless text as lost, a thing to keep as touched."""
FAINT, STROKE = 4.0, 0.4
"""Levels, and share of the strongest stroke of a place, from which a pixel of the original counts as ink."""
FLAT = 0.3
"""A place is flat when this share or less of its local contrast is left: a plain cover, or a blur that carries."""
ALIKE = 0.4
"""A place shows something else when its correlation with the original is at most this."""


def opened(data: bytes) -> Pixels:
    """The picture upright, (H, W, 3)."""
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"), np.uint8)


def strokes(grey: NDArray[np.float64], height: float) -> NDArray[np.float64]:
    """How much each pixel stands out of what lies around it, strokes and the gaps between them; 0 on even ground."""
    kernel = np.ones((max(5, round(height) | 1),) * 2, np.uint8)
    even = cv2.GaussianBlur(grey, (3, 3), 0)
    dark = cv2.morphologyEx(even, cv2.MORPH_BLACKHAT, kernel)
    return np.asarray(np.maximum(dark, cv2.morphologyEx(even, cv2.MORPH_TOPHAT, kernel)))


def gone(before: NDArray[np.float64], after: NDArray[np.float64], window: int) -> NDArray[np.bool_]:
    """Where the copy no longer shows what the original shows.

    Args:
        before: The original in grey, (H, W), 0 to 255.
        after: The copy, of the same size.
        window: Pixels of the neighbourhood that a place is judged by; about half the height of a letter.

    Returns:
        A mask of (H, W). A place is gone when it became flat (a strong blur), shows something unlike the original, or
        lies in an even area that was not even before (a cover of one colour, however tight). A copy that is only
        encoded again is not gone.
    """
    size = (max(3, window | 1),) * 2

    def mean(values: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(cv2.blur(values, size, borderType=cv2.BORDER_REFLECT))

    ma, mb = mean(before), mean(after)
    sa, sb = (np.sqrt(np.maximum(mean(v * v) - m * m, 0)) for v, m in ((before, ma), (after, mb)))
    alike = (mean(before * after) - ma * mb) / np.maximum(sa * sb, 1e-6)
    return np.asarray((sb <= FLAT * sa) | (alike <= ALIKE) | plain_covers(before, after), bool)


def plain_covers(before: NDArray[np.float64], after: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Even areas of the copy of which a fifth and more looked otherwise before."""
    kernel = np.ones((3, 3), np.uint8)
    even = cv2.dilate(after, kernel) - cv2.erode(after, kernel) <= 14
    _, labels = cv2.connectedComponents(even.astype(np.uint8), connectivity=4)
    sizes = np.bincount(labels.ravel())
    other = np.bincount(labels.ravel(), weights=(np.abs(before - after) > 24).ravel())
    cover = (other >= 0.2 * sizes) & (sizes >= 25)
    cover[0] = False
    return np.asarray(cv2.dilate(cover[labels].astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)


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
    a, b = (p[cut].astype(np.float64).mean(axis=2) for p in (before, after))
    out = strokes(a, height)
    if not place.any():
        return None
    ink = place & (out >= max(FAINT, STROKE * float(np.percentile(out[place], 95))))
    return float((gone(a, b, max(5, round(height / 2))) & ink).sum() / ink.sum()) if ink.sum() >= 20 else None


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
    near = cv2.dilate(_covered(before, after).astype(np.uint8), np.ones((49, 49), np.uint8)) > 0
    return float((differs[~near] > 0).mean()) if (~near).any() else None


def over_cover(before: Pixels, after: Pixels, wanted: NDArray[np.bool_]) -> float | None:
    """Share of the picture outside ``wanted``, the places that may be covered, that the copy covers or blurs away."""
    if before.shape != after.shape or wanted.all():
        return None
    return float(_covered(before, after)[~wanted].mean())


def _covered(before: Pixels, after: Pixels) -> NDArray[np.bool_]:
    """Where most of a neighbourhood looks otherwise: a cover or a strong blur, not another encoding."""
    differs = np.abs(before.astype(np.int16) - after).max(axis=2)
    return np.asarray(cv2.blur((differs > 24).astype(np.float32), (9, 9)) > 0.5)


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
