"""A mounted share that is slow, reorders what it writes, fails, and loses what nobody waited for.

    python share_program.py DISK MOUNT CONTROL

``DISK`` is what a power cut of the server leaves: what was written comes there when a file is synchronised, a new name
when its folder is, and both otherwise at any time and in any order. ``CONTROL`` is a JSON file that is read before
every call: ``delay`` (seconds at most for a call), ``keeps`` (seconds at most until what nobody waited for comes to
the disk), ``fail`` (call -> [name of an error, part of a path, how often; 0 for always]), and ``rights`` (false: as on
SMB, everything is everybody's).
"""

from __future__ import annotations

import errno
import json
import os
import random
import stat
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import mfusepy

DRAW = random.Random(7)


class Share(mfusepy.Operations):
    """Folders are the disk's at once; files are whole in memory until they come there."""

    use_ns = True

    def __init__(self, disk: str, control: str) -> None:
        self._disk, self._control, self._told = disk, control, ""
        self._set: dict[str, Any] = {}
        self._done: dict[str, int] = {}
        self.turn = threading.RLock()
        self._data: dict[str, bytearray] = {}  # what is not on the disk yet, by the name there
        self._at: dict[str, str] = {}  # a name whose rename is not on the disk yet -> the name it has there
        self._gone: set[str] = set()
        threading.Thread(target=self._by_and_by, daemon=True).start()

    # -- what goes wrong ----------------------------------------------------------------------------------------------

    def befallen(self, call: str, path: str) -> None:
        """The delay and the fault of one call of the kernel's."""
        with open(self._control) as file:
            told = file.read()
        if told and told != self._told:
            self._told, self._set, self._done = told, json.loads(told), {}
        if delay := self._set.get("delay", 0):
            time.sleep(DRAW.uniform(0, delay))
        name, part, times = self._set.get("fail", {}).get(call, ("", "", 0))
        if name and part in path and (not times or self._done.get(call, 0) < times):
            self._done[call] = self._done.get(call, 0) + 1
            raise mfusepy.FuseOSError(getattr(errno, name))

    def _by_and_by(self) -> None:
        """What nobody waited for comes to the disk some time, in any order."""
        while True:
            time.sleep(DRAW.uniform(0, self._set.get("keeps", 0.05)))
            with self.turn:
                for come, left in ((self._written, self._data), (self._named, self._at)):
                    if left and DRAW.random() < 0.5:
                        come(DRAW.choice(list(left)))

    # -- names --------------------------------------------------------------------------------------------------------

    def _there(self, path: str) -> str:
        """The name that a file has on the disk."""
        if path in self._gone:
            raise mfusepy.FuseOSError(errno.ENOENT)
        return self._at.get(path, path)

    def _real(self, path: str) -> str:
        return self._disk + self._there(path)

    def _written(self, there: str) -> None:
        data = self._data.pop(there)
        if os.path.exists(self._disk + there):
            with open(self._disk + there, "r+b") as file:
                file.truncate(len(data))
                file.write(data)

    def _named(self, path: str) -> None:
        """A rename comes to the disk."""
        there = self._at.pop(path)
        self._gone.discard(there)
        os.replace(self._disk + there, self._disk + path)
        self._data.pop(path, None)
        if there in self._data:
            self._data[path] = self._data.pop(there)

    def _all_of(self, folder: str) -> None:
        for path in [p for p in self._at if os.path.dirname(p) == folder or os.path.dirname(self._at[p]) == folder]:
            self._named(path)

    # -- what the kernel asks -----------------------------------------------------------------------------------------

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        there = self._there(path)
        info = os.lstat(self._disk + there)
        wanted = ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_ino")
        found: dict[str, Any] = {name: getattr(info, name) for name in wanted}
        found |= {"st_mtime": info.st_mtime_ns, "st_atime": info.st_atime_ns, "st_ctime": info.st_ctime_ns}
        if there in self._data:
            found["st_size"] = len(self._data[there])
        if not self._set.get("rights", True):
            found["st_mode"] = stat.S_IFMT(info.st_mode) | 0o777
        return found

    def readdir(self, path: str, fh: int) -> list[str]:
        here = {name for name in os.listdir(self._disk + path) if os.path.join(path, name) not in self._gone}
        here |= {os.path.basename(name) for name in self._at if os.path.dirname(name) == path}
        names = sorted(here)
        DRAW.shuffle(names)  # no order is promised
        return [".", "..", *names]

    def mkdir(self, path: str, mode: int) -> int:
        os.mkdir(self._disk + path, mode)
        return 0

    def rmdir(self, path: str) -> int:
        self._all_of(path)
        os.rmdir(self._disk + path)
        return 0

    def chmod(self, path: str, mode: int) -> int:
        if not self._set.get("rights", True):
            raise mfusepy.FuseOSError(errno.EPERM)
        os.chmod(self._real(path), mode)
        return 0

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        there = self._there(path)
        if there in self._data:
            data = self._data[there]
            self._written(there)
            self._data[there] = data
        os.utime(self._disk + there, ns=times)
        return 0

    def listxattr(self, path: str) -> list[str]:
        return []

    def symlink(self, target: str, source: str) -> int:
        raise mfusepy.FuseOSError(errno.ENOTSUP)

    def open(self, path: str, flags: int) -> int:
        os.close(os.open(self._real(path), os.O_RDONLY))
        return 0

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        self._all_of(os.path.dirname(path))  # what had this name before
        os.close(os.open(self._disk + path, os.O_CREAT | os.O_RDWR, mode))
        return 0

    def _held(self, path: str) -> bytearray:
        there = self._there(path)
        if there not in self._data:
            with open(self._disk + there, "rb") as file:
                self._data[there] = bytearray(file.read())
        return self._data[there]

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        there = self._there(path)
        if there in self._data:
            return bytes(self._data[there][offset : offset + size])
        with open(self._disk + there, "rb") as file:
            file.seek(offset)
            return file.read(size)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        held = self._held(path)
        held.extend(bytes(max(0, offset - len(held))))
        held[offset : offset + len(data)] = data
        return len(data)

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        held = self._held(path)
        held.extend(bytes(max(0, length - len(held))))
        del held[length:]
        return 0

    def flush(self, path: str, fh: int) -> int:
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        if (there := self._there(path)) in self._data:
            self._written(there)
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        self._all_of(path)
        return 0

    def rename(self, old: str, new: str) -> int:
        if os.path.isdir(self._disk + old):
            self._all_of(old)
            os.rename(self._disk + old, self._disk + new)
            return 0
        for path in (old, new):  # one after the other
            if path in self._at:
                self._named(path)
        self._at[new] = self._there(old)
        self._gone.discard(new)
        self._gone.add(old)
        return 0

    def unlink(self, path: str) -> int:
        if path in self._at:
            self._named(path)
        os.unlink(self._real(path))
        self._data.pop(path, None)
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        found = os.statvfs(self._disk)
        names = (
            "f_bavail",
            "f_bfree",
            "f_blocks",
            "f_bsize",
            "f_favail",
            "f_ffree",
            "f_files",
            "f_frsize",
            "f_namemax",
        )
        return {name: int(getattr(found, name)) for name in names}


def _answered(call: str) -> Callable[..., Any]:
    answer = getattr(Share, call)

    def with_faults(self: Share, path: str, *more: Any) -> Any:
        self.befallen(call, path)
        with self.turn:
            return answer(self, path, *more)

    return with_faults


CALLS = """chmod create flush fsync fsyncdir getattr listxattr mkdir open read readdir rename rmdir statfs symlink
truncate unlink utimens write""".split()
for one in CALLS:
    setattr(Share, one, _answered(one))

if __name__ == "__main__":
    mfusepy.FUSE(Share(sys.argv[1], sys.argv[3]), sys.argv[2], foreground=True, nothreads=False, fsname="share")
