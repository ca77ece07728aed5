"""The entropy-coded segments of a scan, between restart markers (ITU-T T.81, B.1.1.5 and F.1.2.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from medimg.formats.jpeg.job import DAMAGED, ENDS_EARLY, RESTART, Job, ScanFault

_MARKER = re.compile(rb"\xff+[^\x00\xff]")


@dataclass(frozen=True)
class Segment:
    """One segment.

    Attributes:
        data: Its bytes without stuffing.
        number: Which it is, from 0.
        first: Its first MCU.
        last: The MCU after its last.
        more: Whether another follows.
        end: Where the marker after it stands.
    """

    data: bytes
    number: int
    first: int
    last: int
    more: bool
    end: int


def segments(job: Job, data: bytes, start: int) -> Iterator[Segment]:
    """The segments in order; each is looked for when the one before has been used.

    Raises:
        ScanFault: A marker is missing or the wrong one.
    """
    total = job.mcus_x * job.mcus_y
    step = job.restart or total
    at = start
    for number, first in enumerate(range(0, total, step)):
        found = _MARKER.search(data, at)
        if not found:
            raise ScanFault(ENDS_EARLY)
        raw = data[at : found.start()]
        if raw.count(b"\xff") != raw.count(b"\xff\0"):
            raise ScanFault(DAMAGED)
        last = min(first + step, total)
        more = last < total
        # Fill bytes before a marker belong to it.
        yield Segment(raw.replace(b"\xff\0", b"\xff"), number, first, last, more, found.end() - 2)
        if more and data[found.end() - 1] != 0xD0 + number % 8:
            raise ScanFault(RESTART)
        at = found.end()


def unused(at: int, end: int) -> int:
    """Whole bytes left when ``at`` of ``end`` bits were read."""
    return (end - at) // 8
