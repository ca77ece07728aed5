"""The segments of a JPEG stream (ITU-T T.81, annex B), walked strictly and without touching the coded data."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from medimg.errors import Malformed, Unsupported

SOI, EOI, SOS, DQT, DNL, DRI, DAC, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xCC, 0xFE
DHT, APP0, APP15 = 0xC4, 0xE0, 0xEF
FRAMES = frozenset(range(0xC0, 0xD0)) - {DHT, DAC, 0xC8}
MAX_SCANS, MAX_SEGMENTS = 1000, 20_000

# Inside coded data FF is followed by 00 (stuffing) or a restart marker; anything else ends the scan (B.1.1.5). A run of
# FF bytes before a marker is fill (B.1.1.2).
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True)
class Segment:
    """A marker segment; ``start`` and ``end`` enclose its payload."""

    marker: int
    start: int
    end: int
    after_frame: bool = False


@dataclass
class Stream:
    """A walked stream: the picture's own parts in order, and everything else."""

    structure: list[tuple[int, int]] = field(default_factory=list)
    """(start, end) of tables, frame header and scans, markers included, fill bytes and gaps left out."""
    others: list[Segment] = field(default_factory=list)
    """Application and comment segments."""
    frame: Segment | None = None
    loose: int = 0
    """Bytes that stand between segments and belong to none."""
    end: int = 0
    """Where the picture ends, after its EOI."""


def walk(data: bytes) -> Stream:
    """Walk from SOI to the first EOI.

    Raises:
        Malformed: A length lies, a part is missing, stands twice or in the wrong place, or the stream ends early.
        Unsupported: Hierarchical frames, or a height that is given after the scan.
    """
    stream = Stream()
    if data[:2] != b"\xff\xd8":
        raise Malformed("the picture has no beginning.")
    at, scans = 2, 0
    for _ in range(MAX_SEGMENTS):
        at, marker = _marker(data, at, stream)
        if marker == EOI:
            if not scans:
                raise Malformed("the picture holds no image data.")
            stream.end = at
            return stream
        if at + 2 > len(data):
            raise Malformed("the picture ends early.")
        end = at + int.from_bytes(data[at : at + 2], "big")
        if end < at + 2 or end > len(data):
            raise Malformed("a segment is longer than the file.")
        segment = Segment(marker, at + 2, end, stream.frame is not None)
        if APP0 <= marker <= APP15 or marker == COM:
            stream.others.append(segment)
            at = end
            continue
        _check(data, segment, stream)
        stop = end
        if marker == SOS:
            scans += 1
            if scans > MAX_SCANS:
                raise Malformed("the picture has too many scans.")
            found = _SCAN_END.search(data, end)
            if found is None:
                raise Malformed("the picture ends early.")
            stop = found.start()
            while stop > end and data[stop - 1] == 0xFF:
                stop -= 1
            if stop == end:
                raise Malformed("a scan of the picture is empty.")
        stream.structure.append((at - 2, stop))
        at = stop if marker == SOS else end
    raise Malformed("the picture has too many segments.")


def _marker(data: bytes, at: int, stream: Stream) -> tuple[int, int]:
    """The next marker and where its length stands; bytes of no segment are counted, as decoders skip them."""
    start = data.find(b"\xff", at)
    while 0 <= start < len(data) - 1 and data[start + 1] in (0x00, 0xFF):
        if data[start + 1] == 0:
            stream.loose += 1
        start = data.find(b"\xff", start + 1)
    if start < 0 or start + 1 >= len(data):
        raise Malformed("the picture ends early.")
    stream.loose += len(data[at:start].replace(b"\xff", b""))
    marker = data[start + 1]
    if marker in (SOI, 0x01) or 0xD0 <= marker <= 0xD7 or 0x02 <= marker <= 0xBF:
        raise Malformed("a marker stands where none may stand.")
    return start + 2, marker


def _check(data: bytes, segment: Segment, stream: Stream) -> None:
    """Exact sizes of the structural segments (T.81, B.2.2 to B.2.4): nothing may hide behind a table."""
    marker, body = segment.marker, data[segment.start : segment.end]
    if marker in FRAMES:
        if stream.frame is not None:
            raise Unsupported("this JPEG holds more than one frame.")
        if marker not in (0xC0, 0xC1, 0xC2, 0xC9, 0xCA):
            raise Unsupported("this kind of JPEG (lossless or hierarchical) is not cleaned.", todo="Export it as PNG.")
        if len(body) < 6 or len(body) != 6 + 3 * body[5]:
            raise Malformed("the frame header is damaged.")
        stream.frame = segment
    elif marker == SOS:
        if stream.frame is None or not body or len(body) != 4 + 2 * body[0] or not 1 <= body[0] <= 4:
            raise Malformed("a scan header is damaged.")
    elif marker == DQT:
        _tables(body, lambda head: 1 + (128 if head >> 4 else 64) if head >> 4 <= 1 and head & 15 <= 3 else 0)
    elif marker == DHT:
        at = 0
        while at < len(body):
            if at + 17 > len(body) or body[at] & 0xEC:
                raise Malformed("a table is damaged.")
            at += 17 + sum(body[at + 1 : at + 17])
        if at != len(body) or not body:
            raise Malformed("a table is damaged.")
    elif marker == DAC:
        _tables(body, lambda _: 2)
    elif marker == DRI:
        if len(body) != 2:
            raise Malformed("a table is damaged.")
    elif marker == DNL:
        raise Unsupported("this JPEG gives its height after the picture.", todo="Export it again from the device.")
    else:
        raise Malformed("a segment of an unknown kind stands in the picture.")


def _tables(body: bytes, size: Callable[[int], int]) -> None:
    at = 0
    while at < len(body):
        step = size(body[at])
        if not step:
            raise Malformed("a table is damaged.")
        at += step
    if at != len(body) or not body:
        raise Malformed("a table is damaged.")


def put(marker: int, payload: bytes) -> bytes:
    """A marker segment."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload
