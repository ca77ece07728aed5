"""Workers that a scheduler starts when photos wait, and ends when they have nothing to do (Dask's ``Adaptive``)."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from medimg.errors import MissingPart
from medimg.system import programs

STARTS = "medimg-starts-workers"
"""In the scheduler's metadata: who gives it photos waits for the first worker."""
_EVERY = 1.0
"""Seconds between two looks at what waits."""
_TARGET = "100ms"
"""Dask wants a worker more where what waits takes longer than this: so as many as there are pieces of work."""
_TRIES = 3
_PAUSE = 2.0
"""Seconds until another is started after one that never came; twice as many after each."""
_END = 10.0
"""Seconds that a worker has to end by itself."""


class Adapt(msgspec.Struct, frozen=True, kw_only=True):
    """How many workers a scheduler may start, and how.

    Attributes:
        most: Workers at once.
        least: Workers that stay when nothing waits.
        idle: Seconds after which a worker without work is ended.
        threads: Photos that each works on at once.
        certificates: Folder of the workers' identity.
        before: What stands before a worker's command, such as ``srun``; it has to run for as long as the worker does.
        host: Address that the workers listen on; each finds its own when not given.
    """

    most: int
    least: int = 0
    idle: float = 60.0
    threads: int
    certificates: Path
    before: tuple[str, ...] = ()
    host: str | None = None

    def command(self, address: str, name: str) -> Sequence[str]:
        """What starts a worker of a scheduler at ``address``."""
        medimg = (sys.executable, "-P", "-m", "medimg", "cluster", "worker", address, "--name", name)
        more = ("--certificates", str(self.certificates.absolute()), "--threads", str(self.threads))
        return (*self.before, *medimg, *more, *(("--host", self.host) if self.host else ()))


class Fleet:
    """The workers that one scheduler has started; Dask's ``Adaptive`` calls such a thing a cluster.

    Args:
        scheduler: The scheduler, running in this process.
        security: Its certificates.
        adapt: How many workers, and how.
    """

    def __init__(self, scheduler: Any, security: Any, adapt: Adapt) -> None:
        from distributed.core import Status, rpc
        from distributed.deploy.adaptive import Adaptive
        from tornado.ioloop import IOLoop

        self.status, self.loop = Status.running, IOLoop.current()
        ends = security.get_connection_args("client")
        self.scheduler_comm: Any = rpc(scheduler.address, connection_args=ends)  # type: ignore[no-untyped-call]
        self.failed = False
        self._scheduler, self._adapt = scheduler, adapt
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: set[asyncio.Future[None]] = set()
        self._in_vain = 0
        self._not_before = 0.0
        scheduler.task_metadata[STARTS] = True
        often = max(1, round(adapt.idle / _EVERY))
        self._adaptive = Adaptive(
            self,  # type: ignore[arg-type] # it has what is asked of it
            interval=_EVERY, minimum=adapt.least, maximum=adapt.most, wait_count=often, target_duration=_TARGET,
        )  # fmt: skip

    @property
    def plan(self) -> set[str]:
        """Names of the workers that are there or on their way."""
        return set(self._processes)

    @property
    def requested(self) -> set[str]:
        """The same."""
        return self.plan

    @property
    def observed(self) -> set[str]:
        """Names of those that are there."""
        return {str(w.name) for w in self._scheduler.workers.values()} & self.plan

    async def scale(self, n: int) -> None:
        """Start workers until there are ``n``."""
        while len(self._processes) < n and time.monotonic() >= self._not_before:
            name = f"medimg-{secrets.token_hex(4)}"
            try:
                process = await programs.beside(self._adapt.command(self._scheduler.address, name))
            except (OSError, MissingPart):
                await self._was_in_vain()
                continue
            self._processes[name] = process
            self._keep(self._watch(name, process))

    async def scale_down(self, names: Sequence[str], patience: float = _END) -> None:
        """End workers that the scheduler has let go; what they had others have, and they end by themselves."""
        for name in set(names) & self.plan:
            self._keep(_ended(self._processes.pop(name), patience))

    async def close(self) -> None:
        """End all of them."""
        self._adaptive.stop()
        await self.scale_down(list(self._processes), 0.0)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*self._tasks), 2 * _END)
        await self.scheduler_comm.close_rpc()

    def _keep(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self, name: str, process: asyncio.subprocess.Process) -> None:
        """Notice when a process has ended that nobody has asked to; another takes its place when photos wait."""
        end, came = asyncio.ensure_future(process.wait()), False
        while not end.done():
            await asyncio.wait([end], timeout=_EVERY)
            came = came or name in self.observed
        if self._processes.pop(name, None) is None:
            return
        if came:
            self._in_vain = 0
        else:
            await self._was_in_vain()

    async def _was_in_vain(self) -> None:
        self._in_vain += 1
        self._not_before = time.monotonic() + _PAUSE * 2 ** min(self._in_vain - 1, 8)
        if self._in_vain >= _TRIES and not self._scheduler.workers:
            self.failed = True
            self._keep(self._scheduler.close())


async def _ended(process: asyncio.subprocess.Process, patience: float) -> None:
    for seconds, then in ((patience, process.terminate), (_END, process.kill)):
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), seconds)
            return
        with contextlib.suppress(ProcessLookupError):
            then()
    await process.wait()
