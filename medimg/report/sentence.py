"""What was found, in one sentence: the first thing a person reads below the pictures."""

from __future__ import annotations

from collections.abc import Sequence

from medimg.report.model import Tally
from medimg.vocabulary import Kind

NOTHING = "The checks found nothing. They can miss things."
#: Kind -> one of it, several of it.
_NOUNS: dict[str, tuple[str, str]] = {
    Kind.TEXT.words: ("piece of writing", "pieces of writing"),
    Kind.CODE.words: ("barcode or QR code", "barcodes or QR codes"),
    Kind.FACE.words: ("face", "faces"),
    Kind.DOCUMENT.words: ("document", "documents"),
    Kind.OBJECT.words: ("thing with writing on it", "things with writing on them"),
    Kind.FILENAME.words: ("telling part of a file or folder name", "telling parts of file or folder names"),
    Kind.DRAWN.words: ("area marked by a person", "areas marked by a person"),
}
_HIDDEN = (Kind.METADATA.words, Kind.HIDDEN_IMAGE.words)
_DONE = {
    "covered": "covered",
    "removed": "taken out",
    "kept": "kept",
    "mistaken": "false alarm",
    "to_look_at": "for you to look at",
    "kept_back": "held",
}


def found(tallies: Sequence[Tally]) -> str:
    """One sentence: what can be seen, with what became of it, then what is hidden in the files.

    Args:
        tallies: What was found, by kind and category.
    """
    parts = [part for words, nouns in _nouns(tallies).items() if (part := _seen(words, nouns, tallies))]
    hidden = sum(t.found for t in tallies if t.kind in _HIDDEN)
    if hidden:
        gone = sum(t.removed for t in tallies if t.kind in _HIDDEN)
        items = f"{hidden} hidden data {'item' if hidden == 1 else 'items'}"
        parts.append(f"{items} ({'taken out' if gone == hidden else f'{gone} taken out'})")
    return f"Found: {_joined(parts)}." if parts else NOTHING


def _nouns(tallies: Sequence[Tally]) -> dict[str, tuple[str, str]]:
    """Every kind that can be seen; one that has no noun here is named by its words."""
    others = {t.kind: (t.kind.lower(), t.kind.lower()) for t in tallies if t.kind not in {*_NOUNS, *_HIDDEN}}
    return {**_NOUNS, **others}


def _seen(kind: str, nouns: tuple[str, str], tallies: Sequence[Tally]) -> str:
    mine = [t for t in tallies if t.kind == kind]
    count = sum(t.found for t in mine)
    done = {words: n for column, words in _DONE.items() if (n := sum(getattr(t, column) for t in mine))}
    if not count:
        return ""
    became = next(iter(done)) if len(done) == 1 else ", ".join(f"{n} {words}" for words, n in done.items())
    return f"{count} {nouns[count != 1]} ({became})"


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
