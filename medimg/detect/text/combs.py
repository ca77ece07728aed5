"""Signs written one to a box, as forms ask for names, dates and numbers: they stand as evenly as a scale's figures.

To the finder each is a line by itself. Of the figures of a number some rise by chance, so they are no scale unless
nearly all of the row do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medimg.detect.text.labels import Line
from medimg.detect.text.lines import area, around, shared, sides

LEAST = 4
"""Signs of the shortest row that is told from chance."""
FEW = 2
"""Signs of the shortest row beside another of the same form."""
SURE = 0.6
"""Least certainty of a sign."""
MOST = 240
"""Signs of a picture that are tried; with more it is a page of something else."""
CLOSEST, FARTHEST = 0.7, 3.2
"""How far from middle to middle the signs of a row stand, in their height."""
ALIKE = 1.7
"""How many times as high as another one a sign of its row may be."""
EVEN, LEVEL = 0.22, 0.35
"""What such a distance may differ by, as a share of it, and how far a sign may be off the line, in its height."""
PARALLEL = 0.98
"""Least cosine between two rows of a form."""
INSIDE = 0.5
"""Share of a line in a row that makes it part of that."""
PAIRED = 0.5
"""Share of single signs up to which a row is no form: figures of two digits at even distances are a tape's."""
GAP = 2
"""A box may be empty, or its sign not found: so many distances to the next one."""
STROKES = frozenset("iljo|")
"""What ticks and noughts of a ruler are read as; a row of these alone spells nothing."""
LYING = frozenset("-\u2013\u2014\u2015\u4e00\u30fc")
"""What the ticks of a scale beside figures are read as that lie on their side, each with its figure or alone."""
HEADLONG = str.maketrans("69", "96")
"""What figures of a scale are read as that stands on its head."""
STEPS = (1, 2, 5, 10, -1, -2, -5, -10)
"""What a scale's figures rise or fall by."""
RISING = 0.6
"""Least share of a row of figures that rise evenly for it to be a scale, and no fewer than :data:`LEAST` of five and
more: a number of eight digits does so once in a hundred, a date once in five hundred."""


class Row(NamedTuple):
    """Signs that stand evenly.

    Attributes:
        signs: How many boxes each is from the first, and which it is.
        pitch: From box to box, in pixels.
        way: Direction, a unit vector.
    """

    signs: list[tuple[int, int]]
    pitch: float
    way: NDArray[np.float32]


def joined(lines: Sequence[Line]) -> list[Line]:
    """The lines, with every row of single signs that spells something, and is no scale, made one line.

    Args:
        lines: What was read, in any order.
    """
    at = [k for k, line in enumerate(lines) if line.certainty >= SURE and 0 < len(_signs(line.text)) <= 2]
    if not LEAST <= len(at) <= MOST:
        return list(lines)
    rows = sorted(_rows([lines[k] for k in at]), key=lambda row: -len(row.signs))
    gone: set[int] = set()
    whole: list[Line] = []
    kept: list[Row] = []
    for alone in (True, False):
        for row in rows:
            signs = [(step, at[k]) for step, k in row.signs if at[k] not in gone]
            said = [(step, lines[k].text) for step, k in signs]
            like = any(_alike(row, other) for other in kept)
            if not (len(signs) >= LEAST and not _rises(said) if alone else len(signs) >= FEW and like):
                continue
            if sum(len(_signs(text)) == 1 for _, text in said) <= PAIRED * len(said):
                continue
            line = _one(lines, signs, row.pitch)
            kept.append(row)
            whole.append(line)
            # The same signs may have been found at two sizes.
            quad = line.spot.quad
            gone |= {k for k, some in enumerate(lines) if shared(quad, some.spot.quad) > INSIDE * area(some.spot.quad)}
    return [line for k, line in enumerate(lines) if k not in gone] + whole


def _alike(row: Row, other: Row) -> bool:
    """Whether two rows run the same way in boxes of one size, as those of one form."""
    even = abs(row.pitch - other.pitch) <= EVEN * other.pitch / 2
    return even and abs(float(row.way @ other.way)) >= PARALLEL


def _one(lines: Sequence[Line], row: Sequence[tuple[int, int]], pitch: float) -> Line:
    """The signs of a row as one line; an empty box is a space.

    The next box at either end is taken in: the sign in it may not have been read.
    """
    said, last = "", 0
    for step, k in row:
        said += " " * (step - last - 1) * bool(said) + lines[k].text.strip()
        last = step
    members = [lines[k] for _, k in row]
    first, final = (members[n].spot.quad.mean(axis=0) for n in (0, -1))
    way = np.asarray((final - first) / max(float(np.hypot(*(final - first))), 1e-6), np.float32)
    beyond = [line.spot.quad + by * pitch * way for line, by in ((members[0], -1), (members[-1], 1))]
    quad = around([*beyond, *(line.spot.quad for line in members)], way)
    spot = members[0].spot._replace(quad=quad, score=max(line.spot.score for line in members))
    return replace(
        members[0], spot=spot, text=said, certainty=float(np.mean([m.certainty for m in members])), cover=quad
    )


def _rows(lines: Sequence[Line]) -> list[Row]:
    """Every even row of signs."""
    middles = np.asarray([line.spot.quad.mean(axis=0) for line in lines], np.float32)
    high = np.asarray([_high(line) for line in lines], np.float32)
    away = middles[None] - middles[:, None]
    far = np.hypot(away[..., 0], away[..., 1])
    alike = (high[None] < ALIKE * high[:, None]) & (high[:, None] < ALIKE * high[None])
    near = alike & (far > CLOSEST * high[:, None]) & (far < FARTHEST * high[:, None])
    out = []
    for i, j in zip(*np.nonzero(near), strict=True):
        way = away[i, j] / far[i, j]
        if way[0] + 0.01 * way[1] < 0:
            continue  # the same row from its other end
        along, beside = away[i] @ way, np.abs(away[i] @ np.asarray((-way[1], way[0])))
        on = np.flatnonzero(alike[i] & (beside < LEVEL * high[i] + 0.02 * np.abs(along)) & (along > -0.5 * high[i]))
        row = _run(on[np.argsort(along[on])], along, float(far[i, j]))
        if len(row) >= FEW:
            out.append(Row(row, float(far[i, j]), way))
    return out


def _signs(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum() or c == "|")


def _high(line: Line) -> float:
    long, high = sides(line.spot.quad)
    return max(high, 0.7 * long)  # of a "1" the height is the longer side


def _run(order: NDArray[np.intp], along: NDArray[np.float32], pitch: float) -> list[tuple[int, int]]:
    """From the first of a row those that follow evenly, each with how many boxes it is from the first."""
    out: list[tuple[int, int]] = []
    step, last = 0, 0.0
    for k in order:
        if not out:
            out.append((0, int(k)))
            last = float(along[k])
            continue
        boxes = (float(along[k]) - last) / pitch
        whole = round(boxes)
        if whole > GAP:
            break
        if whole and abs(boxes - whole) <= EVEN:
            step, last = step + whole, float(along[k])
            out.append((step, int(k)))
    return out


def _rises(row: Sequence[tuple[int, str]]) -> bool:
    """Whether a row is a scale, or nothing but strokes."""
    said = [(step, _signs(text)) for step, text in row]
    lying = sum(bool(LYING.intersection(text)) for _, text in row)
    if 2 * lying >= len(row) or all(set(signs) <= STROKES | {"1", "0"} for _, signs in said):
        return True
    values = [(step, _values(signs)) for step, signs in said if signs.isdecimal()]
    # Where each figure says that the scale is nought, if it rises by so much a box.
    starts = [Counter(value - way * step for step, some in values for value in some) for way in STEPS]
    agreeing = max((max(counts.values(), default=0) for counts in starts), default=0)
    counted = sum(not set(signs) <= STROKES for _, signs in said)
    return agreeing >= max(min(len(row) - 1, LEAST), RISING * counted)


def _values(signs: str) -> set[int]:
    """What figures may stand for: a number, either way up, or one each of two scales (centimetres and inches)."""
    return {int(signs), int(signs.translate(HEADLONG)[::-1]), *map(int, signs)}
