"""The loop of a batch: claim from the journal, give to the workers, settle what came back."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import msgspec

from medimg.engine.worker import Job
from medimg.errors import Crashed, MedimgError, MissingPart, OutOfMemory, OutOfTime
from medimg.pipeline import refusal
from medimg.policy import Policy
from medimg.run import scan
from medimg.run.folder import RunFolder
from medimg.run.journal import MAX_ATTEMPTS, Claim, Journal, Pulse, State
from medimg.types import Report

_AGAIN = (Crashed.code, OutOfTime.code, OutOfMemory.code)
"""What may be the fault of the neighbours or of the machine: tried once more, alone."""
_STATES: dict[str, State] = {"unreviewed": "done", "held": "held", "refused": "failed", "failed": "failed"}
_WINDOW = 60.0
"""Seconds over which the rate is taken."""
_ENOUGH = 3
"""Photos that have to be done before the time left is said."""
_PULSE = 1.0
"""Seconds between two notes of the rate in the journal."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a batch is. ``report`` is the photo just settled; ``counts`` come from the journal.

    Attributes:
        event: ``start``, ``photo`` (one was settled) or ``end``.
        run: The run's tag.
        total: Photos of this run.
        counts: Journal state -> photos.
        seconds: Since this process began with them.
        rate: Photos a second, over the last minute.
        unchanged: Photos that an earlier run has done, and that are therefore not in this one.
        report: The photo just settled.
    """

    event: Literal["start", "photo", "end"]
    run: str
    total: int
    counts: dict[State, int]
    seconds: float
    rate: float = 0.0
    unchanged: int = 0
    report: Report | None = None

    @property
    def settled(self) -> int:
        """Photos that need no more work."""
        return self.counts["done"] + self.counts["held"] + self.counts["failed"]

    @property
    def left(self) -> float | None:
        """Seconds until the end at this rate; None when nothing honest can be said yet."""
        known = self.rate and self.settled >= _ENOUGH
        return (self.total - self.settled) / self.rate if known else None


class Pool(Protocol):
    """Who does the work: processes of this computer, or a cluster."""

    @property
    def size(self) -> int:
        """Most chunks that are out at once."""

    @property
    def chunk(self) -> int:
        """Photos given out together."""

    def give(self, jobs: Sequence[Job], folder: str, seconds: float) -> Any:
        """Give photos out; what comes back is a handle for :meth:`wait` and :meth:`result`."""

    def wait(self) -> Sequence[Any]:
        """Wait until something is over; the handles of what is."""

    def result(self, handle: Any) -> list[Report | None]:
        """What came of the photos, in their order; None for one that was not begun and is to be given again.

        Raises:
            MedimgError: They are all to be settled with this error.
        """


class Batch:
    """Works off one journal with one pool."""

    def __init__(
        self,
        run: RunFolder,
        journal: Journal,
        pool: Pool,
        policy: Policy,
        roots: Sequence[scan.Root],
        progress: Callable[[Progress], None] | None,
        unchanged: int = 0,
    ) -> None:
        self._run, self._journal, self._pool, self._policy = run, journal, pool, policy
        earlier = journal.settings()
        self._roots = earlier.roots if earlier else tuple(roots)
        self._progress = progress
        self._counts = journal.counts()
        self._unchanged = unchanged
        self._start = time.monotonic()
        self._times: deque[float] = deque([self._start])
        self._starting = True
        self._noted = 0.0
        self.engines: dict[str, str] = {}

    def drain(self) -> None:
        """Work until nothing is pending.

        Raises:
            MissingPart: Something the workers need is not there.
            OutputError: The journal cannot be written.
        """
        self._settle_the_deadly()
        self.tell("start")
        live: dict[object, list[Claim]] = {}
        try:
            while True:
                while len(live) < self._pool.size and not any(c.attempts > 1 for cs in live.values() for c in cs):
                    claims = self._journal.claim(self._pool.chunk, alone=not live)
                    if not claims:
                        break
                    live[self._give(claims)] = claims
                if not live:
                    return
                for handle in self._pool.wait():
                    claims = live[handle]
                    try:
                        reports = self._pool.result(handle)
                    except MissingPart:
                        raise
                    except MedimgError as error:
                        reports = [self._refused(c, error) for c in claims]
                    del live[handle]
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
        return self._pool.give(jobs, str(self._run.unreviewed), self._policy.limits.seconds)

    def _folders(self, claim: Claim) -> tuple[str, ...]:
        root = self._roots[claim.item.root]
        parts = Path(os.fsdecode(claim.item.path)).parts[:-1]
        return parts if root.only else (Path(os.fsdecode(root.folder)).name, *parts)

    def _refused(self, claim: Claim, error: MedimgError) -> Report:
        return refusal(claim.item.safe_id, self._policy, error)

    def _settle(self, claims: Sequence[Claim], reports: Sequence[Report | None]) -> None:
        rows: list[tuple[int, State, Report | None]] = []
        unbegun: list[int] = []
        for claim, report in zip(claims, reports, strict=True):
            if report is None:
                unbegun.append(claim.id)
            elif report.error_code in _AGAIN and claim.attempts < MAX_ATTEMPTS:
                rows.append((claim.id, "pending", None))
            else:
                rows.append((claim.id, _STATES[report.state], report))
        settled = [(state, report) for _, state, report in rows if report is not None]
        self._times.extend([time.monotonic()] * len(settled))
        self._journal.settle(rows, self._pulse())
        if unbegun:
            self._journal.release_running(unbegun)
        for state, report in settled:
            self._counts[state] += 1
            self._counts["pending"] -= 1
            self.engines.update(report.engines)
            self.tell("photo", report)

    def _settle_the_deadly(self) -> None:
        error = Crashed("the whole batch ended each time this photo was worked on.")
        rows: list[tuple[int, State, Report | None]] = [
            (id_, "held", refusal(safe_id, self._policy, error)) for id_, safe_id in self._journal.without_report()
        ]
        self._journal.settle(rows)

    def _rate(self) -> float:
        now, times = time.monotonic(), self._times
        if self._starting and len(times) > self._pool.size + 1:  # each worker's first photo waited for the networks
            self._starting = False
            for _ in range(self._pool.size):
                times.popleft()
        while len(times) > 2 and now - times[0] > _WINDOW:
            times.popleft()
        # What came back together came at one moment: it is where the clock starts, and tells no rate by itself.
        later = len(times) - next((n for n, at in enumerate(times) if at > times[0]), len(times))
        return later / (now - times[0]) if later else 0.0

    def _pulse(self) -> Pulse | None:
        """The rate, for other processes that read the journal; now and then only."""
        now = time.monotonic()
        if now - self._noted < _PULSE:
            return None
        self._noted = now
        return Pulse(at=time.time(), rate=round(self._rate(), 3))

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
                    rate=self._rate(),
                    unchanged=self._unchanged,
                    report=report,
                )
            )
