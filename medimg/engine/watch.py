"""A folder that is watched: what arrives there is cleaned as soon as it is whole. The folder itself is not touched.

The folder is listed again and again, which also works on network shares, where nothing is told about changes. Every
round of arrivals is a run of its own, with the same journal, reports and waiting copies as any other. What was done
stands in the runs' own lists (:mod:`medimg.engine.incremental`), so that a restart begins where it stopped.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from medimg.engine import incremental
from medimg.engine.batch import Outcome
from medimg.engine.moving import mend, move
from medimg.errors import MedimgError, OutputError, Unreadable, UsageError
from medimg.run import resume, scan, tables
from medimg.run.folder import RunFolder, refuse_inside
from medimg.run.journal import Settings
from medimg.run.scan import Item, Root
from medimg.system import host, locks

Clean = Callable[[Sequence[Root], bool], Outcome]
"""Cleans files; True: goes on with the unfinished run of exactly these."""

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
        self._mended = False
        self._done: dict[tuple[bytes, bytes], bool] = {}
        with incremental.under(out) as lists:
            for seen in lists:
                self._learn(seen)

    def round(self) -> Outcome | None:
        """Look once; clean what is whole and new. None when there was nothing to do.

        Raises:
            Interrupted: The caller stopped it; the next round, or the next start, goes on.
            OutputError: The output cannot be written; the next round goes on.
            Unreadable: A folder cannot be reached, as on a share whose server is away; likewise.
        """
        try:
            return self._round()
        except OSError as error:
            raise Unreadable("a folder could not be reached.", todo="It is tried again.") from error

    def _round(self) -> Outcome | None:
        if not self._mended:
            mend(Path(os.fsdecode(self._inbox.folder)), self._originals)
            self._mended = True
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
        with contextlib.suppress(OSError, *tables.FAULTS, msgspec.DecodeError):
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
        self._mended = not self.unmoved


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
