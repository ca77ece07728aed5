"""Where a cover lies in a JPEG and what its colour is there."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medimg.formats.jpeg._headers import FrameHeader
from medimg.formats.jpeg.job import Fate
from medimg.types import Box, Polygon


def touched(polygon: Polygon, cell_width: int, cell_height: int, columns: int, rows: int) -> NDArray[np.bool_]:
    """Cells of a grid that a polygon shares any area with, (rows, columns).

    A cell is touched when a side of the polygon runs through it or when its centre is inside (non-zero winding, so a
    polygon that crosses itself covers more rather than less). Sides along a grid line touch neither neighbour.
    """
    out = np.zeros((rows, columns), bool)
    sides = list(zip(polygon, (*polygon[1:], polygon[0]), strict=True))
    low = min(p[1] for p in polygon)
    high = max(p[1] for p in polygon)
    first = max(0, math.floor(low / cell_height))
    last = min(rows, math.ceil(high / cell_height))
    centres = (np.arange(columns) + 0.5) * cell_width
    for row in range(first, last):
        top, bottom = row * cell_height, (row + 1) * cell_height
        middle = (top + bottom) / 2
        winding = np.zeros(columns, np.int32)
        for (ax, ay), (bx, by) in sides:
            if max(ay, by) <= top or min(ay, by) >= bottom:
                continue
            if ay == by:
                x0, x1 = min(ax, bx), max(ax, bx)
            else:
                # Share of the way first: a slope may be beyond all numbers.
                x0, x1 = sorted(ax + (min(max(y, top), bottom) - ay) / (by - ay) * (bx - ax) for y in (ay, by))
            # A vertical side on a grid line gives an empty range.
            out[row, min(max(math.floor(x0 / cell_width), 0), columns) : max(math.ceil(x1 / cell_width), 0)] = True
            if ay != by and (ay <= middle < by or by <= middle < ay):
                crossing = ax + (middle - ay) / (by - ay) * (bx - ax)
                winding += np.where(centres >= crossing, 1 if by > ay else -1, 0).astype(np.int32)
        out[row] |= winding != 0
    return out


def mcu_mask(polygons: Sequence[Polygon], frame: FrameHeader) -> NDArray[np.bool_]:
    """MCUs that any polygon touches, (mcus_y, mcus_x)."""
    mask = np.zeros((frame.mcus_y, frame.mcus_x), bool)
    for polygon in polygons:
        mask |= touched(polygon, frame.mcu_width, frame.mcu_height, frame.mcus_x, frame.mcus_y)
    return mask


def boxes(mask: NDArray[np.bool_], frame: FrameHeader) -> list[Box]:
    """The MCUs of a mask as few boxes of pixels, clipped to the picture: runs of a row, joined downwards."""
    done: list[Box] = []
    open_runs: dict[tuple[int, int], int] = {}
    for row in range(mask.shape[0] + 1):
        runs: set[tuple[int, int]] = set()
        if row < mask.shape[0] and mask[row].any():
            edges = np.flatnonzero(np.diff(np.concatenate(([0], mask[row].astype(np.int8), [0]))))
            runs = {(int(a), int(b)) for a, b in edges.reshape(-1, 2)}
        for run in sorted(set(open_runs) - runs):
            box = Box(run[0], open_runs.pop(run), run[1], row)
            w, h = frame.mcu_width, frame.mcu_height
            done.append(Box(box.x0 * w, box.y0 * h, box.x1 * w, box.y1 * h).clipped(frame.width, frame.height))
        for run in runs:
            open_runs.setdefault(run, row)
    return sorted(done, key=lambda b: (b.y0, b.x0))


def fates(mask: NDArray[np.bool_], frame: FrameHeader, inside: Fate) -> list[NDArray[np.uint8]]:
    """What becomes of each block, per component: ``inside`` in the masked MCUs, BEYOND past the picture's edge."""
    out = []
    for c in frame.components:
        fate = np.zeros((len(mask) * c.v, mask.shape[1] * c.h), np.uint8)
        if mask.any():
            fate = np.repeat(np.repeat(mask.astype(np.uint8) * np.uint8(inside), c.v, axis=0), c.h, axis=1)
        columns, rows = frame.shown(c)
        for part in (fate[rows:], fate[:, columns:]):
            part[part == Fate.KEEP] = Fate.BEYOND
        out.append(np.ascontiguousarray(fate))
    return out


def levels(frame: FrameHeader, jfif: bool, transform: int | None, colour: tuple[int, int, int]) -> tuple[float, ...]:
    """Sample value of each component for a colour in RGB, in the colour space decoders will assume.

    The rules are those of libjpeg (jdapimin.c, default_decompress_parms), which every viewer follows: JFIF means
    YCbCr; else an Adobe marker says; else the component ids 'R', 'G', 'B' mean RGB. Four components are inks, stored
    inverted (0 is full ink), as Adobe's are and viewers take all to be.

    Args:
        frame: The frame header.
        jfif: Whether there is a JFIF marker.
        transform: The Adobe marker's transform flag, if there is one.
        colour: Red, green, blue, 0 to 255.
    """
    r, g, b = colour
    if len(frame.components) == 1:
        return (_ycc(r, g, b)[0],)
    if len(frame.components) == 3:
        ids = bytes(c.id for c in frame.components)
        rgb = not jfif and (transform == 0 if transform is not None else ids == b"RGB")
        return (r, g, b) if rgb else _ycc(r, g, b)
    black = 255.0 if any(colour) else 0.0
    if transform in (None, 0):
        return (r, g, b, black)
    return (*_ycc(255 - r, 255 - g, 255 - b), black)


def _ycc(r: float, g: float, b: float) -> tuple[float, float, float]:
    """JFIF 1.02, section 7."""
    y = 0.299 * r + 0.587 * g + 0.114 * b
    return y, 128 + (b - y) / 1.772, 128 + (r - y) / 1.402


def flat_dc(level: float, step: int) -> int:
    """The quantised DC that decodes to a sample value; at either end of the scale it is sure to reach the end."""
    exact = (level - 128) * 8 / step
    if level <= 0:
        return math.floor(exact)
    return math.ceil(exact) if level >= 255 else round(exact)
