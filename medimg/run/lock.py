"""Who may work on a run: one process at a time, and one write of its answers at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from medimg.errors import OutputError, UsageError


def claim(private: Path) -> int:
    """Claim the run of a private folder for this process; the claim ends with the process.

    Returns:
        A file descriptor to keep open.

    Raises:
        UsageError: Another process is working on it.
        OutputError: The lock could not be made.
    """
    path = private / ".lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise OutputError("the run folder could not be locked.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have removed the file between the two calls: then nobody else would see this claim.
        if os.fstat(handle).st_ino != path.stat().st_ino:
            raise BlockingIOError
    except OSError as error:
        os.close(handle)
        raise UsageError("another medimg is working on this run.", todo="Wait until it has finished.") from error
    return handle


def give_back(private: Path, handle: int) -> None:
    """Give the run back and remove the lock's file."""
    with contextlib.suppress(OSError):
        (private / ".lock").unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        os.close(handle)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time compare and write; the lock is on the folder itself and leaves no file behind."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise OutputError("the private folder of this run cannot be opened.") from error
    try:
        # A file system without locks (some network shares) still has the comparison of revisions.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


__all__ = ["alone", "claim", "give_back"]
