"""Numbers on the command line that are none, or absurd: refused as wrong use, never a fault of medimg itself."""

from __future__ import annotations

from pathlib import Path

import batch_fakes as fakes
import click
import pytest
from click.testing import CliRunner
from release_kit import answered
from sheets_kit import run_folder

from medimg.cli.main import cli
from medimg.errors import MedimgError

RUN, OUT, TOKEN = "medimg-R7Q4", "out", "token"
WRONG = ("nan", "inf", "-inf", "-1", "1e400", "9" * 30, "9" * 5000, "\N{SUPERSCRIPT TWO}", "0x10", "")
ASKED = (
    ("purge", OUT, "--older-than={}"),
    ("register", "due", "--days={}"),
    ("register", "due", "--review-after={}"),
    ("register", "show", "{}"),
    ("crop", RUN, "P01-001", "in", "--box={},0,9,9"),
    ("cover", RUN, "P01-001", "in", "--box=0,0,9,{}"),
    ("cover", RUN, "P01-001", "in", "--area={}"),
    ("crop", RUN, "P01-001", "in", "--beside={}"),
    ("clean", "in", "-o", OUT, "--workers={}"),
    ("clean", "in", "-o", OUT, "--max-side={}"),
    ("watch", "in", "-o", OUT, "--rest={}"),
    ("watch", "in", "-o", OUT, "--every={}"),
    ("serve", "--socket", "s", "--token-file", TOKEN, "--jobs", "jobs", "--keep-jobs={}"),
    ("serve", "--port={}", "--token-file", TOKEN),
    ("dicom-node", "--port={}", "-o", OUT),
    ("cluster", "certificates", "ca", "node", "--days={}"),
    ("cluster", "worker", "tls://localhost:1", "--certificates", "ca", "--threads={}"),
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register" / "register.sqlite"))
    run_folder(tmp_path / RUN, {"P01": 1})
    answered(tmp_path / RUN, tmp_path, {"P01": ["P01-001"]})
    (tmp_path / "in").mkdir()
    fakes.photo(tmp_path / "in" / "a.png")
    (tmp_path / TOKEN).write_text("t" * 64)
    (tmp_path / TOKEN).chmod(0o600)
    return tmp_path


@pytest.mark.parametrize("asked", ASKED, ids=lambda asked: f"{asked[0]} {asked[-1].partition('=')[0]}")
def test_a_number_that_is_none_or_absurd_is_wrong_use(place: Path, asked: tuple[str, ...]) -> None:
    for number in WRONG:
        done = CliRunner().invoke(cli, [part.format(number) for part in asked], standalone_mode=False, obj=[])
        refused = isinstance(done.exception, click.UsageError)
        named = isinstance(done.exception, MedimgError) and done.exception.exit_code == 2
        assert refused or named, (number[:9], done.exception)
    assert not {OUT, "jobs", "ca", "s"} & {p.name for p in place.iterdir()}
