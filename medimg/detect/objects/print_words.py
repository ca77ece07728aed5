"""Words of thirteen languages that are nobody's name as far as lists tell, for print on things that name nobody.

``print_words.txt`` is far larger than the list by which :mod:`medimg.detect.text` keeps a line wherever it stands, and
nobody read it word by word: it counts only on a packet, a sign or a device, and not for a word by itself unless it is
a common English one (``common_words.txt``). Substances and trade names of medicines are in ``medicines.txt``. How they
were made: ``benchmarks/print_words.py``.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from importlib import resources

LEAST = 4
"""Letters from which a word has to be listed; shorter ones, listed or of :data:`GRAMMAR`, may stand beside them."""
COMPOUND = 11
"""Letters from which two listed words run together are one: of 11,930 names so long 65 are made so, or one in 180."""
GRAMMAR = frozenset(
    """
    a an and any are as at be can do for if in is it its may no not of off on one or out per the to two up use with
    am auf aus bei bis das dem den der des die ein fur im ist mit nur und vom von vor zum zur
    au aux de du en est et la le les ne ou par pas sur un une
    al con del el es las los o para por se si sin su una uno via y
    da dei di e gli i il lo nel non per
    een het met niet om op te uw van voor
    dla lub na nie od oraz po w z za ze
    as com da das do dos em na nao os sem
    att av den det ej en ett och pa som til till
    af ikke og
    bir bu icin ile ve
    je pro s v
    cm g kg l mg ml mm
    """.split()  # noqa: SIM905
)
"""Short words of grammar. Some are parts of names (Van, Das); the rest of such a name would have to be listed too."""
MOST_FIGURES = 3
"""Figures in a row that are no part of a record number."""
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]{1,2})?")
_FIGURES = re.compile(r"\d+")
_PARTED = re.compile(r"\d+(?:[ -]\d+)+")
"""Figures with nothing but a blank or a stroke between them: of so many as :data:`MOST_PARTED` a code of a town or a
number of a telephone is made (80-214, 114 55)."""
MOST_PARTED = 4
_DATE = re.compile(r"\d ?[./-] ?[\divxl]", re.IGNORECASE)
"""Figures, or a day and a month in Roman ones, with a mark between them."""
_SPELT = str.maketrans(
    {"\u00df": "ss", "\u00f8": "o", "\u0142": "l", "\u00e6": "ae", "\u0153": "oe", "\u0111": "d", "\u0131": "i"}
)
"""Letters that are no others with a mark."""


def plain(text: str, *, sure: bool = False) -> bool:
    """Whether a line is words of these lists: two and more, or a common English one; figures may stand between them.

    Args:
        text: As read.
        sure: Whether it stands on a product or a device for certain, where one word of any language is enough.
    """
    written = _WORD.findall(text)
    words = [folded(word) for word in written]
    long = [word for word in words if len(word) >= LEAST]
    if not long or _DATE.search(text) or any(len(some) > MOST_FIGURES for some in _FIGURES.findall(text)):
        return False
    if any(sum(map(str.isdigit, some)) > MOST_PARTED for some in _PARTED.findall(text)):
        return False
    short = [word for word in words if len(word) < LEAST]
    counted = text.lstrip()[0].isdigit()
    spoken = counted or any(raw[0].isupper() and raw[1:].islower() for raw in written)
    small = {word for word, raw in zip(words, written, strict=True) if spoken and raw.islower()}
    known = [word for word in long if listed(word) or compound(word)]
    if not all(word in known or (word in small and perhaps(word)) for word in long) or not (
        known or (sure and counted)
    ):
        return False
    if not all(word in GRAMMAR or listed(word) or (sure and len(word) == 1) for word in short):  # vitamin C
        return False
    if len(long) > 1 or sure:
        return len(short) <= (2 if sure else 1) * len(long)
    return common(long[0]) and not short and not _FIGURES.search(text)


def folded(word: str) -> str:
    """A word in small letters, without accents and without what follows an apostrophe."""
    bare = re.split(r"['\u2019]", word)[0].casefold().translate(_SPELT)
    return "".join(c for c in unicodedata.normalize("NFKD", bare) if not unicodedata.combining(c))


def listed(word: str) -> bool:
    """Whether a folded word is in the list of thirteen languages, or a medicine."""
    return _within(_list("print_words.txt"), word) or _within(_list("medicines.txt"), word)


def compound(word: str) -> bool:
    """Whether a folded word is two of the list run together, as German, Dutch and the languages of Scandinavia do."""
    cuts = range(LEAST, len(word) - LEAST + 1) if len(word) >= COMPOUND else ()
    return any(listed(word[:k]) and listed(word[k:]) for k in cuts)


def perhaps(word: str) -> bool:
    """Whether a folded word is one that is a name too; a name begins with a capital, where the line begins with one."""
    return _within(_list("words_and_names.txt"), word)


def common(word: str) -> bool:
    """Whether a folded word is a common English one."""
    return _within(_list("common_words.txt"), word)


@functools.lru_cache(maxsize=4)
def _list(name: str) -> bytes:
    return resources.files("medimg.detect.objects").joinpath(name).read_bytes()


def _within(lines: bytes, word: str) -> bool:
    """Whether a word is one of sorted lines, which begin and end with a line's end; found by halving."""
    wanted = word.encode()
    low, high = 0, len(lines) - 1
    while low < high:
        start = lines.rindex(b"\n", 0, (low + high) // 2 + 1)
        end = lines.index(b"\n", start + 1)
        here = lines[start + 1 : end]
        if here == wanted:
            return True
        low, high = (end, high) if here < wanted else (low, start)
    return False
