"""How far a run is that is not finished: read from its journal, also while another process works on it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from medimg.run.folder import RunFolder
from medimg.run.journal import Journal, State


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """A run with a journal.

    Attributes:
        tag: The run's tag.
        working: Another process is working on it now.
        counts: Journal state -> photos.
        codes: Error code -> photos that were held because of it.
        rate: Photos a second when it was last noted; 0 when it never was.
        at: When that was (seconds since 1970).
    """

    tag: str
    working: bool
    counts: dict[State, int]
    codes: dict[str, int]
    rate: float = 0.0
    at: float | None = None

    @property
    def total(self) -> int:
        """Photos of this run."""
        return sum(self.counts.values())

    @property
    def settled(self) -> int:
        """Photos that need no more work."""
        return self.counts["done"] + self.counts["held"] + self.counts["failed"]

    @property
    def left(self) -> float | None:
        """Seconds until the end at this rate; None when nothing can be said."""
        return (self.total - self.settled) / self.rate if self.rate else None


def unfinished(path: Path) -> Unfinished | None:
    """The run in ``path``, or the only one under it, when it has a journal; None when it is finished or no run.

    Raises:
        OutputError: The journal cannot be read.
    """
    run = RunFolder(path)
    if not run.private.is_dir():
        inside = RunFolder.all_under(path)
        if len(inside) != 1:
            return None
        run = inside[0]
    if not run.journal.is_file():
        return None
    with Journal(run.journal, look=True) as journal:
        if journal.settings() is None:  # its list is not complete yet
            return Unfinished(tag=run.tag, working=run.is_locked(), counts=_NONE, codes={})
        pulse = journal.pulse()
        return Unfinished(
            tag=run.tag,
            working=run.is_locked(),
            counts=journal.counts(),
            codes=journal.codes(),
            rate=pulse.rate if pulse else 0.0,
            at=pulse.at if pulse else None,
        )


_NONE: dict[State, int] = {"pending": 0, "running": 0, "done": 0, "failed": 0, "held": 0}
