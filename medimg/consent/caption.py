"""The caption check: kinds of identifying words in the text that will stand beside a picture.

The same rules that judge writing in a picture look at the caption, window by window; before them, lists of words that
a picture rarely has and a post often does: places, when it was, handles, occupations, rarity, judging words. Kinds
and counts are found, never the words.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from medimg.consent import _caption_words
from medimg.vocabulary import Category
from medimg.words import Table

#: Kinds that leave nothing to judge: the caption has to be changed.
SURE = frozenset(
    {
        Category.TITLE_AND_NAME,
        Category.AGE_OVER_89,
        Category.RECORD_NUMBER,
        Category.PHONE,
        Category.EMAIL,
        Category.DATE,
        Category.ADDRESS,
    }
)

_OVER_89 = re.compile(r"\b(?:9\d|1[0-2]\d)[ -]?(?:years?\b|yrs?\b|y/?o\b)|\baged? (?:9\d|1[0-2]\d)\b", re.IGNORECASE)
_AGE = re.compile(
    r"\b\d{1,3}[ -]?(?:years?|yrs?|months?|weeks?|days?)[ -]?old\b|\b\d{1,3} ?y/?o\b|\baged? \d{1,3}\b", re.IGNORECASE
)
_INITIALS = re.compile(r"(?<![\w.])(?:[A-Z]\.[ ]?){2,4}(?!\w)")
_TITLED = re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sister|Nurse)\.? +[A-Z][\w'\u2019-]*")
_WINDOW = 6
_LONGEST = 100_000  # characters; a caption longer than that is no caption


def scan(text: str) -> dict[str, int]:
    """Kinds found in a caption, and how often; empty when nothing was found.

    Args:
        text: The caption, message or slide text.
    """
    from medimg.detect.text import identifiers

    found: dict[str, int] = {}

    def add(kind: str, count: int = 1) -> None:
        if count:
            found[kind] = found.get(kind, 0) + count

    for line in text[:_LONGEST].splitlines():
        rest = line
        for kind, pattern in (
            (Category.AGE_OVER_89, _OVER_89),
            (Category.EXACT_AGE, _AGE),
            (Category.TITLE_AND_NAME, _TITLED),
            (Category.INITIALS, _INITIALS),
            *_caption_words.patterns(),
        ):
            rest, count = pattern.subn(" | ", rest)
            add(kind, count)
        words = rest.split()
        taken = [False] * len(words)
        # Short windows first: the tightest match says best what was found, and leaves the rest to others.
        for size in range(1, _WINDOW + 1):
            for start in range(len(words) - size + 1):
                if any(taken[start : start + size]):
                    continue
                window = " ".join(words[start : start + size]).strip(" ,;:!?()[]\"'")
                one = identifiers.identify(window)
                if one is None and size <= 2 and _capital(words[start : start + size]):
                    one = Category.NAME if identifiers.classify(window, 1.0).category == Category.NAME else None
                if one is not None:
                    taken[start : start + size] = [True] * size
                    add(one)
    return found


#: What a person is asked to think of, by what was found; said beside the finds, in the order of the caption's harm.
ADVICE = Table(
    {
        Category.JUDGING_WORD: "say it as you would with the patient in the room",
        Category.HANDLE: "a tag links the people and the place that you tag to this patient",
        Category.HASHTAG: "a hashtag puts the picture beside everything else that has it",
        Category.LINK: "a link can say who, when and where",
        Category.RELATIVE_TIME: "leave out when it was, and wait before you post",
        Category.PLACE_NAME: "leave out where it was",
        Category.IN_THE_NEWS: "whoever read the news knows who it is",
        Category.SOMEBODY_CLOSE: "leave out who the patient is to somebody",
        Category.OCCUPATION: "leave out what the patient does",
        Category.RARE_CASE: "the rarer it is, the fewer people it can be",
        Category.EXACT_AGE: "write a wide age: a person in their 40s",
    }
)


def advice(found: Mapping[str, int]) -> list[str]:
    """What to think of for what was found, in plain words."""
    return [words for kind, words in ADVICE.items() if kind in found]


def digest(text: str) -> str:
    """SHA-256 of a caption, to notice that it changed."""
    return hashlib.sha256(text.encode()).hexdigest()


def _capital(words: list[str]) -> bool:
    return all(w[:1].isupper() and w[1:2].islower() for w in words)
