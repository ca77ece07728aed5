"""Run folders, journals and registers that another program has changed are refused, and nothing waits for them."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from release_kit import answered, call
from sheets_kit import run_folder

from medimg.cli.purge import purge
from medimg.cli.register import register
from medimg.cli.status import status
from medimg.cli.withdraw import withdraw
from medimg.engine import incremental
from medimg.errors import MedimgError, OutputError, UsageError
from medimg.run import tables
from medimg.run.folder import RunFolder
from medimg.run.journal import Journal, Settings
from medimg.run.register import Register, Sharing
from medimg.run.scan import Item, Root

PRIVATE = "PRIVATE-patient-record"
pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")


@pytest.fixture(autouse=True)
def own_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "register" / "register.sqlite"
    monkeypatch.setenv("MEDIMG_REGISTER", str(path))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "medimg-R7Q4"
    run_folder(folder, {"P01": 1})
    answered(folder, tmp_path, {"P01": ["P01-001"]})
    return folder


@contextlib.contextmanager
def in_time(seconds: float = 60.0) -> Iterator[None]:
    """Whoever waits for a pipe is woken, and fails."""

    def woken(*_: object) -> None:
        raise AssertionError("it waits")

    before = signal.signal(signal.SIGALRM, woken)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", ["\\u001b[2JP01", "../../../P01", "P01\\n", "/P01"])
@pytest.mark.parametrize("given", ["R7Q4", "P01", "P01-001", "P01-001.jpg"])
def test_a_name_that_medimg_does_not_give_is_refused(out: Path, given: str, name: str) -> None:
    for file in ("answers.json", "reports.json", "decisions.json"):
        path = out / PRIVATE / file
        if path.exists():
            path.write_text(path.read_text().replace(f'"{given}"', f'"{name}"'))
    with pytest.raises(UsageError):
        call(status, out)


def _loops(db: sqlite3.Connection) -> None:
    db.executescript(
        "DROP TABLE private;"
        "CREATE VIEW private AS WITH RECURSIVE c(seq, body) AS (SELECT 1, 'a' UNION ALL SELECT seq + 1, body FROM c"
        " LIMIT 9) SELECT * FROM c;"
    )


def _acts(db: sqlite3.Connection) -> None:
    db.execute("CREATE TRIGGER more AFTER INSERT ON entries BEGIN DELETE FROM private; END")


def _counts_too_far(db: sqlite3.Connection) -> None:
    db.executescript(f"DROP TRIGGER head_grows; UPDATE head SET seq = {2**63 - 1};")


@pytest.mark.parametrize("harm", [_loops, _acts, _counts_too_far])
def test_nothing_is_added_to_a_register_that_was_changed(
    own_register: Path, harm: Callable[[sqlite3.Connection], None]
) -> None:
    book = Register(own_register)
    book.append("released", Sharing(run="R7Q4", group="P01"), "2026-12-01")
    with contextlib.closing(sqlite3.connect(own_register)) as db:
        harm(db)
        db.commit()
    before = own_register.read_bytes()
    with pytest.raises(UsageError, match="damaged"):
        book.append("withdrawn", Sharing(run="R7Q4", group="P01"), "2026-12-02")
    assert own_register.read_bytes() == before


def test_a_register_of_which_sqlite_complains_in_no_utf8(own_register: Path) -> None:
    book = Register(own_register)
    book.append("released", Sharing(run="R7Q4", group="P01"), "2026-12-01")
    data = own_register.read_bytes()
    assert b"TABLE entries (" in data
    own_register.write_bytes(data.replace(b"TABLE entries (", b"TABLE entries \xad"))
    for ask in (book.entries, book.verify):
        with pytest.raises(MedimgError):
            ask()


def test_what_is_listed_does_not_steer_the_terminal(own_register: Path) -> None:
    Register(own_register).append("released", Sharing(run="R\u202e", group="P01"), "2026-12-01")
    assert "\u202e" not in call(register, "list").output


@pipes
def test_a_register_with_a_pipe_beside_it_is_not_waited_for(own_register: Path) -> None:
    book = Register(own_register)
    book.append("released", Sharing(run="R7Q4", group="P01"), "2026-12-01")
    os.mkfifo(own_register.with_name("register.sqlite-journal"))
    assert not tables.is_plain(own_register)  # SQLite would wait where no signal wakes it
    with pytest.raises(UsageError, match="damaged"):
        book.entries()


def test_no_register_is_made_where_a_link_leads(own_register: Path, tmp_path: Path) -> None:
    own_register.parent.mkdir()
    own_register.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="damaged"):
        Register(own_register).append("released", Sharing(run="R7Q4", group="P01"), "2026-12-01")
    assert not (tmp_path / "elsewhere").exists()


@pipes
def test_a_pipe_in_the_place_of_the_lock_or_a_copy(out: Path) -> None:
    os.mkfifo(out / PRIVATE / ".lock")
    with in_time():
        call(purge, out, "--older-than", 0, "--yes", "--with-waiting")
    (out / PRIVATE / ".lock").unlink(missing_ok=True)
    copy = out / "unreviewed" / "P01-001.jpg"
    if out.exists():
        copy.unlink()
        os.mkfifo(copy)
        with in_time():
            call(withdraw, out, "P01")


@pytest.mark.parametrize("harm", ["UPDATE item SET safe_id = '../../P01-001'", "UPDATE item SET root = 7", "view"])
def test_a_journal_that_was_changed_is_refused(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "journal.sqlite"
    with Journal(path, create=True) as journal:
        journal.fill(Settings(roots=(Root(b"/in"),), policy="p"), [Item(0, b"1.jpg", "P01-001", 10, 20)], [])
    with contextlib.closing(sqlite3.connect(path)) as db:
        if harm == "view":
            harm = "DROP TABLE aside; CREATE VIEW aside AS SELECT 0 AS root"
        db.executescript(harm)
        db.commit()
    for look in (False, True):
        with pytest.raises(OutputError, match="damaged"):
            Journal(path, look=look)


def test_a_journal_that_is_a_link_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path / "other", create=True) as journal:
        journal.fill(Settings(roots=(Root(b"/in"),), policy="p"), [], [])
    (tmp_path / "journal.sqlite").symlink_to(tmp_path / "other")
    with pytest.raises(OutputError, match="damaged"):
        Journal(tmp_path / "journal.sqlite")


def test_a_list_of_an_earlier_run_names_no_copy_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "P01-001.jpg").touch()
    seen = incremental.EarlierRun.__new__(incremental.EarlierRun)
    seen.run = RunFolder(tmp_path / "medimg-R7Q4")
    for folder in (seen.run.unreviewed, seen.run.share):
        folder.mkdir(parents=True)
    assert not seen.stands(incremental.Row(b"", None, "../../P01-001.jpg", "unreviewed"))


def test_ten_thousand_runs_have_ten_thousand_tags(tmp_path: Path) -> None:
    tag = RunFolder.create(tmp_path).tag
    assert 10_000**2 / 2 / 32 ** len(tag) < 1e-6
