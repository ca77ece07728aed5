"""The only place that starts other programs.

A program runs by its absolute path, without a shell, in a private folder that is removed afterwards, and with an
environment made from nothing: no ``LD_LIBRARY_PATH`` (``import cv2`` writes one whose empty entry means *the current
folder*, see :mod:`medimg.native.opencv`), no ``PYTHON*``, no account or path of the user. It leads a process group of
its own (on Windows: is in a job of its own), and the whole group is killed when its time is up. On Linux and Windows
the kernel also bounds its processor time and memory, so that a program whose parent was killed does not run on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from medimg.errors import CheckNotRun, MissingPart
from medimg.system import children, host, scratch

MEMORY = 4 << 30
"""Address space a program may use, in bytes."""

_running: dict[int, Program] = {}
_lock = threading.Lock()


def find(name: str) -> Path:
    """The absolute path of an installed program.

    Raises:
        MissingPart: It is in none of the system's folders for programs.
    """
    for folder in host.program_folders():
        path = Path(folder, name + host.PROGRAM)
        if path.is_file() and os.access(path, os.X_OK):
            return path
    raise MissingPart(f"the program '{name}' is not installed.")


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """A private folder (mode 0700), in memory where the system has such a place; removed with all it holds.

    Raises:
        OSError: It cannot be made.
    """
    given = os.environ.get("MEDIMG_SCRATCH")  # a batch gives its workers a folder that goes even when they are killed
    if not given:
        with scratch.Scratch() as folder:
            yield folder
        return
    with tempfile.TemporaryDirectory(prefix="medimg-", dir=given, ignore_cleanup_errors=True) as inside:
        yield Path(inside)


def environment(folder: Path) -> dict[str, str]:
    """All the variables a program gets; ``folder`` is its home and the place for its temporary files."""
    return {**host.program_environment(folder), "OMP_THREAD_LIMIT": "1"}


class Program(subprocess.Popen[bytes]):
    """A running program; its three streams are pipes.

    Args:
        command: The absolute path of the program, then its arguments.
        folder: Its working folder, from :func:`workspace`.
        seconds: Processor time it may use.

    Raises:
        ValueError: The path is not absolute.
        OSError: It could not be run.
    """

    def __init__(self, command: Sequence[str], folder: Path, seconds: float) -> None:
        if not Path(command[0]).is_absolute():
            raise ValueError("a program is named by its absolute path")
        super().__init__(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env=environment(folder),
            close_fds=True,
            **host.start_options(),
        )
        self._tree = host.Tree(self, seconds, MEMORY)
        with _lock:
            _running[self.pid] = self

    def send_signal(self, sig: int) -> None:  # noqa: ARG002 - whatever is asked for, nothing may stay behind
        """Kill the whole group."""
        self._tree.kill()

    def kill(self) -> None:
        """Kill the whole group."""
        self._tree.kill()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and kill what it left behind."""
        code = super().wait(timeout)
        self.kill()
        with _lock:
            _running.pop(self.pid, None)
        return code

    def __exit__(self, *details: Any) -> None:
        """Kill what is left, and close the pipes."""
        if self.poll() is None:
            self.kill()
        super().__exit__(*details)


def stop_all() -> None:
    """Kill every program this process has running; for the end of a worker."""
    with _lock:
        programs = list(_running.values())
    for program in programs:
        program.kill()


def run(
    command: Sequence[str], *, timeout: float, given: bytes = b"", files: Mapping[str, bytes] | None = None
) -> bytes:
    """Run a program to its end and return what it wrote to its standard output.

    Args:
        command: The absolute path of the program (:func:`find`), then its arguments.
        timeout: Seconds of wall time.
        given: What it reads from its standard input.
        files: Name -> content of what lies in its working folder when it starts.

    Raises:
        MissingPart: The program is not there.
        CheckNotRun: It could not be run, took too long, or ended with an error. What it said is not quoted.
    """
    name = Path(command[0]).name
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(workspace())
            for file, content in (files or {}).items():
                (folder / file).write_bytes(content)
        except OSError as error:
            raise CheckNotRun(f"the folder for temporary files could not be used ({_cause(error)}).") from error
        try:
            program = stack.enter_context(Program(command, folder, timeout))
        except FileNotFoundError as error:
            if Path(command[0]).exists():  # the folder, or the interpreter of a script
                raise CheckNotRun(f"'{name}' could not be run.") from error
            raise MissingPart(f"the program '{name}' is not installed.") from error
        except OSError as error:
            raise CheckNotRun(f"'{name}' could not be run ({_cause(error)}).") from error
        try:
            out, _ = program.communicate(given, timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise CheckNotRun(f"'{name}' took too long.") from error
        except OSError as error:
            raise CheckNotRun(f"'{name}' could not be run ({_cause(error)}).") from error
        code = program.returncode
    if code:
        raise CheckNotRun(f"'{name}' ended with an error.")
    return out


async def beside(command: Sequence[str]) -> asyncio.subprocess.Process:
    """Start a process that works beside this one, such as a worker of a cluster.

    It is the same user's, has this process's variables and standard error, and no limits. Ctrl-C on a terminal does not
    reach it.

    Args:
        command: The absolute path of a program, or the name of an installed one (:func:`find`), and its arguments.

    Raises:
        MissingPart: No program of that name is installed.
        OSError: It could not be run.
    """
    named = Path(command[0])
    program = named if named.is_absolute() else find(command[0])
    variables = {**os.environ, **children.changes(os.environ)}
    return await asyncio.create_subprocess_exec(
        program,
        *command[1:],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={name: value for name, value in variables.items() if value is not None},
        **host.start_options(),
    )


def _cause(error: OSError) -> str:
    """What the system said, without the path that it says it about."""
    return os.strerror(error.errno) if error.errno else type(error).__name__
