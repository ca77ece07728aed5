"""What is to be done, what is being done, and what became of it: SQLite, safe against a kill at any moment.

``pending -> running -> done | failed | held``. ``attempts`` is committed before the work starts, and only what the
workers really have is ever ``running``. Whatever was running when a batch died is a suspect: it is tried again alone,
so that a neighbour is cleared and the culprit is set aside.

The journal holds file names, which may be patients' names: it lies in ``PRIVATE-patient-record``, readable by its
owner only, and is removed when the run is finished. WAL with ``synchronous=NORMAL``: a power cut may forget the last
commits, and doing an item again is harmless, because copies are renamed into place.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from medimg import __version__
from medimg.errors import OutputError, UsageError
from medimg.run import names, tables
from medimg.run.scan import Aside, Item, Root
from medimg.system import files, host
from medimg.types import Report, from_json, to_json

T = TypeVar("T")
State = Literal["pending", "running", "done", "failed", "held"]
STATES: tuple[State, ...] = ("pending", "running", "done", "failed", "held")
MAX_ATTEMPTS = 2
"""A photo whose worker dies is tried once more, alone."""
MAX_DEATHS = 4
"""A photo is set aside when the whole batch died this often while it was running: once in company, then alone."""

SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE item(
  id INTEGER PRIMARY KEY, root INTEGER NOT NULL, path BLOB NOT NULL, safe_id TEXT NOT NULL,
  size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, label TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending' CHECK(state IN ('pending', 'running', 'done', 'failed', 'held')),
  attempts INTEGER NOT NULL DEFAULT 0, report BLOB) STRICT;
CREATE TABLE aside(root INTEGER NOT NULL, path BLOB NOT NULL, reason TEXT NOT NULL, asked INTEGER NOT NULL) STRICT;
CREATE INDEX item_queue ON item(state, attempts, id);
"""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a run was started with; a resumed run must be given the same."""

    roots: tuple[Root, ...]
    policy: str
    group_by: str = "folder"
    audience: str = ""
    where: tuple[str, ...] = ()
    keep_key: bool = False
    known: tuple[int, int, int] = (0, 0, 0)
    medimg: str = __version__
    started_ns: int = msgspec.field(default_factory=time.time_ns)

    def same_photos(self, other: Settings) -> bool:
        """Whether both are about the same folders and files."""
        return set(self.roots) == set(other.roots)

    def changed(self, other: Settings) -> list[str]:
        """Names of the settings that differ."""
        names = ("policy", "group_by", "audience", "where", "keep_key", "known", "medimg")
        return [n.replace("_", "-") for n in names if getattr(self, n) != getattr(other, n)]


class Pulse(msgspec.Struct, frozen=True, kw_only=True):
    """Photos a second, and when that was written (seconds since 1970): for who looks at the journal from outside."""

    at: float
    rate: float


class Claim(msgspec.Struct, frozen=True):
    """An item that is now running, for the ``attempts``-th time."""

    id: int
    item: Item
    attempts: int


class Journal:
    """One run's journal. Used from one thread.

    Args:
        path: The file.
        create: Make it; it must not be there.
        look: Only look at it, while another process may be working on it. Nothing is written.

    Raises:
        UsageError: There is none.
        OutputError: The disk is full or gone; from every method.
    """

    def __init__(self, path: Path, *, create: bool = False, look: bool = False) -> None:
        with _as_output_error():
            if create:
                files.make_private(path, new=True)
            elif not path.is_file():
                raise UsageError("this run has no journal: it is finished.")
            elif path.is_symlink() or not tables.is_plain(path):  # what a link leads to is not the run's
                raise _damaged()
            self._path = path
            self._db = sqlite3.connect(path, isolation_level=None)
            try:
                self._settle(path.parent, create=create, look=look)
            except BaseException:
                self.close()  # where an open file keeps its name, the run folder could not be removed
                raise

    def _settle(self, folder: Path, *, create: bool, look: bool) -> None:
        self._db.execute("PRAGMA query_only=ON" if look else "PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA temp_store=MEMORY")
        if create:
            host.sync_folder(folder)
            with self._transaction():
                for statement in SCHEMA.split(";\n"):
                    if statement.strip():
                        self._db.execute(statement)
        elif self._begun():
            self._refuse_edited()

    def _begun(self) -> bool:
        """Whether its tables are there; not, when the run died before its list was complete."""
        return self._one("SELECT 1 FROM sqlite_schema") is not None

    def _refuse_edited(self) -> None:
        """Refuse a journal that another program has changed into something else: its ids become names of files.

        Raises:
            OutputError: It is one.
        """
        if not tables.as_made(self._db, SCHEMA):
            raise _damaged()
        settings = self.settings()
        roots = len(settings.roots) if settings else 0
        for safe_id, root in self._rows("SELECT safe_id, root FROM item"):
            if not names.is_given(safe_id) or not 0 <= root < roots:
                raise _damaged()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextlib.contextmanager
    def _waited_for(self) -> Iterator[None]:
        """A transaction inside is on the disk when it ends."""
        self._db.execute("PRAGMA synchronous=FULL")
        yield
        self._db.execute("PRAGMA synchronous=NORMAL")

    # -- what the run is about

    def fill(self, settings: Settings, items: Iterable[Item], asides: list[Aside]) -> None:
        """Write the whole list in one transaction: a run either knows all its files and their names, or none.

        It outlives a power cut, so that copies which get their names afterwards are never without their list. What is
        written later may be lost, and is done again.
        """
        with _as_output_error(), self._waited_for(), self._transaction():
            self._db.executemany(
                "INSERT INTO item(root, path, safe_id, size, mtime_ns, label) VALUES(?, ?, ?, ?, ?, ?)",
                ((i.root, i.path, i.safe_id, i.size, i.mtime_ns, i.label) for i in items),
            )
            self._db.executemany(
                "INSERT INTO aside VALUES(?, ?, ?, ?)", ((a.root, a.path, a.reason, a.asked) for a in asides)
            )
            self._db.execute("INSERT INTO meta VALUES('settings', ?)", (msgspec.json.encode(settings),))

    def settings(self) -> Settings | None:
        """What the run was started with; None when it died before its list was complete."""
        with _as_output_error():
            row = self._one("SELECT value FROM meta WHERE key = 'settings'") if self._begun() else None
        return _read(row[0], Settings) if row else None

    def places(self) -> Iterator[tuple[int, bytes, str]]:
        """Root, path and safe id of every item of which there is a copy, or may be one yet."""
        yield from self._rows("SELECT root, path, safe_id FROM item WHERE state != 'failed'")

    def asides(self) -> list[Aside]:
        """What was found and is not cleaned."""
        with _as_output_error():
            rows = self._db.execute("SELECT root, path, reason, asked FROM aside ORDER BY root, path").fetchall()
        return [Aside(root, path, reason, bool(asked)) for root, path, reason, asked in rows]

    # -- the queue

    def recover(self) -> None:
        """After a death: what was running is pending again (a suspect, by its attempts) or set aside as held.

        Items whose copy could not be written are tried again as well: a full disk is not the photo's fault.
        """
        with _as_output_error(), self._transaction():
            self._db.execute("UPDATE item SET state = 'held' WHERE state = 'running' AND attempts >= ?", (MAX_DEATHS,))
            self._db.execute("UPDATE item SET state = 'pending' WHERE state = 'running'")
            self._db.execute(
                "UPDATE item SET state = 'pending', attempts = 0, report = NULL"
                " WHERE state = 'failed' AND json_extract(report, '$.exit_code') = 30"
            )

    def release_running(self, ids: Iterable[int] | None = None) -> None:
        """What was running (all of it, or the named items) was not to blame: it is pending as if never tried."""
        put_back = "UPDATE item SET state = 'pending', attempts = attempts - 1 WHERE state = 'running'"
        with _as_output_error(), self._transaction():
            if ids is None:
                self._db.execute(put_back)
            else:
                self._db.executemany(f"{put_back} AND id = ?", ((i,) for i in ids))

    def claim(self, most: int, *, alone: bool) -> list[Claim]:
        """Take up to ``most`` fresh items, or one suspect when nothing else is running (``alone``).

        The attempt is committed before this returns.
        """
        take = (
            "UPDATE item SET state = 'running', attempts = attempts + 1 WHERE id IN"
            " (SELECT id FROM item WHERE state = 'pending' AND attempts {} ORDER BY id LIMIT ?)"
            " RETURNING id, attempts, root, path, safe_id, size, mtime_ns"
        )
        with _as_output_error():
            rows: list[Any] = []
            if alone:
                rows = self._db.execute(take.format("> 0"), (1,)).fetchall()
            if not rows:
                rows = self._db.execute(take.format("= 0"), (most,)).fetchall()
        return [Claim(row[0], Item(*row[2:]), row[1]) for row in sorted(rows)]

    def settle(self, results: Iterable[tuple[int, State, Report | None]], pulse: Pulse | None = None) -> None:
        """Write down what became of items, and how fast it goes, all in one transaction."""
        with _as_output_error(), self._transaction():
            self._db.executemany(
                "UPDATE item SET state = ?, report = ? WHERE id = ?",
                ((state, to_json(report, indent=0) if report else None, id_) for id_, state, report in results),
            )
            if pulse is not None:
                self._db.execute("REPLACE INTO meta VALUES('pulse', ?)", (msgspec.json.encode(pulse),))

    def pulse(self) -> Pulse | None:
        """How fast it went when that was last noted."""
        with _as_output_error():
            row = self._one("SELECT value FROM meta WHERE key = 'pulse'")
        return _read(row[0], Pulse) if row else None

    # -- what came of it

    def counts(self) -> dict[State, int]:
        """How many items are in each state."""
        with _as_output_error():
            rows = dict(self._db.execute("SELECT state, count(*) FROM item GROUP BY state").fetchall())
        return {state: rows.get(state, 0) for state in STATES}

    def reports(self) -> Iterator[Report]:
        """Every report, by safe id."""
        for (data,) in self._rows("SELECT report FROM item WHERE report IS NOT NULL ORDER BY safe_id"):
            yield _read(data, Report)

    def without_report(self) -> list[tuple[int, str]]:
        """Items that are settled and have no report: they took the batch down."""
        return list(self._rows("SELECT id, safe_id FROM item WHERE state = 'held' AND report IS NULL"))

    def names(self) -> Iterator[tuple[Item, Report | None]]:
        """Every item and its report, in the order of the roots and paths."""
        for *item, report in self._rows(
            "SELECT root, path, safe_id, size, mtime_ns, label, report FROM item ORDER BY root, path"
        ):
            yield Item(*item), _read(report, Report) if report else None

    def settled(self) -> Iterator[tuple[Item, Report]]:
        """Every item that has a report."""
        for *item, report in self._rows(
            "SELECT root, path, safe_id, size, mtime_ns, report FROM item WHERE report IS NOT NULL"
        ):
            yield Item(*item), _read(report, Report)

    def codes(self) -> dict[str, int]:
        """Error code -> how many items were not cleaned because of it."""
        with _as_output_error():
            rows = self._db.execute(
                "SELECT json_extract(report, '$.error_code'), count(*) FROM item"
                " WHERE state IN ('failed', 'held') AND report IS NOT NULL GROUP BY 1 ORDER BY 1"
            ).fetchall()
        return dict(rows)

    def remove(self) -> None:
        """Close the journal and delete it, with the names it holds."""
        self.close()
        with _as_output_error():
            for end in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + end).unlink(missing_ok=True)

    def _one(self, query: str) -> Any:
        return self._db.execute(query).fetchone()

    def _rows(self, query: str) -> Iterator[Any]:
        with _as_output_error():
            yield from self._db.execute(query)


def _read(data: bytes, kind: type[T]) -> T:
    try:
        return from_json(data, kind)
    except msgspec.DecodeError as error:
        raise _damaged() from error


def _damaged() -> OutputError:
    return OutputError("the run's journal is damaged.", todo="Clean the photos again, without --resume.")


@contextlib.contextmanager
def _as_output_error() -> Iterator[None]:
    try:
        yield
    except (*tables.FAULTS, OSError) as error:
        raise OutputError(
            "the run's journal could not be written or read.", todo="Check the disk, then run again with --resume."
        ) from error
