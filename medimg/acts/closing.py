"""How an act closes: what it writes down, of the sentences on its screen alone, and which act is next."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from medimg.acts import plan, screens
from medimg.acts.records import BATCH, Screen, Walk
from medimg.consent import caption as captions
from medimg.consent import cards as card_rules
from medimg.consent.answers import CLOSING, Answer
from medimg.consent.cards import Card
from medimg.consent.standing import Standing
from medimg.errors import UsageError
from medimg.run import state as runs
from medimg.run.events import Act, CardUse
from medimg.run.state import RunState
from medimg.words import tr


def parted(walk: Walk, **more: object) -> Walk:
    """The walk with nothing left of the parts of an act."""
    return msgspec.structs.replace(
        walk, **{"act": "", "part": "", "held": {}, "typed": {}, "left": (), "card": 0, **more}
    )


def again(walk: Walk, trouble: str) -> Walk:
    """The same screen, with what was wrong."""
    return msgspec.structs.replace(walk, trouble=trouble)


def on(walk: Walk, trouble: str) -> Walk:
    """The walk, settled as it is, at the next act that is open."""
    return msgspec.structs.replace(walk, done=not plan.current(walk), trouble=trouble)


def closed(walk: Walk, shown: Screen, said: str, state: RunState) -> Walk:
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
    after = plan.settled(parted(walk, state=state, skipped=walk.skipped | {shown.act}))
    items = {line.item for line in shown.lines}
    left = [s for s in plan.standings(after, shown.act) if s.question.id in items and s.waits and s.state == "failed"]
    trouble = " ".join(
        tr("Not closed: {say} ({why})", say=s.question.item.say or s.question.item.ask, why=tr(s.why)) for s in left
    )
    return on(after, trouble)


def yes(standing: Standing) -> str:
    """The answer that says that its sentence is true."""
    return "yes" if "yes" in CLOSING[standing.question.item.pass_] else "not-sure"


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


def finish(walk: Walk, shown: Screen, chosen: dict[str, str]) -> Walk:
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
    after = closed(walk, whole, _words_of(chosen), runs.with_answers(state, answers))
    if kind == "second":
        return msgspec.structs.replace(after, role=before)
    if kind == "release" and shown.group not in after.release and "no" in chosen.values():
        # What is not true stands there next time as that, and the person says whether to release all the same.
        return on(msgspec.structs.replace(after, skipped=after.skipped - {shown.act}), after.trouble)
    return after


def _words_of(chosen: dict[str, str]) -> str:
    odd = [f"{i}: {c}" for i, c in chosen.items() if c != "yes"]
    return tr("all true") if not odd else "; ".join(odd)


def _keep_consent(walk: Walk, shown: Screen) -> RunState:
    """What the form has is written down for this patient, by the act in which the form was shown."""
    own = plan.used(walk, f"form:{shown.group}")
    use = own or plan.used(walk, "form")
    if use is None or not plan.rests_on_form(walk, shown.group):
        return walk.state
    act = f"form:{shown.group}" if own is not None else "form"
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


def applied(walk: Walk, shown: Screen, ticked: set[str], words: str) -> Walk:
    """The walk after the conditions were said: what is not ticked does not apply."""
    group, can = shown.group, plan.tickable(walk, shown.group)
    said = {**walk.state.conditions.get(group, {}), **{c: "yes" if c in ticked else "no" for c in can}}
    state = msgspec.structs.replace(walk.state, conditions={**walk.state.conditions, group: said})
    return closed(walk, shown, words, state)


def based(walk: Walk, shown: Screen, basis: str, note: str = "") -> Walk:
    """The walk after the basis was chosen; the act stays where a basis brings more of it."""
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
    after = closed(walk, shown, basis, runs.with_answers(walk.state, [answer]))
    more = [s for s in plan.standings(after, shown.act) if not plan.answered(s)]
    return on(parted(after, skipped=after.skipped - {shown.act}), after.trouble) if more else after


def checked(walk: Walk, group: str) -> Walk:
    """The walk with its caption looked through; the same one where that was done. A line break is no change."""
    text, before = walk.typed.get("caption", ""), walk.state.caption_of(group)
    if text.split() == (before.text.split() if before is not None else []):
        return walk
    after = runs.with_caption(walk.state, captions.digest(text), captions.scan(text), text, group)
    return plan.settled(msgspec.structs.replace(walk, state=after))


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
    return card_used(walk, shown, card, _words_of(chosen))


def card_used(walk: Walk, shown: Screen, card: Card, said: str) -> Walk:
    """The walk after a card was filled in or found right."""
    use = CardUse(card=card, at=walk.at)
    state = msgspec.structs.replace(walk.state, cards={**walk.state.cards, shown.act: use})
    if plan.kind(shown.act) == "form":
        return closed(walk, shown, said, state)
    answers = _answers(walk, shown, card.answers, plan.standings(walk, shown.act))
    return closed(walk, shown, said, runs.with_answers(state, answers))
