"""Words that somebody else chose - names of files, typed notes - made fit for a terminal, a text and a spreadsheet."""

from __future__ import annotations

import re
import unicodedata

_JOINERS = "\u200c\u200d"  # part of ordinary words in Persian and in Indic scripts; they steer nothing
_FORMULA = frozenset("=+-@|\uff1d\uff0b\uff0d\uff20")


def printable(text: str) -> str:
    r"""The text with everything escaped (``\x1b``, ``\u202e``) that is not a visible letter or a space.

    Control characters, which steer a terminal or begin a line, and the bidirectional ones, which turn words around,
    therefore stand as what they are. Accents, every script, and blanks of every width stay.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _harmless(c) else c.encode("unicode_escape").decode() for c in text)


def printable_json(text: str) -> str:
    r"""JSON in which such characters stand as ``\uXXXX``: the same values, fit for a terminal."""

    def escaped(match: re.Match[str]) -> str:
        units = match[0].encode("utf-16-be", "surrogatepass")
        return "".join(f"\\u{units[k] << 8 | units[k + 1]:04x}" for k in range(0, len(units), 2))

    return re.sub(r"[^\n\x20-\x7e]", lambda m: m[0] if _harmless(m[0]) else escaped(m), text)


def cell(text: str) -> str:
    """The text for a CSV file: printable, and marked as text where a spreadsheet would take it for a formula.

    Spreadsheets pass over blanks and line ends in front of a formula, and take full-width signs as well (OWASP: CSV
    injection); a tab or a carriage return in front can begin a new cell.
    """
    start = text.lstrip()[:1]
    risky = start in _FORMULA or (text[:1] != start and not text[:1].isprintable())
    return ("'" if risky and text else "") + printable(text)


def _harmless(letter: str) -> bool:
    return letter.isprintable() or letter in _JOINERS or unicodedata.category(letter) == "Zs"
