"""What is macOS's own. Checked by types, and its portable parts by tests; never run on a Mac."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

assert sys.platform == "darwin"  # noqa: S101 - says to a type checker which system this is

from medimg.system import _posix
from medimg.system._posix import *  # noqa: F403
from medimg.system._posix import PosixTree, end_tree, kill_session_of, lead_session, total_memory
from medimg.system.placeholders import dataless

LIBRARY = ".dylib"
"""Suffix of a shared library."""
KNOWS_WRITERS = False
"""Whether :func:`being_written` can be answered."""

_RENAME_EXCL = 4  # <sys/stdio.h>
_LOOK = 0.25
"""Seconds between two looks at the memory a worker uses."""


def temporary_base() -> Path:
    """Where temporary files go: the user's own folder for them."""
    return Path(tempfile.gettempdir())


def font_folders() -> tuple[str, ...]:
    """Where fonts are kept."""
    own = os.path.expanduser("~/Library/Fonts")  # noqa: PTH111 - it may stay as it is: there is no home
    return ("/System/Library/Fonts", "/Library/Fonts", *filter(os.path.isabs, (own,)))


def rename_new(old: Path, new: Path) -> bool:
    """Give a file a name that must be free, in one step (renamex_np(2)).

    Returns:
        False when this file system has no such rename: nothing was done.

    Raises:
        FileExistsError: There is a file of that name already.
        OSError: The rename failed, for example because ``new`` is on another disk.
    """
    try:
        rename = ctypes.CDLL(None, use_errno=True).renamex_np
    except (AttributeError, OSError):
        return False
    if rename(os.fsencode(old), os.fsencode(new), ctypes.c_uint(_RENAME_EXCL)) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOTSUP, errno.EINVAL):
        return False
    raise OSError(number, os.strerror(number))


def sync_file(handle: int) -> None:
    """Wait until an open file is on the disk; fsync(2) alone leaves it in the drive's own memory.

    Raises:
        OSError: It is not.
    """
    try:
        fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
    except OSError:  # a network share has no such call
        os.fsync(handle)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlive a power cut.

    Raises:
        OSError: The folder could not be synchronised.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        sync_file(handle)
    finally:
        os.close(handle)


def being_written(path: bytes) -> bool:  # noqa: ARG001 - the other systems' question
    """Whether a process has the file open for writing: macOS does not say; a file that has rested counts as whole."""
    return False


def lead(memory: int) -> None:
    """Make this process the leader of all that it starts, and bound it; for a worker, at its start.

    macOS takes a limit on the address space and does not keep to it (getrlimit(2)). So the worker looks at its own
    memory several times a second, and ends when it is over.

    Args:
        memory: Most bytes of real memory; 0 for no limit.
    """
    lead_session()
    if memory:
        threading.Thread(target=_bound, args=(memory,), daemon=True).start()


def _bound(memory: int) -> None:
    while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss <= memory:  # bytes on macOS (getrusage(2))
        time.sleep(_LOOK)
    end_tree()


def kill_left_by(leaders: set[int]) -> None:
    """Kill what workers that are gone have left running: all processes of their sessions."""
    for pid in _processes():
        with contextlib.suppress(OSError):
            if os.getsid(pid) in leaders:
                kill_session_of(pid)


def _processes() -> list[int]:
    """Numbers of all processes (libproc.h, proc_listallpids); none where the call is missing."""
    try:
        call = ctypes.CDLL(None).proc_listallpids
    except (AttributeError, OSError):
        return []
    room = max(0, call(None, 0)) + 64
    found = (ctypes.c_int * room)()
    number = max(0, call(found, ctypes.sizeof(found)))
    return [pid for pid in found[:number] if pid > 1]


class Tree(PosixTree):
    """A program and all that it has started. Its time is bounded by its caller, its memory is not.

    Args:
        process: The program.
        seconds: Processor time it may use.
        memory: Bytes it may use.
    """

    def __init__(self, process: subprocess.Popen[bytes], seconds: float, memory: int) -> None:  # noqa: ARG002
        super().__init__(process)


def processors() -> int:
    """Processors this process may use."""
    return os.cpu_count() or 1


def give_back() -> None:
    """Nothing: this system's C library has no such call."""


def open_targets() -> list[str]:
    """What the open files of this process are; macOS does not say."""
    return []


def only_in_cloud(info: os.stat_result) -> bool:
    """Whether a file's content lies with a cloud service (iCloud, OneDrive) and would have to be fetched."""
    return dataless(getattr(info, "st_flags", 0))


__all__ = [
    "KNOWS_WRITERS", "LIBRARY", "Tree", "being_written", "give_back", "kill_left_by", "lead", "only_in_cloud",
    "open_targets", "processors", "rename_new", "sync_file", "sync_folder", "temporary_base", "total_memory",
]  # fmt: skip
__all__ += _posix.__all__
