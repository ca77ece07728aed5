"""From reports, context and answers to the sheet that travels, and what both sheets count alike."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from medimg.consent import caption
from medimg.consent.answers import Answer
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import SharingContext
from medimg.consent.evidence import AutoEvidence, evidence, hidden_words
from medimg.consent.site import SiteProfile
from medimg.consent.standing import GroupResult, Standing, assess
from medimg.report import sentence
from medimg.report import words as w
from medimg.report.model import (
    CheckLine,
    CopyLine,
    ShareAnswer,
    ShareGroup,
    ShareSheet,
    Tally,
)
from medimg.run.state import RunState
from medimg.types import Report
from medimg.vocabulary import Category, CheckState, Reason, as_words
from medimg.words import current, tr


class Matter(NamedTuple):
    """All that decides where the questions of one group stand; its words are in ``language``."""

    group: str
    reports: list[Report]
    seen: list[AutoEvidence]
    context: SharingContext
    answers: list[Answer]
    extra: list[AutoEvidence]
    caption: Mapping[str, int] | None
    today: datetime.date
    site: SiteProfile | None
    withdrawn: bool
    language: str


_WORST = ("answered", "open", "stop")


def results(state: RunState, reports: Sequence[Report], today: datetime.date | None = None) -> dict[str, GroupResult]:
    """The checklist of every group of the run. A group whose patient withdrew is at a stop.

    Args:
        state: What people said.
        reports: One report a photo.
        today: The day on which answers may have expired; the present day (UTC) when not given.
    """
    return {group: result(one) for group, one in matters(state, reports, today).items()}


def matters(
    state: RunState,
    reports: Sequence[Report],
    today: datetime.date | None = None,
    before: Mapping[str, Matter] | None = None,
    groups: Iterable[str] | None = None,
) -> dict[str, Matter]:
    """What decides about groups of the run; equal ones have equal results.

    Args:
        state: What people said.
        reports: One report a photo.
        today: The day on which answers may have expired; the present day (UTC) when not given.
        before: The same of a while ago: what the checks say of a report stays.
        groups: Which; every group when not given.
    """
    groups = list(state.run.groups if groups is None else groups)
    by_id = {r.safe_id: r for r in reports}
    today = today or this_day()
    synced = _synced(state)
    about = {"batch", *groups}
    mine: dict[str, list[Answer]] = {}
    for answer in state.answers:
        if (owner := answer.subject.partition("-")[0]) in about:
            mine.setdefault(owner, []).append(answer)
    old = {act for act, use in state.cards.items() if use.card.trouble(today)}
    return {
        group: Matter(
            group=group,
            reports=(own := of(state, group, by_id)),
            seen=_seen(own, (before or {}).get(group)),
            context=state.group_context(group),
            answers=[
                a
                for a in (*mine.get("batch", ()), *mine.get(group, ()))
                # What a card said counts no longer than the card; what was released on it stays as it was.
                if a.act not in old or state.released_names(group)
            ],
            extra=[*synced, *_of_caption(state, group)],
            caption=said.found if (said := state.caption_of(group)) else None,
            today=today,
            site=state.run.site,
            withdrawn=state.is_withdrawn(group),
            language=current(),
        )
        for group in groups
    }


def _seen(reports: list[Report], before: Matter | None) -> list[AutoEvidence]:
    if before is not None and before.language == current() and before.reports == reports:
        return before.seen
    return [e for report in reports for e in evidence(report)]


def result(matter: Matter) -> GroupResult:
    """The checklist of one group."""
    found = assess(
        matter.group,
        matter.reports,
        matter.context,
        matter.answers,
        seen=matter.seen,
        extra=matter.extra,
        caption=matter.caption,
        today=matter.today,
        site=matter.site,
    )
    return msgspec.structs.replace(found, overall="stop") if matter.withdrawn else found


def this_day() -> datetime.date:
    """The day by the clock (UTC)."""
    return datetime.datetime.now(datetime.UTC).date()


def _synced(state: RunState) -> list[AutoEvidence]:
    """Evidence about the run as a whole."""
    synced = [x for x in state.run.warnings if x.startswith("synced-")]
    if not synced:
        return []
    return [
        AutoEvidence(
            item="aud.auto-upload",
            subject="batch",
            verdict="fails",
            found=len(synced),
            words=tr("a folder used here looks synchronised with a cloud service"),
        )
    ]


def _of_caption(state: RunState, group: str) -> list[AutoEvidence]:
    said = state.caption_of(group)
    return [_caption_evidence(group, said.found)] if said is not None else []


def _caption_evidence(group: str, found: Mapping[str, int]) -> AutoEvidence:
    kinds = ", ".join(f"{Category.words_of(k)} {n}" for k, n in found.items())
    words = "; ".join([tr("the check found in the caption: {kinds}", kinds=kinds), *caption.advice(found)])
    return AutoEvidence(
        item="id.caption",
        subject=group,
        verdict="fails" if caption.SURE & found.keys() else "asks" if found else "supports",
        found=sum(found.values()),
        words=words if found else tr("the check found none in the caption; it can miss names, and it knows few words"),
    )


def share_sheet(state: RunState, reports: Sequence[Report], found: dict[str, GroupResult]) -> ShareSheet:
    """The part that travels. Once something was released, it is about the released groups alone."""
    definition = ChecklistDefinition.load()
    by_id = {r.safe_id: r for r in reports}
    released = [g for g in state.run.groups if state.released_names(g) and not state.is_withdrawn(g)]
    shown = released or list(state.run.groups)
    groups = tuple(_share_group(state, found[g], of(state, g, by_id)) for g in shown)
    mine = [r for g in shown for r in of(state, g, by_id) if r.copy is not None]
    if released:
        mine = [r for r in mine if r.copy and any(r.copy.name in state.released_names(g) for g in released)]
    overall = worst(found[g].overall for g in shown)
    found_in = tally(mine)
    return ShareSheet(
        run=state.run.tag,
        medimg=state.run.version,
        checklist=state.checklist,
        checklist_digest=state.checklist_digest,
        policy_digest=state.run.policy_digest,
        engines=engines(state, reports),
        month=state.run.month,
        audience=state.context.audience,
        audience_words=audience_words(state.context.audience),
        countries=state.context.jurisdictions,
        scope=state.run.scope,
        scope_words=scope(state),
        status=status(definition, overall),
        overall=overall,
        found=found_in,
        zero_lines=_zero(mine, state),
        checks=check_lines(mine),
        groups=groups,
        remaining_risk=tr(w.REMAINING_RISK),
        wrong_recipient=tr(w.WRONG_RECIPIENT),
        summary=sentence.found(found_in),
        review=definition.review_words(this_day()),
        set_by_organisation=tr("Some questions were set by the sharer's organisation.") if state.run.site else "",
    )


def audience_words(audience: str) -> str:
    """What an audience is, without the remark on which one is the default."""
    return ChecklistDefinition.load().audiences[audience].partition(" (")[0]


def tally(reports: Iterable[Report]) -> tuple[Tally, ...]:
    """What was found, by kind and category, and what became of it."""
    rows: dict[tuple[str, str], dict[str, int]] = {}
    column = {"drop": "removed", "cover": "covered", "keep": "kept", "ask": "to_look_at", "hold": "to_look_at"}
    for report in reports:
        for action in report.plan.actions if report.plan else ():
            row = rows.setdefault((action.finding.kind, action.finding.category), {})
            # Without a copy nothing was taken out or covered: the photo was held.
            done = column[action.do] if report.copy is not None else "kept_back"
            if done == "kept" and action.why in (Reason.NO_FACE, Reason.NO_WRITING):
                done = "mistaken"
            for name in ("found", done, *(["by_person"] if action.by == "person" else [])):
                row[name] = row.get(name, 0) + action.finding.count
    order = list(w.KINDS)
    return tuple(
        Tally(kind=w.KINDS[kind], category=name, words=Category.words_of(name), **rows[kind, name])
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
                words=w.CHECKS.get(name, as_words(name)),
                passed=sum(c.state == CheckState.PASSED for c in checks),
                failed=sum(c.state == CheckState.FAILED for c in checks),
                not_run=sum(c.state == CheckState.NOT_RUN for c in checks),
                not_asked=sum(c.state == CheckState.NOT_ASKED for c in checks),
                engines=tuple(sorted({c.engine for c in checks if c.engine})),
            )
        )
    return tuple(out)


def _share_group(state: RunState, result: GroupResult, reports: Sequence[Report]) -> ShareGroup:
    names = state.released_names(result.group)
    copies = [copy_line(r, result, state) for r in reports if r.copy is not None]
    kept = tuple(c for c in copies if c and (not names or c.name in names))
    return ShareGroup(
        group=result.group,
        overall=result.overall,
        status=status(ChecklistDefinition.load(), result.overall),
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
    return tr("{done} of {n} answered", done=done, n=sum(len(s.subjects) for s in standings))


def _short_one(standing: Standing) -> str:
    if standing.state == "not-applicable":
        return tr("n.a.")
    if standing.question.item.evidence == "auto":
        return tr({"closed": "yes", "failed": "no"}.get(standing.state, "open"))
    if standing.state == "open" or standing.answer is None:
        return tr("open")
    choice = standing.answer.choice
    if choice in ("yes", "no"):
        return tr(choice)
    if standing.question.id == "con.basis":  # no question of yes or no
        return tr("answered") if standing.state == "closed" else tr("not allowed here")
    # An answer that is more than yes or no (which basis, accepted, agreed) stays in the record.
    return tr("yes" if standing.state == "closed" else "no")


def _joined_state(standings: Sequence[Standing]) -> str:
    states = {s.state for s in standings}
    return next((s for s in ("failed", "open", "closed", "not-applicable") if s in states), "open")


def _by_item(result: GroupResult) -> list[list[Standing]]:
    rows: dict[str, list[Standing]] = {}
    for standing in result.standings:
        rows.setdefault(standing.question.id, []).append(standing)
    return list(rows.values())


def copy_line(report: Report, result: GroupResult, state: RunState) -> CopyLine | None:
    """A copy as it may be named anywhere; None when the photo has none."""
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
            [
                w.METHODS.get(report.copy.method, as_words(report.copy.method)),
                *([hidden_words(report.copy)] if report.copy.covered else []),
                *map(as_words, report.copy.notes),
            ]
        ),
        looked_at=looked,
        released=report.copy.name in state.released_names(result.group),
        least_letters=report.least_letters,
    )


def _zero(reports: Sequence[Report], state: RunState) -> tuple[str, ...]:
    """What is said of kinds that no check found. Nothing, where the check was not asked for."""
    if state.run.scope == "metadata-only" or not reports:
        return ()
    return tuple(line for kind, line in w.ZERO.items() if not any(f.kind == kind for r in reports for f in r.findings))


def scope(state: RunState) -> str:
    """What was checked and what was not, in words."""
    return tr(w.SCOPE_METADATA if state.run.scope == "metadata-only" else w.SCOPE_FULL)


def status(definition: ChecklistDefinition, overall: str) -> str:
    """The fixed words for a state."""
    return {
        "open": definition.status_words.open,
        "stop": definition.status_words.stop,
        "answered": definition.status_words.answered,
    }[overall]


def worst(states: Iterable[str]) -> str:
    """The worst of several states."""
    # No group at all means that nothing was answered.
    return max(states, key=_WORST.index, default="open")


def engines(state: RunState, reports: Sequence[Report]) -> dict[str, str]:
    """Every engine and model that looked, with its version."""
    out = dict(state.run.engines)
    for report in reports:
        out.update(report.engines)
    return out


def of(state: RunState, group: str, by_id: dict[str, Report]) -> list[Report]:
    """The reports of one group."""
    return [by_id[i] for i in state.run.groups[group] if i in by_id]
