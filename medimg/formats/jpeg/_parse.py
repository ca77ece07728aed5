"""The one parser of JPEG (ITU-T T.81, Annex B): strict, and without looking at a byte of the coded data twice.

What decoders disagree about is refused; what they all pass over (bytes between segments, tables nobody refers to) is
noted, and left out of the copy.
"""

from __future__ import annotations

import re

from medimg.errors import Malformed, TooLarge, Unsupported
from medimg.formats.jpeg._headers import (
    FrameHeader,
    Progress,
    ScanHeader,
    frame,
    huffman_tables,
    quantisation_tables,
    scan,
)
from medimg.formats.jpeg._segments import (
    APP0,
    APP15,
    CODED,
    COM,
    DAC,
    DHT,
    DNL,
    DQT,
    DRI,
    EOI,
    MAX_BLANK,
    SOI,
    SOS,
    Conditioning,
    Jpeg,
    Part,
    Scan,
    kept,
    starts,
)
from medimg.formats.jpeg.markers import next_marker
from medimg.types import Limits

MAX_SCANS = 200
MAX_SEGMENTS = 20_000
_MARKER = re.compile(rb"\xff[\x01-\xfe]")
_FILL = re.compile(rb"\xff+")
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")


def first_scan(data: bytes) -> int:
    """Where the first scan begins, by the lengths of the segments before it; 0 when that cannot be told."""
    at = starts(data[: MAX_BLANK + 8]) + 2
    try:
        while at > 1 and (found := _MARKER.search(data, at)):
            part = _part(data, found.start())
            if part.marker == SOS:
                return part.begin
            at = part.end
    except Malformed:
        pass
    return 0


def _part(data: bytes, begin: int) -> Part:
    """The segment whose marker stands at ``begin``."""
    marker, start = data[begin + 1], begin + 4
    if marker < 0xC0 or 0xD0 <= marker <= EOI:
        raise Malformed("a marker of the JPEG stands where it does not belong.")
    length = int.from_bytes(data[begin + 2 : start])
    end = begin + 2 + length
    if length < 2 or start > len(data) or end > len(data):
        raise Malformed("a segment of the JPEG is cut short.")
    return Part(marker, begin, start, end)


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
        """Whether a picture has all its scans to their last bit, and no segment follows the last one at ``at``.

        Some cameras and programs leave EOI out, at the file's end or before a trailer of their own. How far the last
        scan goes is known by reading it, symbol by symbol; arithmetic coding has no last symbol to tell.
        """
        header, found = self.jpeg.frame, _MARKER.search(self.jpeg.data, at)
        if self.progress is None or header is None or header.arithmetic or not self.coded:
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
        part = _part(self.jpeg.data, begin)
        end = part.end
        self.jpeg.parts.append(part)
        if APP0 <= marker <= APP15 or marker == COM:
            return end
        payload = self.jpeg.payload(part)
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
            raise Malformed("the JPEG has a segment of an unknown kind.")
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
        places = {slot: self.tables[DHT, slot] for slot in slots}
        steps = tuple(self.tables[DQT, header.components[n].tq] for n, _, _ in read.parts)
        coded = tuple(jpeg.parts[number + 1 :])
        jpeg.scans[number] = Scan(read, tables, places, steps, self.interval, self.conditioning, coded)
        return after

    def _latch(self, n: int, header: FrameHeader) -> None:
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
                end = len(data)
                while end > at and data[end - 1] == 0xFF:  # half an end mark: in coded data a zero follows it
                    end -= 1
                return end, len(data)  # whether the picture was whole by then is found out later
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

    def _coded(self, read: ScanHeader, header: FrameHeader, begin: int, end: int) -> int:
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
        # An arithmetic coder leaves the zeros at a scan's end out (T.81 D.1.8): a flat scan has no byte at all.
        one = 1 if header.progressive else max(units * read.blocks_in_mcu(header) * 2 // 8, 1)
        if end - begin < (0 if header.arithmetic else one):
            raise Malformed("the picture data of the JPEG are cut short.")
        return end
