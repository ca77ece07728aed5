"""From reports, context and answers to the sheet that stays in the patient's record."""

from __future__ import annotations

from collections.abc import Sequence

from medimg.consent.advice import panel
from medimg.consent.answers import ANSWER_WORDS, choices
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.incident import clocks
from medimg.consent.questions import words
from medimg.consent.standing import GroupResult, Standing
from medimg.report import sentence
from medimg.report import words as w
from medimg.report.build import (
    audience_words,
    check_lines,
    copy_line,
    engines,
    of,
    scope,
    status,
    tally,
    this_day,
    worst,
)
from medimg.report.model import Decision, RecordAnswer, RecordCheck, RecordGroup, RecordPhoto, RecordSheet
from medimg.run.release import role_of
from medimg.run.state import WARNINGS, RunState
from medimg.types import Action, Report
from medimg.vocabulary import Category, StandingReason
from medimg.words import said, tr


def record_sheet(state: RunState, reports: Sequence[Report], found: dict[str, GroupResult]) -> RecordSheet:
    """The part that stays in the patient's record."""
    definition = ChecklistDefinition.load()
    by_id = {r.safe_id: r for r in reports}
    site = state.run.site
    overall = worst(r.overall for r in found.values())
    found_in = tally(reports)
    return RecordSheet(
        run=state.run.tag,
        replaces=state.run.replaces,
        finished=state.run.finished,
        medimg=state.run.version,
        checklist=state.checklist,
        checklist_digest=state.checklist_digest,
        policy_digest=state.run.policy_digest,
        policy=tuple(map(said, state.run.policy_lines)),
        engines=engines(state, reports),
        audience=state.context.audience,
        audience_words=audience_words(state.context.audience),
        countries=state.context.jurisdictions,
        scope=state.run.scope,
        scope_words=scope(state),
        status=status(definition, overall),
        overall=overall,
        warnings=(*(WARNINGS[x] for x in state.run.warnings), *map(w.versions, state.run.versions)),
        organisation=site.organisation if site else "",
        policy_text=site.policy_text if site else "",
        policy_link=site.policy_link if site else "",
        contacts=tuple(site.contacts.lines()) if site else (),
        found=found_in,
        summary=sentence.found(found_in),
        checks=check_lines([r for r in reports if r.copy is not None]),
        review=definition.review_words(this_day()),
        groups=tuple(_record_group(state, found[g], of(state, g, by_id)) for g in state.run.groups),
        incident=w.incident(),
        clocks=tuple(clocks(state.context.jurisdictions, definition.jurisdictions)),
        advice=tuple(panel(state.context.audience)),
    )


def _record_group(state: RunState, result: GroupResult, reports: Sequence[Report]) -> RecordGroup:
    definition = ChecklistDefinition.load()
    return RecordGroup(
        group=result.group,
        overall=result.overall,
        status=status(definition, result.overall),
        stops=tuple(definition.item(i).ask for i in result.stops),
        conditions={c: result.context.flag(c) for c in definition.conditions if c != "anonymised_basis"},
        basis=ANSWER_WORDS.get(result.context.basis, ""),
        recipients=state.recipients.get(result.group, ""),
        role=_role(state, result.group),
        caption=state.caption_text_of(result.group),
        signed=_signed(state, result.group),
        released_at=tuple(r.at for r in state.released if r.group == result.group),
        withdrawn=tuple(f"{x.at} {x.note}".strip() for x in state.withdrawn if x.group == result.group),
        questions=result.counts(),
        photos=tuple(_record_photo(r, result, state) for r in reports),
        answers=tuple(_record_answer(s, definition) for s in result.standings if s.state != "not-asked"),
        summary=sentence.found(tally(reports)),
        open_questions=_open(result),
        **_typed(state, result.group),
        not_asked={s.question.id: tr(s.why) for s in result.standings if s.state == "not-asked"},
    )


def _typed(state: RunState, group: str) -> dict[str, str]:
    """What was typed in the acts about the consent form, where it is filed, and the employer's agreement."""
    consent = next((a.typed for a in reversed(state.acts) if a.act == f"consent:{group}"), {})
    form = _fields(state, f"form:{group}") or _fields(state, "form")
    work = _fields(state, "workplace")
    version = tr("version {version}", version=form["version"]) if form.get("version") else ""
    return {
        "form": ", ".join(filter(None, (form.get("name", ""), version))) if consent else "",
        "given": consent.get("date", ""),
        "filed": consent.get("filed", ""),
        "agreement": "; ".join(filter(None, (work.get("owner", ""), work.get("conditions", "")))),
    }


def _fields(state: RunState, act: str) -> dict[str, str]:
    use = state.cards.get(act)
    return use.card.fields if use is not None else {}


def _open(result: GroupResult) -> tuple[str, ...]:
    """What is to be decided about areas, then the questions that need an answer and have none, each once."""
    asked = (w.undecided(i, numbers) for i, numbers in result.undecided.items())
    return tuple(dict.fromkeys((*asked, *(s.question.item.ask for s in result.waiting()))))


def _signed(state: RunState, group: str) -> tuple[str, ...]:
    """The signed consent pages of a group, one line each."""
    current = state.signed_for(group)
    return tuple(
        ", ".join(
            [
                tr("signed page noted {at}", at=s.at[:10]),
                *([s.reference] if s.reference else []),
                *([tr("scan {file}", file=s.file)] if s.file else []),
                tr("for these copies")
                if s in current
                else tr("for other copies than these: show the patient the new ones"),
            ]
        )
        for s in state.signed
        if s.group == group
    )


def _role(state: RunState, group: str) -> str:
    """By whom the group was released, or else who answered last."""
    return next((r.role for r in reversed(state.releases(group)) if r.role), "") or role_of(state, group)


def _record_answer(standing: Standing, definition: ChecklistDefinition) -> RecordAnswer:
    item, answer = standing.question.item, standing.answer
    return RecordAnswer(
        item=item.id,
        section=item.section,
        ask=item.ask,
        help=item.help,
        level=standing.question.level,
        subjects=standing.subjects,
        state=standing.state,
        why=tr(
            standing.why
            if standing.state != "open" or standing.why != StandingReason.NOT_ANSWERED
            else standing.question.why
        ),
        choice=ANSWER_WORDS.get(answer.choice, "") if answer else "",
        choices=()
        if item.evidence == "auto"
        else tuple(ANSWER_WORDS[c] for c in choices(item.pass_, standing.question.na)),
        by=answer.by if answer else "",
        role=answer.role if answer else "",
        at=answer.at if answer else "",
        valid_until=answer.valid_until if answer else "",
        note=answer.note if answer else "",
        checks_say=standing.auto.words if standing.auto else "",
        sources=tuple(definition.sources[s].title for s in item.sources),
        set_by_site=standing.question.set_by_site,
        act=answer.act if answer else "",
        said=answer.said if answer else "",
    )


def _record_photo(report: Report, result: GroupResult, state: RunState) -> RecordPhoto:
    actions = report.plan.actions if report.plan else ()
    seen = [a for a in actions if a.finding.region is not None]
    hidden = [a for a in actions if a.finding.region is None]
    return RecordPhoto(
        safe_id=report.safe_id,
        state=report.state,
        reason=said(report.reason) or w.STATES[report.state],
        code=report.error_code,
        format=report.format,
        width=report.width,
        height=report.height,
        copy=copy_line(report, result, state),
        decisions=(
            *(_decision(n, a, done=report.copy is not None) for n, a in enumerate(seen, 1)),
            *(_decision(0, a, done=report.copy is not None) for a in hidden),
        ),
        checks=tuple(
            RecordCheck(name=c.name, state=c.state, engine=c.engine, found=c.found, detail=c.detail)
            for c in report.checks
        ),
        least_letters=report.least_letters,
    )


def _decision(number: int, action: Action, *, done: bool) -> Decision:
    found = action.finding
    return Decision(
        number=number,
        kind=w.KINDS[found.kind],
        category=found.category,
        words=Category.words_of(found.category),
        count=found.count,
        where=found.where,
        box=found.region.box if found.region else None,
        score=round(found.score, 3),
        detector=found.detector,
        do=w.DOES[action.do] if done else w.WOULD[action.do],
        why=said(action.why),
        by=tr("a person") if action.by == "person" else tr("rule"),
    )


def condition_words(flags: dict[str, str]) -> list[tuple[str, str, str]]:
    """Condition, what it means, and what was said."""
    definition = ChecklistDefinition.load()
    words_of = {"yes": tr("yes"), "no": tr("no"), "not-sure": tr("not said")}
    return [(words(c), definition.conditions[c], words_of[f]) for c, f in flags.items()]
