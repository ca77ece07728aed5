"""Locks between processes: on a file that serves as nothing else, or on a folder. They end with their process."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from medimg.system import host


def claim(path: Path) -> int | None:
    """Lock a file, which is made where it is missing.

    Returns:
        A handle to keep open; None when another process has the lock.

    Raises:
        OSError: The file cannot be made or opened.
    """
    handle = host.open_lock(path)
    try:
        host.lock(handle)
        # Whoever held it may have removed the file between the two calls: then nobody else would see this claim.
        if os.fstat(handle).st_ino == path.stat().st_ino:
            return handle
    except OSError:
        pass
    os.close(handle)
    return None


def give_back(path: Path, handle: int) -> None:
    """Remove the file and give the lock back.

    The name goes first, so that nobody claims a file that is about to go. Where an open file keeps its name, it goes
    last: whoever has claimed it in between has it open, and it stays.
    """
    if host.UNLINK_OPEN:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        os.close(handle)
    if not host.UNLINK_OPEN:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def held(path: Path) -> bool:
    """Whether a process has the lock. It is only looked at."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe in its place is not waited for
    except OSError:
        return False
    try:
        host.lock(handle, shared=True)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other process is inside for this folder. A file system without locks lets everybody in.

    Raises:
        OSError: The folder cannot be opened.
    """
    handle = host.open_folder(folder)
    try:
        with contextlib.suppress(OSError):
            host.lock(handle, wait=True)
        yield
    finally:
        os.close(handle)
