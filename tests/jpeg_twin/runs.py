"""The short cut for sequential Huffman scans in Python: bits of kept blocks are copied, not written anew.

A block that is covered becomes a DC difference and an end-of-block code; the first kept block after one gets its DC
difference anew and keeps its AC bits. Whole runs of untouched bits are shifted with numpy.
"""

from __future__ import annotations

import array
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jpeg_twin.segments import segments, unused
from medimg.formats.jpeg.job import (
    DAMAGED,
    ENDS_EARLY,
    MAX_AC_SIZE,
    MAX_DC,
    MAX_DC_SIZE,
    MIN_DC,
    Fate,
    Job,
    NoCode,
    Rewritten,
    ScanFault,
)
from medimg.formats.jpeg.tables import Table, codes

_END = 128
"""Steps an end-of-block code counts for: more than any run of coefficients."""
_ZEROS = 1 << 31
"""Marks 16 zeros, which nothing may follow."""


class IdleZeros(Exception):
    """16 zeros are said and nothing follows them: bits cannot be copied as they are."""


def rewrite(job: Job, data: bytes, start: int) -> Rewritten:
    """Rewrite a sequential Huffman scan with its own tables.

    Raises:
        ScanFault: The scan is damaged.
        NoCode: Its tables lack a symbol.
        IdleZeros: It says zeros that the end of a block would say.
    """
    blocks = _blocks(job)
    fates = [_fates(block, job) for block in blocks]
    flat = [part.flat for part in job.parts]
    pieces: list[bytes] = []
    pred_out, extra, end = [0] * 4, 0, start
    out = _BitOut(len(data) - start)
    for segment in segments(job, data, start):
        if segment.number and job.keep_restarts:
            pieces.append(bytes((0xFF, 0xD0 + (segment.number - 1) % 8)))
            pred_out = [0] * 4
        try:
            at = _segment(segment.data, blocks, [f[segment.first : segment.last] for f in fates], flat, pred_out, out)
        except IndexError:
            raise ScanFault(ENDS_EARLY) from None
        extra = max(extra, unused(at, 8 * len(segment.data)))
        end = segment.end
        if job.keep_restarts or not segment.more:
            pieces.append(out.done())
    return Rewritten(b"".join(pieces), end, extra)


@dataclass
class _Block:
    """The n-th block of every MCU: its component, where it lies, its tables."""

    part: int
    y: int
    x: int
    dc: Any
    ac: Any
    dc_codes: dict[int, tuple[int, int]]
    end: tuple[int, int] | None


def _blocks(job: Job) -> list[_Block]:
    out = []
    look = {slot: _look_up(table) for slot, table in job.tables.items()}
    skip = {slot: _skips(look[slot]) for slot in look if slot >= 4}
    for n, part in enumerate(job.parts):
        dc, ac = part.dc, part.ac + 4
        encode, ends = codes(job.tables[dc]), codes(job.tables[ac])
        for y, x in product(range(part.v), range(part.h)):
            out.append(_Block(n, y, x, array.array("I", look[dc].tobytes()), skip[ac], encode, ends.get(0)))
    return out


def _look_up(table: Table) -> NDArray[np.uint32]:
    """For every 16 bits: length of the code they begin with | symbol << 8; 0 for none."""
    out = np.zeros(65536, np.uint32)
    for symbol, (code, length) in codes(table).items():
        first = code << (16 - length)
        out[first : first + (1 << (16 - length))] = length | symbol << 8
    return out


def _skips(look: NDArray[np.uint32]) -> Any:
    """For every 16 bits: bits of an AC symbol and its magnitude | coefficients it stands for << 8 | 16 zeros."""
    length, symbol = look & 255, look >> 8
    zeros, size = symbol >> 4, symbol & 15
    step = np.where(size > 0, zeros + 1, np.where(zeros == 15, 16, _END))
    valid = (length > 0) & (size <= MAX_AC_SIZE) & ((size > 0) | (zeros == 0) | (zeros == 15))
    idle = np.where((size == 0) & (zeros == 15), np.uint32(_ZEROS), np.uint32(0))
    return array.array("I", np.where(valid, length + size | step << 8 | idle, 0).astype(np.uint32).tobytes())


def _fates(block: _Block, job: Job) -> bytes:
    """Fate of this block in every MCU."""
    part = job.parts[block.part]
    return part.fate[block.y :: part.v, block.x :: part.h][: job.mcus_y, : job.mcus_x].tobytes()


def _segment(
    raw: bytes, blocks: list[_Block], fates: list[bytes], flat: list[int], opred: list[int], out: _BitOut
) -> int:
    """Rewrite one segment; returns how many bits were read."""
    source = np.frombuffer(raw + bytes(8), np.uint8)
    window = array.array(
        "I",
        (
            (source[:-3].astype(np.uint32) << 24)
            | (source[1:-2].astype(np.uint32) << 16)
            | (source[2:-1].astype(np.uint32) << 8)
            | source[3:]
        ).tobytes(),
    )
    bits = 8 * len(raw)
    pred = [0] * 4
    at = run = 0
    idle = False
    drop = Fate.DROP
    rows = list(zip((b.part for b in blocks), (b.dc for b in blocks), (b.ac for b in blocks), blocks, strict=True))
    for mcu in zip(*fates, strict=True):
        for fate, (n, dc, ac, block) in zip(mcu, rows, strict=True):
            begin = at
            entry = dc[(window[at >> 3] >> (16 - (at & 7))) & 0xFFFF]
            size = entry >> 8
            if not entry or size > MAX_DC_SIZE:
                raise ScanFault(ENDS_EARLY if bits - at < 16 else DAMAGED)
            at += entry & 255
            before = pred[n]
            if size:
                v = (window[at >> 3] >> (32 - (at & 7) - size)) & ((1 << size) - 1)
                pred[n] = now = before + (v if v >> (size - 1) else v - (1 << size) + 1)
                if not MIN_DC <= now <= MAX_DC:
                    raise ScanFault(DAMAGED)
                at += size
            after_dc = at
            k, last = 1, 0
            while k < 64:
                entry = ac[(window[at >> 3] >> (16 - (at & 7))) & 0xFFFF]
                if not entry:
                    raise ScanFault(ENDS_EARLY if bits - at < 16 else DAMAGED)
                at += entry & 255
                k += entry >> 8 & 255
                idle |= k >= _END and last & _ZEROS != 0
                last = entry
            idle |= last & _ZEROS != 0
            if at > bits:
                raise ScanFault(ENDS_EARLY)
            if 64 < k < _END:
                raise ScanFault(DAMAGED)
            if not fate and before == opred[n]:
                opred[n] = pred[n]
                continue
            out.copy(source, run, begin)
            if fate != drop:
                now = pred[n] if not fate else flat[n] if fate == Fate.FLAT else opred[n]
                out.dc(block, now - opred[n])
                opred[n] = now
            run = at
            if not fate:
                run = after_dc
            elif fate != drop:
                out.end(block)
    out.copy(source, run, at)
    if idle:
        raise IdleZeros
    return at


class _BitOut:
    """Bits, written into an array that grows."""

    def __init__(self, room: int) -> None:
        self._bytes = np.zeros(room + 4096, np.uint8)
        self._at = 0

    def _ensure(self, bits: int) -> None:
        need = (self._at + bits >> 3) + 8
        if need > len(self._bytes):
            self._bytes = np.concatenate((self._bytes, np.zeros(need, np.uint8)))

    def put(self, value: int, size: int) -> None:
        self._ensure(size)
        while size:
            room = 8 - (self._at & 7)
            step = min(room, size)
            part = (value >> (size - step)) & ((1 << step) - 1)
            self._bytes[self._at >> 3] |= part << (room - step)
            self._at += step
            size -= step

    def dc(self, block: _Block, diff: int) -> None:
        size = abs(diff).bit_length()
        if size > MAX_DC_SIZE:
            raise ScanFault(DAMAGED)
        code = block.dc_codes.get(size)
        if code is None:
            raise NoCode
        self.put(code[0] << size | (diff if diff >= 0 else diff + (1 << size) - 1), code[1] + size)

    def end(self, block: _Block) -> None:
        if block.end is None:
            raise NoCode
        self.put(*block.end)

    def copy(self, source: NDArray[np.uint8], begin: int, end: int) -> None:
        """Append the bits from ``begin`` to before ``end`` of ``source``, which has spare bytes at its end."""
        self._ensure(end - begin)
        while begin < end and self._at & 7:
            begin = self._few(source, begin, min(8 - (self._at & 7), end - begin))
        count = (end - begin) >> 3
        if count > 0:
            here, there, shift = self._at >> 3, begin >> 3, begin & 7
            piece: NDArray[Any] = source[there : there + count]
            if shift:
                piece = (piece << shift) | (source[there + 1 : there + count + 1] >> (8 - shift))
            self._bytes[here : here + count] = piece
            self._at += 8 * count
            begin += 8 * count
        if begin < end:
            self._few(source, begin, end - begin)

    def _few(self, source: NDArray[np.uint8], begin: int, size: int) -> int:
        word = int(source[begin >> 3]) << 8 | int(source[(begin >> 3) + 1])
        self.put((word >> (16 - (begin & 7) - size)) & ((1 << size) - 1), size)
        return begin + size

    def done(self) -> bytes:
        """Everything so far, filled up with ones and stuffed; begins anew."""
        fill = -self._at & 7
        self.put((1 << fill) - 1, fill)
        used = self._at >> 3
        out = self._bytes[:used].tobytes().replace(b"\xff", b"\xff\0")
        self._bytes[: used + 1] = 0
        self._at = 0
        return out
