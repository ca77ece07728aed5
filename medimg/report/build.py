"""From reports, context and answers to the two sheets. The share sheet is built from named fields alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from medimg.consent.answers import ANSWER_WORDS, choices
from medimg.consent.checklist import ChecklistDefinition, words
from medimg.consent.evidence import AutoEvidence
from medimg.consent.run import WARNINGS, RunState
from medimg.consent.standing import GroupResult, Standing, assess
from medimg.report import words as w
from medimg.report.model import (
    CheckLine,
    CopyLine,
    Decision,
    RecordAnswer,
    RecordCheck,
    RecordGroup,
    RecordPhoto,
    RecordSheet,
    ShareAnswer,
    ShareGroup,
    ShareSheet,
    Tally,
)
from medimg.types import Action, Report

_WORST = ("answered", "open", "stop")


def results(state: RunState, reports: Sequence[Report]) -> dict[str, GroupResult]:
    """The checklist of every group of the run."""
    by_id = {r.safe_id: r for r in reports}
    return {
        group: assess(
            group,
            [by_id[i] for i in ids if i in by_id],
            state.group_context(group),
            state.answers,
            extra=run_evidence(state),
            site=state.run.site,
        )
        for group, ids in state.run.groups.items()
    }


def run_evidence(state: RunState) -> list[AutoEvidence]:
    """Evidence about the run as a whole."""
    out = []
    synced = [x for x in state.run.warnings if x.startswith("synced-")]
    if synced:
        out.append(
            AutoEvidence(
                item="aud.auto-upload",
                subject="batch",
                verdict="fails",
                found=len(synced),
                words="a folder used here looks synchronised with a cloud service",
            )
        )
    if state.caption:
        found = sum(state.caption_found.values())
        out += [
            AutoEvidence(
                item="id.caption",
                subject=group,
                verdict="fails" if found else "supports",
                found=found,
                words=f"the check found {found} in the caption: {', '.join(map(w.category, state.caption_found))}"
                if found
                else "the check found none in the caption; it can miss names",
            )
            for group in state.run.groups
        ]
    return out


def share_sheet(state: RunState, reports: Sequence[Report], found: dict[str, GroupResult]) -> ShareSheet:
    """The part that travels. Once something was released, it is about the released groups alone."""
    definition = ChecklistDefinition.load()
    by_id = {r.safe_id: r for r in reports}
    released = [g for g in state.run.groups if state.released_names(g) and not state.is_withdrawn(g)]
    shown = released or list(state.run.groups)
    groups = tuple(_share_group(state, found[g], _of(state, g, by_id)) for g in shown)
    mine = [r for g in shown for r in _of(state, g, by_id) if r.copy is not None]
    if released:
        mine = [r for r in mine if r.copy and any(r.copy.name in state.released_names(g) for g in released)]
    overall = _worst(found[g].overall for g in shown)
    return ShareSheet(
        run=state.run.tag,
        medimg=state.run.version,
        checklist=state.checklist,
        checklist_digest=state.checklist_digest,
        policy_digest=state.run.policy_digest,
        engines=_engines(state, reports),
        month=state.run.month,
        audience=state.context.audience,
        audience_words=audience_words(state.context.audience),
        countries=state.context.jurisdictions,
        scope=state.run.scope,
        scope_words=_scope(state),
        status=_status(definition, overall),
        overall=overall,
        found=tally(mine),
        zero_lines=_zero(mine, state),
        checks=check_lines(mine),
        groups=groups,
        remaining_risk=w.REMAINING_RISK,
        wrong_recipient=w.WRONG_RECIPIENT,
        set_by_organisation="Some questions were set by the sharer's organisation." if state.run.site else "",
    )


def record_sheet(state: RunState, reports: Sequence[Report], found: dict[str, GroupResult]) -> RecordSheet:
    """The part that stays in the patient's record."""
    definition = ChecklistDefinition.load()
    by_id = {r.safe_id: r for r in reports}
    site = state.run.site
    overall = _worst(r.overall for r in found.values())
    return RecordSheet(
        run=state.run.tag,
        replaces=state.run.replaces,
        finished=state.run.finished,
        medimg=state.run.version,
        checklist=state.checklist,
        checklist_digest=state.checklist_digest,
        policy_digest=state.run.policy_digest,
        policy=state.run.policy_lines,
        engines=_engines(state, reports),
        audience=state.context.audience,
        audience_words=audience_words(state.context.audience),
        countries=state.context.jurisdictions,
        scope=state.run.scope,
        scope_words=_scope(state),
        status=_status(definition, overall),
        overall=overall,
        warnings=tuple(WARNINGS[x] for x in state.run.warnings),
        organisation=site.organisation if site else "",
        policy_text=site.policy_text if site else "",
        policy_link=site.policy_link if site else "",
        contacts=tuple(site.contacts.lines()) if site else (),
        found=tally(reports),
        checks=check_lines([r for r in reports if r.copy is not None]),
        groups=tuple(_record_group(state, found[g], _of(state, g, by_id)) for g in state.run.groups),
        incident=w.INCIDENT,
    )


def audience_words(audience: str) -> str:
    """What an audience is, without the remark on which one is the default."""
    return ChecklistDefinition.load().audiences[audience].partition(" (the default")[0]


def tally(reports: Iterable[Report]) -> tuple[Tally, ...]:
    """What was found, by kind and category, and what became of it."""
    rows: dict[tuple[str, str], dict[str, int]] = {}
    column = {"drop": "removed", "cover": "covered", "keep": "kept", "ask": "to_look_at", "hold": "to_look_at"}
    for report in reports:
        for action in report.plan.actions if report.plan else ():
            row = rows.setdefault((action.finding.kind, action.finding.category), {})
            for name in ("found", column[action.do], *(["by_person"] if action.by == "person" else [])):
                row[name] = row.get(name, 0) + action.finding.count
    order = list(w.KINDS)
    return tuple(
        Tally(kind=w.KINDS[kind], category=name, words=w.category(name), **rows[kind, name])
        for kind, name in sorted(rows, key=lambda k: (order.index(k[0]), k[1]))
    )


def check_lines(reports: Sequence[Report]) -> tuple[CheckLine, ...]:
    """Each check of the written copies, over all of them."""
    names = [n for n in w.CHECKS if any(c.name == n for r in reports for c in r.checks)]
    names += sorted({c.name for r in reports for c in r.checks} - set(names))
    out = []
    for name in names:
        checks = [c for r in reports for c in r.checks if c.name == name]
        out.append(
            CheckLine(
                name=name,
                words=w.CHECKS.get(name, w.category(name)),
                passed=sum(c.state == "passed" for c in checks),
                failed=sum(c.state == "failed" for c in checks),
                not_run=sum(c.state == "not-run" for c in checks),
                not_asked=sum(c.state == "not-asked" for c in checks),
                engines=tuple(sorted({c.engine for c in checks if c.engine})),
            )
        )
    return tuple(out)


def _share_group(state: RunState, result: GroupResult, reports: Sequence[Report]) -> ShareGroup:
    names = state.released_names(result.group)
    copies = [_copy_line(r, result, state) for r in reports if r.copy is not None]
    kept = tuple(c for c in copies if c and (not names or c.name in names))
    return ShareGroup(
        group=result.group,
        overall=result.overall,
        status=_status(ChecklistDefinition.load(), result.overall),
        copies=kept,
        kept_back=len(reports) - len(kept),
        questions=result.counts(),
        answers=tuple(_share_answers(result)),
    )


def _share_answers(result: GroupResult) -> Iterable[ShareAnswer]:
    for standings in _by_item(result):
        first = standings[0]
        # Answers about the person and the record never travel, nor does the fact that they were asked.
        if first.state == "not-asked" or first.question.item.record == "record-only":
            continue
        yield ShareAnswer(
            item=first.question.id,
            section=first.question.item.section,
            ask=first.question.item.ask,
            level=first.question.level,
            answer=_short(standings),
            state=_joined_state(standings),
        )


def _short(standings: Sequence[Standing]) -> str:
    """Yes, no, n.a., a count of what is done, or open."""
    said = {_short_one(s) for s in standings}
    if len(said) == 1:
        return said.pop()
    done = sum(len(s.subjects) for s in standings if s.state in ("closed", "not-applicable"))
    return f"{done} of {sum(len(s.subjects) for s in standings)} answered"


def _short_one(standing: Standing) -> str:
    if standing.state == "not-applicable":
        return "n.a."
    if standing.question.item.evidence == "auto":
        return {"closed": "yes", "failed": "no"}.get(standing.state, "open")
    if standing.state == "open" or standing.answer is None:
        return "open"
    choice = standing.answer.choice
    if choice in ("yes", "no"):
        return choice
    # An answer that is more than yes or no (which basis, accepted, agreed) stays in the record.
    return "yes" if standing.state == "closed" else "no"


def _joined_state(standings: Sequence[Standing]) -> str:
    states = {s.state for s in standings}
    return next((s for s in ("failed", "open", "closed", "not-applicable") if s in states), "open")


def _by_item(result: GroupResult) -> list[list[Standing]]:
    rows: dict[str, list[Standing]] = {}
    for standing in result.standings:
        rows.setdefault(standing.question.id, []).append(standing)
    return list(rows.values())


def _copy_line(report: Report, result: GroupResult, state: RunState) -> CopyLine | None:
    if report.copy is None:
        return None
    looked = any(
        s.question.id == "img.person-looked" and report.safe_id in s.subjects and s.state == "closed"
        for s in result.standings
    )
    return CopyLine(
        name=report.copy.name,
        format=report.copy.format,
        width=report.copy.width,
        height=report.copy.height,
        bytes=report.copy.bytes,
        sha256=report.copy.sha256,
        altered="; ".join(
            [w.METHODS.get(report.copy.method, w.category(report.copy.method)), *map(w.category, report.copy.notes)]
        ),
        looked_at=looked,
        released=report.copy.name in state.released_names(result.group),
    )


def _record_group(state: RunState, result: GroupResult, reports: Sequence[Report]) -> RecordGroup:
    definition = ChecklistDefinition.load()
    return RecordGroup(
        group=result.group,
        overall=result.overall,
        status=_status(definition, result.overall),
        stops=tuple(definition.item(i).ask for i in result.stops),
        conditions={c: result.context.flag(c) for c in definition.conditions if c != "anonymised_basis"},
        basis=ANSWER_WORDS.get(result.context.basis, ""),
        recipients=state.recipients.get(result.group, ""),
        released_at=tuple(r.at for r in state.released if r.group == result.group),
        withdrawn=tuple(f"{x.at} {x.note}".strip() for x in state.withdrawn if x.group == result.group),
        questions=result.counts(),
        photos=tuple(_record_photo(r, result, state) for r in reports),
        answers=tuple(_record_answer(s, definition) for s in result.standings if s.state != "not-asked"),
        not_asked={s.question.id: s.why for s in result.standings if s.state == "not-asked"},
    )


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
        why=standing.why if standing.state != "open" or standing.why != "not answered yet" else standing.question.why,
        choice=ANSWER_WORDS.get(answer.choice, "") if answer else "",
        choices=() if item.evidence == "auto" else tuple(ANSWER_WORDS[c] for c in choices(item.pass_)),
        by=answer.by if answer else "",
        role=answer.role if answer else "",
        at=answer.at if answer else "",
        valid_until=answer.valid_until if answer else "",
        note=answer.note if answer else "",
        checks_say=standing.auto.words if standing.auto else "",
        sources=tuple(definition.sources[s].title for s in item.sources),
        set_by_site=standing.question.set_by_site,
    )


def _record_photo(report: Report, result: GroupResult, state: RunState) -> RecordPhoto:
    actions = report.plan.actions if report.plan else ()
    seen = [a for a in actions if a.finding.region is not None]
    hidden = [a for a in actions if a.finding.region is None]
    return RecordPhoto(
        safe_id=report.safe_id,
        state=report.state,
        reason=report.reason or w.STATES[report.state],
        code=report.error_code,
        format=report.format,
        width=report.width,
        height=report.height,
        copy=_copy_line(report, result, state),
        decisions=(*(_decision(n, a) for n, a in enumerate(seen, 1)), *(_decision(0, a) for a in hidden)),
        checks=tuple(
            RecordCheck(name=c.name, state=c.state, engine=c.engine, found=c.found, detail=c.detail)
            for c in report.checks
        ),
    )


def _decision(number: int, action: Action) -> Decision:
    found = action.finding
    return Decision(
        number=number,
        kind=w.KINDS[found.kind],
        category=found.category,
        words=w.category(found.category),
        count=found.count,
        where=found.where,
        box=found.region.box if found.region else None,
        score=round(found.score, 3),
        detector=found.detector,
        do=w.DOES[action.do],
        why=action.why,
        by="a person" if action.by == "person" else "rule",
    )


def _zero(reports: Sequence[Report], state: RunState) -> tuple[str, ...]:
    """What is said of kinds that no check found. Nothing, where the check was not asked for."""
    if state.run.scope == "metadata-only" or not reports:
        return ()
    return tuple(line for kind, line in w.ZERO.items() if not any(f.kind == kind for r in reports for f in r.findings))


def _scope(state: RunState) -> str:
    return w.SCOPE_METADATA if state.run.scope == "metadata-only" else w.SCOPE_FULL


def _status(definition: ChecklistDefinition, overall: str) -> str:
    return {
        "open": definition.status_words.open,
        "stop": definition.status_words.stop,
        "answered": definition.status_words.answered,
    }[overall]


def _worst(states: Iterable[str]) -> str:
    # No group at all means that nothing was answered.
    return max(states, key=_WORST.index, default="open")


def _engines(state: RunState, reports: Sequence[Report]) -> dict[str, str]:
    out = dict(state.run.engines)
    for report in reports:
        out.update(report.engines)
    return out


def _of(state: RunState, group: str, by_id: dict[str, Report]) -> list[Report]:
    return [by_id[i] for i in state.run.groups[group] if i in by_id]


def condition_words(flags: dict[str, str]) -> list[tuple[str, str, str]]:
    """Condition, what it means, and what was said."""
    definition = ChecklistDefinition.load()
    said = {"yes": "yes", "no": "no", "not-sure": "not said"}
    return [(words(c), definition.conditions[c], said[f]) for c, f in flags.items()]
