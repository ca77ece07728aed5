"""A scheduler and a worker, with the settings they need: TLS on both sides, and nothing else listens."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from medimg.cluster.adaptive import Adapt, Fleet
from medimg.errors import MissingPart, UsageError
from medimg.system import stops, tls
from medimg.system.scratch import Scratch

PORT = 8786
_CONFIG = {
    "distributed.comm.require-encryption": True,
    "distributed.worker.daemon": False,  # a worker starts child processes
    "distributed.scheduler.worker-saturation": 1.0,  # nothing is queued at a worker that another could take
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.worker.memory.target": False,  # nothing of a run is spilled to a disk
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    "distributed.worker.profile.enabled": False,
    # What a node does at rest comes first where a computer is busy, and leaves less for photos.
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.scheduler.work-stealing": False,  # nothing is queued at a worker
    "distributed.scheduler.active-memory-manager.start": False,  # nothing is kept twice
    "distributed.logging": {"distributed": "warning"},
}
_LOOPBACK = "127.0.0.1:0"
"""Dask opens a port for its dashboard in any case: here it has no pages, and only this computer reaches it."""


class Identity:
    """A folder with ``ca.pem``, ``cert.pem`` and ``key.pem`` (:mod:`medimg.cluster.certificates`).

    Raises:
        UsageError: One of them is not there, or is not what it should be.
    """

    def __init__(self, folder: Path) -> None:
        self.ca, self.certificate, self.key = (folder / n for n in ("ca.pem", "cert.pem", "key.pem"))
        if not all(p.is_file() for p in (self.ca, self.certificate, self.key)):
            raise UsageError(
                "the folder of certificates needs ca.pem, cert.pem and key.pem.",
                todo="Make them with 'medimg cluster certificates'.",
            )
        tls.serving(self.certificate, self.key, self.ca)

    def security(self) -> Any:
        """What Dask takes.

        Raises:
            MissingPart: The extra is not installed.
        """
        try:
            from distributed.security import Security
        except ImportError as error:
            raise MissingPart("a cluster needs the extra: pip install 'medimg[cluster]'.") from error
        ends = {f"tls_{role}_{what}": str(getattr(self, attribute)) for role in ("client", "worker", "scheduler")
                for what, attribute in (("cert", "certificate"), ("key", "key"))}  # fmt: skip
        return Security(  # type: ignore[no-untyped-call]
            require_encryption=True, tls_ca_file=str(self.ca), **ends
        )


def scheduler(
    identity: Identity, host: str, port: int, ready: Callable[[str], None], adapt: Adapt | None = None
) -> None:
    """Run a scheduler until it is stopped (SIGTERM, Ctrl-C).

    Args:
        identity: Its certificate.
        host: Address that it listens on.
        port: Port; 0 for any.
        ready: Told its address.
        adapt: Which workers it starts by itself; none when not given.

    Raises:
        MissingPart: The address is taken, or three workers in a row have ended before they came.
    """

    async def run() -> None:
        from distributed import Scheduler

        security = identity.security()
        node = Scheduler(
            host=host, port=port, protocol="tls", security=security, dashboard=False, dashboard_address=_LOOPBACK
        )
        fleet: Fleet | None = None

        def begin(address: str) -> None:
            nonlocal fleet
            if adapt is not None:
                fleet = Fleet(node, security, adapt)
            ready(address)

        async def close() -> None:
            if fleet is not None:
                await fleet.close()
            await node.close()

        await _until_stopped(node, close, begin)
        if fleet is not None and fleet.failed:
            raise MissingPart(
                "the workers that were started ended before they came.",
                todo="Start one by hand ('medimg cluster worker'): it says why.",
            )

    with _configured():
        asyncio.run(run())


def worker(
    identity: Identity, address: str, host: str | None, threads: int, ready: Callable[[str], None], name: str = ""
) -> None:
    """Run a worker until it is stopped, or its scheduler is gone.

    Args:
        identity: Its certificate.
        address: ``tls://host:port`` of the scheduler.
        host: Address of this computer that the others reach; found out when not given.
        threads: Photos it works on at once, each in a process of its own.
        ready: Told its address.
        name: What the scheduler calls it; its address when not given.

    Raises:
        UsageError: The address is not ``tls://``.
    """
    if not address.startswith("tls://"):
        raise UsageError("a scheduler is reached by tls://host:port; nothing else is encrypted.")

    async def run(folder: Path) -> None:
        from distributed import Worker

        security = identity.security()
        node = Worker(
            address,
            host=host,
            nthreads=threads,
            name=name or None,
            protocol="tls",
            security=security,
            local_directory=str(folder),
            memory_limit=0,
            death_timeout=60,
            dashboard=False,
            dashboard_address=_LOOPBACK,
        )
        # The photo in hand is given to another worker; its child process goes with this one.
        await _until_stopped(node, lambda: node.close(executor_wait=False, reason="stopped"), ready)

    with _configured(), Scratch() as folder:
        asyncio.run(run(folder))


def _configured() -> AbstractContextManager[None]:
    """The settings; they count from the first import of distributed on."""
    try:
        import dask
    except ImportError as error:
        raise MissingPart("a cluster needs the extra: pip install 'medimg[cluster]'.") from error
    settings: AbstractContextManager[None] = dask.config.set(_CONFIG)
    return settings


async def _until_stopped(node: Any, close: Callable[[], Awaitable[Any]], ready: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    with stops.heeded_in(loop, stop.set):
        try:
            await node
        except (OSError, TimeoutError) as error:
            raise MissingPart("the node was not started: the address is taken, or nobody answers there.") from error
        ready(node.address)
        waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(node.finished())]
        await asyncio.wait(waits, return_when="FIRST_COMPLETED")
        for one in waits:
            one.cancel()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(close(), 30)
