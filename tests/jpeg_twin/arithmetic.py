"""Reading arithmetic-coded scans (ITU-T T.81, Annex D and F.1.4.4), in Python."""

from __future__ import annotations

from medimg.formats.jpeg.job import DAMAGED, Job, ScanFault

# Table D.3: Qe, next state after the less and the more probable symbol; ! exchanges their sense. The last is fixed.
_TABLE = """
5a1d:1:1! 2586:14:2 1114:16:3 080b:18:4 03d8:20:5 01da:23:6 00e5:25:7 006f:28:8 0036:30:9 001a:33:10 000d:35:11
0006:9:12 0003:10:13 0001:12:13 5a7f:15:15! 3f25:36:16 2cf2:38:17 207c:39:18 17b9:40:19 1182:42:20 0cef:43:21
09a1:45:22 072f:46:23 055c:48:24 0406:49:25 0303:51:26 0240:52:27 01b1:54:28 0144:56:29 00f5:57:30 00b7:59:31
008a:60:32 0068:62:33 004e:63:34 003b:32:35 002c:33:9 5ae1:37:37! 484c:64:38 3a0d:65:39 2ef1:67:40 261f:68:41
1f33:69:42 19a8:70:43 1518:72:44 1177:73:45 0e74:74:46 0bfb:75:47 09f8:77:48 0861:78:49 0706:79:50 05cd:48:51
04de:50:52 040f:50:53 0363:51:54 02d4:52:55 025c:53:56 01f8:54:57 01a4:55:58 0160:56:59 0125:57:60 00f6:58:61
00cb:59:62 00ab:61:63 008f:61:32 5b12:65:65! 4d04:80:66 412c:81:67 37d8:82:68 2fe8:83:69 293c:84:70 2379:86:71
1edf:87:72 1aa9:87:73 174e:72:74 1424:72:75 119c:74:76 0f6b:74:77 0d51:75:78 0bb6:77:79 0a40:77:48 5832:80:81!
4d1c:88:82 438e:89:83 3bdd:90:84 34ee:91:85 2eae:92:86 299a:93:87 2516:86:71 5570:88:89! 4ca9:95:90 44d9:96:91
3e22:97:92 3824:99:93 32b4:99:94 2e17:93:86 56a8:95:96! 4f46:101:97 47e5:102:98 41cf:103:99 3c3d:104:100 375e:99:93
5231:105:102 4c0f:106:103 4639:107:104 415e:103:99 5627:105:106! 50e7:108:107 4b85:109:103 5597:110:109
504f:111:107 5a10:110:111! 5522:112:109 59eb:112:111! 5a1d:113:113
"""
_STATES = [
    (int(qe, 16), int(lps), int(mps.rstrip("!")), 0x80 if mps.endswith("!") else 0)
    for qe, lps, mps in (entry.split(":") for entry in _TABLE.split())
]
_FIXED = 113


class ArithmeticReader:
    """Decodes the decisions of one segment between restart markers.

    Args:
        data: The segment, without stuffing.
        job: The scan.
    """

    def __init__(self, data: bytes, job: Job) -> None:
        self._data, self._job, self._at = data, job, 0
        self._c = self._a = 0
        self._ct = -16
        # One list of states: 4 x 64 for DC, 4 x 256 for AC, the fixed one.
        self._state = [0] * (4 * 64 + 4 * 256) + [_FIXED]
        self._even = len(self._state) - 1
        self._context = [0] * 4

    @property
    def unread(self) -> int:
        """Bytes that were not needed."""
        return len(self._data) - self._at

    def bit(self, where: int) -> int:
        """One decision (Figures D.16 to D.20)."""
        while self._a < 0x8000:
            self._ct -= 1
            if self._ct < 0:
                byte = 0  # zeros after the end, D.2.6
                if self._at < len(self._data):
                    byte = self._data[self._at]
                    self._at += 1
                self._c = self._c << 8 | byte
                self._ct += 8
                if self._ct < 0:
                    self._ct += 1
                    if self._ct == 0:
                        self._a = 0x8000
            self._a <<= 1
        state = self._state[where]
        sense = state & 0x80
        qe, after_lps, after_mps, exchange = _STATES[state & 0x7F]
        self._a -= qe
        bound = self._a << self._ct
        if self._c >= bound:
            self._c -= bound
            less_probable = self._a >= qe
            self._a = qe
        elif self._a < 0x8000:
            less_probable = self._a < qe
        else:
            return sense >> 7
        if less_probable:
            self._state[where] = sense ^ exchange | after_lps
            return sense >> 7 ^ 1
        self._state[where] = sense | after_mps
        return sense >> 7

    def even(self) -> int:
        """A bit of fixed probability."""
        return self.bit(self._even)

    def dc(self, n: int, slot: int) -> int:
        """A DC difference of the scan's component ``n`` (Figures F.19 to F.24)."""
        base = 64 * slot
        where = base + self._context[n]
        self._context[n] = 0
        if not self.bit(where):
            return 0
        sign = self.bit(where + 1)
        where += 2 + sign
        m = self.bit(where)
        if m:
            where = base + 20
            while self.bit(where):
                m *= 2
                where += 1
                if m >= 0x1000:
                    raise ScanFault(DAMAGED)
        if m > (1 << self._job.high[slot]) >> 1:
            self._context[n] = 12 + 4 * sign
        elif m >= (1 << self._job.low[slot]) >> 1:
            self._context[n] = 4 + 4 * sign
        return self._magnitude(where + 14, m, sign)

    def band(self, slot: int) -> dict[int, int]:
        """The non-zero values of a band, by position."""
        out = {}
        k = self._job.ss
        while k <= self._job.se:
            where = self._ac(slot, k)
            if self.bit(where):
                break
            while not self.bit(where + 1):
                where += 3
                k += 1
                if k > self._job.se:
                    raise ScanFault(DAMAGED)
            sign = self.even()
            where += 2
            m = self.bit(where)
            if m and self.bit(where):
                m = 2
                where = self._ac(slot, 1) + (189 if k <= self._job.kx[slot] else 217)
                while self.bit(where):
                    m *= 2
                    where += 1
                    if m >= 0x800:
                        raise ScanFault(DAMAGED)
            out[k] = self._magnitude(where + 14, m, sign)
            k += 1
        return out

    def refinement(self, slot: int, seen: int) -> dict[int, int]:
        """What a refinement says: 1 at a position seen before is a correction, elsewhere +1 or -1 is a new value."""
        out = {}
        last = (seen & ((2 << self._job.se) - 1)).bit_length() - 1
        k = self._job.ss
        while k <= self._job.se:
            where = self._ac(slot, k)
            if k > last and self.bit(where):
                break
            while True:
                if seen >> k & 1:
                    if self.bit(where + 2):
                        out[k] = 1
                    break
                if self.bit(where + 1):
                    out[k] = -1 if self.even() else 1
                    break
                where += 3
                k += 1
                if k > self._job.se:
                    raise ScanFault(DAMAGED)
            k += 1
        return out

    def _ac(self, slot: int, k: int) -> int:
        return 256 + 256 * slot + 3 * (k - 1)

    def _magnitude(self, where: int, m: int, sign: int) -> int:
        value = m
        while m > 1:
            m >>= 1
            if self.bit(where):
                value |= m
        return -(value + 1) if sign else value + 1
