"""What a key does on each kind of screen."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from medimg.acts import deciding, plan, screens
from medimg.acts.closing import again, applied, based, card_used, checked, finish, parted, yes
from medimg.acts.records import Input, Screen, Walk
from medimg.consent.answers import COMMON, NOT_APPLICABLE, choices
from medimg.consent.questions import bases
from medimg.consent.standing import Standing
from medimg.words import tr


def _all(walk: Walk, shown: Screen, given: Input) -> Walk:
    """An act whose sentences are all true, not all, or not sure."""
    found = screens.shown(walk, shown.act)
    match given.key:
        case "":
            return walk
        case "n" if found:
            return msgspec.structs.replace(walk, part="which", act=shown.act)
        case "f":
            return parted(walk, act=f"form:{shown.group}")
        case "y":
            if plan.kind(shown.act) == "release":
                walk = msgspec.structs.replace(walk, release=(*walk.release, shown.group))
            return finish(walk, shown, {s.question.id: yes(s) for s in found})
    return walk


def _which(walk: Walk, shown: Screen, given: Input) -> Walk:
    """Which sentences are not true; those with more answers than yes and no are asked one by one."""
    if plan.kind(shown.act) == "areas":
        return deciding.which(walk, shown, given)
    found = screens.shown(walk, shown.act)
    ticked = {s.question.id for k, s in zip(screens.WHICH, found, strict=False) if k in given.ticks}
    held = {s.question.id: ("no" if s.question.id in ticked else yes(s)) for s in found}
    more = tuple(s.question.id for s in found if s.question.id in ticked and _has_more(s))
    if more:
        return msgspec.structs.replace(walk, part="one", act=shown.act, held=held, left=more)
    return finish(msgspec.structs.replace(walk, part=""), shown, held)


def _has_more(standing: Standing) -> bool:
    return bool(set(choices(standing.question.item.pass_, standing.question.na)) - set(COMMON))


def _one(walk: Walk, shown: Screen, given: Input) -> Walk:
    """One question by itself."""
    item = walk.left[0] if walk.left else shown.act.split(":")[2]
    standing = next(s for s in plan.standings(walk, shown.act) if s.question.id == item)
    choice = screens.keys_of(standing)[given.key]
    if choice == NOT_APPLICABLE and standing.question.na == "with-note" and not walk.typed.get("note"):
        return again(walk, tr("Please say in the note why it does not apply."))
    held = {**walk.held, item: choice}
    if len(walk.left) > 1:
        return msgspec.structs.replace(walk, held=held, left=walk.left[1:])
    return finish(msgspec.structs.replace(walk, part="", left=()), shown, held)


def _applies(walk: Walk, shown: Screen, given: Input) -> Walk:
    """One list of conditions: what is ticked is yes, all the rest no; each is written down."""
    can = plan.tickable(walk, shown.group)
    if given.key == "" and not given.ticks:
        return again(walk, tr("Tick what applies, or say none."))
    ticked = {c for k, c in zip(screens.LETTERS, can, strict=False) if k in given.ticks}
    if given.key == "0" and ticked:
        return again(walk, tr("Something is ticked: it is not none."))
    words = tr("none") if not ticked else ", ".join(t.words for t in shown.ticks if t.key in given.ticks)
    return applied(walk, shown, ticked, words)


def _basis(walk: Walk, shown: Screen, given: Input) -> Walk:
    group = shown.group
    if any(o.key == "y" for o in shown.options):
        return _all(walk, shown, given)
    offered = bases(walk.state.group_context(group))
    if not given.key:
        return walk
    basis = offered[int(given.key) - 1]
    if basis == "permitted-by-law":
        return msgspec.structs.replace(walk, part="law", act=shown.act)
    return based(walk, shown, basis)


def _law(walk: Walk, shown: Screen, given: Input) -> Walk:
    if not given.key:
        return walk
    return based(msgspec.structs.replace(walk, part=""), shown, "permitted-by-law", walk.typed["law"])


def _words(walk: Walk, shown: Screen, given: Input) -> Walk:
    """A caption is checked before it is judged: it is shown again with what was found in it."""
    after = checked(walk, shown.group)
    return _all(walk, shown, given) if after is walk else msgspec.structs.replace(after, act=shown.act)


def _card(walk: Walk, shown: Screen, given: Input) -> Walk:
    card = screens.card_shown(walk, shown.act)
    if card is None:
        return _all(walk, shown, given)
    match given.key:
        case "o":
            return msgspec.structs.replace(walk, card=walk.card + 1)
        case "c":
            return msgspec.structs.replace(walk, part="new", act=shown.act)
        case "y":
            return card_used(walk, shown, card, tr("still right"))
    return walk


PARTS: dict[str, Callable[[Walk, Screen, Input], Walk]] = {
    "workplace": _card,
    "channel": _card,
    "form": _card,
    "new": _all,
    "which": _which,
    "one": _one,
    "law": _law,
    "areas": deciding.given,
    "area": deciding.one,
    "look": _all,
    "applies": _applies,
    "basis": _basis,
    "extra": _one,
    "consent": _all,
    "words": _words,
    "people": _all,
    "second": _all,
    "release": _all,
}
