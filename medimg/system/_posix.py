"""What Linux and macOS have in common."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

assert sys.platform != "win32"  # noqa: S101 - says to a type checker which system this is

PROGRAM = ""
"""Suffix of a program's file name."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
"""Signals besides Ctrl-C that ask a command to stop."""
SERVES = True
"""Whether this system can be a server for others (``serve``, ``cluster``)."""
UNLINK_OPEN = True
"""Whether the name of a file that is open, or mapped into memory, can be removed."""


def program_folders() -> tuple[str, ...]:
    """Where programs are looked for. ``PATH`` is not asked: it may name a folder with photos."""
    return ("/usr/bin", "/usr/local/bin", "/bin", "/opt/homebrew/bin", "/opt/local/bin")


def program_environment(folder: Path) -> dict[str, str]:
    """All that a program is told of its surroundings; ``folder`` is its home and the place for temporary files."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(folder), "TMPDIR": str(folder)}


def long_path(path: str) -> str:
    """The path in a form without a limit on its length."""
    return path


def settle_console() -> None:
    """Make text go out as UTF-8, also into a pipe; here the locale sees to that."""


def open_folder(folder: Path) -> int:
    """A handle by which a folder is locked (:func:`lock`): of the folder itself.

    Raises:
        OSError: It is no folder, or may not be opened.
    """
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def open_lock(path: Path) -> int:
    """A handle of a file that serves as a lock; it is made where it is missing, and is no link.

    Raises:
        OSError: It cannot be opened.
    """
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def lock(handle: int, *, shared: bool = False, wait: bool = False) -> None:
    """Lock what a handle stands for (flock(2)); given back when it is closed, or with the end of the process.

    Raises:
        OSError: Another process has it, or the file system has no locks.
    """
    fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))


def replace(old: Path, new: Path) -> None:
    """Rename a file, and replace what has the new name.

    Raises:
        OSError: It could not be done.
    """
    old.replace(new)


def take(path: Path) -> int:
    """Open a file for the last time, to read or map it: its name goes, its content stays as long as it is in use.

    Raises:
        OSError: It could not be opened or removed.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        path.unlink()
    except OSError:
        os.close(handle)
        raise
    return handle


def private_folder(folder: Path, *, parents: bool = False, exist_ok: bool = False) -> None:
    """Make a folder that its owner alone may enter (mode 0700). One that is there keeps its rights.

    Raises:
        OSError: It could not be made.
    """
    folder.mkdir(mode=0o700, parents=parents, exist_ok=exist_ok)


def own(info: os.stat_result) -> bool:
    """Whether a file belongs to this user."""
    return info.st_uid == os.getuid()


def others_may_read(path: Path) -> bool:
    """Whether anybody but its owner has a right on a file.

    Raises:
        OSError: It cannot be looked at.
    """
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def lead_session() -> None:
    """Lead a session, so that what this process starts can be found; no core file, which would hold the photo."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def kill_session_of(pid: int) -> None:
    """Kill one process; it may be gone."""
    with contextlib.suppress(OSError):
        os.kill(pid, signal.SIGKILL)


def end_tree() -> None:
    """End this process, which leads a session, with its process group."""
    os.killpg(0, signal.SIGKILL)


def start_options() -> dict[str, Any]:
    """How :class:`subprocess.Popen` starts a program: as the leader of a process group."""
    return {"process_group": 0}


class PosixTree:
    """A program that was started with :func:`start_options`, and all that it has started."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._group = process.pid

    def kill(self) -> None:
        """Kill the whole group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._group, signal.SIGKILL)


def registry_values(key: str) -> dict[str, str]:  # noqa: ARG001 - Windows' question
    """What stands in a key of this user's registry; this system has none."""
    return {}


def write_registry(key: str, values: Mapping[str, str]) -> None:
    """Nothing: this system has no registry.

    Raises:
        OSError: Never here.
    """


def remove_registry(key: str) -> None:
    """Nothing: this system has no registry.

    Raises:
        OSError: Never here.
    """


def total_memory() -> int:
    """Memory of this computer, in bytes; 0 where the system does not say."""
    with contextlib.suppress(ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 0


def open_files() -> int:
    """How many files and connections this process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def allow_open_files(number: int) -> None:
    """Raise that number, as far as the user may."""
    with contextlib.suppress(ValueError, OSError):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, number)), hard))


def unix_socket() -> socket.socket:
    """A socket that listens at a file.

    Raises:
        OSError: The system has none.
    """
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)


def bind_private(listening: Any, path: Path) -> None:
    """Bind a socket to a file that its owner alone may use.

    Raises:
        OSError: It could not be done.
    """
    before = os.umask(0o177)
    try:
        listening.bind(str(path))
    finally:
        os.umask(before)


__all__ = [
    "PROGRAM", "SERVES", "STOP_SIGNALS", "UNLINK_OPEN", "alive", "allow_open_files", "bind_private", "end_tree",
    "lock", "long_path", "open_files", "open_folder", "open_lock", "others_may_read", "own", "private_folder",
    "program_environment", "program_folders", "registry_values", "remove_registry", "replace", "settle_console",
    "start_options", "take", "unix_socket", "write_registry",
]  # fmt: skip
"""What both systems give on."""
