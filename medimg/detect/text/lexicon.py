"""The word lists of ``lexicon/``: plain words, names, phrases in which names do not matter, and printed sentences."""

from __future__ import annotations

import functools
from importlib import resources
from itertools import product
from typing import NamedTuple

PAIR, LONG_PART = 13, 10
"""Letters of two plain words run together, and of one of them when the other is short."""
RUN, LETTERS = 3, 8
"""Words in a row of a sentence, and letters of them, from which a line can be nothing else."""
HEAD = 5
"""First letters of a word by which the places where it may stand are found."""
LONGEST = 120
"""Letters and figures of the longest line that is compared with sentences: a packet's are shorter. Bounds the work."""
EDGE, END, MARK, NUMBER, SIZE = "^", "$", "|", "#", "~"
"""What a phrase may hold beside words: the line's beginning and end, a mark of punctuation, a bare number, a size."""


class Start(NamedTuple):
    """A place in a sentence.

    Attributes:
        left: The words that may stand there and at each place behind it; an empty one where none has to.
        whole: Whether nothing has to stand before it.
    """

    left: tuple[tuple[str, ...], ...]
    whole: bool


def data(name: str) -> str:
    """The text of one of our own files."""
    return resources.files("medimg.detect.text").joinpath(name).read_text("utf-8")


@functools.lru_cache(maxsize=1)
def lexicon() -> dict[str, frozenset[str]]:
    """Section of ``words.txt`` -> its words."""
    out: dict[str, set[str]] = {}
    section: set[str] = set()
    for line in data("lexicon/words.txt").splitlines():
        if line.startswith("["):
            section = out.setdefault(line.strip("[] "), set())
        elif not line.startswith("#"):
            section.update(line.split())
    return {name: frozenset(words) for name, words in out.items()}


@functools.lru_cache(maxsize=1)
def words() -> frozenset[str]:
    """Every word a line may be made of if its company allows it, names and roles left out."""
    sections = lexicon()
    return sections["plain"] | sections["both"] | sections["small"]


@functools.lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """Names in common use that are no words."""
    lines = (line for line in data("lexicon/names.txt").splitlines() if not line.startswith("#"))
    return frozenset(w for line in lines for w in line.split()) - lexicon()["name"] - words()


@functools.lru_cache(maxsize=1)
def may_be_names() -> frozenset[str]:
    """Every word that counts as a possible name: those of ``names.txt``, and words that are names too."""
    sections = lexicon()
    return names() | sections["name"] | sections["both"] | sections["small"]


@functools.lru_cache(maxsize=1)
def phrases() -> frozenset[tuple[str, ...]]:
    """The phrases of ``phrases.txt``, one by one."""
    groups: dict[str, list[str]] = {}
    out: set[tuple[str, ...]] = set()
    for line in data("lexicon/phrases.txt").splitlines():
        if line.startswith("@") and " = " in line:
            name, members = line.split(" = ")
            groups[name] = members.split()
        elif line and not line.startswith(";"):
            parts = line.replace(EDGE, f"{EDGE} ").replace(END, f" {END}").split()
            out.update(product(*(_choices(part, groups) for part in parts)))
    return frozenset(out)


@functools.lru_cache(maxsize=1)
def longest_phrase() -> int:
    """Parts of the longest phrase."""
    return max(map(len, phrases()))


@functools.lru_cache(maxsize=4096)
def printed(line: str) -> bool:
    """Whether a line is one of ``sentences.txt``, several, or :data:`RUN` and more of its words in a row.

    Args:
        line: In small letters, with letters and figures only: the reader leaves blanks out at times.
    """
    least = 0 if sum(c.isalpha() for c in line) >= LETTERS else -RUN
    heads = (line[:n] for n in range(1, min(HEAD, len(line)) + 1))
    starts = (start for head in heads for start in _starts().get(head, ()))
    return len(line) <= LONGEST and any(_goes_on(start, line, least) for start in starts)


def _goes_on(there: Start, rest: str, words: int) -> bool:
    """Whether the rest of a line goes on as a sentence does from a place in it, after so many words."""
    ends = there.whole and all("" in part for part in there.left)
    if not rest:
        return words >= RUN or ends
    if ends and printed(rest):  # another one beside it; each has a word that must stand, so something was read
        return True
    return bool(there.left) and any(
        rest.startswith(word) and _goes_on(there._replace(left=there.left[1:]), rest[len(word) :], words + bool(word))
        for word in there.left[0]
    )


@functools.lru_cache(maxsize=1)
def _starts() -> dict[str, list[Start]]:
    """Every place in a sentence by the first letters that a line has to begin with to be read from there."""
    out: dict[str, list[Start]] = {}
    for line in data("lexicon/sentences.txt").splitlines():
        parts = [] if line.startswith(";") else [tuple(part.split("/")) for part in line.split()]
        for at, part in enumerate(parts):
            start = Start(tuple(parts[at:]), all("" in before for before in parts[:at]))
            for head in {word[:HEAD] for word in part if word}:
                out.setdefault(head, []).append(start)
    return out


def _choices(part: str, groups: dict[str, list[str]]) -> list[str]:
    return [word for one in part.split("/") for word in (groups[one] if one.startswith("@") else [one])]


@functools.lru_cache(maxsize=4096)
def compound(word: str) -> bool:
    """Whether a word is plain words run together, as the reader writes them when a gap is narrow.

    Names are made of short words too (Longbottom, Freshwater, Weatherspoon): at least three words of three letters and
    more, or two of thirteen letters together, of which the shorter has five and more or the longer ten and more. None
    of 88,799 surnames of the United States' census of 1990 is made so.
    """
    if not 10 <= len(word) <= 60:
        return False
    most: list[int] = [0] + [-1] * len(word)
    shortest: list[int] = [99] + [0] * len(word)
    for end in range(3, len(word) + 1):
        for start in range(max(0, end - 16), end - 2):
            if most[start] >= 0 and word[start:end] in words() and most[start] + 1 > most[end]:
                most[end] = most[start] + 1
                shortest[end] = min(shortest[start], end - start)
    pair = most[-1] == 2 and len(word) >= PAIR and (shortest[-1] >= 5 or len(word) - shortest[-1] >= LONG_PART)
    return most[-1] >= 3 or pair


@functools.lru_cache(maxsize=4096)
def nearly(word: str) -> bool:
    """Whether a word is a long plain word with one letter misread, lost or added.

    Of 94,293 surnames and given names of the United States' census of 1990 one is so near to one: Netherland, which
    stands in the list of names.
    """
    if not (LONG_PART - 1 <= len(word) <= 40 and word.isalpha()) or word in names():
        return False
    return any(
        max(len(word), len(plain)) - len(shorter) <= 1
        for shorter in _shortened(word)
        for plain in _long_words().get(shorter, ())
        if len(plain) != len(word) or sum(a != b for a, b in zip(plain, word, strict=True)) <= 1
    )


def _shortened(word: str) -> set[str]:
    return {word, *(word[:k] + word[k + 1 :] for k in range(len(word)))}


@functools.lru_cache(maxsize=1)
def _long_words() -> dict[str, list[str]]:
    """The long plain words by what is left of them without one letter."""
    out: dict[str, list[str]] = {}
    for plain in lexicon()["plain"]:
        for shorter in _shortened(plain) if len(plain) >= LONG_PART else ():
            out.setdefault(shorter, []).append(plain)
    return out
