"""What earlier runs under the same output folder have done, so that a run does only what is new or changed.

A finished run leaves ``seen.sqlite`` in its private part: for each photo a keyed digest of where it lay, a keyed digest
of its size and time, the salted digest of its content, the name of its copy, and what became of it. The key
(:func:`site_key`) lies with the user's own data and not in the run folder, so that the file tells nobody else a name.
A photo is left out of a new run only when it lies where it lay, its content is the same, and the earlier run still has
its copy (or has found that it cannot have one) and was made with the same settings, version and models.
"""

from __future__ import annotations

import contextlib
import hmac
import itertools
import os
import secrets
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from medimg.engine import worker
from medimg.engine.pool import Workers
from medimg.engine.worker import Job
from medimg.errors import CheckNotRun, Crashed, MedimgError, OutOfMemory, OutOfTime, OutputError, Unreadable
from medimg.run import names, tables
from medimg.run.folder import RunFolder
from medimg.run.journal import Journal, Settings
from medimg.run.scan import Item, Root
from medimg.system import files, host
from medimg.types import KnownValues, Original, from_json
from medimg.vocabulary import PhotoState

NAME = "seen.sqlite"
_CHUNK = 16
_SCHEMA = """
CREATE TABLE meta(value BLOB NOT NULL) STRICT;
CREATE TABLE seen(place BLOB PRIMARY KEY, state BLOB NOT NULL, original BLOB, copy TEXT NOT NULL,
  became TEXT NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
"""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """With what a run was made; a run made with something else says nothing about a new one."""

    settings: Settings
    known: str
    engines: dict[str, str]

    def changed(self, other: Made) -> list[str]:
        """What differs: names of settings, ``known``, ``models``, ``medimg``."""
        names = set(self.settings.changed(other.settings))
        if other.settings.keep_key and not self.settings.keep_key:
            names.discard("keep-key")  # the earlier run did more
        names |= {"known"} if self.known != other.known else set()
        names |= {"models"} if self.engines != other.engines else set()
        return sorted(names)


class Unchanged(msgspec.Struct, frozen=True, kw_only=True):
    """Photos that earlier runs have done.

    Attributes:
        places: Root and path of each.
        runs: Tag of the run that has done it -> how many; the newest run first.
        kept_back: ``held`` and ``refused`` -> how many of them have no copy.
        changed: Why photos that an earlier run has done are done again: what differs from then.
        again: How many those are.
    """

    places: frozenset[tuple[int, bytes]] = frozenset()
    runs: dict[str, int] = {}
    kept_back: dict[str, int] = {}
    changed: tuple[str, ...] = ()
    again: int = 0


NOTHING = Unchanged()
_NOT_ITS_FAULT = (Crashed.code, OutOfTime.code, OutOfMemory.code, CheckNotRun.code, OutputError.code, Unreadable.code)
"""What may come out otherwise next time: such a photo is done again."""


class Row(msgspec.Struct, frozen=True):
    """What an earlier run says of the photo that lay somewhere."""

    state: bytes
    original: Original | None
    copy: str
    became: str


def site_key() -> bytes:
    """The key of this user's digests, made at the first use; empty when it can neither be read nor made.

    ``MEDIMG_SITE_KEY`` names another file.
    """
    named = os.environ.get("MEDIMG_SITE_KEY")
    if named:
        path = Path(named)
    else:
        import platformdirs

        path = platformdirs.user_data_path("medimg", appauthor=False) / "site-key"
    with contextlib.suppress(OSError, OutputError):
        if not path.exists():
            host.private_folder(path.parent, parents=True, exist_ok=True)
            made = secrets.token_bytes(32)
            with files.staged(path, made) as temporary, contextlib.suppress(FileExistsError):
                files.name_new(temporary, path)  # not replaced: another process may have been first
        key = files.read_own(path)
        if len(key) >= 32:
            return key
    return b""


def place_mark(key: bytes, root: Root, path: bytes) -> bytes:
    """The keyed digest of where a photo lies."""
    return _mark(key, b"place", os.path.join(root.folder, path))  # noqa: PTH118 - bytes


def state_mark(key: bytes, size: int, mtime_ns: int) -> bytes:
    """The keyed digest of a photo's size and time."""
    return _mark(key, b"state", b"%d %d" % (size, mtime_ns))


def known_mark(key: bytes, known: KnownValues) -> str:
    """The keyed digest of the values the caller knows."""
    return _mark(key, b"known", msgspec.json.encode(known)).hex()


def _mark(key: bytes, what: bytes, data: bytes) -> bytes:
    return hmac.digest(key, what + b"\0" + data, "sha256")[:16]


def write(run: RunFolder, journal: Journal, made: Made, key: bytes) -> None:
    """Leave what this run has done for later ones.

    Raises:
        OutputError: It could not be written.
    """
    if not key:
        return
    path = run.private / NAME
    roots = made.settings.roots
    made = msgspec.structs.replace(made, settings=msgspec.structs.replace(made.settings, roots=()))  # they hold names

    def rows() -> Iterator[tuple[bytes, bytes, bytes | None, str, str]]:
        for item, report in journal.settled():
            yield (
                place_mark(key, roots[item.root], item.path),
                state_mark(key, item.size, item.mtime_ns),
                msgspec.json.encode(report.original) if report.original is not None else None,
                report.copy.name if report.copy is not None and report.state == PhotoState.UNREVIEWED else "",
                "again" if report.error_code in _NOT_ITS_FAULT else report.state,
            )

    try:
        with files.staged(path, b"") as temporary:
            with contextlib.closing(sqlite3.connect(temporary, isolation_level=None)) as db:
                db.execute("PRAGMA journal_mode=OFF")
                db.executescript(_SCHEMA)
                db.execute("BEGIN")
                db.execute("INSERT INTO meta VALUES(?)", (msgspec.json.encode(made),))
                db.executemany("REPLACE INTO seen VALUES(?, ?, ?, ?, ?)", rows())
                db.execute("COMMIT")
            os.utime(temporary, (files.NEUTRAL_TIME, files.NEUTRAL_TIME))
            files.publish(temporary, path)
    except (sqlite3.Error, OSError) as error:
        raise OutputError(
            "the list of what was done could not be written.", todo="Check the free space, then --resume."
        ) from error


class EarlierRun:
    """One earlier run's list."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self._db = sqlite3.connect(f"file:{_quoted(run.private / NAME)}?mode=ro&immutable=1", uri=True)
        try:
            if not tables.as_made(self._db, _SCHEMA):
                raise sqlite3.DatabaseError
            (raw,) = self._db.execute("SELECT value FROM meta").fetchone()
            self.made = from_json(raw, Made)
        except BaseException:
            self._db.close()
            raise

    def of(self, place: bytes) -> Row | None:
        """What this run says of the photo there; None when it had none, or the list is damaged."""
        query = "SELECT state, original, copy, became FROM seen WHERE place = ?"
        with contextlib.suppress(*tables.FAULTS, msgspec.DecodeError):
            for state, original, copy, became in self._db.execute(query, (place,)):
                known = from_json(original, Original) if original else None
                return Row(state, known, copy, became)
        return None

    def stands(self, row: Row) -> bool:
        """Whether what became of the photo still holds: its copy is there, released or not, or it can have none."""
        if row.became == "unreviewed":
            return names.is_given(row.copy) and any(
                (f / row.copy).is_file() for f in (self.run.unreviewed, self.run.share)
            )
        return row.became in ("held", "refused")

    def marks(self) -> Iterator[tuple[bytes, bytes, bool]]:
        """Place and state of every photo, and whether it has a copy that passed."""
        for place, state, copied in self._db.execute("SELECT place, state, copy <> '' FROM seen"):
            yield place, state, bool(copied)

    def close(self) -> None:
        """Close the file."""
        self._db.close()


@contextlib.contextmanager
def under(out: Path) -> Iterator[list[EarlierRun]]:
    """The lists of the finished runs under an output folder, the newest first; one that cannot be read is left out."""
    found: list[tuple[str, EarlierRun]] = []
    try:
        for run in RunFolder.all_under(out):
            with contextlib.suppress(OSError, *tables.FAULTS, msgspec.DecodeError):
                if tables.is_plain(run.private / NAME) and not run.journal.exists():
                    seen = EarlierRun(run)
                    found.append((str(seen.made.settings.started_ns).zfill(20), seen))
        yield [seen for _, seen in sorted(found, key=lambda pair: pair[0], reverse=True)]
    finally:
        for _, seen in found:
            seen.close()


class _Maybe(msgspec.Struct, frozen=True):
    """A photo that an earlier run has done, if its content is still the same."""

    place: tuple[int, bytes]
    job: Job
    original: Original
    tag: str
    became: str


def waits(run: RunFolder) -> set[str]:
    """What of an earlier run waited for a person when it ended: ``review``, ``questions``, ``stop``.

    Nothing, when all its copies were released.
    """
    if not any(run.unreviewed.glob("P*")):
        return set()
    with contextlib.suppress(OSError, msgspec.DecodeError, TypeError, KeyError):
        ended = from_json(files.read_own(run.summary), dict)
        return {"review"} | {c["name"] for c in ended["conditions"]} & {"questions", "stop"}
    return {"review"}


def unchanged(
    out: Path, roots: Sequence[Root], items: Callable[[], Iterable[Item]], made: Made, pool: Workers, key: bytes
) -> Unchanged:
    """Which photos need not be done again. Only photos that an earlier run has done are read.

    Args:
        out: The output folder.
        roots: Where the photos come from.
        items: Lists them.
        made: With what the new run would be made.
        pool: Reads them.
        key: The site key.
    """
    if not key:
        return NOTHING
    same: set[tuple[int, bytes]] = set()
    runs: Counter[str] = Counter()
    kept_back: Counter[str] = Counter()
    again: Counter[str] = Counter()
    with under(out) as lists:
        if not lists:
            return NOTHING
        differs = {seen.run.tag: made.changed(seen.made) for seen in lists}
        maybe = _maybe(lists, differs, roots, items(), key, again)
        out_there: dict[str, list[_Maybe]] = {}
        for (jobs, _), answers in pool.each(worker.unchanged, _chunks(maybe, out_there), seconds=600.0):
            chunk = out_there.pop(jobs[0].safe_id)
            if isinstance(answers, MedimgError):
                continue  # they are done again
            for one, yes in zip(chunk, answers, strict=True):
                if yes:
                    same.add(one.place)
                    runs[one.tag] += 1
                    kept_back[one.became] += one.became != "unreviewed"
    return Unchanged(
        places=frozenset(same),
        runs={seen.run.tag: runs[seen.run.tag] for seen in lists if runs[seen.run.tag]},
        kept_back={state: count for state, count in kept_back.items() if count},
        changed=tuple(sorted({name for tag, count in again.items() if count for name in differs[tag]})),
        again=sum(again.values()),
    )


def _maybe(
    lists: Sequence[EarlierRun],
    differs: Mapping[str, Sequence[str]],
    roots: Sequence[Root],
    items: Iterable[Item],
    key: bytes,
    again: Counter[str],
) -> Iterator[_Maybe]:
    """What must be read to know; ``again`` counts those that a run with other settings has done."""
    for item in items:
        mark = place_mark(key, roots[item.root], item.path)
        other = ""
        for seen in lists:
            row = seen.of(mark)
            if row is None or row.original is None or row.original.bytes != item.size or not seen.stands(row):
                continue
            if not differs[seen.run.tag]:
                path = os.path.join(roots[item.root].folder, item.path)  # noqa: PTH118 - bytes
                place = (item.root, item.path)
                yield _Maybe(place, Job(path, item.safe_id), row.original, seen.run.tag, row.became)
                break
            other = other or seen.run.tag
        else:
            again[other] += bool(other)


def _chunks(maybe: Iterator[_Maybe], out_there: dict[str, list[_Maybe]]) -> Iterator[tuple[list[Job], list[Original]]]:
    """Work for the workers, made only as they take it."""
    while chunk := list(itertools.islice(maybe, _CHUNK)):
        out_there[chunk[0].job.safe_id] = chunk
        yield [m.job for m in chunk], [m.original for m in chunk]


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(os.fsencode(path))
