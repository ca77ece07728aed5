"""Originals that a watch has cleaned are moved: nothing is replaced, and nothing is lost when it is killed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from medimg.errors import OutputError
from medimg.run.scan import Item
from medimg.system import files, host

ASIDE = ".moved"
"""End of the name of a folder in which an original lies, under its own name, while it is taken away."""


def move(original: Path, to: Path, listed: Item) -> None:
    """Move an original that was cleaned; nothing is replaced, and a file that has changed since stays.

    Another file may take the original's name at any moment, by rename. It is never removed: what was moved is looked
    at afterwards, and put back when it is not the file that was cleaned.

    Raises:
        OutputError: It could not be moved; it is still where it was.
    """
    try:
        seen = original.lstat()
        if files.state(seen) != (listed.size, listed.mtime_ns):
            return
        host.private_folder(to.parent, parents=True, exist_ok=True)
        moved = _renamed(original, to)
        if moved is not None:
            _only_if(seen, moved, original)
        else:  # another disk, or one without this kind of rename
            _linked_or_copied(original, to, seen)
            with _put_aside(original) as aside:
                _only_if(seen, aside, original)
                aside.unlink()
        files.sync_folder(to.parent)
    except OSError as error:
        raise OutputError("an original could not be moved; it is still in the watched folder.") from error


def _only_if(seen: os.stat_result, moved: Path, original: Path) -> None:
    """Put back what is not the file that was seen.

    Raises:
        OutputError: It is not.
    """
    if not _same(seen, moved.lstat()):
        _named(moved, original)
        raise OutputError("an original was replaced while it was being moved; the new one is in its place.")


@contextlib.contextmanager
def _put_aside(original: Path) -> Iterator[Path]:
    """An original in a folder of its own beside it, where nobody replaces it; it must have left that at the end."""
    aside = original.with_name(f".medimg-{secrets.token_hex(8)}{ASIDE}")
    host.private_folder(aside)
    try:
        yield original.rename(aside / original.name)
    finally:
        with contextlib.suppress(OSError):  # not empty: it comes back with the next mending
            aside.rmdir()


def mend(inbox: Path, originals: Path | None) -> None:
    """Finish what moves that were killed left: half-written copies go, and so do originals put aside that have moved.

    Other originals that were put aside come back. Should another watch be at work on the same folders, its move fails
    and is done again: nothing is lost by it.

    Args:
        inbox: The watched folder.
        originals: Where originals are moved to, if they are.
    """
    for half in originals.rglob(".medimg-*.part") if originals else ():
        with contextlib.suppress(OSError):
            half.unlink()
    for aside in list(inbox.rglob(f".medimg-*{ASIDE}")):
        if aside.is_symlink():
            continue
        with contextlib.suppress(OSError):
            for original in list(aside.iterdir()):
                to = originals / aside.parent.relative_to(inbox) / original.name if originals else None
                if to is not None and _kept(to, original.read_bytes()):
                    original.unlink()
                else:
                    _named(original, aside.parent / original.name)
            aside.rmdir()


def _same(seen: os.stat_result, now: os.stat_result) -> bool:
    """Whether both are of one file, with the same content as far as size and time say it."""
    return (seen.st_dev, seen.st_ino, *files.state(seen)) == (now.st_dev, now.st_ino, *files.state(now))


def _renamed(path: Path, to: Path) -> Path | None:
    """Rename a file to ``to``, or to that with a number: its new name; None when it cannot be done in one step."""
    while True:
        free = _free(to)
        try:
            return free if host.rename_new(path, free) else None
        except FileExistsError:
            continue  # it was taken just now
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return None


def _named(path: Path, to: Path) -> None:
    """Give a file whose present name is ours alone a free one: ``to``, or that with a number."""
    if _renamed(path, to) is not None:
        return
    while True:
        free = _free(to)
        try:
            os.link(path, free, follow_symlinks=False)
        except FileExistsError:
            continue
        except OSError:  # a file system without links: a name that no other content takes
            path.rename(_by_content(to, path.read_bytes()))
            return
        path.unlink()
        return


def _linked_or_copied(original: Path, to: Path, seen: os.stat_result) -> None:
    """Keep an original under a free name as well: ``to``, or that with a number."""
    free = _free(to)
    if any(_same(seen, name.lstat()) for name in _taken(to)):
        pass  # a move that was cut short had come so far
    elif _has_link(original, free):
        if not _same(seen, free.lstat()):
            free.unlink()  # a second name of a file that came just now and has its own
            raise OutputError("an original was replaced while it was being moved; the new one is in its place.")
    else:
        _copied(original, to, files.state(seen))
    files.sync_folder(to.parent)


def _has_link(original: Path, free: Path) -> bool:
    try:
        os.link(original, free, follow_symlinks=False)
    except OSError:
        return False
    return True


def _copied(original: Path, to: Path, listed: tuple[int, int]) -> None:
    data = files.read_original(original, listed[0], listed)
    if _kept(to, data):
        return  # as above, on another disk
    with files.staged(to, data) as temporary:
        with contextlib.suppress(OSError):  # a share may keep no rights and no attributes
            shutil.copystat(original, temporary, follow_symlinks=False)
        if temporary.read_bytes() != data:
            raise OutputError("an original could not be copied; it is still in the watched folder.")
        _named(temporary, to)


def _kept(to: Path, data: bytes) -> bool:
    """Whether a file of this content is there under one of the names that a move to ``to`` gives."""
    return any(_holds(name, data) for name in (*_taken(to), _by_content(to, data)))


def _holds(path: Path, data: bytes) -> bool:
    return not path.is_symlink() and path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data


def _by_content(to: Path, data: bytes) -> Path:
    """A name beside ``to`` that only a file of the same content bears."""
    return to.with_name(f"{to.stem}-{hashlib.sha256(data).hexdigest()[:16]}{to.suffix}")


def _names(to: Path) -> Iterator[Path]:
    """``to``, and the same with a number from 2 on."""
    yield to
    for number in itertools.count(2):
        yield to.with_name(f"{to.stem} ({number}){to.suffix}")


def _taken(to: Path) -> Iterator[Path]:
    """Those of :func:`_names` before the first that is free."""
    return itertools.takewhile(os.path.lexists, _names(to))


def _free(to: Path) -> Path:
    """``to``, or the same with a number when that is taken."""
    return next(name for name in _names(to) if not os.path.lexists(name))
