"""Work beside the window's own thread: the batch, and lanes of jobs for one run.

Every result comes back to the window's thread through one queued signal of its own, in the order it was made.
"""

from __future__ import annotations

import contextlib
import queue
import shutil
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import msgspec
from PySide6.QtCore import QObject, Qt, Signal, Slot

from medimg import faults
from medimg.api import load_detectors
from medimg.consent.site import SiteProfile
from medimg.engine.batch import Hooks, Outcome, scrub_folder
from medimg.engine.groups import Suggestion
from medimg.engine.loop import Progress
from medimg.engine.pool import Workers
from medimg.engine.worker import Maker, Setup
from medimg.errors import Interrupted, MedimgError
from medimg.policy import Policy
from medimg.run.folder import PREFIX
from medimg.run.request import RunRequest
from medimg.types import NOTHING_KNOWN, KnownValues

Job = Callable[[Workers], Any]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be cleaned, as chosen on the first page."""

    photos: tuple[Path, ...]
    out: Path
    audience: str
    where: tuple[str, ...]
    group_by: str = "folder"
    known: KnownValues = NOTHING_KNOWN
    save_as: Literal["", "jpeg"] = ""
    max_side: int = 0


class Batch(QObject):
    """One batch in a thread; its photos in worker processes.

    Signals:
        progressed: A :class:`~medimg.engine.batch.Progress`.
        finished: The :class:`~medimg.engine.batch.Outcome`.
        failed: The :class:`~medimg.errors.MedimgError`; what was done so far is still there.
        cancelled: Stopped by the person; nothing is left.
        asked: A :class:`~medimg.engine.groups.Suggestion` of groups that waits for :meth:`answer`.
    """

    progressed = Signal(object)
    finished = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    asked = Signal(object)
    _hop = Signal(object)

    def __init__(self, parent: QObject | None = None, make: Maker = load_detectors) -> None:
        super().__init__(parent)
        self._make = make
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._said: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._hop.connect(self._arrived, Qt.ConnectionType.QueuedConnection)

    def start(self, wanted: Wanted, policy: Policy | None = None, site: SiteProfile | None = None) -> None:
        """Begin."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._work, args=(wanted, policy, site), name="batch", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Stop at once: running work is ended, and the folder that was begun is removed."""
        self._stop.set()

    def answer(self, use: bool) -> None:
        """Say whether the suggested groups are right."""
        self._said.put(use)

    def _confirm(self, told: Suggestion) -> bool:
        """Ask the person, where the suggestion differs from what would be done without it."""
        if not told.differs:
            return False
        self._hop.emit(told)
        while not self._stop.is_set():
            with contextlib.suppress(queue.Empty):
                return self._said.get(timeout=0.1)
        return False

    def wait(self) -> None:
        """Wait until the thread has ended."""
        if self._thread is not None:
            self._thread.join()

    def _work(self, wanted: Wanted, policy: Policy | None, site: SiteProfile | None) -> None:
        begun: list[str] = []

        def told(progress: Progress) -> None:
            begun[:] = [progress.run]
            self._hop.emit(progress)
            if self._stop.is_set():
                raise KeyboardInterrupt

        result: Outcome | MedimgError
        try:
            request = RunRequest(
                photos=wanted.photos,
                out=wanted.out,
                policy=policy,
                audience=wanted.audience,
                where=wanted.where,
                group_by=wanted.group_by,
                known=wanted.known,
                save_as=wanted.save_as,
                max_side=wanted.max_side,
                site=site,
                again=True,  # what is dropped is shown, also when it was done before
            )
            # "Each photo shows a different patient" leaves nothing to be suggested.
            confirm = self._confirm if wanted.group_by == "folder" else None
            result = scrub_folder(
                request, hooks=Hooks(progress=told, make=self._make, stop=self._stop.is_set, confirm=confirm)
            )
        except Interrupted as error:
            for tag in begun:  # this folder was made by this batch, a moment ago
                shutil.rmtree(wanted.out / f"{PREFIX}{tag}", ignore_errors=True)
            result = error
        except MedimgError as error:
            result = error
        except Exception as error:  # noqa: BLE001 - said in words; a thread must not end in silence
            result = faults.unexpected("something went wrong in medimg itself", error)
        self._hop.emit(result)

    @Slot(object)
    def _arrived(self, what: object) -> None:
        match what:
            case Progress():
                self.progressed.emit(what)
            case Suggestion():
                self.asked.emit(what)
            case Outcome():
                self.finished.emit(what)
            case Interrupted():
                self.cancelled.emit()
            case _:
                self.failed.emit(what)


class Lane(QObject):
    """Jobs done one after the other in a thread, with a pool of workers of its own.

    Args:
        setup: What the workers are started with. They are started with the first job.
        parent: Its owner.
        latest: Only the newest job that has not begun is done; for pictures that are passed by.
    """

    _hop = Signal(object, object)

    def __init__(self, setup: Setup, parent: QObject | None = None, *, latest: bool = False) -> None:
        super().__init__(parent)
        self._setup, self._latest = setup, latest
        self._jobs: queue.SimpleQueue[tuple[Job, Callable[[Any], None]] | None] = queue.SimpleQueue()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._hop.connect(self._arrived, Qt.ConnectionType.QueuedConnection)

    def give(self, job: Job, then: Callable[[Any], None]) -> None:
        """Do a job.

        Args:
            job: Called in the lane's thread with the pool.
            then: Called in the window's thread with what came of it, or with the :class:`MedimgError`.
        """
        if self._closed.is_set():
            return
        self._jobs.put((job, then))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="lane", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End it: what runs is stopped, what waits is dropped."""
        self._closed.set()
        self._jobs.put(None)
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        with Workers(self._setup, 1, self._closed.is_set) as pool:
            while not self._closed.is_set():
                given = self._jobs.get()
                if given is None:
                    return
                if self._latest and not self._jobs.empty():
                    self._hop.emit(_nothing, None)
                    continue
                job, then = given
                try:
                    result = job(pool)
                except (KeyboardInterrupt, Interrupted):
                    return
                except MedimgError as error:
                    result = error
                except Exception as error:  # noqa: BLE001 - said in words; a lane must not end in silence
                    result = faults.unexpected("something went wrong in medimg itself", error)
                self._hop.emit(then, result)

    @Slot(object, object)
    def _arrived(self, then: Callable[[Any], None], result: object) -> None:
        if not self._closed.is_set():
            then(result)


def _nothing(_result: object) -> None:
    """What is done with a job that was passed by."""


def in_worker(function: Callable[..., Any], *args: Any, seconds: float = 300.0) -> Job:
    """A job that is one function, done in a worker process."""
    return partial(_in_worker, function, args, seconds)


def _in_worker(function: Callable[..., Any], args: Sequence[Any], seconds: float, pool: Workers) -> Any:
    future = pool.submit(function, *args, seconds=seconds)
    pool.wait()
    return pool.result(future)
