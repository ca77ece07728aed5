"""The sentence of what was found names what lies in the file and what stands in its name apart."""

from __future__ import annotations

import pytest

from medimg.report.model import Tally
from medimg.report.sentence import NOTHING, found


@pytest.mark.parametrize(
    ("tallies", "sentence"),
    [
        ([], NOTHING),
        (
            [Tally(kind="File names", category="number", words="", found=1, removed=1)],
            "Found: 1 telling part of a file or folder name (taken out).",
        ),
        (
            [
                Tally(kind="Hidden information", category="gps", words="", found=1, removed=1),
                Tally(kind="File names", category="words", words="", found=2, removed=2),
                Tally(kind="Writing in the picture", category="name", words="", found=1, covered=1),
            ],
            "Found: 1 piece of writing (covered), 2 telling parts of file or folder names (taken out)"
            " and 1 hidden data item (taken out).",
        ),
    ],
)
def test_what_is_in_the_file_and_what_is_in_its_name_are_told_apart(tallies: list[Tally], sentence: str) -> None:
    assert found(tallies) == sentence
