"""A person who walks through the acts: what is typed, how much, and how many words stand on the screens."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from sheets_kit import picture, report

from medimg.acts import Input, Screen, Walk, begin, screen, step
from medimg.acts.plan import kind
from medimg.consent.cards import Card
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import SharingContext
from medimg.consent.site import SiteProfile
from medimg.report import RunSummary
from medimg.run import state as runs
from medimg.types import Report

TODAY = datetime.date(2026, 11, 29)
AT = "2026-11-29T12:00:00.000000Z"
TYPED = {
    "name": "Hand surgery group",
    "role": "registrar",
    "to": "hand registrar",
    "date": "today",
    "filed": "the record",
    "law": "Act 1, privacy officer",
    "note": "asked",
}
BASIS = {"colleague-opinion": "what they expect for their own care"}


@dataclass
class Count:
    """What one patient cost."""

    acts: int = 0
    looks: int = 0
    keys: int = 0
    questions: int = 0
    words: int = 0
    look_words: int = 0
    screens: list[str] = field(default_factory=list)


def fresh(
    audience: str,
    where: tuple[str, ...],
    groups: dict[str, int],
    *,
    site: SiteProfile | None = None,
    plain: bool = True,
) -> tuple[runs.RunState, list[Report]]:
    keys = {g: tuple(f"{g}-{n:03d}" for n in range(1, count + 1)) for g, count in groups.items()}
    data = picture((200, 160, 140))
    reports = [report(i, data, **({"actions": ()} if plain else {})) for ids in keys.values() for i in ids]
    run = RunSummary(tag="R7Q4", version="1", policy_digest="0" * 16, groups=keys, site=site)
    return runs.fresh(run, SharingContext(audience=audience, jurisdictions=where), reports), reports


def start(state: runs.RunState, reports: list[Report], cards: tuple[Card, ...] = (), **more: object) -> Walk:
    return begin(state, reports, cards, today=TODAY, at=AT, **more)


def given(shown: Screen, ticks: tuple[str, ...]) -> tuple[Input, int]:
    """What somebody does who answers honestly and all is well; and the keystrokes that it takes."""
    fields, keys = {}, 0
    for one in shown.fields:
        typed = "" if one.value or not one.required else TYPED[one.name]
        fields |= {one.name: typed} if typed else {}
        keys += len(typed) + 1
    chosen: tuple[str, ...] = ()
    if kind(shown.act) == "applies":
        words = ChecklistDefinition.load().ticks
        chosen = tuple(t.key for t in shown.ticks if t.words in {words[c] for c in ticks})
    if chosen:
        return Input(ticks=chosen, fields=fields), keys + len(chosen) + 1
    options = {o.key: o.words for o in shown.options}
    if kind(shown.act) == "basis" and "y" not in options:
        key = next((k for k, w in options.items() if w == ticks_basis(shown)), "1")
    else:
        key = "y" if "y" in options else "0"
    return Input(key=key, fields=fields), keys + 1


def ticks_basis(shown: Screen) -> str:
    words = [o.words for o in shown.options]
    return next((w for w in BASIS.values() if w in words), words[0])


def walked(
    walk: Walk, ticks: tuple[str, ...] = (), see: Callable[[Screen, Input], None] | None = None
) -> tuple[Walk, dict[str, Count]]:
    """Walk to the end; group -> what it cost. Acts once for the run count with the first patient."""
    counts = {g: Count() for g in walk.groups}
    first, last = walk.groups[0], ""
    for _ in range(500):
        shown = screen(walk)
        if shown is None:
            return walk, counts
        what, keys = given(shown, ticks)
        if see is not None:
            see(shown, what)
        count = counts.get(shown.group, counts[first])
        look = kind(shown.act) == "look"
        if shown.act != last:
            count.looks += look
            count.acts += not look
        count.keys += keys
        count.questions += sum(bool(line.item) for line in shown.lines)
        count.words += 0 if look else shown.words()
        count.look_words += shown.words() if look else 0
        count.screens.append(shown.act)
        last, before = shown.act, walk
        walk = step(walk, what)
        assert walk != before, f"{shown.act}: {walk.trouble}"
    raise AssertionError("the walk does not end")


def cards_of(walk: Walk, days: int = 12) -> tuple[Card, ...]:
    """The cards that a walk made, as old as said."""
    made = (TODAY - datetime.timedelta(days=days)).isoformat()
    return tuple(msgspec.structs.replace(c, made=made).sealed() for c in walk.new_cards)
