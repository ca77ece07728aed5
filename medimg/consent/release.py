"""What people do with a run folder: open it, release groups, take them back, note a withdrawal.

No original is touched, and no copy is deleted.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from medimg.consent import decisions
from medimg.consent import run as runs
from medimg.consent.answers import Answer
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.register import Entry, Event, Register, Sharing
from medimg.consent.run import Released, Reopened, RunState, Withdrawn
from medimg.consent.standing import GroupResult
from medimg.errors import CheckFailed, OutputError, UsageError
from medimg.types import Report, from_json


class OpenRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run folder that was read: its state and its reports."""

    folder: Path
    state: RunState
    reports: tuple[Report, ...]

    def of(self, group: str) -> list[Report]:
        """The reports of one group."""
        ids = set(self.state.run.groups.get(group, ()))
        return [r for r in self.reports if r.safe_id in ids]

    def groups(self, named: Sequence[str] = ()) -> list[str]:
        """The named groups, or all.

        Raises:
            UsageError: A group is not in this run.
        """
        if not set(named) <= set(self.state.run.groups):
            raise UsageError(f"there is no such group in this run. Choose from: {', '.join(self.state.run.groups)}.")
        return [g for g in self.state.run.groups if not named or g in named]


def now() -> str:
    """UTC, to the microsecond, so that two events of one second keep their order."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def open_run(path: Path) -> OpenRun:
    """Read a run folder, or the only one inside ``path``.

    Raises:
        UsageError: It is no run folder, was edited by hand, or was written by a newer version.
        OutputError: Decisions that were being applied when the computer stopped could not be finished.
    """
    folder = _find(path)
    decisions.finish(folder)
    state = runs.load(folder)
    if state is None:
        raise UsageError(
            "this run has no answers file; it is not finished.", todo="Go on with 'medimg clean --resume'."
        )
    try:
        data = (folder / runs.RECORD_FOLDER / runs.REPORTS_NAME).read_bytes()
        reports = from_json(data, tuple[Report, ...])
    except OSError as error:
        raise UsageError("the reports of this run cannot be read.") from error
    except msgspec.DecodeError as error:
        raise UsageError("the reports of this run are damaged, or were written by a newer version.") from error
    written = {r.safe_id: r.copy.sha256 for r in reports if r.copy is not None}
    if written != state.digests:
        raise UsageError("the reports and the answers of this run do not fit together: it was edited by hand.")
    definition = ChecklistDefinition.load()
    if state.checklist_digest != definition.digest and _newer(state.checklist, definition.version):
        raise UsageError("this run was answered with a newer checklist.", todo="Use the newer version of medimg.")
    return OpenRun(folder=folder, state=state, reports=reports)


def _newer(one: str, other: str) -> bool:
    def parts(version: str) -> tuple[int, ...]:
        return tuple(int(p) for p in version.split(".") if p.isdigit())

    return parts(one) > parts(other)


def _find(path: Path) -> Path:
    if (path / runs.RECORD_FOLDER).is_dir():
        return path
    try:
        inside = [p for p in path.iterdir() if p.name.startswith("medimg-") and (p / runs.RECORD_FOLDER).is_dir()]
    except OSError as error:
        raise UsageError("this is no run folder of medimg.") from error
    if len(inside) != 1:
        what = "this is no run folder of medimg." if not inside else "there are several run folders here."
        raise UsageError(what, todo="Name the folder that begins with 'medimg-'.")
    return inside[0]


def release(
    opened: OpenRun, results: dict[str, GroupResult], groups: Sequence[str], register: Register, *, role: str = ""
) -> RunState:
    """Move the copies of answered groups from ``unreviewed/`` to ``share/``. All of a group, or nothing of it.

    Args:
        opened: The run.
        results: Where each group stands now.
        groups: The groups to release; every one must be answered.
        register: Written before the first file moves.
        role: The role of the person who releases, as typed.

    Raises:
        UsageError: A group is not answered, is at a stop, was withdrawn, or has decisions that no copy shows yet;
            nothing was moved.
        CheckFailed: A copy is missing or is not the one that was checked; nothing was moved.
        OutputError: A file could not be moved; the register says that the release is incomplete.
    """
    state = opened.state
    undone = {i.partition("-")[0] for i in decisions.waiting(decisions.load(opened.folder), opened.reports)}
    for group in groups:
        if group in undone:
            raise UsageError(
                f"group {group} is not released: a decision about one of its photos is not in the copy yet.",
                todo="Apply it: medimg apply RUN, or open the run in the window.",
            )
        if state.is_withdrawn(group):
            raise UsageError(f"group {group} was withdrawn by the patient. It is not released.")
        if results[group].overall != "answered":
            raise UsageError(f"group {group} is not released: {results[group].overall}.")
    moves = {group: _checked_copies(opened, group) for group in groups}
    for group, copies in moves.items():
        at = now()
        sharing = _sharing(state, group, results[group], role, {p.name: d for p, d in copies.items()})
        entry = register.append("released", sharing, at)
        try:
            _move([p for p in copies if p.parent.name != runs.SHARE_FOLDER], opened.folder / runs.SHARE_FOLDER)
        except OutputError:
            register.append("release-incomplete", sharing, now())
            raise
        done = Released(group=group, at=at, copies=dict(sharing.copies), receipt=entry.receipt)
        state = runs.save(opened.folder, msgspec.structs.replace(state, released=(*state.released, done)))
    return state


def reopen(opened: OpenRun, groups: Sequence[str], register: Register, *, role: str = "") -> RunState:
    """Take copies back from ``share/`` to ``unreviewed/``; pictures and recognition are asked again.

    Raises:
        OutputError: A file could not be moved back.
    """
    state = opened.state
    for group in groups:
        at = now()
        names = state.released_names(group)
        if names:
            register.append("reopened", _sharing(state, group, None, role, _of_names(state, names)), at)
            share = opened.folder / runs.SHARE_FOLDER
            _move([share / n for n in sorted(names) if (share / n).exists()], opened.folder / runs.UNREVIEWED_FOLDER)
        files = set(state.run.groups[group])

        def again(answer: Answer, group: str = group, files: set[str] = files) -> bool:
            return answer.item.startswith(("img.", "id.")) and answer.subject in {group, *files}

        state = runs.save(
            opened.folder,
            msgspec.structs.replace(
                state,
                reopened=(*state.reopened, Reopened(group=group, at=at)),
                answers=tuple(a for a in state.answers if not again(a)),
            ),
        )
    return state


def withdraw(opened: OpenRun, group: str, register: Register, *, note: str = "", role: str = "") -> RunState:
    """Note that the patient withdrew. Nothing is deleted; the group can no longer be released.

    Raises:
        OutputError: The note could not be written.
    """
    state, at = opened.state, now()
    every = {n: d for r in state.released if r.group == group for n, d in r.copies.items()}
    sharing = msgspec.structs.replace(_sharing(state, group, None, role, every), note=note)
    register.append("withdrawn", sharing, at)
    return runs.save(
        opened.folder,
        msgspec.structs.replace(state, withdrawn=(*state.withdrawn, Withdrawn(group=group, at=at, note=note))),
    )


def shared_before(opened: OpenRun, group: str, register: Register) -> list[Entry]:
    """What the register says of a group of this run."""
    return register.entries(opened.state.run.tag, group)


def _checked_copies(opened: OpenRun, group: str) -> dict[Path, str]:
    """The copies of a group, each the file that was checked; in ``share/`` when a release was cut short."""
    out: dict[Path, str] = {}
    for report in opened.of(group):
        if report.copy is None or report.state != "unreviewed":
            continue
        name = report.copy.name
        if Path(name).name != name or not name.startswith(report.safe_id):
            raise CheckFailed("a copy has a name that medimg does not give.", safe_id=report.safe_id)
        places = [opened.folder / p / name for p in (runs.UNREVIEWED_FOLDER, runs.SHARE_FOLDER)]
        found = [p for p in places if p.is_file() and not p.is_symlink()]
        if len(found) != 1:
            raise CheckFailed("the copy is not where it was written.", todo="Clean it again.", safe_id=report.safe_id)
        digest = _file_digest(found[0])
        if digest != report.copy.sha256:
            raise CheckFailed(
                "the copy is not the one that was checked: it was changed afterwards.",
                todo="Clean it again; nothing of this group was released.",
                safe_id=report.safe_id,
            )
        out[found[0]] = digest
    if not out:
        raise UsageError(f"group {group} has no copy to release.")
    return out


def _file_digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckFailed("a copy could not be read.") from error


def _move(files: Sequence[Path], folder: Path) -> None:
    """Rename files into a folder of the same run, and make the new names durable."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for file in files:
            target = folder / file.name
            if target.exists():
                raise OutputError("a file of that name is already there. Nothing was replaced.")
            file.rename(target)
        for place in {folder, *(f.parent for f in files)}:
            handle = os.open(place, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
    except OSError as error:
        raise OutputError("a copy could not be moved.", todo="Check your rights on the run folder.") from error


def _sharing(state: RunState, group: str, result: GroupResult | None, role: str, copies: dict[str, str]) -> Sharing:
    return Sharing(
        run=state.run.tag,
        group=group,
        copies=copies,
        audience=state.context.audience,
        countries=state.context.jurisdictions,
        basis=result.context.basis if result else "",
        medimg=state.run.version,
        checklist=state.checklist,
        checklist_digest=state.checklist_digest,
        role=role,
        recipients=state.recipients.get(group, ""),
    )


def _of_names(state: RunState, names: frozenset[str]) -> dict[str, str]:
    return {n: d for r in state.released for n, d in r.copies.items() if n in names}


__all__ = ["Event", "OpenRun", "now", "open_run", "release", "reopen", "shared_before", "withdraw"]
