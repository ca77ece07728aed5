"""Independent walk of a JPEG copy: the coded picture, the tables it uses, a colour profile, an orientation; no more."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

from medimg.audit import icc, scans
from medimg.errors import Malformed

END, SCAN, QUANTISATION, HUFFMAN, CONDITIONING, RESTART = 0xD9, 0xDA, 0xDB, 0xC4, 0xCC, 0xDD
FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)
MULTIPLE_PASSES, ARITHMETIC = (0xC2, 0xCA), (0xC9, 0xCA)

STRUCTURE = (QUANTISATION, HUFFMAN, CONDITIONING, RESTART, *FRAMES)
"""Segments that make the picture (ITU-T T.81, B.2.4); each has to be used by a scan."""
TURN = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0%c\0\0\0\0\0\0"
TURNS = frozenset(TURN % k for k in range(2, 9))
TRANSFORMS = frozenset(b"Adobe\0\x64\0\0\0\0%c" % k for k in range(3))


def _plain_jfif(payload: bytes) -> bool:
    """Version 1.01, no unit, no thumbnail, and a pixel's shape in smallest numbers."""
    if len(payload) != 14 or payload[:8] != b"JFIF\0\1\1\0" or payload[12:] != b"\0\0":
        return False
    across, down = struct.unpack(">HH", payload[8:12])
    return math.gcd(across, down) == 1


APPLICATIONS: dict[int, Callable[[bytes], bool]] = {
    0xE0: _plain_jfif,  # JFIF 1.02, page 5
    0xE1: TURNS.__contains__,  # Exif 3.0, 4.7.2: one entry, Orientation
    0xEE: TRANSFORMS.__contains__,  # Adobe Technical Note 5116, section 18: which colours the components are
}
"""What may be said besides, once and before the first scan; the parts of a colour profile (ICC.1, B.4) are apart."""


def walk(data: bytes) -> list[str]:
    """Paths of everything that is not allow-listed; see :mod:`medimg.audit`."""
    return _Reader(data).read()


class _Reader:
    """One pass; ``waiting`` holds what was defined and not yet used by a scan."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.strays: list[str] = []
        self.defined: dict[tuple[int, int], None] = {}
        self.waiting: set[tuple[int, int]] = set()
        self.chunks: list[bytes] = []
        self.once: set[int] = set()
        self.sof = self.scans = self.interval = 0
        self.components: dict[int, int] = {}

    def read(self) -> list[str]:
        if self.data[:2] != b"\xff\xd8":
            raise Malformed("the copy does not begin like a JPEG.")
        at = 2
        while self.data[at : at + 2] != b"\xff\xd9":
            flag, marker, length = struct.unpack_from(">BBH", self.data, at)
            payload = self.data[at + 4 : at + 2 + length]
            if flag != 0xFF or len(payload) != length - 2:
                raise Malformed("the copy could not be followed to its end.")
            at += 2 + length
            if marker == SCAN:
                at = self._scan(payload, at)
            else:
                self._segment(marker, payload)
        if at + 2 != len(self.data):
            self.strays.append("after EOI")
        if not self.scans:
            raise Malformed("the copy holds no picture.")
        self.strays += ["unused table"] * len(self.waiting)
        self._profile()
        return self.strays

    def _segment(self, marker: int, payload: bytes) -> None:
        if marker in STRUCTURE:
            self._structure(marker, payload)
        elif 0xE0 <= marker <= 0xEF or marker == 0xFE:
            self._application(marker, payload)
        else:
            raise Malformed("the copy has a segment of an unknown kind.")

    def _structure(self, marker: int, payload: bytes) -> None:
        if marker in (QUANTISATION, HUFFMAN):
            self._tables(marker, payload)
        elif marker in FRAMES:
            self._frame(marker, payload)
        elif marker == CONDITIONING:
            self._conditioning(payload)
        elif len(payload) == 2:
            self._define(RESTART, 0)
            self.interval = int.from_bytes(payload)
        else:
            raise Malformed("the copy has a segment of an unknown kind.")

    def _application(self, marker: int, payload: bytes) -> None:
        name = "COM" if marker == 0xFE else f"APP{marker - 0xE0}"
        first = marker not in self.once and not self.scans
        self.once.add(marker)
        if marker == 0xE2 and payload[:12] == b"ICC_PROFILE\0" and not self.scans:
            self.chunks.append(payload[12:])
        elif not first or marker not in APPLICATIONS or not APPLICATIONS[marker](payload):
            self.strays.append(name)

    def _profile(self) -> None:
        count = len(self.chunks)
        if not count:
            return
        numbered = all(c[:2] == bytes((k, count)) for k, c in enumerate(self.chunks, 1))
        if not numbered or icc.strays(b"".join(c[2:] for c in self.chunks)):
            self.strays.append("APP2/ICC")

    # -- structure ----------------------------------------------------------------------------------------------------

    def _define(self, marker: int, slot: int) -> None:
        if (marker, slot) in self.waiting:
            self.strays.append("unused table")
        self.defined[marker, slot] = None
        self.waiting.add((marker, slot))

    def _use(self, marker: int, slot: int) -> None:
        if (marker, slot) not in self.defined:
            raise Malformed("a table of the copy is missing.")
        self.waiting.discard((marker, slot))

    def _tables(self, marker: int, payload: bytes) -> None:
        if not payload:
            self.strays.append("empty table")
        while payload:
            head = payload[0]
            if marker == QUANTISATION:
                size = {0: 65, 1: 129}.get(head >> 4, 0)
            else:
                symbols = payload[17 : 17 + sum(payload[1:17])]
                size = 17 + len(symbols) if head >> 4 < 2 and sum(payload[1:17]) == len(symbols) else 0
                codes = sum(n << 16 >> k for k, n in enumerate(payload[1:17], 1))
                if len(set(symbols)) != len(symbols) or codes > 1 << 16:
                    self.strays.append("table")
            if not size or size > len(payload) or head & 15 > 3:
                raise Malformed("a table of the copy is damaged.")
            self._define(marker, head if marker == HUFFMAN else head & 15)
            payload = payload[size:]

    def _conditioning(self, payload: bytes) -> None:
        places = payload[::2]
        if len(payload) % 2 or len(set(places)) != len(places) or any(p & 0xEC for p in places):
            raise Malformed("a table of the copy is damaged.")
        for place in places:
            self._define(CONDITIONING, place)

    def _frame(self, marker: int, payload: bytes) -> None:
        count = payload[5]
        if self.sof or payload[0] != 8 or len(payload) != 6 + 3 * count or count not in (1, 3, 4):
            raise Malformed("the frame of the copy is damaged.")
        self.sof = marker
        self.components = {payload[6 + 3 * k]: payload[8 + 3 * k] for k in range(count)}

    def _scan(self, payload: bytes, at: int) -> int:
        count = payload[0]
        if not self.sof or len(payload) != 4 + 2 * count or not 1 <= count <= 4:
            raise Malformed("a scan of the copy is damaged.")
        self.scans += 1
        begin, high = payload[-3], payload[-1] >> 4
        passes = self.sof in MULTIPLE_PASSES
        if not passes and payload[-3:] != b"\0\x3f\0":
            self.strays.append("SOS")
        for k in range(count):
            name, slots = payload[1 + 2 * k], payload[2 + 2 * k]
            self._use(QUANTISATION, self.components[name])
            low, rest = slots >> 4, 16 + (slots & 15)
            if self.sof in ARITHMETIC:  # what was not conditioned is as the standard has it
                self.waiting -= {(CONDITIONING, low), (CONDITIONING, rest)}
                continue
            if not (passes and (begin or high)):
                self._use(HUFFMAN, low)
            if begin or not passes:
                self._use(HUFFMAN, rest)
        self.waiting.discard((RESTART, 0))
        end = scans.coded_end(self.data, at, restarts=bool(self.interval))
        if end < 0:
            raise Malformed("the copy could not be followed to its end.")
        if self.data[end + 1 : end + 2] == b"\xff" or end == at:
            raise Malformed("a scan of the copy is damaged.")
        return end
