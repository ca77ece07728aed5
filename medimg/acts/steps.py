"""From where a walk stands and what a person did, the next place. An act closes what stood on its screen alone."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence

import msgspec

from medimg.acts import plan, screens
from medimg.acts.records import BATCH, Input, Screen, Walk
from medimg.consent import caption as captions
from medimg.consent import cards as card_rules
from medimg.consent import rules
from medimg.consent.answers import CLOSING, COMMON, NOT_APPLICABLE, Answer, choices
from medimg.consent.cards import Card
from medimg.consent.standing import Standing
from medimg.errors import UsageError
from medimg.run import state as runs
from medimg.run.state import Act, CardUse, RunState
from medimg.types import Report


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
        trouble=" ".join(troubles),
    )
    return _on(plan.settled(walk), walk.trouble)


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
        return _on(_parted(walk, skipped=walk.skipped | {shown.act}), "")
    if given.key and given.key not in {o.key for o in shown.options}:
        return _again(walk, "Please use one of the keys.")
    walk = msgspec.structs.replace(walk, typed={**walk.typed, **_typed(shown, given)})
    wrong = _wrong(shown, walk) if given.key else ""
    if wrong:
        return _again(walk, wrong)
    walk = msgspec.structs.replace(walk, typed={**walk.typed, **_days(shown, walk)})
    try:
        return _PARTS[walk.part or plan.kind(shown.act)](walk, shown, given)
    except UsageError as error:
        return _again(walk, f"{error.what[:1].upper()}{error.what[1:]}")


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
        return _again(walk, "the answer of an act is yes or not-sure")
    if not set(but) <= items:
        return _again(walk, "an answer is about something that is not on its screen")
    wrong = _wrong(shown, walk)
    if wrong:
        return _again(walk, wrong)
    walk = msgspec.structs.replace(walk, typed={**walk.typed, **_days(shown, walk)})
    match kind:
        case "applies":
            return _applied(walk, shown, set(said), ", ".join(said) or "none")
        case "basis" if said:
            return _based(walk, shown, said[0], walk.typed.get("law", ""))
        case "words":
            walk = _checked(walk, shown.group)
        case "extra":
            return _finish(walk, shown, dict.fromkeys(items, answer))
        case "workplace" | "channel" | "form" if walk.part != "new":
            card = screens.card_shown(walk, shown.act)
            return _card_used(walk, shown, card, "still right") if card is not None else walk
    found = [s for s in screens.shown(walk, shown.act) if s.question.id in items]
    return _finish(msgspec.structs.replace(walk, part=""), shown, {s.question.id: yes(s) for s in found} | but)


def _typed(shown: Screen, given: Input) -> dict[str, str]:
    return {f.name: given.fields.get(f.name, f.value).strip() for f in shown.fields}


def _wrong(shown: Screen, walk: Walk) -> str:
    """What is missing of what has to be typed."""
    for field in shown.fields:
        text = walk.typed[field.name]
        if field.required and not text and walk.part != "one":
            return f"Please say: {field.label}."
        if field.kind == "date":
            day = read_day(text, walk.today)
            if day is None:
                return "A date is written as 2026-05-01, today or yesterday."
            if day > walk.today:
                return "This date has not come yet, or the clock of this computer was set back."
    return ""


def _days(shown: Screen, walk: Walk) -> dict[str, str]:
    """The dates that were typed, as ISO dates."""
    typed = {f.name: read_day(walk.typed[f.name], walk.today) for f in shown.fields if f.kind == "date"}
    return {name: day.isoformat() for name, day in typed.items() if day is not None}


def read_day(text: str, today: datetime.date) -> datetime.date | None:
    """A day as people type it; None when it is none."""
    named = {"today": 0, "t": 0, "yesterday": 1, "y": 1}
    if text.lower() in named:
        return today - datetime.timedelta(days=named[text.lower()])
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


# ---------------------------------------------------------------------- moving


def _parted(walk: Walk, **more: object) -> Walk:
    """The walk with nothing left of the parts of an act."""
    return msgspec.structs.replace(
        walk, **{"act": "", "part": "", "held": {}, "typed": {}, "left": (), "card": 0, **more}
    )


def _again(walk: Walk, trouble: str) -> Walk:
    return msgspec.structs.replace(walk, trouble=trouble)


def _back(walk: Walk, shown: Screen) -> Walk:
    """The part before, or the act before."""
    if walk.part:
        return msgspec.structs.replace(walk, part="", held={}, left=())
    every = plan.acts(walk)
    place = every.index(shown.act) if shown.act in every else 0
    before = every[max(place - 1, 0)]
    return _parted(walk, act=before, skipped=walk.skipped - {before, shown.act}, done=False)


def _on(walk: Walk, trouble: str) -> Walk:
    """The walk at the next act that is open."""
    walk = plan.settled(walk)
    return msgspec.structs.replace(walk, done=not plan.current(walk), trouble=trouble)


def _closed(walk: Walk, shown: Screen, said: str, state: RunState) -> Walk:
    """The act is done: it is written down with all that stood there, and what did not close is said."""
    act = Act(
        act=shown.act,
        at=walk.at,
        role=walk.role,
        said=said,
        lines=tuple(t for t in (shown.lead, *(x.text for x in shown.lines), *(t.words for t in shown.ticks)) if t),
        typed={k: v for k, v in walk.typed.items() if v},
    )
    state = msgspec.structs.replace(state, acts=(*state.acts, act))
    after = plan.settled(_parted(walk, state=state, skipped=walk.skipped | {shown.act}))
    items = {line.item for line in shown.lines}
    left = [s for s in plan.standings(after, shown.act) if s.question.id in items and s.waits and s.state == "failed"]
    trouble = " ".join(f"Not closed: {s.question.item.say or s.question.item.ask} ({s.why})" for s in left)
    return _on(after, trouble)


# ---------------------------------------------------------------------- answers


def _answers(walk: Walk, shown: Screen, chosen: dict[str, str], found: list[Standing]) -> list[Answer]:
    out = []
    for s in found:
        choice = chosen.get(s.question.id)
        if choice is None:
            continue
        item = s.question.item
        about = {"batch": BATCH, "group": shown.group, "file": plan.subject(shown.act)}[item.subject]
        note = walk.typed.get("note", "") if item.free_text == "record-only" else ""
        out.append(
            Answer(
                item=item.id,
                subject=about,
                choice=choice,
                role=walk.role,
                at=walk.at,
                note=note,
                wording=walk.state.checklist_digest,
                act=shown.act,
                said=item.say or item.ask,
            )
        )
    return out


def _all(walk: Walk, shown: Screen, given: Input) -> Walk:
    """An act whose sentences are all true, not all, or not sure."""
    found = screens.shown(walk, shown.act)
    match given.key:
        case "":
            return walk
        case "n" if found:
            return msgspec.structs.replace(walk, part="which", act=shown.act)
        case "f":
            return _parted(walk, act=f"form:{shown.group}")
        case "y":
            if plan.kind(shown.act) == "release":
                walk = msgspec.structs.replace(walk, release=(*walk.release, shown.group))
            return _finish(walk, shown, {s.question.id: yes(s) for s in found})
    return walk


def yes(standing: Standing) -> str:
    """The answer that says that its sentence is true."""
    return "yes" if "yes" in CLOSING[standing.question.item.pass_] else "not-sure"


def _which(walk: Walk, shown: Screen, given: Input) -> Walk:
    """Which sentences are not true; those with more answers than yes and no are asked one by one."""
    found = screens.shown(walk, shown.act)
    ticked = {s.question.id for k, s in zip(screens.WHICH, found, strict=False) if k in given.ticks}
    held = {s.question.id: ("no" if s.question.id in ticked else yes(s)) for s in found}
    more = tuple(s.question.id for s in found if s.question.id in ticked and _has_more(s))
    if more:
        return msgspec.structs.replace(walk, part="one", act=shown.act, held=held, left=more)
    return _finish(msgspec.structs.replace(walk, part=""), shown, held)


def _has_more(standing: Standing) -> bool:
    return bool(set(choices(standing.question.item.pass_, standing.question.na)) - set(COMMON))


def _one(walk: Walk, shown: Screen, given: Input) -> Walk:
    """One question by itself."""
    item = walk.left[0] if walk.left else shown.act.split(":")[2]
    standing = next(s for s in plan.standings(walk, shown.act) if s.question.id == item)
    choice = screens.keys_of(standing)[given.key]
    if choice == NOT_APPLICABLE and standing.question.na == "with-note" and not walk.typed.get("note"):
        return _again(walk, "Please say in the note why it does not apply.")
    held = {**walk.held, item: choice}
    if len(walk.left) > 1:
        return msgspec.structs.replace(walk, held=held, left=walk.left[1:])
    return _finish(msgspec.structs.replace(walk, part="", left=()), shown, held)


def _finish(walk: Walk, shown: Screen, chosen: dict[str, str]) -> Walk:
    """Keep what an act said."""
    kind = plan.kind(shown.act)
    if kind in card_rules.KINDS:
        return _card_made(walk, shown, chosen)
    before = walk.role
    walk = msgspec.structs.replace(walk, role=walk.typed.get("role") or walk.role)
    if kind == "second" and (not before or walk.role.casefold() == before.casefold()):
        raise UsageError("the second person has to be another than the first; say their own role.")
    whole = screens.screen(msgspec.structs.replace(walk, act=shown.act, part="")) or shown
    answers = _answers(walk, whole, chosen, plan.standings(walk, shown.act))
    state = _KEEP[kind](walk, whole) if kind in _KEEP else walk.state
    after = _closed(walk, whole, _words_of(chosen), runs.with_answers(state, answers))
    if kind == "second":
        return msgspec.structs.replace(after, role=before)
    if kind == "release" and shown.group not in after.release and "no" in chosen.values():
        # What is not true stands there next time as that, and the person says whether to release all the same.
        return _on(msgspec.structs.replace(after, skipped=after.skipped - {shown.act}), after.trouble)
    return after


def _words_of(chosen: dict[str, str]) -> str:
    odd = [f"{i}: {c}" for i, c in chosen.items() if c != "yes"]
    return "all true" if not odd else "; ".join(odd)


def _keep_consent(walk: Walk, shown: Screen) -> RunState:
    """What the form has is written down for this patient, by the act in which the form was shown."""
    use = walk.state.cards.get(f"form:{shown.group}") or walk.state.cards.get("form")
    if use is None or not plan.rests_on_form(walk, shown.group):
        return walk.state
    act = f"form:{shown.group}" if f"form:{shown.group}" in walk.state.cards else "form"
    return runs.with_answers(
        walk.state,
        [
            Answer(
                item=s.question.id,
                subject=shown.group,
                choice="yes",
                role=walk.role,
                at=use.at,
                wording=walk.state.checklist_digest,
                act=act,
                said=s.question.item.say,
            )
            for s in plan.from_form(walk, shown.group)
        ],
    )


def _keep_people(walk: Walk, shown: Screen) -> RunState:
    recipients = {**walk.state.recipients, shown.group: walk.typed["to"]}
    return msgspec.structs.replace(walk.state, recipients=recipients)


_KEEP: dict[str, Callable[[Walk, Screen], RunState]] = {
    "consent": _keep_consent,
    "people": _keep_people,
}

# ---------------------------------------------------------------------- acts of their own


def _applies(walk: Walk, shown: Screen, given: Input) -> Walk:
    """One list of conditions: what is ticked is yes, all the rest no; each is written down."""
    can = plan.tickable(walk, shown.group)
    if given.key == "" and not given.ticks:
        return _again(walk, "Tick what applies, or say none.")
    ticked = {c for k, c in zip(screens.LETTERS, can, strict=False) if k in given.ticks}
    if given.key == "0" and ticked:
        return _again(walk, "Something is ticked: it is not none.")
    words = "none" if not ticked else ", ".join(t.words for t in shown.ticks if t.key in given.ticks)
    return _applied(walk, shown, ticked, words)


def _applied(walk: Walk, shown: Screen, ticked: set[str], words: str) -> Walk:
    group, can = shown.group, plan.tickable(walk, shown.group)
    said = {**walk.state.conditions.get(group, {}), **{c: "yes" if c in ticked else "no" for c in can}}
    state = msgspec.structs.replace(walk.state, conditions={**walk.state.conditions, group: said})
    return _closed(walk, shown, words, state)


def _basis(walk: Walk, shown: Screen, given: Input) -> Walk:
    group = shown.group
    if any(o.key == "y" for o in shown.options):
        return _all(walk, shown, given)
    offered = rules.bases(walk.state.group_context(group))
    if not given.key:
        return walk
    basis = offered[int(given.key) - 1]
    if basis == "permitted-by-law":
        return msgspec.structs.replace(walk, part="law", act=shown.act)
    return _based(walk, shown, basis)


def _law(walk: Walk, shown: Screen, given: Input) -> Walk:
    if not given.key:
        return walk
    return _based(msgspec.structs.replace(walk, part=""), shown, "permitted-by-law", walk.typed["law"])


def _based(walk: Walk, shown: Screen, basis: str, note: str = "") -> Walk:
    item = next(s.question.item for s in walk.results[shown.group].standings if s.question.id == "con.basis")
    answer = Answer(
        item=item.id,
        subject=shown.group,
        choice=basis,
        role=walk.role,
        at=walk.at,
        note=note,
        wording=walk.state.checklist_digest,
        act=shown.act,
        said=item.ask,
    )
    after = _closed(walk, shown, basis, runs.with_answers(walk.state, [answer]))
    more = [s for s in plan.standings(after, shown.act) if not plan.answered(s)]
    return _on(_parted(after, skipped=after.skipped - {shown.act}), after.trouble) if more else after


def _words(walk: Walk, shown: Screen, given: Input) -> Walk:
    """A caption is checked before it is judged: it is shown again with what was found in it."""
    checked = _checked(walk, shown.group)
    return _all(walk, shown, given) if checked is walk else msgspec.structs.replace(checked, act=shown.act)


def _checked(walk: Walk, group: str) -> Walk:
    """The walk with its caption looked through; the same one where that was done."""
    text, before = walk.typed.get("caption", ""), walk.state.caption_of(group)
    digest = captions.digest(text)
    if not (text or before) or (before is not None and before.digest == digest):
        return walk
    return plan.settled(
        msgspec.structs.replace(walk, state=runs.with_caption(walk.state, digest, captions.scan(text), text, group))
    )


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
            return _card_used(walk, shown, card, "still right")
    return walk


def _card_made(walk: Walk, shown: Screen, chosen: dict[str, str]) -> Walk:
    """A card that was filled in is kept, and used."""
    kind = plan.kind(shown.act)
    fields = {k: v for k, v in walk.typed.items() if k in card_rules.FIELDS[kind]}  # type: ignore[index]
    card = card_rules.made(kind, walk.state.context, chosen, fields, walk.today)  # type: ignore[arg-type]
    walk = msgspec.structs.replace(
        walk,
        new_cards=(*walk.new_cards, card),
        cards=(card, *(c for c in walk.cards if not (c.kind == kind and c.name == card.name))),
        role=walk.typed.get("role") or walk.role,
    )
    return _card_used(walk, shown, card, _words_of(chosen))


def _card_used(walk: Walk, shown: Screen, card: Card, said: str) -> Walk:
    use = CardUse(card=card, at=walk.at)
    state = msgspec.structs.replace(walk.state, cards={**walk.state.cards, shown.act: use})
    if plan.kind(shown.act) == "form":
        return _closed(walk, shown, said, state)
    answers = _answers(walk, shown, card.answers, plan.standings(walk, shown.act))
    return _closed(walk, shown, said, runs.with_answers(state, answers))


_PARTS: dict[str, Callable[[Walk, Screen, Input], Walk]] = {
    "workplace": _card,
    "channel": _card,
    "form": _card,
    "new": _all,
    "which": _which,
    "one": _one,
    "law": _law,
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
