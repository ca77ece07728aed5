"""Huffman tables of a JPEG (ITU-T T.81, Annexes C and K.2).

A table is kept as it stands in a DHT segment: 16 counts of codes by length, then the symbols.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from functools import cache

Table = bytes

STANDARD: frozenset[Table] = frozenset(
    map(
        bytes.fromhex,
        (
            "00010501010101010100000000000000000102030405060708090a0b",
            "00030101010101010101010000000000000102030405060708090a0b",
            "0002010303020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1f024336272"
            "82090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768696a73747576777879"
            "7a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8"
            "d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa",
            "00020102040403040705040400010277000102031104052131061241510761711322328108144291a1b1c109233352f0156272d1"
            "0a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778"
            "797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6"
            "d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa",
        ),
    )
)
"""Tables K.3 to K.6, which most cameras use."""
_STEPS = (
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d5157"
    "5f626768673e4d71797064785c656763",
    "1112121815182f1a1a2f6342384263636363636363636363636363636363636363636363636363636363636363636363"
    "63636363636363636363636363636363",
)
"""Tables K.1 and K.2, quantisation steps in zigzag order."""


@cache
def _standard_steps() -> frozenset[tuple[int, ...]]:
    scales = [5000 // q if q < 50 else 200 - 2 * q for q in range(1, 101)]
    return frozenset(
        tuple(min(max((step * scale + 50) // 100, 1), most) for step in bytes.fromhex(table))
        for table in _STEPS
        for scale in scales
        for most in (255, 32767)
    )


def is_standard_steps(steps: bytes) -> bool:
    """Whether quantisation steps, in 64 or 128 bytes, are those of libjpeg at some quality (jcparam.c)."""
    size = len(steps) // 64
    return tuple(int.from_bytes(steps[k : k + size]) for k in range(0, len(steps), size)) in _standard_steps()


def is_valid(table: Table) -> bool:
    """Whether counts and symbols fit and the codes do not run over."""
    if len(table) < 16 or sum(table[:16]) != len(table) - 16 or len(table) > 272:
        return False
    code = 0
    for length, count in enumerate(table[:16], 1):
        code += count
        if code > 1 << length:
            return False
        code <<= 1
    return len(set(table[16:])) == len(table) - 16


def codes(table: Table) -> dict[int, tuple[int, int]]:
    """Symbol -> (code, length), Figure C.2."""
    out = {}
    code, k = 0, 16
    for length, count in enumerate(table[:16], 1):
        for _ in range(count):
            out[table[k]] = (code, length)
            code += 1
            k += 1
        code <<= 1
    return out


def optimal(counts: Sequence[int]) -> Table:
    """The best table for symbols that occur this often; no code of more than 16 bits, none all ones (K.2).

    Args:
        counts: How often each of the symbols 0 to 255 occurs; symbols that do not occur get no code.
    """
    # The extra symbol 256 takes the code of all ones, which must not be used (C.2).
    trees = [(n, -symbol, [symbol]) for symbol, n in enumerate([*counts, 1]) if n]
    if len(trees) == 1:
        return bytes(16)
    heapq.heapify(trees)
    size = [0] * 257
    while len(trees) > 1:
        (n1, s1, a), (n2, s2, b) = heapq.heappop(trees), heapq.heappop(trees)
        for symbol in a + b:
            size[symbol] += 1
        heapq.heappush(trees, (n1 + n2, min(s1, s2), a + b))
    bits = [0] * (max(size) + 17)
    for length in size:
        bits[length] += 1 if length else 0
    for length in range(len(bits) - 1, 16, -1):  # Figure K.3
        while bits[length] > 0:
            shorter = length - 2
            while bits[shorter] == 0:
                shorter -= 1
            bits[length] -= 2
            bits[length - 1] += 1
            bits[shorter + 1] += 2
            bits[shorter] -= 1
    longest = max(length for length in range(17) if bits[length])
    bits[longest] -= 1  # the code of symbol 256
    symbols = sorted((s for s in range(256) if size[s]), key=lambda s: (size[s], s))
    return bytes(bits[1:17]) + bytes(symbols)
