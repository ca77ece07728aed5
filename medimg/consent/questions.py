"""Which items of the checklist are asked in one context, why, and which bases it offers.

A question is asked when any of the chosen countries asks it and its conditions are not plainly false: what has not been
said counts as *not sure*.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from medimg.consent import rules
from medimg.consent.answers import BASES
from medimg.consent.checklist import ChecklistDefinition, Item, Question
from medimg.consent.context import DEFAULT_AUDIENCE, Flag, SharingContext
from medimg.consent.site import SiteProfile
from medimg.vocabulary import StandingReason, as_words
from medimg.words import tr


def questions(
    context: SharingContext, definition: ChecklistDefinition | None = None, *, site: SiteProfile | None = None
) -> list[Question]:
    """Every item of the checklist in this context, asked or not, and why.

    Args:
        context: For whom, where, conditions and basis.
        definition: The checklist; the shipped one when none is given.
        site: The organisation's profile, if there is one.

    Raises:
        UsageError: The context uses a word the checklist does not have.
    """
    known = definition or ChecklistDefinition.load()
    context.checked(known)
    plain = [_one(item, context) for item in known.items if not item.retired_in]
    ruled = [rules.by_basis(q, context) for q in plain]
    return site.applied(ruled, context) if site is not None else ruled


def checklist(
    audience: str = DEFAULT_AUDIENCE, where: Iterable[str] = (), conditions: Mapping[str, Flag] | None = None
) -> tuple[Question, ...]:
    """The questions that are asked before sharing, blocking ones first.

    Args:
        audience: For whom (a key of the checklist's audiences).
        where: Countries; none means that the questions of every country are asked.
        conditions: What is special: condition -> ``yes``, ``no`` or ``not-sure``. What is not named is not sure.

    Raises:
        UsageError: The checklist has no such word.
    """
    context = SharingContext(audience=audience, jurisdictions=tuple(where), conditions=dict(conditions or {}))
    return tuple(sorted((q for q in questions(context) if q.asked), key=lambda q: not q.blocking))


def _one(item: Item, context: SharingContext) -> Question:
    if context.audience not in item.level:
        return Question(item=item, asked=False, level="advisory", why=tr("not asked for this audience"))
    level = item.level[context.audience]

    def no(why: str) -> Question:
        return Question(item=item, asked=False, level=level, why=why)

    countries = _asking_countries(item, context)
    if countries is not None and not countries:
        return no(tr("not asked in the chosen countries"))
    flags = {c: context.flag(c) for c in (*item.when_any, *item.when_all)}
    if item.when_any and all(flags[c] == "no" for c in item.when_any):
        return no(tr("you said that this does not apply: {what}", what=", ".join(map(words, item.when_any))))
    if item.when_all and any(flags[c] == "no" for c in item.when_all):
        return no(tr("you said that this does not apply: {what}", what=tr(" and ").join(map(words, item.when_all))))
    return Question(
        item=item,
        asked=True,
        level=level,
        why=_asked_because(item, flags, countries),
        na=item.na_in(context.jurisdictions),
    )


def _asking_countries(item: Item, context: SharingContext) -> list[str] | None:
    """The chosen countries that ask it; None when every country does."""
    if isinstance(item.jurisdictions, str):
        return None
    chosen = context.jurisdictions
    return [j for j in item.jurisdictions if j in chosen or not chosen]


def _asked_because(item: Item, flags: dict[str, Flag], countries: list[str] | None) -> str:
    parts = [tr("asked in {countries}", countries=", ".join(countries))] if countries else []
    said = [words(c) for c, f in flags.items() if f == "yes"]
    unsaid = [words(c) for c, f in flags.items() if f == "not-sure"]
    if item.when_all and unsaid:
        parts.append(tr("asked until it is settled whether this applies: {what}", what=tr(" and ").join(unsaid)))
    elif said:
        parts.append(tr("because: {what}", what=", ".join(said)))
    elif unsaid:
        parts.append(tr("asked because it is not settled whether this applies: {what}", what=", ".join(unsaid)))
    return "; ".join(parts) or StandingReason.ASKED


def words(condition: str) -> str:
    """A condition's key as words."""
    return as_words(condition)


def bases(context: SharingContext) -> tuple[str, ...]:
    """The bases that can hold for this audience and these countries, in the order in which they are offered.

    Spoken consent is not offered where it has to be written: by guidance for this audience, or by HIPAA.
    """
    plain = msgspec.structs.replace(context, basis="")
    asked = {q.id for q in questions(plain) if q.blocking}
    written = asked & {"con.written", "con.us-authorization"}
    return tuple(
        b for b in BASES if not rules.basis_refused(b, plain) and not (b == "spoken-consent-in-notes" and written)
    )
