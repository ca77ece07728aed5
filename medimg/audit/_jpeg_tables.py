"""What a table of a JPEG copy may hold: the standard's numbers, or what the picture uses and nothing besides.

A code or a step that the picture does not use could say anything. Numbers are those of ITU-T T.81, K.1 and K.3.3, the
quantisation steps in zigzag order.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from functools import cache
from itertools import islice

QUANTISATION, HUFFMAN = 0xDB, 0xC4

CODES = frozenset(bytes.fromhex(said) for said in (
    "00010501010101010100000000000000" "000102030405060708090a0b",
    "00030101010101010101010000000000" "000102030405060708090a0b",
    "0002010303020403050504040000017d" "01020300041105122131410613516107227114328191a1082342b1c11552d1f0243362728209"
    "0a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a83848586"
    "8788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6"
    "e7e8e9eaf1f2f3f4f5f6f7f8f9fa",
    "00020102040403040705040400010277" "000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a16"
    "2434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a828384"
    "85868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5"
    "e6e7e8e9eaf2f3f4f5f6f7f8f9fa",
))  # fmt: skip
STEPS = tuple(bytes.fromhex(said) for said in (
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d51575f626768673e4d71"
    "797064785c656763",
    "1112121815182f1a1a2f63423842" + "63" * 50,
))  # fmt: skip


@cache
def _scaled() -> frozenset[tuple[int, ...]]:
    """The steps of the standard as libjpeg scales them to each quality, of one byte and of two."""
    out = set()
    for quality in range(1, 101):
        percent = 200 - 2 * quality if quality >= 50 else 5000 // quality
        for base in STEPS:
            steps = [max((percent * step + 50) // 100, 1) for step in base]
            out |= {tuple(min(step, 255) for step in steps), tuple(min(step, 32767) for step in steps)}
    return frozenset(out)


@dataclass
class Table:
    """A table of the copy, and what was used of it.

    Attributes:
        marker: Its kind.
        content: Without the byte that names it.
        used: Whether a scan names it.
        met: The symbols that were read with it.
        nonzero: Bit k set where a coefficient k that it is the step of is not 0.
    """

    marker: int
    content: bytes
    used: bool = False
    met: set[int] = field(default_factory=set)
    nonzero: int = 1

    @property
    def plain(self) -> bool:
        """Whether it says nothing but what the picture needs."""
        if self.used and self.marker == HUFFMAN:
            return self.content in CODES or self._codes()
        return not self.used or self.marker != QUANTISATION or self._steps()

    def _codes(self) -> bool:
        """The last code is used, and those that are not, before it, are of the lowest numbers that are left."""
        symbols = self.content[16:]
        idle = [s for s in symbols if s not in self.met]
        return symbols[-1:] != bytes(idle[-1:]) and idle == list(islice(
            (s for s in range(256) if s not in self.met), len(idle)
        ))  # fmt: skip

    def _steps(self) -> bool:
        """A step that is not used is as the one before it."""
        steps = struct.unpack(f">64{'B' if len(self.content) == 64 else 'H'}", self.content)
        repeated = all(steps[k] == steps[k - 1] for k in range(1, 64) if not self.nonzero >> k & 1)
        return repeated or steps in _scaled()
