"""Reading every symbol of a JPEG: whether its coded data hold what no decoder heeds, and what of its tables is used.

A Huffman code that no symbol uses, and a quantisation step that no coefficient uses, could say anything. The tables of
the standard are kept as they are; in others what is not used gets a value that says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from medimg.errors import CheckNotRun, Malformed
from medimg.formats.jpeg import _place, kernel
from medimg.formats.jpeg._rewrite import Goal, coded, frame_of, job_of
from medimg.formats.jpeg._segments import Jpeg, Place
from medimg.formats.jpeg.job import Fate, ScanFault
from medimg.formats.jpeg.tables import STANDARD, Table, is_standard_steps


@dataclass
class Reading:
    """What was read.

    Attributes:
        loose: Whether the coded data hold what no decoder heeds; see :class:`~medimg.formats.jpeg.job.Scanned`.
        past: Whether blocks past the edge hold anything. A size that was made smaller in the header leaves up to 15
            rows or columns there, more where sampling is rare.
        met: The symbols that were read with each Huffman table.
        steps: Of each quantisation table, bit k set where step k is used.
    """

    loose: bool = False
    past: bool = False
    met: defaultdict[Place, set[int]] = field(default_factory=lambda: defaultdict(set))
    steps: defaultdict[Place, int] = field(default_factory=lambda: defaultdict(lambda: 1))


def read(jpeg: Jpeg) -> Reading:
    """Read every symbol.

    Raises:
        Malformed: They are damaged or cut short; decoders fill such places with grey.
    """
    try:
        return _read(jpeg)
    except (CheckNotRun, ScanFault) as error:
        raise Malformed("the picture data of the JPEG are damaged.") from error


def _read(jpeg: Jpeg) -> Reading:
    frame, out = frame_of(jpeg), Reading()
    fates = _place.fates(np.zeros((frame.mcus_y, frame.mcus_x), bool), frame, Fate.FLAT)
    seen = [np.zeros(f.shape, np.uint64) for f in fates if frame.progressive]
    goal = Goal(fates, [0] * len(fates))
    for _, scan in sorted(jpeg.scans.items()):
        job = job_of(scan, frame, goal, seen)
        data, start, end = coded(jpeg, scan)
        said = kernel.load().read(job, data, start)
        if said.end != end:
            raise ScanFault("the picture data are damaged.")
        out.loose |= said.loose
        out.past |= said.past
        for slot, place in scan.places.items():
            out.met[place] |= said.met[slot]
        for part, (n, _, _), place, nonzero in zip(job.parts, scan.header.parts, scan.steps, said.nonzero, strict=True):
            out.steps[place] |= nonzero
            if part.seen_after is not None:
                seen[n] = part.seen_after
    return out


def without_unused(jpeg: Jpeg, reading: Reading) -> dict[Place, bytes]:
    """What stands in the place of tables that could say more than the picture needs."""
    out = {}
    for place, symbols in reading.met.items():
        name, table = _table(jpeg, place)
        if table not in STANDARD:
            out[place] = name + used_codes(table, symbols)
    for place, used in reading.steps.items():
        name, steps = _table(jpeg, place)
        if not is_standard_steps(steps):
            out[place] = name + b"".join(used_steps(steps, used))
    return out


def _table(jpeg: Jpeg, place: Place) -> tuple[bytes, bytes]:
    """The byte that names a table, and the table."""
    number, begin, end = place
    start = jpeg.parts[number].start
    return jpeg.data[start + begin : start + begin + 1], jpeg.data[start + begin + 1 : start + end]


def used_codes(table: Table, symbols: set[int]) -> Table:
    """The same codes for the symbols that are used; the lowest other numbers at the others before the last of them."""
    last = max((k for k, s in enumerate(table[16:]) if s in symbols), default=-1) + 1
    others = (s for s in range(256) if s not in symbols)
    values = bytes(s if s in symbols else next(others) for s in table[16 : 16 + last])
    counts, left = [], last
    for count in table[:16]:
        counts.append(min(count, left))
        left -= counts[-1]
    return bytes(counts) + values


def used_steps(steps: bytes, used: int) -> Iterable[bytes]:
    """The same steps where they are used; elsewhere the one before."""
    size = len(steps) // 64
    last = b""
    for k in range(64):
        if used >> k & 1:
            last = steps[k * size : (k + 1) * size]
        yield last
