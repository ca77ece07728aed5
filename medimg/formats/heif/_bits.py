"""Bits of the heads of coded pictures, read, and written again without what no picture needs."""

from __future__ import annotations

from typing import NamedTuple

from medimg.errors import Malformed

LONGEST = 32
"""Most bits behind the leading zeros of an Exp-Golomb number (ITU-T H.265, 9.2)."""


class Unusual(Exception):
    """A head says what no picture of a camera needs, so a copy of it could carry anything."""


class CodedSize(NamedTuple):
    """Width and height of a coded picture in pixels, and how many of each its own cropping hides."""

    width: int
    height: int
    hidden_across: int
    hidden_down: int

    @property
    def shown(self) -> tuple[int, int]:
        return self.width - self.hidden_across, self.height - self.hidden_down


class Coded(NamedTuple):
    """A coded picture of a HEIF file, as a copy would hold it."""

    configuration: bytes
    """The decoder's configuration: an ``hvcC`` or ``av1C`` record."""
    payload: bytes
    dropped: int
    """How many units were left out, a configuration that was written again among them."""
    plain: bool
    """Whether its heads could be written again; if not, configuration and payload are the original's."""
    pictures: int
    """How many pictures it holds."""
    size: CodedSize


class Bits:
    """Bits of a head, the most significant first."""

    def __init__(self, data: bytes) -> None:
        self.left = 8 * len(data)
        self.value = int.from_bytes(data)

    def take(self, count: int) -> int:
        """The next bits as a number.

        Raises:
            Malformed: There are too few.
        """
        self.left -= count
        if self.left < 0:
            raise Malformed("a coded picture's configuration is cut short.")
        return self.value >> self.left & ((1 << count) - 1)

    def golomb(self) -> int:
        """An Exp-Golomb number (ITU-T H.265, 9.2; ``uvlc()`` of AV1 is the same).

        Raises:
            Malformed: It is longer than any.
        """
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > LONGEST:
                raise Malformed("a coded picture is damaged.")
        return (1 << zeros) - 1 + self.take(zeros)


class Rewriting(Bits):
    """Bits that are read, and those of them that are kept."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.kept = ""

    def put(self, count: int, value: int = 0) -> None:
        """Write bits that were not read."""
        self.kept += f"{value:0{count}b}"

    def put_golomb(self, value: int) -> None:
        """Write an Exp-Golomb number."""
        code = f"{value + 1:b}"
        self.kept += "0" * (len(code) - 1) + code

    def keep(self, count: int = 1, most: int | None = None) -> int:
        """Read bits and write them again.

        Raises:
            Unusual: They are more than ``most``.
        """
        value = self.take(count)
        if most is not None and value > most:
            raise Unusual
        self.put(count, value)
        return value

    def keep_golomb(self, most: int) -> int:
        """Read an Exp-Golomb number and write it again.

        Raises:
            Unusual: It is more than ``most``.
        """
        value = self.golomb()
        if value > most:
            raise Unusual
        self.put_golomb(value)
        return value

    def ended(self) -> bytes:
        """What was kept, with a one and zeros up to a whole byte (H.265, 7.3.2.11; AV1, 5.3.4)."""
        text = self.kept + "1"
        return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8))
