"""A run folder that was read: its state and its reports, which must fit together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from medimg.consent.checklist import ChecklistDefinition
from medimg.errors import UsageError
from medimg.run import decisions, names
from medimg.run import state as runs
from medimg.run.folder import PREFIX, RECORD_FOLDER, REPORTS_NAME, SHARE_FOLDER, UNREVIEWED_FOLDER
from medimg.run.state import RunState
from medimg.system import files
from medimg.types import Report, from_json
from medimg.words import mark

_NAME_IT = mark("Name the folder that begins with 'medimg-'.")


class OpenRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run folder that was read: its state and its reports."""

    folder: Path
    state: RunState
    reports: tuple[Report, ...]

    def of(self, group: str) -> list[Report]:
        """The reports of one group."""
        ids = set(self.state.run.groups.get(group, ()))
        return [r for r in self.reports if r.safe_id in ids]

    def copy_of(self, report: Report) -> Path | None:
        """Where the copy of a photo lies."""
        if report.copy is None or Path(report.copy.name).name != report.copy.name:
            return None
        places = [self.folder / p / report.copy.name for p in (UNREVIEWED_FOLDER, SHARE_FOLDER)]
        return next((p for p in places if p.is_file()), None)

    def at(self, state: RunState) -> OpenRun:
        """The same run with a newer state."""
        return msgspec.structs.replace(self, state=state)

    def groups(self, named: Sequence[str] = ()) -> list[str]:
        """The named groups, or all.

        Raises:
            UsageError: A group is not in this run.
        """
        if not set(named) <= set(self.state.run.groups):
            raise UsageError(f"there is no such patient in this run. Choose from: {', '.join(self.state.run.groups)}.")
        return [g for g in self.state.run.groups if not named or g in named]


def open_run(path: Path) -> OpenRun:
    """Read a run folder, or the only one inside ``path``.

    Raises:
        UsageError: It is not a run folder, was edited by hand, or was written by a newer version.
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
        data = files.read_own(folder / RECORD_FOLDER / REPORTS_NAME)
        reports = from_json(data, tuple[Report, ...])
    except OSError as error:
        raise UsageError("the reports of this run cannot be read.") from error
    except msgspec.DecodeError as error:
        raise UsageError("the reports of this run are damaged, or were written by a newer version.") from error
    written = {r.safe_id: r.copy.sha256 for r in reports if r.copy is not None}
    named = {r.safe_id for r in reports} | {r.copy.name for r in reports if r.copy is not None}
    if written != state.digests or not all(map(names.is_given, named)):
        raise UsageError("the reports and the answers of this run do not fit together: it was edited by hand.")
    definition = ChecklistDefinition.load()
    if runs.version(state.checklist) > runs.version(definition.version):
        raise UsageError("this run was answered with a newer checklist.", todo="Use the newer version of medimg.")
    return OpenRun(folder=folder, state=state, reports=reports)


def _find(path: Path) -> Path:
    if _holds_record(path):
        return path
    try:
        inside = [p for p in path.iterdir() if p.name.startswith(PREFIX) and _holds_record(p)]
    except OSError as error:
        raise UsageError("this is not a medimg run folder.", todo=_NAME_IT) from error
    if len(inside) != 1:
        what = mark("this is not a medimg run folder.") if not inside else mark("there are several run folders here.")
        raise UsageError(what, todo=_NAME_IT)
    return inside[0]


def _holds_record(path: Path) -> bool:
    """Whether the private folder lies in it; a link would have what is written there leave the run."""
    return (path / RECORD_FOLDER).is_dir() and not (path / RECORD_FOLDER).is_symlink()
