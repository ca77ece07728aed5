"""Where each question stands, and the state of the whole set: ``open``, ``stop`` or ``answered``."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from medimg.consent import rules
from medimg.consent.answers import BASES, CLOSING, NOT_APPLICABLE, Answer
from medimg.consent.checklist import ChecklistDefinition, Question
from medimg.consent.context import SharingContext
from medimg.consent.evidence import AutoEvidence, conditions, evidence, faces_shown, group_evidence
from medimg.consent.questions import questions
from medimg.consent.site import SECOND_PERSON, SiteProfile
from medimg.types import Report
from medimg.vocabulary import StandingReason
from medimg.words import tr

State = Literal["open", "closed", "failed", "not-applicable", "not-asked"]
Overall = Literal["open", "stop", "answered"]

BATCH = "batch"
_Stand = Callable[[State, str], "Standing"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One question about one subject, or about several copies that stand alike.

    Attributes:
        question: The question in its context.
        subjects: ``batch``, a patient group, or the copies it holds for.
        state: ``closed`` only by a closing answer of a person, or for items the tool answers by its checks.
        why: The reason, in plain words.
        answer: The person's answer that counts, if any.
        auto: What the checks say, if they feed this item.
    """

    question: Question
    subjects: tuple[str, ...]
    state: State
    why: str
    answer: Answer | None = None
    auto: AutoEvidence | None = None

    @property
    def waits(self) -> bool:
        """Whether it keeps the group from being released."""
        return self.question.blocking and self.state in ("open", "failed")


class GroupResult(msgspec.Struct, frozen=True, kw_only=True):
    """The whole checklist for one patient group.

    ``undecided`` has the copies in which an area was asked about and nobody decided, with the numbers of those areas.
    Whatever was answered, such a group is open.
    """

    group: str
    overall: Overall
    context: SharingContext
    standings: tuple[Standing, ...]
    stops: tuple[str, ...] = ()
    undecided: dict[str, tuple[int, ...]] = {}

    def waiting(self) -> list[Standing]:
        """What keeps the group from being released."""
        return [s for s in self.standings if s.waits]

    def counts(self) -> dict[str, int]:
        """Questions asked and still waiting, by level. A question about several copies counts once."""
        asked: dict[str, set[str]] = {"blocking": set(), "advisory": set()}
        left: dict[str, set[str]] = {"blocking": set(), "advisory": set()}
        for s in self.standings:
            if s.state == "not-asked":
                continue
            asked[s.question.level].add(s.question.id)
            if s.state in ("open", "failed"):
                left[s.question.level].add(s.question.id)
        return {
            "blocking": len(asked["blocking"]),
            "blocking_open": len(left["blocking"]),
            "advisory": len(asked["advisory"]),
            "advisory_open": len(left["advisory"]),
        }


def assess(
    group: str,
    reports: Sequence[Report],
    context: SharingContext,
    answers: Iterable[Answer] = (),
    *,
    seen: Iterable[AutoEvidence] | None = None,
    extra: Iterable[AutoEvidence] = (),
    caption: Mapping[str, int] | None = None,
    today: datetime.date | None = None,
    definition: ChecklistDefinition | None = None,
    site: SiteProfile | None = None,
) -> GroupResult:
    """Where a patient group stands.

    Args:
        group: Key of the group (``P01``).
        reports: The reports of its photos.
        context: For whom, where, and the conditions a person said about this group.
        answers: Every answer of the run; those of other groups and copies are passed over.
        seen: What the checks say of each report, where that is known already.
        extra: Evidence about the run as a whole (a synced folder, a caption), subject ``batch`` or the group.
        caption: Kinds found in the caption that goes with it; None when no caption was checked.
        today: The day on which answers may have expired; none means that no answer expires.
        definition: The checklist; the shipped one when none is given.
        site: The organisation's profile.

    Raises:
        UsageError: The context has a word that is not in the checklist.
    """
    mine = [a for a in answers if a.subject in (BATCH, group) or a.subject.startswith(f"{group}-")]
    # A person's answer goes before the organisation's: somebody who knows better may say so.
    given = {(a.item, a.subject): a for a in (*(site.answered(context) if site else ()), *mine)}
    context = _settled(context, reports, given.get(("con.basis", group)))
    checked = (e for r in reports for e in evidence(r)) if seen is None else seen
    found = {(e.item, e.subject): e for e in (*checked, *group_evidence(group, reports, caption), *extra)}
    copies = [r.safe_id for r in reports if r.copy is not None]
    standings: list[Standing] = []
    shown = faces_shown(reports)
    for asked in questions(context, definition, site=site):
        question = rules.for_shown_face(asked) if shown else asked
        subjects = _subjects(question, group, copies) if question.asked else [group]
        standings += _alike(_stand(question, s, given, found, context, group, today) for s in subjects)
    plain = {a.item: a.choice for a in mine if a.subject == group}
    stopped = tuple(rules.stops(context, plain))
    undecided = {r.safe_id: r.plan.undecided() for r in reports if r.copy and r.plan and r.plan.doing("ask", "hold")}
    waiting = bool(undecided) or any(s.waits for s in standings)
    # Without a copy there is nothing that could be shared, so nothing is answered either.
    overall: Overall = "stop" if stopped else "open" if waiting or not copies else "answered"
    return GroupResult(
        group=group,
        overall=overall,
        context=context,
        standings=tuple(standings),
        stops=stopped,
        undecided=undecided,
    )


def _settled(context: SharingContext, reports: Sequence[Report], basis: Answer | None) -> SharingContext:
    """The context with what findings raise and with the chosen basis, when it may be used here."""
    raised = conditions(reports)
    context = msgspec.structs.replace(context, conditions={**context.conditions, **raised})
    if basis is None or basis.choice not in BASES or rules.basis_refused(basis.choice, context):
        return context
    return msgspec.structs.replace(context, basis=basis.choice)


def _alike(standings: Iterable[Standing]) -> list[Standing]:
    """Copies that stand alike share one standing, so that a group of many thousand copies stays small."""
    rows: dict[tuple[object, ...], list[Standing]] = {}
    for s in standings:
        answer = msgspec.structs.replace(s.answer, subject="") if s.answer else None
        auto = msgspec.structs.replace(s.auto, subject="") if s.auto else None
        rows.setdefault((s.state, s.why, answer, auto), []).append(s)
    return [
        msgspec.structs.replace(same[0], subjects=tuple(n for s in same for n in s.subjects)) for same in rows.values()
    ]


def _subjects(question: Question, group: str, copies: Sequence[str]) -> list[str]:
    match question.item.subject:
        case "file":
            return list(copies)
        case "batch":
            return [BATCH]
        case _:
            return [group]


def _stand(
    question: Question,
    subject: str,
    given: dict[tuple[str, str], Answer],
    found: dict[tuple[str, str], AutoEvidence],
    context: SharingContext,
    group: str,
    today: datetime.date | None,
) -> Standing:
    auto = found.get((question.id, subject)) or found.get((question.id, group)) or found.get((question.id, BATCH))
    answer = given.get((question.id, subject))

    def stand(state: State, why: str) -> Standing:
        return Standing(question=question, subjects=(subject,), state=state, why=why, answer=answer, auto=auto)

    if not question.asked:
        return stand("not-asked", question.why)
    if auto is not None and auto.verdict == "fails":
        return stand("failed", auto.words)
    if question.item.evidence == "auto":
        if auto is not None and auto.verdict == "supports":
            return stand("closed", auto.words)
        return stand("open", auto.words if auto else tr("no check has looked at this yet"))
    # A check that should have looked and did not leaves the item open, whatever a person says of it.
    if auto is not None and auto.verdict == "unknown":
        return stand("open", auto.words)
    if answer is None:
        return stand("open", StandingReason.NOT_ANSWERED)
    if today is not None and (late := _out_of_time(answer, today)):
        return stand("open", late)
    if question.id == SECOND_PERSON and _same_person(answer, given, group):
        return stand("open", tr("a second person has to say so, with a role of their own"))
    return _by_person(question, answer, context, stand=stand)


def _out_of_time(answer: Answer, today: datetime.date) -> str:
    """Why an answer does not hold on this day; empty when it does."""
    if answer.valid_until and answer.valid_until < today.isoformat():
        return tr("the answer has expired: ask again")
    return tr("the clock was set back after this was answered: ask again") if answer.at[:10] > today.isoformat() else ""


def _same_person(answer: Answer, given: dict[tuple[str, str], Answer], group: str) -> bool:
    """Whether the second person is, by the roles that were said, one of those who answered before."""
    others = {a.role.casefold() for a in given.values() if a is not answer and a.subject.startswith(group)}
    return not answer.role.strip() or answer.role.casefold() in others


def _by_person(question: Question, answer: Answer, context: SharingContext, *, stand: _Stand) -> Standing:
    if answer.choice == "not-sure":
        return stand("open", tr("answered: not sure"))
    if answer.choice == NOT_APPLICABLE:
        if question.na == "never":
            return stand("open", tr("this cannot be set aside: 'does not apply' is no answer to it"))
        if question.na == "with-note" and not answer.note.strip():
            return stand("open", tr("say in a note why it does not apply"))
        return stand("not-applicable", tr("a person said that it does not apply"))
    if rules.fails_by_basis(question, context):
        return stand("failed", tr("the consent was spoken; for this audience it has to be written"))
    if question.id == "con.basis":
        refused = rules.basis_refused(answer.choice, context)
        if refused:
            return stand("failed", refused)
        if answer.choice == "permitted-by-law" and not answer.note:
            return stand("open", tr("say which law, and whose advice was taken"))
    if answer.choice in CLOSING[question.item.pass_]:
        return stand("closed", tr("answered by your organisation") if answer.by == "site" else StandingReason.BY_PERSON)
    return stand(
        "failed", tr("the answer does not allow sharing") if question.level == "blocking" else tr("think about")
    )
