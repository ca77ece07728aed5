"""An engine in Python, the judge of the compiled kernel: same bytes, more slowly.

A plain sequential Huffman scan takes a short cut (:mod:`jpeg_twin.runs`); everything else is decoded and
written value by value here (ITU-T T.81: F.1.2 and F.2.2 sequential, G.1.2 and G.2 progressive).
"""

from __future__ import annotations

from contextlib import suppress
from itertools import product

from jpeg_twin import runs
from jpeg_twin.arithmetic import ArithmeticReader
from jpeg_twin.segments import Segment, segments, unused
from medimg.formats.jpeg.job import (
    DAMAGED,
    ENDS_EARLY,
    MAX_AC_SIZE,
    MAX_DC,
    MAX_DC_SIZE,
    MIN_DC,
    RESTART,
    Fate,
    Job,
    Mode,
    NoCode,
    Part,
    Rewritten,
    ScanFault,
)
from medimg.formats.jpeg.tables import Table, codes

_HELD = 937
"""Correction bits that may wait for an end-of-band run; as many as libjpeg lets wait."""


class Twin:
    """The engine."""

    name = "python"

    def rewrite(self, job: Job, data: bytes, start: int, tables: dict[int, Table]) -> Rewritten:
        """See :class:`~medimg.formats.jpeg.job.Engine`."""
        if job.mode == Mode.SEQUENTIAL and not job.arithmetic and tables == job.tables:
            with suppress(runs.IdleZeros):
                return runs.rewrite(job, data, start)
        sink = _Bits({slot: codes(table) for slot, table in tables.items()})
        end, extra = _Pass(job, sink).run(data, start)
        return Rewritten(bytes(sink.done), end, extra)

    def count(self, job: Job, data: bytes, start: int) -> dict[int, list[int]]:
        """See :class:`~medimg.formats.jpeg.job.Engine`."""
        sink = _Counts()
        _Pass(job, sink).run(data, start)
        return sink.counts


class _Counts:
    """Counts symbols."""

    def __init__(self) -> None:
        self.counts: dict[int, list[int]] = {}

    def symbol(self, slot: int, symbol: int, value: int = 0, size: int = 0) -> None:
        self.counts.setdefault(slot, [0] * 256)[symbol] += 1

    def bits(self, value: int, size: int) -> None:
        """Bits have no code."""

    def pad(self) -> None:
        """Nothing to fill."""

    def restart(self, number: int) -> None:
        """No place for a marker."""


class _Bits(_Counts):
    """Writes bits."""

    def __init__(self, encode: dict[int, dict[int, tuple[int, int]]]) -> None:
        self.done = bytearray()
        self._encode = encode
        self._segment = bytearray()
        self._value = self._size = 0

    def symbol(self, slot: int, symbol: int, value: int = 0, size: int = 0) -> None:
        code = self._encode.get(slot, {}).get(symbol)
        if code is None:
            raise NoCode
        self.bits(code[0] << size | value, code[1] + size)

    def bits(self, value: int, size: int) -> None:
        self._value = self._value << size | value
        self._size += size
        if self._size >= 512:
            rest = self._size % 8
            self._segment += (self._value >> rest).to_bytes(self._size // 8)
            self._value &= (1 << rest) - 1
            self._size = rest

    def pad(self) -> None:
        fill = -self._size % 8
        self.bits((1 << fill) - 1, fill)
        self._segment += self._value.to_bytes(self._size // 8)
        self._value = self._size = 0
        self.done += self._segment.replace(b"\xff", b"\xff\0")
        self._segment.clear()

    def restart(self, number: int) -> None:
        self.done += bytes((0xFF, 0xD0 + number % 8))


class _HuffmanReader:
    """Decodes the symbols of one segment."""

    def __init__(self, data: bytes, decode: dict[int, dict[tuple[int, int], int]]) -> None:
        self._data, self._decode = data + bytes(8), decode
        self._at, self._end = 0, 8 * len(data)
        self.run = 0

    @property
    def unread(self) -> int:
        return unused(self._at, self._end)

    def take(self, size: int) -> int:
        at = self._at
        self._at = at + size
        if self._at > self._end:
            raise ScanFault(ENDS_EARLY)
        word = int.from_bytes(self._data[at >> 3 : (at >> 3) + 4])
        return word >> (32 - (at & 7) - size) & ((1 << size) - 1)

    def symbol(self, slot: int) -> int:
        word = int.from_bytes(self._data[self._at >> 3 : (self._at >> 3) + 4]) << (self._at & 7) & 0xFFFFFFFF
        table = self._decode[slot]
        for size in range(1, 17):
            symbol = table.get((word >> (32 - size), size))
            if symbol is not None:
                self._at += size
                if self._at > self._end:
                    raise ScanFault(ENDS_EARLY)
                return symbol
        raise ScanFault(ENDS_EARLY if self._end - self._at < 16 else DAMAGED)

    def value(self, size: int) -> int:
        v = self.take(size)
        return v - (1 << size) + 1 if size and not v >> (size - 1) else v


class _Pass:
    """One walk over a scan."""

    def __init__(self, job: Job, sink: _Counts) -> None:
        self._job, self._sink = job, sink
        self._decode = {slot: {code: s for s, code in codes(t).items()} for slot, t in job.tables.items()}
        self._pred_in, self._pred_out = [0] * 4, [0] * 4
        self._run = 0
        self._held: list[int] = []
        self._huffman = _HuffmanReader(b"", {})
        self._arithmetic = ArithmeticReader(b"", job)

    def run(self, data: bytes, start: int) -> tuple[int, int]:
        job, extra, end = self._job, 0, start
        for segment in segments(job, data, start):
            if segment.number and job.keep_restarts:
                self._sink.restart(segment.number - 1)
                self._pred_out = [0] * 4
            self._pred_in = [0] * 4
            self._huffman = _HuffmanReader(segment.data, self._decode)
            self._arithmetic = ArithmeticReader(segment.data, job)
            self._segment(segment)
            if self._huffman.run:
                raise ScanFault(RESTART if segment.more else ENDS_EARLY)
            if job.keep_restarts or not segment.more:
                self._flush()
                self._sink.pad()
            extra = max(extra, self._arithmetic.unread if job.arithmetic else self._huffman.unread)
            end = segment.end
        return end, extra

    def _segment(self, segment: Segment) -> None:
        job = self._job
        for m in range(segment.first, segment.last):
            my, mx = divmod(m, job.mcus_x)
            for n, part in enumerate(job.parts):
                for y, x in product(range(part.v), range(part.h)):
                    self._block(n, part, my * part.v + y, mx * part.h + x)

    def _block(self, n: int, part: Part, row: int, column: int) -> None:
        job, fate = self._job, Fate(int(part.fate[row, column]))
        if job.mode == Mode.DC_REFINE:
            bit = self._arithmetic.even() if job.arithmetic else self._huffman.take(1)
            if fate != Fate.DROP:
                new = {Fate.FLAT: part.flat >> job.al & 1, Fate.BEYOND: 0}
                self._sink.bits(new.get(fate, bit), 1)
            return
        if job.mode in (Mode.SEQUENTIAL, Mode.DC_FIRST):
            self._dc(n, part, fate)
        if job.mode == Mode.DC_FIRST:
            return
        seen = int(part.seen[row, column]) if part.seen is not None else 0
        slot = part.ac + 4
        if job.mode == Mode.AC_REFINE:
            v = self._arithmetic.refinement(part.ac, seen) if job.arithmetic else self._read_refinement(slot, seen)
        elif job.arithmetic:
            v = self._arithmetic.band(part.ac)
        else:
            v = self._read_band(slot)
        if part.seen_after is not None:
            part.seen_after[row, column] = seen | sum(1 << k for k in v if v[k])
        if fate == Fate.DROP:
            return
        if fate != Fate.KEEP:
            v, seen = {}, 0
        if job.mode == Mode.AC_REFINE:
            self._write_refinement(slot, v, seen)
        else:
            self._write_band(slot, v)

    def _dc(self, n: int, part: Part, fate: Fate) -> None:
        if self._job.arithmetic:
            diff = self._arithmetic.dc(n, part.dc)
        else:
            size = self._huffman.symbol(part.dc)
            if size > MAX_DC_SIZE:
                raise ScanFault(DAMAGED)
            diff = self._huffman.value(size)
        self._pred_in[n] += diff
        if not MIN_DC <= self._pred_in[n] <= MAX_DC:
            raise ScanFault(DAMAGED)
        if fate == Fate.DROP:
            return
        now = self._pred_in[n]
        if fate != Fate.KEEP:
            now = part.flat >> self._job.al if fate == Fate.FLAT else self._pred_out[n]
        self._emit_value(part.dc, 0, now - self._pred_out[n])
        self._pred_out[n] = now

    def _read_band(self, slot: int) -> dict[int, int]:
        job, reader = self._job, self._huffman
        out: dict[int, int] = {}
        if reader.run:
            reader.run -= 1
            return out
        k = job.ss
        while k <= job.se:
            zeros, size = divmod(reader.symbol(slot), 16)
            if size == 0 and zeros < 15:
                if zeros and job.mode == Mode.SEQUENTIAL:
                    raise ScanFault(DAMAGED)
                reader.run = (1 << zeros) + reader.take(zeros) - 1
                break
            k += zeros
            if k > job.se or size > MAX_AC_SIZE:
                raise ScanFault(DAMAGED)
            if size:
                out[k] = reader.value(size)
            k += 1
        return out

    def _read_refinement(self, slot: int, seen: int) -> dict[int, int]:
        job, reader = self._job, self._huffman
        out: dict[int, int] = {}
        k = job.ss
        while not reader.run and k <= job.se:
            zeros, size = divmod(reader.symbol(slot), 16)
            fresh = 0
            if size > 1:
                raise ScanFault(DAMAGED)
            if size:
                fresh = 1 if reader.take(1) else -1
            elif zeros < 15:
                reader.run = (1 << zeros) + reader.take(zeros)
                break
            while k <= job.se:
                if seen >> k & 1:
                    out[k] = reader.take(1)
                else:
                    zeros -= 1
                    if zeros < 0:
                        break
                k += 1
            if k > job.se:
                raise ScanFault(DAMAGED)
            out[k] = fresh
            k += 1
        if reader.run:
            out.update((j, reader.take(1)) for j in range(k, job.se + 1) if seen >> j & 1)
            reader.run -= 1
        return out

    def _emit_value(self, slot: int, zeros: int, value: int) -> None:
        size = abs(value).bit_length()
        if size > (MAX_DC_SIZE if slot < 4 else MAX_AC_SIZE):
            raise ScanFault(DAMAGED)
        self._sink.symbol(slot, zeros << 4 | size, value + (1 << size) - 1 if value < 0 else value, size)

    def _write_band(self, slot: int, v: dict[int, int]) -> None:
        before = self._job.ss - 1
        for k in sorted(v):
            self._flush(slot)
            zeros = k - before - 1
            for _ in range(zeros // 16):
                self._sink.symbol(slot, 0xF0)
            self._emit_value(slot, zeros % 16, v[k])
            before = k
        if before == self._job.se:
            return
        if self._job.mode == Mode.SEQUENTIAL:
            self._sink.symbol(slot, 0)
        else:
            self._end_block(slot, [])

    def _write_refinement(self, slot: int, v: dict[int, int], seen: int) -> None:
        last = max((k for k, x in v.items() if x and not seen >> k & 1), default=0)
        zeros, bits = 0, list[int]()
        for k in range(self._job.ss, self._job.se + 1):
            old, value = seen >> k & 1, v.get(k, 0)
            if not old and not value:
                zeros += 1
                continue
            while zeros > 15 and k <= last:
                self._flush(slot)
                self._sink.symbol(slot, 0xF0)
                self._put(bits)
                zeros -= 16
            if old:
                bits.append(value)
                continue
            self._flush(slot)
            self._sink.symbol(slot, zeros << 4 | 1, int(value > 0), 1)
            self._put(bits)
            zeros = 0
        if zeros or bits:
            self._end_block(slot, bits)

    def _end_block(self, slot: int, bits: list[int]) -> None:
        self._run += 1
        self._held += bits
        if self._run == 0x7FFF or len(self._held) > _HELD:
            self._flush(slot)

    def _flush(self, slot: int | None = None) -> None:
        if not self._run:
            return
        size = self._run.bit_length() - 1
        where = self._job.parts[0].ac + 4 if slot is None else slot
        self._sink.symbol(where, size << 4, self._run - (1 << size), size)
        self._run = 0
        self._put(self._held)

    def _put(self, bits: list[int]) -> None:
        for bit in bits:
            self._sink.bits(bit, 1)
        bits.clear()
