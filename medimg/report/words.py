"""The fixed sentences of the sheets. Every one is held against the never-say list by a test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from medimg.consent.incident import STEPS
from medimg.vocabulary import CheckName, Kind, PhotoState
from medimg.words import Table, many, mark, tr

if TYPE_CHECKING:
    from medimg.report.model import CopyLine

KINDS = Table({k: k.english for k in Kind})

CHECKS = Table({c: c.english for c in CheckName})

SCOPE_FULL = mark(
    "Hidden information, writing, codes and faces were checked, in the photo and again in the written copy."
)
SCOPE_METADATA = mark(
    "The pictures were NOT looked at: only hidden information was checked and taken out. "
    "Writing, codes and faces in the pictures were not looked for and are not covered. Picture "
    "data that could be copied as they were have not been decoded: bytes hidden inside them "
    "would stay."
)

REMAINING_RISK = mark(
    "A person who knows the patient may still recognise them. The checks can miss things without "
    "any warning. Copies cannot be called back."
)
WRONG_RECIPIENT = mark("If this reached you by mistake: do not forward it, delete it, and tell the sender.")


def versions(ids: tuple[str, ...]) -> str:
    """What is said of photos that are versions of one."""
    return tr(
        "{ids} and {last} are versions of one photo, going by their file names: one may still show "
        "what was cropped or covered in the other. Look at them together.",
        ids=", ".join(ids[:-1]),
        last=ids[-1],
    )


def undecided(safe_id: str, numbers: tuple[int, ...]) -> str:
    """That nobody decided about areas of a copy."""
    named = ", ".join(map(str, numbers))
    what = (
        many("area {named}: cover or leave?", "areas {named}: cover or leave?", len(numbers), named=named)
        if numbers
        else tr("cover or leave?")
    )
    return f"{safe_id}: {what}"


NAMED = 6
"""Copies named in one sentence; more are counted."""


def of_all(pixels: Iterable[int]) -> int:
    """The one height that was not looked for in every photo, stated once; 0 where the photos differ."""
    heights = set(pixels)
    return heights.pop() if len(heights) == 1 else 0


def opened(copies: Sequence[CopyLine]) -> str:
    """Which copies a person opened at full size: said of all once, with the exceptions."""
    yes, no = ([c.name for c in copies if c.looked_at is was] for was in (True, False))
    if not no:
        return many("The copy was opened at full size.", "Every copy was opened at full size.", len(yes)) if yes else ""
    if not yes:
        return many("The copy was not opened at full size yet.", "No copy was opened at full size yet.", len(no))
    if len(yes) < len(no):
        return tr("Opened at full size so far: {copies} alone.", copies=few(yes))
    return tr("Every copy was opened at full size, but {copies}.", copies=few(no))


def few(names: Sequence[str]) -> str:
    """Names of copies, or how many there are."""
    return ", ".join(names) if len(names) <= NAMED else many("{n} copy", "{n} copies", len(names))


def not_looked_for(pixels: int) -> str:
    """What is said of print that is too small, at the size of a photo, to be found; the height is that of a line."""
    return tr("Print not looked for: single lines lower than {pixels} pixels.", pixels=pixels)


def incident() -> tuple[str, ...]:
    """What to do when a picture reached the wrong person, in order."""
    return tuple(map(tr, STEPS))


#: Said of a check that found nothing.
ZERO = Table(
    {
        Kind.TEXT: "Writing: the check found none; it can miss writing.",
        Kind.CODE: "Codes: the check found none; it can miss codes.",
        Kind.FACE: "Faces: the check found none; about 1 in 3 clinical close-ups is missed.",
    }
)

METHODS = Table(
    {
        "segment-copy": "picture data untouched",
        "coefficients": "coded again; everything outside the covers is untouched",
        "samples": "coded again; every pixel outside the covers is untouched",
        "re-encoded": "covered and saved again; pixels outside the covers may differ slightly",
    }
)

DOES = Table(
    {
        "cover": "covered",
        "drop": "taken out",
        "keep": "kept",
        "ask": "for you to look at",
        "hold": "held",
    }
)

#: For a photo that was held: nothing was done yet.
WOULD = Table(
    {
        "cover": "to be covered",
        "drop": "to be taken out",
        "keep": "to be kept",
        "ask": "for you to look at",
        "hold": "held",
    }
)

STATES = Table({s: s.english for s in PhotoState})
