"""Decisions that people made about photos, applied: those copies alone are made again, and checked again."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from medimg.api import load_detectors
from medimg.engine import finish as ending
from medimg.engine import worker
from medimg.engine.pool import Workers, suitable_workers
from medimg.engine.worker import Job, Maker, Setup
from medimg.errors import Interrupted, MedimgError, OutputError, Unreadable, UsageError
from medimg.policy import Policy
from medimg.run import decisions, originals
from medimg.run.folder import RunFolder
from medimg.run.opened import OpenRun, open_run
from medimg.run.release import in_share
from medimg.system import host
from medimg.types import NOTHING_KNOWN, KnownValues, Report
from medimg.vocabulary import PhotoState

Told = Callable[[str, Report | MedimgError], None]


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What came of applying decisions.

    Attributes:
        reports: Safe id -> report of every photo whose decision was applied; one that is ``held`` has no copy now.
        left: Safe id -> why its decision still waits. Its copy is as it was.
    """

    reports: dict[str, Report]
    left: dict[str, MedimgError]


def policy_of(opened: OpenRun, given: Policy | None = None) -> Policy:
    """The settings a run was made with.

    Raises:
        UsageError: They are not the shipped ones, and not the ones given.
    """
    summary = opened.state.run
    policy = msgspec.structs.replace(given if given is not None else Policy.load(), scope=summary.scope)
    # Whether copies are saved as JPEG or made smaller is asked for with a run, and is no other policy.
    policy = policy.with_side(summary.max_side)
    either = (policy.with_heif("png"), policy.with_heif("jpeg"))
    same = [p for p in either if p.digest == summary.policy_digest]
    if not same:
        raise UsageError(
            "this run was made with other settings.", todo="Name the policy file it was made with: --policy FILE."
        )
    return same[0]


def apply(
    run: Path,
    photos: Sequence[str | os.PathLike[str]] = (),
    *,
    only: Collection[str] | None = None,
    found: Mapping[str, Path] | None = None,
    policy: Policy | None = None,
    known: KnownValues = NOTHING_KNOWN,
    workers: int | None = None,
    pool: Workers | None = None,
    make: Maker = load_detectors,
    told: Told | None = None,
) -> Applied:
    """Make the copies again whose plan in ``decisions.json`` was edited; what it finds it covers, as in every run.

    Args:
        run: The run folder.
        photos: Files and folders in which the originals are looked for, by their digests.
        only: Safe ids; every decision that waits when not given.
        found: Where originals are, when that is known already.
        policy: The settings the run was made with; the shipped ones when not given.
        known: Values known to belong to the persons.
        workers: Worker processes.
        pool: Workers that run already, with the settings of the run.
        make: Loads the detectors.
        told: Called with each photo as it is done.

    Returns:
        What was applied, and what still waits.

    Raises:
        UsageError: It is not a run folder, its settings are others, or a photo was released: take it back first.
        OutputError: Something could not be written; what is not done yet still waits.
        MissingPart: A model, program or package is not there.
        Interrupted: KeyboardInterrupt; what is not done yet still waits.
    """
    opened = open_run(run)
    settings = policy_of(opened, policy)
    folder = RunFolder(opened.folder)
    decided = decisions.load(opened.folder)
    wanted = [i for i in decisions.waiting(decided, opened.reports) if only is None or i in only]
    if decided is None or not wanted:
        return Applied(reports={}, left={})
    _not_released(opened, wanted)
    by_id = {r.safe_id: r for r in opened.reports if r.safe_id in wanted}
    where = {**originals.find(list(by_id.values()), [Path(p) for p in photos]), **(found or {})}
    left: dict[str, MedimgError] = {
        i: Unreadable("the original was not found.", todo="Say where the photos are.", safe_id=i)
        for i in wanted
        if i not in where
    }
    handle = folder.lock()
    folder.sweep_parts()
    made = _place(folder)
    done: dict[str, Report] = {}
    jobs = [(Job(os.fsencode(where[i]), i), by_id[i], decided.plans[i], str(made)) for i in wanted if i in where]
    try:
        with contextlib.ExitStack() as stack:
            if pool is None:
                setup = Setup(policy=settings, known=known, make=make)
                pool = stack.enter_context(Workers(setup, min(workers or suitable_workers(), len(jobs) or 1)))
                if jobs:
                    pool.warm()
            for (job, _, plan, _), result in pool.each(worker.apply, jobs, seconds=settings.limits.seconds):
                report = _settled(result)
                if isinstance(report, MedimgError):
                    left[job.safe_id] = report
                else:
                    # A photo that is held has the person's plan as well: it is what is to be changed next.
                    done[job.safe_id] = report if report.plan else msgspec.structs.replace(report, plan=plan)
                if told is not None:
                    told(job.safe_id, report)
            if done:
                decisions.settle(opened.folder, list(done.values()), {i: decided.plans[i] for i in done})
                ending.held_again(folder, [done.get(r.safe_id, r) for r in opened.reports])
                future = pool.submit(worker.sheets_again, str(opened.folder), seconds=3600.0)
                pool.wait()
                pool.result(future)
    except KeyboardInterrupt as error:
        raise Interrupted("stopped; decisions that are not applied still wait.") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
        folder.unlock(handle)
    return Applied(reports=done, left=left)


def _not_released(opened: OpenRun, wanted: Sequence[str]) -> None:
    for group in {i.partition("-")[0] for i in wanted}:
        lies = in_share(opened, group)
        if opened.state.released_names(group) or lies.lying or lies.changed:
            raise UsageError(
                f"patient {group} was released: its copies are in share/.", todo="Take them back first: medimg reopen."
            )


def _place(folder: RunFolder) -> Path:
    made = folder.private / decisions.APPLIED
    try:
        shutil.rmtree(made, ignore_errors=True)
        host.private_folder(made)
    except OSError as error:
        raise OutputError("the private folder of this run cannot be written.") from error
    return made


def _settled(result: Report | MedimgError) -> Report | MedimgError:
    """A fault of the disk, the original or the machine leaves the decision waiting; a verdict of the checks ends it."""
    if isinstance(result, MedimgError):
        return result
    if result.state in (PhotoState.UNREVIEWED, PhotoState.HELD):
        return result
    return OutputError(result.reason, safe_id=result.safe_id)
