"""The compiled engine: ``_splice.c`` as a shared library, made when medimg was built."""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from medimg.errors import MissingPart
from medimg.formats.jpeg.job import DAMAGED, ENDS_EARLY, RESTART, Job, NoCode, Rewritten, ScanFault, Scanned
from medimg.formats.jpeg.markers import LIBRARY
from medimg.formats.jpeg.tables import Table
from medimg.native import library

VERSION = 3

OK, CORRUPT, SHORT, NO_CODE, NO_SPACE, BAD_RESTART, BAD_CALL = range(7)
_WORDS = {CORRUPT: DAMAGED, SHORT: ENDS_EARLY, BAD_RESTART: RESTART, BAD_CALL: "the scan is of an unknown kind."}
_LARGEST_BLOCK = 64 * 27 // 8 * 2 + 2


class _Part(ctypes.Structure):
    _fields_ = [
        *((n, ctypes.c_void_p) for n in ("fate", "seen", "seen_after")),
        *((n, ctypes.c_int32) for n in ("stride", "rows", "h", "v", "flat", "dc", "ac")),
    ]


class _Scan(ctypes.Structure):
    _fields_ = [
        *((n, ctypes.c_int32) for n in ("mode", "arithmetic", "ss", "se", "al", "restart", "keep_restarts")),
        *((n, ctypes.c_int32) for n in ("mcus_x", "mcus_y", "parts")),
        ("part", _Part * 4),
        *((n, ctypes.c_uint8 * 4) for n in ("low", "high", "kx")),
        ("defined", ctypes.c_uint8 * 8),
        ("tables_in", ctypes.c_uint8 * 272 * 8),
        ("tables_out", ctypes.c_uint8 * 272 * 8),
    ]


class _Result(ctypes.Structure):
    _fields_ = [
        *((n, ctypes.c_int64) for n in ("consumed", "written", "extra")),
        *((n, ctypes.c_int32) for n in ("loose", "past")),
        ("nonzero", ctypes.c_uint64 * 4),
        ("met", ctypes.c_uint8 * 256 * 8),
    ]


class Kernel:
    """The engine made of a loaded library."""

    name = "kernel"

    def __init__(self, compiled: Any) -> None:
        self._scan = compiled.medimg_scan
        self._scan.restype = ctypes.c_int32
        self._scan.argtypes = [
            ctypes.POINTER(_Scan),
            ctypes.c_char_p,
            ctypes.c_void_p,
            ctypes.c_int64,
            ctypes.c_void_p,
            ctypes.c_int64,
            ctypes.c_void_p,
            ctypes.POINTER(_Result),
        ]
        self._work_size = int(compiled.medimg_work_size())

    def rewrite(self, job: Job, data: bytes, start: int, tables: dict[int, Table]) -> Rewritten:
        """See :class:`~medimg.formats.jpeg.job.Engine`."""
        scan = _packed(job, tables)
        # Stuffing included, covering seldom makes a scan longer; where it does, the room is doubled.
        most = job.blocks * _LARGEST_BLOCK + 65536
        room = min(most, (len(data) - start) * 5 // 4 + job.blocks // 2 + 65536)
        while True:
            out = np.empty(room, np.uint8)  # untouched pages cost nothing
            code, result = self._run(scan, data, start, out, None)
            if code == NO_SPACE and room < most:
                room = min(most, room * 2)
                continue
            _check(code)
            return Rewritten(out[: result.written].tobytes(), start + result.consumed, result.extra)

    def read(self, job: Job, data: bytes, start: int) -> Scanned:
        """Read every symbol of the scan whose entropy-coded data begin at ``start``.

        Raises:
            ScanFault: The scan is damaged.
        """
        code, said = self._run(_packed(job, {}), data, start, None, None)
        _check(code)
        met = {slot: frozenset(s for s, m in enumerate(bytes(said.met[slot])) if m) for slot in job.tables}
        loose = bool(said.loose or said.extra)
        return Scanned(start + said.consumed, loose, bool(said.past), met, tuple(said.nonzero[: len(job.parts)]))

    def count(self, job: Job, data: bytes, start: int) -> dict[int, list[int]]:
        """See :class:`~medimg.formats.jpeg.job.Engine`."""
        counts = np.zeros((8, 256), np.uint32)
        code, _ = self._run(_packed(job, {}), data, start, np.empty(0, np.uint8), counts)
        _check(code)
        return {slot: counts[slot].tolist() for slot in range(8) if counts[slot].any()}

    def _run(self, scan: _Scan, data: bytes, start: int, out: Any, counts: Any) -> tuple[int, _Result]:
        result = _Result()
        source = np.frombuffer(data, np.uint8)
        code = self._scan(
            ctypes.byref(scan),
            ctypes.create_string_buffer(self._work_size),
            source.ctypes.data + start,
            len(data) - start,
            None if out is None else out.ctypes.data,
            0 if out is None else out.size,
            None if counts is None else counts.ctypes.data,
            ctypes.byref(result),
        )
        return int(code), result


def _check(code: int) -> None:
    if code == NO_CODE:
        raise NoCode
    if code != OK:
        raise ScanFault(_WORDS.get(code, DAMAGED))


def _packed(job: Job, tables_out: dict[int, Table]) -> _Scan:
    scan = _Scan(
        job.mode,
        job.arithmetic,
        job.ss,
        job.se,
        job.al,
        job.restart,
        job.keep_restarts,
        job.mcus_x,
        job.mcus_y,
        len(job.parts),
    )
    for n, part in enumerate(job.parts):
        rows, stride = part.fate.shape
        for array in (part.fate, part.seen, part.seen_after):
            if array is not None and (array.shape != (rows, stride) or not array.flags.c_contiguous):
                raise ScanFault("the scan is of an unknown kind.")
        scan.part[n] = _Part(
            part.fate.ctypes.data,
            None if part.seen is None else part.seen.ctypes.data,
            None if part.seen_after is None else part.seen_after.ctypes.data,
            stride,
            rows,
            part.h,
            part.v,
            part.flat,
            part.dc,
            part.ac,
        )
    for n in range(4):
        scan.low[n], scan.high[n], scan.kx[n] = job.low[n], job.high[n], job.kx[n]
    for slot, table in job.tables.items():
        scan.defined[slot] = 1
        scan.tables_in[slot][: len(table)] = table
    for slot, table in tables_out.items():
        scan.tables_out[slot][: len(table)] = table
    return scan


@cache
def load(path: Path = LIBRARY) -> Kernel:
    """The kernel.

    Raises:
        MissingPart: It was not made, or is of another version or machine.
    """
    size = ctypes.c_size_t
    library.function(path, "medimg_work_size", size)
    version = library.function(path, "medimg_kernel_version", ctypes.c_int)()
    sizes = [library.function(path, f"medimg_{name}_size", size)() for name in ("scan", "result")]
    if version != VERSION or sizes != [ctypes.sizeof(_Scan), ctypes.sizeof(_Result)]:
        raise MissingPart("medimg's compiled part is of another version.")
    return Kernel(library.load(path))
