"""The self-test from beginning to end: draw, clean as a batch, look at what came out."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from medimg.engine.batch import Hooks, scrub_folder
from medimg.engine.loop import Progress
from medimg.policy import Policy
from medimg.run.folder import RunFolder
from medimg.run.request import RunRequest
from medimg.selftest import hiding, hiding_tables, judge, own, pictures
from medimg.selftest.judge import Outcome
from medimg.selftest.pictures import Case

KINDS = ("hidden", *pictures.KINDS)
PLANTED_NAME = "Whitcombe Margaret 1961"
"""Stands in the name of the folder of the drawn photos; may stand nowhere in what is shared."""


def run(
    policy: Policy,
    *,
    quick: bool = False,
    only: Collection[str] = (),
    own_cases: Path | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Draw the photos into a temporary folder, clean them there, judge the copies, and remove everything.

    Args:
        policy: The settings to test.
        quick: About a third of the drawn photos.
        only: Kinds of marks (:data:`KINDS`); all when none is named. Own cases are always looked at.
        own_cases: A folder of a site's own cases (:mod:`medimg.selftest.own`).
        workers: Worker processes.
        progress: As of :class:`medimg.engine.batch.Hooks`.

    Raises:
        UsageError: The own cases cannot be read.
        MissingPart: A model, program or package is not there.
    """
    cases = [*(_hidden() if not only or "hidden" in only else ()), *pictures.all_cases(only, quick=quick)]
    if own_cases is not None:
        cases += own.cases(own_cases)
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


def _hidden() -> Iterator[Case]:
    """Small pictures, each with the planted mark in one place of its container."""
    for number, case in enumerate(hiding_tables.all_cases()):
        suffix = case.format.split(",")[0].split()[0].lower()
        yield Case(name=f"hidden-{number:03}.{suffix}", data=case.data, gone=(hiding.MARK,), sort=case.format)


def _judged(cases: Sequence[Case], made: RunFolder) -> Outcome:
    copies = {p.name: p for p in made.unreviewed.rglob("*") if p.is_file()}
    with (made.private / "key.csv").open(encoding="utf-8", newline="") as file:
        rows = {Path(row["original"]).name: row for row in csv.DictReader(file)}
    seen, missing = [], {}
    for case in cases:
        row = rows.get(case.name, {})
        copy = copies.get(Path(row.get("copy", "")).name)
        if copy is None:
            missing[case.name] = row.get("state", "not in the run")
        seen += judge.look(case, copy.read_bytes() if copy else None)
    words = {word for case in cases for word in case.gone} | set(PLANTED_NAME.encode().split())
    return judge.outcome(seen, judge.leaks(made.path, words, made.private.name), missing)
