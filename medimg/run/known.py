"""Values that are known of patients, from a file: three lists, or a table with a row for each patient or photo.

They stay in memory. Those of a table are looked for in every photo of the run, not only in the row's own: a sticker of
the next patient gives that patient away just as well.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

from medimg import strict
from medimg.errors import UsageError
from medimg.types import KnownValues
from medimg.words import mark

ROWS = 100_000
"""Rows of a table."""
COLUMNS = {
    "names": ("name", "surname", "family name", "given name", "first name", "last name", "patient", "patient name"),
    "numbers": (
        *("number", "record number", "hospital number", "patient id", "mrn", "nhi", "nhs number", "medicare", "phone"),
    ),
    "dates": ("date", "dob", "date of birth", "birth date", "birthdate"),
}
"""What a column may be called, in any capitals, with blanks, hyphens or underscores."""
PLACES = ("original", "folder", "photo", "group")
"""Columns that say whose row it is; a file for ``--group-by`` may hold the values as well."""


def known_values(data: bytes) -> KnownValues:
    """The values of a file.

    Args:
        data: TOML or JSON with the lists ``names``, ``numbers`` and ``dates``, or CSV with a heading.

    Raises:
        UsageError: It is of no such form. It is not quoted.
    """
    lists = _lists(data)
    return KnownValues(**lists) if lists is not None else _table(data)


def _lists(data: bytes) -> dict[str, tuple[str, ...]] | None:
    """The lists of a TOML or JSON file; None where it is neither."""
    structured = data.lstrip().startswith(b"{")
    decode: Callable[..., dict[str, tuple[str, ...]]] = strict.from_json if structured else strict.from_toml
    try:
        lists = decode(data, dict[str, tuple[str, ...]])
        if not lists or not set(lists) <= {"names", "numbers", "dates"}:
            raise ValueError
    except ValueError as error:  # its text may quote a value
        if structured or b"=" in data.partition(b"\n")[0]:
            raise UsageError(
                "the file of known values must hold the lists names, numbers and dates, all of them texts."
            ) from error
        return None
    return lists


def _table(data: bytes) -> KnownValues:
    try:
        rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        heading = [_plain(word) for word in next(rows)]
        kinds = {word: kind for kind, words in COLUMNS.items() for word in words}
        kind_of = {n: kinds[word] for n, word in enumerate(heading) if word in kinds}
        strange = [n for n, word in enumerate(heading, 1) if word not in kinds and word not in PLACES]
        if strange or not kind_of:
            which = mark(f"column {strange[0]} is none of those.") if strange else mark("there is none of those.")
            raise UsageError(
                f"a table of known values has a heading with columns such as name, MRN and DOB; {which}",
                todo="A column that says whose row it is may be called original, folder, photo or group.",
            )
        found: dict[str, dict[str, None]] = {kind: {} for kind in COLUMNS}
        for number, row in enumerate(rows, 2):
            if number > ROWS + 1 or (row and len(row) != len(heading)):
                raise UsageError(f"row {number} of the table of known values is longer, shorter or one too many.")
            for n, value in enumerate(row):
                if n in kind_of and value.strip():
                    found[kind_of[n]][value.strip()] = None
    except (ValueError, csv.Error, StopIteration) as error:  # its text may quote a value
        raise UsageError("the file of known values is neither TOML, JSON nor a CSV table in UTF-8.") from error
    return KnownValues(**{kind: tuple(values) for kind, values in found.items()})


def _plain(word: str) -> str:
    return " ".join(word.replace("_", " ").replace("-", " ").lower().split())
