"""Values the caller knows, found in text that was read with the usual confusions (O and 0, I and 1, rn and m ...)."""

from __future__ import annotations

import datetime
import re
import unicodedata
from typing import NamedTuple

from medimg.detect.text.lexicon import lexicon
from medimg.types import KnownValues

_LOOK_ALIKE = str.maketrans("oqdil|!sbzg", "00011115829")
_LETTERS: dict[int, str] = {
    ord(k): v for k, v in {"ø": "o", "đ": "d", "ł": "l", "ß": "ss", "æ": "ae", "œ": "oe", "\u0131": "i"}.items()
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def folded(text: str) -> str:
    """Lower case without accents; letters that do not decompose (o with stroke, sharp s) by hand."""
    special = text.lower().translate(_LETTERS)
    return "".join(c for c in unicodedata.normalize("NFKD", special) if not unicodedata.combining(c))


def skeleton(text: str) -> str:
    """Text with look-alikes made one: what two readings of the same print have in common."""
    plain = folded(text).replace("rn", "m").replace("vv", "w").replace("cl", "d")
    return re.sub(r"[\W_]", "", plain.translate(_LOOK_ALIKE))


class Date(NamedTuple):
    """Year (last two figures), month, day."""

    year: int
    month: int
    day: int


class Known:
    """A matcher for the values of one person."""

    def __init__(self, values: KnownValues) -> None:
        named = {word for word in map(folded, values.named) if len(word) >= 3 and not _plain(word)}
        parts = {p for name in values.names for p in re.split(r"[\W_]+", folded(name)) if len(p) >= 2} | named
        self._parts = {skeleton(p) for p in parts if len(p) >= 3}
        self._short = {p for p in parts if len(p) == 2}
        self._short_full = {skeleton(n) for n in values.names if len(skeleton(n)) >= 4}
        self._numbers = {n for n in map(skeleton, values.numbers) if len(n) >= 4}
        self._dates = {d for text in values.dates for d in dates_in(text)}

    def __bool__(self) -> bool:
        return bool(self._parts or self._short_full or self._numbers or self._dates)

    def matches(self, line: str) -> bool:
        """Whether any known value stands in the line."""
        if not self:
            return False
        words = [w for w in re.split(r"[\W_]+", folded(line)) if w]
        bones = [skeleton(w) for w in words]
        if any(_like(b, part) for b in bones for part in self._parts):
            return True
        whole = skeleton(line)
        if any(name in whole for name in self._short_full):
            return True
        # Names of two letters only (Li Na) are looked for as words, and more than one has to be there.
        if len(self._short) >= 2 and len(self._short & set(words)) >= 2:
            return True
        if any(_number_in(number, whole) for number in self._numbers):
            return True
        return bool(self._dates and self._dates & set(dates_in(line)))


def _plain(word: str) -> bool:
    """Whether a word of a file's or folder's name is a plain word and nobody's name."""
    return any(word in lexicon()[section] for section in ("plain", "small", "role", "unit"))


def dates_in(text: str) -> list[Date]:
    """Every date a text can mean; 03/04/1956 means two."""
    plain = folded(text)
    out: list[Date] = []
    months = "|".join(_MONTHS)
    for found in re.finditer(
        r"(?<!\d)(\d{4}|\d{1,2})\D{0,2}[./ -]\D{0,2}(\d{1,2})[./ -]{1,3}(\d{4}|\d{1,2})(?!\d)", plain
    ):
        a, b, c = found.groups()
        if len(a) == 4:
            out += _valid(a, b, c)
        else:
            out += _valid(c, b, a) + _valid(c, a, b)
            if len(c) == 2:
                out += _valid(a, b, c)
    named = rf"(?<!\d)(\d{{1,2}})\w{{0,2}}[ .,/-]{{0,3}}({months})[a-z]*[ .,/-]{{0,3}}(\d{{4}}|\d{{2}})(?!\d)"
    for found in re.finditer(named, plain):
        out += _valid(found[3], str(_MONTHS.index(found[2]) + 1), found[1])
    first = rf"({months})[a-z]*[ .,/-]{{0,3}}(\d{{1,2}})\w{{0,2}}[ .,/-]{{1,3}}(\d{{4}}|\d{{2}})(?!\d)"
    for found in re.finditer(first, plain):
        out += _valid(found[3], str(_MONTHS.index(found[1]) + 1), found[2])
    for found in re.finditer(r"(?<!\d)(\d{8})(?!\d)", plain):
        run = found[1]
        out += (
            _valid(run[:4], run[4:6], run[6:]) + _valid(run[4:], run[2:4], run[:2]) + _valid(run[4:], run[:2], run[2:4])
        )
    return out


def _valid(year: str, month: str, day: str) -> list[Date]:
    y, m, d = int(year), int(month), int(day)
    try:
        datetime.date(y if y > 99 else 2000, m, d)
    except ValueError:
        return []
    return [Date(y % 100, m, d)] if y < 100 or 1850 < y < 2150 else []


def _like(read: str, part: str) -> bool:
    """Equal, or one letter off in a word of six or more."""
    if read == part or (len(part) >= 5 and part in read):
        return True
    if min(len(part), len(read)) < 6 or abs(len(part) - len(read)) > 1:
        return False
    k = 0
    while k < min(len(part), len(read)) and part[k] == read[k]:
        k += 1
    return part[k + 1 :] == read[k + 1 :] or part[k + 1 :] == read[k:] or part[k:] == read[k + 1 :]


def _number_in(number: str, whole: str) -> bool:
    if number in whole:
        return True
    if len(number) < 7:
        return False
    for start in range(len(whole) - len(number) + 1):
        if sum(a != b for a, b in zip(number, whole[start : start + len(number)], strict=True)) <= 1:
            return True
    return False
