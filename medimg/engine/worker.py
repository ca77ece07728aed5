"""What runs inside a worker process: the start-up that bounds it, and the jobs it does.

A worker leads a session of its own. When it is told to stop, or when the batch that started it is gone, it takes
every program it has started with it.
"""

from __future__ import annotations

import datetime
import hmac
import multiprocessing
import os
import secrets
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec

from medimg import faults, formats, pipeline
from medimg.api import Scrubber, load_detectors
from medimg.consent.context import SharingContext
from medimg.errors import Changed, MedimgError, OutOfMemory
from medimg.formats import capture, filename
from medimg.pipeline import judge
from medimg.policy import Policy
from medimg.run import originals, storage
from medimg.run.folder import RECORD_FOLDER, REPORTS_NAME
from medimg.run.state import RunSummary
from medimg.system import children, files, host, stops
from medimg.types import NOTHING_KNOWN, Check, KnownValues, Original, Plan, Report, from_json

if TYPE_CHECKING:
    from medimg.detect import Detector

T = TypeVar("T")
Maker = Callable[[Policy], Sequence["Detector"]]


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What every worker is started with.

    Attributes:
        policy: The settings.
        known: Values the caller knows.
        make: Loads the detectors; a function of a module, so that a fresh process can import it.
        key: For new identifiers of DICOM copies, the same in every worker of a run.
        threads: Threads one inference may use.
        memory: Most bytes of address space; 0 for no limit.
        scratch: Folder for temporary files; empty for the system's.
    """

    policy: Policy
    known: KnownValues = NOTHING_KNOWN
    make: Maker = load_detectors
    key: bytes = msgspec.field(default_factory=lambda: secrets.token_bytes(32))
    threads: int = 1
    memory: int = 0
    scratch: str = ""


class Job(msgspec.Struct, frozen=True):
    """One photo to work on. ``expected`` is its size and ``mtime_ns`` when it was listed."""

    path: bytes
    safe_id: str
    folders: tuple[str, ...] = ()
    expected: tuple[int, int] | None = None


class Inspected(msgspec.Struct, frozen=True, kw_only=True):
    """What an inspection brings back. ``values`` are what was read, only when they were asked for."""

    safe_id: str
    format: str = ""
    plan: Plan | None = None
    values: dict[str, str] = {}
    error: MedimgError | None = None


class Hint(msgspec.Struct, frozen=True, kw_only=True):
    """What a photo says about whose it may be. Stays in memory."""

    taken: datetime.datetime | None = None
    codes: frozenset[bytes] = frozenset()


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification brings back."""

    safe_id: str
    checks: tuple[Check, ...] = ()
    error: MedimgError | None = None


_HINT_SIZE = 2000
_PRODUCTS = frozenset(("EAN8", "EAN13", "UPCA", "UPCE", "DataBar", "DataBarExpanded", "DataBarLimited", "ISBN"))
"""Codes of a product: a dressing is the same for every patient."""

_state: dict[str, Any] = {}
"""This worker's setup and scrubber; a worker process serves one pool only."""


def start(setup: Setup) -> None:
    """Bound this process and load the models. A fault is kept, and raised by the first job."""
    host.lead(setup.memory)
    stops.when_ended(_leave)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    children.keep_listed()
    os.environ["MEDIMG_THREADS"] = str(setup.threads)
    os.environ["OMP_THREAD_LIMIT"] = "1"  # Tesseract's own threads only get in each other's way
    if setup.scratch:
        tempfile.tempdir = os.environ["MEDIMG_SCRATCH"] = setup.scratch
    _state["setup"] = setup
    try:
        detectors = tuple(setup.make(setup.policy))
        _state["scrubber"] = Scrubber(setup.policy, detectors=detectors, key=setup.key)
        if setup.policy.scope == "full" and "medimg.native.opencv" in sys.modules:
            sys.modules["medimg.native.opencv"].cv2.setNumThreads(setup.threads)
    except MedimgError as error:
        _state["fault"] = error
    except MemoryError:
        _state["fault"] = OutOfMemory("the models do not fit into the memory a worker may use.")
    except Exception as error:  # noqa: BLE001 - reported by its type; nothing is written
        _state["fault"] = faults.unexpected("the checks could not be loaded", error)


def do(job: Callable[..., T], *args: Any) -> T:
    """Do a job; where an unforeseen fault happened is known here alone, as a traceback does not travel.

    Raises:
        MedimgError: What the job raised, or a fault and its place.
        MemoryError: There was not enough.
    """
    try:
        return job(*args)
    except (MedimgError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - its text may quote input
        raise faults.unexpected("a check stopped unexpectedly", error) from None


def _watch(parent: Any) -> None:
    parent.join()
    _leave()


def _leave(*_: object) -> NoReturn:
    programs = sys.modules.get("medimg.system.programs")
    if programs is not None:
        programs.stop_all()
    host.end_tree()
    os._exit(1)


def loaded() -> Scrubber:
    """The scrubber of this worker.

    Raises:
        MedimgError: What went wrong at its start.
    """
    if "fault" in _state:
        fault: MedimgError = _state["fault"]
        raise fault
    scrubber: Scrubber = _state["scrubber"]
    return scrubber


def warm() -> dict[str, str]:
    """The engines of this worker.

    Raises:
        MedimgError: What went wrong at its start.
    """
    return loaded().engines


def clean(jobs: Sequence[Job], folder: str, *, durable: bool = True) -> list[Report]:
    """Make the copies of some photos; their names outlive a power cut when this returns and they are to."""
    scrubber = loaded()
    setup: Setup = _state["setup"]
    reports = []
    for job in jobs:
        try:
            data = _read(job, setup.policy)
        except MedimgError as error:
            reports.append(pipeline.refusal(job.safe_id, setup.policy, error))
            continue
        sink = files.FileSink(Path(folder), job.safe_id, durable=False)
        report = scrubber.scrub_to(
            data, sink, safe_id=job.safe_id, known=_known(job, setup.known), extra=_named(job, setup.known)
        )
        reports.append(msgspec.structs.replace(report, captured=_captured(data), original=originals.mark(data)))
    if durable and any(r.copy for r in reports):
        files.sync_folder(Path(folder))
    return reports


def unchanged(jobs: Sequence[Job], before: Sequence[Original]) -> list[bool]:
    """Whether each photo is still the one that was cleaned before; False when it cannot be read."""
    setup: Setup = _state["setup"]
    out = []
    for job, original in zip(jobs, before, strict=True):
        try:
            out.append(originals.fits(_read(job, setup.policy), original))
        except MedimgError:
            out.append(False)
    return out


def apply(job: Job, before: Report, plan: Plan, folder: str) -> Report:
    """Make the copy of a photo again, by a plan that a person edited. Nothing is detected in the original again.

    Raises:
        MedimgError: The photo cannot be read, or is not the one the report is about.
    """
    scrubber = loaded()
    setup: Setup = _state["setup"]
    data = _read(job, setup.policy)
    if before.original is None or not originals.fits(data, before.original):
        raise Changed("this is not the photo that was cleaned.", safe_id=job.safe_id)
    sink = files.FileSink(Path(folder), job.safe_id)
    report = scrubber.scrub_to(data, sink, safe_id=job.safe_id, known=_known(job, setup.known), plan=plan)
    return msgspec.structs.replace(report, captured=before.captured, original=before.original)


def sheets_again(folder: str) -> dict[str, str]:
    """Write the sheets of a run again from its state and reports; where each group stands."""
    from medimg.report import refresh
    from medimg.run.opened import open_run

    opened = open_run(Path(folder))
    return {g: r.overall for g, r in refresh(opened.state, opened.reports, opened.folder).items()}


def _captured(data: bytes) -> capture.Bucket:
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    return capture.bucket(capture.taken(data), now)


def hint(job: Job, key: bytes) -> Hint:
    """When a photo was taken and which codes it shows, for a suggestion of groups; nothing is written.

    Args:
        job: The photo.
        key: A fresh random key: the digests say which photos show the same code, and nothing else.

    Raises:
        InputError: The photo cannot be handled.
    """
    data = _read(job, _state["setup"].policy)
    return Hint(taken=capture.taken(data), codes=_code_digests(data, key))


def _code_digests(data: bytes, key: bytes) -> frozenset[bytes]:
    setup: Setup = _state["setup"]
    if setup.policy.scope != "full":
        return frozenset()
    import numpy as np
    import zxingcpp

    from medimg import formats

    out = set()
    for view in formats.open_photo(data, setup.policy.limits).views(0)[:1]:
        step = max(1, max(view.shape[:2]) // _HINT_SIZE)
        for seen in (np.ascontiguousarray(view[::step, ::step]), *((view,) if step > 1 else ())):
            found = {
                hmac.digest(key, code.bytes, "sha256")
                for code in zxingcpp.read_barcodes(seen)
                if code.format.name not in _PRODUCTS and len(code.bytes) >= 4
            }
            out |= found
            if found:
                break
    return frozenset(out)


def look(job: Job, values: bool) -> Inspected:
    """Inspect one photo; ``values`` brings back what was read, for the owner's own terminal."""
    scrubber = loaded()
    setup: Setup = _state["setup"]
    try:
        data = _read(job, setup.policy)
        opened, plan = pipeline.inspect(
            data, scrubber.load(), setup.policy, known=_known(job, setup.known), extra=_named(job, setup.known)
        )
    except MedimgError as error:
        return Inspected(safe_id=job.safe_id, error=error)
    read = {a.finding.id: a.finding.secret.reveal() for a in plan.actions if a.finding.secret} if values else {}
    return Inspected(safe_id=job.safe_id, format=opened.name, plan=plan, values=read)


def orientation(job: Job) -> int:
    """How one photo is stored: its EXIF orientation, 1 to 8.

    Raises:
        MedimgError: It cannot be read.
    """
    setup: Setup = _state["setup"]
    return formats.open_photo(_read(job, setup.policy), setup.policy.limits).orientation


def verify(job: Job) -> Judged:
    """Judge one picture."""
    scrubber = loaded()
    setup: Setup = _state["setup"]
    try:
        return Judged(
            safe_id=job.safe_id,
            checks=judge(_read(job, setup.policy), scrubber.load(), setup.policy, setup.known),
        )
    except MedimgError as error:
        return Judged(safe_id=job.safe_id, error=error)


def sheets(summary: RunSummary, context: SharingContext, folder: str) -> dict[str, str]:
    """Write the sheets of a run from its ``reports.json``; where each group stands."""
    from medimg.report import write_sheets

    out = Path(folder)
    reports = from_json(files.read_own(out / RECORD_FOLDER / REPORTS_NAME), tuple[Report, ...])
    return {group: result.overall for group, result in write_sheets(summary, reports, context, out).items()}


def _read(job: Job, policy: Policy) -> bytes:
    if storage.is_url(job.path):
        return storage.read(job.path, policy.limits.bytes, job.expected)
    return files.read_original(Path(os.fsdecode(job.path)), policy.limits.bytes, job.expected)


def _named(job: Job, known: KnownValues) -> list[Any]:
    return filename.findings(os.path.basename(os.fsdecode(job.path)), job.folders, known)  # noqa: PTH119


def _known(job: Job, known: KnownValues) -> KnownValues:
    """The known values, with the names that the photo's own name and folders hold."""
    return filename.known(os.path.basename(os.fsdecode(job.path)), job.folders, known)  # noqa: PTH119
