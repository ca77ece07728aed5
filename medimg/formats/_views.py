"""What can be seen of decoded samples, as 8-bit RGB for detectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

STRETCH_BELOW = 0.5
"""16-bit pictures that use less than this share of the range get a stretched view too."""


def of(samples: NDArray[Any]) -> list[NDArray[np.uint8]]:
    """Views of grey, grey+alpha, RGB or RGBA samples, uint8 or uint16: (H, W, 3) each.

    One view normally. Alpha below full gives two (over white, and the colours as stored where alpha is above 0),
    because writing can hide in either. A dim 16-bit picture gives a stretched one besides.
    """
    colour, alpha = _split(samples)
    views = [_eight_bit(colour)]
    if colour.dtype == np.uint16:
        low, high = int(colour.min()), int(colour.max())
        if 0 < high - low < STRETCH_BELOW * 65535:
            views.append(((colour.astype(np.uint32) - low) * 255 // (high - low)).astype(np.uint8))
    out = [np.repeat(v[..., None], 3, axis=2) if v.ndim == 2 else v for v in views]
    if alpha is None or bool((alpha == _full(alpha)).all()):
        return [np.ascontiguousarray(v) for v in out]
    shares = _eight_bit(alpha)[..., None].astype(np.uint16)
    white = ((out[0] * shares + 255 * (255 - shares) + 127) // 255).astype(np.uint8)
    return [white, *(np.where(shares > 0, v, np.uint8(0)) for v in out)]


def _split(samples: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any] | None]:
    if samples.ndim == 2:
        return samples, None
    channels = samples.shape[2]
    if channels in (2, 4):
        return (samples[..., 0] if channels == 2 else samples[..., :3]), samples[..., -1]
    return (samples[..., 0] if channels == 1 else samples), None


def _eight_bit(samples: NDArray[Any]) -> NDArray[np.uint8]:
    return samples if samples.dtype == np.uint8 else (samples >> 8).astype(np.uint8)


def _full(alpha: NDArray[Any]) -> int:
    return int(np.iinfo(alpha.dtype).max)
