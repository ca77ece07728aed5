"""Lists of factors in the parameter sets of HEVC: by what coefficients are multiplied (ITU-T H.265, 7.3.4)."""

from __future__ import annotations

import itertools

from medimg.formats.heif._bits import Bits, Rewriting, Unusual

INTRA = 3
"""Of the six lists of factors of a size the first three are of pictures that refer to no other (table 7-4)."""


def factors(bits: Rewriting) -> None:
    """Read the lists and write them again, those of pictures that refer to others as by default.

    Raises:
        Unusual: One is not alike on both sides of its diagonal, as those of cameras are, so it could say anything.
    """
    for size in range(4):
        for matrix in range(0, 6, 3 if size == 3 else 1):
            written = bits.take(1)
            codes = _list(bits, size) if written else [bits.golomb()]
            if matrix >= INTRA:
                written, codes = 0, [0]
            if not written and codes[0] > matrix:
                raise Unusual
            bits.put(1, written)
            for code in codes:
                bits.put_golomb(code)


def _list(bits: Bits, size: int) -> list[int]:
    """One list: numbers that each differ from the one before by so much, along the diagonals (6.5.3)."""
    side = 4 if size == 0 else 8
    codes = [bits.golomb() for _ in range((size > 1) + side * side)]
    numbers = list(itertools.accumulate((_signed(code) for code in codes), initial=8))[1:]
    if size > 1 and not 0 < numbers[0] < 256:
        raise Unusual
    numbers = [number % 256 for number in numbers[size > 1 :]]
    for diagonal in range(2 * side - 1):
        many = min(diagonal + 1, 2 * side - 1 - diagonal)
        if numbers[:many] != numbers[:many][::-1]:
            raise Unusual
        del numbers[:many]
    return codes


def _signed(code: int) -> int:
    """A signed number of its code (9.2.2): 0, 1, -1, 2, -2 and so on."""
    return (code + 1) // 2 if code & 1 else -(code // 2)
