"""Variables that have native code write files, load code or change its limits reach neither a worker nor a library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import batch_fakes as fakes
import pytest

from medimg.engine.pool import Workers
from medimg.engine.worker import Setup
from medimg.policy import Policy
from medimg.system.children import ALSO

HOSTILE = {
    "OPENCV_TRACE": "1", "OPENCV_TRACE_LOCATION": "trace", "OPENCV_DUMP_CONFIG": "1", "OPENCV_LOG_LEVEL": "DEBUG",
    "OPENCV_IO_MAX_IMAGE_PIXELS": "10", "OPENCV_PARALLEL_BACKEND": "planted", "OPENCV_CORE_PLUGIN_PATH": ".",
    "ORT_LOAD_CONFIG_FROM_MODEL": "1", "LIBHEIF_SECURITY_LIMITS": "off", "LIBHEIF_PLUGIN_PATH": ".",
    "OMP_DISPLAY_ENV": "true", "TESSDATA_PREFIX": ".", "SSLKEYLOGFILE": "keys.txt",
}  # fmt: skip
STARTING = {
    "MALLOC_PERTURB_": "7", "GLIBC_TUNABLES": "glibc.malloc.check=0", "PYTHONWARNINGS": "ignore", "LD_BIND_NOW": "1",
}  # fmt: skip
LIBRARY = """
import os, medimg, numpy
before = dict(os.environ)
made = medimg.scrub(numpy.full((64, 96, 3), 180, numpy.uint8))
assert dict(os.environ) == before
print(made.report.state, made.report.reason)
"""


def in_folder(folder: Path, *command: str) -> str:
    register = {"MEDIMG_REGISTER": str(folder.parent / "register.sqlite")}
    done = subprocess.run(
        [sys.executable, "-P", *command], cwd=folder, env=os.environ | HOSTILE | STARTING | register,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 10, 11, 20), done.stderr
    assert "OPENMP" not in done.stderr + done.stdout
    return done.stdout


def test_the_library_writes_nothing_beside_the_photos(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    said = in_folder(tmp_path / "here", "-c", LIBRARY)
    assert said.splitlines()[-1] == "unreviewed "
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("command", [("clean", "a.png", "-o", "../out"), ("verify", "a.png")])
def test_a_command_writes_nothing_beside_the_photos(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "here").mkdir()
    fakes.photo(tmp_path / "here" / "a.png")
    in_folder(tmp_path / "here", "-m", "medimg", *command)
    assert [p.name for p in (tmp_path / "here").iterdir()] == ["a.png"]


def test_a_worker_has_the_variables_that_are_listed_and_those_a_host_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**HOSTILE, **STARTING, "THEIRS": "1", "DATABASE_PASSWORD": "x", "LC_TIME": "C"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(ALSO, "theirs, OTHER")
    before = dict(os.environ)
    with Workers(Setup(policy=Policy(scope="metadata-only")), 1) as pool:
        theirs = pool.submit(_names, seconds=200.0)
        pool.wait()
        names = set(pool.result(theirs))
    assert dict(os.environ) == before
    assert not names & {*HOSTILE, *STARTING, "DATABASE_PASSWORD"}
    assert {"PATH", "LC_TIME", "THEIRS", "PYTHONSAFEPATH"} <= names


def _names() -> tuple[str, ...]:
    return tuple(os.environ)
