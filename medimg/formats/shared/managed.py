"""What a viewer that heeds colour descriptions shows of a picture, where it is not what the numbers show.

The text check sees writing four levels off its ground, and a profile can make forty of three. Curves and a matrix near
those in use do not: pictures with these, which is nearly every one, are looked at by their numbers alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import ImageCms

from medimg.errors import CheckNotRun
from medimg.formats.shared import icc
from medimg.formats.shared.steep import MODES, renderings, without_tables

NEAR, MOST, LEAST = 4, 2.0, 0.5
"""Over so many neighbouring numbers, most and least that a curve spreads them, as sRGB would write what they show:
1.71 for ProPhoto; 1.2 and 0.97 for Adobe RGB. Linear light spreads the darkest eight times."""
DARK = 32
"""Below this level a curve in use may be as flat as it likes."""
STRONG, WEAK = 2.5, 0.7
"""Most and least that a matrix makes of a difference of colours (its singular values): 2.3 and 0.93 in profiles in use.
A matrix that makes nothing of one channel shows clearly what noise in that channel hides."""
SAME = 3
"""Levels that two renderings may differ by for one of them to be enough."""
LINEAR, LOGARITHMIC = 8, {9: 2.0, 10: 2.5}
"""Transfer characteristics that spread dark numbers far more than a screen's do (ITU-T H.273, table 3): linear light,
and so many powers of ten."""


@functools.lru_cache(maxsize=8)
def plain(profile: bytes) -> bool:
    """Whether numbers say under a profile nearly what they say without.

    Args:
        profile: As :func:`medimg.formats.shared.icc.clean` gives it.
    """
    tags, space = dict(icc.tags_of(profile) or ()), profile[16:20]
    if space not in (b"RGB ", b"GRAY") or any(sig[:3] == b"A2B" for sig in tags):
        return False
    curves = (b"rTRC", b"gTRC", b"bTRC") if space == b"RGB " else (b"kTRC",)
    if not all(even(functools.partial(icc.light, tags.get(sig, b""))) for sig in curves):
        return False
    if space == b"GRAY":
        return True
    colours = [icc.numbers(tags.get(sig, b"")) for sig in (b"rXYZ", b"gXYZ", b"bXYZ")]
    if not all(colours):
        return False
    values = np.linalg.svd(np.array(icc.TO_SRGB) @ np.array(colours).T, compute_uv=False)
    return bool(values.min() >= WEAK and values.max() <= STRONG)


def even(light: Callable[[float], float]) -> bool:
    """Whether a curve spreads neighbouring numbers about as sRGB does."""
    shown = 255 * np.array([icc.signal(light(level / 255)) for level in range(256)])
    spread = (shown[NEAR:] - shown[:-NEAR]) / NEAR
    bright = spread[shown[NEAR:] > DARK]
    return bool(bright.size and spread.max() <= MOST and bright.min() >= LEAST)


def by_profile(views: Sequence[NDArray[np.uint8]], profile: bytes | None) -> list[NDArray[np.uint8]]:
    """Views as a profile shows them, once for each of its ways; none where that is nearly the same.

    Args:
        views: Grey or RGB as (H, W, 3), or inks as (H, W, 4).
        profile: As :func:`medimg.formats.shared.icc.clean` gives it.

    Raises:
        CheckNotRun: The profile cannot be applied.
    """
    if not profile or plain(profile):
        return []
    mode, out = MODES[profile[16:20]], []
    for view in views:
        flat = _as(mode, view)
        if flat is not None:
            out += [_through(flat, mode, each) for each in (profile, *without_tables(profile))]
    return _unlike([look for looks in out for look in looks])


def by_curve(views: Sequence[NDArray[np.uint8]], light: Callable[[float], float] | None) -> list[NDArray[np.uint8]]:
    """Views (H, W, 3) through a curve from number to light; none where that is nearly the same."""
    if light is None or even(light):
        return []
    table = np.array([round(255 * min(max(icc.signal(light(k / 255)), 0.0), 1.0)) for k in range(256)], np.uint8)
    return [table[view] for view in views]


def by_code(transfer: int) -> Callable[[float], float] | None:
    """From number to light by code points (ITU-T H.273, table 3); None for what is near a screen's or far below."""
    if transfer == LINEAR:
        return _same
    return functools.partial(_of_log, LOGARITHMIC[transfer]) if transfer in LOGARITHMIC else None


def by_gamma(gamma: int) -> Callable[[float], float] | None:
    """From number to light by what a gAMA chunk says (PNG, third edition, 11.3.2.2); None where it says nothing."""
    return (lambda level: level ** (100_000 / gamma)) if gamma else None


def _same(level: float) -> float:
    return level


def _of_log(decades: float, level: float) -> float:
    return float(10 ** (decades * (level - 1))) if level else 0.0


def _as(mode: str, view: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """A view in the mode of a profile; None where viewers pass the profile over, because it is for others."""
    if (view.shape[2] == 4) != (mode == "CMYK"):
        return None
    if mode != "L":
        return np.ascontiguousarray(view)
    grey = view[..., 0]
    same = np.array_equal(grey, view[..., 1]) and np.array_equal(grey, view[..., 2])
    return np.ascontiguousarray(grey) if same else None


def _through(flat: NDArray[np.uint8], mode: str, profile: bytes) -> list[NDArray[np.uint8]]:
    try:
        return [shown(flat) for shown, _ in renderings(profile, mode)]
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise CheckNotRun("the picture cannot be looked at through its colour profile.") from error


def _unlike(looks: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    out: list[NDArray[np.uint8]] = []
    for look in looks:
        if not any(np.abs(look.astype(np.int16) - other).max() <= SAME for other in out):
            out.append(look)
    return out
