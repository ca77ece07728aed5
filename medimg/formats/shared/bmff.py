"""Reading and building ISO base media boxes (ISO/IEC 14496-12, 4.2), bounded.

Only what a HEIF still picture needs: no fragments, no external data.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from medimg.errors import Malformed

MAX_BOXES = 100_000


class Span(NamedTuple):
    """One box: its type, where it starts, where its payload starts and ends."""

    type: bytes
    start: int
    body: int
    end: int


def boxes(data: bytes, start: int, end: int) -> Iterator[Span]:
    """The boxes between two offsets.

    Raises:
        Malformed: A size is smaller than its header or runs past ``end``, or there are too many boxes.
    """
    count = 0
    while start < end:
        if end - start < 8:
            raise Malformed("a box header is cut short.")
        size, kind = struct.unpack_from(">I4s", data, start)
        header = 8
        if size == 1:
            if end - start < 16:
                raise Malformed("a box header is cut short.")
            size, header = struct.unpack_from(">Q", data, start + 8)[0], 16
        elif size == 0:
            size = end - start
        if size < header or size > end - start:
            raise Malformed("a box is larger than the space it stands in.")
        count += 1
        if count > MAX_BOXES:
            raise Malformed("there are too many boxes.")
        yield Span(kind, start, start + header, start + size)
        start += size


def top_boxes(data: bytes) -> tuple[list[Span], int]:
    """The boxes of a file, and where the last whole one ends.

    What follows may be anything: some phones leave a scrap of XML there, and every viewer passes over it. Whoever reads
    the boxes has to see to it that none of the picture stands behind that place: then the file is cut short.

    Raises:
        Malformed: The file does not begin with a whole box, or there are too many.
    """
    found: list[Span] = []
    try:
        for one in boxes(data, 0, len(data)):
            found.append(one)
    except Malformed:
        if not found or len(found) >= MAX_BOXES:
            raise
    return found, found[-1].end if found else 0


class Reader:
    """Big-endian integers from a byte string, never past ``end``."""

    def __init__(self, data: bytes, start: int, end: int) -> None:
        self.data, self.at, self.end = data, start, end

    def uint(self, size: int) -> int:
        """An unsigned integer of ``size`` bytes; 0 for size 0."""
        return int.from_bytes(self.take(size), "big")

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes.

        Raises:
            Malformed: There are fewer.
        """
        if size < 0 or size > self.end - self.at:
            raise Malformed("a field runs past the end of its box.")
        out = self.data[self.at : self.at + size]
        self.at += size
        return out

    def text(self) -> bytes:
        """A NUL-terminated string, or the rest where no NUL stands."""
        stop = self.data.find(b"\0", self.at, self.end)
        if stop < 0:
            return self.take(self.end - self.at)
        out = self.take(stop - self.at)
        self.at += 1
        return out

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return self.end - self.at


def box(kind: bytes, *payload: bytes) -> bytes:
    """A box with a 32-bit size."""
    body = b"".join(payload)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, version: int, *payload: bytes, flags: int = 0) -> bytes:
    """A box with version and flags (ISO/IEC 14496-12, 4.2.2)."""
    return box(kind, struct.pack(">I", version << 24 | flags), *payload)
