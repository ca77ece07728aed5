"""What a Dask worker does: check that it is made for this run, then give each photo to a child process with limits.

Every function takes and returns bytes and never raises: Dask logs what a task raises together with its arguments.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from medimg import __version__, faults
from medimg.cluster.messages import Chunk, Done, Reach, Setting, Sight
from medimg.engine import worker
from medimg.engine.pool import Workers
from medimg.engine.worker import Job, Setup
from medimg.errors import MedimgError, OutputError
from medimg.pipeline import refusal
from medimg.run import storage
from medimg.types import Report, from_json, to_json
from medimg.words import mark

_mine = threading.local()
"""Each thread of a Dask worker has a pool of one process: what it works for, and the engines it has."""


def clean(message: bytes) -> bytes:
    """Make the copies of a :class:`~medimg.cluster.messages.Chunk`; a :class:`~medimg.cluster.messages.Done`."""
    address = ""
    try:
        address, threads = _here()
        chunk = from_json(message, Chunk)
        pool, why = _pool(chunk.setting, address, threads)
        if pool is None:
            return _packed(Done(worker=address, refused=why))
        reports = tuple(_one(pool, chunk, job) for job in chunk.jobs)
        return _packed(Done(worker=address, reports=reports))
    except Exception as error:  # noqa: BLE001 - nothing of the message may reach Dask's log
        return _packed(Done(worker=address, refused=mark(f"a fault in the worker ({faults.kind(error)})")))


def look(message: bytes) -> bytes:
    """Whether this worker can take part (:class:`~medimg.cluster.messages.Sight`), and what it does not see."""
    try:
        address, threads = _here()
        sight = from_json(message, Sight)
        missing = sum(not storage.is_url(p) and not os.path.exists(p) for p in sight.paths)  # noqa: PTH110 - bytes
        return _packed(Reach(refused=_pool(sight.setting, address, threads)[1], missing=missing))
    except Exception as error:  # noqa: BLE001
        return _packed(Reach(refused=mark(f"a fault in the worker ({faults.kind(error)})")))


def _packed(record: Done | Reach) -> bytes:
    return to_json(record, indent=0)


def _here() -> tuple[str, int]:
    from distributed import get_worker

    own = get_worker()
    return str(own.address), int(own.state.nthreads)


def _pool(setting: Setting, address: str, threads: int) -> tuple[Workers | None, str]:
    """This thread's pool for a setting, or why it cannot be had."""
    if getattr(_mine, "key", None) == setting.key:
        return _mine.pool, _mine.why
    with contextlib.suppress(AttributeError):
        _mine.pool.__exit__(None, None, None)
    _mine.key = None
    _mine.pool, _mine.why = _started(setting, address, threads)
    _mine.key = setting.key
    return _mine.pool, _mine.why


def _started(setting: Setting, address: str, threads: int) -> tuple[Workers | None, str]:
    if not address.startswith("tls://"):
        return None, mark("the worker's connection is not encrypted")
    if setting.version != __version__:
        return None, mark("another version of medimg")
    if setting.policy.digest != setting.policy_digest:
        return None, mark("another understanding of the policy")
    try:
        setup = Setup(policy=setting.policy, known=setting.known, make=_maker(setting.make))
        pool = Workers(setup, 1, beside=threads, chunk=1)
    except (ImportError, AttributeError):
        return None, mark("the detectors asked for are not installed")
    try:
        if pool.warm() == setting.engines:
            return pool, ""
        why = mark("other models or programs")
    except MedimgError as error:
        why = error.what
    pool.__exit__(None, None, None)
    return None, why


def _maker(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def _one(pool: Workers, chunk: Chunk, job: Job) -> Report:
    """One photo in the child process; what goes wrong becomes its report."""
    future = pool.submit(in_child, job, chunk.staging, seconds=chunk.seconds)
    pool.wait()
    try:
        return pool.result(future)
    except MedimgError as error:
        return refusal(job.safe_id, chunk.setting.policy, error)


def in_child(job: Job, staging: str) -> Report:
    """Make one copy in a staging place; runs in the child process. Its name there need not outlive a power cut.

    Raises:
        OutputError: It could not be put there.
    """
    if not storage.is_url(staging):
        return worker.clean([job], staging, durable=False)[0]
    folder = tempfile.mkdtemp(prefix="copy-")
    try:
        (report,) = worker.clean([job], folder, durable=False)
        if report.copy is not None:
            storage.put(f"{staging}/{report.copy.name}", (Path(folder) / report.copy.name).read_bytes())
    except OSError as error:
        raise OutputError("the copy could not be read back.") from error
    else:
        return report
    finally:
        shutil.rmtree(folder, ignore_errors=True)
