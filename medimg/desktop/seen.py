"""Which parts of a photo a person has had on the screen at full size.

The photo is divided into squares. A square counts once all of it stayed in view for a moment, with at least one pixel
of the screen for each of its own; inside large areas of plain ground half of that is enough, and the page says so. What
lies under a solid cover or outside a crop does not have to be seen until it shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from medimg.run.squares import CELL

FULL, HALF = 0.995, 0.495
"""Pixels of the screen for one of the photo, at least; a hair less than 1 and a half for what rounding takes."""
OVERLAP = CELL + 8
"""What two parts of the walk have in common, in pixels of the photo: every square is whole in one of them."""

_HAIR = 1.0
"""Pixels that a view may begin late or end early: it begins at a whole pixel of the screen."""

Rect = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels of the upright photo."""


class Step(msgspec.Struct, frozen=True):
    """A part of the walk through a photo.

    Attributes:
        rect: What to show.
        zoom: Pixels of the screen for one of the photo.
    """

    rect: Rect
    zoom: float


class Seen:
    """What was seen of one photo.

    Args:
        width: Of the upright photo, in pixels.
        height: Likewise.
        plain: One byte for each square, row by row: 1 where it lies inside a large plain area.
    """

    def __init__(self, width: int, height: int, plain: bytes = b"") -> None:
        self.width, self.height = width, height
        self.across, self.down = -(-width // CELL), -(-height // CELL)
        number = self.across * self.down
        self.plain = plain if len(plain) == number else bytes(number)
        self._seen = bytearray(number)
        self._free = bytearray(number)  # under a cover, or cut off: nothing to see there

    def fits(self, width: int, height: int) -> bool:
        """Whether it is of a picture of this size."""
        return (self.width, self.height) == (width, height)

    def cell(self, index: int) -> Rect:
        """The square with this index."""
        row, column = divmod(index, self.across)
        x, y = column * CELL, row * CELL
        return x, y, min(x + CELL, self.width), min(y + CELL, self.height)

    def cells(self, rect: Rect, *, whole: bool) -> Iterator[int]:
        """Squares that lie in a rectangle with all (``whole``) or any of them."""
        x0, y0, x1, y1 = rect
        if whole:
            x0, y0, x1, y1 = x0 - _HAIR, y0 - _HAIR, x1 + _HAIR, y1 + _HAIR
            # The last row and column may be cut short by the edge of the photo.
            first = (-int(-x0 // CELL), -int(-y0 // CELL))
            last = (
                self.across if x1 >= self.width else int(x1 // CELL),
                self.down if y1 >= self.height else int(y1 // CELL),
            )
        else:
            first, last = (int(x0 // CELL), int(y0 // CELL)), (-int(-x1 // CELL), -int(-y1 // CELL))
        for row in range(max(first[1], 0), min(last[1], self.down)):
            for column in range(max(first[0], 0), min(last[0], self.across)):
                yield row * self.across + column

    def hide(self, hidden: Iterable[int]) -> None:
        """Say which squares show nothing of the photo now."""
        self._free = bytearray(len(self._free))
        for index in hidden:
            self._free[index] = 1

    def look(self, rect: Rect, zoom: float) -> bool:
        """Something was in view for a moment; whether that was new.

        Args:
            rect: What was in view the whole time.
            zoom: Pixels of the screen for one of the photo.
        """
        if zoom < HALF:
            return False
        new = False
        for index in self.cells(rect, whole=True):
            if self.open(index) and (zoom >= FULL or self.plain[index]):
                self._seen[index] = 1
                new = True
        return new

    def open(self, index: int) -> bool:
        """Whether a square has still to be seen."""
        return not (self._seen[index] or self._free[index])

    def left(self) -> int:
        """Squares that have still to be seen."""
        return sum(not (seen or free) for seen, free in zip(self._seen, self._free, strict=True))

    def share(self) -> float:
        """Share of what has to be seen that was, 0 to 1."""
        wanted = len(self._free) - sum(self._free)
        return 1.0 if not wanted else 1.0 - self.left() / wanted

    def next_step(self, view: tuple[float, float], after: Rect | None = None) -> Step | None:
        """Where to look next: everything at full size first, then what is plain at half.

        Args:
            view: Size of the view, in pixels of the screen.
            after: What is in view: the next part behind it is taken, and after the last the first.
        """
        for zoom in (1.0, 0.5):
            waiting = [
                rect
                for rect in self._tiles((view[0] / zoom, view[1] / zoom))
                if any(self.open(n) and (zoom < 1 or not self.plain[n]) for n in self.cells(rect, whole=True))
            ]
            if waiting:
                return Step(_behind(waiting, after), zoom)
        return None

    def _tiles(self, size: tuple[float, float]) -> list[Rect]:
        """The photo in parts of the size of the view, row by row."""
        lefts, tops = _starts(self.width, size[0]), _starts(self.height, size[1])
        return [(x, y, min(x + size[0], self.width), min(y + size[1], self.height)) for y in tops for x in lefts]


def _starts(length: int, view: float) -> list[float]:
    """Where the parts of a side begin: evenly, each with a seam in common with the next."""
    if view >= length:
        return [0.0]
    number = -int(-(length - OVERLAP) // max(view - OVERLAP, 1))
    return [n * (length - view) / (number - 1) for n in range(number)] if number > 1 else [0.0]


def _behind(tiles: list[Rect], after: Rect | None) -> Rect:
    if after is None:
        return tiles[0]
    place = (after[1], after[0])
    half = (0.25 * (after[3] - after[1]), 0.25 * (after[2] - after[0]))
    same_row = [t for t in tiles if abs(t[1] - place[0]) <= half[0] and t[0] > place[1] + half[1]]
    lower = [t for t in tiles if t[1] > place[0] + half[0]]
    return (same_row or lower or tiles)[0]
