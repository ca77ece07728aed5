"""What ``medimg doctor --bundle`` writes for those who mend medimg: versions, places of faults, counts, timings.

Nothing is copied from a run as it stands. Every word comes from a closed list of this program's own (error codes,
states, formats, stages, modules), every other value is a number, and what stands in no list becomes ``other``. So a
report that was edited, or that a fault filled with something of a photo, brings nothing of it into the bundle.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib.util
import os
import platform
import re
import statistics
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Literal

import msgspec

import medimg
from medimg.errors import MedimgError, UsageError
from medimg.run.folder import RECORD_FOLDER, REPORTS_NAME
from medimg.system import files
from medimg.types import Report, from_json
from medimg.vocabulary import CONTENT_CHECKS, CheckName, CheckState, FormatName, PhotoState

OTHER = "other"
STAGES = ("open", "frames", "decode", *CONTENT_CHECKS, "write", "verify")
_VERSION = re.compile(r"[0-9][0-9A-Za-z.+!]{0,30}")
_PLACE = re.compile(r"(medimg(?:\.[a-z_0-9]+){0,3}):([0-9]{1,4})")


class Took(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of a stage over the photos of a run."""

    median: float
    most: float


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run in numbers. ``faults`` are an exception's type and the places it went through."""

    photos: int
    states: dict[str, int]
    formats: dict[str, int]
    errors: dict[str, int]
    checks: dict[str, int]
    faults: dict[str, int]
    seconds: dict[str, Took]


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it."""

    schema: Literal["medimg.bundle/1"] = "medimg.bundle/1"
    medimg: str
    python: str
    system: str
    processors: int
    packages: dict[str, str]
    parts: dict[str, bool]
    runs: tuple[Run, ...] = ()


def make(packages: Iterable[str], parts: dict[str, bool], runs: Sequence[Path]) -> Bundle:
    """A bundle.

    Args:
        packages: Names of distributions whose versions are told.
        parts: What the doctor looked for -> whether it is there.
        runs: Run folders.

    Raises:
        UsageError: One is not a run folder.
    """
    return Bundle(
        medimg=_version(medimg.__version__),
        python=_version(platform.python_version()),
        system=_one(sys.platform, ("linux", "darwin", "win32")),
        processors=os.cpu_count() or 0,
        packages={name: _installed(name) for name in packages},
        parts=parts,
        runs=tuple(_run(path) for path in runs),
    )


def _installed(name: str) -> str:
    try:
        return _version(metadata.version(name))
    except metadata.PackageNotFoundError:
        return ""


def _version(said: str) -> str:
    return said if _VERSION.fullmatch(said) else OTHER


def _run(folder: Path) -> Run:
    try:
        data = files.read_own(folder / RECORD_FOLDER / REPORTS_NAME)
        reports = from_json(data, tuple[Report, ...])
    except (OSError, msgspec.DecodeError, MedimgError) as error:
        raise UsageError("a bundle is made of run folders, and one of these is none.") from error
    codes = set(_codes(MedimgError))
    return Run(
        photos=len(reports),
        states=_counted((r.state for r in reports), tuple(PhotoState)),
        formats=_counted((r.format for r in reports if r.format), tuple(FormatName)),
        errors=_counted((r.error_code for r in reports if r.error_code), codes),
        checks=_counted(
            (f"{c.name} {c.state}" for r in reports for c in r.checks),
            [f"{name} {state}" for name in CheckName for state in CheckState],
        ),
        faults=dict(sorted(Counter(fault(r.fault) for r in reports if r.fault).items())),
        seconds={stage: took for stage in STAGES if (took := _took(reports, stage))},
    )


def _counted(words: Iterable[str], known: Collection[str]) -> dict[str, int]:
    return dict(sorted(Counter(_one(word, known) for word in words).items()))


def _one(word: str, known: Collection[str]) -> str:
    return word if word in known else OTHER


def _codes(kind: type[MedimgError]) -> Iterator[str]:
    yield kind.code
    for below in kind.__subclasses__():
        yield from _codes(below)


def fault(said: str) -> str:
    """A report's fault with nothing in it but a type of exception that is known, and places that exist."""
    kind, *where = said.split(" ")
    found = getattr(builtins, kind, None)
    known = isinstance(found, type) and issubclass(found, BaseException)
    places = [place for place in where[:40] if _exists(place)]
    return " ".join((kind if known else OTHER, *places))


def _exists(place: str) -> bool:
    match = _PLACE.fullmatch(place)
    if match is None:
        return False
    with contextlib.suppress(ImportError, ValueError):
        return importlib.util.find_spec(match[1]) is not None
    return False


def _took(reports: Sequence[Report], stage: str) -> Took | None:
    seconds = [r.seconds[stage] for r in reports if stage in r.seconds]
    return Took(median=round(statistics.median(seconds), 3), most=round(max(seconds), 3)) if seconds else None
