"""A JPEG taken apart (ITU-T T.81, Annex B), and what of it comes into a copy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from medimg.formats.jpeg._headers import FrameHeader, ScanHeader
from medimg.formats.jpeg.tables import Table

SOI, EOI, SOS, DQT, DHT, DAC, DRI, DNL, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xCC, 0xDD, 0xDC, 0xFE
APP0, APP15 = 0xE0, 0xEF
START, END = b"\xff\xd8", b"\xff\xd9"
CODED = 0
"""Stands for the entropy-coded data of a scan, where a :class:`Part` has no marker."""

MAX_BLANK = 512

BLANK = re.compile(rb"(?:\xef\xbb\xbf)?[\x00\t\n\r ]{0,%d}(?=\xff\xd8\xff)" % MAX_BLANK)
"""What may stand before the start: a byte order mark and blanks, as broken transfers leave them. No viewer shows it."""


@dataclass(frozen=True, slots=True)
class Part:
    """A segment or the coded data of a scan: ``data[begin:end]`` is all of it, ``data[start:end]`` its payload."""

    marker: int
    begin: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Conditioning:
    """How arithmetic coding is conditioned, a byte for each slot (T.81, B.2.4.3 and F.1.4.4): DC bounds, AC bound."""

    low: bytes = bytes(4)
    high: bytes = b"\1\1\1\1"
    kx: bytes = b"\5\5\5\5"


Place = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan, with what is in effect where it begins.

    Attributes:
        header: Its header.
        tables: The Huffman tables it needs, by slot: 0 to 3 DC, 4 to 7 AC.
        places: Where each stands: index in ``parts``, from and to in that segment's payload.
        steps: The same of the quantisation table of each of its components.
        restart: MCUs between restart markers; 0 for none.
        conditioning: For arithmetic coding.
        coded: Its entropy-coded data, as they have to be joined: fill bytes lie between them.
    """

    header: ScanHeader
    tables: dict[int, Table]
    places: dict[int, Place]
    steps: tuple[Place, ...]
    restart: int
    conditioning: Conditioning
    coded: tuple[Part, ...]


@dataclass
class Jpeg:
    """A JPEG taken apart.

    Attributes:
        data: The file.
        begin: Where SOI stands.
        end: Behind the first EOI.
        frame: The frame header.
        parts: Everything between, in order.
        first_scan: Index of the first SOS in ``parts``.
        scans: Index of an SOS in ``parts`` -> the scan.
        steps: Index of a component -> quantisation step of its DC coefficient.
        between: Bytes that stand between segments, and fill bytes inside a scan.
        used: Tables that a scan refers to: index in ``parts`` -> places of the tables in that segment's payload.
        unused: How many tables no scan refers to.
        endless: No EOI follows the last scan: it has to be read to its last symbol to know what is picture.
        instead: Place of a table -> what stands there in a copy, where it is not the table as it stands.
    """

    data: bytes
    begin: int
    end: int = 0
    frame: FrameHeader | None = None
    parts: list[Part] = field(default_factory=list)
    first_scan: int = -1
    scans: dict[int, Scan] = field(default_factory=dict)
    steps: dict[int, int] = field(default_factory=dict)
    between: int = 0
    used: dict[int, set[tuple[int, int]]] = field(default_factory=dict)
    unused: int = 0
    endless: bool = False
    instead: dict[Place, bytes] = field(default_factory=dict)

    def payload(self, part: Part) -> bytes:
        """A segment without its marker and length."""
        return self.data[part.start : part.end]


@dataclass(frozen=True, slots=True)
class Head:
    """The segments of a copy that stand before the picture's own, and what they say of its colours.

    Attributes:
        segments: Whole segments, in order.
        jfif: Whether a JFIF marker is among them.
        transform: Adobe's colour transform, where its marker is among them.
    """

    segments: tuple[bytes, ...] = ()
    jfif: bool = False
    transform: int | None = None


def starts(head: bytes) -> int:
    """Where SOI stands; -1 when the content is no JPEG."""
    if head.startswith(b"\xff\xd8\xff"):
        return 0
    found = BLANK.match(head)
    return found.end() if found else -1


def kept(jpeg: Jpeg, number: int) -> bool:
    """Whether a part is needed to show the picture; of tables, whether any in the segment is."""
    marker = jpeg.parts[number].marker
    if marker in (DQT, DHT, DRI):
        return number in jpeg.used
    if marker == DAC:
        return jpeg.frame is not None and jpeg.frame.arithmetic
    return not (APP0 <= marker <= APP15 or marker == COM)


def needed(jpeg: Jpeg) -> Iterator[tuple[int, bytes | memoryview]]:
    """Index and payload of each part that is needed to show the picture, in order; of tables, those that are used."""
    data = memoryview(jpeg.data)  # the coded picture is not copied
    for number, part in enumerate(jpeg.parts):
        if kept(jpeg, number):
            payload, places = data[part.start : part.end], sorted(jpeg.used.get(number, ()))
            tables = [jpeg.instead.get((number, a, b), payload[a:b]) for a, b in places]
            yield number, b"".join(tables) if places else payload


def picture(jpeg: Jpeg, head: Head) -> bytes:
    """A file of the head and of what is needed to show the picture, as it stands in the file."""
    out: list[bytes | memoryview] = [START, *head.segments]
    for number, payload in needed(jpeg):
        marker = jpeg.parts[number].marker
        out.append(payload if marker == CODED else segment(marker, payload))
    return b"".join((*out, END))


def segment(marker: int, payload: bytes | memoryview) -> bytes:
    """A segment as it stands in a file."""
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2) + payload
