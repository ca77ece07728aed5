"""What a file's own metadata say of people, to be looked for in its picture; in memory only.

A photo exported by a record system carries the patient's name in its caption, and the same name may stand on a label in
the picture, or be a word that would otherwise pass for harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from medimg.detect.text.identifiers import safe
from medimg.types import Finding, KnownValues
from medimg.vocabulary import Category, Kind

SPEAKING = frozenset((Category.OWNER, Category.PERSON, Category.CAPTION, Category.COMMENT))
"""Categories of metadata whose texts are written by or about people."""
_WORD = re.compile(r"[^\W\d_]{1,24}(?:['\u2019-][^\W\d_]{2,24})+|[^\W\d_]{3,24}")
_NUMBER = re.compile(r"(?<![\w.])(?=[A-Z]{0,4}\d)[A-Z]{0,4}\d(?:[ -]?\d){4,15}(?!\w)")
_MOST = 60
"""Words and numbers of one file, the first ones."""


def values(findings: Iterable[Finding]) -> KnownValues:
    """Words that are not known to be harmless, and numbers of five figures or more, of a file's metadata."""
    texts = [f.secret.reveal() for f in findings if f.kind == Kind.METADATA and f.category in SPEAKING]
    words = dict.fromkeys(w for text in texts for w in _WORD.findall(text) if not safe(w))
    numbers = dict.fromkeys(n for text in texts for n in _NUMBER.findall(text))
    return KnownValues(names=tuple(words)[:_MOST], numbers=tuple(numbers)[:_MOST])
