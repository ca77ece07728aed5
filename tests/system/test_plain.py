"""What somebody else chose - names, typed notes - steers no terminal, and is no formula in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import batch_fakes as fakes
import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from release_kit import answered, call
from sheets_kit import run_folder

from medimg.cli import run_common
from medimg.cli.cards import cards
from medimg.cli.clean import clean
from medimg.cli.decide import review
from medimg.cli.main import cli
from medimg.cli.register import register
from medimg.cli.release import release
from medimg.cli.status import status
from medimg.cli.withdraw import withdraw
from medimg.consent.cards import Card
from medimg.plain import cell, printable, printable_json

STEERING = "\x1b[2J\x1b]0;title\x07\x9b31m\r\x7f\u202egpj\u2066\u2069\u200f\u2028"
TYPED = f"hand group{STEERING}\n=1+1"


def steers(text: str) -> set[str]:
    """Characters of a text that steer: all of category C but the line end, and the line separators."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c != "\n"}


@pytest.fixture(autouse=True)
def own_register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_REGISTER", str(tmp_path / "register.sqlite"))


def test_what_a_person_typed_reaches_terminal_and_notes_as_plain_words(tmp_path: Path) -> None:
    out = tmp_path / "medimg-R7Q4"
    run_folder(out, {"P01": 2})
    answered(out, tmp_path)
    call(release, out, "P01", "--yes", "--recipients", TYPED)
    said = call(withdraw, out, "P01", "--note", TYPED).output
    assert "hand group" in said
    assert steers(said) == set()
    private = out / "PRIVATE-patient-record"
    for name in ("paste-into-notes.txt", "withdrawal-P01.txt"):
        text = (private / name).read_bytes().decode()
        assert "hand group" in text
        assert steers(text) == set(), name
        assert "\n=1+1" not in text, name
    exported = call(register, "export", "--with-recipients").output
    assert steers(exported) == set()
    assert json.loads(exported)["entries"][0]["recipients"] == TYPED


@pytest.mark.parametrize("start", ["=", "+", "-", "@", " =", "\n=", "\r\n+", "\t@", "\u00a0=", "\uff1d", "\u2003-"])
def test_typed_words_are_no_formula_in_the_register_as_a_table(tmp_path: Path, start: str) -> None:
    out = tmp_path / "medimg-R7Q4"
    run_folder(out, {"P01": 2})
    answered(out, tmp_path)
    call(release, out, "P01", "--yes", "--recipients", f"{start}1+1")
    table = call(register, "export", "--format", "csv", "--with-recipients").output
    (cells,) = {row["recipients"] for row in csv.DictReader(io.StringIO(table)) if row["recipients"]}
    assert cells.startswith("'")
    assert cells.endswith("1+1")
    assert cells.isprintable() or unicodedata.category(start[0]) == "Zs"


def test_a_run_folder_of_any_name_is_told_in_plain_words(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in/a.png")
    for name in (b"out-\xe9\xff", os.fsencode("out-\x1b[31m\u202ered")):
        out = os.path.join(os.fsencode(tmp_path), name)  # noqa: PTH118 - bytes
        for more in ([], ["--json-lines"]):
            done = subprocess.run(
                [sys.executable, "-m", "medimg", "clean", tmp_path / "in", "-o", out, "--metadata-only", *more],
                capture_output=True,
                check=False,
            )
            assert done.returncode == 11, done.stderr
            assert steers(done.stdout.decode("utf-8", "replace")) == set()
            assert "\N{REPLACEMENT CHARACTER}" not in done.stdout.decode("utf-8", "replace")
            if more:
                assert json.loads(done.stdout.splitlines()[-1])["exit_code"] == 11


def test_no_name_begins_a_line_of_its_own_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder and a photo of somebody else's, in a place of their choosing, cannot say that all is well."""
    place = tmp_path / "x\nForged: all is well."
    fakes.photo(place / "in" / "y\nForged: it may go.png")
    said = call(clean, place / "in", "-o", place / "out", "--metadata-only", "--verbose").output
    (run,) = (place / "out").iterdir()
    monkeypatch.setattr(run_common, "own_names", terminal(run_common.own_names))
    said += call(review, run, place / "in").output + call(status, run).output
    assert "Forged: all is well." in said
    assert "Forged: it may go" in said
    assert not [line for line in said.splitlines() if line.startswith("Forged")]


def terminal(asked: Callable[..., dict[str, str]]) -> Callable[..., dict[str, str]]:
    """The same on a terminal, which the runner of the commands is not."""

    def told(*given: object) -> dict[str, str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
            return asked(*given)

    return told


def test_a_card_that_was_edited_steers_no_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDIMG_CARDS", str(tmp_path))
    fields = {"name": STEERING, f"no such{STEERING}": "x"}
    card = Card(kind="workplace", audience=STEERING, answers={STEERING: STEERING}, fields=fields, made="2026-01-01")
    (tmp_path / "a.json").write_bytes(msgspec.json.encode(card))
    said = call(cards).output
    assert "no such" in said
    assert steers(said) == set()


@pytest.mark.parametrize(
    ("made", "last"),
    [
        ({"a.png": b""}, "Next: read why files were not cleaned: "),
        ({}, "Next: open every copy in "),
        ({"notes.txt": b"no picture"}, "Next: open every copy in "),
    ],
)
def test_a_run_ends_with_what_to_do_next(tmp_path: Path, made: dict[str, bytes], last: str) -> None:
    fakes.photo(tmp_path / "in/a.png")
    for name, data in made.items():
        (tmp_path / "in" / name).write_bytes(data)
    command = ["clean", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--metadata-only"]
    done = CliRunner().invoke(cli, command, standalone_mode=False)
    assert done.return_value in (11, 21)
    assert done.stdout.splitlines()[-1].startswith(last)
    assert "exit code" not in done.stdout.lower()
    again = CliRunner().invoke(cli, command, standalone_mode=False)
    assert again.stdout.splitlines()[-1].startswith("Next: see how it stands: medimg status ")
    assert "exit code" not in again.stdout.lower()


@given(st.text())
def test_any_text_is_printable_and_any_cell_is_text(text: str) -> None:
    assert steers(printable(text)) <= {"\u200c", "\u200d"}  # joiners inside words of Persian and Indic scripts
    assert "\n" not in printable(text)
    assert cell(text).lstrip()[:1] not in set("=+-@") - {""}
    shown = printable_json(json.dumps(text, ensure_ascii=False)) if text.isprintable() else None
    assert shown is None or json.loads(shown) == text
    assert json.loads(printable_json(json.dumps({"a": text}))) == {"a": text}
