"""What is Linux's own."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

assert sys.platform == "linux"  # noqa: S101 - says to a type checker which system this is

from medimg.system import _posix, cgroup
from medimg.system._posix import *  # noqa: F403
from medimg.system._posix import PosixTree, kill_session_of, lead_session

LIBRARY = ".so"
"""Suffix of a shared library."""
KNOWS_WRITERS = True
"""Whether :func:`being_written` can be answered."""

_AT_FDCWD, _RENAME_NOREPLACE = -100, 1  # <linux/fcntl.h>, <linux/fs.h>


def temporary_base() -> Path:
    """Where temporary files go: into memory (``/dev/shm``) where it can be written."""
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes a folder of our own in it
    return memory if memory.is_dir() and os.access(memory, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())


def font_folders() -> tuple[str, ...]:
    """Where fonts are kept: the folders that fontconfig has from the start."""
    own = (os.path.expanduser(folder) for folder in ("~/.local/share/fonts", "~/.fonts"))  # noqa: PTH111 - may fail
    return ("/usr/share/fonts", "/usr/local/share/fonts", *filter(os.path.isabs, own))


def rename_new(old: Path, new: Path) -> bool:
    """Give a file a name that must be free, in one step (renameat2(2)).

    Returns:
        False when this system or file system has no such rename: nothing was done.

    Raises:
        FileExistsError: There is a file of that name already.
        OSError: The rename failed, for example because ``new`` is on another disk.
    """
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    if rename(_AT_FDCWD, os.fsencode(old), _AT_FDCWD, os.fsencode(new), ctypes.c_uint(_RENAME_NOREPLACE)) == 0:
        return True
    number = ctypes.get_errno()
    # EINVAL: the file system does not know the flag (renameat2(2)); network and FUSE file systems may not.
    if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(number, os.strerror(number))


def sync_file(handle: int) -> None:
    """Wait until an open file is on the disk.

    Raises:
        OSError: It is not.
    """
    os.fsync(handle)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlive a power cut.

    Raises:
        OSError: The folder could not be synchronised.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def being_written(path: bytes) -> bool:
    """Whether a process of this computer has the file open for writing, as far as that can be found out.

    Linux gives a read lease (fcntl(2), F_SETLEASE) only for a file that nobody has open for writing. It is given back
    at once. Where leases are not possible (another owner, a network share) this says False.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.fcntl(handle, fcntl.F_SETSIG, signal.SIGURG)  # a writer that comes now: this signal is ignored
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        os.close(handle)
    return False


def lead(memory: int) -> None:
    """Make this process the leader of all that it starts, and bound it; for a worker, at its start.

    Args:
        memory: Most bytes of address space; 0 for no limit.
    """
    lead_session()
    if memory:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def kill_left_by(leaders: set[int]) -> None:
    """Kill what workers that are gone have left running: their sessions (proc(5), field 6 of ``stat``)."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = entry.read_text(errors="replace").rpartition(")")[2].split()  # counted after the last bracket
            if int(fields[3]) in leaders:
                kill_session_of(int(entry.parent.name))


class Tree(PosixTree):
    """A program and all that it has started; the kernel bounds it, so that it ends also when its parent was killed.

    Args:
        process: The program.
        seconds: Processor time it may use.
        memory: Bytes of address space it may use.
    """

    def __init__(self, process: subprocess.Popen[bytes], seconds: float, memory: int) -> None:
        super().__init__(process)
        limit = max(1, round(seconds))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (limit, limit + 1))
            resource.prlimit(process.pid, resource.RLIMIT_AS, (memory, memory))
            resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))


def processors() -> int:
    """Processors this process may use, also in a container or a service that is given less than there are."""
    there = len(os.sched_getaffinity(0)) or 1
    return min(there, cgroup.processors() or there)


def total_memory() -> int:
    """Memory this process may use, in bytes: that of the computer, or of its container; 0 where nothing says."""
    there = _posix.total_memory()
    return min(there, cgroup.memory() or there)


def give_back() -> None:
    """Give memory that was freed back to the system; glibc keeps it otherwise, and a worker's peak stands on it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # malloc_trim(3); musl has none
    if trim is not None:
        trim(0)


def open_targets() -> list[str]:
    """What the open files of this process are; none where the system does not say."""
    found = []
    with contextlib.suppress(OSError):
        for link in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                found.append(str(link.readlink()))
    return found


def only_in_cloud(info: os.stat_result) -> bool:  # noqa: ARG001 - the other systems' question
    """Whether a file's content lies with a cloud service and would have to be fetched; Linux has no mark for that."""
    return False


__all__ = [
    "KNOWS_WRITERS", "LIBRARY", "Tree", "being_written", "give_back", "kill_left_by", "lead", "only_in_cloud",
    "open_targets", "processors", "rename_new", "sync_file", "sync_folder", "temporary_base", "total_memory",
]  # fmt: skip
__all__ += _posix.__all__
