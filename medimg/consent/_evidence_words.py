"""What evidence says, in words: for one thing, for more, and for none."""

from __future__ import annotations

from medimg.vocabulary import CheckName
from medimg.words import many, mark, tr

Noun = tuple[str, str]


def counted(one: str, more: str) -> Noun:
    """Words for one thing and for more of it; they are collected here."""
    return one, more


PLACES = counted("1 trace of a place", "{n} traces of a place")
NO_PLACES = mark("the check found no traces of a place in the original")
HIDDEN = counted("1 piece of hidden information", "{n} pieces of hidden information")
NO_HIDDEN = mark("the check found no pieces of hidden information in the original")
HIDDEN_PICTURES = counted("1 hidden picture", "{n} hidden pictures")
NO_HIDDEN_PICTURES = mark("the check found no hidden pictures in the original")
WRITING = counted("1 area with writing", "{n} areas with writing")
UNREAD = counted("1 area that could not be read", "{n} areas that could not be read")
NO_WRITING = mark("the check found none; it can miss writing")
CODES = counted("1 code", "{n} codes")
NO_CODES = mark("the check found none; it can miss codes")
FACES = counted("1 face", "{n} faces")
NO_FACES = mark("the check found none; it can miss faces")
NO_FACE = mark("the check found no face")
NAMING = counted("1 area that may name a person or a workplace", "{n} areas that may name a person or a workplace")
NO_NAMING = mark("the check found no writing that may name a person or a workplace")
WORKPLACE_UNSEEN = mark("no check looks for badges, uniforms, logos or signatures as such: you look")
PEOPLE_UNSEEN = mark("no check looks for people whose face is not seen: you look")
#: Newest first. The bucket goes to the record part alone.
TAKEN = {
    "days": mark("the newest photo was taken within the last days"),
    "weeks": mark("the newest photo was taken within the last weeks"),
    "months": mark("the newest photo was taken within the last months"),
    "longer": mark("the newest photo was taken longer ago than a year"),
}

NOT_CHECKED = {
    CheckName.TEXT: mark("text was not checked"),
    CheckName.CODES: mark("codes were not checked"),
    CheckName.FACES: mark("faces were not checked"),
}


def covered(done: int, found: int) -> str:
    """How many of the finds are covered."""
    if done < found:
        return many("1 covered", "{n} covered", done)
    return tr("covered") if found == 1 else tr("all covered")


def shown(n: int) -> str:
    """Faces that a person shows."""
    return many(
        "; 1 is shown: a person says that the consent allows it",
        "; {n} are shown: a person says that the consent allows it",
        n,
    )


def disguised(n: int) -> str:
    """Faces with an old bar or mosaic."""
    return many(
        "; 1 has a bar or mosaic, which is no disguise: look",
        "; {n} have a bar or mosaic, which is no disguise: look",
        n,
    )


def cut(n: int) -> str:
    """Scales that a cover touches."""
    return many("1 ruler or colour card is touched by a cover", "{n} rulers or colour cards are touched by a cover", n)


def n(count: int, one: str, more: str, none: str) -> str:
    """Words about a number of things: for one, for more (``{n}``), for none."""
    return many(one, more, count) if count else tr(none)
