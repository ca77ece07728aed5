"""The window does not die: thousands of random acts at the review, in processes of their own.

``MEDIMG_ACTS`` sets how many acts each seed does; what was done stands in the output with the seed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import acts_fakes as fakes
import pytest

from medimg.engine.batch import scrub_folder
from medimg.run.opened import open_run

MANY = 300
"""From so many acts on each kind is among them, with these seeds."""
ACTS = int(os.environ.get("MEDIMG_ACTS", "670"))  # of each of three seeds: 2,010
UNDER_VALGRIND = 50
HERE = Path(__file__).parent
DRIVE = HERE / "acts_drive.py"
VALGRIND = (
    "valgrind", "--tool=memcheck", "--error-exitcode=99", "--exit-on-first-error=yes", "--leak-check=no",
    "--undef-value-errors=no", "--num-callers=40", f"--suppressions={HERE / 'valgrind.supp'}",
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of five photos of two patients, each with a dozen areas or more; one of them is held."""
    base = tmp_path_factory.mktemp("made")
    for number, how in enumerate((fakes.WOUND, fakes.SCREENSHOT, fakes.HELD, fakes.WOUND)):
        fakes.photo(base / "in" / "a" / f"{number}.png", how, seed=number)
    fakes.photo(base / "in" / "b" / "4.png", fakes.SCREENSHOT, seed=4)
    done = scrub_folder([base / "in"], base / "out", make=fakes.make, workers=1)
    reports = open_run(done.folder).reports
    assert sorted(r.state for r in reports) == ["held", *["unreviewed"] * 4]
    return base


def drive(base: Path, seed: int, acts: int, *, before: tuple[str, ...] = (), **more: str) -> str:
    """Let a person with that seed act; the process ends well, or the test fails with what it said."""
    scratch = base / "scratch"  # its own: other programs on this computer clear up in the common one
    scratch.mkdir()
    done = subprocess.run(
        [*before, sys.executable, str(DRIVE), str(base), str(seed), str(acts)],
        env={
            **os.environ,
            "QT_QPA_PLATFORM": "offscreen",
            "PYTHONPATH": os.pathsep.join((str(HERE), str(HERE.parent), os.environ.get("PYTHONPATH", ""))),
            "TMPDIR": str(scratch),
            **more,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, f"seed {seed}, exit code {done.returncode}\n{done.stdout[-6000:]}"
    assert f"seed {seed}: {acts} acts at scale " in done.stdout
    assert "survived" in done.stdout
    return done.stdout


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("seed", "scale"), [(1, 1), *(pytest.param(*more, marks=pytest.mark.long) for more in ((2, 2), (3, 1)))]
)
def test_random_acts_at_the_review(made: Path, tmp_path: Path, seed: int, scale: int) -> None:
    base = shutil.copytree(made, tmp_path / "base")
    # Freed memory is filled, so that whoever still reads it falls at once.
    said = drive(base, seed, ACTS, MALLOC_PERTURB_="165", PYTHONMALLOC="malloc", QT_SCALE_FACTOR=str(scale))
    assert f"at scale {scale}," in said
    drawn = ("full_size", "cover", "show", "box", "undo", "redo", "next_photo", "resize") if ACTS >= MANY else ()
    assert [act for act in drawn if f"'{act}'" not in said] == []


@pytest.mark.timeout(7200)
@pytest.mark.skipif(not os.environ.get("MEDIMG_VALGRIND"), reason="takes many minutes: 'make valgrind' runs it")
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_fifty_acts_under_valgrind(made: Path, tmp_path: Path) -> None:
    base = shutil.copytree(made, tmp_path / "base")
    drive(base, 1, UNDER_VALGRIND, before=VALGRIND, PYTHONMALLOC="malloc", MEDIMG_ACTS_WAIT="1800")
