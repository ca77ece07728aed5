"""Worker processes: one photo's crash, hang or hunger costs that photo alone.

pebble's pool replaces a worker that died and kills one that is over its time. What it does not do is done here: the
programs a dead worker had started are killed, a pool that broke is built again, and nothing is queued ahead.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar, cast

import msgspec
from pebble import ProcessExpired, ProcessPool

from medimg import faults
from medimg.engine import spawn, worker
from medimg.engine.worker import Job, Setup
from medimg.errors import Crashed, MedimgError, OutOfMemory, OutOfTime
from medimg.system import host
from medimg.system.scratch import Scratch
from medimg.types import Report

T = TypeVar("T")
A = TypeVar("A")

CHUNK_LIGHT = 16
"""Photos a worker gets at once when metadata alone is removed; one otherwise."""
RECYCLE_FULL, RECYCLE_LIGHT = 500, 8000
"""Photos after which a worker is replaced by a fresh one, so that no library's leak grows without bound. A fresh one
costs about as much as 250 photos of metadata alone."""
MEMORY_FULL = 6 << 30
"""Address space of a worker that looks at pictures, in bytes. It is several times the memory really used: models are
mapped, and every thread reserves room."""
MEMORY_LIGHT = 3 << 30
"""Address space of a worker for metadata alone."""
RESIDENT = 1 << 30
"""Memory to reckon with for one worker when their number is chosen."""
MOST_WORKERS = 1024
"""More than the processors of any one computer; as many processes are started as are asked for."""
_STOPPING = 10.0
"""Longest wait for the pool to end after a fault or Ctrl-C, in seconds."""
_GRACE = 30.0


def suitable_workers() -> int:
    """One a core, as far as the memory reaches."""
    most = host.total_memory() // RESIDENT or host.processors()
    return max(1, min(host.processors(), most))


class Workers:
    """A pool of ``size`` worker processes; at most ``size`` jobs are ever given out.

    Args:
        setup: What every worker is started with.
        size: How many.
        stop: Asked several times a second while jobs are under way; True ends the wait as Ctrl-C does.
        beside: Pools of this size on this computer, which share its processors.
        chunk: Photos that a job has; chosen by what is checked when not given.
    """

    def __init__(
        self,
        setup: Setup,
        size: int,
        stop: Callable[[], bool] | None = None,
        *,
        beside: int = 1,
        chunk: int | None = None,
    ) -> None:
        full = setup.policy.scope == "full"
        self.size = size
        self.chunk = chunk or (1 if full else CHUNK_LIGHT)
        self._jobs = (RECYCLE_FULL if full else RECYCLE_LIGHT) // self.chunk
        self._stopped = stop
        self._scratch = Scratch()
        self.setup = msgspec.structs.replace(
            setup,
            scratch=str(self._scratch.path),
            threads=max(1, host.processors() // (size * beside)),
            memory=setup.memory or (MEMORY_FULL if full else MEMORY_LIGHT),
        )
        self._context = spawn.context()
        self._live: dict[Future[Any], float] = {}
        self._pids: set[int] = set()
        self._build()

    def _build(self) -> None:
        self._pool = ProcessPool(
            max_workers=self.size,
            max_tasks=self._jobs,
            initializer=worker.start,
            initargs=(self.setup,),
            context=cast(Any, self._context),  # pebble's types know the pipes of POSIX alone
        )

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        # After a fault, or Ctrl-C, nothing is waited for.
        if kind is None and not self._live:
            self._pool.close()  # type: ignore[no-untyped-call]
            self._pool.join()
        else:
            self._stop()
        self._reap()
        self._scratch.remove()

    def _stop(self) -> None:
        def stop() -> None:
            with contextlib.suppress(Exception):
                self._pool.stop()  # type: ignore[no-untyped-call]
                self._pool.join()

        # A pool that a signal met while it was starting has a thread that waits for ever.
        ending = threading.Thread(target=stop, daemon=True)
        ending.start()
        ending.join(_STOPPING)
        # One that is still starting would find the pool's locks gone, and say so on the terminal.
        for child in self._children():
            child.kill()

    def warm(self) -> dict[str, str]:
        """Start the workers and wait for one: its engines.

        Raises:
            MissingPart: A model, program or package is not there.
            MedimgError: They cannot be started.
        """
        future = self.submit(worker.warm, seconds=300.0)
        self.wait()
        return self.result(future)

    def submit(self, job: Callable[..., T], *args: Any, seconds: float) -> Future[T]:
        """Give a job to a worker; it is killed after ``seconds``."""
        try:
            future = self._pool.schedule(worker.do, args=(job, *args), timeout=seconds)
        except RuntimeError:  # the pool broke after its last job
            self._rebuild()
            future = self._pool.schedule(worker.do, args=(job, *args), timeout=seconds)
        self._live[future] = time.monotonic() + seconds + _GRACE
        return future

    def give(self, jobs: Sequence[Job], folder: str, seconds: float) -> Future[list[Report]]:
        """Have copies of photos made in ``folder``."""
        return self.submit(worker.clean, jobs, folder, seconds=seconds)

    def wait(self) -> list[Future[Any]]:
        """Wait until at least one of the jobs given out is over; those that are.

        Raises:
            KeyboardInterrupt: ``stop`` said so.
        """
        while self._live:
            self.heed_stop()
            self._learn()
            patience = 1.0 if self._stopped is None else 0.1
            over = wait(self._live, timeout=patience, return_when="FIRST_COMPLETED").done
            done = [f for f in over if f in self._live]
            if not done and time.monotonic() > min(self._live.values()):
                # The pool itself is stuck (a worker was killed while it held the channel's lock): start over.
                self._rebuild()
                done = list(self._live)
            if done:
                for future in done:
                    del self._live[future]
                return done
        return []

    def heed_stop(self) -> None:
        """Ask ``stop``.

        Raises:
            KeyboardInterrupt: It said so.
        """
        if self._stopped is not None and self._stopped():
            raise KeyboardInterrupt

    def result(self, future: Future[T]) -> T:
        """What came of a job.

        Raises:
            Crashed: Its worker ended.
            OutOfTime: It was killed because it took too long.
            OutOfMemory: It asked for more memory than a worker may use.
            MedimgError: What the job raised.
        """
        if not future.done():
            raise Crashed("the workers had to be started again.")
        try:
            return future.result()
        except MedimgError:
            raise
        except TimeoutError as error:
            self._reap()
            raise OutOfTime("this photo took longer than the policy allows.") from error
        except MemoryError as error:
            raise OutOfMemory("there was not enough memory for this photo.") from error
        except (ProcessExpired, BrokenProcessPool) as error:
            if isinstance(error, ProcessExpired) and error.pid:
                self._pids.add(error.pid)
            self._reap()
            raise Crashed("the worker ended while it worked on this photo.") from error
        except Exception as error:
            raise faults.unexpected("a check stopped unexpectedly", error) from error

    def each(
        self, job: Callable[..., T], things: Iterable[Sequence[Any]], *, seconds: float
    ) -> Iterator[tuple[Sequence[Any], T | MedimgError]]:
        """Do a job for each tuple of arguments, in the order they finish; never more given out than workers."""
        waiting = iter(things)
        given: dict[Future[T], Sequence[Any]] = {}
        while True:
            while len(given) < self.size and (args := next(waiting, None)) is not None:
                given[self.submit(job, *args, seconds=seconds)] = args
            if not given:
                return
            for future in self.wait():
                args = given.pop(future)
                try:
                    yield args, self.result(future)
                except MedimgError as error:
                    yield args, error

    def _rebuild(self) -> None:
        self._stop()
        self._reap()
        self._build()

    def _learn(self) -> None:
        self._pids |= {child.pid for child in self._children() if child.pid}

    def _children(self) -> list[SpawnProcess]:
        return [child for child in list(self._context.started) if child.is_alive()]

    def _reap(self) -> None:
        """Kill what dead workers have left running."""
        self._learn()
        dead = {pid for pid in self._pids if not host.alive(pid)}
        if dead:
            host.kill_left_by(dead)
        self._pids -= dead
