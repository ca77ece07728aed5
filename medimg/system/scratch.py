"""Private folders for temporary files: in memory where the system has such a place, and removed after a kill too.

The owner of a folder holds a lock on it (flock(2)), which ends with the owner however that comes about. Whoever makes a
folder removes those without a lock. A process number says nothing: containers share ``/dev/shm`` (``--ipc=host``, a
pod) and do not see each other's processes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

from medimg.system import host

PREFIX = "medimg-scratch-"
_UNLOCKED = "medimg-????????"
"""Folders of a library of an earlier version, which did not lock them."""
_OLD = 3600.0
"""Seconds after which nobody uses one of those: a program that was started in it has at most minutes."""


def base() -> Path:
    """Where they are made: in memory (``/dev/shm``), or else where the system has its temporary files."""
    return host.temporary_base()


class Scratch:
    """A new private folder (mode 0700), locked by this process until :meth:`remove`.

    Raises:
        OSError: It could not be made.
    """

    def __init__(self) -> None:
        place = base()
        sweep(place)
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}x", dir=place))
            with contextlib.suppress(OSError):
                self._lock = host.open_folder(self.path)
                if _locked(self._lock) and self.path.exists():
                    return
                os.close(self._lock)  # another process swept it before it was locked

    def remove(self) -> None:
        """Remove the folder with all it holds."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(self._lock)
        if not host.UNLINK_OPEN:
            shutil.rmtree(self.path, ignore_errors=True)  # the lock's file was in it

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        self.remove()


def sweep(place: Path) -> None:
    """Remove the folders of this user whose owner is gone."""
    for left in place.glob(f"{PREFIX}*"):
        # Earlier versions did not lock theirs, and had the number of their process in the name.
        owner = left.name.removeprefix(PREFIX).partition("-")[0]
        if not (owner.isdigit() and Path("/proc", owner).exists()):
            _remove_if_free(left, 0.0)
    for left in place.glob(_UNLOCKED):
        with contextlib.suppress(OSError):
            # Whatever else has such a name ("medimg-pictures") is somebody's own.
            if not left.is_symlink() and all(entry.name.startswith("tess_") for entry in left.iterdir()):
                _remove_if_free(left, _OLD)


def _remove_if_free(folder: Path, age: float) -> None:
    with contextlib.suppress(OSError):
        info = folder.lstat()
        if not (stat.S_ISDIR(info.st_mode) and host.own(info) and time.time() - info.st_mtime >= age):
            return
        handle = host.open_folder(folder)
        try:
            free = _locked(handle)
            if free:
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(handle)
        if free and not host.UNLINK_OPEN:
            shutil.rmtree(folder, ignore_errors=True)  # the lock's file was in it


def _locked(handle: int) -> bool:
    try:
        host.lock(handle)
    except OSError:
        return False
    return True
