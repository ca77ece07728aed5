"""Lines that stay, and covers beside them: none of them is cut lengthwise, so that halves of its letters would stand.

A cover has a margin, and in a JPEG it grows to whole blocks of pixels. Between lines of print there is less room than
that. A line that would be cut is spared, where covers beside it without their margin let it stand; else the whole of it
is to be covered, unless that would cut the next one: it tells nothing, whether a part of it stands or none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from medimg import geometry
from medimg.covers.shapes import TIGHT, Margins, cover_polygon
from medimg.types import Box, Finding, Polygon, bounding_box
from medimg.vocabulary import Kind

Block = tuple[int, int]
"""Width and height of the blocks that covers grow to, in pixels; one by one where they do not grow."""
ROWS = 10
"""Places across the letters of a line that are looked at; along it one every half of its height."""
AS_LONG = 2
"""So many of them along a line are as long as it is high: a cover that ends across it cuts no more than a letter."""
LEAST, MOST = 0.1, 0.95
"""Share of the height of letters from which they are cut, and above which they are hidden."""
MOSTLY = 0.5
"""Share of a line above which what is left of it says nothing."""


class Mended(NamedTuple):
    """What keeps lines from being cut: which covers lose their margin, and which lines are covered."""

    tight: frozenset[int]
    covered: frozenset[int]


def uncut(covered: Mapping[int, Finding], kept: Mapping[int, Finding], margins: Margins, block: Block) -> Mended:
    """Which covers lose their margin and which lines are covered too, so that none is cut.

    Args:
        covered: What is covered in one picture, by any number.
        kept: Lines that stay in it, by numbers of their own.
        margins: How large covers are.
        block: What they grow to.
    """
    grown = {k: _Cover(cover_polygon(f, margins), block) for k, f in covered.items()}
    tight: set[int] = set()
    more: set[int] = set()
    left = dict(kept)
    while cut := [k for k, f in left.items() if _cut(f, grown.values())]:
        for k in cut:
            spared = {
                n: _Cover(cover_polygon(_tight(covered[n]), margins), block)
                for n in covered.keys() - tight
                if covered[n].kind == Kind.TEXT and grown[n].near(left[k])
            }
            if spared and not _cut(left[k], {**grown, **spared}.values()):
                tight |= spared.keys()
                grown |= spared
            elif _cut(line := left[k], grown.values()):
                del left[k]
                whole = _Cover(cover_polygon(_tight(line), margins), block)
                # A cover for the looks of it takes no further line along: on a slanted packet none would be left.
                if not any(_cut(f, [*grown.values(), whole]) for n, f in left.items() if n not in cut):
                    more.add(k)
                    grown[k] = whole
    return Mended(frozenset(tight), frozenset(more))


class _Cover:
    """A cover as it is filled: a polygon, and every block it touches."""

    def __init__(self, polygon: Polygon, block: Block) -> None:
        self._polygon, self._block = polygon, block
        self._touched: dict[tuple[int, int], bool] = {}
        box, (w, h) = bounding_box(polygon) if polygon else Box(0, 0, 0, 0), block
        self._box = Box(box.x0 // w * w, box.y0 // h * h, -(-box.x1 // w) * w, -(-box.y1 // h) * h)

    def near(self, line: Finding) -> bool:
        """Whether it may hide part of a line."""
        return line.region is not None and self._box.overlap(line.region.box) > 0

    def hides(self, x: float, y: float) -> bool:
        """Whether it hides a place."""
        if not (self._box.x0 <= x < self._box.x1 and self._box.y0 <= y < self._box.y1):
            return False
        w, h = self._block
        cell = (math.floor(x / w), math.floor(y / h))
        if cell not in self._touched:
            there = geometry.inside(geometry.moved(self._polygon, -cell[0] * w, -cell[1] * h), w, h)
            self._touched[cell] = len(there) >= 3 and geometry.area(there) > 0
        return self._touched[cell]


def _tight(finding: Finding) -> Finding:
    return msgspec.structs.replace(finding, tight=True)


def _cut(line: Finding, covers: Iterable[_Cover]) -> bool:
    """Whether covers run along a line for longer than it is high, or leave less than half of it."""
    polygon = line.region.polygon if line.region else ()
    near = [cover for cover in covers if cover.near(line)]
    if not near or len(polygon) != 4:
        return False
    shares = [sum(any(c.hides(*p) for c in near) for p in column) / ROWS for column in _columns(polygon)]
    through = sum(LEAST < share < MOST for share in shares)
    hidden = sum(shares) / len(shares)
    return through > AS_LONG or MOSTLY < hidden < MOST


def _columns(polygon: Polygon) -> Iterator[list[tuple[float, float]]]:
    """Places across the letters of a line, one row of them every half of its height."""
    a, b, c, d = polygon
    if geometry.distance(a, b) + geometry.distance(c, d) < geometry.distance(b, c) + geometry.distance(d, a):
        a, b, c, d = b, c, d, a
    high = max((geometry.distance(a, d) + geometry.distance(b, c)) / 2, 1.0)
    count = max(2, math.ceil(2 * geometry.distance(a, b) / high))
    for k in range(count):
        along = (k + 0.5) / count
        top, foot = _between(a, b, along), _between(d, c, along)
        # The boxes of lines are roomy: letters stand within.
        yield [_between(top, foot, TIGHT + (1 - 2 * TIGHT) * (row + 0.5) / ROWS) for row in range(ROWS)]


def _between(a: tuple[float, float], b: tuple[float, float], share: float) -> tuple[float, float]:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
