"""Who may work on a run: one process at a time, and one write of its answers at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from medimg.errors import OutputError, UsageError
from medimg.system import locks

NAME = ".lock"
"""The lock's file, in the private folder."""


def claim(private: Path) -> int:
    """Claim the run of a private folder for this process; the claim ends with the process.

    Returns:
        A file descriptor to keep open.

    Raises:
        UsageError: Another process is working on it.
        OutputError: The lock could not be made.
    """
    try:
        handle = locks.claim(private / NAME)
    except OSError as error:
        raise OutputError("the run folder could not be locked.") from error
    if handle is None:
        raise UsageError("another medimg is working on this run.", todo="Wait until it has finished.")
    return handle


def give_back(private: Path, handle: int) -> None:
    """Give the run back and remove the lock's file."""
    locks.give_back(private / NAME, handle)


def held(private: Path) -> bool:
    """Whether a process is working on the run. The lock is only looked at."""
    return locks.held(private / NAME)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one process at a time compare and write.

    A file system without locks (some network shares) still has the comparison of revisions.

    Raises:
        OutputError: The folder cannot be opened.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(locks.alone(folder))
        except OSError as error:
            raise OutputError("the private folder of this run cannot be opened.") from error
        yield
