"""A batch from beginning to end: list, clean, settle, report. Killed at any moment, it goes on where it was."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import msgspec

from medimg.api import load_detectors
from medimg.consent.checklist import SharingContext
from medimg.consent.site import SiteProfile
from medimg.engine import finish, groups, incremental
from medimg.engine.incremental import Made, Unchanged
from medimg.engine.loop import Batch, Pool, Progress
from medimg.engine.pool import CHUNK_LIGHT, Workers, suitable_workers
from medimg.engine.worker import Maker, Setup
from medimg.errors import Interrupted, MedimgError, MissingPart, UsageError
from medimg.policy import Policy
from medimg.run import resume as unfinished
from medimg.run import scan, storage
from medimg.run.folder import RunFolder, refuse_among
from medimg.run.journal import Journal, Settings
from medimg.types import NOTHING_KNOWN, KnownValues


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


def scrub_folder(
    photos: Sequence[str | os.PathLike[str] | scan.Root],
    out: str | os.PathLike[str],
    *,
    policy: Policy | None = None,
    audience: str = "closed-group",
    where: Sequence[str] = (),
    known: KnownValues = NOTHING_KNOWN,
    keep_key: bool = False,
    group_by: str | os.PathLike[str] = "folder",
    workers: int | None = None,
    resume: bool = False,
    again: bool = False,
    fail_on: Collection[str] = finish.CONDITIONS,
    site: SiteProfile | None = None,
    progress: Callable[[Progress], None] | None = None,
    make: Maker = load_detectors,
    confirm: groups.Confirm | None = None,
    stop: Callable[[], bool] | None = None,
    engine: Engine | None = None,
) -> Outcome:
    """Clean files and folders into a new run folder under ``out``, each photo in a worker process.

    The workers are started with the ``spawn`` method: a program that calls this must be importable without running
    (``if __name__ == "__main__":``).

    Args:
        photos: Files and folders; folders with everything below them. Links are not followed.
        out: Where the run folder is made.
        policy: The settings; the shipped ones when none are given.
        audience: For whom the copies are (see the consent checklist).
        where: Countries whose questions are asked; none means all.
        known: Values known to belong to the persons; kept in memory only.
        keep_key: Write the list of original names to the private part of the run folder.
        group_by: What is one patient's group: ``folder``, ``file`` (each by itself), or a CSV file that says it
            (:func:`medimg.engine.groups.from_csv`).
        workers: Worker processes; as many as suit the machine when not given.
        resume: Go on with the newest unfinished run of the same photos under ``out``; start one when there is none.
        again: Also do photos that an earlier run under ``out`` has done with the same settings, version and models.
        fail_on: Conditions that give an exit code; ``output`` always does.
        site: The organisation's profile; what it does not allow is refused.
        progress: Called at the start, after every photo, and at the end.
        make: Loads the detectors, for host programs with their own; a function of an importable module.
        confirm: Groups are suggested from sub-folders, capture gaps and shown codes, and used when this says True.
        stop: Asked several times a second, for programs with a window; True stops the batch as Ctrl-C does.
        engine: Who does the work, instead of processes of this computer (:mod:`medimg.cluster`).

    Raises:
        UsageError: Wrong settings; nothing was written.
        MissingPart: A model, program or package is not there; nothing was written.
        InputError: There are no files in what was named; nothing was written.
        OutputError: The output cannot be written.
        Interrupted: KeyboardInterrupt, or ``stop``; nothing half-written is left, and ``resume`` goes on.
    """
    policy = policy if policy is not None else Policy.load()
    context = SharingContext(audience=audience, jurisdictions=tuple(where)).checked()
    if workers is not None and workers < 1:
        raise UsageError("at least one worker is needed.")
    roots = scan.roots(photos)
    target = Path(out)
    refuse_among(target, [r for r in roots if not storage.is_url(r.folder)])
    if site is not None:
        site.allows(context, target, key=keep_key)
    settings = Settings(
        roots=tuple(roots),
        policy=policy.digest,
        group_by=_grouping(group_by, suggest=confirm is not None),
        audience=audience,
        where=tuple(where),
        keep_key=keep_key,
        known=(len(known.names), len(known.numbers), len(known.dates)),
    )
    found = unfinished.same(target, settings) if resume else None
    grouped = _grouped(roots, group_by) if found is None else None
    listing = _listed(roots, group_by, grouped) if found is None else None
    if listing is not None and not listing.total:
        raise listing.nothing()
    setup = Setup(policy=policy, known=known, make=make)
    key = incremental.site_key()
    run, earlier = found, incremental.NOTHING
    try:
        with Workers(setup, _size(workers if engine is None else 1, listing, policy), stop) as local:
            made = Made(settings=settings, known=incremental.known_mark(key, known), engines=_warm(local))
            if listing is not None and not again:
                earlier = incremental.unchanged(target, roots, scan.Scan(roots).items, made, local, key)
                if len(earlier.places) == listing.total:
                    return _nothing_new(target, earlier, listing.asides, fail_on)
            if listing is not None and confirm is not None:
                agreed = groups.suggested(roots, listing, local, confirm, policy.limits.seconds)
                grouped = agreed if agreed is not None else grouped
            if listing is not None and (earlier.places or confirm is not None):
                listing = _listed(roots, group_by, grouped, earlier.places)
            with engine.pool(local) if engine is not None else contextlib.nullcontext(local) as pool:
                run = run or RunFolder.create(target)
                handle, listed = run.lock(), listing is None
                try:
                    with Journal(run.journal, create=found is None) as journal:
                        if listing is not None:
                            journal.fill(settings, listing.items(), listing.asides)
                            listed = True
                        else:
                            run.sweep()
                            journal.recover()
                        batch = Batch(run, journal, pool, policy, roots, progress, len(earlier.places))
                        batch.drain()
                        closed = finish.close(run, journal, local, policy, context, settings, batch.engines, site)
                        batch.tell("end")
                        if closed.finished:
                            started = journal.settings() or settings
                            incremental.write(run, journal, msgspec.structs.replace(made, settings=started), key)
                            journal.remove()
                finally:
                    run.unlock(handle)
                    if not listed:
                        run.remove_if_bare()  # a run that does not even know its photos leaves nothing behind
    except KeyboardInterrupt as error:
        raise Interrupted("stopped; nothing half-written is left.", todo="Add --resume to go on.") from error
    finally:
        if run is not None:
            run.sweep()  # the workers are gone; what they had not finished goes too
    conditions = _conditions(closed.conditions, earlier, target)
    return Outcome(
        folder=run.path,
        share_sheet=run.share_sheet,
        record_sheet=run.record_sheet,
        photos=closed.photos,
        set_aside=closed.set_aside,
        conditions=conditions,
        exit_code=_exit_code(conditions, fail_on),
        unchanged=earlier.runs,
        unchanged_kept_back=earlier.kept_back,
        changed=earlier.changed,
        versions=closed.versions,
    )


def _conditions(of_run: Collection[str], earlier: Unchanged, out: Path) -> tuple[str, ...]:
    """What is not well, worst first: of this run, and of the earlier ones as far as they hold the unchanged photos."""
    found = {*of_run, *({"held": "hold", "refused": "unreadable"}[s] for s in earlier.kept_back)}
    for tag in earlier.runs:
        found |= incremental.waits(RunFolder.of(out, tag))
    return tuple(c for c in finish.CONDITIONS if c in found)


def _exit_code(conditions: Sequence[str], fail_on: Collection[str]) -> int:
    return next((finish.EXIT_CODES[c] for c in conditions if c == "output" or c in fail_on), 0)


def _nothing_new(out: Path, earlier: Unchanged, asides: Sequence[scan.Aside], fail_on: Collection[str]) -> Outcome:
    run = RunFolder.of(out, next(iter(earlier.runs)))
    conditions = _conditions({"unreadable" for a in asides if a.asked}, earlier, out)
    return Outcome(
        folder=run.path,
        share_sheet=run.share_sheet,
        record_sheet=run.record_sheet,
        photos={},
        set_aside=dict(Counter(a.reason for a in asides)),
        conditions=conditions,
        exit_code=_exit_code(conditions, fail_on),
        unchanged=earlier.runs,
        unchanged_kept_back=earlier.kept_back,
    )


def _size(workers: int | None, listing: scan.Scan | None, policy: Policy) -> int:
    size = workers or suitable_workers()
    if listing is None:
        return size
    return min(size, -(-listing.total // (CHUNK_LIGHT if policy.scope == "metadata-only" else 1)))


def _grouped(
    roots: Sequence[scan.Root], group_by: str | os.PathLike[str]
) -> Mapping[tuple[int, bytes], scan.Group] | None:
    return None if group_by in ("folder", "file") else groups.from_csv(Path(group_by), roots)


def _listed(
    roots: Sequence[scan.Root],
    group_by: str | os.PathLike[str],
    grouped: Mapping[tuple[int, bytes], scan.Group] | None,
    skip: Collection[tuple[int, bytes]] = (),
) -> scan.Scan:
    return scan.Scan(roots, "file" if group_by == "file" else "folder", grouped, skip)


def _grouping(group_by: str | os.PathLike[str], *, suggest: bool) -> str:
    """How the journal names it: of a file its digest, so that a resumed run is given the same one."""
    name = str(group_by)
    if name not in ("folder", "file"):
        try:
            name = hashlib.sha256(Path(group_by).read_bytes()).hexdigest()
        except OSError as error:
            raise UsageError(
                "the groups file could not be read.", todo="--group-by takes folder, file, or a CSV file."
            ) from error
    return f"{name}, suggested" if suggest else name


def _warm(pool: Workers) -> dict[str, str]:
    try:
        return pool.warm()
    except MissingPart:
        raise
    except MedimgError as error:
        raise MissingPart(f"the checks could not be started: {error.what}") from error


__all__ = ["Outcome", "Progress", "scrub_folder"]
