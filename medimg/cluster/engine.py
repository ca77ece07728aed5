"""The coordinator: gives chunks to the cluster, fetches the copies, and lets the run's own journal settle them."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import queue
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from medimg import __version__
from medimg.cluster import task
from medimg.cluster.adaptive import STARTS
from medimg.cluster.messages import Chunk, Done, Reach, Setting, Sight
from medimg.cluster.nodes import Identity
from medimg.engine.pool import Workers
from medimg.engine.worker import Job
from medimg.errors import Crashed, Interrupted, MissingPart, OutputError, UsageError
from medimg.pipeline import refusal
from medimg.run import storage
from medimg.run.folder import STAGING
from medimg.system import files, host
from medimg.types import CopySummary, Report, from_json, to_json

CHUNK_FULL = 8
"""Photos a worker gets at once; what a dead worker had begun is done again by another."""
CHUNK_LIGHT = 64
_AHEAD = 2
"""Chunks given out for each thread of the cluster, so that none waits for the coordinator."""
_REACH = 20.0
_START = 300.0
_LOOK = 0.5


class Cluster:
    """A cluster that cleans (:class:`medimg.engine.batch.Engine`).

    Args:
        address: ``tls://host:port`` of the scheduler.
        identity: This side's certificate.
        staging: URL where workers put copies when they cannot write to the run folder; it is fetched from there.
        chunk: Photos given out together; chosen by what is checked when not given.

    Raises:
        UsageError: The address is not ``tls://``.
    """

    def __init__(self, address: str, identity: Identity, *, staging: str = "", chunk: int | None = None) -> None:
        if not address.startswith("tls://"):
            raise UsageError("a cluster is reached by tls://host:port; nothing else is encrypted.")
        if staging and not storage.is_url(staging):
            raise UsageError("the staging place must be a URL that fsspec can reach.")
        self.address, self.identity, self.staging, self.chunk = address, identity, staging.rstrip("/"), chunk

    @contextlib.contextmanager
    def pool(self, local: Workers) -> Iterator[ClusterPool]:
        """Connect, and ask every worker whether it is made for this run.

        Raises:
            MissingPart: The cluster cannot be reached, has no workers, or one is of another kind.
        """
        try:
            from distributed import Client
        except ImportError as error:
            raise MissingPart("a cluster needs the extra: pip install 'medimg[cluster]'.") from error
        try:
            client = Client(  # type: ignore[no-untyped-call]
                self.address, security=self.identity.security(), timeout=_REACH, set_as_default=False, name="medimg"
            )
        except (OSError, TimeoutError, ValueError) as error:
            raise MissingPart(
                "the cluster cannot be reached, or does not take this certificate.",
                todo="Check the address, the scheduler, and the certificates.",
            ) from error
        pool = ClusterPool(client, local, self)
        try:
            pool.check()
            yield pool
        finally:
            pool.close()


class _Handle:
    """A chunk that is out."""

    def __init__(self, future: Any, jobs: Sequence[Job], staging: str, folder: Path) -> None:
        self.future, self.jobs, self.staging, self.folder = future, jobs, staging, folder


class ClusterPool:
    """What the loop of a batch sees of a cluster (:class:`medimg.engine.loop.Pool`)."""

    def __init__(self, client: Any, local: Workers, cluster: Cluster) -> None:
        setup = local.setup
        self._client, self._local, self._cluster = client, local, cluster
        self._setting = Setting(
            version=__version__,
            policy=setup.policy,
            policy_digest=setup.policy.digest,
            engines=local.warm(),
            make=f"{setup.make.__module__}:{setup.make.__qualname__}",
            known=setup.known,
        )
        self.chunk = cluster.chunk or (CHUNK_FULL if setup.policy.scope == "full" else CHUNK_LIGHT)
        self.size = 0
        self._over: queue.SimpleQueue[_Handle] = queue.SimpleQueue()
        self._live: set[_Handle] = set()
        self._staged: set[Path] = set()
        self._probed = False
        self._looked = 0.0

    def check(self, paths: Sequence[bytes] = ()) -> None:
        """Ask every worker whether it is made for this run, and whether it sees some files.

        Raises:
            MissingPart: One is not, or does not.
        """
        message = to_json(Sight(setting=self._setting, paths=tuple(paths)), indent=0)
        try:
            seen = self._asked(message)
        except (OSError, TimeoutError, RuntimeError) as error:
            raise MissingPart("the cluster has no workers that answer.", todo="Start the workers first.") from error
        refused = sorted({s.refused for s in seen if s.refused})
        if refused:
            count = sum(bool(s.refused) for s in seen)
            raise MissingPart(f"{count} of {len(seen)} workers cannot take part: {'; '.join(refused)}.")
        if any(s.missing for s in seen):
            count = sum(bool(s.missing) for s in seen)
            raise MissingPart(
                f"{count} of {len(seen)} workers do not see the photos or the run folder.",
                todo="Mount both at the same path everywhere, or name the photos by URL and give --staging.",
            )
        self._resize()

    def _asked(self, message: bytes) -> list[Reach]:
        """The answers of all workers that are there. One that ends while it is asked is not waited for.

        Raises:
            TimeoutError: One does not answer, or none is left.
            OSError: The scheduler is gone.
        """
        asked: dict[str, Any] = {}
        seen: dict[str, Reach] = {}
        end = time.monotonic() + _START
        alone, patience = 0.0, _REACH
        if self._client.get_metadata([STARTS], default=False):
            patience = math.inf
            wanted = self._client.submit(task.look, message, pure=False)  # noqa: F841 - something waits: one is started
        while True:
            self._local.heed_stop()
            there = set(self._client.nthreads())
            for gone in {n for n, f in asked.items() if n not in there or f.status in ("error", "lost", "cancelled")}:
                self._client.cancel([asked.pop(gone)], force=True)
                seen.pop(gone, None)
            for name in there - set(asked):
                asked[name] = self._client.submit(
                    task.look, message, workers=[name], allow_other_workers=False, pure=False
                )
            for name, future in asked.items():
                if name not in seen and future.status == "finished":
                    seen[name] = from_json(future.result(timeout=_REACH), Reach)
            if there and set(seen) == there:
                return list(seen.values())
            now = time.monotonic()
            alone = 0.0 if there else alone or now
            end = end if there else now + _START
            if now > end or (alone and now > alone + patience) or self._client.status != "running":
                raise TimeoutError
            time.sleep(_LOOK / 5)

    def give(self, jobs: Sequence[Job], folder: str, seconds: float) -> _Handle:
        """Give a chunk out; its copies go to a place of its own first."""
        token = secrets.token_hex(8)
        home = Path(folder).absolute().parent / STAGING  # a worker has another current folder
        if self._cluster.staging:
            staging = f"{self._cluster.staging}/{Path(folder).parent.name}/{token}"
        else:
            staging = str(home / token)
            with _as_output_error():
                host.private_folder(Path(staging), parents=True)
            self._staged.add(home)
        if not self._probed:
            self._probed = True
            self.check([j.path for j in jobs[:1]] + ([] if self._cluster.staging else [os.fsencode(staging)]))
        chunk = Chunk(setting=self._setting, jobs=tuple(jobs), staging=staging, seconds=seconds)
        future = self._client.submit(task.clean, to_json(chunk, indent=0), pure=False, key=f"clean-{token}")
        handle = _Handle(future, jobs, staging, Path(folder))
        self._live.add(handle)
        future.add_done_callback(lambda _future, handle=handle: self._over.put(handle))
        return handle

    def wait(self) -> list[_Handle]:
        """The chunks that are over, as soon as there is one.

        Raises:
            KeyboardInterrupt: The caller's ``stop`` said so.
            Interrupted: The scheduler is gone.
        """
        while self._live:
            self._local.heed_stop()
            done = []
            with contextlib.suppress(queue.Empty):
                done.append(self._over.get(timeout=_LOOK))
                while True:
                    done.append(self._over.get_nowait())
            done = [h for h in done if h in self._live]
            if not done:
                if self._client.status != "running":
                    raise Interrupted(
                        "the cluster's scheduler is gone; nothing half-written is left.",
                        todo="Start it again, then --resume.",
                    )
                done = [h for h in self._live if h.future.status in ("lost", "cancelled")]
            if time.monotonic() - self._looked > 10 * _LOOK:
                self._resize()
            if done:
                self._live -= set(done)
                return done
        return []

    def result(self, handle: _Handle) -> list[Report | None]:
        """Reports of a chunk; its copies now have their names in the run folder.

        Raises:
            Crashed: Several workers in a row ended while they had it.
            MissingPart: No worker is left that is made for this run.
        """
        nothing: list[Report | None] = [None] * len(handle.jobs)
        try:
            if handle.future.status == "error":
                raise Crashed("the workers ended while they worked on this photo.")
            if handle.future.status != "finished":
                return nothing
            try:
                done = from_json(handle.future.result(timeout=_REACH), Done)
            except (TimeoutError, OSError, RuntimeError):  # its worker died with the answer
                return nothing
            if done.refused or [r.safe_id for r in done.reports] != [j.safe_id for j in handle.jobs]:
                self._dismiss(done)
                return nothing
            reports: list[Report | None] = [self._fetched(r, handle) for r in done.reports]
            with _as_output_error():
                files.sync_folder(handle.folder)
            return reports
        finally:
            handle.future.release()
            self._discard(handle.staging)

    def close(self) -> None:
        """Take back what is out, and leave the cluster."""
        with contextlib.suppress(Exception):
            if self._live:
                self._client.cancel([h.future for h in self._live], force=True)
        for handle in self._live:
            self._discard(handle.staging)
        with contextlib.suppress(Exception):
            self._client.close(timeout=5)
        for home in self._staged:
            shutil.rmtree(home, ignore_errors=True)

    def _resize(self) -> None:
        self._looked = time.monotonic()
        with contextlib.suppress(OSError, TimeoutError, RuntimeError):
            self.size = max(1, _AHEAD * sum(self._client.nthreads().values()))

    def _dismiss(self, done: Done) -> None:
        """A worker that came later and is not made for this run gets no more of it."""
        with contextlib.suppress(OSError, TimeoutError, RuntimeError):
            if done.worker:
                self._client.retire_workers([done.worker])
            if self._client.nthreads():
                return
        raise MissingPart(f"no worker is left that can take part: {done.refused or 'a fault in the worker'}.")

    def _fetched(self, report: Report, handle: _Handle) -> Report:
        """Give a copy its name in the run folder; only here is it ever given, once for each attempt that counts."""
        if report.copy is None:
            return report
        name = report.copy.name
        if Path(name).stem != report.safe_id or Path(name).name != name:
            return self._failed(report)
        try:
            if self._cluster.staging:
                data = storage.get(f"{handle.staging}/{name}")
                _same(report.copy, len(data), hashlib.sha256(data).hexdigest())
                files.write_private(handle.folder / name, data)
            else:
                staged = Path(handle.staging) / name
                with _as_output_error():
                    _same(report.copy, staged.stat().st_size, report.copy.sha256)
                files.publish(staged, handle.folder / name, durable=False)
        except OutputError:
            return self._failed(report)
        return report

    def _failed(self, report: Report) -> Report:
        error = OutputError("the copy did not reach the run folder.", todo="Check the storage, then --resume.")
        return refusal(report.safe_id, self._setting.policy, error)

    def _discard(self, staging: str) -> None:
        if self._cluster.staging:
            storage.remove(staging)
        else:
            shutil.rmtree(staging, ignore_errors=True)


def _same(copy: CopySummary, size: int, digest: str) -> None:
    if (size, digest) != (copy.bytes, copy.sha256):
        raise OutputError("the copy that arrived is not the one that was checked.")


@contextlib.contextmanager
def _as_output_error() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError("the run folder could not be written.") from error
