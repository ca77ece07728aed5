"""What a run folder, the register and the storage say when something in them is gone, damaged or in the way."""

from __future__ import annotations

import importlib.util
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sheets_kit import run_folder

from medimg.errors import Changed, CheckFailed, MedimgError, MissingPart, OutputError, Unreadable, UsageError
from medimg.run import decisions, likeness, lock, looking, originals, resume, retention, search, share, signed, storage
from medimg.run import release as releasing
from medimg.run.folder import RECORD_FOLDER, REPORTS_NAME, STATE_NAME, RunFolder, refuse_links
from medimg.run.opened import OpenRun, open_run
from medimg.run.register import Register, Sharing

AT = "2026-01-02T03:04:05.000006Z"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    run_folder(tmp_path / "medimg-R7Q4", {"P01": 1})
    return tmp_path / "medimg-R7Q4"


@pytest.fixture
def opened(out: Path) -> OpenRun:
    return open_run(out)


# -- the register ------------------------------------------------------------------------------------------------------


@pytest.fixture
def register(tmp_path: Path) -> Register:
    made = Register(tmp_path / "register.sqlite")
    made.append("released", Sharing(run="R7Q4", group="P01", medimg="0", recipients="the hand group"), AT)
    return made


def changed(register: Register, statement: str) -> None:
    """Change the file as somebody does who means to: what keeps entries from being changed is taken away first."""
    with sqlite3.connect(register.path) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute(statement)
    db.close()


USES: dict[str, Callable[[Register], object]] = {
    "read": lambda r: r.entries(),
    "verified": lambda r: r.verify(),
    "written": lambda r: r.append("withdrawn", Sharing(run="R7Q4", group="P01", medimg="0"), AT),
}


@pytest.mark.parametrize("use", USES)
def test_a_register_without_its_entries_is_not_used(register: Register, use: str) -> None:
    changed(register, "DROP TABLE entries")
    before = register.path.read_bytes()
    with pytest.raises(OutputError, match="register of what was shared"):
        USES[use](register)
    assert register.path.read_bytes() == before


@pytest.mark.parametrize("use", USES)
def test_a_file_that_is_no_register_is_not_used(tmp_path: Path, use: str) -> None:
    path = tmp_path / "register.sqlite"
    path.write_bytes(b"nothing of the kind. " * 100)
    with pytest.raises(UsageError, match="damaged"):
        USES[use](Register(path))
    assert path.read_bytes() == b"nothing of the kind. " * 100


def test_what_cannot_be_taken_out_of_a_register_is_said(register: Register) -> None:
    changed(register, "CREATE TRIGGER no BEFORE DELETE ON private BEGIN SELECT RAISE(ABORT, 'no'); END")
    with pytest.raises(MedimgError, match="register of what was shared"):
        register.purge(lambda _: True, AT)


def test_an_entry_that_is_no_record_is_told_by_number(register: Register) -> None:
    changed(register, "UPDATE entries SET body = 'neither'")
    with pytest.raises(UsageError, match="an entry of the register is damaged"):
        register.entries()
    assert register.verify() == ["entry 1 was changed after it was written."]


def test_a_register_that_is_not_there_is_empty(tmp_path: Path) -> None:
    register = Register(tmp_path / "none.sqlite")
    assert register.entries() == []
    assert register.verify() == []
    assert not register.path.exists()


# -- the run folder ----------------------------------------------------------------------------------------------------


def test_a_folder_of_runs_that_is_full_takes_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.choice", lambda letters: letters[0])
    first = RunFolder.create(tmp_path)
    with pytest.raises(OutputError, match="too many runs"):
        RunFolder.create(tmp_path)
    assert RunFolder.all_under(tmp_path)[0].path == first.path


def test_runs_are_not_made_where_a_file_stands(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(OutputError, match="could not be made"):
        RunFolder.create(tmp_path / "out")
    assert RunFolder.all_under(tmp_path / "out") == []


def test_a_bare_run_with_something_of_somebody_elses_stays(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path)
    (run.hold / "notes.txt").write_text("mine")
    assert not run.remove_if_bare()
    assert (run.hold / "notes.txt").read_text() == "mine"


def test_a_bare_run_that_somebody_works_on_stays(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path)
    handle = run.lock()
    assert resume.newest(tmp_path, lambda _: True) is None
    assert run.path.is_dir()
    run.unlock(handle)
    assert resume.newest(tmp_path, lambda _: True) is None
    assert not run.path.exists()


def test_a_run_that_cannot_be_locked_is_not_worked_on(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="could not be locked"):
        lock.claim(tmp_path / "gone")
    with pytest.raises(OutputError, match="cannot be opened"), lock.alone(tmp_path / "gone"):
        pytest.fail("it was not locked")


@pytest.mark.parametrize("data", [b"", b"[", b'{"reports": 1}'])
def test_decisions_that_were_being_applied_and_cannot_be_read_stop_the_run(out: Path, data: bytes) -> None:
    (out / RECORD_FOLDER / "applied.json").write_bytes(data)
    with pytest.raises(UsageError, match="what was being applied"):
        open_run(out)


@pytest.mark.parametrize("data", [b"", b"{"])
@pytest.mark.parametrize("name", [REPORTS_NAME, STATE_NAME, "decisions.json"])
def test_a_damaged_file_of_a_run_is_named_by_what_it_holds(out: Path, name: str, data: bytes) -> None:
    path = out / RECORD_FOLDER / name
    path.write_bytes(data)
    with pytest.raises(UsageError, match="damaged"):
        decisions.load(out) if name == "decisions.json" else open_run(out)
    assert path.read_bytes() == data


def test_a_file_of_a_run_that_is_a_folder_cannot_be_read(out: Path) -> None:
    for name in (REPORTS_NAME, STATE_NAME):
        path = out / RECORD_FOLDER / name
        path.rename(path.with_suffix(".kept"))
        path.mkdir()
        with pytest.raises(UsageError, match="cannot be read"):
            open_run(out)
        path.rmdir()
        path.with_suffix(".kept").rename(path)
    (out / RECORD_FOLDER / "decisions.json").unlink()
    (out / RECORD_FOLDER / "decisions.json").mkdir()
    with pytest.raises(UsageError):
        decisions.load(out)


# -- copies ------------------------------------------------------------------------------------------------------------


def test_a_copy_that_is_gone_or_twice_there_is_not_as_it_was_checked(opened: OpenRun, out: Path) -> None:
    assert looking.changed(opened) == frozenset()
    copy = out / "unreviewed" / "P01-001.jpg"
    (out / "share" / copy.name).write_bytes(copy.read_bytes())
    assert looking.changed(opened) == {"P01-001"}
    (out / "share" / copy.name).unlink()
    copy.unlink()
    assert looking.changed(opened) == {"P01-001"}


def test_a_copy_replaces_no_file(out: Path) -> None:
    copy, there = out / "unreviewed" / "P01-001.jpg", out / "share" / "P01-001.jpg"
    there.write_bytes(b"another")
    with pytest.raises(OutputError, match="already there"):
        share.move([copy], out / "share")
    assert there.read_bytes() == b"another"
    assert copy.is_file()


def test_a_share_folder_that_is_a_file_is_not_looked_into(out: Path) -> None:
    (out / "share").rmdir()
    (out / "share").write_bytes(b"")
    found = share.look(out, {"P01-001.jpg": "0" * 64})
    assert found.linked
    assert any("is a link to another place, or no folder" in line for line in found.trouble)
    with pytest.raises(CheckFailed, match="is a link to another place"):
        refuse_links(out)


def test_what_is_no_scan_of_a_signed_page_is_not_kept(opened: OpenRun, tmp_path: Path) -> None:
    for scan, why in (
        (None, "name the scan"),
        (tmp_path / "a.exe", "a PDF or a picture"),
        (tmp_path / "a.pdf", "read"),
    ):
        with pytest.raises(UsageError, match=why):
            signed.add(opened, "P01", scan, role="nurse")


def test_a_copy_that_cannot_be_read_is_never_the_one_that_was_checked(
    opened: OpenRun, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(5, "input or output")

    monkeypatch.setattr("hashlib.file_digest", fails)
    (out / "unreviewed" / "P01-002.jpg").write_bytes(bytes(search.FEW))
    with pytest.raises(CheckFailed, match="could not be read"):
        share.digest(out / "unreviewed" / "P01-001.jpg")
    assert looking.changed(opened) == {"P01-001"}
    looked = search.Looked()
    assert list(search.search(out / "unreviewed", search.Wanted(exact={}, alike={}), looked)) == []
    assert looked.unread == 2
    assert likeness.of_file(out / "gone.jpg") == ""


def test_a_share_folder_and_a_register_that_cannot_be_read_are_told(
    opened: OpenRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "register.sqlite").write_bytes(b"nothing of the kind. " * 100)
    found, trouble = releasing.share_of(opened, Register(tmp_path / "register.sqlite"))
    assert not found.trouble
    assert any("register of what was shared is damaged" in line for line in trouble)

    def fails(_: Path) -> None:
        raise PermissionError(13, "denied")

    monkeypatch.setattr(Path, "iterdir", fails)
    with pytest.raises(CheckFailed, match="could not be read"):
        share.look(opened.folder, {})


def _in_use(*_: object) -> None:
    raise OutputError("the register is in use.")


def test_a_run_folder_that_cannot_be_removed_is_said(
    out: Path, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError(30, "read-only")

    old = retention.Old(folder=out, tag="R7Q4")
    with monkeypatch.context() as broken:
        broken.setattr(Path, "rename", fails)
        with pytest.raises(OutputError, match="could not be removed"):
            retention.remove(old, register, AT)
    with monkeypatch.context() as broken:
        broken.setattr(Register, "append", _in_use)
        with pytest.raises(OutputError, match="in use"):
            retention.remove(old, register, AT)
    assert open_run(out).reports
    assert [e.event for e in register.entries()] == ["released"]
    with monkeypatch.context() as broken:
        broken.setattr("shutil.rmtree", fails)
        with pytest.raises(OutputError, match="could not be removed to its end"):
            retention.remove(old, register, AT)
    assert [e.event for e in register.entries()] == ["released", "run-removed"]
    assert retention.sweep(out.parent, register, AT) == 1
    assert [e.event for e in register.entries()] == ["released", "run-removed"]
    assert not [p for p in out.parent.iterdir() if "R7Q4" in p.name]


def test_a_signed_page_is_not_kept_when_it_is_too_large_or_the_patient_withdrew(
    opened: OpenRun, register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    monkeypatch.setattr(signed, "LARGEST", 3)
    with pytest.raises(UsageError, match="larger than"):
        signed.add(opened, "P01", tmp_path / "a.pdf")
    after = opened.at(releasing.withdraw(opened, "P01", register))
    with pytest.raises(UsageError, match="withdrew"):
        signed.add(after, "P01", reference="folder 7")


# -- files that are looked for -----------------------------------------------------------------------------------------


def test_originals_are_looked_for_where_something_is(opened: OpenRun, tmp_path: Path) -> None:
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nothing")
    places = [tmp_path / "gone", tmp_path / "dangling.jpg", tmp_path / "medimg-R7Q4" / "unreviewed"]
    assert originals.find(opened.reports, places) == {}


def test_files_that_are_no_pictures_are_counted_and_not_found(tmp_path: Path) -> None:
    nothing = search.Wanted(exact={}, alike={})
    with pytest.raises(UsageError, match="this is no folder"):
        list(search.search(tmp_path / "gone", nothing, search.Looked()))
    (tmp_path / "icon.png").write_bytes(b"small")
    (tmp_path / "text.txt").write_bytes(b"words " * 1000)
    looked = search.Looked()
    assert list(search.search(tmp_path, nothing, looked)) == []
    assert (looked.pictures, looked.others, looked.unread) == (0, 2, 0)


# -- photos that lie elsewhere -----------------------------------------------------------------------------------------


def test_a_url_of_no_known_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown kind"):
        storage.listing(b"no-such-kind://x/y")
    if importlib.util.find_spec("s3fs") is None:
        with pytest.raises(MissingPart, match="not installed"):
            storage.listing(b"s3://x/y")


def test_a_photo_that_is_shorter_than_it_was_listed_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    storage.put("memory://short/a", b"12345")
    monkeypatch.setattr("fsspec.implementations.memory.MemoryFileSystem.cat_file", lambda *_: b"123")
    with pytest.raises(Changed, match="while it was being read"):
        storage.read(b"memory://short/a", 9)


@pytest.mark.parametrize(
    ("call", "use", "error", "words"),
    [
        ("find", lambda: storage.listing(b"memory://wrong"), UsageError, "cannot be listed"),
        ("cat_file", lambda: storage.get("memory://wrong/a"), OutputError, "could not be read back"),
        ("_open", lambda: storage.put("memory://wrong/a", b"x"), OutputError, "could not be written"),
        ("info", lambda: storage.read(b"memory://wrong/a", 9), Unreadable, "could not be read"),
    ],
)
def test_a_storage_that_fails_is_said_in_words(
    monkeypatch: pytest.MonkeyPatch, call: str, use: Callable[[], object], error: type[MedimgError], words: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ConnectionError("Quillfeather, MRN 5550173")

    monkeypatch.setattr(f"fsspec.implementations.memory.MemoryFileSystem.{call}", fails)
    with pytest.raises(error, match=words) as told:
        use()
    assert "Quillfeather" not in f"{told.value} {told.value.what} {told.value.todo}"
