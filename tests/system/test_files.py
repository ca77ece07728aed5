from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from medimg.errors import Changed, OutputError, TooLarge, Unreadable
from medimg.system import files
from medimg.types import Copy

COPY = Copy(data=b"the copy", format="png", suffix=".png", width=1, height=1)


def test_reading_leaves_an_original_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"photo")
    os.utime(path, ns=(1_000_000_007, 2_000_000_009))
    before = path.stat()
    assert files.read_original(path, 5) == b"photo"
    after = path.stat()
    assert (before.st_atime_ns, before.st_mtime_ns, before.st_ino) == (
        after.st_atime_ns,
        after.st_mtime_ns,
        after.st_ino,
    )


def test_what_cannot_be_read_says_so_without_its_name(tmp_path: Path) -> None:
    (tmp_path / "Mary").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "gone", tmp_path / "Mary", tmp_path / "pipe", tmp_path / "Mary" / "x" / "y"):
        with pytest.raises(Unreadable) as caught:
            files.read_original(path, 100)
        assert "Mary" not in str(caught.value)


def test_limits_and_changes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"photo")
    info = path.stat()
    with pytest.raises(TooLarge):
        files.read_original(path, 4)
    assert files.read_original(path, 9, (5, info.st_mtime_ns)) == b"photo"
    for expected in ((4, info.st_mtime_ns), (5, info.st_mtime_ns + 1)):
        with pytest.raises(Changed):
            files.read_original(path, 9, expected)


def test_a_file_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"photo")
    real = os.fstat
    calls: list[int] = []

    def fstat(handle: int) -> os.stat_result:
        if calls:
            with path.open("ab") as file:
                file.write(b"more")
        calls.append(handle)
        return real(handle)

    monkeypatch.setattr(os, "fstat", fstat)
    with pytest.raises(Changed):
        files.read_original(path, 100)


def _overwrites(path: Path, ended: threading.Event, size: int) -> None:
    """Writes other bytes of the same size over a file, again and again, as a program that saves in place does."""
    with path.open("r+b", buffering=0) as file:
        while not ended.is_set():
            for letter in b"AB":
                os.pwrite(file.fileno(), bytes([letter]) * size, 0)


def test_a_file_that_is_overwritten_in_place_is_of_one_state_or_refused(tmp_path: Path) -> None:
    path, size, ended = tmp_path / "a", 8 << 20, threading.Event()
    path.write_bytes(b"A" * size)
    writer = threading.Thread(target=_overwrites, args=(path, ended, size))
    writer.start()
    try:
        for _ in range(12):
            with contextlib.suppress(Changed):
                assert len(set(files.read_original(path, size))) == 1
    finally:
        ended.set()
        writer.join()
    assert len(set(files.read_original(path, size))) == 1


def test_a_change_that_the_times_do_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write under way has set the time already; the bytes after the place it has reached are the old ones."""
    path = tmp_path / "a"
    path.write_bytes(b"new old")
    seen = path.stat()
    monkeypatch.setattr(os, "fstat", lambda _: seen)
    monkeypatch.setattr(time, "sleep", lambda _: path.write_bytes(b"new new"))
    assert files.read_original(path, 7) == b"new new"


def test_a_time_that_the_writer_sets_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    os.utime(path, (files.NEUTRAL_TIME, files.NEUTRAL_TIME))
    time.sleep(0.2)
    real = os.fstat
    calls: list[int] = []

    def fstat(handle: int) -> os.stat_result:
        if calls:
            path.write_bytes(b"two")
            os.utime(path, (files.NEUTRAL_TIME, files.NEUTRAL_TIME))
        calls.append(handle)
        return real(handle)

    monkeypatch.setattr(os, "fstat", fstat)
    with pytest.raises(Changed):
        files.read_original(path, 3)


def test_an_old_file_is_read_once_and_waited_for_by_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"photo")
    time.sleep(0.2)
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    assert files.read_original(path, 5) == b"photo"
    assert not waits


def test_written_files_are_private_with_a_time_that_tells_nothing(tmp_path: Path) -> None:
    files.write_private(tmp_path / "a", b"one")
    files.write_private(tmp_path / "a", b"two")
    info = (tmp_path / "a").stat()
    assert (tmp_path / "a").read_bytes() == b"two"
    assert stat.S_IMODE(info.st_mode) == 0o600
    assert info.st_mtime == files.NEUTRAL_TIME
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_failed_write_leaves_the_older_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write_private(tmp_path / "a", b"one")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError) as caught:
        files.write_private(tmp_path / "a", b"two")
    assert str(tmp_path) not in str(caught.value)
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("a", b"one")]


def test_a_sink_shows_a_copy_only_when_it_is_released(tmp_path: Path) -> None:
    sink = files.FileSink(tmp_path, "P01-001")
    assert sink.stage(COPY) == b"the copy"
    assert [p.suffix for p in tmp_path.iterdir()] == [".part"]
    assert sink.release() == "P01-001.png"
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("P01-001.png", b"the copy")]


def test_a_discarded_or_restaged_copy_leaves_nothing(tmp_path: Path) -> None:
    sink = files.FileSink(tmp_path, "P01-001")
    sink.stage(COPY)
    sink.stage(COPY)
    assert len(list(tmp_path.iterdir())) == 1
    sink.discard()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OutputError):
        sink.release()


def test_a_sink_without_a_folder_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        files.FileSink(tmp_path / "gone", "P01-001").stage(COPY)


def test_a_folder_that_is_read_only_is_said_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There, removing a file that is not there fails with EROFS as well, and not with ENOENT."""

    def read_only(*_: object, **__: object) -> int:
        raise OSError(errno.EROFS, "read-only file system")

    monkeypatch.setattr(os, "open", read_only)
    monkeypatch.setattr(Path, "unlink", read_only)
    with pytest.raises(OutputError):
        files.write_private(tmp_path / "x", b"x")
