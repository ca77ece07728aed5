"""The end of a run: the reports, the list of what was held, the sheets and the summary."""

from __future__ import annotations

import contextlib
import csv
import io
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import msgspec

from medimg import __version__
from medimg.consent.context import SharingContext
from medimg.consent.site import SiteProfile
from medimg.engine import worker
from medimg.engine.pool import Workers
from medimg.errors import MedimgError, OutputError
from medimg.plain import cell
from medimg.policy import Policy, explain
from medimg.run import cloud_folders, storage, versions
from medimg.run.folder import RunFolder
from medimg.run.journal import Journal, Settings
from medimg.run.request import CONDITIONS, EXIT_CODES
from medimg.run.scan import readable
from medimg.run.state import RunSummary, Warn
from medimg.run.summary import Condition, CopyFile, KeptBack, RunFile
from medimg.system import files, scratch
from medimg.types import Report, from_json, to_json
from medimg.vocabulary import PhotoState
from medimg.words import Table, said, tr

WORDS = Table(
    {
        "output": "an output could not be written",
        "hold": "a file is held",
        "stop": "a group of photos has reached a stop",
        "unreadable": "a file could not be read or is of a kind that is not handled",
        "questions": "questions are open that need an answer before sharing",
        "review": "a person still has to look at the copies",
    }
)

_STATE_CONDITION = {"unreviewed": "review", "held": "hold", "refused": "unreadable", "failed": "output"}


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended. ``finished`` is False when something is worth trying again with ``--resume``."""

    photos: dict[str, int]
    set_aside: dict[str, int]
    conditions: tuple[str, ...]
    finished: bool
    versions: tuple[tuple[str, ...], ...] = ()


class _Tally:
    """What the run's machine summary counts, one report at a time."""

    def __init__(self) -> None:
        self.photos: Counter[str] = Counter()
        self.found: dict[str, Counter[str]] = {}
        self.codes: Counter[str] = Counter()
        self.copies: list[CopyFile] = []
        self.back: list[dict[str, str]] = []
        self.groups: dict[str, list[str]] = {}

    def add(self, report: Report) -> None:
        self.photos[str(report.state)] += 1  # a plain word, as in the file
        self.groups.setdefault(report.safe_id.partition("-")[0], []).append(report.safe_id)
        for finding in report.findings:
            self.found.setdefault(finding.kind, Counter())[finding.category] += finding.count
        if report.copy is not None:
            copy = report.copy
            self.copies.append(CopyFile(name=copy.name, format=copy.format, bytes=copy.bytes, sha256=copy.sha256))
        if report.state != PhotoState.UNREVIEWED:
            self.codes[report.error_code] += 1
            self.back.append(_kept_back(report))


def close(
    run: RunFolder,
    journal: Journal,
    pool: Workers,
    policy: Policy,
    context: SharingContext,
    settings: Settings,
    engines: dict[str, str],
    site: SiteProfile | None = None,
) -> Closed:
    """Write everything a person or a program reads about the run.

    Raises:
        OutputError: Something could not be written.
    """
    tally = _Tally()
    same = tuple(versions.of(journal.places()))
    with _streamed(run.reports) as file:
        file.write(b"[")
        for number, report in enumerate(journal.reports()):
            file.write(b",\n" if number else b"\n")
            file.write(to_json(report, indent=0).rstrip())
            tally.add(report)
        file.write(b"\n]\n")
    asides = journal.asides()
    set_aside = Counter(a.reason for a in asides)
    conditions = {_STATE_CONDITION[state] for state in tally.photos}
    if any(a.asked for a in asides):
        conditions.add("unreadable")
    aside: list[dict[str, str | int]] = [
        {"reason": reason, "count": count} for reason, count in sorted(set_aside.items())
    ]
    _held_list(run, tally.back, aside, settings.keep_key)
    if settings.keep_key:
        _key(run, journal, settings)
    else:
        run.key.unlink(missing_ok=True)
    summary = RunSummary(
        tag=run.tag,
        version=__version__,
        policy_digest=policy.digest,
        groups={group: tuple(ids) for group, ids in sorted(tally.groups.items())},
        policy_lines=tuple(explain(policy)),
        engines=engines,
        scope=policy.scope,
        month=datetime.now(UTC).strftime("%Y-%m"),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        warnings=_warnings(run, settings, "unreadable" in conditions),
        site=site,
        versions=same,
        max_side=policy.limits.max_side,
    )
    standings = _sheets(pool, summary, context, run)
    if tally.photos["unreviewed"]:
        conditions |= {{"open": "questions", "stop": "stop"}[s] for s in standings.values() if s in ("open", "stop")}
    finished = "output" not in conditions
    ordered = tuple(c for c in CONDITIONS if c in conditions)
    files.write_private(
        run.summary,
        to_json(
            RunFile(
                run=run.tag,
                medimg=__version__,
                finished=finished,
                at=summary.finished,
                scope=policy.scope,
                policy=policy.digest,
                engines=engines,
                audience=context.audience,
                where=context.jurisdictions,
                photos=dict(tally.photos),
                set_aside=dict(set_aside),
                found={kind: dict(counts) for kind, counts in sorted(tally.found.items())},
                groups=standings,
                copies=tuple(tally.copies),
                versions=same,
                kept_back=tuple(KeptBack(id=b["id"], state=b["state"], code=b["code"]) for b in tally.back),
                conditions=tuple(Condition(name=c, exit_code=EXIT_CODES[c], words=WORDS[c]) for c in ordered),
                exit_code=EXIT_CODES[ordered[0]] if ordered else 0,
            )
        ),
    )
    return Closed(
        photos=dict(tally.photos), set_aside=dict(set_aside), conditions=ordered, finished=finished, versions=same
    )


def _sheets(pool: Workers, summary: RunSummary, context: SharingContext, run: RunFolder) -> dict[str, str]:
    """The sheets show small pictures of the copies: they are made in a worker, like everything that decodes."""
    future = pool.submit(worker.sheets, summary, context, str(run.path), seconds=3600.0)
    pool.wait()
    try:
        return pool.result(future)
    except OutputError:
        raise
    except MedimgError as error:
        raise OutputError(f"the sheets could not be written: {error.what}") from error


def _warnings(run: RunFolder, settings: Settings, skipped: bool) -> tuple[Warn, ...]:
    seen: dict[Warn, bool] = {
        "synced-input": any(
            cloud_folders.synced(Path(os.fsdecode(r.folder))) for r in settings.roots if not storage.is_url(r.folder)
        ),
        "synced-output": cloud_folders.synced(run.path),
        "synced-temp": cloud_folders.synced(scratch.base()),
        "removable-output": cloud_folders.removable(run.path),
        "skipped-files": skipped,
        "key-kept": settings.keep_key,
    }
    return tuple(name for name, is_so in seen.items() if is_so)


def held_again(run: RunFolder, reports: Iterable[Report]) -> None:
    """Write the list of what was held anew, after decisions were applied.

    Raises:
        OutputError: It could not be written.
    """
    try:
        before = from_json(files.read_own(run.hold / _HELD), _HeldBefore)
    except (OSError, msgspec.DecodeError):
        before = _HeldBefore()
    _held_list(
        run, [_kept_back(r) for r in reports if r.state != PhotoState.UNREVIEWED], before.set_aside, run.key.exists()
    )


class _HeldBefore(msgspec.Struct):
    set_aside: list[dict[str, str | int]] = []


def _kept_back(report: Report) -> dict[str, str]:
    return {"id": report.safe_id, "state": report.state, "code": report.error_code, "reason": report.reason}


def _held_list(run: RunFolder, back: list[dict[str, str]], aside: list[dict[str, str | int]], key: bool) -> None:
    """``hold/``: which photos were held and why, by safe id; never an original."""
    files.write_private(
        run.hold / _HELD,
        to_json({"schema": "medimg.why-held/1", "run": run.tag, "photos": back, "set_aside": aside}),
    )
    lines = [f"{b['id']}  {_PLAIN[b['state']]}: {said(b['reason'])} [{b['code']}]" for b in back]
    lines += [tr("{n} not cleaned: {reason}", n=a["count"], reason=said(str(a["reason"]))) for a in aside]
    if not lines:
        lines = [tr("Nothing is held.")]
    elif not key:
        lines += [
            "",
            tr("To see which file is which, and what can be decided: medimg review RUN PHOTOS, on a terminal."),
        ]
    files.write_private(run.hold / "why-held.txt", ("\n".join(lines) + "\n").encode())


_HELD = "why-held.json"
_PLAIN = Table({"held": "held", "refused": "not cleaned", "failed": "not written"})


def _key(run: RunFolder, journal: Journal, settings: Settings) -> None:
    """``key.csv``: the only file with original names, written when it was asked for."""
    seen = Counter(item.path for item, _ in journal.names())
    with _streamed(run.key) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        rows = csv.writer(text)
        rows.writerow(["original", "id", "copy", "state", "group"])
        for item, report in journal.names():
            path = item.path
            if seen[path] > 1:  # two inputs of one name: the folder they were named by tells them apart
                path = os.path.join(os.path.basename(settings.roots[item.root].folder), path)  # noqa: PTH118, PTH119
            copy = report.copy.name if report and report.copy else ""
            state = report.state if report else "pending"
            rows.writerow([cell(readable(path)), item.safe_id, copy, state, cell(item.label)])
        for aside in journal.asides():
            rows.writerow([cell(readable(aside.path)), "", "", "set-aside", ""])
        text.detach()


@contextlib.contextmanager
def _streamed(path: Path) -> Iterator[BinaryIO]:
    """A private file written bit by bit, that appears whole or not at all."""
    try:
        with files.staged(path, b"") as temporary:
            with temporary.open("r+b") as file:
                yield file
                files.sync(file)
            os.utime(temporary, (files.NEUTRAL_TIME, files.NEUTRAL_TIME))
            files.publish(temporary, path)
    except OSError as error:
        raise OutputError("a report could not be written.", todo="Check the free space, then --resume.") from error
