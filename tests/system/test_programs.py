from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from medimg.errors import CheckNotRun, MissingPart
from medimg.system import programs

ENV = str(programs.find("env"))
SH = str(programs.find("sh"))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_environment_is_made_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH", "USER", "PATIENT", "QT_QPA_FONTDIR"):
        monkeypatch.setenv(key, "")
    lines = dict(line.split("=", 1) for line in programs.run([ENV], timeout=600).decode().splitlines())
    assert set(lines) == {"PATH", "LC_ALL", "HOME", "TMPDIR", "OMP_THREAD_LIMIT"}
    assert lines["HOME"] == lines["TMPDIR"]


def test_working_folder_is_private_and_removed() -> None:
    out = programs.run([SH, "-c", "pwd; stat -c %a .; ls -A | wc -l"], timeout=600).decode().split()
    assert out[0] != str(Path.cwd())
    assert out[1:] == ["700", "0"]
    assert not Path(out[0]).exists()


def test_input_goes_in_and_output_comes_back() -> None:
    big = os.urandom(1 << 20)
    assert programs.run([str(programs.find("cat"))], timeout=600, given=big) == big


def test_programs_are_found_by_absolute_path_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = tmp_path / "planted-program"
    planted.write_text("#!/bin/sh\n")
    planted.chmod(0o755)
    monkeypatch.setenv("PATH", f":{tmp_path}")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingPart):
        programs.find("planted-program")
    with pytest.raises(ValueError, match="absolute"):
        programs.run(["planted-program"], timeout=600)


def test_error_is_reported_without_what_the_program_said() -> None:
    with pytest.raises(CheckNotRun) as caught:
        programs.run([SH, "-c", "echo MARKER-4711 >&2; echo MARKER-4711; exit 3"], timeout=600)
    assert "MARKER" not in str(caught.value)
    assert "'sh' ended with an error." in str(caught.value)


def test_a_folder_cannot_be_run() -> None:
    with pytest.raises(CheckNotRun, match="could not be run"):
        programs.run(["/usr"], timeout=600)


def test_time_up_kills_the_whole_group(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    script = f"sleep 300 & echo $! > {note}; echo $$ >> {note}; wait"
    pids: list[int] = []
    for seconds in (1.0, 5.0, 25.0):  # on a busy machine a shell needs a while to begin
        with pytest.raises(CheckNotRun, match="too long"):
            programs.run([SH, "-c", script], timeout=seconds)
        pids = [int(p) for p in note.read_text().split()] if note.exists() else []
        if len(pids) == 2:
            break
    assert len(pids) == 2
    end = time.monotonic() + 100
    while any(alive(p) for p in pids):  # a process that was killed is not gone at once
        assert time.monotonic() < end
        time.sleep(0.05)


def test_stop_all_ends_what_runs() -> None:
    with programs.workspace() as folder, programs.Program([SH, "-c", "exec sleep 300"], folder, 60) as program:
        programs.stop_all()
        assert program.wait(120) == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="processor limits of another process are Linux's")
def test_processor_time_and_memory_are_bounded_by_the_kernel() -> None:
    with programs.workspace() as folder, programs.Program([str(programs.find("cat"))], folder, 7) as program:
        limits = Path(f"/proc/{program.pid}/limits").read_text()
        assert "Max cpu time              7" in limits
        assert f"Max address space         {programs.MEMORY}" in limits


@pytest.mark.skipif(not (shutil.which("gcc") and Path("/usr/bin/tesseract").exists()), reason="program not installed")
@pytest.mark.parametrize(("how", "runs_planted"), [("raw", True), ("ours", False)])
def test_library_planted_among_the_photos(tmp_path: Path, how: str, runs_planted: bool) -> None:
    """With an empty entry in LD_LIBRARY_PATH a library in the current folder is loaded; not by us."""
    source = tmp_path / "planted.c"
    mark = tmp_path / "ran"
    source.write_text(
        "#include <stdio.h>\n"
        f'__attribute__((constructor)) static void f(void){{FILE*x=fopen("{mark}","w");if(x)fclose(x);}}\n'
    )
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-Wl,-soname,libgif.so.7", "-o", "libgif.so.7", source.name],
        cwd=tmp_path,
        check=True,
    )
    call = {
        "raw": "import subprocess; subprocess.run(['/usr/bin/tesseract', '--version'], capture_output=True)",
        "ours": (
            "import numpy; from medimg.detect.text import tesseract as _tesseract;"
            "reader = _tesseract.Reader(); reader.read(numpy.full((60, 200), 255, numpy.uint8))"
        ),
    }[how]
    subprocess.run(
        [sys.executable, "-c", call],
        cwd=tmp_path,
        env={**os.environ, "LD_LIBRARY_PATH": ":/usr/lib"},
        timeout=600,
        check=how == "ours",
    )
    assert mark.exists() is runs_planted


HOLD = (
    "import sys, time; from medimg.system import programs\n"
    "with programs.workspace() as folder:\n"
    "    (folder / 'picture.pgm').write_bytes(b'P5'); print(folder, flush=True); time.sleep(100)"
)
ONCE = f"from medimg.system import programs; programs.run([{str(programs.find('true'))!r}], timeout=30)"


def started(base: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that works in a private folder, and that folder's place among the temporary files."""
    child = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    folder = Path(child.stdout.readline().strip())
    return child, base / folder.relative_to(base).parts[0]


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="there is no folder in memory")
def test_what_a_killed_process_left_in_memory_is_removed_at_the_next_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEDIMG_SCRATCH", raising=False)
    base = Path("/dev/shm")
    dead, left = started(base)
    alive_one, used = started(base)
    kept = Path(tempfile.mkdtemp(prefix="medimg-", dir=base))  # somebody's own, of a like name
    old = Path(tempfile.mkdtemp(prefix="medimg-", dir=base))
    try:
        (kept / "photo.jpg").write_bytes(b"")
        (old / "tess_ab_input.PPM").write_bytes(b"")
        os.utime(kept, (1, 1))
        os.utime(old, (1, 1))
        dead.kill()
        dead.communicate()
        assert left.exists()
        subprocess.run([sys.executable, "-c", ONCE], check=True, timeout=600)
        assert not left.exists()
        assert not old.exists()
        assert used.exists()
        assert (kept / "photo.jpg").exists()
    finally:
        alive_one.kill()
        alive_one.communicate()
        for folder in (left, used, kept, old):
            shutil.rmtree(folder, ignore_errors=True)
