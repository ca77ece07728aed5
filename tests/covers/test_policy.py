"""The policy's own records: what they are without a file, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from medimg.errors import UsageError
from medimg.policy import CoverRules, Policy


def test_without_a_file_the_policy_is_the_shipped_one() -> None:
    assert Policy() == Policy.load()


@pytest.mark.parametrize(
    ("colour", "rgb"),
    [("auto", None), ("black", (0, 0, 0)), ("white", (255, 255, 255)), ("#0A1b2C", (10, 27, 44))],
)
def test_the_colour_of_covers(colour: str, rgb: tuple[int, int, int] | None) -> None:
    assert CoverRules(colour=colour).rgb == rgb


@pytest.mark.parametrize("colour", ["", "red", "#12345", "#1234567", "#GG0000", "0A1B2C"])
def test_a_colour_that_does_not_exist_is_refused(colour: str) -> None:
    with pytest.raises(UsageError):
        _ = CoverRules(colour=colour).rgb


def test_a_policy_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Policy.load(tmp_path / "none.toml")
