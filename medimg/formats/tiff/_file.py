"""Reading and building TIFF structure (TIFF 6.0, section 2; BigTIFF), bounded."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from medimg.errors import Malformed

MAX_ENTRIES = 4096
MAX_IFDS = 1000

# Field type -> bytes of one value (TIFF 6.0, section 2; BigTIFF types 16 to 18).
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
INTEGERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
UNSAID, MULTIPLIED, ALPHA = 0, 1, 2
"""ExtraSamples (TIFF 6.0, section 18): no word, alpha that the colours are multiplied by, alpha that they are not."""
NO_COLOURS = "this TIFF has channels that are no colours."


@dataclass(frozen=True)
class Entry:
    """One field of an image file directory: its type, count and raw value bytes."""

    tag: int
    type: int
    count: int
    raw: bytes
    at: int
    """Where the value stands in the file."""


@dataclass
class Ifd:
    """One image file directory."""

    entries: dict[int, Entry] = field(default_factory=dict)
    spans: list[tuple[int, int]] = field(default_factory=list)
    """(start, end) of every byte range the directory itself takes."""
    twice: set[int] = field(default_factory=set)
    """Fields that stand more than once with different values; the first is in ``entries``, as libtiff reads it."""


@dataclass
class Tiff:
    """A parsed file: byte order, size class, and the chain of directories."""

    data: bytes
    order: str
    big: bool
    pages: list[Ifd]

    def numbers(self, page: Ifd, tag: int, default: tuple[int, ...] = ()) -> tuple[int, ...]:
        """The whole-number values of a field.

        Raises:
            Malformed: The field is of another type.
        """
        entry = page.entries.get(tag)
        if entry is None:
            return default
        if entry.type not in INTEGERS:
            raise Malformed("a field of the picture is of a wrong type.")
        return struct.unpack(f"{self.order}{entry.count}{INTEGERS[entry.type]}", entry.raw)

    def number(self, page: Ifd, tag: int, default: int) -> int:
        """The first whole-number value of a field."""
        values = self.numbers(page, tag, (default,))
        if not values:
            raise Malformed("a field of the picture is empty.")
        return values[0]


def read(data: bytes, max_pages: int) -> Tiff:
    """Parse the header and the chain of directories; values are sliced, never followed further.

    Raises:
        Malformed: Something points outside the file, repeats, or is too large.
    """
    if data[:2] not in (b"II", b"MM") or len(data) < 8:
        raise Malformed("the file header is damaged.")
    order = "<" if data[:2] == b"II" else ">"
    (magic,) = struct.unpack_from(f"{order}H", data, 2)
    big = magic == 43
    if big:
        if len(data) < 16 or struct.unpack_from(f"{order}HH", data, 4) != (8, 0):
            raise Malformed("the file header is damaged.")
        (offset,) = struct.unpack_from(f"{order}Q", data, 8)
    elif magic == 42:
        (offset,) = struct.unpack_from(f"{order}I", data, 4)
    else:
        raise Malformed("the file header is damaged.")
    tiff = Tiff(data, order, big, [])
    seen: set[int] = set()
    while offset:
        if offset in seen or len(tiff.pages) >= min(max_pages, MAX_IFDS):
            raise Malformed("the pages run in a circle, or there are too many.")
        seen.add(offset)
        page, offset = directory(tiff, offset)
        tiff.pages.append(page)
    if not tiff.pages:
        raise Malformed("the file holds no picture.")
    return tiff


def directory(tiff: Tiff, offset: int) -> tuple[Ifd, int]:
    """One directory and the offset of the next."""
    data, order = tiff.data, tiff.order
    head, entry_size, inline, word = ("Q", 20, 8, "Q") if tiff.big else ("H", 12, 4, "I")
    head_size = struct.calcsize(order + head)
    if offset + head_size > len(data):
        raise Malformed("a directory stands outside the file.")
    (count,) = struct.unpack_from(order + head, data, offset)
    end = offset + head_size + count * entry_size
    if count > MAX_ENTRIES or end + inline > len(data):
        raise Malformed("a directory is larger than the file.")
    page = Ifd(spans=[(offset, end + inline)])
    for k in range(count):
        at = offset + head_size + k * entry_size
        tag, kind, many = struct.unpack_from(f"{order}HH{word}", data, at)
        size = SIZES.get(kind, 0) * many
        place = at + entry_size - inline
        if size > inline:
            (place,) = struct.unpack_from(order + word, data, place)
            page.spans.append((place, place + size))
        if place + size > len(data):
            raise Malformed("a field stands outside the file.")
        entry = Entry(tag, kind, many, data[place : place + size], place)
        before = page.entries.setdefault(tag, entry)
        if (before.type, before.raw) != (kind, entry.raw):
            page.twice.add(tag)
    (after,) = struct.unpack_from(order + word, data, end)
    return page, after


def wide_map(values: Sequence[int]) -> list[int]:
    """A colour map whose 16 bits every viewer reads alike.

    Where no value needs more than 8 bits, libtiff takes them for 8 bits, and others for 16, nearly black (checkcmap in
    tif_getimage.c); so old files are shown as their writers meant them.
    """
    eight = all(value < 256 for value in values)
    return [257 * value if eight else value if value >= 256 else 0 for value in values]


def build(
    order: str,
    fields: dict[int, tuple[int, bytes]],
    chunks: list[bytes],
    *,
    offsets: int,
    counts: int,
    start: int = 0,
    more: bool = False,
) -> bytes:
    """A classic TIFF of one page, or one page of a longer file.

    Args:
        order: ``<`` or ``>``.
        fields: Tag -> (field type, value bytes in that byte order), without the two below.
        chunks: The strips or tiles.
        offsets: Tag for their places (273 strips, 324 tiles).
        counts: Tag for their sizes (279 strips, 325 tiles).
        start: Where the page begins in its file; the header stands before the first alone.
        more: Whether another page follows right behind this one.
    """
    fields = dict(fields)
    fields[offsets] = (4, bytes(4 * len(chunks)))
    fields[counts] = (4, struct.pack(f"{order}{len(chunks)}I", *(len(c) for c in chunks)))
    at = (start or 8) + 2 + 12 * len(fields) + 4
    values: list[bytes] = []
    places: dict[int, int] = {}
    for tag in sorted(fields):
        raw = fields[tag][1]
        if len(raw) > 4:
            places[tag] = at
            padded = raw + bytes(len(raw) & 1)
            values.append(padded)
            at += len(padded)
    starts = []
    body: list[bytes] = []
    for chunk in chunks:
        starts.append(at)
        padded = chunk + bytes(len(chunk) & 1)
        body.append(padded)
        at += len(padded)
    if at >= 2**32:
        raise Malformed("the picture is too large for this format.")
    packed = struct.pack(f"{order}{len(starts)}I", *starts)
    table = struct.pack(f"{order}H", len(fields))
    for tag in sorted(fields):
        kind, raw = fields[tag]
        raw = packed if tag == offsets else raw
        value = raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(f"{order}I", places[tag])
        table += struct.pack(f"{order}HHI", tag, kind, len(raw) // SIZES[kind]) + value
    values = [
        packed + bytes(len(packed) & 1) if tag == offsets else value
        for tag, value in zip(sorted(places), values, strict=True)
    ]
    head = b"" if start else (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    following = struct.pack(f"{order}I", at if more else 0)
    return head + table + following + b"".join(values) + b"".join(body)
