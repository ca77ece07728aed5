"""The HTTP worker as a process of its own, with detectors that find nothing, and a client for its socket."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import dicom_kit
import httpx
import numpy as np
from PIL import Image

from medimg.api import Scrubbed
from medimg.serve.jobs import Answered, Jobs
from medimg.serve.metrics import Metrics
from medimg.types import NOTHING_KNOWN, KnownValues, Report

TOKEN = "0123456789abcdef" * 3
MARK = "Margaret-Whitcombe-1961"
PROGRAM = """
import resource
import sys
from pathlib import Path
root, where, token, jobs, note = sys.argv[1:]
sys.path.insert(0, root)
from tests import batch_fakes
from medimg.engine.worker import Setup
from medimg.policy import Policy
from medimg.serve import app, listen
from medimg.serve.slots import Slots
from medimg.types import Limits

if __name__ == "__main__":
    policy = Policy(limits=Limits(bytes=200_000, seconds=10.0))
    slots = Slots(Setup(policy=policy, make=batch_fakes.make, memory=4 << 30), 1)
    served = app.build(slots, token.encode(), jobs=Path(jobs) if jobs else None)
    if note:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))
        listening = listen.tcp("127.0.0.1", 0, secured=False)
        Path(note).write_text(str(listening.getsockname()[1]))
    else:
        listening = listen.unix(Path(where))
    listen.serve(served, listening)
"""


def photo(seed: int = 1, *, first: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(50, 250, (60, 80, 3), dtype=np.uint8)
    pixels[0, 0] = first
    exif = Image.Exif()
    exif[315] = MARK
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", exif=exif)
    return out.getvalue()


def process(folder: Path, jobs: Path | None = None, note: Path | None = None) -> subprocess.Popen[bytes]:
    """A server on ``folder/s``, or on a port that it writes into a file; what it says goes to ``folder/said``."""
    program = folder / "server.py"
    program.write_text(PROGRAM)
    root = str(Path(__file__).resolve().parents[1])
    command = [sys.executable, str(program), root, str(folder / "s"), TOKEN, str(jobs or ""), str(note or "")]
    (folder / "said").unlink(missing_ok=True)  # what is left of a server that was killed may still write to its own
    with (folder / "said").open("wb") as out:
        return subprocess.Popen(command, stdout=out, stderr=out)


def wait_for(running: subprocess.Popen[bytes], folder: Path, ready: Callable[[], bool]) -> None:
    until = time.monotonic() + 200
    while not ready():
        assert running.poll() is None, (folder / "said").read_text()
        assert time.monotonic() < until
        time.sleep(0.1)


@contextlib.contextmanager
def started(folder: Path, ready: Callable[[], bool] | None = None, **more: Path) -> Iterator[None]:
    running = process(folder, **more)
    try:
        wait_for(running, folder, ready or (lambda: listening(folder / "s")))
        yield
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(100) == 0
    assert (folder / "said").read_bytes() == b""


def listening(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return path.exists() and probe.connect_ex(str(path)) == 0


def start(folder: Path, *command: str, **more: str) -> tuple[subprocess.Popen[bytes], int]:
    """A command of medimg's that serves on a port, as its users start it; what it says goes to ``folder/said``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    line = [sys.executable, "-m", "medimg", command[0], "--port", str(port), *command[1:]]
    with (folder / "said").open("wb") as said:
        running = subprocess.Popen(line, cwd=folder, stdout=said, stderr=said, env={**os.environ, **more})
    try:
        wait_for(running, folder, lambda: accepts(port))
    except BaseException:
        running.kill()
        raise
    return running, port


@contextlib.contextmanager
def serving(folder: Path, *command: str, **more: str) -> Iterator[int]:
    """The same for a ``with`` block; it ends well, and says no name."""
    running, port = start(folder, *command, **more)
    try:
        yield port
    finally:
        running.send_signal(signal.SIGTERM)
        assert running.wait(100) == 0
    assert dicom_kit.MARK not in (folder / "said").read_text()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(path: Path, method: str, where: str, *, token: str | None = TOKEN, **more: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}".encode()} if token is not None else {}
    transport = httpx.HTTPTransport(uds=str(path), verify=False)  # no TLS: its certificates take longer than the answer
    with httpx.Client(transport=transport, base_url="http://medimg", timeout=600) as client:
        request = client.build_request(method, where, headers={**more.pop("headers", {}), **headers}, **more)
        if "files" in more:
            request.read()  # so that it can be looked at afterwards
        return client.send(request)


class Pool:
    """Workers that give a copy, or raise what they are told to."""

    size = 1

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        yield

    async def do(self, job: object, data: bytes, known: KnownValues) -> Scrubbed:
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        return Scrubbed(report=Report(safe_id="P01-001", state="held"), data=None)


async def until_done(jobs: Jobs, job: str) -> Scrubbed | Answered:
    async with asyncio.timeout(20):
        while (said := jobs.answer(job)) is None:
            await asyncio.sleep(0.01)
    return said


def of(folder: Path, pool: Pool, hours: float = 1.0) -> Jobs:
    return Jobs(folder, hours, pool, Metrics(lambda: 0))  # type: ignore[arg-type]


__all__ = ["NOTHING_KNOWN"]
