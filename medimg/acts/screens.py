"""What each act shows, from where a walk stands; :mod:`medimg.acts.steps` takes it up."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from medimg.acts import areas, plan
from medimg.acts.areas import APPLY
from medimg.acts.records import Field, Line, Option, Screen, Walk
from medimg.consent.answers import ACTS, ANSWER_WORDS, BASES, COMMON, NOT_APPLICABLE, SAME_AS_YES, choices
from medimg.consent.cards import FIELDS, Card, CardKind
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.questions import bases
from medimg.consent.standing import Standing
from medimg.words import Table, mark, tr

TITLES = Table(
    {
        **ACTS,
        "areas": "Decide about {copy}",
        "look": "Look at {copy}",
        "applies": "What applies?",
        "extra": "A question",
    }
)
LIMITS = mark("Checks miss things. Copies cannot come back. Doubt? Don't.")
SHORT = Table(
    {
        **BASES,
        "permitted-by-law": "the law",
        "spoken-consent-in-notes": "spoken consent, in the notes",
        "reasonable-expectation": "what they expect for their own care",
        "uk-anonymised-teaching": "UK: anonymised, for teaching",
        "uk-listed-recording": "UK: anonymised scan, scope",
    }
)
"""The grounds as they stand in the act; the record has the words of :data:`~medimg.consent.answers.BASES`."""
KEYS = {"yes": "y", "no": "n", "not-sure": "?", NOT_APPLICABLE: "a"}
LETTERS = "acdefghijklmn"
"""Keys of a list of which some may be ticked."""


def screen(walk: Walk) -> Screen | None:
    """The screen of the present act; None when nothing is left to do."""
    act = "" if walk.done else plan.current(walk)
    if not act:
        return None
    every = plan.acts(walk)
    bare = Screen(
        act=act,
        group=plan.group_of(act),
        title=TITLES[plan.kind(act)].format(copy=plan.subject(act)),
        number=every.index(act) + 1 if act in every else 1,
        of=len(every),
        trouble=walk.trouble,
    )
    if plan.kind(act) == "areas":
        return areas.screen(walk, bare)
    if walk.part == "which":
        return _which(walk, bare)
    if walk.part == "one":
        return _one(walk, bare, walk.left[0])
    return _SCREENS[plan.kind(act)](walk, bare)


def shown(walk: Walk, act: str) -> list[Standing]:
    """The obligations that stand on the present screen. Before a release, what was answered *no* is only told."""
    found = plan.standings(walk, act)
    return [s for s in found if not _no(s)] if plan.kind(act) == "release" else found


def _no(standing: Standing) -> bool:
    return standing.answer is not None and standing.answer.choice == "no"


def _lines(found: list[Standing], card: Card | None = None) -> tuple[Line, ...]:
    return tuple(
        Line(
            item=s.question.id,
            text=s.question.item.say or s.question.item.ask,
            checks_say=_checks(s),
            true=None if card is None else card.answers.get(s.question.id) in ("yes", "none-exists", "no-transfer"),
        )
        for s in found
    )


def _checks(standing: Standing) -> str:
    """What the checks say where they found something or did not look; a line that found nothing is not repeated."""
    auto = standing.auto
    of_copy = standing.question.item.subject == "file"
    if auto is None or (not auto.found and (auto.verdict == "supports" or (auto.verdict == "asks" and not of_copy))):
        return ""
    return auto.words


def _replace(screen: Screen, **more: object) -> Screen:
    return msgspec.structs.replace(screen, **more)


# ---------------------------------------------------------------------- cards


def cards_for(walk: Walk, kind: str) -> list[Card]:
    """The cards of a kind that were filled in for this audience and these countries."""
    return [c for c in walk.cards if c.kind == kind and c.fits(walk.state.context)]


def card_shown(walk: Walk, act: str) -> Card | None:
    """The card that is on the screen; None where one is filled in."""
    cards = cards_for(walk, plan.kind(act))
    return cards[walk.card % len(cards)] if cards and walk.part != "new" else None


def _card(walk: Walk, bare: Screen) -> Screen:
    found = shown(walk, bare.act)
    card = card_shown(walk, bare.act)
    if card is None:
        return _new_card(walk, bare, found)
    age = card.age(walk.today)
    told = [f"{FIELDS[card.kind][k]}: {v}" for k, v in card.fields.items() if k not in ("name", "role")]
    more = [Option(key="o", words=tr("another card"))] if len(cards_for(walk, card.kind)) > 1 else []
    return _replace(
        bare,
        lead=f"{card.name}. "
        + (
            tr("Your organisation says {when}:", when=_ago(age))
            if card.by == "site"
            else tr("You said {when}:", when=_ago(age))
        ),
        lines=(*(Line(text=t) for t in told), *_lines(found, card)),
        options=(
            Option(key="y", words=tr("still right")),
            *([] if card.by == "site" and _locked(walk, card.kind) else [Option(key="c", words=tr("change"))]),
            *more,
        ),
    )


def _locked(walk: Walk, kind: CardKind) -> bool:
    site = walk.state.run.site
    return site is not None and kind in site.locked_cards


def _ago(days: int) -> str:
    return tr("today") if days == 0 else tr("yesterday") if days == 1 else tr("{days} days ago", days=days)


def _new_card(walk: Walk, bare: Screen, found: list[Standing]) -> Screen:
    kind: CardKind = plan.kind(bare.act)  # type: ignore[assignment]
    cards = cards_for(walk, kind)
    before = cards[walk.card % len(cards)].fields if cards else {}
    fields = tuple(
        Field(name=k, label=label, value=walk.typed.get(k, before.get(k, "")), required=k == "name")
        for k, label in FIELDS[kind].items()
    )
    return _replace(
        bare, lead=tr("Kept on this computer for 90 days."), fields=fields, lines=_lines(found), options=_all()
    )


def _all() -> tuple[Option, ...]:
    return (Option(key="y", words=tr("true")), Option(key="n", words=tr("false")))


# ---------------------------------------------------------------------- acts


def _look(walk: Walk, bare: Screen) -> Screen:
    report = next(r for r in walk.reports if r.safe_id == plan.subject(bare.act))
    name = report.copy.name if report.copy else ""
    if report.safe_id in walk.changed:
        return _replace(
            bare, lead=tr("unreviewed/{name} is not the copy that was checked. Clean the photo again.", name=name)
        )
    if report.safe_id in walk.waits:
        return _replace(
            bare, lead=tr("unreviewed/{name} does not show yet what was decided. {apply}", name=name, apply=tr(APPLY))
        )
    return _replace(
        bare,
        lead=tr("Open unreviewed/{name}.", name=name),
        lines=_lines(shown(walk, bare.act)),
        options=(
            Option(key="y", words=tr("nothing identifying shows and the medicine is right")),
            Option(key="n", words=tr("something shows")),
        ),
    )


def _applies(walk: Walk, bare: Screen) -> Screen:
    words = ChecklistDefinition.load().ticks
    group = plan.subject(bare.act)
    said = walk.state.conditions.get(group, {})
    can = plan.tickable(walk, group)
    ticks = tuple(Option(key=k, words=words[c]) for k, c in zip(LETTERS, can, strict=False))
    return _replace(
        bare,
        ticks=ticks,
        ticked=tuple(t.key for t, c in zip(ticks, can, strict=False) if said.get(c) == "yes"),
        options=(Option(key="0", words=tr("none")),),
    )


def _basis(walk: Walk, bare: Screen) -> Screen:
    group = plan.subject(bare.act)
    if walk.part == "law":
        field = Field(name="law", label=tr("Which law, and whose advice?"), required=True)
        return _replace(bare, fields=(field,), options=(Option(key="y", words=tr("that is it")),))
    found = shown(walk, bare.act)
    if walk.results[group].context.basis and found and not walk.act:
        lead = BASES[walk.results[group].context.basis]
        return _replace(bare, lead=lead, lines=_lines(found), options=_all())
    offered = bases(walk.state.group_context(group))
    return _replace(bare, options=tuple(Option(key=str(n), words=SHORT[b]) for n, b in enumerate(offered, 1)))


def _extra(walk: Walk, bare: Screen) -> Screen:
    return _one(walk, bare, bare.act.split(":")[2])


def _consent(walk: Walk, bare: Screen) -> Screen:
    group = plan.subject(bare.act)
    card = plan.form_of(walk, group)
    before = _typed(walk, bare.act)
    lead, more = "", tuple[Option, ...]()
    if plan.rests_on_form(walk, group) and card is not None:
        lead = tr("Form: {name}.", name=card.name)
        more = (Option(key="f", words=tr("other")),)
    filed = before.get("filed") or (card.fields.get("filed", "") if card else "")
    return _replace(
        bare,
        lead=lead,
        fields=(
            Field(name="date", label=tr("Given"), value=before.get("date", tr("today")), required=True, kind="date"),
            Field(name="filed", label=tr("Filed"), value=filed or tr("in the record"), required=True),
        ),
        lines=_lines(shown(walk, bare.act)),
        options=(*_all(), *more),
    )


def _typed(walk: Walk, act: str) -> dict[str, str]:
    """What was typed in this act before: now, or when it was done."""
    before = next((a.typed for a in reversed(walk.state.acts) if a.act == act), {})
    return {**before, **walk.typed}


def _words(walk: Walk, bare: Screen) -> Screen:
    kept = walk.state.caption_of(plan.subject(bare.act))
    before = " ".join(kept.text.split()) if kept is not None else ""
    return _replace(
        bare,
        fields=(Field(name="caption", label=tr("Caption"), value=walk.typed.get("caption", before)),),
        lines=_lines(shown(walk, bare.act)),
        options=_all(),
    )


def _people(walk: Walk, bare: Screen) -> Screen:
    group = plan.subject(bare.act)
    before = _typed(walk, bare.act)
    to = walk.state.recipients.get(group) or next(reversed(walk.state.recipients.values()), "") or _channel(walk)
    return _replace(
        bare,
        fields=(
            Field(name="to", label=tr("To"), value=before.get("to", to), required=True),
            Field(name="role", label=tr("Role"), value=before.get("role", _role(walk)), required=True),
        ),
        lines=_lines(shown(walk, bare.act)),
        options=_all(),
    )


def _channel(walk: Walk) -> str:
    """A closed group is named by its channel; an asked colleague is not."""
    use = walk.state.cards.get("channel")
    return use.card.name if use is not None and walk.state.context.audience != "colleague-opinion" else ""


def _role(walk: Walk) -> str:
    use = walk.state.cards.get("workplace")
    return walk.role or (use.card.fields.get("role", "") if use is not None else "")


def _second(walk: Walk, bare: Screen) -> Screen:
    return _replace(
        bare,
        lead=tr("For a second person, who did not answer so far."),
        fields=(Field(name="role", label=tr("Your role, not your name"), required=True),),
        lines=_lines(shown(walk, bare.act)),
        options=_all(),
    )


def _release(walk: Walk, bare: Screen) -> Screen:
    group = plan.subject(bare.act)
    result, found = walk.results[group], shown(walk, bare.act)
    own = {s.question.id for s in found}
    left = [s for s in result.waiting() if s.question.id not in own]
    told = [tr("Open: {line}", line=line) for line in areas.still(walk, result.undecided)]
    can = not told and not left and result.overall != "stop" and not walk.state.is_withdrawn(group)
    told += [tr("Open: {about}{say}", about=_about(s), say=_say(s)) for s in left]
    told += [tr("Not so: {say}", say=_say(s)) for s in plan.standings(walk, bare.act) if _no(s) and s not in left]
    words = tr("true: release") if found else tr("release")
    return _replace(
        bare,
        lead=tr(LIMITS),
        lines=(*_lines(found), *(Line(text=t) for t in told)),
        options=(
            *([Option(key="y", words=words)] if can else []),
            *([Option(key="n", words=tr("false"))] if found else []),
        ),
    )


def _about(standing: Standing) -> str:
    """The copies it is about, where it is about copies."""
    return f"{', '.join(standing.subjects)}: " if standing.question.item.subject == "file" else ""


def _say(standing: Standing) -> str:
    return standing.question.item.say or standing.question.item.ask


def _which(walk: Walk, bare: Screen) -> Screen:
    found = shown(walk, bare.act)
    return _replace(
        bare,
        lead=tr("Tick what is not true."),
        mark=tr("not true"),
        ticks=tuple(
            Option(key=k, words=s.question.item.say or s.question.item.ask) for k, s in zip(WHICH, found, strict=False)
        ),
        options=(Option(key="0", words=tr("that is all")),),
    )


WHICH = "acdefghijklmnoptuvwxyz"
"""Keys of the sentences; those of back, leave open and stop are not among them."""


def _one(walk: Walk, bare: Screen, item: str) -> Screen:
    standing = next(s for s in plan.standings(walk, bare.act) if s.question.id == item)
    question = standing.question
    line = Line(item=item, text=question.item.ask, checks_say=_checks(standing))
    note = Field(
        name="note", label=tr("Note, for the record alone"), value=standing.answer.note if standing.answer else ""
    )
    return _replace(
        bare,
        lead="",
        lines=(line, *([Line(text=question.item.help)] if question.item.help else [])),
        fields=(note,) if question.item.free_text == "record-only" else (),
        options=tuple(Option(key=k, words=ANSWER_WORDS[c]) for k, c in keys_of(standing).items()),
    )


def keys_of(standing: Standing) -> dict[str, str]:
    """Key -> answer, for one question."""
    can = choices(standing.question.item.pass_, standing.question.na)
    rest = [c for c in can if c not in (*COMMON, NOT_APPLICABLE, *SAME_AS_YES)]
    return {KEYS[c]: c for c in can if c in KEYS} | {str(n): c for n, c in enumerate(rest, 1)}


_SCREENS: dict[str, Callable[[Walk, Screen], Screen]] = {
    "workplace": _card,
    "channel": _card,
    "form": _card,
    "look": _look,
    "applies": _applies,
    "basis": _basis,
    "extra": _extra,
    "consent": _consent,
    "words": _words,
    "people": _people,
    "second": _second,
    "release": _release,
}
