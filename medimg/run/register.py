"""The record of what was shared: an append-only SQLite file in which every entry holds the digest of the one before.

Guidance asks for a note of exactly which picture went to whom (obligations, row 60). Nothing in the register
identifies the patient unless a person types it; what was typed, the caption, and the perceptual hashes of the copies
(:mod:`medimg.run.likeness`) stay on this computer and are left out of an export unless they are asked for.

They are kept beside the chain, of which each entry holds only their salted digest: :meth:`Register.purge` can take
them out, and the chain still shows that nothing else was changed.

The chain shows an entry that was changed, taken out or cut off at the end. It cannot show that the whole file was
rewritten by somebody who may write to it; the receipt kept in each run folder does.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from medimg.errors import OutputError, UsageError
from medimg.run import tables
from medimg.system import files, host
from medimg.types import from_json
from medimg.words import mark

Event = Literal["released", "release-incomplete", "reopened", "withdrawn", "withdrawal-told", "purged", "run-removed"]
"""``withdrawal-told``: a person said that everybody who had the copies was told of the withdrawal. ``run-removed``: the
run folder was deleted; it is about no group."""

VERSION = 2

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
"""
_PRIVATE = """
CREATE TABLE private (seq INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TRIGGER private_stays BEFORE UPDATE ON private BEGIN SELECT RAISE(ABORT, 'append-only'); END;
PRAGMA user_version = 2;
"""


class Sharing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an entry says.

    Attributes:
        recipients: With whom, as typed; may identify somebody.
        note: As typed; may identify somebody.
        role: The role of the person who acted, as typed.
        caption: The text that was checked and went with the copies.
        likeness: Copy -> its perceptual hash, by which it is found again.
        until: The day until which the patient's consent holds, as typed; empty when nobody said one.
        private: Digest of what is kept beside the chain; empty in entries of version 1, which hold it themselves.
    """

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
    caption: str = ""
    likeness: dict[str, str] = {}
    until: str = ""
    private: str = ""


PRIVATE = ("recipients", "note", "role", "caption", "likeness", "until")
"""What of an entry may identify somebody, or a picture."""


class _Private(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept beside the chain; the salt keeps a short note from being guessed from its digest."""

    salt: str
    recipients: str = ""
    note: str = ""
    role: str = ""
    caption: str = ""
    likeness: dict[str, str] = {}
    until: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the register; ``digest`` covers everything else in it, and so the whole past."""

    seq: int
    at: str
    event: str
    sharing: Sharing
    previous: str
    digest: str
    purged: bool = False
    """What was kept beside the chain was taken out."""

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
        private = _private(sharing)
        public = {k: v for k, v in msgspec.to_builtins(sharing).items() if k not in PRIVATE}
        body = msgspec.json.encode({**public, "private": _sha256(private)}, order="sorted").decode()
        with self._open(create=True) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
                seq, previous = db.execute("SELECT seq, digest FROM head").fetchone() or (0, _FIRST)
                digest = _digest(seq + 1, at, event, body, previous)
                db.execute(
                    "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)", (seq + 1, at, event, body, previous, digest)
                )
                db.execute("INSERT INTO private VALUES (?, ?)", (seq + 1, private))
                db.execute("UPDATE head SET seq = ?, digest = ?", (seq + 1, digest))
                db.execute("COMMIT")
            except tables.FAULTS as error:
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
                beside = dict(db.execute(_BESIDE).fetchall()) if _version(db) > 1 else {}
            except tables.FAULTS as error:
                raise _fault(error) from error
        found = [_entry(row, beside.get(row[0])) for row in rows]
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
                    problems.append(mark("the file is damaged."))
                rows = db.execute("SELECT seq, at, event, body, previous, digest FROM entries ORDER BY seq").fetchall()
                head = tuple(db.execute("SELECT seq, digest FROM head").fetchone() or ())
                beside = dict(db.execute(_BESIDE).fetchall()) if _version(db) > 1 else {}
            except tables.FAULTS as error:
                raise _fault(error) from error
        return [*problems, *_chain(rows, head, bool(problems)), *_beside(rows, beside)]

    def purge(self, chosen: Callable[[Entry], bool], at: str) -> list[int]:
        """Take out what was typed, the captions and the hashes of the chosen entries, and say so in a new entry each.

        The chain stays. What a backup or a snapshot of the disk holds is not reached.

        Args:
            chosen: Whether an entry is one of them.
            at: UTC time, ISO 8601.

        Returns:
            Numbers of the chosen entries that version 1 wrote: they hold it in the chain, and nothing of them was
            taken out.

        Raises:
            OutputError: It could not be written.
            UsageError: The register is damaged.
        """
        mine = [e for e in self.entries() if chosen(e) and not e.purged and e.event != "purged"]
        old = [e.seq for e in mine if not e.sharing.private and any(getattr(e.sharing, n) for n in PRIVATE)]
        wanted = [e for e in mine if e.sharing.private]
        for run, group in dict.fromkeys((e.sharing.run, e.sharing.group) for e in wanted):
            self.append("purged", Sharing(run=run, group=group), at)
        if wanted:
            self._take_out([e.seq for e in wanted])
        return old

    def _take_out(self, numbers: Sequence[int]) -> None:
        with self._open(create=True) as db:
            try:
                db.execute("PRAGMA secure_delete = ON")  # zeros over it; a VACUUM would copy the rest to another folder
                db.executemany("DELETE FROM private WHERE seq = ?", [(n,) for n in numbers])
            except tables.FAULTS as error:
                raise _fault(error) from error

    def holds(self, receipt: str) -> bool:
        """Whether the entry that a run folder keeps a receipt of is still here, unchanged."""
        seq, _, digest = receipt.partition(":")
        return any(str(e.seq) == seq and e.digest == digest for e in self.entries())

    @contextlib.contextmanager
    def _open(self, *, create: bool) -> Iterator[sqlite3.Connection]:
        try:
            if create and not self.path.exists():
                self._begin()
            if not tables.is_plain(self.path):  # a link to nowhere would be followed
                raise _damaged()
            db = sqlite3.connect(self.path, isolation_level=None, timeout=10.0)
        except (OSError, sqlite3.Error) as error:
            raise OutputError("the register of what was shared could not be opened.") from error
        try:
            self._prepare(db, create=create)
            yield db
        finally:
            db.close()

    def _begin(self) -> None:
        """Make the register, whole or not at all: one without its tables would pass for a damaged one.

        Raises:
            OSError: It could not be made.
            sqlite3.Error: It could not be written.
        """
        host.private_folder(self.path.parent, parents=True, exist_ok=True)
        made = self.path.with_name(f".medimg-{secrets.token_hex(8)}.part")
        # SQLite would make it readable by others; its own journal takes the mode of the file.
        files.make_private(made, new=True)
        try:
            with contextlib.closing(sqlite3.connect(made, isolation_level=None)) as db:
                db.execute("PRAGMA synchronous = FULL")
                db.executescript("BEGIN IMMEDIATE;" + _SCHEMA.format(first=_FIRST) + _PRIVATE + "COMMIT;")
            with contextlib.suppress(FileExistsError):  # another process was quicker
                files.name_new(made, self.path)
            host.sync_folder(self.path.parent)
        finally:
            with contextlib.suppress(OSError):
                made.unlink()

    def _prepare(self, db: sqlite3.Connection, *, create: bool) -> None:
        try:
            db.execute("PRAGMA synchronous = FULL")
            version = _version(db)
            if version > VERSION:
                raise UsageError("the register was written by a newer version of medimg. Nothing was changed.")
            if version not in _TABLES or not tables.as_made(db, _TABLES[version]):
                raise _damaged()
            if version == 1 and create:
                db.executescript("BEGIN IMMEDIATE;" + _PRIVATE + "COMMIT;")
        except tables.FAULTS as error:
            raise _fault(error) from error


_TABLES = {1: _SCHEMA.format(first=_FIRST), 2: _SCHEMA.format(first=_FIRST) + _PRIVATE}
"""Version -> what makes its tables."""
_BESIDE = "SELECT seq, body FROM private"


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _private(sharing: Sharing) -> str:
    said = {name: getattr(sharing, name) for name in PRIVATE}
    return msgspec.json.encode(_Private(salt=secrets.token_hex(16), **said), order="sorted").decode()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _chain(rows: Sequence[tuple[Any, ...]], head: tuple[Any, ...], damaged: bool) -> Iterator[str]:
    """Where the chain of entries is broken, in plain words."""
    previous = _FIRST
    for number, (seq, at, event, body, before, digest) in enumerate(rows, 1):
        if seq != number:
            yield mark(f"entry {number} is missing.")
            return
        if before != previous or digest != _digest(seq, at, event, body, before):
            yield mark(f"entry {seq} was changed after it was written.")
            return
        previous = digest
    if not damaged and head != (len(rows), previous):
        yield mark("entries at the end are missing.")


def _beside(rows: Sequence[tuple[Any, ...]], beside: Mapping[int, str]) -> Iterator[str]:
    """Where what is kept beside the chain is another text, or is gone without an entry that says so."""
    bodies = {row[0]: from_json(row[3], dict[str, Any]) for row in rows if _is_object(row[3])}
    events = {row[0]: row[2] for row in rows}
    purged = [(n, b.get("run"), b.get("group")) for n, b in bodies.items() if events[n] == "purged"]
    for seq, body in bodies.items():
        said = body.get("private", "")
        if not said:
            continue
        if seq in beside:
            if _sha256(beside[seq]) != said:
                yield mark(f"what was typed with entry {seq} was changed after it was written.")
        elif not any(n > seq and (run, group) == (body.get("run"), body.get("group")) for n, run, group in purged):
            yield mark(f"what was typed with entry {seq} is missing.")


def _is_object(body: str) -> bool:
    try:
        return isinstance(from_json(body, dict[str, Any]), dict)
    except (msgspec.DecodeError, TypeError):
        return False


def _fault(error: Exception) -> OutputError | UsageError:
    if isinstance(error, sqlite3.OperationalError):
        return OutputError("the register of what was shared could not be written or is in use.", todo="Try again.")
    return _damaged()


def _damaged() -> UsageError:
    return UsageError(
        "the register of what was shared is damaged. Nothing was changed.",
        todo="Put back a copy from your backup, or move the file away to start a new one.",
    )


def _digest(seq: int, at: str, event: str, body: str, previous: str) -> str:
    return hashlib.sha256(msgspec.json.encode([seq, at, event, body, previous])).hexdigest()


def _entry(row: tuple[Any, ...], beside: str | None) -> Entry:
    seq, at, event, body, previous, digest = row
    try:
        sharing = from_json(body, Sharing)
        if beside is not None:
            private = from_json(beside, _Private)
            sharing = msgspec.structs.replace(sharing, **{name: getattr(private, name) for name in PRIVATE})
    except msgspec.DecodeError as error:
        raise UsageError("an entry of the register is damaged.", todo="'medimg register verify' says which.") from error
    purged = bool(sharing.private) and beside is None
    return Entry(seq=seq, at=at, event=event, sharing=sharing, previous=previous, digest=digest, purged=purged)
