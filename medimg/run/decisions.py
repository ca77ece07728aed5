"""What people decided about each photo: ``PRIVATE-patient-record/decisions.json``, one plan a photo.

The file is written when the copies are made. A person edits plans in the window, or another program does; a plan that
differs from the one its report was made with *waits*: until it is applied (``medimg apply``), the copy does not show
it, and its group cannot be released.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from medimg.errors import OutputError, UsageError
from medimg.run import plans
from medimg.run import state as runs
from medimg.run.folder import RECORD_FOLDER, REPORTS_NAME, UNREVIEWED_FOLDER
from medimg.run.state import RunState
from medimg.system import files
from medimg.types import Plan, Report, from_json, to_json
from medimg.words import mark

NAME = "decisions.json"
APPLIED = "applied"
"""Folder in the private part where such copies are made, before they take the place of the old ones."""
_JOURNAL = "applied.json"
_ONE = threading.RLock()
"""One thread at a time: a window opens a run while its lane of work settles a photo of it."""


class Decisions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The plan of every photo of a run, by safe id."""

    schema: Literal["medimg.decisions/1"] = "medimg.decisions/1"
    run: str
    plans: dict[str, Plan]


class Applied(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reports of copies that are made and about to take the place of the old ones."""

    schema: Literal["medimg.applied/1"] = "medimg.applied/1"
    reports: tuple[Report, ...]
    newer: tuple[str, ...] = ()
    """Safe ids of photos that a person went on with while their copies were made: their plans stay."""


def of(tag: str, reports: Sequence[Report]) -> Decisions:
    """The decisions that the copies of a run show."""
    return Decisions(run=tag, plans={r.safe_id: r.plan for r in reports if r.plan is not None})


def load(folder: Path) -> Decisions | None:
    """The decisions in a run folder; None when there are none.

    Raises:
        UsageError: They cannot be read, are damaged, were made in another run, or were written by a newer version.
    """
    try:
        data = files.read_own(folder / RECORD_FOLDER / NAME)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError("the decisions of this run cannot be read.") from error
    try:
        decided = from_json(data, Decisions)
    except msgspec.DecodeError as error:
        raise UsageError(
            "the decisions of this run are damaged, or were written by a newer version. Nothing was changed."
        ) from error
    state = runs.load(folder)
    if state is not None and state.run.tag != decided.run:  # its photos have the same numbers
        raise UsageError("the decisions in this run folder were made in another run. Nothing was changed.")
    return decided


def save(folder: Path, decisions: Decisions) -> None:
    """Write them, whole or not at all.

    Raises:
        OutputError: They could not be written; the older file is still whole.
    """
    with _ONE:
        files.write_private(folder / RECORD_FOLDER / NAME, to_json(decisions))


def put(folder: Path, state: RunState, reports: Sequence[Report], new: Mapping[str, Plan]) -> bool:
    """Keep what a person decided about some photos.

    Where all that is new was left as it is, the copies show it already, and their reports say so from now on; else the
    decision waits until it is applied, as it does while somebody else works on the run.

    Args:
        folder: The run folder.
        state: Its answers, as they are.
        reports: Its reports, as they are.
        new: Safe id -> plan.

    Returns:
        Whether a report was written anew.

    Raises:
        UsageError: The decisions cannot be read.
        OutputError: They could not be written.
    """
    decided = load(folder)
    before = decided.plans if decided else {}
    save(folder, Decisions(run=state.run.tag, plans={**before, **new}))
    of = {r.safe_id: r for r in reports if r.copy is not None}
    left = {i: p for i, p in new.items() if i in of and (made := of[i].plan) and plans.left_alone(made, p)}
    if not left:
        return False
    try:
        with runs.claimed(folder, state):
            settle(folder, [msgspec.structs.replace(of[i], plan=p) for i, p in left.items()], left)
    except UsageError:
        return False
    return True


def waiting(decisions: Decisions | None, reports: Sequence[Report]) -> list[str]:
    """Safe ids of the photos whose decisions no copy shows yet, in the order of the reports."""
    if decisions is None:
        return []
    return [r.safe_id for r in reports if decisions.plans.get(r.safe_id, r.plan) != r.plan]


def asked(decisions: Decisions | None, reports: Sequence[Report]) -> dict[str, tuple[int, ...]]:
    """Safe ids of the copies in which a check was not sure of an area and nobody decided, and the areas' numbers."""
    known = decisions.plans if decisions is not None else {}
    now = {r.safe_id: known.get(r.safe_id, r.plan) for r in reports if r.copy is not None}
    return {i: plan.undecided() for i, plan in now.items() if plan is not None and plan.doing("ask", "hold")}


def lost(decisions: Decisions | None, reports: Sequence[Report]) -> list[str]:
    """Safe ids of the photos with a copy about which the decisions say nothing: what was decided is not known."""
    known = decisions.plans if decisions is not None else {}
    return [r.safe_id for r in reports if r.copy is not None and r.plan is not None and r.safe_id not in known]


_WAITS = (
    mark("a decision about one of its photos is not in the copy yet."),
    mark("Apply it: medimg apply RUN, or open the run in the window."),
)
_LOST = (
    mark("decisions.json is gone, or says nothing about one of its photos."),
    mark("Put the file back, or clean the photos again."),
)


def keep_back(folder: Path, reports: Sequence[Report]) -> dict[str, tuple[str, str]]:
    """Group -> why the decisions about its photos keep it from being released, and what to do.

    Raises:
        UsageError: The decisions cannot be read.
    """
    decided = load(folder)
    out = {i: _asked(i, numbers) for i, numbers in asked(decided, reports).items()}
    out |= dict.fromkeys(lost(decided, reports), _LOST) | dict.fromkeys(waiting(decided, reports), _WAITS)
    return {i.partition("-")[0]: said for i, said in reversed(out.items())}


def _asked(safe_id: str, numbers: Sequence[int]) -> tuple[str, str]:
    """That nobody decided about areas of a copy, and the commands that do."""
    named = ", ".join(map(str, numbers))
    area = f"{safe_id} --area {numbers[0]}" if numbers else safe_id
    return (
        mark(f"nobody decided about areas {named} of {safe_id}.")
        if len(numbers) > 1
        else mark(f"nobody decided about area {named} of {safe_id}.")
        if numbers
        else mark(f"nobody decided about something of {safe_id}."),
        mark(f"medimg answer RUN asks about each. Or: medimg cover RUN {area}, medimg show RUN {area} --why REASON."),
    )


def settle(folder: Path, reports: Sequence[Report], sent: Mapping[str, Plan]) -> None:
    """Let copies that were made in :data:`APPLIED` take the place of the old ones, with all that is said of them.

    What is to be done is written down first, so that a kill at any moment loses nothing: :func:`finish` goes on.

    Args:
        folder: The run folder.
        reports: Of the new copies.
        sent: The plans they were made from. A plan that a person changed since then stays, and waits.

    Raises:
        OutputError: Something could not be written; :func:`finish` can be called again.
        UsageError: The run cannot be read, or somebody else changed its answers in the same moment.
    """
    with _ONE:
        decided = load(folder)
        now = decided.plans if decided else {}
        newer = tuple(i for i, plan in sent.items() if now.get(i, plan) != plan)
        done = Applied(reports=tuple(reports), newer=newer)
        files.write_private(folder / RECORD_FOLDER / _JOURNAL, to_json(done))
        _finish(folder)


def finish(folder: Path) -> None:
    """Go on with what :func:`settle` had begun, if anything, and remove copies that never came so far.

    Raises:
        OutputError: Something could not be written.
        UsageError: The run cannot be read, or somebody else changed its answers in the same moment.
    """
    with _ONE:
        _finish(folder)


def _finish(folder: Path) -> None:
    private = folder / RECORD_FOLDER
    journal = private / _JOURNAL
    try:
        applied = from_json(files.read_own(journal), Applied)
    except FileNotFoundError:
        return
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError("what was being applied to this run cannot be read.") from error
    done = applied.reports
    by_id = {r.safe_id: r for r in done}
    try:
        old = from_json(files.read_own(private / REPORTS_NAME), tuple[Report, ...])
    except (OSError, msgspec.DecodeError) as error:
        raise UsageError("the reports of this run cannot be read.") from error
    _replace(folder, [r for r in old if r.safe_id in by_id], done)
    new = tuple(by_id.get(r.safe_id, r) for r in old)
    files.write_private(private / REPORTS_NAME, to_json(new, indent=0))
    state = runs.load(folder)
    if state is not None:
        runs.save(folder, runs.reconciled(state, state.run, state.context, new))
    decided = load(folder)
    if decided is not None:
        shown = {r.safe_id: r.plan for r in done if r.plan is not None and r.safe_id not in applied.newer}
        save(folder, msgspec.structs.replace(decided, plans={**decided.plans, **shown}))
    with contextlib.suppress(OSError):
        journal.unlink(missing_ok=True)


def _replace(folder: Path, old: Sequence[Report], new: Sequence[Report]) -> None:
    """Move the new copies in, then take the old ones out: a copy that a person decided against does not stay."""
    unreviewed, made = folder / UNREVIEWED_FOLDER, folder / RECORD_FOLDER / APPLIED
    kept = {r.copy.name for r in new if r.copy is not None}
    try:
        for name in kept:
            if Path(name).name == name and (made / name).is_file():
                (made / name).replace(unreviewed / name)
        files.sync_folder(unreviewed)
        for report in old:
            name = report.copy.name if report.copy is not None else ""
            if name and name not in kept and Path(name).name == name:
                (unreviewed / name).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError("a copy could not be moved.", todo="Check your rights on the run folder.") from error


__all__ = [
    "APPLIED",
    "NAME",
    "Decisions",
    "asked",
    "finish",
    "keep_back",
    "load",
    "lost",
    "of",
    "put",
    "save",
    "settle",
    "waiting",
]
