"""A picture in squares, for who follows which parts of it a person has had on the screen at full size."""

from __future__ import annotations

from typing import Any

CELL = 64
"""Side of a square, in pixels of the photo: about two lines of small writing."""
PLAIN = 6.0
"""Largest deviation of a plain square's samples, of 255. One hundredth of a square in a tone that differs by 64 (a
thin, pale stroke) deviates by 64 * sqrt(0.01 * 0.99) = 6.4 already."""


def plain(seen: Any) -> bytes:
    """The squares inside large plain areas, one byte each, row by row: they and the eight beside them hardly vary.

    Args:
        seen: The picture upright, height x width x colours, 8 bits a sample.
    """
    import numpy as np

    rows = range(0, seen.shape[0], CELL)
    columns = range(0, seen.shape[1], CELL)
    flat = np.ones((len(rows) + 2, len(columns) + 2), bool)  # beyond the edge is nothing that could be missed
    for row, y in enumerate(rows, 1):
        band = np.asarray(seen[y : y + CELL], np.float32)
        for column, x in enumerate(columns, 1):
            flat[row, column] = band[:, x : x + CELL].std(axis=(0, 1)).max() < PLAIN
    inside = np.ones((len(rows), len(columns)), bool)
    for down in range(3):
        for right in range(3):
            inside &= flat[down : down + len(rows), right : right + len(columns)]
    return bytes(inside.astype(np.uint8).tobytes())


def blank(seen: Any) -> bytes:
    """The squares of one colour, as :func:`plain` has them: all of a cover, so there is nothing in them to be seen."""
    import numpy as np

    return bytes(
        int(np.ptp(np.asarray(seen[y : y + CELL, x : x + CELL]), axis=(0, 1)).max() == 0)
        for y in range(0, seen.shape[0], CELL)
        for x in range(0, seen.shape[1], CELL)
    )
