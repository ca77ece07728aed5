"""A batch from beginning to end: list, clean, settle, report. Killed at any moment, it goes on where it was."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from medimg.api import load_detectors
from medimg.batch import finish, groups, scan, worker
from medimg.batch.folder import RunFolder, refuse_inside
from medimg.batch.journal import MAX_ATTEMPTS, Claim, Journal, Settings, State
from medimg.batch.pool import Workers, suitable_workers
from medimg.batch.worker import Job, Maker, Setup
from medimg.consent.checklist import SharingContext
from medimg.consent.site import SiteProfile
from medimg.errors import (
    Crashed,
    Interrupted,
    MedimgError,
    MissingPart,
    NotAPicture,
    OutOfMemory,
    OutOfTime,
    UsageError,
)
from medimg.pipeline import refusal
from medimg.policy import Policy
from medimg.types import NOTHING_KNOWN, KnownValues, Report

CHUNK_LIGHT = 16
"""Photos a worker gets at once when metadata alone is removed; one otherwise."""

_AGAIN = (Crashed.code, OutOfTime.code, OutOfMemory.code)
"""What may be the fault of the neighbours or of the machine: tried once more, alone."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a batch is. ``report`` is the photo just settled; ``counts`` come from the journal."""

    event: Literal["start", "photo", "end"]
    run: str
    total: int
    counts: dict[State, int]
    seconds: float
    report: Report | None = None

    @property
    def settled(self) -> int:
        """Photos that need no more work."""
        return self.counts["done"] + self.counts["held"] + self.counts["failed"]


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
    """

    folder: Path
    share_sheet: Path
    record_sheet: Path
    photos: dict[str, int]
    set_aside: dict[str, int]
    conditions: tuple[str, ...]
    exit_code: int


def scrub_folder(
    photos: Sequence[str | os.PathLike[str]],
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
    fail_on: Collection[str] = finish.CONDITIONS,
    site: SiteProfile | None = None,
    progress: Callable[[Progress], None] | None = None,
    make: Maker = load_detectors,
    confirm: groups.Confirm | None = None,
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
            (:func:`medimg.batch.groups.from_csv`).
        workers: Worker processes; as many as suit the machine when not given.
        resume: Go on with the newest unfinished run of the same photos under ``out``; start one when there is none.
        fail_on: Conditions that give an exit code; ``output`` always does.
        site: The organisation's profile; what it does not allow is refused.
        progress: Called at the start, after every photo, and at the end.
        make: Loads the detectors, for host programs with their own; a function of an importable module.
        confirm: Groups are suggested from sub-folders, capture gaps and shown codes, and used when this says True.

    Raises:
        UsageError: Wrong settings; nothing was written.
        MissingPart: A model, program or package is not there; nothing was written.
        InputError: There are no files in what was named; nothing was written.
        OutputError: The output cannot be written.
        Interrupted: KeyboardInterrupt; nothing half-written is left, and ``resume`` goes on.
    """
    policy = policy if policy is not None else Policy.load()
    context = SharingContext(audience=audience, jurisdictions=tuple(where)).checked()
    if workers is not None and workers < 1:
        raise UsageError("at least one worker is needed.")
    roots = scan.roots([Path(p) for p in photos])
    target = Path(out)
    refuse_inside(target, [Path(os.fsdecode(r.folder)) for r in roots if not r.only])
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
    found = _unfinished(target, settings) if resume else None
    listing = None if found else _listed(roots, group_by)
    if listing is not None and not listing.total:
        raise NotAPicture("there are no files in what was named.", todo="Name a folder with photos.")
    chunk = CHUNK_LIGHT if policy.scope == "metadata-only" else 1
    size = workers or suitable_workers()
    if listing is not None:
        size = min(size, -(-listing.total // chunk))
    setup = Setup(policy=policy, known=known, make=make)
    run = found
    try:
        with Workers(setup, size) as pool:
            _warm(pool)
            if listing is not None and confirm is not None:
                agreed = groups.suggested(roots, _listed(roots, group_by), pool, confirm, policy.limits.seconds)
                listing = scan.Scan(roots, "folder", agreed) if agreed is not None else listing
            run = run or RunFolder.create(target)
            handle = run.lock()
            try:
                with Journal(run.journal, create=found is None) as journal:
                    if listing is not None:
                        journal.fill(settings, listing.items(), listing.asides)
                    else:
                        run.sweep()
                        journal.recover()
                    batch = _Batch(run, journal, pool, policy, roots, chunk, progress)
                    batch.drain()
                    closed = finish.close(run, journal, pool, policy, context, settings, batch.engines, site)
                    batch.tell("end")
                    if closed.finished:
                        journal.remove()
            finally:
                run.unlock(handle)
    except KeyboardInterrupt as error:
        raise Interrupted("stopped; nothing half-written is left.", todo="Add --resume to go on.") from error
    finally:
        if run is not None:
            run.sweep()  # the workers are gone; what they had not finished goes too
    conditions = tuple(c for c in finish.CONDITIONS if c in closed.conditions)
    counted = [c for c in conditions if c == "output" or c in fail_on]
    return Outcome(
        folder=run.path,
        share_sheet=run.share_sheet,
        record_sheet=run.record_sheet,
        photos=closed.photos,
        set_aside=closed.set_aside,
        conditions=conditions,
        exit_code=finish.EXIT_CODES[counted[0]] if counted else 0,
    )


def _listed(roots: Sequence[scan.Root], group_by: str | os.PathLike[str]) -> scan.Scan:
    if group_by in ("folder", "file"):
        return scan.Scan(roots, "file" if group_by == "file" else "folder")
    return scan.Scan(roots, "folder", groups.from_csv(Path(group_by), roots))


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


def _unfinished(out: Path, settings: Settings) -> RunFolder | None:
    """The newest unfinished run of the same photos."""
    best: tuple[int, RunFolder, Settings] | None = None
    for run in RunFolder.all_under(out):
        earlier = None
        if run.journal.is_file():
            with Journal(run.journal) as journal:
                earlier = journal.settings()
        if earlier is None:
            _clear(run)
        elif earlier.same_photos(settings) and (best is None or earlier.started_ns > best[0]):
            best = (earlier.started_ns, run, earlier)
    if best is None:
        return None
    changed = best[2].changed(settings)
    if changed:
        raise UsageError(
            f"the unfinished run was started with other settings: {', '.join(changed)}.",
            todo="Give the same ones, or run without --resume.",
        )
    return best[1]


def _clear(run: RunFolder) -> None:
    """Remove what a run that died before its list was complete has left, unless somebody is working on it."""
    try:
        handle = run.lock()
    except MedimgError:
        return
    try:
        run.remove_if_bare()
    finally:
        run.unlock(handle)


class _Batch:
    """The loop: claim, give out, settle."""

    def __init__(
        self,
        run: RunFolder,
        journal: Journal,
        pool: Workers,
        policy: Policy,
        roots: Sequence[scan.Root],
        chunk: int,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._run, self._journal, self._pool, self._policy, self._chunk = run, journal, pool, policy, chunk
        earlier = journal.settings()
        self._roots = earlier.roots if earlier else tuple(roots)
        self._progress = progress
        self._counts = journal.counts()
        self._start = time.monotonic()
        self.engines: dict[str, str] = {}

    def drain(self) -> None:
        """Work until nothing is pending."""
        self._settle_the_deadly()
        self.tell("start")
        live: dict[object, list[Claim]] = {}
        try:
            while True:
                while len(live) < self._pool.size and not any(c.attempts > 1 for cs in live.values() for c in cs):
                    claims = self._journal.claim(self._chunk, alone=not live)
                    if not claims:
                        break
                    live[self._give(claims)] = claims
                if not live:
                    return
                for future in self._pool.wait():
                    claims = live[future]
                    try:
                        reports = self._pool.result(future)
                    except MissingPart:
                        raise
                    except MedimgError as error:
                        reports = [self._refused(c, error) for c in claims]
                    del live[future]
                    self._settle(claims, reports)
        except (KeyboardInterrupt, MedimgError):
            self._journal.release_running()
            raise

    def _give(self, claims: Sequence[Claim]) -> object:
        jobs = [
            Job(
                path=os.path.join(self._roots[c.item.root].folder, c.item.path),  # noqa: PTH118 - bytes
                safe_id=c.item.safe_id,
                folders=self._folders(c),
                expected=(c.item.size, c.item.mtime_ns),
            )
            for c in claims
        ]
        return self._pool.submit(worker.clean, jobs, str(self._run.unreviewed), seconds=self._policy.limits.seconds)

    def _folders(self, claim: Claim) -> tuple[str, ...]:
        root = self._roots[claim.item.root]
        parts = Path(os.fsdecode(claim.item.path)).parts[:-1]
        return parts if root.only else (Path(os.fsdecode(root.folder)).name, *parts)

    def _refused(self, claim: Claim, error: MedimgError) -> Report:
        return refusal(claim.item.safe_id, self._policy, error)

    def _settle(self, claims: Sequence[Claim], reports: Sequence[Report]) -> None:
        rows: list[tuple[int, State, Report | None]] = []
        for claim, report in zip(claims, reports, strict=True):
            if report.error_code in _AGAIN and claim.attempts < MAX_ATTEMPTS:
                rows.append((claim.id, "pending", None))
                continue
            state: State = "done" if report.state == "unreviewed" else "held" if report.state == "held" else "failed"
            rows.append((claim.id, state, report))
        self._journal.settle(rows)
        for _, state, settled in rows:
            if settled is not None:
                self._counts[state] += 1
                self._counts["pending"] -= 1
                self.engines.update(settled.engines)
                self.tell("photo", settled)

    def _settle_the_deadly(self) -> None:
        error = Crashed("the whole batch ended each time this photo was worked on.")
        rows: list[tuple[int, State, Report | None]] = [
            (id_, "held", refusal(safe_id, self._policy, error)) for id_, safe_id in self._journal.without_report()
        ]
        self._journal.settle(rows)

    def tell(self, event: Literal["start", "photo", "end"], report: Report | None = None) -> None:
        """Let the caller know."""
        if self._progress is not None:
            self._progress(
                Progress(
                    event=event,
                    run=self._run.tag,
                    total=sum(self._counts.values()),
                    counts=dict(self._counts),
                    seconds=time.monotonic() - self._start,
                    report=report,
                )
            )


__all__ = ["Outcome", "Progress", "scrub_folder"]
