"""Code that lies among the photos is not run, however Python is started there; every command: test_nothing_leaves."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import commands_kit as kit
import pytest
from planted_kit import plant

from medimg.engine.pool import Workers
from medimg.engine.worker import Setup
from medimg.policy import Policy

MODULE = (sys.executable, "-m", "medimg")


def imported_by_the_start(folder: Path) -> list[str]:
    """What ``python -m`` imports before the first line of a package; its own switch -P alone helps against that."""
    (folder / "probe").mkdir(parents=True)
    (folder / "probe" / "__init__.py").write_text("import sys\nprint(*sys.modules)\n")
    (folder / "probe" / "__main__.py").write_text("")
    command = [sys.executable, "-m", "probe"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(MODULE, id="module", marks=pytest.mark.long),
        pytest.param((sys.executable, "-mmedimg.cli.main"), id="joined"),
    ],
)
def test_nothing_is_run_for_python_m_medimg(tmp_path: Path, start: tuple[str, ...]) -> None:
    """Python itself looks into the current folder for medimg and for what its own start needs; medimg does not."""
    place, proof = kit.Place(tmp_path, start), tmp_path / "proof"
    plant(place.photos, proof, leave=("medimg", *imported_by_the_start(tmp_path / "empty")))
    try:
        place.run("clean", "a.png", "-o", "../out", "--where", "AU", "--workers", "1")
    finally:
        assert not proof.exists(), proof.read_text()


LATE = ("PIL", "cv2", "msgspec", "multiprocessing", "numpy", "onnxruntime", "pebble", "zxingcpp")


@pytest.mark.parametrize(
    "start", [pytest.param((), id="command", marks=pytest.mark.long), pytest.param(MODULE, id="module")]
)
def test_an_empty_entry_of_the_paths_is_taken_out(tmp_path: Path, start: tuple[str, ...]) -> None:
    """``PYTHONPATH=$PYTHONPATH:/x``: what Python has not imported before medimg begins is not looked for here."""
    more = {"PYTHONPATH": f":{tmp_path / 'nothing'}", "LD_LIBRARY_PATH": ":/nothing"}
    place, proof = kit.Place(tmp_path, start, more=more), tmp_path / "proof"
    for name in LATE:
        (place.photos / f"{name}.py").write_text(f"open({str(proof)!r}, 'a').write(__name__ + '\\n')\n")
    try:
        place.run("clean", "a.png", "-o", "../out", "--where", "AU", "--workers", "1")
    finally:
        assert not proof.exists(), proof.read_text()


NOTEBOOK = """
import sys
import medimg.api, medimg.engine.batch, PIL.Image, numpy, pebble
if __name__ == "__main__":
    sys.path.insert(0, "")
    medimg.scrub_folder(["a.png"], sys.argv[1])
"""


@pytest.mark.long
def test_workers_of_a_notebook_do_not_look_beside_it(tmp_path: Path) -> None:
    """A notebook and a prompt have "" on their path, the current folder; their workers have not."""
    place, proof = kit.Place(tmp_path), tmp_path / "proof"
    for name in ("PIL", "cv2", "numpy", "onnxruntime", "zxingcpp"):
        (place.photos / f"{name}.py").write_text(f"open({str(proof)!r}, 'a').write(__name__ + '\\n')\n")
    (tmp_path / "notebook.py").write_text(NOTEBOOK)
    try:
        place.run(str(tmp_path / "out"), program=[sys.executable, str(tmp_path / "notebook.py")])
    finally:
        assert not proof.exists(), proof.read_text()


def test_children_get_no_entry_that_names_the_current_folder() -> None:
    from medimg.system import children

    given = {"PYTHONPATH": ":/a:.:b", "LD_LIBRARY_PATH": ":/usr/lib:", "HOME": "/h"}
    assert children.changes(given) == {
        "PYTHONSAFEPATH": "1", "ORT_DISABLE_TELEMETRY": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": "/a",
        "LD_LIBRARY_PATH": "/usr/lib",
    }  # fmt: skip
    assert children.changes({"PYTHONPATH": "."})["PYTHONPATH"] is None


def test_the_environment_of_a_host_program_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", ":/a")
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    before, path = dict(os.environ), list(sys.path)
    with Workers(Setup(policy=Policy(scope="metadata-only")), 1) as pool:
        pool.warm()
        assert dict(os.environ) == before
        theirs = pool.submit(_seen, seconds=200.0)
        pool.wait()
        assert pool.result(theirs) == ("1", "1", "/a")
    assert dict(os.environ) == before
    assert sys.path == path


def _seen() -> tuple[str | None, ...]:
    return tuple(os.environ.get(n) for n in ("PYTHONSAFEPATH", "ORT_DISABLE_TELEMETRY", "PYTHONPATH"))
