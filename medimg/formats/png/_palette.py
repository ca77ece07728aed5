"""Palette pictures: which entries are used, which look alike, and a palette without anything else."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from medimg.errors import Malformed

BLACK = (0, 0, 0, 255)


class Palette(NamedTuple):
    """The entries of a palette as RGBA, and how a picture uses them.

    Attributes:
        table: (N, 4) uint8, as the file has it.
        used: (N,) bool.
        first: (N,) for each used entry, the first used entry that looks the same.
        mixed: Whether different entries that look the same are used; a picture could hide in the difference.
        veiled: Whether a fully transparent entry that is used has a colour.
        unused: Whether an unused entry holds anything.
    """

    table: NDArray[np.uint8]
    used: NDArray[np.bool_]
    first: NDArray[np.intp]
    mixed: bool
    veiled: bool
    unused: bool

    def colours(self, indices: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W, 3), or (H, W, 4) when a used colour is not opaque; 0 where alpha is 0."""
        seen = np.where(self.table[:, 3:] > 0, self.table, np.uint8(0))
        return seen[indices] if bool((seen[self.used, 3] < 255).any()) else seen[:, :3][indices]

    def clean(self) -> NDArray[np.uint8]:
        """The table up to its last entry in use; entries that look like an earlier one, or are unused, are black."""
        keep = self.used & (self.first == np.arange(len(self.table)))
        seen = np.where(self.table[:, 3:] > 0, self.table, np.uint8(0))
        out = np.where(keep[:, None], seen, np.array(BLACK, np.uint8))
        return out[: int(np.flatnonzero(keep)[-1]) + 1]


def read(plte: bytes, trns: bytes, indices: NDArray[np.uint8]) -> Palette:
    """Compare a palette with the picture.

    Raises:
        Malformed: An index is beyond the palette; viewers show such pixels differently.
    """
    table = np.full((len(plte) // 3, 4), 255, np.uint8)
    table[:, :3] = np.frombuffer(plte, np.uint8).reshape(-1, 3)
    table[: len(trns), 3] = np.frombuffer(trns, np.uint8)
    if int(indices.max()) >= len(table):
        raise Malformed("the picture uses colours its palette does not have.")
    used = np.bincount(indices.ravel(), minlength=len(table)) > 0
    first = np.arange(len(table))
    by_look: dict[tuple[int, ...], int] = {}
    for k in np.flatnonzero(used).tolist():
        look = tuple(table[k].tolist()) if table[k, 3] else (0, 0, 0, 0)
        first[k] = by_look.setdefault(look, k)
    mixed = bool((first[used] != np.flatnonzero(used)).any())
    veiled = bool(table[used & (table[:, 3] == 0), :3].any())
    unused = bool((table[~used] != np.array(BLACK, np.uint8)).any())
    return Palette(table, used, first, mixed, veiled, unused)


def chunks(table: NDArray[np.uint8]) -> tuple[bytes, bytes]:
    """Payloads of PLTE and tRNS; the second empty when every entry is opaque."""
    alpha = table[:, 3]
    veiled = np.flatnonzero(alpha < 255)
    trns = alpha[: int(veiled[-1]) + 1].tobytes() if len(veiled) else b""
    return np.ascontiguousarray(table[:, :3]).tobytes(), trns


def in_order(table: NDArray[np.uint8], indices: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The colours in use by alpha, red, green and blue, and the picture in them: another order could say anything."""
    used = np.flatnonzero(np.bincount(indices.ravel(), minlength=len(table)))
    order = used[np.lexsort(table[used][:, (2, 1, 0, 3)].T)]
    place = np.zeros(len(table), np.uint8)
    place[order] = np.arange(len(order))
    return table[order], place[indices]


def with_colour(
    table: NDArray[np.uint8], palette: Palette, colour: tuple[int, int, int, int], entries: int = 256
) -> tuple[NDArray[np.uint8], int] | None:
    """A clean table of ``palette`` that has a colour, and its index; None when ``entries`` do not suffice."""
    keep = (palette.used & (palette.first == np.arange(len(palette.table))))[: len(table)]
    wanted = np.array(colour, np.uint8)
    there = np.flatnonzero(keep & (table == wanted).all(axis=1))
    if len(there):
        return table, int(there[0])
    free = np.flatnonzero(~keep)
    if len(free):
        table = table.copy()
        table[free[0]] = wanted
        return table, int(free[0])
    if len(table) >= entries:
        return None
    return np.vstack((table, wanted[None])), len(table)
