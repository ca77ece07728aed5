"""Huffman tables of a JPEG (ITU-T T.81, Annexes C and K.2).

A table is kept as it stands in a DHT segment: 16 counts of codes by length, then the symbols.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

Table = bytes


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
