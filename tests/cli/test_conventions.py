"""How the command line behaves: errors on a terminal, defaults, completion, loudness, progress."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import batch_fakes as fakes
import pytest

from medimg.cli.main import COMMANDS, GROUPS

NAME = "ZZMARKERNAME"


def run(*line: str | Path, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "medimg", *line],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **more},
        timeout=600,
    )


def seen(*line: str | Path, cwd: Path) -> str:
    """What is said where standard error is a terminal."""
    ours, theirs = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "medimg", *line], stdout=subprocess.DEVNULL, stderr=theirs, cwd=cwd, timeout=600
    )
    os.close(theirs)
    said = os.read(ours, 65536).decode()
    os.close(ours)
    return said


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    fakes.photo(tmp_path / "photos" / f"{NAME}.png")
    return tmp_path


WRONG = [
    (["claen", "photos"], "'claen'", "Did you mean 'clean'?"),
    (["clean", "photoz"], "'photoz' does not exist. [", ""),  # a name that nobody typed is not said, however near
    (["clean", "photos", "--audiense", "x"], "'--audiense'", "Did you mean '--audience'?"),
    (["clean", "photos", "--audience", "closed-grup"], "'closed-grup'", "Did you mean 'closed-group'?"),
    (["clean", "photos", "--where", "\x1b[31mAW"], "'\\x1b[31mAW'", "Choose from: AU, NZ, UK"),
    (["cover", "run", "P01-001", "--box", "1,2,ZZ"], "'1,2,ZZ' does not fit --box", "It takes X,Y,W,H."),
    (["clean", "photos", "--max-side=10ZZ"], "'10ZZ' does not fit --max-side", "It takes 640 - 1000000."),
    (["verify", "photos", "photos/\x1b[2Jgone"], "'photos/\\x1b[2Jgone' does not exist", ""),
]


@pytest.mark.parametrize(("line", "quoted", "more"), WRONG, ids=[w[0][0] + w[0][-1][:4].strip() for w in WRONG])
def test_on_a_terminal_what_was_typed_is_quoted_and_elsewhere_it_is_not(
    photos: Path, line: list[str], quoted: str, more: str
) -> None:
    said = seen(*line, cwd=photos)
    assert quoted in said
    assert more in said
    assert "\x1b" not in said
    piped = run(*line, cwd=photos)
    assert piped.returncode == 2
    assert quoted.strip("'") not in piped.stderr
    assert piped.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["review", pytest.param("answer", marks=pytest.mark.long), "share"])
def test_where_there_is_no_copy_nobody_is_asked_anything(tmp_path: Path, command: str) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_text("no picture")
    own = {"MEDIMG_CARDS": str(tmp_path / "cards"), "MEDIMG_REGISTER": str(tmp_path / "register")}
    assert run("clean", "photos", "-o", "out", cwd=tmp_path, **own).returncode == 21
    line = ["share", "photos", "-o", "out", "--no-window"] if command == "share" else [command, "out"]
    said = run(*line, cwd=tmp_path, **own)
    assert said.returncode == 21
    assert "There is no copy yet, so there is nothing to answer." in said.stdout
    assert said.stdout.splitlines()[-1].startswith("Next: read why files were not cleaned: ")
    assert "Workplace" not in said.stdout


@pytest.mark.parametrize("line", [(), ("register",), ("cluster",)], ids=["medimg", "register", "cluster"])
def test_a_command_alone_shows_its_help(photos: Path, line: tuple[str, ...]) -> None:
    done = run(*line, cwd=photos)
    assert done.returncode == 2
    assert done.stderr.startswith(f"Usage: {' '.join(('medimg', *line))} ")
    assert "Commands:" in done.stderr or "selftest" in done.stderr
    assert "M-USE" not in done.stderr


@pytest.mark.parametrize(
    ("line", "missing"),
    [(("watch", "photos"), "--out"), (("show", "RUN", "P01-001", "--area", "1"), "--why"), (("clean",), "PHOTOS")],
    ids=["option", "choice", "argument"],
)
def test_what_is_missing_is_called_as_it_is_typed(photos: Path, line: tuple[str, ...], missing: str) -> None:
    assert f"medimg: {missing} is missing." in run(*line, cwd=photos).stderr


def test_nothing_is_quoted_where_json_is_asked_for(photos: Path) -> None:
    said = seen("verify", f"{NAME}.gone", "--json", cwd=photos)
    assert "number 1" in said
    assert NAME not in said


def test_every_command_stands_in_one_group_of_the_help(photos: Path) -> None:
    named = [name for names in GROUPS.values() for name in names]
    assert sorted(named) == sorted(COMMANDS)
    told = run("--help", cwd=photos).stdout
    places = [told.index(f"{heading}:") for heading in GROUPS]
    assert places == sorted(places)


@pytest.mark.parametrize("command", ["clean", "share", "watch"])
def test_the_help_lists_the_values_that_can_be_given(photos: Path, command: str) -> None:
    told = " ".join(run(command, "--help", cwd=photos, COLUMNS="200").stdout.split())
    assert "colleague-opinion, closed-group, teaching, publication, public" in told
    assert "AU, NZ, UK, US-HIPAA, EU, CA, OTHER" in told.replace("US- HIPAA", "US-HIPAA")


@pytest.mark.parametrize(
    ("given", "country"),
    [
        ("gb", "UK"),
        ("nz,au", "NZ, AU"),
        *(pytest.param(*pair, marks=pytest.mark.long) for pair in (("au", "AU"), ("us", "US-HIPAA"), ("AU", "AU"))),
    ],
)
def test_a_country_may_be_written_as_people_write_it(photos: Path, given: str, country: str) -> None:
    done = run("clean", "photos", "--metadata-only", "--where", given, cwd=photos)
    assert done.returncode == 11, done.stderr
    (folder,) = (photos / "medimg-runs").iterdir()
    assert f"({country})" in (folder / "share-sheet.html").read_text()


def test_quiet_says_what_to_do_next_alone_and_verbose_a_line_a_photo(photos: Path) -> None:
    fakes.photo(photos / "photos" / "b.png", seed=2)
    quiet = run("clean", "photos", "--metadata-only", "-q", cwd=photos)
    assert quiet.returncode == 11
    assert quiet.stderr == ""
    assert quiet.stdout.startswith("Next: open every copy in ")
    assert quiet.stdout.count("\n") == 1
    loud = run("clean", "photos", "--metadata-only", "--verbose", "--again", cwd=photos)
    lines = loud.stderr.splitlines()
    assert sorted(x.split(", ")[1] for x in lines if ", P01-" in x) == ["P01-001", "P01-002"]
    assert NAME not in loud.stdout + loud.stderr


def test_the_last_line_is_one_sentence_and_no_code_is_announced(photos: Path) -> None:
    done = run("clean", "photos", "--metadata-only", cwd=photos)
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("Next: ")
    assert "medimg answer " in last
    assert "xit code" not in done.stdout + done.stderr


def test_defaults_are_taken_from_a_file_and_what_is_given_goes_before_them(photos: Path) -> None:
    file = photos / "defaults.toml"
    file.write_text(f'audience = "teaching"\nwhere = ["nz"]\nout = "{photos}/mine"\nquiet = true\n')
    done = run("clean", "photos", "--metadata-only", cwd=photos, MEDIMG_DEFAULTS=str(file))
    assert done.returncode == 11, done.stderr
    assert done.stdout.startswith("Next: ")
    (folder,) = (photos / "mine").iterdir()
    assert "talk, tutorial" in (folder / "share-sheet.html").read_text()
    assert "(NZ)" in (folder / "share-sheet.html").read_text()
    more = ("--audience", "public", "-o", photos / "other")
    assert run("clean", "photos", "--metadata-only", *more, cwd=photos, MEDIMG_DEFAULTS=str(file)).returncode == 11
    (folder,) = (photos / "other").iterdir()
    assert "open web" in (folder / "share-sheet.html").read_text()


@pytest.mark.parametrize(
    "text", [f'nonsense = "{NAME}"', "policy = 'x'", "where = 'AU'", "= =", "metadata_only = true"]
)
def test_defaults_that_cannot_be_set_are_refused_without_being_quoted(photos: Path, text: str) -> None:
    file = photos / "defaults.toml"
    file.write_text(text)
    done = run("explain", cwd=photos, MEDIMG_DEFAULTS=str(file))
    assert done.returncode == 2
    assert NAME not in done.stderr
    assert "defaults" in done.stderr


def test_the_shell_completes_commands_options_and_their_values(photos: Path) -> None:
    assert "_MEDIMG_COMPLETE=bash_complete" in run(cwd=photos, _MEDIMG_COMPLETE="bash_source").stdout

    def completed(words: str, at: int) -> list[str]:
        done = run(cwd=photos, _MEDIMG_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(at))
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert completed("medimg sh", 1) == ["share", "show"]
    assert completed("medimg clean --where n", 3) == ["NZ"]
    assert completed("medimg clean --audience pub", 3) == ["publication", "public"]
    assert "--metadata-only" in completed("medimg clean --meta", 2)


def test_colour_is_left_out_where_it_is_not_wanted(photos: Path) -> None:
    assert "\x1b[3" not in run("clean", "photos", "--metadata-only", cwd=photos, NO_COLOR="1").stdout
