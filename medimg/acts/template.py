"""An answers file to be filled in: every open question of a run, answered *not sure*, with what may be answered."""

from __future__ import annotations

from collections.abc import Sequence

from medimg.acts.answering import BATCH, EACH_FILE
from medimg.acts.pages import waiting
from medimg.consent.answers import NOT_APPLICABLE, choices
from medimg.consent.checklist import ChecklistDefinition, Question
from medimg.consent.standing import GroupResult, Standing
from medimg.run.state import RunState
from medimg.words import mark, tr

_HEAD = mark("""\
# Answers of run {run}, for: {audience}. Private: it belongs in the patient's record.
# Put an answer in the place of not-sure. What stays not-sure stays open. Say the conditions first: with them taken in,
# a new template is shorter. Then: medimg answer RUN --from THIS-FILE
# An answer with a note: {{answer: yes, note: words}}; one that ends: {{answer: yes, valid_until: 2030-05-01}}
""")


def template(state: RunState, results: dict[str, GroupResult], wanted: list[str]) -> str:
    """The file as YAML. It can be taken as it is, and closes nothing then.

    Args:
        state: What was said so far.
        results: Where each group stands.
        wanted: The groups to ask about.
    """
    lines = [tr(_HEAD, run=state.run.tag, audience=state.context.audience), f'run: "{state.run.tag}"', 'role: ""']
    once = {s.question.id: s for g in wanted for s in waiting(results[g].standings) if s.subjects == (BATCH,)}
    if once:
        lines += ["", "batch:  # " + tr("once for the run")]
        for standing in once.values():
            lines += _ask([standing], "  ")
    lines += ["", "groups:" if wanted else "groups: {}"]
    files: dict[str, list[str]] = {}
    for group in wanted:
        lines += _group(state, results[group], files)
    if files:
        lines += ["", "files:  # " + tr("about one copy")]
        for safe_id, asks in files.items():
            lines += [f"  {safe_id}:", *asks]
    return "\n".join(lines) + "\n"


def _group(state: RunState, result: GroupResult, files: dict[str, list[str]]) -> list[str]:
    lines = [f"  {result.group}:", '    recipients: ""  # ' + tr("with whom; private part and register alone")]
    if state.recipients.get(result.group):
        lines.pop()
    open_ones = waiting(result.standings)
    unseen = [s for one in open_ones if one.question.id == EACH_FILE for s in one.subjects]
    lines.append(
        "    looked_at: []  # "
        + tr("which you opened at full size, of: {copies}", copies=", ".join(unseen) or tr("none left"))
    )
    unsaid = {
        c: meaning
        for c, meaning in ChecklistDefinition.load().conditions.items()
        if c != "anonymised_basis" and result.context.flag(c) == "not-sure"
    }
    if unsaid:
        lines.append("    conditions:  # yes, no, not-sure")
        lines += [f"      {c}: not-sure  # {meaning}" for c, meaning in unsaid.items()]
    lines.append("    answers:")
    copies = {s for one in result.standings if one.question.item.subject == "file" for s in one.subjects}
    by_item: dict[str, list[Standing]] = {}
    for one in open_ones:
        if one.subjects != (BATCH,) and one.question.id != EACH_FILE:
            by_item.setdefault(one.question.id, []).append(one)
    whole = 0
    for same in by_item.values():
        about = [s for one in same for s in one.subjects]
        if same[0].question.item.subject == "file" and set(about) != copies:
            for safe_id in about:  # an answer for the group would write over what is answered already
                files.setdefault(safe_id, []).extend(_ask(same, "    "))
        else:
            lines += _ask(same, "      ")
            whole += 1
    if not whole:
        lines[-1] = "    answers: {}"
    return lines


def _ask(same: Sequence[Standing], indent: str) -> list[str]:
    question = same[0].question
    level = tr("needs an answer before sharing") if question.blocking else tr("to think about")
    found = [f"{', '.join(s.subjects[:4])}: {s.auto.words}" for s in same if s.auto and s.auto.found][:4]
    return [
        f"{indent}# {question.item.ask} ({level})",
        *(f"{indent}#   {line}" for line in found),
        f"{indent}{question.id}: not-sure  # {', '.join(_choices(question))}",
    ]


def _choices(question: Question) -> list[str]:
    noted = f"{NOT_APPLICABLE} ({tr('with a note')})" if question.na == "with-note" else NOT_APPLICABLE
    return [noted if c == NOT_APPLICABLE else c for c in choices(question.item.pass_, question.na)]
