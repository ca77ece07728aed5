"""Whether a line of text is made of plain words alone, and may stay.

Every word must stand in the word list or be a size; a word that can be a name (``[name]``, ``[both]``) must stand in
one of the phrases of ``lexicon/phrases.txt``, because boards and labels put a name beside a plain word. Figures must
be sizes, counts or small numbers: two figures beside each other may be a date, two digits an age, four a record number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal, NamedTuple

from medimg.detect.text.known import folded
from medimg.detect.text.lexicon import (
    EDGE,
    END,
    MARK,
    NUMBER,
    SIZE,
    compound,
    lexicon,
    longest_phrase,
    nearly,
    phrases,
    printed,
)

YEAR = 4
"""Digits from which a figure beside units alone has to have a unit behind it."""
LEAST_BESIDE = 5
"""Letters of a plain word beside a number of three figures and more: a ward and bed by hand can read ``1623 red``."""
MOST_DIGITS = 6
ROUND, LEAST_ROUND = 50, 150
"""Figures of a dose are round: multiples of the one from the other up are neither an age nor a record number."""

NO_CAPITAL_AFTER = frozenset({"by", "for", "from", "to", "with"})
"""Words of grammar after which, where they are in small letters, only a name has a capital; not so ``Made in``."""

SIZES = re.compile(r"(?<![\w.,])\d{1,4}(?:[.,]\d{1,3})? ?(?:ml|l|mg|mcg|g|mmol|cm|mm|%)(?!\w)")
"""How much of a thing there is; what says so beside a printed sentence says nothing else."""

_COPYRIGHT = re.compile(r"\u00a9|(?<!\d)(?:19|20)\d\d(?!\d)")
"""The sign of a copyright, and the year beside it."""

_OF_UNITS = re.compile(r"\d|cm|mm|inch|\b(?:m[lLg]|mcg|kg|mmol|kPa|bpm)\b")
"""What tells units from initials: a figure, or one that is written so."""

_HUMPS = re.compile(r"[A-Z][a-z]{2,}")
_HUMPED = re.compile(r"(?:[A-Z][a-z]{2,}){2,3}")
LEAST_HUMP = 4
"""Letters of one of them that is nobody's name."""

_PER = re.compile(r"(?<=[a-z\d])/(?=(?:kg|min|hr?)\b)")
"""A stroke in a rate, ``mcg/kg/min``: no mark that parts two words."""

_APART = re.compile(r"[,:;/|()\[\]&+\u2013\u2014*]|-(?!$)-?(?= )|(?<= )-")
"""A mark that parts two words; a hyphen inside a word does not."""

Kind = Literal["number", "unit", "size", "plain", "role", "name", "small"]
Plain = Literal["harmless", "possible-name", "unit"]


class Word(NamedTuple):
    """One word of a line.

    Attributes:
        text: Folded: lower case, without accents and without a possessive ending.
        raw: As read.
        kind: What it is: ``name`` can be a name, ``small`` is a word of grammar that can be a name.
        apart: Whether a mark of punctuation stands before it.
    """

    text: str
    raw: str
    kind: Kind
    apart: bool


def judged(line: str) -> Plain | None:
    """What a line is if it may stay, else None; ``possible-name``: one of its words can be a name in other company."""
    if "\u00a9" in line:
        line = _COPYRIGHT.sub(" ", line)
    read = _words(line)
    if not read or dated(line):
        return None
    if printed(re.sub(r"[\W_]", "", SIZES.sub("", folded(line)))):
        return "harmless"
    alone = len(read) == 1
    words: list[Word] = []
    for raw, apart in read:
        word = _word(raw, apart, words[-1].kind if words else None, alone)
        if word is None:
            return None
        words.append(word)
    return _verdict(line, words)


def dated(line: str) -> bool:
    """Whether a line holds a year, or figures on both sides of a stroke: a date, however badly it was read."""
    return bool(re.search(r"(?<!\d)(?:19|20)\d{2}(?!\d)|\d\w{0,4} ?[/\\|] ?\w{0,2}\d", line))


def words_of(line: str) -> list[str]:
    """The words of a line, folded."""
    return [folded(raw) for raw, _ in _words(line)]


def _words(line: str) -> list[tuple[str, bool]]:
    """The words of a line as read, each with whether a mark of punctuation stands before it."""
    signs = {"\u00d7": "x", "\u00b5": "u", "\u03bc": "u", "\u2019": "'", "\u2103": "C", "\u00b0": ""}
    plain = re.sub("|".join(signs), lambda found: signs[found[0]], unicodedata.normalize("NFC", line))
    joined = _PER.sub(" ", re.sub(r"(?<=\d) (?=%)", "", re.sub(r"(?<=\d) ?[xX] ?(?=\d)", "x", plain)))
    out: list[tuple[str, bool]] = []
    end = 0
    for found in re.finditer(r"[<>~±]?[\w.,']*\w%?", joined):
        raw = found[0].strip(".'")
        if raw:
            out.append((raw, bool(_APART.search(joined[end : found.start()]))))
            end = found.end()
    return out


def _verdict(line: str, words: Sequence[Word]) -> Plain | None:
    counts = {kind: sum(w.kind == kind for w in words) for kind in ("name", "role", "unit", "size")}
    spoken = [w for w in words if w.kind in ("plain", "role", "name", "small")]
    if not _names_explained(words) or not _figures_fit(words, spoken):
        return None
    if counts["role"] and counts["name"]:
        return None
    if any(w.kind == "name" or (w.kind == "plain" and len(w.text) > 2) for w in spoken) or _in_phrase(words):
        return "possible-name" if counts["name"] else "harmless"
    digits = _digits(words)
    if counts["role"] and not digits:
        return "harmless"
    units = counts["unit"] + counts["size"]
    measured = digits or units >= len(words) - 1
    return "unit" if units and not counts["role"] and measured and _OF_UNITS.search(line) else None


def _in_phrase(words: Sequence[Word]) -> bool:
    """Whether words of grammar alone are a phrase: ``Off``, ``To open``."""
    return all(w.kind == "small" for w in words) and len(_explained(words)) == len(words)


def _word(raw: str, apart: bool, before: Kind | None, alone: bool) -> Word | None:
    """What one word is; None when it is not known."""
    sections = lexicon()
    text = folded(raw).removesuffix("'s")
    if _accented(raw):
        return Word(text, raw, "plain", apart) if raw.lower() in sections["accented"] else None
    kind: Kind | None = None
    if re.fullmatch(r"[<>~±+-]?\d{1,4}(?:[.,]\d{1,3})?%?", text):
        kind = "size" if text.endswith("%") else "number"
    elif _sized(text):
        kind = "size"
    elif text in sections["unit"] and _as_unit(raw, text, None if apart else before, alone):
        kind = "unit"
    elif text in ("l", "r") and not alone:
        kind = "small"
    else:
        for section in ("plain", "role", "name", "both", "small"):
            if text in sections[section]:
                kind = "name" if section in ("name", "both") else section  # type: ignore[assignment]
                break
        else:
            kind = "plain" if compound(text) or nearly(text) or _humped(raw) else None
    return Word(text, raw, kind, apart) if kind else None


def _humped(raw: str) -> bool:
    """Whether a word is plain ones run together, each with its capital, as makers call things: ``FeverCheck``.

    People are called so too (McDonald, DeSouza, MaryBeth), but not by words that are nobody's name.
    """
    parts = [part.lower() for part in _HUMPS.findall(raw)] if _HUMPED.fullmatch(raw) else []
    sections = lexicon()
    sure = any(len(part) >= LEAST_HUMP and part in sections["plain"] for part in parts)
    return sure and all(part in sections["plain"] | sections["both"] for part in parts)


def _accented(raw: str) -> bool:
    """Whether a word bears an accent: it is not the plain word that it resembles without."""
    return any(not c.isascii() and c.isalpha() and c not in "µμ" for c in raw)


def _sized(text: str) -> bool:
    units = lexicon()["unit"]
    sized = re.fullmatch(r"\d{1,4}(?:[.,]\d{1,3})?([a-zµ°]{1,5})", text)
    size = re.fullmatch(r"\d{1,3}(?:[.,]\d)?(?:x\d{1,3}(?:[.,]\d)?){1,2}([a-z]{0,2})", text)
    return bool((sized and sized[1] in units) or (size and (not size[1] or size[1] in units)))


def _as_unit(raw: str, text: str, before: Kind | None, alone: bool) -> bool:
    """Whether a unit's sign is one here. Ma, Min, Ng and To are names: those follow a figure, in small letters."""
    sections = lexicon()
    if text in sections["name"] | sections["both"] | sections["small"]:
        return before in ("number", "unit") and raw in (text, "mA", "Pa")
    return len(text) > 1 or before == "number" or not alone


def _names_explained(words: Sequence[Word]) -> bool:
    """Whether each word that can be a name stands in a phrase, or is a word of grammar amid others."""
    wanted = {k for k, w in enumerate(words) if w.kind == "name" or (w.kind == "small" and not _grammar(words, k))}
    if any(_named(words, k) for k in wanted):
        return False
    return not wanted or wanted <= _explained(words)


def _named(words: Sequence[Word], k: int) -> bool:
    """Whether a word has a capital where a sentence has none: ``Mepilex for You``, ``R Head left foot``."""
    if not k or words[k].apart or not words[k].raw[0].isupper():
        return False
    before = words[k - 1].raw
    return before in NO_CAPITAL_AFTER or (before in ("L", "R") and any(w.raw[0].islower() for w in words[k + 1 :]))


def _grammar(words: Sequence[Word], k: int) -> bool:
    """Whether a word of grammar stands between two other words, written like them."""
    if words[k].text in ("l", "r"):
        return True
    if not 0 < k < len(words) - 1 or words[k].apart or words[k + 1].apart or words[k - 1].text == "by":
        return False
    capitals = [w.raw[0].isupper() for w in words if w is not words[k] and w.raw[0].isalpha()]
    return (not words[k].raw[0].isupper() or all(capitals)) and all(
        words[n].kind in ("plain", "small") and len(words[n].text) > 1 for n in (k - 1, k + 1)
    )


def _explained(words: Sequence[Word]) -> set[int]:
    """Places of words that stand in a phrase."""
    line: list[tuple[str, int]] = [(EDGE, -1)]
    for k, word in enumerate(words):
        if word.apart:
            line.append((MARK, -1))
        line.append((_sign(words, k), k))
    line.append((END, -1))
    out: set[int] = set()
    known = phrases()
    for start in range(len(line)):
        for stop in range(start + 2, min(len(line), start + longest_phrase()) + 1):
            if tuple(text for text, _ in line[start:stop]) in known:
                out.update(k for _, k in line[start:stop])
    return out - {-1}


def _sign(words: Sequence[Word], k: int) -> str:
    if words[k].kind == "number":
        return SIZE if _measured(words, k) else NUMBER
    return SIZE if words[k].kind == "size" else words[k].text


def _digits(words: Sequence[Word]) -> int:
    return sum(c.isdigit() for w in words if w.kind == "number" or w.text.endswith("%") for c in w.text)


def _figures_fit(words: Sequence[Word], spoken: Sequence[Word]) -> bool:
    """Whether no figure of a line can be a part of a date, an age or a record number."""
    digits = _digits(words)
    counted = any(w.kind in ("unit", "size") for w in words) or any(
        w.kind == "plain" and len(w.text) >= LEAST_BESIDE for w in words
    )
    if digits > MOST_DIGITS or (digits > 2 and not counted):
        return False
    if not spoken:
        # The year of a date is read with a unit's sign now and then: W/2917.
        return all(
            sum(c.isdigit() for c in w.text) < YEAR or _measured(words, k)
            for k, w in enumerate(words)
            if w.kind == "number"
        )
    bare = [k for k, w in enumerate(words) if w.kind == "number"]
    bare = [k for k in bare if not _measured(words, k)]
    explained = _explained(words) if bare else set()
    rest = [k for k in bare if not _counts(words, k, k in explained)]
    return not rest or (len(bare) == 1 and len(words[rest[0]].text) == 1)


def _measured(words: Sequence[Word], k: int) -> bool:
    """Whether a unit follows a figure, or a figure that a unit follows (``5 - 10 kg``)."""
    after = k + 1
    while after < len(words) and words[after].kind == "number":
        after += 1
    return after < len(words) and words[after].kind in ("unit", "size") and not (words[after].apart and after == k + 1)


def _counts(words: Sequence[Word], k: int, in_phrase: bool) -> bool:
    """Whether a bare figure counts things (``20 tablets``), numbers them (``Stage 2``) or is a dose (``500``)."""
    text = words[k].text
    before = words[k - 1].text if k else ""
    if before in ("is", "of", "was") and k > 1:
        before = words[k - 2].text
    after = words[k + 1] if k + 1 < len(words) else None
    if before in lexicon()["numbered"] or in_phrase:
        return sum(c.isdigit() for c in text) <= 2 or before in lexicon()["counted"]
    if after and not after.apart and (after.kind == "plain" and after.text.endswith("s")):
        return True
    return text.isdigit() and int(text) >= LEAST_ROUND and int(text) % ROUND == 0
