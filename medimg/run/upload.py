"""Released copies, put into a storage: what lies in ``share/``, and nothing else of the run.

The same command again goes on where it was: what is there and is right stays, what is no longer released is taken out.
"""

from __future__ import annotations

import contextlib
import hashlib
import re

import msgspec

from medimg.errors import CheckFailed, OutputError
from medimg.run import share, storage
from medimg.run.folder import SHARE_FOLDER
from medimg.run.opened import OpenRun
from medimg.run.register import Register
from medimg.run.release import share_of
from medimg.system import files

_COPY = re.compile(r"\AP\d+-\d+\.[a-z0-9]+\Z")


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """What was done: copies that were put there, that were there already, and that were taken out."""

    put: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def upload(opened: OpenRun, register: Register, url: str) -> Uploaded:
    """Bring ``URL/medimg-R7Q4/share`` to what is released now. Every object is read back.

    Raises:
        CheckFailed: ``share/`` holds something else, or not the copies that were released. Nothing was put there.
        OutputError: The storage did not take something; the same call again goes on.
    """
    found, trouble = share_of(opened, register)
    if trouble:
        raise CheckFailed(f"nothing was uploaded: {' '.join(trouble)}")
    top = f"{url.rstrip('/')}/{opened.folder.name}/{SHARE_FOLDER}"
    wanted = {n: d for n, d in share.in_force(opened.state).items() if n in found.lying}
    lying = storage.names(top)
    gone = sorted(n for n in lying if n not in wanted and _COPY.match(n))
    for name in gone:
        storage.remove(f"{top}/{name}")
    if storage.names(top) & set(gone):
        raise OutputError("a copy that is no longer released could not be taken out of the storage.")
    right = [n for n, digest in sorted(wanted.items()) if n in lying and _digest(f"{top}/{n}") == digest]
    missing = sorted(set(wanted) - set(right))
    for name in missing:
        storage.put(f"{top}/{name}", _released(opened, name, wanted[name]))
        if _digest(f"{top}/{name}") != wanted[name]:
            storage.remove(f"{top}/{name}")
            raise OutputError("the copy that arrived in the storage is not the one that was released.")
    return Uploaded(put=tuple(missing), there=tuple(right), removed=tuple(gone))


def _released(opened: OpenRun, name: str, digest: str) -> bytes:
    """What goes out is what was looked at, also where somebody changes the file meanwhile."""
    try:
        data = files.read_own(opened.folder / SHARE_FOLDER / name)
    except OSError as error:
        raise CheckFailed("a released copy could not be read.") from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise CheckFailed("a released copy was changed afterwards.")
    return data


def _digest(url: str) -> str:
    with contextlib.suppress(OutputError):
        return hashlib.sha256(storage.get(url)).hexdigest()
    return ""
