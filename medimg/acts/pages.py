"""The open questions of a run as pages: channel and policy once, then each patient, then each picture.

A terminal and a window show the same pages; each ask says what may be answered and about whom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from medimg.acts.answering import BATCH, EACH_FILE
from medimg.consent.answers import ANSWER_WORDS, choices
from medimg.consent.checklist import SECTIONS, ChecklistDefinition
from medimg.consent.standing import GroupResult, Standing
from medimg.run.state import RunState
from medimg.words import tr


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be asked.

    Attributes:
        item: Id of the item, or a condition's key when ``condition``.
        subjects: What one answer to it is about.
        text: The question.
        help: One short hint.
        level: Blocking or advisory; empty for a condition.
        choices: Answer -> the words for it.
        checks_say: What the checks found.
        now: What is answered now, in words.
        condition: Whether it settles which questions are asked.
        takes_note: Whether a note for the record part may go with it.
    """

    item: str
    subjects: tuple[str, ...]
    text: str
    help: str = ""
    level: str = ""
    choices: dict[str, str]
    checks_say: str = ""
    now: str = ""
    condition: bool = False
    takes_note: bool = False


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Questions that are shown together."""

    title: str
    group: str
    asks: tuple[Ask, ...]


def conditions_page(state: RunState, result: GroupResult, *, again: bool = False) -> Page:
    """What has not been said about a patient yet; it settles which questions are asked."""
    definition = ChecklistDefinition.load()
    found = {
        c for c in ("face",) if result.context.flag(c) == "yes" and c not in state.conditions.get(result.group, {})
    }
    asks = [
        Ask(
            item=condition,
            subjects=(result.group,),
            text=tr("Does this apply? {condition}.", condition=meaning[:1].upper() + meaning[1:]),
            choices={k: ANSWER_WORDS[k] for k in ("yes", "no", "not-sure")},
            condition=True,
        )
        for condition, meaning in definition.conditions.items()
        if condition != "anonymised_basis"
        and condition not in found
        and (again or result.context.flag(condition) == "not-sure")
    ]
    return Page(title=tr("About this patient and this picture"), group=result.group, asks=tuple(asks))


def question_pages(results: Mapping[str, GroupResult], group: str, *, again: bool = False) -> list[Page]:
    """The questions of one group that wait for a person, a page for each section."""
    return _pages([s for s in results[group].standings if s.question.item.subject != "batch"], group, again)


def batch_pages(results: Mapping[str, GroupResult], *, again: bool = False) -> list[Page]:
    """The questions that are answered once for every group: channel, policy, incident."""
    seen: dict[str, Standing] = {}
    for result in results.values():
        for standing in result.standings:
            if standing.question.item.subject == "batch" and standing.question.asked:
                seen.setdefault(standing.question.id, standing)
    return _pages(list(seen.values()), BATCH, again)


def waiting(standings: Sequence[Standing], *, again: bool = False) -> list[Standing]:
    """What a person can answer and has not closed; with ``again`` all that a person can answer."""
    return [
        s
        for s in standings
        if s.question.asked and s.question.item.evidence != "auto" and (again or s.state in ("open", "failed"))
    ]


def _pages(standings: Sequence[Standing], group: str, again: bool) -> list[Page]:
    asked = waiting(standings, again=again)
    # The basis comes first: it settles which other questions are asked, and how strictly.
    order = ["con", *(k for k in SECTIONS if k not in ("con", "img")), "img"]
    out = []
    for section in order:
        asks = [a for s in asked if s.question.item.section == section for a in _asks(s)]
        if asks:
            out.append(Page(title=SECTIONS[section], group=group, asks=tuple(asks)))
    return out


def _asks(standing: Standing) -> list[Ask]:
    """One ask; one for each copy where it has to be said copy by copy."""
    question, item = standing.question, standing.question.item
    apart = question.id == EACH_FILE
    return [
        Ask(
            item=question.id,
            subjects=subjects,
            text=item.ask,
            help=item.help,
            level=question.level,
            choices={c: ANSWER_WORDS[c] for c in choices(item.pass_, question.na)},
            checks_say=standing.auto.words if standing.auto else "",
            now=ANSWER_WORDS.get(standing.answer.choice, "") if standing.answer else "",
            takes_note=item.free_text == "record-only",
        )
        for subjects in ([(s,) for s in standing.subjects] if apart else [standing.subjects])
    ]
