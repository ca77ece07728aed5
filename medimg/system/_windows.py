"""What is Windows's own. Tried under Wine; never run on Windows.

The numbers are those of the Windows SDK (winbase.h, winnt.h, winerror.h); its calls are declared in :mod:`_win32`.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import msvcrt
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import winreg
from pathlib import Path
from typing import Any

from medimg.system import _win32 as win32
from medimg.system.placeholders import recalled
from medimg.system.windows_names import long_path

assert sys.platform == "win32"  # noqa: S101 - says to a type checker which system this is

from medimg.system._registry import registry_values, remove_registry, write_registry

LIBRARY = ".dll"
"""Suffix of a shared library."""
PROGRAM = ".exe"
"""Suffix of a program's file name."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGBREAK)
"""Signals besides Ctrl-C that ask a command to stop: Ctrl-Break is what the closing of a console sends as well."""
SERVES = False
"""Whether this system can be a server for others (``serve``, ``cluster``): a token's rights are not read here."""
UNLINK_OPEN = False
"""Whether the name of a file that is open, or mapped into memory, can be removed."""
KNOWS_WRITERS = True
"""Whether :func:`being_written` can be answered."""

_TRIES = 12
"""Attempts to rename while a virus scanner or a sync client holds a file: about two seconds in all."""
_ACCESS_DENIED, _SHARING, _LOCKED = 5, 32, 33
_PRIVATE = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)"
"""Full rights for the system, administrators and the owner, for all inside, and nothing inherited from above; what
``mkdir(mode=0o700)`` sets from Python 3.11.10, 3.12.4 and 3.13 on."""
_TESSERACT = "Tesseract-OCR"


def program_folders() -> tuple[str, ...]:
    """Where programs are looked for: where Tesseract's installer says it is, then where it is by default."""
    found = []
    for hive in (winreg.HKEY_LOCAL_MACHINE, winreg.HKEY_CURRENT_USER):
        with contextlib.suppress(OSError), winreg.OpenKey(hive, rf"SOFTWARE\{_TESSERACT}") as key:
            found.append(str(winreg.QueryValueEx(key, "InstallDir")[0]))
    for name, inside in (("ProgramFiles", ""), ("LOCALAPPDATA", "Programs")):
        if os.environ.get(name):
            found.append(str(Path(os.environ[name], inside, _TESSERACT)))
    return tuple(folder for folder in found if Path(folder).is_absolute())


def program_environment(folder: Path) -> dict[str, str]:
    """All that a program is told of its surroundings; ``folder`` is its home and the place for temporary files."""
    root = os.environ.get("SystemRoot", r"C:\Windows")  # noqa: SIM112 - the system's spelling; libraries are found by it
    own_folder = str(folder)
    return {
        "SystemRoot": root,
        "PATH": rf"{root}\System32",
        "LC_ALL": "C.UTF-8",
        "HOME": own_folder,
        "USERPROFILE": own_folder,
        "TEMP": own_folder,
        "TMP": own_folder,
    }


def settle_console() -> None:
    """Make text go out as UTF-8, also into a pipe or a file, which get an old code page otherwise."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]


def open_folder(folder: Path) -> int:
    """A handle by which a folder is locked (:func:`lock`): of an empty file in it, as a folder cannot be opened.

    Raises:
        OSError: It is no folder, or may not be written.
    """
    return open_lock(folder / ".medimg-lock")


def open_lock(path: Path) -> int:
    """A handle of a file that serves as a lock; it is made where it is missing, and is no link.

    Raises:
        OSError: It cannot be opened.
    """
    if path.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def lock(handle: int, *, shared: bool = False, wait: bool = False) -> None:
    """Lock what a handle stands for (LockFileEx); given back when it is closed, or with the end of the process.

    Locks of Windows keep others from reading what is locked, so the byte locked lies far behind the end of the file.

    Raises:
        OSError: Another process has it, or the file system has no locks.
    """
    place = win32.Overlapped(low=0, high=0x40000000)
    flags = (0 if shared else 2) | (0 if wait else 1)  # LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY
    if not win32.lock_file(msvcrt.get_osfhandle(handle), flags, 0, 1, 0, ctypes.byref(place)):
        raise win32.fault()


def replace(old: Path, new: Path) -> None:
    """Rename a file, and replace what has the new name; it is on the disk when this returns.

    A virus scanner or sync client may hold a file that was just written: it is tried again, for two seconds.

    Raises:
        OSError: It could not be done.
    """
    _move(old, new, 1)  # MOVEFILE_REPLACE_EXISTING


def _move(old: Path, new: Path, flags: int) -> None:
    for attempt in range(_TRIES):
        if win32.move_file(long_path(str(old)), long_path(str(new)), flags | 8):  # MOVEFILE_WRITE_THROUGH
            return
        number = ctypes.get_last_error()
        if number not in (_ACCESS_DENIED, _SHARING, _LOCKED) or attempt == _TRIES - 1:
            raise ctypes.WinError(number)
        time.sleep(0.01 * 2 ** min(attempt, 5))


def rename_new(old: Path, new: Path) -> bool:
    """Give a file a name that must be free, in one step; tried again as in :func:`replace`.

    Returns:
        True: this system always has such a rename.

    Raises:
        FileExistsError: There is a file of that name already.
        OSError: The rename failed, for example because ``new`` is on another disk.
    """
    _move(old, new, 0)
    return True


def sync_file(handle: int) -> None:
    """Wait until an open file is on the disk.

    Raises:
        OSError: It is not.
    """
    os.fsync(handle)


def sync_folder(folder: Path) -> None:
    """Nothing: a folder cannot be synchronised, and :func:`replace` has waited for the disk.

    Raises:
        OSError: It is no folder.
    """
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))


def being_written(path: bytes) -> bool:
    """Whether a process of this computer has the file open for writing: then it cannot be opened without leave to."""
    name = long_path(os.fsdecode(path))
    # GENERIC_READ; shared for reading and deletion, not for writing; OPEN_EXISTING; a link itself, not its target.
    handle = win32.create_file(name, 0x80000000, 1 | 4, None, 3, 0x00200000, None)
    if handle in (None, win32.HANDLE(-1).value):
        return ctypes.get_last_error() == _SHARING
    win32.close(handle)
    return False


def take(path: Path) -> int:
    """Open a file for the last time, to read or map it: it goes with the last handle of it, that of a map included.

    Raises:
        OSError: It could not be opened.
    """
    return os.open(path, os.O_RDONLY | os.O_BINARY | os.O_TEMPORARY)  # FILE_FLAG_DELETE_ON_CLOSE


def private_folder(folder: Path, *, parents: bool = False, exist_ok: bool = False) -> None:
    """Make a folder that its owner alone may enter, besides administrators. One that is there keeps its rights.

    Raises:
        OSError: It could not be made.
    """
    if exist_ok and folder.is_dir():
        return
    folder.mkdir(parents=parents, exist_ok=exist_ok)
    rights = win32.pointer()
    if not win32.describe_rights(_PRIVATE, 1, ctypes.byref(rights), None):
        raise win32.fault()
    try:
        if not win32.set_rights(str(folder), 4, rights):  # DACL_SECURITY_INFORMATION
            raise win32.fault()
    finally:
        win32.free(rights)


def own(info: os.stat_result) -> bool:  # noqa: ARG001 - the other systems' question
    """Whether a file belongs to this user: temporary files lie in a folder of the user's own."""
    return True


def others_may_read(path: Path) -> bool:
    """Whether anybody but its owner may read a file: this is not found out here, so the answer is yes.

    Raises:
        OSError: It cannot be looked at.
    """
    path.stat()
    return True


def font_folders() -> tuple[str, ...]:
    """Where fonts are kept: the system's, and those that a user installed for themself."""
    root = os.environ.get("SystemRoot", r"C:\Windows")  # noqa: SIM112 - the system's spelling
    own = os.environ.get("LOCALAPPDATA", "")
    found = (str(Path(root, "Fonts")), str(Path(own, "Microsoft", "Windows", "Fonts")) if own else "")
    return tuple(folder for folder in found if Path(folder).is_absolute())


def temporary_base() -> Path:
    """Where temporary files go: the user's own folder for them."""
    return Path(tempfile.gettempdir())


def alive(pid: int) -> bool:
    """Whether a process runs. ``os.kill(pid, 0)`` would send it Ctrl-C."""
    process = win32.open_process(0x1000 | 0x100000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION, SYNCHRONIZE
    if not process:
        return ctypes.get_last_error() == _ACCESS_DENIED
    try:
        return bool(win32.wait_for(process, 0) == 0x102)  # WAIT_TIMEOUT
    finally:
        win32.close(process)


def _job(memory: int, seconds: float = 0.0) -> int:
    """A job object: what is in it ends when its last handle is closed, and each process is bounded."""
    made = win32.create_job(None, None)
    if not made:
        raise win32.fault()
    limits = win32.ExtendedLimits()
    limits.basic.flags = 0x2000 | (0x100 if memory else 0) | (0x2 if seconds else 0)
    """JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, _PROCESS_MEMORY, _PROCESS_TIME"""
    limits.process_memory = memory
    limits.basic.process_time = round(seconds * 10_000_000)  # in units of 100 ns
    if not win32.set_job(made, 9, ctypes.byref(limits), ctypes.sizeof(limits)):  # JobObjectExtendedLimitInformation
        fault = win32.fault()
        win32.close(made)
        raise fault
    return int(made)


_own_job: list[int] = []
"""The job this process leads; its handle is never closed, so it ends with the process."""


def lead(memory: int) -> None:
    """Make this process the leader of all that it starts, and bound it; for a worker, at its start.

    Args:
        memory: Most bytes it may commit; 0 for no limit.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches every process of a console; the batch decides
    signal.signal(signal.SIGBREAK, signal.SIG_IGN)
    job = _job(memory)
    if not win32.assign(job, win32.current_process()):
        raise win32.fault()
    _own_job.append(job)
    win32.error_mode(0x8003)  # a program that crashes shows no window, which would wait for somebody


def end_tree() -> None:
    """End this process, which leads a job, with all that is in it."""
    for job in _own_job:
        win32.end_job(job, 1)


def kill_left_by(leaders: set[int]) -> None:
    """Nothing: what a worker had started ended with its job."""


def start_options() -> dict[str, Any]:
    """How :class:`subprocess.Popen` starts a program: without a window, and out of reach of Ctrl-C."""
    return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}


class Tree:
    """A program and all that it has started: a job of their own.

    Args:
        process: The program.
        seconds: Processor time each process may use.
        memory: Bytes each process may commit.
    """

    def __init__(self, process: subprocess.Popen[bytes], seconds: float, memory: int) -> None:
        self._job = _job(memory, max(1.0, seconds))
        if not win32.assign(self._job, int(process._handle)):  # type: ignore[attr-defined]
            fault = win32.fault()
            if process.poll() is None:  # else it has ended already
                process.kill()
                raise fault

    def kill(self) -> None:
        """End all of it."""
        if self._job:
            win32.end_job(self._job, 1)
            win32.close(self._job)
            self._job = 0


def processors() -> int:
    """Processors this process may use."""
    return os.cpu_count() or 1


def total_memory() -> int:
    """Memory of this computer, in bytes; 0 where the system does not say."""
    told = win32.MemoryStatus(length=ctypes.sizeof(win32.MemoryStatus))
    return int(told.total) if win32.memory_status(ctypes.byref(told)) else 0


def open_files() -> int:
    """How many files this process may have open (the C library's bound, _setmaxstdio)."""
    return 8192


def allow_open_files(number: int) -> None:
    """Nothing: the bound is fixed."""


def unix_socket() -> socket.socket:
    """Refuse: Python has no socket files on Windows.

    Raises:
        OSError: Always.
    """
    raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))


def bind_private(listening: Any, path: Path) -> None:  # noqa: ARG001 - the other systems' signature
    """Refuse: Python has no socket files on Windows.

    Raises:
        OSError: Always.
    """
    raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))


def give_back() -> None:
    """Nothing: this system's C library has no such call."""


def open_targets() -> list[str]:
    """What the open files of this process are; Windows does not say."""
    return []


def only_in_cloud(info: os.stat_result) -> bool:
    """Whether a file's content lies with a cloud service (OneDrive) and would have to be fetched."""
    return recalled(info.st_file_attributes)


__all__ = [
    "KNOWS_WRITERS", "LIBRARY", "PROGRAM", "SERVES", "STOP_SIGNALS", "UNLINK_OPEN", "Tree", "alive",
    "allow_open_files", "being_written", "bind_private", "end_tree", "give_back", "kill_left_by", "lead", "lock",
    "long_path", "only_in_cloud", "open_files", "open_folder", "open_lock", "open_targets", "others_may_read", "own",
    "private_folder", "processors", "program_environment", "program_folders", "registry_values", "remove_registry",
    "rename_new", "replace", "settle_console", "start_options", "sync_file", "sync_folder", "take",
    "temporary_base", "total_memory", "unix_socket", "write_registry",
]  # fmt: skip
