"""Bits of the heads of coded pictures, each read with what it may be."""

from __future__ import annotations

from medimg.errors import Malformed


class Head:
    """The bits of a head, read from the first on; ``good`` until one is found that no copy has."""

    def __init__(self, data: bytes) -> None:
        self._bits = "".join(f"{byte:08b}" for byte in data)
        self._at = 0
        self.good = True

    def bits(self, count: int, allowed: range | tuple[int, ...] | None = None) -> int:
        """The next bits as a number.

        Raises:
            Malformed: There are too few.
        """
        end = self._at + count
        if end > len(self._bits):
            raise Malformed("a coded picture of the copy is cut short.")
        value = int(self._bits[self._at : end] or "0", 2)
        self._at = end
        self.good &= allowed is None or value in allowed
        return value

    def code(self, allowed: range | tuple[int, ...] | None = None) -> int:
        """A number in an Exp-Golomb code (ITU-T H.265, 9.2).

        Raises:
            Malformed: It does not end.
        """
        one = self._bits.find("1", self._at)
        if one < 0:
            raise Malformed("a coded picture of the copy is cut short.")
        zeros, self._at = one - self._at, one
        value = self.bits(zeros + 1) - 1
        self.good &= allowed is None or value in allowed
        return value

    def none(self, fields: str) -> None:
        """Fields that a still picture has no use for: ``u`` one bit, ``e`` a code; each 0."""
        for field in fields:
            _ = self.bits(1, (0,)) if field == "u" else self.code((0,))

    def ends(self) -> bool:
        """Whether a one follows, zeros up to the end of the byte, and nothing else; and all before was good."""
        rest = self._bits[self._at :]
        return self.good and 0 < len(rest) <= 8 and int(rest, 2) == 1 << len(rest) - 1
