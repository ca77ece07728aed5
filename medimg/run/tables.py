"""Files of SQLite that somebody else may have changed: they are asked only where their tables are as medimg makes them.

A view in the place of a table can go on for ever, and a trigger can change more than was asked for.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from pathlib import Path

FAULTS = (sqlite3.DatabaseError, OverflowError, TypeError, UnicodeError)
"""What is raised where a file was changed: also a number past 64 bits, nothing where a number has to be, and a message
of SQLite about a name that is no UTF-8."""
_MADE = "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"


def as_made(db: sqlite3.Connection, schema: str) -> bool:
    """Whether a file has no tables, indexes and triggers but those that a script makes.

    One that is gone is noticed when it is asked.

    Raises:
        sqlite3.Error: It could not be read.
    """
    return frozenset(db.execute(_MADE)) <= _of(schema)


def is_plain(path: Path) -> bool:
    """Whether there is a file, and what SQLite keeps beside it is a file or nothing: it would wait for a pipe."""
    beside = [path.with_name(path.name + end) for end in ("-journal", "-wal", "-shm")]
    return path.is_file() and all(p.is_file() or not p.exists() for p in beside)


@functools.cache
def _of(schema: str) -> frozenset[tuple[str, ...]]:
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.executescript(schema)
        return frozenset(db.execute(_MADE))
