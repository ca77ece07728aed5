"""A folder that is watched: what arrives there is cleaned as soon as it is whole. The folder itself is not touched.

The folder is listed again and again, which also works on network shares, where nothing is told about changes. Every
round of arrivals is a run of its own, with the same journal, reports and waiting copies as any other. What was done
stands in the runs' own lists (:mod:`medimg.engine.incremental`), so that a restart begins where it stopped.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import secrets
import shutil
import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from medimg.engine import incremental
from medimg.engine.batch import Outcome
from medimg.errors import MedimgError, OutputError, UsageError
from medimg.run import resume, scan
from medimg.run.folder import RunFolder, refuse_inside
from medimg.run.journal import Settings
from medimg.run.scan import Item, Root
from medimg.system import files, host, locks

Clean = Callable[[Sequence[Root], bool], Outcome]
"""Cleans files; True: goes on with the unfinished run of exactly these."""

ASIDE = ".moved"
"""End of the name of a folder in which an original lies, under its own name, while it is taken away."""
PATIENCE = 6
"""Whole files wait for others that are still arriving, at most this many times the time a file must rest."""


class _Resting(msgspec.Struct):
    """A file as it was seen last, since when, and since when it is whole."""

    state: tuple[int, int]
    since: float
    whole: float | None = None


class Watch:
    """One watched folder.

    Args:
        inbox: The folder; everything below it counts.
        out: Where the runs are.
        clean: Makes a run.
        rest: Seconds for which a file's size and time must stay the same.
        originals: Folder to move originals to whose copy passed every check; None leaves all of them where they are.
        now: A clock that only goes forward, in seconds.

    Raises:
        UsageError: The folders lie inside each other, or the inbox is no folder.
    """

    def __init__(
        self,
        inbox: Path,
        out: Path,
        clean: Clean,
        *,
        rest: float = 10.0,
        originals: Path | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        if not inbox.is_dir():
            raise UsageError("the folder to be watched is not there.")
        for other in (out, originals):
            if other is not None:
                refuse_inside(other, [inbox])
        self._inbox = Root(os.fsencode(inbox.resolve()))
        self._out, self._clean, self._rest, self._originals, self._now = out, clean, rest, originals, now
        self._key = incremental.site_key()
        if not self._key:
            raise UsageError("the key of this user's digests can neither be read nor made.")
        self._arriving: dict[bytes, _Resting] = {}
        self.unmoved = 0
        """Originals that could not be moved in the last round."""
        self._done: dict[tuple[bytes, bytes], bool] = {}
        with incremental.under(out) as lists:
            for seen in lists:
                self._learn(seen)
        self._mend()

    def round(self) -> Outcome | None:
        """Look once; clean what is whole and new. None when there was nothing to do.

        Raises:
            Interrupted: The caller stopped it; the next round, or the next start, goes on.
            OutputError: The output cannot be written; the next round goes on.
        """
        outcome = self._go_on()
        if outcome is None:
            ready = self._whole()
            if not ready:
                self._move_originals()
                return None
            outcome = self._clean(self._roots(ready), False)
            if "output" not in outcome.conditions:
                self._done |= {self._mark(item): False for item in ready}
        if "output" not in outcome.conditions:
            self._learn_from(outcome.folder)
        self._move_originals()
        return outcome

    def waiting(self) -> int:
        """How many files are there and are not done."""
        return sum(self._mark(item) not in self._done for item in self._listed())

    def _listed(self) -> list[Item]:
        return list(scan.Scan([self._inbox]).items())

    def _go_on(self) -> Outcome | None:
        """Finish what was not finished: a run of files of this inbox, and of nothing else."""
        inside = (self._inbox.folder, os.path.join(self._inbox.folder, b""))  # noqa: PTH118 - bytes

        def of(settings: Settings) -> bool:
            return all(r.only and (r.folder == inside[0] or r.folder.startswith(inside[1])) for r in settings.roots)

        found = resume.newest(self._out, of)
        return self._clean(found[1].roots, True) if found is not None else None

    def _whole(self) -> list[Item]:
        """The new files that are whole; none while others are arriving, unless they have waited long."""
        now = self._now()
        seen: dict[bytes, _Resting] = {}
        ready, arriving = [], False
        for item in self._listed():
            if self._mark(item) in self._done:
                continue
            state = (item.size, item.mtime_ns)
            resting = self._arriving.get(item.path)
            if resting is None or resting.state != state:
                resting = _Resting(state, now)
            seen[item.path] = resting
            if now - resting.since < self._rest or host.being_written(self._path(item)):
                resting.whole = None
                arriving = True
                continue
            resting.whole = now if resting.whole is None else resting.whole
            ready.append((resting.whole, item))
        self._arriving = seen
        if arriving and all(now - whole < PATIENCE * self._rest for whole, _ in ready):
            return []
        return [item for _, item in ready]

    def _roots(self, items: Sequence[Item]) -> list[Root]:
        folders: defaultdict[bytes, list[bytes]] = defaultdict(list)
        for item in items:
            folder, name = os.path.split(self._path(item))
            folders[folder].append(name)
        return [Root(folder, tuple(sorted(names))) for folder, names in sorted(folders.items())]

    def _path(self, item: Item) -> bytes:
        return os.path.join(self._inbox.folder, item.path)  # noqa: PTH118 - bytes

    def _mark(self, item: Item) -> tuple[bytes, bytes]:
        place = incremental.place_mark(self._key, self._inbox, item.path)
        return place, incremental.state_mark(self._key, item.size, item.mtime_ns)

    def _learn_from(self, folder: Path) -> None:
        with contextlib.suppress(OSError, sqlite3.Error, msgspec.DecodeError, TypeError):
            seen = incremental.EarlierRun(RunFolder(folder))
            try:
                self._learn(seen)
            finally:
                seen.close()

    def _learn(self, seen: incremental.EarlierRun) -> None:
        for place, state, copied in seen.marks():
            self._done[place, state] = copied

    def _move_originals(self) -> None:
        if self._originals is None:
            return
        self.unmoved = 0
        for item in self._listed():
            if not self._done.get(self._mark(item)):
                continue
            try:
                move(Path(os.fsdecode(self._path(item))), self._originals / os.fsdecode(item.path), item)
            except MedimgError:
                self.unmoved += 1
        if self.unmoved:
            self._mend()

    def _mend(self) -> None:
        mend(Path(os.fsdecode(self._inbox.folder)), self._originals)


@contextlib.contextmanager
def alone(out: Path) -> Iterator[None]:
    """Nobody else watches for this output folder: two would do every photo twice.

    Raises:
        UsageError: Somebody does.
        OutputError: The output folder cannot be written.
    """
    lock = out / ".medimg-watch.lock"
    try:
        out.mkdir(parents=True, exist_ok=True)
        handle = locks.claim(lock)
    except OSError as error:
        raise OutputError("the output folder cannot be written.") from error
    if handle is None:
        raise UsageError("another 'medimg watch' works with this output folder.")
    try:
        yield
    finally:
        os.close(handle)


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
