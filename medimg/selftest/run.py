"""The self-test from beginning to end: draw, clean as a batch, look at what came out."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from medimg.engine.batch import Hooks, scrub_folder
from medimg.engine.loop import Progress
from medimg.policy import Policy
from medimg.run.folder import RunFolder
from medimg.run.request import RunRequest
from medimg.selftest import hiding, hiding_tables, judge, own, pictures, score
from medimg.selftest.judge import Result
from medimg.selftest.pictures import Case
from medimg.types import Report, from_json

KINDS = ("hidden", *pictures.KINDS)
PLANTED_NAME = "Whitcombe Margaret 1961"
"""Stands in the name of the folder of the drawn photos; may stand nowhere in what is shared."""


def run(
    policy: Policy,
    *,
    quick: bool = False,
    only: Collection[str] = (),
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Draw the photos into a temporary folder, clean them there, judge the copies, and remove everything.

    Args:
        policy: The settings to test.
        quick: About a third of the drawn photos.
        only: Kinds of marks (:data:`KINDS`); all when none is named.
        workers: Worker processes.
        progress: As of :class:`medimg.engine.batch.Hooks`.

    Raises:
        MissingPart: A model, program or package is not there.
    """
    cases = [*(_hidden() if not only or "hidden" in only else ()), *pictures.all_cases(only, quick=quick)]
    with tempfile.TemporaryDirectory(prefix="medimg-selftest-") as folder:
        photos = Path(folder) / PLANTED_NAME
        photos.mkdir()
        for case in cases:
            (photos / case.name).write_bytes(case.data)
        request = RunRequest(
            photos=[photos], out=Path(folder) / "out", policy=policy, keep_key=True, workers=workers, fail_on=()
        )
        done = scrub_folder(request, hooks=Hooks(progress=progress))
        return _judged(cases, RunFolder(done.folder))


def run_own(
    folder: Path,
    policy: Policy,
    *,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> score.Page:
    """Clean a site's own labelled photos in a temporary folder, judge the copies by the labels, and remove them.

    Args:
        folder: The photos and their list (:mod:`medimg.selftest.own`); only read.
        policy: The settings to test.
        workers: Worker processes.
        progress: As of :func:`medimg.engine.batch.scrub_folder`.

    Raises:
        UsageError: The list cannot be read.
        MissingPart: A model, program or package is not there.
        MedimgError: A photo that has a copy cannot be opened again.
    """
    photos = own.labelled(folder)
    with tempfile.TemporaryDirectory(prefix="medimg-selftest-") as place:
        taken = Path(place) / "photos"
        taken.mkdir()
        for photo in photos:
            shutil.copyfile(photo.path, taken / photo.name)
        done = scrub_folder(
            [taken], Path(place) / "out", policy=policy, keep_key=True, workers=workers, fail_on=(), progress=progress
        )
        return _scored(photos, RunFolder(done.folder), policy)


def _scored(photos: Sequence[own.Labelled], made: RunFolder, policy: Policy) -> score.Page:
    copies, rows = _made(made)
    reports = {r.safe_id: r for r in from_json(made.reports.read_bytes(), list[Report])}
    seen = []
    for photo in photos:
        row = rows.get(photo.name, {})
        copy = copies.get(Path(row.get("copy", "")).name)
        data = copy.read_bytes() if copy else None
        seen.append(score.seen(photo, reports.get(row.get("id", "")), data, policy.limits))
    return score.page(seen)


def _made(made: RunFolder) -> tuple[dict[str, Path], dict[str, dict[str, str]]]:
    """The copies by their names, and the lines of the key by the names of the photos."""
    with made.key.open(encoding="utf-8", newline="") as file:
        rows = {Path(row["original"]).name: row for row in csv.DictReader(file)}
    return {p.name: p for p in made.unreviewed.rglob("*") if p.is_file()}, rows


def _hidden() -> Iterator[Case]:
    """Small pictures, each with the planted mark in one place of its container."""
    for number, case in enumerate(hiding_tables.all_cases()):
        suffix = case.format.split(",")[0].split()[0].lower()
        yield Case(name=f"hidden-{number:03}.{suffix}", data=case.data, gone=(hiding.MARK,), sort=case.format)


def _judged(cases: Sequence[Case], made: RunFolder) -> Result:
    copies, rows = _made(made)
    seen, missing = [], {}
    for case in cases:
        row = rows.get(case.name, {})
        copy = copies.get(Path(row.get("copy", "")).name)
        if copy is None:
            missing[case.name] = row.get("state", "not in the run")
        seen += judge.look(case, copy.read_bytes() if copy else None)
    words = {word for case in cases for word in case.gone} | set(PLANTED_NAME.encode().split())
    return judge.outcome(seen, judge.leaks(made.path, words, made.private.name), missing)
