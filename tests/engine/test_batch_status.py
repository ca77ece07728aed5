"""``medimg status`` on a run that is not finished, from another process and after a stop."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import batch_fakes as fakes
import pytest

import medimg
from medimg.engine.loop import Progress
from medimg.errors import Interrupted
from medimg.policy import Policy
from medimg.run import progress as standing


def status(path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "medimg.cli.main", "status", str(path), *more],
        capture_output=True,
        text=True,
        check=False,
    )


def test_while_it_runs_and_after_a_stop(tmp_path: Path) -> None:
    for n in range(12):
        fakes.photo(tmp_path / f"in/MARKER {n:02d}.png", fakes.RAISES if n == 1 else fakes.WELL, seed=n)
    (tmp_path / "in/MARKER 02.png").write_text("no picture")
    said: list[subprocess.CompletedProcess[str]] = []

    def look(event: Progress) -> None:
        if event.settled >= 4 and event.counts["held"] == event.counts["failed"] == 1 and not said:
            said.append(status(tmp_path / "out"))
            said.append(status(tmp_path / "out" / f"medimg-{event.run}", "--json"))
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        medimg.scrub_folder(
            [tmp_path / "in"], tmp_path / "out", policy=Policy(), make=fakes.make, workers=2, progress=look
        )
    words, data = said
    assert (words.returncode, data.returncode) == (0, 0)
    assert "medimg is working on it" in words.stdout
    assert "1 held, 1 not cleaned" in words.stdout
    assert "a check could not be run [M-HOLD-NOTRUN]" in words.stdout
    found = json.loads(data.stdout)
    assert (found["finished"], found["working"], found["total"]) == (False, True, 12)
    assert sum(found["counts"].values()) == 12
    assert found["counts"]["held"] == found["counts"]["failed"] == 1
    assert found["kept_back"] == {"M-HOLD-NOTRUN": 1, "M-IN-KIND": 1}
    assert found["rate"] > 0
    after = status(tmp_path / "out")
    assert after.returncode == 130
    assert "nobody is working on it" in after.stdout
    assert "--resume" in after.stdout
    (run,) = (tmp_path / "out").iterdir()
    stopped = standing.unfinished(run)
    assert stopped is not None
    assert (stopped.counts["running"], stopped.settled + stopped.counts["pending"]) == (0, 12)
    assert "MARKER" not in "".join(r.stdout + r.stderr for r in (words, data, after))
    # Looking has changed nothing: the run goes on.
    done = medimg.scrub_folder([tmp_path / "in"], tmp_path / "out", policy=Policy(), make=fakes.make, resume=True)
    assert done.photos == {"unreviewed": 10, "held": 1, "refused": 1}
    assert standing.unfinished(run) is None
    finished = json.loads(status(run, "--json").stdout)
    assert finished["finished"] is True


def test_a_run_that_died_before_its_list_was_complete(tmp_path: Path) -> None:
    from medimg.run.folder import RunFolder
    from medimg.run.journal import Journal

    run = RunFolder.create(tmp_path)
    Journal(run.journal, create=True).close()
    found = standing.unfinished(tmp_path)
    assert found is not None
    assert (found.working, found.total, found.left) == (False, 0, None)
    handle = run.lock()
    again = standing.unfinished(run.path)
    assert again is not None
    assert again.working
    run.unlock(handle)
    assert status(tmp_path / "nowhere").returncode == 2
