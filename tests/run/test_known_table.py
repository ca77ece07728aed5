"""Known values from a table with a row for each patient, as a hospital's system exports it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import batch_fakes as fakes
import pytest

from medimg import known_values
from medimg.errors import UsageError

TABLE = (
    "Folder,Family_name,Given-name,MRN,Date of birth\r\n"
    'a,"Whitcombe",Margaret,ZZ4471234,1961-03-12\r\n'
    "\r\n"
    "b,Ng\u0101ta,Rawiri,,12/03/1956\r\n"
)


def test_every_row_counts_and_an_empty_cell_is_nothing() -> None:
    found = known_values(TABLE.encode("utf-8-sig"))
    assert found.names == ("Whitcombe", "Margaret", "Ng\u0101ta", "Rawiri")
    assert found.numbers == ("ZZ4471234",)
    assert found.dates == ("1961-03-12", "12/03/1956")


def test_lists_are_read_as_before() -> None:
    assert known_values(b'names = ["A B"]\n') == known_values(b'{"names": ["A B"]}')


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"folder,group\na,b\n",  # nothing to look for
        b"name,diagnosis\nZZMARKER,burn\n",  # a column nobody can tell the meaning of
        b"name,MRN\nZZMARKER\n",
        b"name,MRN\nZZMARKER,1,2\n",
        b'name\n"ZZMARKER\n',
        b"name\n\xff\xfeZZMARKER\n",
        b'names = ["ZZMARKER"\n',
        b'{"names": "ZZMARKER"}',
        b'{"who": ["ZZMARKER"]}',
        b'{"names": ["ZZMARKER"], "names": []}',  # the first list would not be looked for
        b"just some words of ZZMARKER\n",
    ],
)
def test_what_is_of_no_such_form_is_refused_without_a_word_of_it(data: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        known_values(data)
    assert "ZZMARKER" not in f"{caught.value} {caught.value.todo}"
    assert "diagnosis" not in str(caught.value)


def test_the_command_looks_for_all_of_them_and_prints_none(tmp_path: Path) -> None:
    fakes.photo(tmp_path / "in" / "ZZ4471234 heel.png", seed=1)
    (tmp_path / "patients.csv").write_text(TABLE, encoding="utf-8")
    line = [sys.executable, "-m", "medimg", "inspect", tmp_path / "in", "--metadata-only", "--known"]
    done = subprocess.run([*line, tmp_path / "patients.csv"], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "known 1" in done.stdout
    assert "ZZ4471234" not in done.stdout + done.stderr
