"""From where a walk stands and what a person did, the next place. An act closes what stood on its screen alone."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from medimg.acts import deciding, plan, screens
from medimg.acts.closing import again, applied, based, card_used, checked, finish, on, parted, yes
from medimg.acts.keys import PARTS
from medimg.acts.records import Input, Screen, Walk
from medimg.consent.cards import Card
from medimg.errors import UsageError
from medimg.run.areas import Asked
from medimg.run.state import RunState
from medimg.types import Report
from medimg.words import said, tr


def begin(
    state: RunState,
    reports: Sequence[Report],
    cards: Iterable[Card] = (),
    *,
    today: datetime.date,
    at: str,
    groups: Iterable[str] = (),
    role: str = "",
    changed: Iterable[str] = (),
    waits: Iterable[str] = (),
    areas: Mapping[str, tuple[Asked, ...]] | None = None,
) -> Walk:
    """The start of a walk through what is open.

    Args:
        state: The run as answered so far.
        reports: The reports of its photos.
        cards: The cards of this user; those that cannot be used are left out, and why is said once.
        today: The day by the clock.
        at: UTC time of the acts.
        groups: The groups to be asked about; every group when empty.
        role: The role of the person, if it was said.
        changed: Copies that do not lie there as they were checked.
        waits: Copies that do not show yet what a person decided.
        areas: The areas of each copy about which nobody decided, where this walk is to ask.

    Raises:
        UsageError: The clock stands before the newest answer of the run.
    """
    newest = max((*(a.at for a in state.answers), *(a.at for a in state.acts)), default="")
    if newest[:10] > today.isoformat():
        raise UsageError(
            "the clock of this computer stands before the newest answer of this run. Nothing was written.",
            todo="Set the clock right, and start again.",
        )
    usable, troubles = _usable(state, cards, today)
    walk = Walk(
        state=state,
        reports=tuple(reports),
        cards=tuple(usable),
        today=today,
        at=at,
        groups=tuple(g for g in state.run.groups if g in set(groups)) or tuple(state.run.groups),
        role=role,
        changed=frozenset(changed),
        waits=frozenset(waits),
        areas=dict(areas or {}),
        trouble=" ".join(troubles),
    )
    return on(plan.settled(walk), walk.trouble)


def _usable(state: RunState, cards: Iterable[Card], today: datetime.date) -> tuple[list[Card], list[str]]:
    site = state.run.site
    own = site.cards_for(state.context) if site is not None else []
    locked = set(site.locked_cards) if site is not None else set()
    found = [*own, *(c for c in cards if c.kind not in locked and c.fits(state.context))]
    troubles = [t for c in found if (t := c.trouble(today))]
    return [c for c in found if not c.trouble(today)], list(dict.fromkeys(troubles))


def step(walk: Walk, given: Input) -> Walk:
    """The walk after a person did something on the screen that it shows."""
    shown = screens.screen(walk)
    if shown is None:
        return walk
    walk = msgspec.structs.replace(walk, trouble="")
    if given.key == "back":
        return _back(walk, shown)
    if given.key == "skip":
        return on(parted(walk, skipped=walk.skipped | {shown.act}), "")
    if given.key and given.key not in {o.key for o in shown.options}:
        return again(walk, tr("Please use one of the keys."))
    walk = msgspec.structs.replace(walk, typed={**walk.typed, **_typed(shown, given)})
    wrong = _wrong(shown, walk) if given.key else ""
    if wrong:
        return again(walk, wrong)
    walk = msgspec.structs.replace(walk, typed={**walk.typed, **_days(shown, walk)})
    try:
        return PARTS[walk.part or plan.kind(shown.act)](walk, shown, given)
    except UsageError as error:
        return again(walk, _sentence(error.what))


def left_open(walk: Walk) -> Walk:
    """The walk with the present act left open."""
    return step(walk, Input(key="skip"))


def filed(
    walk: Walk, shown: Screen, answer: str, but: dict[str, str], said: tuple[str, ...], typed: dict[str, str]
) -> Walk:
    """The walk after an act that a file says at once.

    Args:
        walk: Where it stands, with this act on its screen.
        shown: The screen.
        answer: ``yes``, or the answer to a question by itself.
        but: Item -> another answer than yes.
        said: The conditions that apply, or the basis.
        typed: What was typed.

    Raises:
        UsageError: An answer is not possible, or is about something that is not on the screen.
    """
    kind, items = plan.kind(shown.act), {line.item for line in shown.lines if line.item}
    before = {f.name: f.value for f in shown.fields}
    said_now = {k: v.strip() for k, v in typed.items() if v.strip()}
    walk = msgspec.structs.replace(walk, typed={**before, **said_now})
    if kind != "extra" and answer != "yes":
        return again(walk, tr("the answer of an act is yes or not-sure"))
    if not set(but) <= items:
        return again(walk, tr("an answer is about something that is not on its screen"))
    wrong = _wrong(shown, walk)
    if wrong:
        return again(walk, wrong)
    walk = msgspec.structs.replace(walk, typed={**walk.typed, **_days(shown, walk)})
    match kind:
        case "areas":
            return deciding.filed(walk, shown, but)
        case "applies":
            return applied(walk, shown, set(said), ", ".join(said) or "none")
        case "basis" if said:
            return based(walk, shown, said[0], walk.typed.get("law", ""))
        case "words":
            walk = checked(walk, shown.group)
        case "extra":
            return finish(walk, shown, dict.fromkeys(items, answer))
        case "workplace" | "channel" | "form" if walk.part != "new":
            card = screens.card_shown(walk, shown.act)
            return card_used(walk, shown, card, tr("still right")) if card is not None else walk
    found = [s for s in screens.shown(walk, shown.act) if s.question.id in items]
    return finish(msgspec.structs.replace(walk, part=""), shown, {s.question.id: yes(s) for s in found} | but)


def _typed(shown: Screen, given: Input) -> dict[str, str]:
    return {f.name: given.fields.get(f.name, f.value).strip() for f in shown.fields}


def _wrong(shown: Screen, walk: Walk) -> str:
    """What is missing of what has to be typed."""
    for field in shown.fields:
        text = walk.typed[field.name]
        if field.required and not text and walk.part != "one":
            return tr("Please say: {label}.", label=field.label)
        if field.kind == "date":
            day = read_day(text, walk.today)
            if day is None:
                return tr("A date is written as 2026-05-01, today or yesterday.")
            if day > walk.today:
                return tr("This date has not come yet, or the clock of this computer was set back.")
    return ""


def _days(shown: Screen, walk: Walk) -> dict[str, str]:
    """The dates that were typed, as ISO dates."""
    typed = {f.name: read_day(walk.typed[f.name], walk.today) for f in shown.fields if f.kind == "date"}
    return {name: day.isoformat() for name, day in typed.items() if day is not None}


def read_day(text: str, today: datetime.date) -> datetime.date | None:
    """A day as people type it; None when it is none."""
    named = {
        "today": 0,
        "yesterday": 1,
        tr("today"): 0,
        tr("yesterday"): 1,
    }  # in full: a letter is a key of another screen
    if text.lower() in named:
        return today - datetime.timedelta(days=named[text.lower()])
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _back(walk: Walk, shown: Screen) -> Walk:
    """The part before, or the act before."""
    if walk.part:
        return msgspec.structs.replace(walk, part="", held={}, left=())
    every = plan.acts(walk)
    place = every.index(shown.act) if shown.act in every else 0
    before = every[max(place - 1, 0)]
    return parted(walk, act=before, skipped=walk.skipped - {before, shown.act}, done=False)


def _sentence(what: str) -> str:
    shown = said(what)
    return shown[:1].upper() + shown[1:]
