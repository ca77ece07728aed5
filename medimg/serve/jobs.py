"""Photos that are answered later, with ``--jobs FOLDER`` alone. What is acknowledged is on the disk.

One folder a job, named after it. ``sent`` is the photo and what is known of the person; it goes once ``answer`` is
there. What begins with a dot was not acknowledged, or is being removed: it goes at the next start. A kill at any moment
leaves a job that waits, or one that is answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from medimg.api import Scrubbed
from medimg.errors import Crashed, MedimgError, OutputError, Unreadable, UsageError
from medimg.run.journal import MAX_DEATHS
from medimg.serve import metrics, slots
from medimg.serve.answers import STATUS, OtherBody
from medimg.serve.once import marks
from medimg.serve.records import Job
from medimg.serve.slots import Slots
from medimg.system import files, host, locks
from medimg.types import KnownValues, Report, from_json, to_json

AGAIN = 30.0
"""Seconds until a job is tried again that could not be done for another reason than its photo."""
LOOK = 60.0
"""Seconds between two looks for jobs that have served their time."""
SENT, BODY, BEGUN, ANSWER, COPY = "sent", "body", "begun", "answer", "copy"
"""Files of a job: the photo and what is known; a digest of both; a sign for each time it was begun; what came of it."""
ID = re.compile(r"\A[0-9a-f]{32}\Z")


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What was sent, on the disk until it is answered."""

    photo: bytes
    known: KnownValues


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it; the copy lies beside it."""

    report: Report | None = None
    suffix: str = ""
    code: str = ""
    what: str = ""
    todo: str = ""


class Jobs:
    """The jobs of a folder.

    Args:
        folder: A private folder of its own; it is made where it is missing.
        hours: How long an answer is kept.
        pool: Who does them.
        counted: Where they are counted.

    Raises:
        UsageError: The folder cannot be used, or others may read it.
    """

    def __init__(self, folder: Path, hours: float, pool: Slots, counted: metrics.Metrics) -> None:
        self._folder, self._hours, self._pool, self._counted = folder, hours, pool, counted
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._busy: dict[str, asyncio.Event] = {}
        self._taking = threading.Lock()
        self.arriving = asyncio.Semaphore(pool.size * slots.AT_HAND)
        try:
            host.private_folder(folder, exist_ok=True)
            if host.others_may_read(folder):
                raise UsageError("others may read the folder of the jobs.", todo="chmod 700 it.")
        except OSError as error:
            raise UsageError("the folder of the jobs cannot be used.") from error

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Go on with what waits, for as long as the block runs.

        Raises:
            UsageError: Another server works with the folder.
            OutputError: It cannot be written.
        """
        claim = locks.claim(self._folder / ".lock")
        if claim is None:
            raise UsageError("another server works with the folder of the jobs.")
        try:
            for job in await asyncio.to_thread(self._found):
                self._queue.put_nowait(job)
            self._counted.waiting(self._queue.qsize)
            tasks = [asyncio.create_task(self._work()) for _ in range(self._pool.size)]
            tasks.append(asyncio.create_task(self._sweep()))
            yield
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            locks.give_back(self._folder / ".lock", claim)

    def _found(self) -> list[str]:
        """At the start: the key is there, what was not acknowledged goes, and these wait, the oldest first."""
        for left in (*self._folder.glob(".*-*"), *self._folder.glob("*/.*-*")):
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
        key = self._folder / "key"
        if not key.exists():
            files.write_private(key, secrets.token_bytes(32))
        self._salt = key.read_bytes()
        there = sorted((p for p in self._folder.iterdir() if ID.match(p.name)), key=lambda p: p.stat().st_mtime_ns)
        for path in there:
            if (path / ANSWER).exists():
                (path / SENT).unlink(missing_ok=True)
        return [p.name for p in there if not (p / ANSWER).exists()]

    async def take(self, key: str, data: bytes, known: KnownValues) -> Job:
        """Put a photo on the disk; the same one under the same key is the same job.

        Raises:
            OtherBody: The key was used for something else.
            OutputError: It could not be written; nothing of it stays.
        """
        name, body = marks(self._salt, key or secrets.token_hex(16), data, known)
        job = name.hex()[:32]
        if await asyncio.to_thread(self._taken, job, body, Sent(photo=data, known=known)):
            self._queue.put_nowait(job)
        return self.job(job)

    def _taken(self, job: str, body: bytes, sent: Sent) -> bool:
        path = self._folder / job
        with self._taking:
            if path.exists():
                if (path / BODY).read_bytes() != body:
                    raise OtherBody
                return False
            new = self._folder / f".new-{job}"
            try:
                host.private_folder(new)
                files.write_private(new / BODY, body)
                files.write_private(new / SENT, msgspec.msgpack.encode(sent))
                new.rename(path)
                files.sync_folder(self._folder)
            except OSError as error:
                raise OutputError("the photo could not be put on the disk.") from error
            finally:
                shutil.rmtree(new, ignore_errors=True)
        return True

    def job(self, job: str) -> Job:
        """How a job stands.

        Raises:
            KeyError: There is none of that name.
        """
        path = self._path(job)
        return Job(id=job, state="done" if (path / ANSWER).exists() else "waiting")

    def _path(self, job: str) -> Path:
        if not ID.match(job) or not (self._folder / job).is_dir():
            raise KeyError
        return self._folder / job

    def all(self) -> list[Job]:
        """Every job, in no order."""
        out = []
        for entry in os.scandir(self._folder):
            with contextlib.suppress(KeyError):  # another file, or one that has just gone
                out.append(self.job(entry.name))
        return out

    def answer(self, job: str) -> Scrubbed | Answered | None:
        """The answer of a job: a copy and its report, why there is none, or None as long as it waits.

        Raises:
            KeyError: There is none of that name.
        """
        path = self._path(job)
        try:
            said = from_json((path / ANSWER).read_bytes(), Answered)
            if said.report is None:
                return said
            data = (path / COPY).read_bytes() if said.report.copy is not None else None
        except FileNotFoundError:
            return None
        return Scrubbed(report=said.report, data=data, suffix=said.suffix)

    async def remove(self, job: str) -> None:
        """Remove a job and all of it; one that is in work, once it is done.

        Raises:
            KeyError: There is none of that name.
            OutputError: It could not be removed to its end.
        """
        path = self._path(job)
        if job in self._busy:
            await self._busy[job].wait()
        await asyncio.to_thread(self._removed, path)

    def _removed(self, path: Path) -> None:
        gone = self._folder / f".gone-{path.name}"
        try:
            with self._taking:
                path.rename(gone)
                files.sync_folder(self._folder)
            shutil.rmtree(gone)
        except FileNotFoundError:
            raise KeyError from None
        except OSError as error:
            raise OutputError("the job could not be removed to its end.") from error

    async def purge(self, older: float = 0.0) -> int:
        """Remove every job that was answered more than so many seconds ago; how many.

        Raises:
            OutputError: One could not be removed.
        """
        removed = 0
        for one in await asyncio.to_thread(self.all):
            with contextlib.suppress(KeyError, FileNotFoundError):
                # The folder was last changed when the photo went out of it.
                if one.state == "done" and time.time() - (self._folder / one.id).stat().st_mtime >= older:
                    await self.remove(one.id)
                    removed += 1
        return removed

    async def _sweep(self) -> None:
        while True:
            with contextlib.suppress(OutputError):  # another time
                await self.purge(3600 * self._hours)
            await asyncio.sleep(LOOK)

    async def _work(self) -> None:
        while True:
            job = await self._queue.get()
            if job in self._busy:  # it was removed and sent again, and stands in the queue twice
                continue
            self._busy[job] = asyncio.Event()
            try:
                await self._one(self._folder / job)
            except Exception:  # noqa: BLE001 - the disk is full, a part is missing, whatever it is: it waits
                if (self._folder / job / SENT).exists():
                    asyncio.get_running_loop().call_later(AGAIN, self._queue.put_nowait, job)
            finally:
                self._busy.pop(job).set()

    async def _one(self, path: Path) -> None:
        try:
            async with self._pool.turn():
                await asyncio.to_thread(_answered, path, *await self._done(path))
        except BaseException:
            (path / BEGUN).unlink(missing_ok=True)  # it was not this photo that ended it
            raise

    async def _done(self, path: Path) -> tuple[Answered, bytes | None]:
        with self._counted.photo() as became:
            try:
                sent = await asyncio.to_thread(_begun, path)
                made = await self._pool.do(slots.scrub, sent.photo, sent.known)
            except MedimgError as error:
                if STATUS.get(error.exit_code) != 422:
                    raise
                became.append(error.code)
                return Answered(code=error.code, what=error.what, todo=error.todo), None
            became.append(str(made.report.state))
            return Answered(report=made.report, suffix=made.suffix), made.data


def _begun(path: Path) -> Sent:
    """What was sent. A photo in whose company the whole server died time and again is held.

    Raises:
        Crashed: It is such a one.
        Unreadable: The disk has damaged it.
        OSError: It is not there any more.
    """
    files.make_private(path / BEGUN)
    with (path / BEGUN).open("ab") as file:
        if file.tell() >= MAX_DEATHS:
            raise Crashed("the server ended several times while it worked on this photo.")
        file.write(b"+")
    try:
        return msgspec.msgpack.decode((path / SENT).read_bytes(), type=Sent)
    except msgspec.DecodeError as error:
        raise Unreadable("what was sent was damaged on the disk.") from error


def _answered(path: Path, said: Answered, copy: bytes | None) -> None:
    """Write the answer, and only then remove what was sent."""
    if copy is not None:
        files.write_private(path / COPY, copy)
    files.write_private(path / ANSWER, to_json(said, indent=0))
    (path / SENT).unlink()
    files.sync_folder(path)
