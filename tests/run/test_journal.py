from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medimg.errors import OutputError, UsageError
from medimg.run import resume
from medimg.run.folder import RunFolder
from medimg.run.journal import MAX_DEATHS, Journal, Settings
from medimg.run.scan import Aside, Item, Root
from medimg.system import host
from medimg.types import Report

SETTINGS = Settings(roots=(Root(b"/in"),), policy="p")


def items(count: int) -> list[Item]:
    return [Item(0, b"%d.jpg" % n, f"P01-{n:03d}", 10, 20) for n in range(1, count + 1)]


def filled(path: Path, count: int) -> Journal:
    journal = Journal(path, create=True)
    journal.fill(SETTINGS, items(count), [Aside(0, b"x", "a link", asked=False)])
    return journal


def report(safe_id: str, state: str = "unreviewed", exit_code: int = 0) -> Report:
    return Report(safe_id=safe_id, state=state, exit_code=exit_code)  # type: ignore[arg-type]


def test_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    with filled(tmp_path / "j", 3) as journal:
        journal.claim(1, alone=True)
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()}
    assert set(modes.values()) == {0o600}
    assert "j" in modes


def test_claims_in_order_and_never_the_same_twice(tmp_path: Path) -> None:
    with filled(tmp_path / "j", 5) as journal:
        first, second = journal.claim(2, alone=True), journal.claim(9, alone=False)
        assert [c.item.safe_id for c in first] == ["P01-001", "P01-002"]
        assert [c.item.safe_id for c in second] == ["P01-003", "P01-004", "P01-005"]
        assert journal.claim(1, alone=True) == []
        assert journal.counts() == {"pending": 0, "running": 5, "done": 0, "failed": 0, "held": 0}


def test_a_suspect_is_claimed_alone_and_first_when_nothing_runs(tmp_path: Path) -> None:
    with filled(tmp_path / "j", 4) as journal:
        journal.claim(2, alone=True)
    with Journal(tmp_path / "j") as journal:
        journal.recover()
        assert [c.item.safe_id for c in journal.claim(2, alone=False)] == ["P01-003", "P01-004"]
        for suspect in ("P01-001", "P01-002"):
            claims = journal.claim(2, alone=True)
            assert [(c.item.safe_id, c.attempts) for c in claims] == [(suspect, 2)]


def test_what_took_the_batch_down_each_time_is_set_aside(tmp_path: Path) -> None:
    filled(tmp_path / "j", 1).close()
    for _ in range(MAX_DEATHS):
        with Journal(tmp_path / "j") as journal:
            journal.recover()
            assert len(journal.claim(1, alone=True)) == 1
    with Journal(tmp_path / "j") as journal:
        journal.recover()
        assert journal.claim(1, alone=True) == []
        assert [safe_id for _, safe_id in journal.without_report()] == ["P01-001"]


def test_a_stop_by_the_user_blames_nobody(tmp_path: Path) -> None:
    with filled(tmp_path / "j", 2) as journal:
        journal.claim(2, alone=True)
        journal.release_running()
        assert [c.attempts for c in journal.claim(2, alone=True)] == [1, 1]


def test_only_what_could_not_be_written_is_tried_again_after_the_end(tmp_path: Path) -> None:
    with filled(tmp_path / "j", 3) as journal:
        one, two, three = journal.claim(3, alone=True)
        journal.settle(
            [
                (one.id, "done", report("P01-001")),
                (two.id, "failed", report("P01-002", "failed", 30)),
                (three.id, "failed", report("P01-003", "refused", 21)),
            ]
        )
        journal.recover()
        assert [c.item.safe_id for c in journal.claim(3, alone=True)] == ["P01-002"]
        assert [r.safe_id for r in journal.reports()] == ["P01-001", "P01-003"]


def test_a_list_that_breaks_off_leaves_no_list(tmp_path: Path) -> None:
    def breaks_off() -> object:
        yield items(1)[0]
        raise KeyboardInterrupt

    with Journal(tmp_path / "j", create=True) as journal:
        with pytest.raises(KeyboardInterrupt):
            journal.fill(SETTINGS, breaks_off(), [])  # type: ignore[arg-type]
        assert journal.settings() is None
        assert sum(journal.counts().values()) == 0


def test_settings_come_back_and_differences_are_named(tmp_path: Path) -> None:
    with filled(tmp_path / "j", 1) as journal:
        back = journal.settings()
        assert back == SETTINGS
        assert journal.asides() == [Aside(0, b"x", "a link", asked=False)]
    other = Settings(roots=(Root(b"/in"),), policy="q", keep_key=True)
    assert back is not None
    assert back.same_photos(other)
    assert back.changed(other) == ["policy", "keep-key"]
    assert not back.same_photos(Settings(roots=(Root(b"/elsewhere"),), policy="p"))


def test_removal_leaves_no_byte_of_a_name(tmp_path: Path) -> None:
    journal = filled(tmp_path / "j", 3)
    journal.claim(1, alone=True)
    journal.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_or_broken_journal_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Journal(tmp_path / "j")
    (tmp_path / "j").write_bytes(b"not a database, and long enough to be taken for one" * 40)
    with pytest.raises(OutputError) as caught:
        Journal(tmp_path / "j").counts()
    assert "not a database" not in str(caught.value)


@settings(max_examples=25)
@given(st.lists(st.sampled_from(["claim", "settle", "retry", "die", "stop"]), max_size=40))
def test_every_photo_is_in_exactly_one_state_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    path = tmp_path_factory.mktemp("journal") / "j"
    journal = filled(path, 6)
    live = []
    for step in steps:
        if step == "claim":
            live += journal.claim(2, alone=not live)
        elif step in ("settle", "retry") and live:
            claim = live.pop()
            done = step == "settle"
            journal.settle([(claim.id, "done" if done else "pending", report(claim.item.safe_id) if done else None)])
        elif step == "die":
            journal.close()
            journal, live = Journal(path), []
            journal.recover()
        elif step == "stop":
            journal.release_running()
            live = []
        counts = journal.counts()
        assert sum(counts.values()) == 6
        assert counts["running"] == len(live)
        assert counts["done"] == len(list(journal.reports()))
    journal.close()


def test_a_journal_that_cannot_be_made_is_not_left_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows its folder could not be removed then; a full disk is how it comes about."""
    closed = []
    real = Journal.close
    monkeypatch.setattr(Journal, "close", lambda self: closed.append(real(self)))
    monkeypatch.setattr("medimg.run.journal.SCHEMA", "CREATE nonsense")
    with pytest.raises(OutputError):
        Journal(tmp_path / "j", create=True)
    assert closed == [None]


def open_files_keep_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows."""
    real = Path.unlink

    def unlink(self: Path, missing_ok: bool = False) -> None:
        if str(self) in host.open_targets():
            raise PermissionError
        real(self, missing_ok=missing_ok)

    monkeypatch.setattr(host, "UNLINK_OPEN", False)
    monkeypatch.setattr(Path, "unlink", unlink)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at which files are open")
def test_a_run_that_never_knew_its_photos_goes_where_open_files_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_files_keep_their_names(monkeypatch)
    run = RunFolder.create(tmp_path / "out")
    Journal(run.journal, create=True).close()
    handle = run.lock()  # somebody works on it
    assert resume.newest(tmp_path / "out", lambda _: True) is None
    assert run.journal.is_file()
    run.unlock(handle)
    assert resume.newest(tmp_path / "out", lambda _: True) is None
    assert list((tmp_path / "out").iterdir()) == []
