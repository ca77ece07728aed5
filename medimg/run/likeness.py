"""Whether a picture looks like a released copy: a perceptual hash, by which it is found again when it was saved anew.

The hash is the usual one of low frequencies (Zauner, *Implementation and benchmarking of perceptual image hash
functions*, 2010): the picture in grey, small, through a cosine transform; each of the low coefficients is one bit,
above or below their median. A picture that was made smaller, saved again or given another format keeps nearly all
bits. A quarter turn or a mirror image changes them, so a picture is compared in all eight positions. A picture that
was cropped, or has something drawn over a large part of it, is not found. What was measured is in docs/consent.md.

The hash says nothing of a name or a place, and the picture cannot be drawn from it; it can show that somebody who has
a picture has this one, so it is kept in the register alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medimg.run import pictures

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 64
"""Pixels of the small square."""
LOW = 16
"""Low frequencies in each direction: 256 bits, of which the first, the mean brightness, is left at 0."""
ALIKE = 48
"""Most bits that may differ between a copy and a picture that is taken for it; measured, see docs/consent.md."""

Grey = NDArray[np.float32]


def small(picture: Image) -> Grey:
    """A picture as a small grey square, ``SIDE`` x ``SIDE``, 0 to 255; its proportions are not kept."""
    from PIL.Image import Resampling

    return np.asarray(picture.convert("L").resize((SIDE, SIDE), Resampling.BOX), np.float32)


def square_of(data: bytes) -> Grey | None:
    """The small grey square of a picture file, upright; None when it cannot be drawn."""
    drawn = pictures.draw(data, 4 * SIDE)
    return small(pictures.upright(drawn[0], drawn[3])) if drawn is not None else None


def of_file(path: Path) -> str:
    """The hash of a copy; empty where it cannot be drawn: it is then not found again by its look."""
    try:
        square = square_of(path.read_bytes())
    except OSError:
        return ""
    return of(square) if square is not None else ""


@cache
def _cosines() -> Grey:
    """The first ``LOW`` rows of the orthonormal cosine transform (DCT-II) of ``SIDE`` samples."""
    k, n = np.arange(LOW)[:, None], np.arange(SIDE)[None, :]
    rows = np.cos(np.pi * (2 * n + 1) * k / (2 * SIDE)) * np.sqrt(2 / SIDE)
    rows[0] /= np.sqrt(2)
    return np.asarray(rows, np.float32)


def of(square: Grey) -> str:
    """The hash of a small grey square, 64 hex digits; empty for one of a single tone, which has no likeness."""
    if float(np.ptp(square)) < 8.0:  # a blank page would be like every other
        return ""
    low = (_cosines() @ square @ _cosines().T).ravel()[1:]
    bits = np.concatenate([[False], low > np.median(low)])
    return np.packbits(bits).tobytes().hex()


def positions(square: Grey) -> Iterator[Grey]:
    """The square in its eight positions: four turns, each also mirrored."""
    for turn in range(4):
        turned = np.rot90(square, turn)
        yield turned
        yield np.fliplr(turned)


def distance(one: str, other: str) -> int:
    """Bits in which two hashes differ, 0 to 255; 256 when one of them is empty or no hash."""
    try:
        return (int(one, 16) ^ int(other, 16)).bit_count()
    except ValueError:
        return LOW * LOW


def nearest(square: Grey, known: Mapping[str, str]) -> tuple[str, int] | None:
    """Which known copy a picture is most like, and by how many bits it differs; None when none is near enough.

    Args:
        square: The picture, as :func:`small` makes it.
        known: Name of a copy -> its hash.
    """
    mine = [of(position) for position in positions(square)]
    best = min(((min(distance(m, h) for m in mine), name) for name, h in known.items()), default=None)
    return (best[1], best[0]) if best is not None and best[0] <= ALIKE else None
