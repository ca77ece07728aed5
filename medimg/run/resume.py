"""Finding the run to go on with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from medimg.errors import MedimgError, UsageError
from medimg.run.folder import RunFolder
from medimg.run.journal import Journal, Settings
from medimg.system import host


def newest(out: Path, of: Callable[[Settings], bool]) -> tuple[RunFolder, Settings] | None:
    """The newest unfinished run under ``out`` whose settings are ``of`` the kind asked for."""
    best: tuple[RunFolder, Settings] | None = None
    for run in RunFolder.all_under(out):
        settings = None
        if run.journal.is_file():
            with Journal(run.journal) as journal:
                settings = journal.settings()
        if settings is None:
            _clear(run)
        elif of(settings) and (best is None or settings.started_ns > best[1].started_ns):
            best = (run, settings)
    return best


def same(out: Path, settings: Settings) -> RunFolder | None:
    """The newest unfinished run of the same photos.

    Raises:
        UsageError: It was started with other settings.
    """
    best = newest(out, settings.same_photos)
    if best is None:
        return None
    changed = best[1].changed(settings)
    if changed:
        raise UsageError(
            f"the unfinished run was started with other settings: {', '.join(changed)}.",
            todo="Give the same ones, or run without --resume.",
        )
    return best[0]


def _clear(run: RunFolder) -> None:
    """Remove what a run that died before its list was complete has left, unless somebody is working on it."""
    try:
        handle = run.lock()
    except MedimgError:
        return
    try:
        if host.UNLINK_OPEN:
            run.remove_if_bare()
    finally:
        run.unlock(handle)
    if not host.UNLINK_OPEN:
        run.remove_if_bare()  # the lock's file is in it; whoever has claimed it in between has it open, and it stays
