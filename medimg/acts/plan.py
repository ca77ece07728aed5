"""Which acts a run needs, in order, and which of them are done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter

import msgspec

from medimg.acts import touched
from medimg.acts.records import BATCH, Acts, Part, Settled, Walk, group_of, kind, subject
from medimg.consent.cards import KINDS, Card
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.standing import GroupResult, Standing
from medimg.report import build
from medimg.run.events import CardUse
from medimg.words import current as current_language


def settled(walk: Walk) -> Walk:
    """The walk with where every question stands now. An act is about one patient; the others stand as they stood."""
    changed = touched.groups(walk)
    matters = build.matters(walk.state, walk.reports, walk.today, walk.matters, changed)
    results = {g: walk.results[g] if walk.matters.get(g) == m else build.result(m) for g, m in matters.items()}
    after = msgspec.structs.replace(
        walk,
        matters={**walk.matters, **matters},
        results={**walk.results, **results},
        settled_from=Settled(walk.state, walk.reports, walk.areas, walk.release, current_language()),
    )
    asked = set(walk.groups)
    parts = {g: _part(after, g) for g in changed if g in asked}
    return msgspec.structs.replace(after, parts={**walk.parts, **parts})


def _part(walk: Walk, group: str) -> Part | None:
    """The acts of a patient. One of whom there is no copy has none: there is nothing to share."""
    before: list[str] = []
    for copy in (r.safe_id for r in walk.matters[group].reports if r.copy is not None):
        before += [f"areas:{copy}"] if walk.areas.get(copy) else []
        before.append(f"look:{copy}")
    if not before:
        return None
    before += [f"applies:{group}", f"basis:{group}", *_extras(walk, group)]
    after = [f"consent:{group}", *_lacking(walk, group), f"words:{group}", f"people:{group}"]
    after += [f"second:{group}"] if standings(walk, f"second:{group}") else []
    after.append(f"release:{group}")
    every = (tuple(before), tuple(after))
    looks = {i for s in _asked(walk.results[group], "look", None) if not answered(s) for i in s.subjects}
    left = [
        tuple(a for a in some if (subject(a) in looks if kind(a) == "look" else not done(walk, a))) for some in every
    ]
    return Part(on_form=rests_on_form(walk, group), every=every, open=(left[0], left[1]))


def acts(walk: Walk) -> list[str]:
    """The ids of all acts, done or not."""
    return _in_order(walk, attrgetter("every"))


def _in_order(walk: Walk, wanted: Callable[[Part], tuple[Acts, Acts]]) -> list[str]:
    """Acts of all patients, and those about the workplace, the channel and the forms at their places."""
    found = [(group, part) for group in walk.groups if (part := walk.parts.get(group)) is not None]
    out = ["workplace", "channel"] if found else []
    form = False
    for group, part in found:
        before, after = wanted(part)
        out += before
        if part.on_form:
            own = f"form:{group}"
            out += [own] if own in walk.state.cards or walk.act == own else [] if form else ["form"]
            form = True
        out += after
    return out


def _extras(walk: Walk, group: str) -> Iterator[str]:
    """Questions by themselves; known once it was said what applies, so that a walk does not begin with dozens ahead."""
    if group not in walk.state.conditions:
        return
    for s in walk.results[group].standings:
        if s.question.asked and s.question.item.act == "extra" and not _by_site(s):
            yield f"extra:{group}:{s.question.id}"


def _lacking(walk: Walk, group: str) -> Iterator[str]:
    """What the form lacks stays an open question for every patient, one at a time."""
    if not rests_on_form(walk, group):
        return
    card = form_of(walk, group)
    for s in _asked(walk.results[group], "form", group):
        if card is not None and card.answers.get(s.question.id) != "yes" and s.question.blocking:
            yield f"extra:{group}:{s.question.id}"


def rests_on_form(walk: Walk, group: str) -> bool:
    """Whether the use rests on a written consent, so that the parts of a form are asked."""
    return walk.results[group].context.basis == "written-consent"


def form_of(walk: Walk, group: str) -> Card | None:
    """The form card of a group that was found right in this run, as long as it can be used."""
    use = used(walk, f"form:{group}") or used(walk, "form")
    return use.card if use is not None else None


def used(walk: Walk, act: str) -> CardUse | None:
    """The card that was found right in an act of this run; None where it is to be asked again by now."""
    use = walk.state.cards.get(act)
    return use if use is not None and use.card.fits(walk.state.context) and not use.card.trouble(walk.today) else None


def standings(walk: Walk, act: str) -> list[Standing]:
    """The obligations whose sentences stand on the screen of an act."""
    name, about = kind(act), subject(act)
    if name in ("workplace", "channel"):
        found = _asked(walk.results[walk.groups[0]], name, BATCH)
    elif name == "form":
        found = _asked(walk.results[group_of(act) if about != BATCH else _first_on_form(walk)], name, None)
    elif name == "extra":
        item = act.split(":")[2]
        found = [s for s in walk.results[about].standings if s.question.id == item and s.question.asked]
    elif name == "consent" and not rests_on_form(walk, about):
        # Parts of a form that this basis only advises are asked in the long way; they stay open here.
        parts = [s for s in _asked(walk.results[about], "form", about) if s.question.blocking]
        found = [*parts, *_asked(walk.results[about], name, about)]
    else:
        found = _asked(walk.results[group_of(act)], name, about)
    return [s for s in found if s.question.id != "con.basis"]


def _first_on_form(walk: Walk) -> str:
    return next((g for g in walk.groups if rests_on_form(walk, g)), walk.groups[0])


def _asked(result: GroupResult, act: str, about: str | None) -> list[Standing]:
    return [
        s
        for s in result.standings
        if s.question.asked
        and s.question.item.act == act
        and s.question.item.evidence != "auto"
        and not _by_site(s)
        and (about is None or about in s.subjects)
    ]


def _by_site(standing: Standing) -> bool:
    return standing.answer is not None and standing.answer.by == "site"


def answered(standing: Standing) -> bool:
    """Whether a person answered it with more than *not sure*."""
    if standing.answer is None or standing.answer.choice == "not-sure":
        return False
    return standing.state != "open" or (standing.auto is not None and standing.auto.verdict == "unknown")


def done(walk: Walk, act: str) -> bool:
    """Whether an act was done in this run, for the copies, the audience and the countries of now."""
    about, open_ones = subject(act), [s for s in standings(walk, act) if not answered(s)]
    match kind(act):
        case "workplace" | "channel" | "form":
            return used(walk, act) is not None
        case "areas":
            return not walk.areas.get(about)
        case "applies":
            return not unsaid(walk, about)
        case "basis":
            return bool(walk.results[about].context.basis) and not open_ones
        case "consent" if rests_on_form(walk, about):
            return not open_ones and all(answered(s) for s in from_form(walk, about))
        case "people":
            return not open_ones and bool(walk.state.recipients.get(about, "").strip()) and bool(_role(walk, act))
        case "release":
            return not open_ones and (about in walk.release or bool(walk.state.released_names(about)))
    return not open_ones


def _role(walk: Walk, act: str) -> str:
    return next((a.role for a in reversed(walk.state.acts) if a.act == act), "")


def from_form(walk: Walk, group: str) -> list[Standing]:
    """The parts of the consent that the form of this group has."""
    card = form_of(walk, group)
    has = {i for i, c in card.answers.items() if c == "yes"} if card is not None else set()
    return [s for s in _asked(walk.results[group], "form", group) if s.question.id in has]


def unsaid(walk: Walk, group: str) -> list[str]:
    """Conditions nobody has said about a patient, and no check has found."""
    context = walk.results[group].context
    return [c for c in ChecklistDefinition.load().ticks if context.flag(c) == "not-sure"]


def tickable(walk: Walk, group: str) -> list[str]:
    """Conditions that a person says: all but those that a check found."""
    said = walk.state.conditions.get(group, {})
    context = walk.results[group].context
    return [c for c in ChecklistDefinition.load().ticks if c in said or context.flag(c) != "yes"]


def current(walk: Walk) -> str:
    """The act to be shown: the one a person went to, else the first that is open; empty when none is."""
    if walk.act:
        return walk.act
    left = (a for a in _in_order(walk, attrgetter("open")) if a not in walk.skipped)
    return next((a for a in left if kind(a) not in KINDS or not done(walk, a)), "")


__all__ = [
    "acts",
    "answered",
    "current",
    "done",
    "form_of",
    "from_form",
    "group_of",
    "kind",
    "rests_on_form",
    "settled",
    "standings",
    "subject",
    "tickable",
    "unsaid",
    "used",
]
