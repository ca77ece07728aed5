"""What only a Windows Python can show; run under Wine by ``make test-windows``."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

if sys.platform != "win32":
    pytest.skip("for a Windows Python: make test-windows", allow_module_level=True)

from medimg.system import host, programs

CHILD = (
    "import subprocess, sys, time; from medimg.system import host\n"
    "host.lead(0)\n"
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)'])\n"
    "print(child.pid, flush=True); time.sleep(300)"
)


def gone(pid: int) -> bool:
    end = time.monotonic() + 60
    while host.alive(pid) and time.monotonic() < end:
        time.sleep(0.1)
    return not host.alive(pid)


def test_what_a_killed_worker_had_started_ends_with_it() -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        child = int(worker.stdout.readline())
        assert host.alive(child)
        worker.kill()
        assert gone(child)


def test_a_program_ends_with_its_job(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(300)"]
    with programs.Program(command, tmp_path, 60) as program:
        assert host.alive(program.pid)
        program.kill()
        assert gone(program.pid)


def test_a_rename_waits_for_whoever_holds_the_file(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"1")
    new.write_bytes(b"2")
    scanner = new.open("rb")  # Python opens without leave to delete, as a virus scanner may
    threading.Timer(0.4, scanner.close).start()
    host.replace(old, new)
    assert new.read_bytes() == b"1"


def test_a_file_that_is_open_for_writing_is_known(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"1")
    assert not host.being_written(os.fsencode(path))
    with path.open("ab"):
        assert host.being_written(os.fsencode(path))
    assert not host.being_written(os.fsencode(path))


def test_a_long_path_can_be_written_and_read(tmp_path: Path) -> None:
    deep = host.long_path(str(tmp_path))
    for n in range(8):
        deep = f"{deep}\\{n}{'x' * 48}"
        Path(deep).mkdir()
    name = f"{deep}\\photo.jpg"
    assert len(name) > 400
    handle = os.open(name, os.O_RDWR | os.O_CREAT)
    os.close(handle)
    assert Path(name).stat().st_size == 0


def test_text_in_a_pipe_is_utf8() -> None:
    line = "from medimg.system import host; host.settle_console(); print('Zo\\u00eb \\u2014 \\u56fe')"
    out = subprocess.run([sys.executable, "-c", line], capture_output=True, check=True).stdout
    assert out.decode("utf-8").strip() == "Zo\u00eb \u2014 \u56fe"


def test_there_are_no_socket_files() -> None:
    with pytest.raises(OSError):  # noqa: PT011
        host.unix_socket()


def test_a_key_of_the_registry_is_written_read_and_removed() -> None:
    key = r"Software\medimg-test\menu"
    host.write_registry(rf"{key}\command", {"": "run"})
    host.write_registry(key, {"": "words", "other": "value"})
    try:
        assert host.registry_values(key) == {"": "words", "other": "value"}
        said = subprocess.run(["reg", "query", rf"HKCU\{key}", "/s"], capture_output=True, text=True, check=True).stdout
        assert "words" in said
        assert rf"HKEY_CURRENT_USER\{key}\command" in said
    finally:
        host.remove_registry(r"Software\medimg-test")
    assert host.registry_values(key) == {}
    assert subprocess.run(["reg", "query", rf"HKCU\{key}"], capture_output=True, check=False).returncode
    host.remove_registry(key)  # it may be gone
