"""No cover over a scale: what lies on the place of a ruler's ticks or numerals is part of it, or ends at its edge.

The text check finds the ticks of a ruler twice at times, as the scale that they are and as a word that nobody can read,
and its boxes are roomy: that of a name written beside a scale reaches over the ends of the ticks.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np

from medimg.detect.objects.grounds import Points, share_in
from medimg.detect.objects.judge import Find
from medimg.native.opencv import cv2

PART = 0.6
"""Least share of what nobody could read that lies on a scale for it to be part of that."""
AS_HIGH = 0.55
"""Its least height for that, as a share of the scale's: in the outline of a whole ruler there may be a written name."""
TICKS = re.compile(r"[\W_dluionwmt1]{4,}", re.IGNORECASE)
"""What the reader makes of a row of ticks; with few signs in it, :data:`SIGNS`, and many of each."""
THRICE = re.compile(r"([^\W\d_])\1\1", re.IGNORECASE)
"""A letter three times over, as in no word and no name: of blurred ticks the reader makes all sorts of letters."""
SIGNS = 4
TOUCH = 0.01
"""Share of a find that may lie on a scale all the same."""
HIGH, LONG = 0.35, 0.5
"""Most that a find loses across its letters and along them, as shares of it: its letters fill the rest."""

FIGURES, APART = 3, 10.0
"""So many different figures no farther apart, in their height, are a scale whatever else is seen there."""

STEPS, IN_A_ROW = (1, 5, 10), 4
"""Steps of the figures of a scale, and so many of them are no number by chance."""
MOSTLY = 6
"""So many figures that rise by one of these steps are a scale, though one more between them was not read."""
ROW, BESIDE = 6.0, 2.0
"""How many times as long as high a row of ticks is at least, and how far its figures may be, in their height."""
NUMBERS = re.compile(r"(?<![\w.,/-])\d{1,3}(?![\w.,/-])")
"""A figure of a scale, by itself."""

NUMERALS = re.compile(r"[\W_]*(?:\d{1,3}(?:[\W_]+\d{1,3}){0,11})?[\W_]*(?:c[mrn]|mm|in)?[\W_]*", re.IGNORECASE)
"""Numerals of a scale, or ticks alone; of a unit that ends with the box less than an m is seen."""
DAY = re.compile(r"\d ?/ ?(?!(?:2|4|8|16)\b)\d")
"""A stroke between figures that are no part of an inch: a day and a month."""


def numerals(text: str) -> bool:
    """Whether a line on a ruler is one of its numerals, several that rise evenly, or ticks."""
    values = [int(v) for v in re.findall(r"\d+", text)]
    steps = {b - a for a, b in itertools.pairwise(values)}
    even = not steps or (len(steps) == 1 and min(steps) > 0)
    return even and NUMERALS.fullmatch(text) is not None and not DAY.search(text)


def figures(quads: Sequence[Points], texts: Sequence[str], k: int) -> bool:
    """Whether a figure has others beside it, as those of a scale have.

    Args:
        quads: What is taken for parts of scales, (4, 2) each.
        texts: What was read in them.
        k: Which of them.
    """
    reach = APART * max(_high(quads[k]), 1.0)
    near = [
        number
        for quad, text in zip(quads, texts, strict=True)
        for number in NUMBERS.findall(text)
        if float(np.hypot(*(quad.mean(axis=0) - quads[k].mean(axis=0)))) <= reach
    ]
    return len(set(near)) >= FIGURES


def runs_along(quad: Points, numerals: Sequence[Find]) -> bool:
    """Whether a long find runs along the figures of a scale, as its ticks do.

    Args:
        quad: The find, (4, 2).
        numerals: What is taken for figures of scales.
    """
    (x, y), (wide, high), angle = cv2.minAreaRect(quad)
    if len(numerals) < IN_A_ROW or max(wide, high) < ROW * min(wide, high):
        return False
    reach = 2 * BESIDE * float(np.median([n.high for n in numerals]))
    around = np.asarray(cv2.boxPoints(((x, y), (wide + reach, high + reach), angle)), np.float32)
    return len({n.text for n in numerals if share_in(n.quad, around) >= PART}) >= IN_A_ROW


def counts_up(text: str, least: int = IN_A_ROW) -> bool:
    """Whether a number is the figures of a scale, read without the blanks between them: ``012345``, ``0102030``.

    Args:
        text: As read.
        least: Fewest figures.
    """
    said = text.replace(" ", "")
    if not (said.isascii() and said.isdigit()):
        return False
    for first, step in itertools.product((said[:1], said[:2]), STEPS):
        row, count = first, 1
        while len(row) < len(said):
            row += str(int(first) + step * count)
            count += 1
        if row == said and count >= least:
            return True
    return False


def mostly_counts_up(text: str) -> bool:
    """Whether a line is the figures of a scale with a blank between them, all but one of which were read."""
    words = text.split()
    read = [int(word) for word in words if NUMBERS.fullmatch(word)]
    steps = [b - a for a, b in itertools.pairwise(read)]
    step = min(steps, default=0)
    even = step in STEPS and all(s % step == 0 for s in steps) and sum(s == step for s in steps) >= len(steps) - 1
    return even and len(read) >= MOSTLY and len(words) - len(read) <= 1


def rises(text: str) -> bool:
    """Whether a number is two figures of a scale and more, each of which follows the one before or the next but one."""
    said = text.replace(" ", "")
    return said.isascii() and said.isdigit() and any(_on(said[n:], int(said[:n])) for n in (1, 2, 3) if n < len(said))


def _on(rest: str, last: int) -> bool:
    following = (str(last + step) for step in (1, 2))
    return not rest or any(rest.startswith(f) and _on(rest[len(f) :], int(f)) for f in following)


def ticks(text: str) -> bool:
    """Whether the reader saw nothing, or a row of ticks."""
    signs = {c.lower() for c in text if c.isalnum()}
    few = len(signs) <= min(SIGNS, len(text) // 2)
    return not signs or (few and bool(TICKS.fullmatch(text) or THRICE.search(text)))


def part_of(quad: Points, scales: Sequence[Points]) -> bool:
    """Whether most of a find lies on one scale.

    Args:
        quad: The find, (4, 2).
        scales: What is known to be ticks or numerals, convex, (n, 2) each.
    """
    high = _high(quad)
    return any(share_in(quad, scale) >= PART and high >= AS_HIGH * _high(scale) for scale in scales)


def beside(quad: Points, scales: Sequence[Points]) -> Points | None:
    """A find cut off at the scales it touches; none where that would take its letters away.

    Args:
        quad: The find, (4, 2), its corners in order round it.
        scales: As for :func:`part_of`.
    """
    out = quad
    for scale in scales:
        common, corners = cv2.intersectConvexConvex(out, scale)
        if common > TOUCH * max(float(cv2.contourArea(quad)), 1.0) and corners is not None:
            out = _cut(out, np.asarray(corners.reshape(-1, 2), np.float32))
    ways = (1, 0) if _side(quad, 0) >= _side(quad, 1) else (0, 1)
    for way, most in zip(ways, (HIGH, LONG), strict=True):
        if _side(out, way) < (1 - most) * _side(quad, way):
            return None
    return out


def _high(quad: Points) -> float:
    return float(min(cv2.minAreaRect(quad)[1]))


def _side(quad: Points, which: int) -> float:
    return float(np.hypot(*(quad[which + 1] - quad[which])))


def _cut(quad: Points, common: Points) -> Points:
    """The largest rest of a rectangle that one cut along a side leaves free of a part of it."""
    start, sides = quad[0], (quad[1] - quad[0], quad[3] - quad[0])
    best, most = quad, -1.0
    for k, side in enumerate(sides):
        at = (common - start) @ side / max(float(side @ side), 1e-6)
        low, high = float(np.clip(at.min(), 0, 1)), float(np.clip(at.max(), 0, 1))
        for begin, end in ((0.0, low), (high, 1.0)):
            if end - begin > most:
                most = end - begin
                first, second = start + begin * side, start + end * side
                other = sides[1 - k]
                some = (first, second, second + other, first + other)
                best = np.asarray(some if k == 0 else (some[0], some[3], some[2], some[1]), np.float32)
    return best
