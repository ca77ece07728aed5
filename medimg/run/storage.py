"""Photos that lie elsewhere: ``s3://bucket/folder``, ``sftp://...``, whatever fsspec can reach.

Reading and listing, the way of a finished copy from a cluster's worker to the run folder, and released copies that are
put somewhere. Needs the extra ``medimg[storage]``; a mounted share (SMB, NFS) is a local path and needs nothing.
"""

from __future__ import annotations

import contextlib
import math
import os
import posixpath
import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from medimg.errors import Changed, MissingPart, OutputError, TooLarge, Unreadable, UsageError
from medimg.system import files

T = TypeVar("T")

Listing = dict[bytes, list[tuple[bytes, os.stat_result]]]
"""Folder -> names and what is known of each file: size and time."""

_URL = re.compile(rb"\A[a-z][a-z0-9+.-]+://.", re.DOTALL)


TRIES = 3
PAUSE = 1.0
"""Seconds before the second try, and twice as many before the third: a storage that restarts, a line that was cut."""
_FINAL = (Changed, TooLarge, MissingPart, FileNotFoundError, PermissionError)
"""What another try does not change."""


def is_url(path: str | bytes) -> bool:
    """Whether this is a URL and no local path. ``file://`` is not taken: it is a local path said differently."""
    return _URL.match(os.fsencode(path)) is not None and not os.fsencode(path).startswith(b"file://")


def plain(place: str) -> str:
    """A local path for a ``file://`` URL; everything else as it is.

    Raises:
        UsageError: The URL names another computer.
    """
    parts = urlsplit(place)
    if not place.startswith("file://"):
        return place
    if parts.netloc not in ("", "localhost"):
        raise UsageError("a file:// URL has three slashes: it is a path of this computer.")
    from urllib.request import url2pathname  # loads http and email

    return url2pathname(parts.path)


def listing(url: bytes) -> Listing:
    """Every file below a URL.

    Raises:
        UsageError: It cannot be listed.
        MissingPart: What reaches this kind of URL is not installed.
    """
    system, top = _reached(url)
    out: Listing = {}
    try:
        found = _tried(lambda: system.find(top, detail=True))
    except Exception as error:
        raise UsageError("one of the URLs named cannot be listed.") from error
    for full, info in sorted(found.items()):
        if full == top:
            raise UsageError("a URL must name a folder.", todo="Name the folder the photo lies in.")
        inside = posixpath.relpath(full, top)
        folder, _, name = inside.rpartition("/")
        out.setdefault(os.fsencode(folder), []).append((os.fsencode(name), _stat(info)))
    return out


def read(url: bytes, limit: int, expected: tuple[int, int] | None = None) -> bytes:
    """The bytes of a photo. ``expected`` is its size and time in nanoseconds when it was listed (0: not known).

    Raises:
        Unreadable: It is gone, or may not be read.
        TooLarge: It is larger than ``limit`` bytes.
        Changed: It is not what was listed.
    """
    try:
        return _tried(lambda: _read(url, limit, expected))
    except (Changed, TooLarge, MissingPart):
        raise
    except Exception as error:
        raise Unreadable("the file could not be read.") from error


def _read(url: bytes, limit: int, expected: tuple[int, int] | None) -> bytes:
    system, path = _reached(url)
    info = _stat(system.info(path))
    if expected is not None and files.state(info) != expected:
        raise Changed("the file changed after it was listed.")
    if info.st_size > limit:
        raise TooLarge("the file is larger than the policy allows.")
    data: bytes = system.cat_file(path)
    if len(data) != info.st_size or files.state(_stat(system.info(path))) != files.state(info):
        raise Changed("the file changed while it was being read.")
    return data


def _tried(job: Callable[[], T]) -> T:
    for pause in (PAUSE, 2 * PAUSE):
        try:
            return job()
        except _FINAL:
            raise
        except Exception:  # noqa: BLE001 - each storage has errors of its own
            time.sleep(pause)
    return job()


def put(url: str, data: bytes) -> None:
    """Write an object: it appears whole, or not at all.

    Raises:
        OutputError: It could not be written.
    """
    try:
        _tried(lambda: _put(os.fsencode(url), data))
    except Exception as error:
        raise OutputError("the copy could not be written to the storage.") from error


def _put(url: bytes, data: bytes) -> None:
    system, path = _reached(url)
    system.makedirs(posixpath.dirname(path), exist_ok=True)
    with system.transaction, system.open(path, "wb") as file:  # it gets its name when the transaction ends well
        file.write(data)


def names(url: str) -> frozenset[str]:
    """The names right below a folder; none where there is no such folder.

    Raises:
        OutputError: It cannot be listed.
    """
    try:
        system, path = _reached(os.fsencode(url))
        with contextlib.suppress(FileNotFoundError):
            return _tried(lambda: frozenset(posixpath.basename(p) for p in system.ls(path, detail=False)))
    except Exception as error:
        raise OutputError("the storage could not be listed.") from error
    return frozenset()


def get(url: str) -> bytes:
    """Read back what :func:`put` has written.

    Raises:
        OutputError: It is not there.
    """
    try:
        system, path = _reached(os.fsencode(url))
        return _tried(lambda: bytes(system.cat_file(path)))
    except Exception as error:
        raise OutputError("the copy could not be read back from the storage.") from error


def remove(url: str) -> None:
    """Remove an object, or everything below a folder, when it is there."""
    with contextlib.suppress(Exception):
        system, path = _reached(os.fsencode(url))
        system.rm(path, recursive=True)


def _reached(url: bytes) -> tuple[Any, str]:
    try:
        import fsspec
    except ImportError as error:
        raise MissingPart("a URL needs the extra: pip install 'medimg[storage]'.") from error
    try:
        system, path = fsspec.core.url_to_fs(os.fsdecode(url), use_listings_cache=False)
    except ImportError as error:
        raise MissingPart("what reaches this kind of URL is not installed (for s3:// it is s3fs).") from error
    except (ValueError, OSError) as error:
        raise UsageError("one of the URLs named is of an unknown kind.") from error
    return system, path


def _stat(info: dict[str, Any]) -> os.stat_result:
    """Size and time; the time is 0 where the storage says none."""
    when = next((info[k] for k in ("mtime", "LastModified", "created", "last_modified") if info.get(k)), 0)
    seconds = 0.0
    with contextlib.suppress(ValueError, OverflowError, OSError):  # a time before the year 1, or none that fits
        seconds = when.timestamp() if isinstance(when, datetime) else float(when)
        seconds = seconds if math.isfinite(seconds) else 0.0
    nanoseconds = round(seconds * 1_000_000) * 1000
    values = [0] * 10 + [seconds] * 3 + [nanoseconds] * 3
    values[6] = int(info.get("size") or 0)
    return os.stat_result(values)
