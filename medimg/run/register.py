"""The record of what was shared: an append-only SQLite file in which every entry holds the digest of the one before.

Guidance asks for a note of exactly which picture went to whom (obligations, row 60). Nothing in the register
identifies the patient unless a person types it as ``recipients`` or ``note``; those two fields stay on this
computer and are left out of an export unless they are asked for.

The chain shows an entry that was changed, taken out or cut off at the end. It cannot show that the whole file was
rewritten by somebody who may write to it; the receipt kept in each run folder does.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from medimg.errors import OutputError, UsageError
from medimg.system import files, host

Event = Literal["released", "release-incomplete", "reopened", "withdrawn"]

_FIRST = "0" * 64
_SCHEMA = """
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY, at TEXT NOT NULL, event TEXT NOT NULL, body TEXT NOT NULL,
  previous TEXT NOT NULL, digest TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, digest TEXT NOT NULL) STRICT;
INSERT INTO head VALUES (1, 0, '{first}');
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER entries_kept BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER head_kept BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'append-only'); END;
CREATE TRIGGER head_grows BEFORE UPDATE ON head WHEN NEW.seq <> OLD.seq + 1
  BEGIN SELECT RAISE(ABORT, 'append-only'); END;
PRAGMA user_version = 1;
"""


class Sharing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an entry says. ``recipients`` and ``note`` are as typed by a person and may identify somebody."""

    run: str
    group: str
    copies: dict[str, str] = {}
    audience: str = ""
    countries: tuple[str, ...] = ()
    basis: str = ""
    medimg: str = ""
    checklist: str = ""
    checklist_digest: str = ""
    role: str = ""
    recipients: str = ""
    note: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the register; ``digest`` covers everything else in it, and so the whole past."""

    seq: int
    at: str
    event: str
    sharing: Sharing
    previous: str
    digest: str

    @property
    def receipt(self) -> str:
        """What a run folder keeps of an entry."""
        return f"{self.seq}:{self.digest}"


def default_path() -> Path:
    """Where the register of this user is; ``MEDIMG_REGISTER`` names another file."""
    named = os.environ.get("MEDIMG_REGISTER")
    if named:
        return Path(named)
    import platformdirs

    return platformdirs.user_data_path("medimg", appauthor=False) / "register.sqlite"


class Register:
    """The register in one file. Every call opens and closes it, so nothing is held between two entries."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()

    def append(self, event: Event, sharing: Sharing, at: str) -> Entry:
        """Add an entry, durably.

        Args:
            event: What happened.
            sharing: What it is about.
            at: UTC time, ISO 8601.

        Raises:
            OutputError: It could not be written; nothing was added.
            UsageError: The register is damaged; nothing was added.
        """
        body = msgspec.json.encode(sharing, order="sorted").decode()
        with self._open(create=True) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
                seq, previous = db.execute("SELECT seq, digest FROM head").fetchone() or (0, _FIRST)
                digest = _digest(seq + 1, at, event, body, previous)
                db.execute(
                    "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", (seq + 1, at, event, body, previous, digest)
                )
                db.execute("UPDATE head SET seq = ?, digest = ?", (seq + 1, digest))
                db.execute("COMMIT")
            except sqlite3.DatabaseError as error:
                raise _fault(error) from error
        return Entry(seq=seq + 1, at=at, event=event, sharing=sharing, previous=previous, digest=digest)

    def entries(self, run: str = "", group: str = "") -> list[Entry]:
        """The entries, oldest first; of one run and group when they are named.

        Raises:
            UsageError: The register is damaged or of a newer version.
        """
        if not self.path.exists():
            return []
        with self._open(create=False) as db:
            try:
                rows = db.execute("SELECT seq, at, event, body, previous, digest FROM entries ORDER BY seq").fetchall()
            except sqlite3.DatabaseError as error:
                raise _fault(error) from error
        found = [_entry(row) for row in rows]
        return [e for e in found if run in ("", e.sharing.run) and group in ("", e.sharing.group)]

    def verify(self) -> list[str]:
        """Walk the chain; what is wrong with it, in plain words, or nothing.

        Raises:
            UsageError: The file is no register, or cannot be read at all.
        """
        if not self.path.exists():
            return []
        problems: list[str] = []
        with self._open(create=False) as db:
            try:
                if db.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                    problems.append("the file is damaged.")
                rows = db.execute("SELECT seq, at, event, body, previous, digest FROM entries ORDER BY seq").fetchall()
                head = db.execute("SELECT seq, digest FROM head").fetchone()
            except sqlite3.DatabaseError as error:
                raise _fault(error) from error
        previous = _FIRST
        for number, (seq, at, event, body, before, digest) in enumerate(rows, 1):
            if seq != number:
                problems.append(f"entry {number} is missing.")
                break
            if before != previous or digest != _digest(seq, at, event, body, before):
                problems.append(f"entry {seq} was changed after it was written.")
                break
            previous = digest
        if not problems and head != (len(rows), previous):
            problems.append("entries at the end are missing.")
        return problems

    def holds(self, receipt: str) -> bool:
        """Whether the entry that a run folder keeps a receipt of is still here, unchanged."""
        seq, _, digest = receipt.partition(":")
        return any(str(e.seq) == seq and e.digest == digest for e in self.entries())

    @contextlib.contextmanager
    def _open(self, *, create: bool) -> Iterator[sqlite3.Connection]:
        try:
            if create and not self.path.exists():
                host.private_folder(self.path.parent, parents=True, exist_ok=True)
                # SQLite would make it readable by others; its own journal takes the mode of the file.
                files.make_private(self.path)
            db = sqlite3.connect(self.path, isolation_level=None, timeout=10.0)
        except (OSError, sqlite3.Error) as error:
            raise OutputError("the register of what was shared could not be opened.") from error
        try:
            self._prepare(db, create=create)
            yield db
        finally:
            db.close()

    def _prepare(self, db: sqlite3.Connection, *, create: bool) -> None:
        try:
            db.execute("PRAGMA synchronous = FULL")
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > 1:
                raise UsageError("the register was written by a newer version of medimg. Nothing was changed.")
            if version == 0:
                known = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
                if known or not create:
                    raise UsageError("the register of what was shared is damaged. Nothing was changed.")
                db.executescript("BEGIN IMMEDIATE;" + _SCHEMA.format(first=_FIRST) + "COMMIT;")
        except sqlite3.DatabaseError as error:
            raise _fault(error) from error


def _fault(error: sqlite3.DatabaseError) -> OutputError | UsageError:
    if isinstance(error, sqlite3.OperationalError):
        return OutputError("the register of what was shared could not be written or is in use.", todo="Try again.")
    return UsageError(
        "the register of what was shared is damaged. Nothing was changed.",
        todo="Put back a copy from your backup, or move the file away to start a new one.",
    )


def _digest(seq: int, at: str, event: str, body: str, previous: str) -> str:
    return hashlib.sha256(msgspec.json.encode([seq, at, event, body, previous])).hexdigest()


def _entry(row: tuple[Any, ...]) -> Entry:
    seq, at, event, body, previous, digest = row
    try:
        sharing = msgspec.json.decode(body, type=Sharing)
    except msgspec.DecodeError as error:
        raise UsageError("an entry of the register is damaged.", todo="'medimg register verify' says which.") from error
    return Entry(seq=seq, at=at, event=event, sharing=sharing, previous=previous, digest=digest)
