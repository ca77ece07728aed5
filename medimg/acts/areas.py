"""The act about places that a check was not sure of, and nobody decided about: a person says what each one is.

All of a photo stand on one screen. One key leaves them as they are, each with its reason; those of which the sentence
is not true are asked about one by one. Nothing is left or covered whose sentence did not stand on the screen.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from medimg.acts import plan
from medimg.acts.records import Line, Option, Screen, Walk
from medimg.report.words import undecided
from medimg.run.areas import Asked
from medimg.run.plans import Why
from medimg.vocabulary import Category, Kind
from medimg.words import mark, tr

APPLY = mark("Have it made again: medimg apply RUN PHOTOS.")
KEYS = "acdefghijklmnoptuvwxyz"
"""Keys of the areas on one screen; those of back, leave open and stop are not among them. More wait for the next."""
COVER = "cover"
ITEM = "area."
"""What the item of an area's sentence begins with, before its number."""


def screen(walk: Walk, bare: Screen) -> Screen:
    """The areas of one copy; what is not true; or one area."""
    about = plan.subject(bare.act)
    found = shown(walk, bare.act)
    if walk.part == "area":
        one = next(a for a in found if f"{ITEM}{a.number}" == walk.left[0])
        return _replace(bare, lead=tr("What is {named}?", named=_named(one)), options=_one(one))
    if walk.part == "which":
        ticks = tuple(Option(key=k, words=_sentence(a)) for k, a in zip(KEYS, found, strict=False))
        return _replace(
            bare,
            lead=tr("Tick what is not true."),
            mark=tr("not true"),
            ticks=ticks,
            options=(Option(key="0", words=tr("that is all")),),
        )
    copy = next(r.copy for r in walk.reports if r.safe_id == about)
    return _replace(
        bare,
        lead=tr(
            "Open unreviewed/{name}. The checks were not sure of these, and covered none.",
            name=copy.name if copy else "",
        ),
        lines=tuple(Line(item=f"{ITEM}{a.number}", text=_sentence(a)) for a in found),
        options=(Option(key="y", words=tr("true: leave them")), Option(key="n", words=tr("false"))),
    )


def _replace(screen: Screen, **more: object) -> Screen:
    return msgspec.structs.replace(screen, **more)


def shown(walk: Walk, act: str) -> tuple[Asked, ...]:
    """The areas on the screen of an act."""
    return walk.areas.get(plan.subject(act), ())[: len(KEYS)]


def _named(area: Asked) -> str:
    return (
        tr("area {number} ({where})", number=area.number, where=area.where)
        if area.where
        else tr("area {number}", number=area.number)
    )


def _sentence(area: Asked) -> str:
    """What is true of an area that may stay as it is."""
    named = _named(area)
    return tr(_NOT.get(area.category) or _NOT.get(area.kind, _NOBODY), area=named[:1].upper() + named[1:])


_NOBODY = mark("{area} shows nobody.")
_NOT: dict[str, str] = {
    Category.OLD_DISGUISE: mark("{area} is not a bar or blur over a face."),
    Kind.FACE: mark("{area} is not a face."),
    Kind.TEXT: mark("{area} is not writing."),
    Kind.CODE: mark("{area} is not a code."),
}


def usual(area: Asked) -> Why:
    """Why an area stays as it is when its sentence is true."""
    if area.kind == Kind.FACE:
        return "not-a-face"
    return "not-writing" if area.kind in (Kind.TEXT, Kind.CODE) else "shown"


def _one(area: Asked) -> tuple[Option, ...]:
    face = (Option(key="p", words=tr("a face, and the consent allows showing it")),) if area.kind == Kind.FACE else ()
    return (
        Option(key="c", words=tr("cover it")),
        Option(key="k", words=tr("it may stay: nobody can be known by it")),
        *face,
    )


def still(walk: Walk, numbers: Mapping[str, tuple[int, ...]]) -> list[str]:
    """What about areas keeps the copies of a patient back, one line each copy."""
    return [f"{i}: {tr(APPLY)}" if i in walk.waits else undecided(i, asked) for i, asked in numbers.items()]
