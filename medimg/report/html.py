"""The two sheets as HTML: one self-contained file each, no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from medimg.consent.answers import ACTS
from medimg.consent.checklist import SECTIONS, ChecklistDefinition
from medimg.report.build import this_day
from medimg.report.model import RecordAnswer, RecordSheet, ShareAnswer, ShareGroup, ShareSheet
from medimg.report.record import condition_words
from medimg.report.words import few, not_looked_for, of_all, opened
from medimg.types import Report
from medimg.vocabulary import StandingReason
from medimg.words import current, template, tr

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from medimg.report.thumbs import Thumb

#: Small pictures and detailed photos shown for each group; the rest stands in the JSON sheets.
SHOWN = 60
#: Groups with a section of their own on a page; all of them stand in the JSON sheets.
GROUPS = 40
#: Rows of the digest table for each group.
LISTED = 400


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("medimg.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
        auto_reload=False,
    )
    environment.globals.update(tr=_tr, many=_many, language=current, not_looked_for=not_looked_for, opened=opened)
    environment.filters["of_all"] = of_all
    environment.filters["when"] = when
    environment.filters["withdrawal"] = withdrawal
    environment.filters["extract_from"] = _extract
    return environment


def _tr(text: str, **fields: object) -> Markup:
    """Words of a template, escaped but for the apostrophe: attributes stand in double quotes."""
    return _escaped(tr(text), **fields) if fields else _escaped(tr(text).replace("{", "{{").replace("}", "}}"))


def _many(one: str, more: str, n: int, **fields: object) -> Markup:
    return _escaped(template(one, more, n), n=n, **fields)


def _escaped(text: str, **fields: object) -> Markup:
    from markupsafe import Markup, escape

    return Markup(str(escape(text)).replace("&#39;", "'")).format(**fields)  # noqa: S704 - escaped here


def page(name: str, **values: Any) -> str:
    """A template of this folder, filled in; every value is escaped."""
    return _environment().get_template(name).render(**values)


def when(time: str) -> str:
    """A UTC time as people write it."""
    return f"{time[:10]} {time[11:16]} UTC" if len(time) >= 16 else time


def withdrawal(line: str) -> str:
    """When a patient withdrew, and what was noted then."""
    at, _, note = line.partition(" ")
    return tr("Withdrawn: {when}", when=", ".join(filter(None, (when(at), note))))


def _extract(key: str, numbers: Mapping[str, int]) -> int:
    return numbers[key]


@cache
def _css() -> Markup:
    from markupsafe import Markup

    style = resources.files("medimg.report").joinpath("templates/style.css").read_text("utf-8")
    return Markup(style)  # noqa: S704 - our own file


def share_html(sheet: ShareSheet, thumbs: Mapping[str, Thumb]) -> str:
    """The share sheet as a page."""
    return (
        _environment()
        .get_template("share.html.j2")
        .render(
            s=sheet,
            thumbs=thumbs,
            css=_css(),
            sections=dict(SECTIONS.items()),
            shown=SHOWN,
            listed=LISTED,
            groups=GROUPS,
            old=ChecklistDefinition.load().past_review(this_day()),
            asked=_alike(sheet.groups[:GROUPS]),
        )
    )


def record_html(sheet: RecordSheet, thumbs: Mapping[str, Thumb], reports: Sequence[Report]) -> str:
    """The record sheet as a page, with numbered outlines over the small pictures."""
    return (
        _environment()
        .get_template("record.html.j2")
        .render(
            s=sheet,
            thumbs=thumbs,
            css=_css(),
            sections=dict(SECTIONS.items()),
            shown=SHOWN,
            groups=GROUPS,
            old=ChecklistDefinition.load().past_review(this_day()),
            sources=_sources(sheet),
            outlines={r.safe_id: _outlines(r, thumbs) for r in reports},
            conditions={g.group: condition_words(g.conditions) for g in sheet.groups},
            answers={g.group: rows(g.answers) for g in sheet.groups},
        )
    )


def _alike(groups: Sequence[ShareGroup]) -> list[tuple[list[str], ShareGroup]]:
    """Groups whose questions stand alike are listed together."""
    rows: dict[tuple[ShareAnswer, ...], tuple[list[str], ShareGroup]] = {}
    for group in groups:
        rows.setdefault(group.answers, ([], group))[0].append(group.group)
    return list(rows.values())


def _sources(sheet: RecordSheet) -> dict[str, int]:
    """Every source that is used, numbered from 1 in the order of use."""
    out: dict[str, int] = {}
    for group in sheet.groups[:GROUPS]:
        for answer in group.answers:
            for title in answer.sources:
                out.setdefault(title, len(out) + 1)
    return out


def _outlines(report: Report, thumbs: Mapping[str, Thumb]) -> list[dict[str, Any]]:
    """Numbered outlines of the findings that can be seen, in the small picture's coordinates."""
    thumb = thumbs.get(report.copy.name) if report.copy else None
    if thumb is None or report.plan is None or report.copy is None:
        return []
    # A copy of another size has another pixel grid; an outline in the wrong place would be worse than none.
    if (thumb.stored_width, thumb.stored_height) != (report.width, report.height):
        return []
    out: list[dict[str, Any]] = []
    number = 0
    for action in report.plan.actions:
        region = action.finding.region
        if region is None:
            continue
        number += 1
        if region.frame:
            continue
        points = thumb.outline(region.polygon)
        xs, ys = zip(*(map(float, p.split(",")) for p in points.split(" ")), strict=True)
        out.append(
            {
                "number": number,
                "points": points,
                "x": min(max(min(xs), 9.0), thumb.width - 9.0),
                "y": min(max(min(ys), 9.0), thumb.height - 9.0),
            }
        )
    return out


def rows(answers: Sequence[RecordAnswer]) -> list[tuple[RecordAnswer, str, list[str], bool]]:
    """One row an item: the first answer, the joined state, a line for each subject, and whether all agree."""
    by_item: dict[str, list[RecordAnswer]] = {}
    for answer in answers:
        by_item.setdefault(answer.item, []).append(answer)
    out: list[tuple[RecordAnswer, str, list[str], bool]] = []
    for same in by_item.values():
        states = {a.state for a in same}
        state = next(s for s in ("failed", "open", "closed", "not-applicable") if s in states)
        one = len({a.choice for a in same}) == 1
        out.append((same[0], state, _lines(same), one))
    return out


def _act(answer: RecordAnswer) -> str:
    """The act that gave an answer, and the sentence that stood on its screen."""
    if not answer.act:
        return ""
    said = f': "{answer.said.rstrip(".")}"' if answer.said != answer.ask else ""
    return tr(", in the act “{act}”", act=ACTS.get(answer.act.partition(":")[0], tr("a question"))) + said


def _lines(same: Sequence[RecordAnswer]) -> list[str]:
    """What the checks say of each subject, then what was answered; equal lines of several copies are joined."""
    checks, ends = _once([(_first_large(a.checks_say), a.subjects) for a in same])
    said = [(". ".join(filter(None, _said(a))), a.subjects) for a in same]
    if len({words for words, _ in said}) == 1 and said[0][0] and any(words for words, _ in checks):
        return [*_joined(checks), *ends, f"{said[0][0]}."]  # one answer for all stands once, below the checks
    both = [(". ".join(filter(None, (c, w))), of) for (c, of), (w, _) in zip(checks, said, strict=True)]
    return [*_joined(both), *ends]


def _once(
    checks: list[tuple[str, tuple[str, ...]]],
) -> tuple[list[tuple[str, tuple[str, ...]]], list[str]]:
    """What the checks say of each subject, and one line for how all of that ends: no sentence stands there thrice."""
    parts = [words.split("; ") for words, _ in checks]
    least = min(map(len, parts), default=1) if len({words for words, _ in checks}) > 1 else 1
    alike = next((n for n in range(least - 1, 0, -1) if len({tuple(p[-n:]) for p in parts}) == 1), 0)
    if not alike:
        return checks, []
    apart = [("; ".join(p[:-alike]), subjects) for p, (_, subjects) in zip(parts, checks, strict=True)]
    return apart, [tr("Each copy: {line}.", line="; ".join(parts[0][-alike:]))]


def _joined(lines: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Words about subjects, with the subjects before them where they are not all the same."""
    said: dict[str, list[str]] = {}
    for line, subjects in lines:
        said.setdefault(line, []).extend(subjects)
    out = []
    for line, subjects in said.items():
        if not line:
            continue
        names = few(subjects)
        out.append(
            f"{names}: {line}."
            if len(said) > 1
            else tr("Each copy: {line}.", line=line)
            if len(subjects) > 1
            else f"{line}."
        )
    return out


def _said(a: RecordAnswer) -> list[str]:
    """What a person answered, and why it stands as it does."""
    parts = []
    if a.choice:
        at = f", {when(a.at)}" if a.at else ""
        until = tr(", valid until {valid_until}", valid_until=a.valid_until) if a.valid_until else ""
        who = a.role or tr(a.by)
        parts.append(
            tr("Answered: {choice} ({who}{at}{until})", choice=a.choice, who=who, at=at, until=until) + _act(a)
        )
    if a.note:
        parts.append(tr("Note: {note}", note=a.note))
    if a.why and a.why.casefold() not in (
        a.checks_say.casefold(),
        tr(StandingReason.BY_PERSON).casefold(),
        tr(StandingReason.ASKED).casefold(),
    ):
        parts.append(_first_large(a.why))
    return parts


def _first_large(words: str) -> str:
    return words[:1].upper() + words[1:]
