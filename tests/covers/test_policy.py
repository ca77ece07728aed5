"""The policy's own records: what they are without a file, and what they refuse."""

from __future__ import annotations

from pathlib import Path

import msgspec
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


def records(kind: type[msgspec.Struct]) -> set[type[msgspec.Struct]]:
    """The records a record is made of."""
    found = {kind}
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            found |= records(field.type)
    return found


@pytest.mark.parametrize("kind", sorted(records(Policy), key=lambda k: k.__name__))
def test_a_setting_that_nobody_knows_is_refused_and_none_is_changed_later(kind: type[msgspec.Struct]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"no_such_setting": 1}, kind)
    name = msgspec.structs.fields(kind)[0].name
    with pytest.raises(AttributeError):
        setattr(kind(), name, None)
    with pytest.raises(TypeError):
        kind(getattr(kind(), name))
