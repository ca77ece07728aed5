"""The order in which letters of both directions stand on a line: Unicode's bidirectional algorithm (UAX #9).

Its explicit marks are left out before (:func:`medimg.report.letters.shown`), so only what the letters themselves say is
worked out here; of brackets, the three pairs of ASCII.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby

_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_NEUTRAL = frozenset({"B", "S", "WS", "ON"})


def right_to_left(words: str) -> bool:
    """Whether a paragraph runs from right to left: its first letter with a direction says so (P2, P3)."""
    return next((k != "L" for k in map(unicodedata.bidirectional, words) if k in ("L", "R", "AL")), False)


def runs(words: str, *, rtl: bool) -> list[tuple[str, bool]]:
    """Pieces of one line from left to right, each in the order it is read, and whether it runs from right to left."""
    pieces = [
        (level, "".join(letter for letter, _ in part))
        for level, part in groupby(zip(words, _levels(words, "R" if rtl else "L"), strict=True), key=lambda x: x[1])
    ]
    for least in range(max((level for level, _ in pieces), default=0), 0, -1):  # L2
        pieces = _turned(pieces, least)
    return [(text, level % 2 == 1) for level, text in pieces]


def _turned(pieces: list[tuple[int, str]], least: int) -> list[tuple[int, str]]:
    """With the order of pieces in a row reversed that are of this level or a higher one."""
    out: list[tuple[int, str]] = []
    for high, part in groupby(pieces, key=lambda piece: piece[0] >= least):
        together = list(part)
        out += reversed(together) if high else together
    return out


def _levels(words: str, base: str) -> list[int]:
    kinds = _numbers([unicodedata.bidirectional(letter) or "L" for letter in words], base)
    _brackets(words, kinds, base)
    _neutrals(kinds, base)
    even = {"L": 0, "R": 1, "AN": 2, "EN": 2}  # I1
    odd = {"L": 2, "R": 1, "AN": 2, "EN": 2}  # I2
    levels = [(odd if base == "R" else even)[kind] for kind in kinds]
    for at in range(len(words) - 1, -1, -1):  # L1
        if not words[at].isspace():
            break
        levels[at] = int(base == "R")
    return levels


def _numbers(kinds: list[str], base: str) -> list[str]:
    """The weak kinds: marks, numbers and what stands in and beside numbers (W1 to W7)."""
    before = strong = base
    for at, kind in enumerate(kinds):
        if kind in ("NSM", "BN"):
            kinds[at] = before
        elif kind == "EN" and strong == "AL":
            kinds[at] = "AN"
        before = kinds[at]
        strong = before if before in ("L", "R", "AL") else strong
    kinds = ["R" if kind == "AL" else kind for kind in kinds]
    for at in range(1, len(kinds) - 1):
        one, kind, two = kinds[at - 1 : at + 2]
        if one == two and (kind, one) in (("ES", "EN"), ("CS", "EN"), ("CS", "AN")):
            kinds[at] = one
    at = 0
    for kind, part in groupby(list(kinds)):
        many = len(list(part))
        if kind == "ET" and "EN" in (*kinds[at - 1 : at], *kinds[at + many : at + many + 1]):
            kinds[at : at + many] = ["EN"] * many
        at += many
    strong = base
    for at, kind in enumerate(kinds):
        strong = kind if kind in ("L", "R") else strong
        kinds[at] = "ON" if kind in ("ES", "ET", "CS") else strong if (kind, strong) == ("EN", "L") else kind
    return kinds


def _side(kind: str) -> str:
    """The direction that a kind counts as beside neutral letters; empty for those themselves."""
    return "" if kind in _NEUTRAL else "L" if kind == "L" else "R"


def _brackets(words: str, kinds: list[str], base: str) -> None:
    """Both of a pair get one direction (N0)."""
    for first, last in sorted(_pairs(words)):
        inside = {_side(kind) for kind in kinds[first + 1 : last]} - {""}
        if base in inside:
            kinds[first] = kinds[last] = base
        elif inside:
            before = next((side for kind in reversed(kinds[:first]) if (side := _side(kind))), base)
            kinds[first] = kinds[last] = before if before in inside else base


def _pairs(words: str) -> Iterator[tuple[int, int]]:
    begun: list[tuple[str, int]] = []
    for at, letter in enumerate(words):
        if letter in _BRACKETS:
            begun.append((_BRACKETS[letter], at))
        elif letter in _BRACKETS.values() and any(end == letter for end, _ in begun):
            while begun[-1][0] != letter:
                begun.pop()
            yield begun.pop()[1], at


def _neutrals(kinds: list[str], base: str) -> None:
    """What has no direction takes that of both its sides, or of the paragraph (N1, N2)."""
    at = 0
    for neutral, part in groupby(list(kinds), key=_NEUTRAL.__contains__):
        many = len(list(part))
        if neutral:
            kinds[at : at + many] = [_between(kinds[:at][-1:], kinds[at + many : at + many + 1], base)] * many
        at += many


def _between(before: Sequence[str], after: Sequence[str], base: str) -> str:
    one, two = (_side(part[0]) if part else base for part in (before, after))
    return one if one == two else base
