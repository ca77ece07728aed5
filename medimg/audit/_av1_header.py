"""The sequence header of an AV1 picture in a copy, field by field (AV1 bitstream specification, 5.5)."""

from __future__ import annotations

from typing import NamedTuple

from medimg.audit._head_bits import Head

POINTS = (range(23), range(19), range(18))
"""Primaries, transfer and matrix that ITU-T H.273 defines."""
OF_RGB = (1, 13, 0)
"""Code points of RGB: full range, not subsampled."""


class Sequence(NamedTuple):
    """What a sequence header says."""

    good: bool
    size: tuple[int, int]
    configuration: bytes
    """The ``av1C`` record that fits it (AV1 codec ISO media file format binding 1.2, 2.3.3), without units."""


def sequence(content: bytes) -> Sequence:
    """Read a sequence header: one operating point of no layers, no timing, no grain, nothing behind.

    Raises:
        Malformed: It is cut short.
    """
    head = Head(content)
    profile = head.bits(3, range(3))
    head.bits(1)
    alone = head.bits(1)
    if not alone:
        head.bits(1 + 1 + 5 + 12, (0,))
    level = head.bits(5)
    tier = head.bits(1) if not alone and level > 7 else 0
    across, down = head.bits(4) + 1, head.bits(4) + 1
    size = head.bits(across) + 1, head.bits(down) + 1
    if not alone and head.bits(1):
        head.bits(7)
    head.bits(3)
    if not alone:
        _tools(head)
    head.bits(3)
    colours = _colours(head, profile)
    head.bits(1, (0,))
    return Sequence(head.ends(), size, bytes((0x81, profile << 5 | level, tier << 7 | colours, 0)))


def _tools(head: Head) -> None:
    """What frames of a video may be coded with."""
    head.bits(4)
    order = head.bits(1)
    head.bits(2 * order)
    chosen = head.bits(1)
    if (chosen or head.bits(1)) and not head.bits(1):
        head.bits(1)
    head.bits(3 * order)


def _colours(head: Head, profile: int) -> int:
    """Seven bits of the configuration: depth, grey or not, subsampling across and down, and where it lies (5.5.2)."""
    high = head.bits(1)
    twelve = head.bits(1) if high and profile == 2 else 0
    grey = head.bits(1) if profile != 1 else 0
    named = head.bits(1)
    points = tuple(head.bits(8, known) for known in POINTS) if named else ()
    across, down, place = 1, 1, 0
    if grey:
        head.bits(1)
    elif points == OF_RGB:
        across = down = 0
    else:
        head.bits(1)
        across, down = {0: (1, 1), 1: (0, 0)}.get(profile, (1, 0))
        if twelve:
            across = head.bits(1)
            down = head.bits(1) if across else 0
        place = head.bits(2, range(3)) if across and down else 0
    if not grey:
        head.bits(1)
    return high << 6 | twelve << 5 | grey << 4 | across << 3 | down << 2 | place
