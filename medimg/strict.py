"""What a person or another program wrote, read strictly: settings, known values, requests."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from medimg import types
from medimg.words import mark

T = TypeVar("T")


def from_json(data: bytes, kind: type[T]) -> T:
    """Read a person's or another program's JSON, in which no key may stand twice: one of the two would not count.

    Raises:
        msgspec.DecodeError: As for :func:`medimg.types.from_json`, or a key stands twice.
    """
    found = types.from_json(data, kind)

    def once(pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError

    try:
        json.loads(data, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise msgspec.DecodeError(mark("a key stands twice")) from error
    return found


def from_toml(data: bytes | str, kind: type[T]) -> T:
    """Read a record that a person wrote as TOML.

    Raises:
        msgspec.DecodeError: The text does not fit the record (``ValidationError``), is no TOML, or goes too deep.
    """
    try:
        return msgspec.toml.decode(data, type=kind)
    except msgspec.DecodeError:
        raise
    except (ValueError, RecursionError) as error:  # not UTF-8, or a number of more figures than Python reads
        raise msgspec.DecodeError(
            mark("this is no TOML in UTF-8, it is nested too deeply, or has a number that is too long")
        ) from error
