"""What can be seen of decoded samples, as 8-bit RGB for detectors."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medimg.native.opencv import cv2

STRETCH_BELOW = 0.5
"""16-bit pictures that use less than this share of the range get a stretched view too."""
FAINT = 16 * 257
"""Of 65,535: a neighbourhood with no greater differences is stretched by itself. Sixteen levels of 8 bits; the text
check sees greater ones without help (docs/checks.md)."""
NEIGHBOURHOOD, BLOCKS = 20, 5
"""A neighbourhood is so many blocks wide, and a block the picture's shorter side divided by five times the first."""
BAND = 256
"""Rows that are laid over a ground at a time."""
GROUNDS = (255, 0, 128)
"""White, black and mid grey: what viewers lay under a picture that is not opaque."""


def invisible(alpha: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a picture shows nothing whatever lies beneath it: alpha exactly 0, at the depth of the file.

    The one rule for what views leave out and for what writers clear. A program that rounds to 8 bits hides a little
    more, another shows it: all above 0 is looked at, and kept as it is.
    """
    return np.asarray(alpha == 0)


def of(
    samples: NDArray[Any], profile: bytes | None = None, light: Callable[[float], float] | None = None
) -> list[NDArray[np.uint8]]:
    """Views of grey, grey+alpha, RGB or RGBA samples, uint8 or uint16: (H, W, 3) each, no two equal.

    One view normally. Alpha below full gives more, because writing can hide in each: over white, black and mid grey,
    the colours as stored where they are not :func:`invisible`, and alpha itself when it has levels between none and
    full. A dim 16-bit picture gives one stretched as a whole, and one with faint differences one stretched
    neighbourhood by neighbourhood. A profile or curve that makes much of small differences, or little of large ones,
    gives what it shows of each of these.

    Args:
        samples: Decoded samples.
        profile: The cleaned colour profile that the copy has.
        light: What the file says besides of how numbers become light.
    """
    from medimg.formats.shared import managed

    views = _of_numbers(samples)
    return distinct([*views, *managed.by_profile(views, profile), *managed.by_curve(views, light)])


def inks(samples: NDArray[np.uint8], profile: bytes | None = None) -> list[NDArray[np.uint8]]:
    """Views of cyan, magenta, yellow and black, (H, W, 4) uint8: (H, W, 3) each, no two equal.

    Writing can stand in some inks under full black, or be made of other inks than its ground, of the same colour on
    paper. So each ink is seen: what all of them show on paper, the three colours without black, black alone, and what
    a press profile shows.
    """
    from medimg.formats.shared import managed

    paper = 255 - samples
    colours, black = paper[..., :3], paper[..., 3]
    shown = ((colours.astype(np.uint16) * black[..., None] + 127) // 255).astype(np.uint8)
    return distinct([shown, colours, black, *managed.by_profile([samples], profile)])


def _of_numbers(samples: NDArray[Any]) -> list[NDArray[np.uint8]]:
    colour, alpha = _split(samples)
    if alpha is None or bool((alpha == _full(alpha)).all()):
        return distinct(_shades(colour))
    gone = invisible(alpha)
    colours = colour[..., None] if colour.ndim == 2 else colour
    views = [_over(ground, colours, alpha) for ground in GROUNDS]
    veiled = np.where(gone[..., None], colours.dtype.type(0), colours)
    views += _shades(veiled[..., 0] if colour.ndim == 2 else veiled)
    if bool((~gone & (alpha < _full(alpha))).any()):
        wide = alpha if alpha.dtype == np.uint16 else alpha.astype(np.uint16) * np.uint16(257)
        faint = _neighbourhoods(wide)
        views.append(_eight_bit(alpha) if faint is None else faint)
    return distinct(views)


def _shades(colour: NDArray[Any]) -> list[NDArray[np.uint8]]:
    """The picture in 8 bits, and where 8 bits lose something, stretched."""
    views = [_eight_bit(colour)]
    if colour.dtype != np.uint16:
        return views
    low, high = int(colour.min()), int(colour.max())
    if 0 < high - low < STRETCH_BELOW * 65535:
        views.append(((colour.astype(np.uint32) - low) * 255 // (high - low)).astype(np.uint8))
    planes = [colour] if colour.ndim == 2 else [colour[..., k] for k in range(colour.shape[2])]
    faint = [_neighbourhoods(plane) for plane in planes]
    if any(plane is not None for plane in faint):
        shown = [_eight_bit(a) if b is None else b for a, b in zip(planes, faint, strict=True)]
        views.append(shown[0] if colour.ndim == 2 else np.dstack(shown))
    return views


def _neighbourhoods(plane: NDArray[Any]) -> NDArray[np.uint8] | None:
    """A 16-bit plane with every faint neighbourhood stretched from its darkest to its brightest; None without any."""
    height, width = plane.shape
    side = max(8, min(height, width) // (NEIGHBOURHOOD * BLOCKS))
    padded = np.pad(plane, ((0, -height % side), (0, -width % side)), mode="edge")
    grid = padded.reshape(padded.shape[0] // side, side, padded.shape[1] // side, side)
    near = np.ones((BLOCKS, BLOCKS), np.uint8)
    low = cv2.erode(np.ascontiguousarray(grid.min(axis=(1, 3))), near)
    high = cv2.dilate(np.ascontiguousarray(grid.max(axis=(1, 3))), near)
    spread = high.astype(np.int32) - low
    if not bool(((spread > 0) & (spread <= FAINT)).any()):
        return None
    size = (padded.shape[1], padded.shape[0])
    floor, span = (
        cv2.resize(a.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)[:height, :width] for a in (low, spread)
    )
    stretched = np.clip((plane - floor) * (255 / np.maximum(span, 1)), 0, 255).astype(np.uint8)
    return np.where((span > 0) & (span <= FAINT), stretched, _eight_bit(plane))


def distinct(views: Iterable[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Each as (H, W, 3), without those that show the same as one before."""
    out: list[NDArray[np.uint8]] = []
    for view in views:
        flat = view[..., 0] if view.ndim == 3 and view.shape[2] == 1 else view
        rgb = np.ascontiguousarray(np.repeat(flat[..., None], 3, axis=2) if flat.ndim == 2 else flat)
        if not any(np.array_equal(rgb, other) for other in out):
            out.append(rgb)
    return out


def _split(samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    if samples.ndim == 2:
        return samples, None
    channels = samples.shape[2]
    if channels in (2, 4):
        return (samples[..., 0] if channels == 2 else samples[..., :3]), samples[..., -1]
    return (samples[..., 0] if channels == 1 else samples), None


def _over(ground: int, colours: NDArray[Any], alpha: NDArray[Any]) -> NDArray[np.uint8]:
    """Colours (H, W, C) over a grey ground, a band of rows at a time: no picture of floating-point numbers is made."""
    out = np.empty(colours.shape, np.uint8)
    for start in range(0, len(out), BAND):
        rows = slice(start, start + BAND)
        share = alpha[rows, :, None].astype(np.float32) / np.float32(_full(alpha))
        plain = colours[rows].astype(np.float32) * np.float32(255 / _full(colours))
        out[rows] = plain * share + ground * (1 - share) + np.float32(0.5)
    return out


def _eight_bit(samples: NDArray[Any]) -> NDArray[np.uint8]:
    return samples if samples.dtype == np.uint8 else (samples >> 8).astype(np.uint8)


def _full(samples: NDArray[Any]) -> int:
    return int(np.iinfo(samples.dtype).max)
