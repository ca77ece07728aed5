"""Text of a PDF in any script: which font shows which letters, where lines end, how wide they are, and their drawing.

What the standard fonts of PDF have (cp1252) is set in Helvetica. Other letters are set in fonts of this machine
(:mod:`.fonts`), of which the document gets the shapes that it uses (:mod:`.embed`); where there is none, they are
written without their marks, or as :data:`UNSHOWN`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from medimg.report.letters import bidi, fonts
from medimg.report.letters.fonts import Cut

UNSHOWN = "[?]"
"""Stands for letters that no font here has."""
_JOINERS = "\u200c\u200d"
"""Say how the letters beside them are shaped (Persian, the scripts of India); they have no shape themselves."""
_WIDE = "WF"
"""Letters after which a line may end (Unicode's East Asian width): Chinese, Japanese and Korean write no blanks."""


class Piece(NamedTuple):
    """Letters of one font and one direction; without ``cut`` they are in Helvetica."""

    text: str
    cut: Cut | None
    rtl: bool


def shown(words: str, *, bold: bool = False) -> str:
    """The words as they can be set here: :data:`UNSHOWN`, or a letter without its marks, for what no font has."""
    if _standard(words):
        return words
    out = ""
    for letters in _clusters(unicodedata.normalize("NFC", words)):
        can = _standard(letters) or _font(letters, bold=bold) is not None
        out += letters if can else "".join(map(_plain, letters))
    return re.sub(f"({re.escape(UNSHOWN)})+", UNSHOWN, out)  # one sign for letters in a row


def split(words: str, size: float, room: float, *, bold: bool = False) -> list[str]:
    """Lines of at most so much room, in points, of words as :func:`shown` gives them."""
    from reportlab.lib.utils import simpleSplit

    if _standard(words):
        return list(simpleSplit(words, helvetica(bold=bold), size, room))
    rtl, lines = bidi.right_to_left(words), [""]
    for unit in (part for whole in _units(words) for part in _fitting(whole, size, room, bold=bold)):
        if lines[-1] and width((lines[-1] + unit).rstrip(), size, bold=bold, rtl=rtl) > room:
            lines.append("")
        lines[-1] += unit
    return [line.rstrip() for line in lines]


def width(words: str, size: float, *, bold: bool = False, rtl: bool = False) -> float:
    """How wide words are on one line, in points."""
    return sum(width_of(piece, size, bold=bold) for piece in pieces(words, bold=bold, rtl=rtl))


def width_of(piece: Piece, size: float, *, bold: bool) -> float:
    """How wide a piece of a line is, in points."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    if piece.cut is None:
        return float(stringWidth(piece.text, helvetica(bold=bold), size))
    return size * fonts.shaped(*piece)[1]


def helvetica(*, bold: bool) -> str:
    """The name of the standard font."""
    return "Helvetica-Bold" if bold else "Helvetica"


@lru_cache(maxsize=4096)
def pieces(words: str, *, bold: bool = False, rtl: bool = False) -> tuple[Piece, ...]:
    """A line from left to right; ``rtl`` where its paragraph runs from right to left."""
    if _standard(words):
        return (Piece(words, None, rtl=False),)
    foreign = "".join(letter for letter in words if not _standard(letter))
    most = _font(foreign, bold=bold)  # one font for all of a line, where one has all
    out: list[Piece] = []
    for text, back in bidi.runs(words, rtl=rtl):
        parts = [
            Piece("".join(letters for letters, _ in part), cut, back)
            for cut, part in groupby(_set(text, most, bold=bold), key=lambda one: one[1])
        ]
        out += reversed(parts) if back else parts
    return tuple(out)


def _set(text: str, most: Cut | None, *, bold: bool) -> Iterator[tuple[str, Cut | None]]:
    """Words with the font each is set in, blanks with that of the word before; no word in two where one has all."""
    cut = None
    for word in re.findall(r"\s+|\S+", text):
        if word.isspace():
            yield word, cut if cut and cut.has(word) else None
        elif _standard(word):
            cut = None
            yield word, cut
        else:
            cut = most if most and most.has(word) else _font(word, bold=bold)
            yield from [(word, cut)] if cut else _mixed(word, most, bold=bold)


def _mixed(word: str, most: Cut | None, *, bold: bool) -> Iterator[tuple[str, Cut | None]]:
    for letters in _clusters(word):
        yield letters, None if _standard(letters) else most or _font(letters, bold=bold)


def _font(letters: str, *, bold: bool) -> Cut | None:
    return fonts.with_letters(frozenset(letters) - set(_JOINERS), bold=bold)


def _clusters(words: str) -> Iterator[str]:
    """Each letter with the marks that belong to it; how letters are set otherwise (directions) is left out."""
    out = ""
    for letter in words:
        kind = unicodedata.category(letter)
        if kind == "Cf" and letter not in _JOINERS:
            continue
        if out and (kind[0] == "M" or letter in _JOINERS):
            out += letter
            continue
        yield from [out] if out else []
        out = letter if letter.isprintable() or letter in _JOINERS else " "
    yield from [out] if out else []


def _plain(letter: str) -> str:
    """What Helvetica has for a letter."""
    if _standard(letter):
        return letter
    if unicodedata.category(letter) in ("Cf", "Mn"):  # a joiner; a mark above or below a letter
        return ""
    return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() or UNSHOWN


@lru_cache(maxsize=4096)
def _standard(words: str) -> bool:
    """Whether the standard fonts of PDF have these letters."""
    try:
        words.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return words.isprintable()


def _units(words: str) -> list[str]:
    """What stays on one line, each with the blanks after it."""
    out: list[str] = []
    for letters in _clusters(words):
        if out and not _may_end(out[-1][-1], letters[0]):
            out[-1] += letters
        else:
            out.append(letters)
    return out


def _may_end(last: str, letter: str) -> bool:
    """Whether a line may end between two letters."""
    if letter.isspace() or last.isspace():
        return last.isspace() and not letter.isspace()
    # no closing sign begins a line, no opening one ends it
    if unicodedata.category(letter) in ("Pe", "Pf", "Po") or unicodedata.category(last) in ("Ps", "Pi"):
        return False
    return any(unicodedata.east_asian_width(one) in _WIDE for one in (last, letter))


def _fitting(unit: str, size: float, room: float, *, bold: bool) -> list[str]:
    """A unit that is wider than a line in parts that are not: Thai and its neighbours write no blanks either."""
    if width(unit.rstrip(), size, bold=bold) <= room:
        return [unit]
    out = [""]
    for letters in _clusters(unit):
        if out[-1] and width(out[-1] + letters, size, bold=bold) > room:
            out.append("")
        out[-1] += letters
    return out
