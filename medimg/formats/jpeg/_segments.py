"""The segments of a JPEG (ITU-T T.81, Annex B), read strictly and without looking at a byte of its coded data twice.

What decoders disagree about is refused; what they all pass over (bytes between segments, tables nobody refers to) is
noted, and left out of the copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from medimg.errors import Malformed, TooLarge, Unsupported
from medimg.formats.jpeg._frame import Frame, Progress, ScanHeader, frame, huffman_tables, quantisation_tables, scan
from medimg.formats.jpeg._markers import next_marker
from medimg.formats.jpeg._tables import Table
from medimg.types import Limits

SOI, EOI, SOS, DQT, DHT, DAC, DRI, DNL, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xCC, 0xDD, 0xDC, 0xFE
APP0, APP15 = 0xE0, 0xEF
START, END = b"\xff\xd8", b"\xff\xd9"
CODED = 0
"""Stands for the entropy-coded data of a scan, where a :class:`Part` has no marker."""

MAX_SCANS = 200
MAX_SEGMENTS = 20_000
MAX_BLANK = 512

BLANK = re.compile(rb"(?:\xef\xbb\xbf)?[\x00\t\n\r ]{0,%d}(?=\xff\xd8\xff)" % MAX_BLANK)
"""What may stand before the start: a byte order mark and blanks, as broken transfers leave them. No viewer shows it."""
_MARKER = re.compile(rb"\xff[\x01-\xfe]")
_FILL = re.compile(rb"\xff+")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")


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


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan, with what is in effect where it begins.

    Attributes:
        header: Its header.
        tables: The Huffman tables it needs, by slot: 0 to 3 DC, 4 to 7 AC.
        restart: MCUs between restart markers; 0 for none.
        conditioning: For arithmetic coding.
        coded: Its entropy-coded data, as they have to be joined: fill bytes lie between them.
    """

    header: ScanHeader
    tables: dict[int, Table]
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
    """

    data: bytes
    begin: int
    end: int = 0
    frame: Frame | None = None
    parts: list[Part] = field(default_factory=list)
    first_scan: int = -1
    scans: dict[int, Scan] = field(default_factory=dict)
    steps: dict[int, int] = field(default_factory=dict)
    between: int = 0
    used: dict[int, set[tuple[int, int]]] = field(default_factory=dict)
    unused: int = 0
    endless: bool = False

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


def parse(data: bytes, limits: Limits) -> Jpeg:
    """Take a JPEG apart.

    Raises:
        Malformed: It is damaged, cut short, or so made that decoders would show it differently.
        Unsupported: It is of a kind that is not handled.
        TooLarge: The picture is over the limits.
    """
    begin = starts(data[: MAX_BLANK + 8])
    if begin < 0:
        raise Malformed("the file does not begin like a JPEG.")
    return _Walk(Jpeg(data, begin), limits).run()


def kept(jpeg: Jpeg, number: int) -> bool:
    """Whether a part is needed to show the picture; of tables, whether any in the segment is."""
    marker = jpeg.parts[number].marker
    if marker in (DQT, DHT, DRI):
        return number in jpeg.used
    if marker == DAC:
        return jpeg.frame is not None and jpeg.frame.arithmetic
    return not (APP0 <= marker <= APP15 or marker == COM)


def needed(jpeg: Jpeg) -> Iterator[tuple[int, bytes]]:
    """Index and payload of each part that is needed to show the picture, in order; of tables, those that are used."""
    for number, part in enumerate(jpeg.parts):
        if kept(jpeg, number):
            payload, places = jpeg.payload(part), sorted(jpeg.used.get(number, ()))
            yield number, b"".join(payload[begin:end] for begin, end in places) if places else payload


def picture(jpeg: Jpeg, head: Head) -> bytes:
    """A file of the head and of what is needed to show the picture, as it stands in the file."""
    out = [START, *head.segments]
    for number, payload in needed(jpeg):
        marker = jpeg.parts[number].marker
        out.append(payload if marker == CODED else segment(marker, payload))
    return b"".join((*out, END))


def segment(marker: int, payload: bytes) -> bytes:
    """A segment as it stands in a file."""
    return bytes((0xFF, marker)) + (len(payload) + 2).to_bytes(2) + payload


class _Walk:
    """One pass over the segments."""

    def __init__(self, jpeg: Jpeg, limits: Limits) -> None:
        self.jpeg, self.limits = jpeg, limits
        self.tables: dict[tuple[int, int], tuple[int, int, int]] = {}  # (marker, slot) -> part, from, to
        self.content: dict[tuple[int, int], bytes] = {}  # the same, without the byte that names the slot
        self.every: set[tuple[int, int, int]] = set()
        self.latched: dict[int, bytes] = {}
        self.interval, self.interval_part, self.in_effect = 0, -1, 0
        self.conditioning = Conditioning()
        self.coded = 0  # how many parts there are up to the end of the last scan's coded data
        self.fills: list[tuple[int, int]] = []  # fill bytes before restart markers of the scan at hand: from, to
        self.progress: Progress | None = None

    def run(self) -> Jpeg:
        jpeg, at = self.jpeg, self.jpeg.begin + 2
        while True:
            if len(jpeg.parts) > MAX_SEGMENTS:
                raise TooLarge("the JPEG has too many segments.")
            try:
                at = self._next(at)
            except Malformed:
                if not self._all_there(at):
                    raise
                jpeg.endless, jpeg.end = True, jpeg.parts[-1].end
            if jpeg.end:
                break
        if jpeg.frame is None or self.progress is None:
            raise Malformed("the JPEG holds no picture.")
        self.progress.finish()
        tables = sum(len(jpeg.used.get(n, ())) for n, part in enumerate(jpeg.parts) if part.marker in (DQT, DHT))
        others = sum(not kept(jpeg, n) for n, part in enumerate(jpeg.parts) if part.marker in (DRI, DAC))
        jpeg.unused = len(self.every) - tables + others
        return jpeg

    def _next(self, at: int) -> int:
        """The next segment, with its coded data; returns where it ends, and notes the end of the picture."""
        jpeg = self.jpeg
        found = _MARKER.search(jpeg.data, at)
        if found is None:
            raise Malformed("the JPEG ends in the middle.")
        marker = jpeg.data[found.end() - 1]
        jpeg.between += len(jpeg.data[at : found.start()].rstrip(b"\xff"))
        if marker == EOI:
            jpeg.end = found.end()
            return jpeg.end
        return self._segment(marker, found.start())

    def _all_there(self, at: int) -> bool:
        """Whether a sequential picture has all its scans, and no segment follows the last one at ``at``.

        Some cameras leave EOI out before a trailer of their own. A picture in several passes would lack its last ones.
        """
        header, found = self.jpeg.frame, _MARKER.search(self.jpeg.data, at)
        if self.progress is None or header is None or header.progressive or header.arithmetic or not self.coded:
            return False
        follows = self.jpeg.data[found.end() - 1] if found else 0
        if len(self.jpeg.parts) != self.coded or (follows >= 0xC0 and follows != SOI):
            return False
        try:
            self.progress.finish()
        except Malformed:
            return False
        return True

    def _segment(self, marker: int, begin: int) -> int:
        data, start = self.jpeg.data, begin + 4
        if marker < 0xC0 or 0xD0 <= marker <= 0xD8:
            raise Malformed("a marker of the JPEG stands where it does not belong.")
        length = int.from_bytes(data[begin + 2 : start])
        end = begin + 2 + length
        if length < 2 or start > len(data) or end > len(data):
            raise Malformed("a segment of the JPEG is cut short.")
        part = Part(marker, begin, start, end)
        self.jpeg.parts.append(part)
        if APP0 <= marker <= APP15 or marker == COM:
            return end
        payload = data[start:end]
        if marker in (DQT, DHT):
            self._tables(marker, payload)
        elif marker == SOS:
            return self._scan(payload, end)
        elif marker == DRI:
            if len(payload) != 2:
                raise Malformed("the restart interval of the JPEG is damaged.")
            self.interval, self.interval_part = int.from_bytes(payload), len(self.jpeg.parts) - 1
        elif marker == DAC:
            self._conditioning(payload)
        elif 0xC0 <= marker <= 0xCF:
            self._frame(marker, payload)
        elif marker == DNL:
            raise Unsupported("the JPEG gives its height after its picture.")
        else:
            raise Malformed("the JPEG has a segment of no known kind.")
        return end

    def _frame(self, marker: int, payload: bytes) -> None:
        if self.jpeg.frame:
            raise Malformed("the JPEG has more than one frame.")
        self.jpeg.frame = header = frame(marker, payload)
        if header.width * header.height > self.limits.pixels:
            raise TooLarge("the picture is larger than the policy allows.")
        self.progress = Progress(header)

    def _tables(self, marker: int, payload: bytes) -> None:
        number = len(self.jpeg.parts) - 1
        read = huffman_tables(payload) if marker == DHT else quantisation_tables(payload)
        for slot, begin, end in read:
            self.tables[marker, slot] = (number, begin, end)
            self.content[marker, slot] = payload[begin + 1 : end]
            self.every.add((number, begin, end))

    def _conditioning(self, payload: bytes) -> None:
        """T.81, B.2.4.3."""
        slots = payload[::2]
        if not payload or len(payload) % 2 or len(set(slots)) != len(slots):
            raise Malformed("the arithmetic conditioning of the JPEG is damaged.")
        now = self.conditioning
        low, high, kx = bytearray(now.low), bytearray(now.high), bytearray(now.kx)
        for where, value in zip(slots, payload[1::2], strict=True):
            fits = value & 15 <= value >> 4 if where < 16 else 1 <= value <= 63
            if where & 15 > 3 or where >> 4 > 1 or not fits:
                raise Malformed("the arithmetic conditioning of the JPEG is damaged.")
            if where < 16:
                low[where], high[where] = value & 15, value >> 4
            else:
                kx[where & 15] = value
        self.conditioning = Conditioning(bytes(low), bytes(high), bytes(kx))

    # -- scans --------------------------------------------------------------------------------------------------------

    def _scan(self, payload: bytes, at: int) -> int:
        jpeg, header, number = self.jpeg, self.jpeg.frame, len(self.jpeg.parts) - 1
        if header is None or self.progress is None:
            raise Malformed("a scan of the JPEG stands before its frame.")
        if len(jpeg.scans) == MAX_SCANS:
            raise TooLarge("the JPEG has too many scans.")
        if jpeg.first_scan < 0:
            jpeg.first_scan = number
        read = scan(payload, header)
        self.progress.add(read)
        slots = read.tables(header)
        for slot in slots:
            self._use(DHT, slot)
        for n, _, _ in read.parts:
            self._latch(n, header)
        if self.interval != self.in_effect:
            jpeg.used.setdefault(self.interval_part, set())
            self.in_effect = self.interval
        end, after = self._coded_end(at)
        end = self._coded(read, header, at, end)
        for begin, behind in [*((a, b) for a, b in self.fills if a < end), (end, end)]:
            if begin > at:
                jpeg.parts.append(Part(CODED, at, at, begin))
            jpeg.between += behind - begin
            at = behind
        self.coded = len(jpeg.parts)
        tables = {slot: self.content[DHT, slot] for slot in slots}
        coded = tuple(jpeg.parts[number + 1 :])
        jpeg.scans[number] = Scan(read, tables, self.interval, self.conditioning, coded)
        return after

    def _latch(self, n: int, header: Frame) -> None:
        """A component is dequantised with the table that stands at its first scan; later ones would divide decoders."""
        slot = header.components[n].tq
        self._use(DQT, slot)
        table = self.content[DQT, slot]
        if self.latched.setdefault(n, table) != table:
            raise Malformed("the JPEG changes a quantisation table between scans.")
        self.jpeg.steps[n] = int.from_bytes(table[: len(table) // 64])

    def _use(self, marker: int, slot: int) -> None:
        place = self.tables.get((marker, slot))
        if place is None:
            raise Malformed("a table of the JPEG is missing.")
        self.jpeg.used.setdefault(place[0], set()).add(place[1:])

    def _coded_end(self, at: int) -> tuple[int, int]:
        """Where the coded data of a scan end, and where the marker behind them stands (fill bytes may lie between)."""
        data = self.jpeg.data
        self.fills = []
        while True:
            found = next_marker(data, at, restarts=bool(self.interval))
            if found < 0:
                return len(data), len(data)  # whether the picture was whole by then is found out later
            fill = _FILL.match(data, found)
            last = fill.end() if fill else found + 1
            follows = data[last : last + 1]
            if not follows:
                return found, len(data)
            if follows == b"\0":  # a stuffed zero behind fill bytes: decoders disagree
                raise Malformed("the picture data of the JPEG are damaged.")
            if self.interval and 0xD0 <= follows[0] <= 0xD7:
                self.fills.append((found, last - 1))
                at = last + 1
                continue
            return found, last - 1

    def _coded(self, read: ScanHeader, header: Frame, begin: int, end: int) -> int:
        """Restart markers in order and as many as there must be; no fewer bits than blocks need; returns the end."""
        across, down = read.mcus(header)
        units = across * down
        if self.interval:
            expected = -(-units // self.interval) - 1
            markers = [m.start() for m in _RESTART.finditer(self.jpeg.data, begin, end)]
            if len(markers) > expected:  # behind the last interval every decoder passes over them and what follows
                end = markers[expected]
                del markers[expected:]
            numbers = bytes(self.jpeg.data[m + 1] & 7 for m in markers)
            if numbers != (bytes(range(8)) * (len(numbers) // 8 + 1))[: len(numbers)]:
                raise Malformed("the restart markers of the JPEG are out of order.")
            if len(numbers) != expected:
                raise Malformed("the JPEG has too few restart markers.")
        least = units * read.blocks_in_mcu(header) * 2 // 8 if not (header.progressive or header.arithmetic) else 1
        if end - begin < max(least, 1):
            raise Malformed("the picture data of the JPEG are cut short.")
        return end
