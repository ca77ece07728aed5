"""Rewriting a JPEG scan by scan: headers copied, every scan handed to an engine, coding tables kept or made anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medimg.errors import CheckNotRun, Malformed
from medimg.formats.jpeg._headers import AC, FrameHeader, ScanHeader, huffman_tables
from medimg.formats.jpeg._segments import CODED, DAC, DHT, DRI, END, SOS, START, Head, Jpeg, Scan, needed, segment
from medimg.formats.jpeg.job import Engine, Job, Mode, NoCode, Part, Rewritten, ScanFault
from medimg.formats.jpeg.tables import Table, optimal

MAX_PIXELS = 1 << 28
"""A bound on memory, whatever the policy allows."""
PLAIN = {0xC9: 0xC1, 0xCA: 0xC2}
"""Frame headers of arithmetic coding and those of the same picture with Huffman codes (T.81, Table B.1)."""
ADVICE = Malformed.todo_default


def refuse(what: str, todo: str = ADVICE) -> CheckNotRun:
    """The error for a JPEG that cannot be covered without loss."""
    return CheckNotRun(f"this JPEG cannot be covered without loss: {what}", todo=todo)


def frame_of(jpeg: Jpeg) -> FrameHeader:
    """The frame, where its blocks can be held in memory.

    Raises:
        CheckNotRun: They cannot, or there is none.
    """
    if jpeg.frame is None or jpeg.frame.width * jpeg.frame.height > MAX_PIXELS:
        raise refuse("it claims too many pixels.")
    return jpeg.frame


@dataclass(frozen=True)
class Goal:
    """What is wanted of a frame.

    Attributes:
        fates: Per component what becomes of its blocks.
        flat: Per component the quantised DC of a FLAT block.
        size: Width and height of the new frame, None to keep them. A new size does away with restart intervals.
    """

    fates: list[NDArray[np.uint8]]
    flat: list[int]
    size: tuple[int, int] | None = None


class Rewriter:
    """One pass over a JPEG.

    Args:
        jpeg: The file taken apart.
        engine: What rewrites a scan.
        goal: What is wanted.
        cut: Leave out whole bytes that lie unread before a marker. Encoders leave none, so otherwise they mean damage.
    """

    def __init__(self, jpeg: Jpeg, engine: Engine, goal: Goal, *, cut: bool) -> None:
        self._jpeg, self._engine, self._goal, self._cut = jpeg, engine, goal, cut
        self._frame = frame_of(jpeg)
        self._pieces: list[bytes] = []
        self._written: dict[int, Table] = {}
        progressive = self._frame.progressive
        self._seen = [np.zeros(f.shape, np.uint64) for f in goal.fates if progressive]

    def run(self, head: Head) -> bytes:
        """The new file.

        Raises:
            CheckNotRun: Its coded data are damaged.
        """
        self._pieces = [START, *head.segments]
        for number, payload in needed(self._jpeg):
            marker = self._jpeg.parts[number].marker
            if marker == SOS:
                self._scan(self._jpeg.scans[number], bytes(payload))
            elif marker != CODED:
                self._segment(marker, bytes(payload))
        return b"".join((*self._pieces, END))

    def _segment(self, marker: int, payload: bytes) -> None:
        size = self._goal.size
        if marker == DHT:
            if not self._frame.progressive and not self._frame.arithmetic:  # their scans bring tables of their own
                self._pieces.append(segment(marker, payload))
                self._written |= {slot: payload[begin + 1 : end] for slot, begin, end in huffman_tables(payload)}
        elif marker == self._frame.sof:
            if size:
                payload = payload[:1] + size[1].to_bytes(2) + size[0].to_bytes(2) + payload[5:]
            self._pieces.append(segment(PLAIN.get(marker, marker), payload))
        elif not (marker == DAC or (marker == DRI and size)):
            self._pieces.append(segment(marker, payload))

    def _scan(self, scan: Scan, payload: bytes) -> None:
        job = job_of(scan, self._frame, self._goal, self._seen)
        data, start, end = coded(self._jpeg, scan)
        try:
            tables, done = self._rewritten(job, data, start)
        except ScanFault as fault:
            raise refuse(str(fault)) from None
        if (done.extra and not self._cut) or done.end != end:
            raise refuse("the picture data are damaged.")
        for part, (n, _, _) in zip(job.parts, scan.header.parts, strict=True):
            if part.seen_after is not None:
                self._seen[n] = part.seen_after
        new = {slot: t for slot, t in sorted(tables.items()) if self._written.get(slot) != t}
        if new:
            self._written |= new
            body = b"".join(bytes((slot // AC << 4 | slot % AC,)) + t for slot, t in new.items())
            self._pieces.append(segment(DHT, body))
        self._pieces += [segment(SOS, payload), done.data]

    def _rewritten(self, job: Job, data: bytes, start: int) -> tuple[dict[int, Table], Rewritten]:
        if job.mode == Mode.DC_REFINE:
            return {}, self._engine.rewrite(job, data, start, {})
        if not job.arithmetic:
            try:
                return job.tables, self._engine.rewrite(job, data, start, job.tables)
            except NoCode:
                pass
        counts = self._engine.count(job, data, start)
        tables = {slot: optimal(counts.get(slot, [0] * 256)) for slot in _written_with(job)}
        return tables, self._engine.rewrite(job, data, start, tables)


def coded(jpeg: Jpeg, scan: Scan) -> tuple[bytes, int, int]:
    """Bytes with the coded data of a scan in them, where those begin, and where the marker behind them stands.

    Those of the file, if a marker follows there and nothing lies between: a photo's data are not copied for nothing.
    """
    if len(scan.coded) == 1:
        part = scan.coded[0]
        if jpeg.data[part.end : part.end + 1] == b"\xff" and jpeg.data[part.end + 1 : part.end + 2] not in _NO_MARKER:
            return jpeg.data, part.start, part.end
    data = b"".join(jpeg.payload(part) for part in scan.coded)
    return data + END, 0, len(data)


_NO_MARKER = (b"", b"\0", b"\xff")


def job_of(scan: Scan, frame: FrameHeader, goal: Goal, seen: Sequence[NDArray[np.uint64]]) -> Job:
    """What an engine is asked of a scan.

    Args:
        scan: The scan.
        frame: The frame.
        goal: What is wanted.
        seen: Of a progressive file which coefficients were not 0 before this scan, per component.
    """
    header = scan.header
    mode = _mode(header, frame)
    alone = len(header.parts) == 1
    parts = []
    for n, dc, ac in header.parts:
        c = frame.components[n]
        before = seen[n] if mode in (Mode.AC_FIRST, Mode.AC_REFINE) else None
        # Blocks past the edge take no part in a scan of one component: what is known of them stays.
        after = None if before is None else before.copy()
        h, v = (1, 1) if alone else (c.h, c.v)
        parts.append(Part(goal.fates[n], before, after, h, v, goal.flat[n], dc, ac))
    mcus_x, mcus_y = header.mcus(frame)
    return Job(
        mode=mode,
        arithmetic=frame.arithmetic,
        ss=max(header.ss, 1) if mode == Mode.SEQUENTIAL else header.ss,
        se=header.se,
        al=header.al,
        restart=scan.restart,
        keep_restarts=not goal.size,
        mcus_x=mcus_x,
        mcus_y=mcus_y,
        parts=parts,
        tables=scan.tables,
        low=scan.conditioning.low,
        high=scan.conditioning.high,
        kx=scan.conditioning.kx,
    )


def _mode(header: ScanHeader, frame: FrameHeader) -> Mode:
    if not frame.progressive:
        return Mode.SEQUENTIAL
    if header.ss == 0:
        return Mode.DC_REFINE if header.ah else Mode.DC_FIRST
    return Mode.AC_REFINE if header.ah else Mode.AC_FIRST


def _written_with(job: Job) -> list[int]:
    """Slots of the tables that a scan is written with; one that was arithmetic had none."""
    dc = {p.dc for p in job.parts} if job.mode in (Mode.SEQUENTIAL, Mode.DC_FIRST) else set()
    ac = {AC + p.ac for p in job.parts} if job.mode in (Mode.SEQUENTIAL, Mode.AC_FIRST, Mode.AC_REFINE) else set()
    return sorted(dc | ac)


def rewrite(jpeg: Jpeg, head: Head, engine: Engine, goal: Goal, *, cut: bool = False) -> bytes:
    """Rewrite a whole JPEG; see :class:`Rewriter`.

    Raises:
        CheckNotRun: Its coded data are damaged.
    """
    try:
        return Rewriter(jpeg, engine, goal, cut=cut).run(head)
    except (IndexError, ValueError, OverflowError) as error:
        raise refuse("it is damaged.") from error
