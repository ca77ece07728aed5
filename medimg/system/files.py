"""Reading originals without touching them, and writing outputs whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from medimg.errors import Changed, OutputError, TooLarge, Unreadable
from medimg.system import host, placeholders

if TYPE_CHECKING:
    from medimg.types import Copy

NEUTRAL_TIME = 946_684_800  # 2000-01-01 00:00 UTC: a file time that tells nothing
READ_SIZE = 1 << 17
"""Bytes that are read back at once: few enough to stay in the processor's cache."""

TICK = 100_000_000
"""Nanoseconds in which a file's time may not tell two writes apart: a kernel's tick is 10 ms and Windows' 15.6 ms; the
rest is for a write of tens of megabytes that has set the time and is still under way."""
SECONDS = 2_000_000_000
"""The same where a time is of whole seconds: FAT keeps the time of a change in steps of two."""
READS = 3
"""Most times that a file that was written just now is read again."""

SETTINGS = 1 << 20
"""Most bytes of a file of settings: the shipped checklist, the longest that medimg has, takes 37 KB."""
VALUES = 64 << 20
"""Most bytes of a table or list that a person names: a row for each of 100,000 photos, of 600 bytes."""


def state(info: os.stat_result) -> tuple[int, int]:
    """Size and time of a file, by which a change is noticed; both fit into 64 bits with a sign, as in SQLite.

    A clock that was never set, or a damaged file system, gives times that do not fit (after the year 2262): such a
    time is taken modulo 2**64, so that it still differs from the times around it.
    """
    return info.st_size, (info.st_mtime_ns + (1 << 63)) % (1 << 64) - (1 << 63)


def read_original(path: Path, limit: int, expected: tuple[int, int] | None = None) -> bytes:
    """The bytes of a photo, read once.

    Args:
        path: Where it is.
        limit: Most bytes.
        expected: The :func:`state` it had when it was listed.

    Raises:
        Unreadable: It is gone, not a regular file, or may not be read.
        TooLarge: It is larger than ``limit`` bytes.
        Changed: Its size or time changed while it was being read, or since it was listed.
    """
    try:
        # O_NONBLOCK: a named pipe must not hang the batch. O_NOATIME would need ownership, so it is only tried.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
        place = host.long_path(os.fspath(path))
        if host.only_in_cloud(os.stat(place)):  # noqa: PTH116 - a long path is no Path
            raise Unreadable(f"{placeholders.WORDS}.")
        try:
            handle = os.open(place, flags | getattr(os, "O_NOATIME", 0))
        except PermissionError:
            handle = os.open(place, flags)
        with os.fdopen(handle, "rb") as file:
            return _settled(file, limit, expected)
    except (OSError, ValueError) as error:  # ValueError: no file has such a name
        raise Unreadable("the file could not be read.") from error


def _settled(file: BinaryIO, limit: int, expected: tuple[int, int] | None) -> bytes:
    """All of an open file, of one state: a file that was written just now is read until two reads agree.

    A write sets the time first and the bytes after it, and a second write in the same tick leaves the time as it is:
    the times before and after a read tell nothing of a file whose time is not older than the clock's grain.
    """
    now = time.time_ns()
    seen, data = _once(file, limit, expected)
    grain = max((_grain(at) for at in seen.times if abs(now - at) < _grain(at)), default=0)
    if not grain:
        return data
    for _ in range(READS):
        time.sleep(grain / 1e9)
        before, (seen, again) = (seen, data), _once(file, limit, expected)
        if (seen, again) == before:
            return again
        data = again
    raise Changed("the file changed while it was being read.")


class _Seen(NamedTuple):
    place: tuple[int, int]
    size: int
    times: tuple[int, int]


def _once(file: BinaryIO, limit: int, expected: tuple[int, int] | None) -> tuple[_Seen, bytes]:
    before = os.fstat(file.fileno())
    if not stat.S_ISREG(before.st_mode):
        raise Unreadable("this is not a regular file.")
    if expected is not None and state(before) != expected:
        raise Changed("the file changed after it was listed.")
    if before.st_size > limit:
        raise TooLarge("the file is larger than the policy allows.")
    file.seek(0)
    data = file.read(limit + 1)
    after = os.fstat(file.fileno())
    if _seen(before) != _seen(after) or len(data) != after.st_size:
        raise Changed("the file changed while it was being read.")
    return _seen(after), data


def _seen(info: os.stat_result) -> _Seen:
    """What tells one state of an open file; the second time cannot be set back by the program that writes."""
    return _Seen((info.st_dev, info.st_ino), info.st_size, (info.st_mtime_ns, info.st_ctime_ns))


def _grain(at: int) -> int:
    return TICK if at % 1_000_000_000 else SECONDS


def read_own(path: Path) -> bytes:
    """A file that medimg wrote; something else in its place, such as a named pipe, is not waited for.

    Raises:
        OSError: It is not there, is no regular file, or may not be read.
    """

    def unblocked(name: str, flags: int) -> int:
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))

    with open(path, "rb", opener=unblocked) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return file.read()


def read_named(path: Path, most: int = SETTINGS) -> bytes:
    """A file that a person named: settings, answers, known values. It may be a pipe, and may not be endless.

    Raises:
        OSError: It may not be read, or is longer than ``most`` bytes.
    """
    with path.open("rb") as file:
        return bounded(file, most)


def bounded(file: BinaryIO, most: int) -> bytes:
    """All of an open file, or none of it.

    Raises:
        OSError: It may not be read, or is longer than ``most`` bytes.
    """
    data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return data


def write_private(path: Path, data: bytes, *, mode: int = 0o600, new: bool = False) -> None:
    """Write a file whole: temporary file in the same folder, fsync, rename.

    An older file is replaced, unless it has to be ``new``.

    Raises:
        OutputError: It could not be written, or has to be new and is there; the older file, if any, is still whole.
    """
    with staged(path, data, mode=mode) as temporary:
        publish(temporary, path, new=new)


@contextlib.contextmanager
def staged(path: Path, data: bytes, *, mode: int = 0o600) -> Iterator[Path]:
    """Write ``data`` to a temporary file beside ``path`` and give its name; it is removed unless published.

    Raises:
        OutputError: It could not be written (full disk, read-only folder).
    """
    temporary = path.with_name(f".medimg-{secrets.token_hex(8)}.part")
    try:
        try:
            handle = os.open(host.long_path(str(temporary)), os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                sync(file)
            os.utime(temporary, (NEUTRAL_TIME, NEUTRAL_TIME))
        except (OSError, ValueError) as error:  # ValueError: no file can have such a name
            raise OutputError(
                "the output could not be written.",
                todo="Check the free space and your rights on the output folder.",
            ) from error
        yield temporary
    finally:
        with contextlib.suppress(OSError, ValueError):  # it is not there, or the folder is read-only by now
            temporary.unlink()


def publish(temporary: Path, path: Path, *, new: bool = False, durable: bool = True) -> None:
    """Give a staged file its final name; ``durable`` makes the name outlive a power cut (:func:`sync_folder`).

    What has that name is replaced, unless the name has to be ``new``.

    Raises:
        OutputError: The rename failed, or the name has to be new and is taken.
    """
    try:
        if new:
            name_new(temporary, path)
        else:
            host.replace(temporary, path)
    except FileExistsError as error:
        raise OutputError("there is already a file of that name.", todo="Choose another place.") from error
    except OSError as error:
        raise OutputError("the output could not be given its name.") from error
    if durable:
        sync_folder(path.parent)


def name_new(temporary: Path, path: Path) -> None:
    """Give a staged file a name that nothing has: whether it is free is found out by the act that takes it.

    Raises:
        FileExistsError: Something has that name.
        OSError: It could not be done.
    """
    if host.rename_new(temporary, path):
        return
    try:  # NFS and some FUSE file systems rename in no such way
        os.link(temporary, path, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # nor do some link: an empty file takes the name first, and that one is ours to replace
        make_private(path, new=True)
        try:
            host.replace(temporary, path)
        except OSError:
            path.unlink()
            raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlive a power cut.

    Raises:
        OutputError: The folder could not be synchronised.
    """
    try:
        host.sync_folder(folder)
    except OSError as error:
        raise OutputError("the output folder could not be synchronised with the disk.") from error


def make_private(path: Path, *, new: bool = False) -> None:
    """Make an empty file that its owner alone may read, for a library that would make it readable by others.

    Args:
        path: The file.
        new: It must not be there.

    Raises:
        OSError: It could not be made.
    """
    os.close(os.open(host.long_path(str(path)), os.O_RDWR | os.O_CREAT | (os.O_EXCL if new else 0), 0o600))


def sync(file: BinaryIO) -> None:
    """Wait until what was written to an open file is on the disk.

    Raises:
        OSError: It is not.
    """
    file.flush()
    host.sync_file(file.fileno())


def _read_back(path: Path, expected: bytes) -> bytes:
    """What the file at ``path`` holds, every byte of it read.

    Compared piece by piece: where all of it is as expected, the bytes that are in memory already stand for it, and no
    second copy of a large file is made.
    """
    wanted, at = memoryview(expected), 0
    with path.open("rb", buffering=0) as file:
        while piece := file.read(READ_SIZE):
            if wanted[at : at + len(piece)].tobytes() != piece:
                return path.read_bytes()
            at += len(piece)
    return expected if at == len(expected) else path.read_bytes()


class FileSink:
    """Puts one copy into a folder: staged under a temporary name, read back from there, then given its name.

    ``data`` is what it holds, and empty until it is released; ``suffix`` is the one of its name.

    Args:
        folder: Where the copy goes; it must exist.
        stem: Its name without the suffix.
        new: Nothing that has the copy's name may be replaced.
        durable: False when the caller calls :func:`sync_folder` after several copies.
    """

    def __init__(self, folder: Path, stem: str, *, new: bool = False, durable: bool = True) -> None:
        self._folder, self._stem, self._new, self._durable = folder, stem, new, durable
        self._stack = contextlib.ExitStack()
        self._staged: tuple[Path, Path, bytes] | None = None
        self.data, self.suffix = b"", ""

    def stage(self, copy: Copy) -> bytes:
        """Write the copy beside its later place, fsync it, and return what the file then holds."""
        self.discard()
        final = self._folder / f"{self._stem}{copy.suffix}"
        temporary = self._stack.enter_context(staged(final, copy.data))
        self._staged, self.suffix = (temporary, final, copy.data), copy.suffix
        try:
            return _read_back(temporary, copy.data)
        except OSError as error:
            raise OutputError("the output could not be read back.") from error

    def release(self) -> str:
        """Give the copy its name, and return it."""
        if self._staged is None:
            raise OutputError("nothing was staged.")
        temporary, final, data = self._staged
        publish(temporary, final, new=self._new, durable=self._durable)
        self._staged, self.data = None, data
        self._stack.close()
        return final.name

    def discard(self) -> None:
        """Remove what was staged, if anything."""
        self._staged = None
        self._stack.close()
