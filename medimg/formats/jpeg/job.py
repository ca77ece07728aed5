"""What is asked of an engine: rewrite one scan. The compiled kernel answers; the tests have a twin in Python."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from medimg.formats.jpeg.tables import Table

MAX_DC, MIN_DC = 2047, -2048
MAX_DC_SIZE, MAX_AC_SIZE = 11, 10
"""Largest magnitude categories of 8-bit samples (T.81, Tables F.1 and F.2)."""


class Mode(IntEnum):
    """What a scan holds (T.81, F.1 and G.1)."""

    SEQUENTIAL = 0
    DC_FIRST = 1
    DC_REFINE = 2
    AC_FIRST = 3
    AC_REFINE = 4


class Fate(IntEnum):
    """What becomes of a block."""

    KEEP = 0
    FLAT = 1
    BEYOND = 2
    """Fills up the last MCU beyond the picture's edge: never shown, so it repeats its neighbour's DC and no more."""
    DROP = 3


class ScanFault(Exception):
    """The scan could not be rewritten; the message is plain words without any content of the file."""


class NoCode(Exception):
    """A symbol that is needed has no code in the tables to write with."""


@dataclass
class Part:
    """One component of a scan.

    Attributes:
        fate: (rows, columns) of blocks, a :class:`Fate` each.
        seen: Same shape, bit k set where coefficient k was non-zero before this scan; only in progressive files.
        seen_after: The same after this scan; filled by the engine.
        h: Blocks of an MCU across.
        v: Blocks of an MCU down.
        flat: Quantised DC of a FLAT block.
        dc: DC table slot.
        ac: AC table slot.
    """

    fate: NDArray[np.uint8]
    seen: NDArray[np.uint64] | None
    seen_after: NDArray[np.uint64] | None
    h: int
    v: int
    flat: int
    dc: int
    ac: int


@dataclass
class Job:
    """One scan.

    ``tables`` are those the scan was written with, by slot: 0 to 3 DC, 4 to 7 AC. ``low``, ``high`` and ``kx``
    condition arithmetic coding (T.81, F.1.4.4). A scan that was arithmetic is written with Huffman codes.
    """

    mode: Mode
    arithmetic: bool
    ss: int
    se: int
    al: int
    restart: int
    keep_restarts: bool
    mcus_x: int
    mcus_y: int
    parts: list[Part]
    tables: dict[int, Table] = field(default_factory=dict)
    low: bytes = bytes(4)
    high: bytes = b"\1\1\1\1"
    kx: bytes = b"\5\5\5\5"

    @property
    def blocks(self) -> int:
        """Blocks in the scan."""
        return self.mcus_x * self.mcus_y * sum(p.h * p.v for p in self.parts)


@dataclass(frozen=True)
class Rewritten:
    """A scan's new entropy-coded data.

    Attributes:
        data: With restart markers and stuffing.
        end: Where in the file the marker after the scan stands.
        extra: Most bytes that lay unread before a marker.
    """

    data: bytes
    end: int
    extra: int


@dataclass(frozen=True)
class Scanned:
    """What was read of a scan.

    Attributes:
        end: Where in the file the marker after it stands.
        loose: Whether it holds what no decoder heeds: bytes behind a last block, bits that fill up a byte and are not
            ones (T.81, F.1.2.3), zeros that nothing follows and that the end of the block would say (F.1.2.2).
        past: Whether blocks past the edge hold anything; only in sequential files.
        met: The symbols that were read, by table slot.
        nonzero: For each of its components, bit k set where coefficient k of a block that is shown is not 0.
    """

    end: int
    loose: bool
    past: bool
    met: dict[int, frozenset[int]]
    nonzero: tuple[int, ...]


class Engine(Protocol):
    """Rewrites scans."""

    name: str

    def rewrite(self, job: Job, data: bytes, start: int, tables: dict[int, Table]) -> Rewritten:
        """Write the scan whose entropy-coded data begin at ``start``, with ``tables``.

        Raises:
            ScanFault: The scan is damaged.
            NoCode: ``tables`` lack a symbol.
        """
        ...

    def count(self, job: Job, data: bytes, start: int) -> dict[int, list[int]]:
        """How often each symbol would be written, by table slot.

        Raises:
            ScanFault: The scan is damaged.
        """
        ...


ENDS_EARLY = "the picture data end early: the file is cut short or damaged."
DAMAGED = "the picture data are damaged."
RESTART = "a restart marker is missing or out of order: the picture data are damaged."
