"""Answers from a file, from ``--set`` and from the terminal, spread to the subjects they are about.

An answers file is YAML::

    run: R7Q4                   # another run's patients have the same numbers: there it is refused
    role: registrar
    batch:                      # channel, policy, incident: once for the whole run
      pol.employer: yes
    groups:
      P01:
        conditions: {child: no, intimate: no}
        recipients: the members of the hand surgery group
        looked_at: [P01-001, P01-002]
        answers:
          con.basis: written-consent
          con.current: {answer: yes, valid_until: 2027-05-01}
          id.together: {answer: yes, note: discussed with the consultant}
          img.text: yes         # holds for every copy of the group
    files:
      P01-002:
        img.marks: not-applicable

Or it holds the acts of the screens, as :mod:`medimg.acts.filing` writes and reads them.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from medimg.acts.filing import FiledAct
from medimg.consent import strict_yaml
from medimg.consent.answers import TURNED, Answer
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.context import Flag
from medimg.errors import UsageError
from medimg.run import state as runs
from medimg.run.state import RunState

BATCH = "batch"
#: Has to be said copy by copy (checklist: yes_each_file).
EACH_FILE = "img.person-looked"
REWORDED_ASK = b"Could this picture be evidence"
"""Stands in a template that was made before :data:`medimg.run.state.REWORDED` was reworded."""
_SETTING = re.compile(r"(?:(?P<subject>[A-Za-z0-9-]+):)?(?P<key>[a-z_]+(?:\.[a-z-]+)?)=(?P<value>[a-z-]+)\Z")


class Given(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer with more than a word to it."""

    answer: str
    note: str = ""
    valid_until: str = ""
    role: str = ""


class GroupAnswers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file says about one patient group."""

    conditions: dict[str, Flag] = {}
    recipients: str = ""
    looked_at: tuple[str, ...] = ()
    answers: dict[str, str | Given] = {}


class AnswersFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole answers file; ``run`` is the tag of the run it is for, and may be left out where it has no acts."""

    run: str = ""
    role: str = ""
    batch: dict[str, str | Given] = {}
    groups: dict[str, GroupAnswers] = {}
    files: dict[str, dict[str, str | Given]] = {}
    acts: dict[str, FiledAct] = {}


def from_file(state: RunState, file: AnswersFile, at: str) -> RunState:
    """The state with every answer of a file but its acts, or nothing of it.

    Raises:
        UsageError: It is for another run, or names an unknown item, subject, condition or choice.
    """
    if file.run != state.run.tag and (file.run or file.acts):
        raise UsageError(
            "the answers file is for another run. Nothing was written.", todo="Print a --template of this run."
        )
    if not set(file.groups) <= set(state.run.groups):
        raise UsageError("the answers file names a patient that this run does not have. Nothing was written.")
    subjects: dict[str, dict[str, str | Given]] = {BATCH: file.batch}
    for group, said in file.groups.items():
        for condition, flag in said.conditions.items():
            state = with_condition(state, group, condition, flag)
        if said.recipients:
            state = runs.with_recipients(state, group, said.recipients)
        if not set(said.looked_at) <= set(state.run.groups[group]):
            raise UsageError("'looked_at' names a copy that is not of this patient. Nothing was written.")
        subjects[group] = said.answers
    given = [(subject, item, one) for subject, answers in subjects.items() for item, one in answers.items()]
    given += [(safe_id, EACH_FILE, "yes") for said in file.groups.values() for safe_id in said.looked_at]
    given += [(safe_id, item, one) for safe_id, answers in file.files.items() for item, one in answers.items()]
    new = [a for subject, item, one in given for a in _spread(state, item, subject, one, at, file.role)]
    return runs.with_answers(state, new)


def read(data: bytes) -> AnswersFile:
    """An answers file.

    Raises:
        UsageError: It cannot be read. It is not quoted.
    """
    try:
        file = msgspec.convert(strict_yaml.read(data), AnswersFile)
    except strict_yaml.YamlRefused as error:
        raise UsageError(f"the answers file cannot be read: {error}. Nothing was written.") from error
    except msgspec.ValidationError as error:  # it may quote a key, which a person typed
        raise UsageError("the answers file is not in the form that is read here. Nothing was written.") from error
    return _asked_again(file) if REWORDED_ASK in data else file


def _asked_again(file: AnswersFile) -> AnswersFile:
    """A file filled in from a template of checklist 0.1, in which *yes* to this question meant something else."""

    def again(given: str | Given) -> str | Given:
        choice = given.answer if isinstance(given, Given) else given
        return given if choice == "advice-taken" else "not-sure"

    groups = {
        key: msgspec.structs.replace(
            said, answers={i: again(g) if i == runs.REWORDED else g for i, g in said.answers.items()}
        )
        for key, said in file.groups.items()
    }
    return msgspec.structs.replace(file, groups=groups)


def from_setting(
    state: RunState, setting: str, at: str, *, groups: Iterable[str] = (), role: str = "", note: str = ""
) -> RunState:
    """The state with one ``[SUBJECT:]ITEM=ANSWER`` or ``[GROUP:]condition=yes|no|not-sure``.

    Args:
        state: The state before.
        setting: What was typed.
        at: UTC time.
        groups: The groups it is about, when the setting names no subject; every group when empty.
        role: The role of the person, as typed.
        note: A note for the record part.

    Raises:
        UsageError: It is not of that form, or names something unknown. It is not quoted.
    """
    match = _SETTING.match(setting)
    if match is None:
        raise UsageError("--set takes ITEM=ANSWER, for example P01:con.written=yes or child=no.")
    subject, key, value = match["subject"] or "", match["key"], match["value"]
    named = list(groups)
    if "." not in key:
        if value not in ("yes", "no", "not-sure"):
            raise UsageError("a condition is yes, no or not-sure.")
        flag: Flag = value  # type: ignore[assignment]
        for group in [subject] if subject else named or list(state.run.groups):
            state = with_condition(state, group, key, flag)
        return state
    given = Given(answer=value, note=note)
    subjects = [subject] if subject else _subjects_of(state, key, named)
    new = [a for s in subjects for a in _spread(state, key, s, given, at, role)]
    return runs.with_answers(state, new)


def _subjects_of(state: RunState, item: str, named: list[str]) -> list[str]:
    if _kind(state, item) == "batch":
        return [BATCH]
    if named:
        return named
    if len(state.run.groups) == 1:
        return list(state.run.groups)
    # Consent and recognition never cross from one patient to another (guidance, scope of reuse).
    raise UsageError("this answer is about one patient: say which patient, for example P01:con.written=yes.")


def with_condition(state: RunState, group: str, condition: str, flag: Flag) -> RunState:
    """The state with a condition said about one group.

    Raises:
        UsageError: There is no such group or condition, or the condition follows from the basis.
    """
    if group not in state.run.groups:
        raise UsageError("this run has no such patient.")
    known = [c for c in ChecklistDefinition.load().conditions if c != "anonymised_basis"]
    if condition not in known:
        raise UsageError(f"there is no such condition. Choose from: {', '.join(known)}.")
    said = {**state.conditions.get(group, {}), condition: flag}
    return msgspec.structs.replace(state, conditions={**state.conditions, group: said})


def _kind(state: RunState, item: str) -> str:
    if state.run.site and item in state.run.site.own_items():
        return "group"
    return ChecklistDefinition.load().item(TURNED.get(item, item)).subject


def _spread(state: RunState, item: str, subject: str, given: str | Given, at: str, role: str) -> list[Answer]:
    """One answer a subject: an answer about pictures that is given for a group holds for each of its copies.

    Raises:
        UsageError: A group's answer is given for the whole run, or *opened at full size* for a whole group.
    """
    full = given if isinstance(given, Given) else Given(answer=given)
    kind = _kind(state, item)
    if full.valid_until and not _is_date(full.valid_until):
        raise UsageError("valid_until is a date such as 2027-05-01.")
    subjects = [subject]
    if kind == "file" and subject in state.run.groups:
        if item == EACH_FILE:
            raise UsageError(
                "that a picture was opened at full size is said copy by copy.",
                todo="Name each copy, for example P01-001.",
            )
        subjects = [s for s in state.run.groups[subject] if s in state.digests]
    return [
        Answer(
            item=item,
            subject=s,
            choice=full.answer,
            role=full.role or role,
            at=at,
            note=full.note,
            valid_until=full.valid_until,
            wording=state.checklist_digest,
        )
        for s in subjects
    ]


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def answered_by(state: RunState, item: str, subjects: Iterable[str], choice: str, **more: Any) -> RunState:
    """The state with one choice for several subjects, from a terminal or a window."""
    new = [Answer(item=item, subject=s, choice=choice, wording=state.checklist_digest, **more) for s in subjects]
    return runs.with_answers(state, new)
