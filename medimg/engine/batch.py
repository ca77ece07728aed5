"""A batch from beginning to end: list, clean, settle, report. Killed at any moment, it goes on where it was."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, Protocol, TypedDict, Unpack, overload

import msgspec

from medimg.api import load_detectors
from medimg.consent.site import SiteProfile
from medimg.engine import finish, groups, incremental
from medimg.engine.incremental import Made, Unchanged
from medimg.engine.loop import Batch, Pool, Progress
from medimg.engine.pool import CHUNK_LIGHT, Workers, suitable_workers
from medimg.engine.worker import Maker, Setup
from medimg.errors import Interrupted, MedimgError, MissingPart, UsageError
from medimg.policy import Policy
from medimg.run import resume as unfinished
from medimg.run import scan
from medimg.run.folder import RunFolder
from medimg.run.journal import Journal
from medimg.run.request import CONDITIONS, EXIT_CODES, CheckedRequest, RunRequest
from medimg.types import KnownValues


class Engine(Protocol):
    """Who cleans the photos, when it is not the processes of this computer."""

    def pool(self, local: Workers) -> AbstractContextManager[Pool]:
        """Start it. ``local`` has the settings, and does what is not cleaning.

        Raises:
            MissingPart: It cannot be reached, or is not made for this run.
        """


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a batch came to.

    Attributes:
        folder: The run folder.
        share_sheet: The part that may travel.
        record_sheet: The part that stays.
        photos: Report state -> how many.
        set_aside: Reason -> how many things that were found and not cleaned.
        conditions: Everything that is not finished or not well, worst first: ``output``, ``hold``, ``stop``,
            ``unreadable``, ``questions``, ``review``.
        exit_code: The exit code of the worst condition that counts; 0 when there is none.
        unchanged: Tag of an earlier run -> how many photos it has done that are as they were; they are not in this
            run. When nothing else was there, ``folder`` is the newest of those runs, and nothing was written.
        unchanged_kept_back: ``held`` and ``refused`` -> how many of the unchanged have no copy; their reasons stand
            in ``hold/`` of the earlier run.
        versions: Safe ids of photos that are versions of one, to go by the names of their files.
        changed: Why photos of earlier runs were done again: the settings that differ, ``models``, ``medimg``.
    """

    folder: Path
    share_sheet: Path
    record_sheet: Path
    photos: dict[str, int]
    set_aside: dict[str, int]
    conditions: tuple[str, ...]
    exit_code: int
    unchanged: dict[str, int] = {}
    unchanged_kept_back: dict[str, int] = {}
    changed: tuple[str, ...] = ()
    versions: tuple[tuple[str, ...], ...] = ()


class Hooks(msgspec.Struct, frozen=True, kw_only=True):
    """How a host program takes part in a run.

    Attributes:
        progress: Called at the start, after every photo, and at the end.
        make: Loads the detectors, for host programs with their own; a function of an importable module.
        confirm: Groups are suggested from sub-folders, capture gaps and shown codes, and used when this says True.
        stop: Asked several times a second, for programs with a window; True stops the batch as Ctrl-C does.
        engine: Who does the work, instead of processes of this computer (:mod:`medimg.cluster`).
    """

    progress: Callable[[Progress], None] | None = None
    make: Maker = load_detectors
    confirm: groups.Confirm | None = None
    stop: Callable[[], bool] | None = None
    engine: Engine | None = None


NO_HOOKS = Hooks()


class Asked(TypedDict, total=False):
    """What may follow ``photos`` and ``out``: the fields of :class:`RunRequest`, then those of :class:`Hooks`."""

    policy: Policy | None
    audience: str
    where: Sequence[str]
    known: KnownValues
    keep_key: bool
    group_by: str | os.PathLike[str]
    workers: int | None
    resume: bool
    again: bool
    fail_on: Collection[str]
    save_as: Literal["", "jpeg"]
    max_side: int
    site: SiteProfile | None
    progress: Callable[[Progress], None] | None
    make: Maker
    confirm: groups.Confirm | None
    stop: Callable[[], bool] | None
    engine: Engine | None


Photos = Sequence[str | os.PathLike[str] | scan.Root]


@overload
def scrub_folder(photos: RunRequest, out: None = None, *, hooks: Hooks = NO_HOOKS) -> Outcome: ...


@overload
def scrub_folder(photos: Photos, out: str | os.PathLike[str], **asked: Unpack[Asked]) -> Outcome: ...


def scrub_folder(
    photos: RunRequest | Photos,
    out: str | os.PathLike[str] | None = None,
    *,
    hooks: Hooks = NO_HOOKS,
    **asked: Unpack[Asked],
) -> Outcome:
    """Clean files and folders into a new run folder, each photo in a worker process.

    The workers are started with the ``spawn`` method: a program that calls this must be importable without running
    (``if __name__ == "__main__":``).

    Args:
        photos: A :class:`RunRequest`, which says all of it; or files and folders.
        out: With files and folders: where the run folder is made.
        hooks: With a request: how the host program takes part.
        asked: With files and folders: the other fields of :class:`RunRequest` and of :class:`Hooks`, by name.

    Raises:
        UsageError: Wrong settings; nothing was written.
        MissingPart: A model, program or package is not there; nothing was written.
        InputError: There are no files in what was named; nothing was written.
        OutputError: The output cannot be written.
        Interrupted: KeyboardInterrupt, or ``stop``; nothing half-written is left, and ``resume`` goes on.
    """
    if isinstance(photos, RunRequest):
        if out is not None or asked:
            raise UsageError("a RunRequest says all of it: nothing is named beside it but hooks.")
        request = photos
    else:
        if out is None:
            raise UsageError("no output folder was named.")
        told = {name: asked.pop(name) for name in Hooks.__struct_fields__ if name in asked}  # type: ignore[misc]
        request = RunRequest(photos=photos, out=out, **asked)  # type: ignore[misc]
        hooks = Hooks(**told) if told else hooks
    return _Run(request.checked(suggest=hooks.confirm is not None), hooks).outcome()


class _Run:
    """One request on its way.

    Raises:
        InputError: There are no files in what was named.
        UsageError: The groups file does not fit.
    """

    def __init__(self, asked: CheckedRequest, hooks: Hooks) -> None:
        self._asked, self._request, self._hooks = asked, asked.request, hooks
        self._found = unfinished.same(asked.out, asked.settings) if self._request.resume else None
        self._folder = self._found
        self._earlier = incremental.NOTHING
        self._key = incremental.site_key()
        self._grouped: Mapping[tuple[int, bytes], scan.Group] | None = None
        self._listing: scan.Scan | None = None
        if self._found is None:
            if self._request.group_by not in ("folder", "file"):
                self._grouped = groups.from_csv(Path(self._request.group_by), asked.roots)
            self._listing = self._listed()
            if not self._listing.total:
                raise self._listing.nothing()

    def outcome(self) -> Outcome:
        """Carry it out."""
        setup = Setup(policy=self._asked.policy, known=self._request.known, make=self._hooks.make)
        engine = self._hooks.engine
        try:
            with Workers(setup, self._size(), self._hooks.stop) as local:
                made = Made(
                    settings=self._asked.settings,
                    known=incremental.known_mark(self._key, self._request.known),
                    engines=_warm(local),
                )
                if self._all_done_before(local, made):
                    return self._nothing_new()
                self._group(local)
                with engine.pool(local) if engine is not None else contextlib.nullcontext(local) as pool:
                    run, closed = self._clean(local, pool, made)
        except KeyboardInterrupt as error:
            raise Interrupted("stopped; nothing half-written is left.", todo="Add --resume to go on.") from error
        finally:
            if self._folder is not None:
                self._folder.sweep()  # the workers are gone; what they had not finished goes too
        return self._closed(run, closed)

    def _listed(self) -> scan.Scan:
        how: scan.GroupBy = "file" if self._request.group_by == "file" else "folder"
        return scan.Scan(self._asked.roots, how, self._grouped, self._earlier.places)

    def _size(self) -> int:
        """How many worker processes. With another engine there is one, for what is not cleaning."""
        size = 1 if self._hooks.engine is not None else self._request.workers or suitable_workers()
        if self._listing is None:
            return size
        return min(size, -(-self._listing.total // (CHUNK_LIGHT if self._asked.policy.scope == "metadata-only" else 1)))

    def _all_done_before(self, local: Workers, made: Made) -> bool:
        if self._listing is None or self._request.again:
            return False
        roots = self._asked.roots
        self._earlier = incremental.unchanged(self._asked.out, roots, scan.Scan(roots).items, made, local, self._key)
        return len(self._earlier.places) == self._listing.total

    def _group(self, local: Workers) -> None:
        """List again without what an earlier run has done, by the groups that were suggested and agreed on."""
        if self._listing is None:
            return
        confirm = self._hooks.confirm
        if confirm is not None:
            limit = self._asked.policy.limits.seconds
            agreed = groups.suggested(self._asked.roots, self._listing, local, confirm, limit)
            self._grouped = agreed if agreed is not None else self._grouped
        if self._earlier.places or confirm is not None:
            self._listing = self._listed()

    def _clean(self, local: Workers, pool: Pool, made: Made) -> tuple[RunFolder, finish.Closed]:
        run = self._folder = self._folder or RunFolder.create(self._asked.out)
        handle, listed = run.lock(), self._listing is None
        try:
            with Journal(run.journal, create=self._found is None) as journal:
                if self._listing is not None:
                    journal.fill(self._asked.settings, self._listing.items(), self._listing.asides)
                    listed = True
                else:
                    run.sweep()
                    journal.recover()
                return run, self._drained(run, journal, local, pool, made)
        finally:
            run.unlock(handle)
            if not listed:
                run.remove_if_bare()  # a run that does not even know its photos leaves nothing behind

    def _drained(self, run: RunFolder, journal: Journal, local: Workers, pool: Pool, made: Made) -> finish.Closed:
        asked = self._asked
        batch = Batch(run, journal, pool, asked.policy, asked.roots, self._hooks.progress, len(self._earlier.places))
        batch.drain()
        closed = finish.close(
            run, journal, local, asked.policy, asked.context, asked.settings, batch.engines, self._request.site
        )
        batch.tell("end")
        if closed.finished:
            started = journal.settings() or asked.settings
            incremental.write(run, journal, msgspec.structs.replace(made, settings=started), self._key)
            journal.remove()
        return closed

    def _closed(self, run: RunFolder, closed: finish.Closed) -> Outcome:
        return self._outcome(
            run,
            closed.conditions,
            photos=closed.photos,
            set_aside=closed.set_aside,
            changed=self._earlier.changed,
            versions=closed.versions,
        )

    def _nothing_new(self) -> Outcome:
        asides = self._listing.asides if self._listing is not None else ()
        newest = RunFolder.of(self._asked.out, next(iter(self._earlier.runs)))
        unreadable = {"unreadable" for a in asides if a.asked}
        return self._outcome(newest, unreadable, photos={}, set_aside=dict(Counter(a.reason for a in asides)))

    def _outcome(self, run: RunFolder, found: Collection[str], **more: Any) -> Outcome:
        conditions = _conditions(found, self._earlier, self._asked.out)
        fail_on = self._request.fail_on
        return Outcome(
            folder=run.path,
            share_sheet=run.share_sheet,
            record_sheet=run.record_sheet,
            conditions=conditions,
            exit_code=next((EXIT_CODES[c] for c in conditions if c == "output" or c in fail_on), 0),
            unchanged=self._earlier.runs,
            unchanged_kept_back=self._earlier.kept_back,
            **more,
        )


def _conditions(of_run: Collection[str], earlier: Unchanged, out: Path) -> tuple[str, ...]:
    """What is not well, worst first: of this run, and of the earlier ones as far as they hold the unchanged photos."""
    found = {*of_run, *({"held": "hold", "refused": "unreadable"}[s] for s in earlier.kept_back)}
    for tag in earlier.runs:
        found |= incremental.waits(RunFolder.of(out, tag))
    return tuple(c for c in CONDITIONS if c in found)


def _warm(pool: Workers) -> dict[str, str]:
    try:
        return pool.warm()
    except MissingPart:
        raise
    except MedimgError as error:
        raise MissingPart(f"the checks could not be started: {error.what}") from error
