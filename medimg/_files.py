"""Reading originals without touching them, and writing outputs whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from medimg.errors import Changed, OutputError, TooLarge, Unreadable

NEUTRAL_TIME = 946_684_800  # 2000-01-01 00:00 UTC: a file time that tells nothing


def read_original(path: Path, limit: int) -> bytes:
    """The bytes of a photo, read once.

    Raises:
        Unreadable: It is gone, not a regular file, or may not be read.
        TooLarge: It is larger than ``limit`` bytes.
        Changed: Its size or time changed while it was being read.
    """
    try:
        # O_NONBLOCK: a named pipe must not hang the batch. O_NOATIME would need ownership, so it is only tried.
        flags = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0)
        try:
            handle = os.open(path, flags | getattr(os, "O_NOATIME", 0))
        except PermissionError:
            handle = os.open(path, flags)
        with os.fdopen(handle, "rb") as file:
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise Unreadable("this is not a regular file.")
            if before.st_size > limit:
                raise TooLarge("the file is larger than the policy allows.")
            data = file.read(limit + 1)
            after = os.fstat(file.fileno())
    except OSError as error:
        raise Unreadable("the file could not be read.") from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(data) != after.st_size:
        raise Changed("the file changed while it was being read.")
    return data


def write_private(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a file whole: temporary file in the same folder, fsync, rename. Replaces an older one.

    Raises:
        OutputError: It could not be written; the older file, if any, is still whole.
    """
    with staged(path, data, mode=mode) as temporary:
        publish(temporary, path)


@contextlib.contextmanager
def staged(path: Path, data: bytes, *, mode: int = 0o600) -> Iterator[Path]:
    """Write ``data`` to a temporary file beside ``path`` and give its name; it is removed unless published.

    Raises:
        OutputError: It could not be written (full disk, read-only folder).
    """
    temporary = path.with_name(f".medimg-{secrets.token_hex(8)}.part")
    try:
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.utime(temporary, (NEUTRAL_TIME, NEUTRAL_TIME))
        except OSError as error:
            raise OutputError(
                "the output could not be written.",
                todo="Check the free space and your rights on the output folder.",
            ) from error
        yield temporary
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def publish(temporary: Path, path: Path) -> None:
    """Give a staged file its final name and make the name durable.

    Raises:
        OutputError: The rename failed.
    """
    try:
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise OutputError("the output could not be given its name.") from error
