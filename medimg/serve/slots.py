"""Worker processes for a server: each works on one photo at a time, and nobody waits without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from medimg.api import Scrubbed
from medimg.batch import worker
from medimg.batch.pool import Workers
from medimg.batch.worker import Setup
from medimg.types import KnownValues, Plan

T = TypeVar("T")

WAITING = 4
"""Requests that may wait for each worker; more are told to come again."""


class Busy(Exception):
    """Too many requests wait already."""


class Slots:
    """``size`` pools of one worker process each, used by one thread each.

    Args:
        setup: What every worker is started with.
        size: How many.
    """

    def __init__(self, setup: Setup, size: int) -> None:
        self.setup = setup
        self.size = size
        self.engines: dict[str, str] = {}
        self._free: asyncio.Queue[Workers] = asyncio.Queue()
        self._waiting = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Slots]:
        """Start the workers, and stop them at the end.

        Raises:
            MissingPart: A model, program or package is not there.
        """
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            self._threads = stack.enter_context(ThreadPoolExecutor(self.size))
            pools = [stack.enter_context(Workers(self.setup, 1, beside=self.size)) for _ in range(self.size)]
            warm = [loop.run_in_executor(self._threads, pool.warm) for pool in pools]
            self.engines = (await asyncio.gather(*warm))[0]
            for pool in pools:
                self._free.put_nowait(pool)
            yield self

    async def do(self, job: Callable[..., T], *args: Any) -> T:
        """Have one job done by a worker.

        Raises:
            Busy: Too many wait already.
            MedimgError: What the job raised, or what became of its worker.
        """
        if self._waiting >= self.size * WAITING:
            raise Busy
        self._waiting += 1
        try:
            pool = await self._free.get()
        finally:
            self._waiting -= 1
        future = asyncio.get_running_loop().run_in_executor(self._threads, self._one, pool, job, args)
        future.add_done_callback(lambda over: self._freed(pool, over))
        return await asyncio.shield(future)  # who asked may be gone; the worker is busy until it is done

    def _freed(self, pool: Workers, over: asyncio.Future[Any]) -> None:
        if not over.cancelled():
            over.exception()  # looked at, so that asyncio does not print it
        self._free.put_nowait(pool)

    def _one(self, pool: Workers, job: Callable[..., T], args: tuple[Any, ...]) -> T:
        future = pool.submit(job, *args, seconds=self.setup.policy.limits.seconds)
        pool.wait()
        return pool.result(future)


def scrub(data: bytes, known: KnownValues) -> Scrubbed:
    """Runs in a worker: the copy and the report of one photo."""
    return worker.loaded().scrub(data, known=known)


def inspect(data: bytes, known: KnownValues) -> Plan:
    """Runs in a worker: what would be done."""
    return worker.loaded().inspect(data, known=known)
