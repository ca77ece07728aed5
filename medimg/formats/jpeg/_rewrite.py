"""Rewriting a JPEG scan by scan: headers copied, every scan handed to an engine, coding tables kept or made anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medimg.errors import CheckNotRun
from medimg.formats.jpeg import _coded_frame as jf
from medimg.formats.jpeg._job import ZIGZAG_END, Engine, Job, Mode, NoCode, Part, Rewritten, ScanFault
from medimg.formats.jpeg._tables import Table, optimal

MAX_SCANS = 200
"""A bound on work; encoders write about ten."""


@dataclass(frozen=True)
class Head:
    """What stands before the first scan: the frame, whether there is a JFIF marker, Adobe's transform flag."""

    frame: jf.Frame
    jfif: bool
    transform: int | None


@dataclass(frozen=True)
class Goal:
    """What is wanted of a frame.

    Attributes:
        fates: Per component what becomes of its blocks.
        flat: Quantised DC of a FLAT block, for a component's index and its DC quantisation step.
        size: Width and height of the new frame, None to keep them. A new size does away with restart intervals.
    """

    fates: list[NDArray[np.uint8]]
    flat: Callable[[int, int], int]
    size: tuple[int, int] | None = None


class Rewriter:
    """One pass over a JPEG.

    Args:
        data: The file.
        engine: What rewrites a scan.
        plan: Called once, with what stands before the first scan.
        cut: Leave out whole bytes that lie unread before a marker. Encoders leave none, so otherwise they mean damage.
    """

    def __init__(self, data: bytes, engine: Engine, plan: Callable[[Head], Goal], *, cut: bool = False) -> None:
        self._data, self._engine, self._plan, self._cut = data, engine, plan, cut
        self._before: list[tuple[int, bytes]] = []
        self._pieces: list[bytes] = [b"\xff\xd8"]
        self._frame: jf.Frame | None = None
        self._goal: Goal | None = None
        self._scans = 0
        self._tables: dict[int, Table] = {}
        self._written: dict[int, Table] = {}
        self._steps: dict[int, int] = {}
        self._restart = 0
        self._low, self._high, self._kx = bytearray(4), bytearray(b"\1\1\1\1"), bytearray(b"\5\5\5\5")
        self._flat: list[int | None] = []
        self._seen: list[NDArray[np.uint64]] = []
        self._known: list[list[int | None]] = []

    def run(self) -> bytes:
        """The new file.

        Raises:
            CheckNotRun: The file is damaged or of a kind that is not handled.
        """
        if self._data[:2] != b"\xff\xd8":
            raise jf.refuse("it does not begin like one.")
        at = 2
        while True:
            marker, payload, end = jf.segment(self._data, at)
            if marker == jf.EOI:
                break
            at = self._scan(payload, end) if marker == jf.SOS else self._segment(marker, payload, end)
        if not self._known or any(None in bits or any(bits) for bits in self._known):
            raise jf.refuse("a part of the picture is missing.")
        return b"".join((*self._pieces, b"\xff\xd9"))

    # ---- segments ----

    def _segment(self, marker: int, payload: bytes, end: int) -> int:
        if marker == jf.DHT:
            self._tables |= jf.huffman_tables(payload)
        elif marker == jf.DQT:
            self._steps |= jf.first_steps(payload)
        elif marker == jf.DRI:
            if len(payload) != 2:
                raise jf.refuse("its header is damaged.")
            self._restart = int.from_bytes(payload)
        elif marker == jf.DAC:
            self._condition(payload)
        elif 0xC0 <= marker <= 0xCF:
            if self._frame:
                raise jf.refuse("it has more than one frame.")
            self._frame = jf.frame(marker, payload)
        elif marker < 0xE0 or (marker >= 0xF0 and marker != 0xFE):
            raise jf.refuse("it has a segment of a kind that is not handled.")
        if not self._goal:
            self._before.append((marker, payload))
        elif marker in (jf.DHT, jf.DQT, jf.DRI):  # whatever else stands between scans is no part of the picture
            self._copy(marker, payload)
        return end

    def _copy(self, marker: int, payload: bytes) -> None:
        frame, goal = self._frame, self._goal
        if frame is None or goal is None:
            raise jf.refuse("it has no frame before its first scan.")
        if 0xC0 <= marker <= 0xCF and marker not in (jf.DHT, jf.DAC):
            plain = {0xC9: 0xC1, 0xCA: 0xC2}.get(marker, marker)
            if goal.size:
                payload = payload[:1] + goal.size[1].to_bytes(2) + goal.size[0].to_bytes(2) + payload[5:]
            self._pieces.append(jf.put(plain, payload))
        elif marker == jf.DHT:
            if not frame.progressive and not frame.arithmetic:  # their scans bring tables of their own
                self._pieces.append(jf.put(marker, payload))
                self._written |= jf.huffman_tables(payload)
        elif not (marker == jf.DAC or (marker == jf.DRI and goal.size)):
            self._pieces.append(jf.put(marker, payload))

    def _condition(self, payload: bytes) -> None:  # B.2.4.3
        if len(payload) % 2:
            raise jf.refuse("its header is damaged.")
        for where, value in zip(payload[::2], payload[1::2], strict=True):
            kind, slot = where >> 4, where & 15
            if kind > 1 or slot > 3 or (kind == 0 and value & 15 > value >> 4) or (kind and not 1 <= value <= 63):
                raise jf.refuse("its header is damaged.")
            if kind:
                self._kx[slot] = value
            else:
                self._low[slot], self._high[slot] = value & 15, value >> 4

    # ---- scans ----

    def _begin(self) -> tuple[jf.Frame, Goal]:
        if self._frame is None:
            raise jf.refuse("it has no frame before its first scan.")
        if self._goal is None:
            segments = [p for m, p in self._before if m == 0xE0]
            adobe = [p[11] for m, p in self._before if m == 0xEE and p[:5] == b"Adobe" and len(p) >= 12]
            jfif = any(p[:5] == b"JFIF\0" and len(p) >= 14 for p in segments)
            self._goal = self._plan(Head(self._frame, jfif, adobe[-1] if adobe else None))
            for marker, payload in self._before:
                self._copy(marker, payload)
            count = len(self._frame.components)
            self._flat = [None] * count
            self._known = [[None] * 64 for _ in range(count)]
            if self._frame.progressive:
                self._seen = [np.zeros(f.shape, np.uint64) for f in self._goal.fates]
        return self._frame, self._goal

    def _scan(self, payload: bytes, start: int) -> int:
        frame, goal = self._begin()
        header = jf.scan_header(payload, frame.components)
        self._scans += 1
        if self._scans > MAX_SCANS:
            raise jf.refuse("it has too many scans.")
        mode = self._progress(header)
        for n, _, _ in header.parts:
            if self._flat[n] is None:
                step = self._steps.get(frame.components[n].tq)
                if step is None:
                    raise jf.refuse("a quantisation table is missing.")
                self._flat[n] = goal.flat(n, step)
        job = self._job(header, mode)
        try:
            tables, done = self._rewritten(job, start)
        except ScanFault as fault:
            raise jf.refuse(str(fault)) from None
        if done.extra and not self._cut:
            raise jf.refuse("the picture data are damaged.")
        for part, n in zip(job.parts, (n for n, _, _ in header.parts), strict=True):
            if part.seen_after is not None:
                self._seen[n] = part.seen_after
        new = {slot: t for slot, t in sorted(tables.items()) if self._written.get(slot) != t}
        if new:
            self._written |= new
            body = b"".join(bytes((slot // 4 << 4 | slot % 4,)) + t for slot, t in new.items())
            self._pieces.append(jf.put(jf.DHT, body))
        self._pieces += [jf.put(jf.SOS, payload), done.data]
        return done.end

    def _progress(self, header: jf.ScanHeader) -> Mode:
        """Which sort of scan this is; every bit of every coefficient must come once and in order (G.1.1.1)."""
        ss, se, ah, al = header.ss, header.se, header.ah, header.al
        progressive = self._frame is not None and self._frame.progressive
        if not progressive:
            fits = (ss, se, ah, al) == (0, ZIGZAG_END, 0, 0)
        else:
            fits = (ss == se == 0 or (0 < ss <= se <= ZIGZAG_END and len(header.parts) == 1)) and al <= 13
        for n, _, _ in header.parts:
            bits = self._known[n]
            fits = fits and not (ss and bits[0] is None)
            for k in range(ss, se + 1) if fits else ():
                fits = fits and (bits[k] is None if ah == 0 else bits[k] == ah == al + 1)
                bits[k] = al
        if not fits:
            raise jf.refuse("its scans are out of order.")
        if not progressive:
            return Mode.SEQUENTIAL
        if ss == 0:
            return Mode.DC_REFINE if ah else Mode.DC_FIRST
        return Mode.AC_REFINE if ah else Mode.AC_FIRST

    def _job(self, header: jf.ScanHeader, mode: Mode) -> Job:
        frame, goal = self._begin()
        alone = len(header.parts) == 1
        mcus = frame.shown(frame.components[header.parts[0][0]]) if alone else (frame.mcus_x, frame.mcus_y)
        refined = mode in (Mode.AC_FIRST, Mode.AC_REFINE)
        parts = []
        for n, dc, ac in header.parts:
            c = frame.components[n]
            seen = self._seen[n] if refined else None
            after = np.empty_like(seen) if seen is not None else None
            if after is not None and seen is not None:
                after[...] = seen  # blocks past the edge take no part in this scan
            flat = self._flat[n] or 0
            parts.append(Part(goal.fates[n], seen, after, 1 if alone else c.h, 1 if alone else c.v, flat, dc, ac))
        job = Job(
            mode=mode,
            arithmetic=frame.arithmetic,
            ss=max(header.ss, 1) if mode == Mode.SEQUENTIAL else header.ss,
            se=header.se,
            al=header.al,
            restart=self._restart,
            keep_restarts=not goal.size,
            mcus_x=mcus[0],
            mcus_y=mcus[1],
            parts=parts,
            low=bytes(self._low),
            high=bytes(self._high),
            kx=bytes(self._kx),
        )
        if not frame.arithmetic:
            for slot in _needed(job):
                if slot not in self._tables:
                    raise jf.refuse("a Huffman table is missing.")
                job.tables[slot] = self._tables[slot]
        return job

    def _rewritten(self, job: Job, start: int) -> tuple[dict[int, Table], Rewritten]:
        if job.mode == Mode.DC_REFINE:
            return {}, self._engine.rewrite(job, self._data, start, {})
        if not job.arithmetic:
            try:
                return job.tables, self._engine.rewrite(job, self._data, start, job.tables)
            except NoCode:
                pass
        counts = self._engine.count(job, self._data, start)
        tables = {slot: optimal(counts.get(slot, [0] * 256)) for slot in _needed(job)}
        return tables, self._engine.rewrite(job, self._data, start, tables)


def _needed(job: Job) -> list[int]:
    """Table slots that a scan uses."""
    dc = {p.dc for p in job.parts} if job.mode in (Mode.SEQUENTIAL, Mode.DC_FIRST) else set()
    ac = {4 + p.ac for p in job.parts} if job.mode in (Mode.SEQUENTIAL, Mode.AC_FIRST, Mode.AC_REFINE) else set()
    return sorted(dc | ac)


def rewrite(data: bytes, engine: Engine, plan: Callable[[Head], Goal], *, cut: bool = False) -> bytes:
    """Rewrite a whole JPEG; see :class:`Rewriter`.

    Raises:
        CheckNotRun: The file is damaged or of a kind that is not handled.
    """
    try:
        return Rewriter(data, engine, plan, cut=cut).run()
    except (IndexError, ValueError, OverflowError) as error:
        raise CheckNotRun("this JPEG cannot be covered without loss: it is damaged.", todo=jf.ADVICE) from error
