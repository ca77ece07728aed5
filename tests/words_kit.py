"""A made-up language: everything that people read stands in brackets."""

from __future__ import annotations

import sys
from pathlib import Path

from medimg import words
from medimg.words import Catalogue

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "release"))
import strings

OPEN, SHUT = "⟦", "⟧"


def marked() -> Catalogue:
    """Every string that translators get, translated: it stands in brackets, with its blanks around them."""
    one, counted = {}, {}
    for message in strings.collected():
        if isinstance(message, str):
            one[message] = bracketed(message)
        else:
            counted[message[0]] = tuple(map(bracketed, message))
    return Catalogue("xx", one, counted, lambda n: int(n != 1))


def bracketed(text: str) -> str:
    inner = text.strip()
    return text.replace(inner, f"{OPEN}{inner}{SHUT}", 1)


def outside(text: str) -> str:
    """What of a text stands in no brackets."""
    depth, out = 0, []
    for letter in text:
        depth += (letter == OPEN) - (letter == SHUT)
        out.append(letter if depth == 0 and letter != SHUT else " ")
    return "".join(out)


def spanish() -> Catalogue:
    """The catalogue as it is read."""
    return words.parse("es", (Path(words.__file__).parent / "es.po").read_text("utf-8"))
