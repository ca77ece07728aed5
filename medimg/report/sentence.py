"""What was found, in one sentence: the first thing a person reads below the pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from medimg.report.model import Tally
from medimg.vocabulary import Kind
from medimg.words import Table, many, mark, tr

NOTHING = mark("The checks found nothing. They can miss things.")
#: Kind -> so many of it.
_NOUNS: dict[Kind, Callable[[int], str]] = {
    Kind.TEXT: lambda n: many("{n} piece of writing", "{n} pieces of writing", n),
    Kind.CODE: lambda n: many("{n} barcode or QR code", "{n} barcodes or QR codes", n),
    Kind.FACE: lambda n: many("{n} face", "{n} faces", n),
    Kind.DOCUMENT: lambda n: many("{n} document", "{n} documents", n),
    Kind.OBJECT: lambda n: many("{n} thing with writing on it", "{n} things with writing on them", n),
    Kind.FILENAME: lambda n: many(
        "{n} telling part of a file or folder name", "{n} telling parts of file or folder names", n
    ),
    Kind.DRAWN: lambda n: many("{n} area marked by a person", "{n} areas marked by a person", n),
}
_HIDDEN = (Kind.METADATA, Kind.HIDDEN_IMAGE)
_DONE = Table(
    {
        "covered": "covered",
        "removed": "taken out",
        "kept": "kept",
        "mistaken": "false alarm",
        "to_look_at": "for you to look at",
        "kept_back": "held",
    }
)


def found(tallies: Sequence[Tally]) -> str:
    """One sentence: what can be seen, with what became of it, then what is hidden in the files.

    Args:
        tallies: What was found, by kind and category.
    """
    hidden_kinds = {k.words for k in _HIDDEN}
    nouns = {k.words: noun for k, noun in _NOUNS.items()}
    kinds = dict.fromkeys((*nouns, *(t.kind for t in tallies if t.kind not in hidden_kinds)))
    parts = [part for kind in kinds if (part := _seen(kind, nouns.get(kind), tallies))]
    hidden = sum(t.found for t in tallies if t.kind in hidden_kinds)
    if hidden:
        gone = sum(t.removed for t in tallies if t.kind in hidden_kinds)
        items = many("{n} hidden data item", "{n} hidden data items", hidden)
        parts.append(
            f"{items} ({_DONE['removed'] if gone == hidden else many('{n} taken out', '{n} taken out', gone)})"
        )
    return tr("Found: {parts}.", parts=_joined(parts)) if parts else tr(NOTHING)


def _seen(kind: str, noun: Callable[[int], str] | None, tallies: Sequence[Tally]) -> str:
    """What became of one kind; one that has no noun here is named by its words."""
    mine = [t for t in tallies if t.kind == kind]
    count = sum(t.found for t in mine)
    done = {words: n for column, words in _DONE.items() if (n := sum(getattr(t, column) for t in mine))}
    if not count:
        return ""
    became = next(iter(done)) if len(done) == 1 else ", ".join(f"{n} {words}" for words, n in done.items())
    return f"{noun(count) if noun else f'{count} {kind.lower()}'} ({became})"


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else tr("{first} and {last}", first=", ".join(parts[:-1]), last=parts[-1])
