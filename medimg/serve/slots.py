"""Worker processes for a server: each works on one photo at a time, and nobody waits without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from medimg.api import Scrubbed
from medimg.engine import worker
from medimg.engine.pool import Workers
from medimg.engine.worker import Setup
from medimg.types import KnownValues, Plan

T = TypeVar("T")

WAITING = 4
"""Requests that may wait for each worker; more are told to come again."""


AT_HAND = 2
"""Photos in memory for each worker: the one in work and the next. The others wait at the sender's side."""


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
        self._taken = 0
        self._bodies = asyncio.Semaphore(size * AT_HAND)

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

    @property
    def taken(self) -> int:
        """Photos in work or waiting."""
        return self._taken

    @property
    def full(self) -> bool:
        """Whether no more may wait."""
        return self._taken >= self.size * (1 + WAITING)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place in the queue, to be taken before the photo is: so many are in memory, and no more.

        Raises:
            Busy: All are taken.
        """
        if self.full:
            raise Busy
        self._taken += 1
        try:
            async with self._bodies:
                yield
        finally:
            self._taken -= 1

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A place for a photo that nobody waits for: among those in memory, and not in the queue."""
        async with self._bodies:
            yield

    async def do(self, job: Callable[..., T], *args: Any) -> T:
        """Have one job done by a worker.

        Raises:
            MedimgError: What the job raised, or what became of its worker.
        """
        pool = await self._free.get()
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
