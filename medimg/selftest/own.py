"""A site's own labelled photos: a folder, and a list of what must go and what must stay in each of them.

The list is ``labels.csv``, a line for each mark, or ``labels.json``, an entry for each photo::

    file,must,kind,x0,y0,x1,y1
    band.jpg,go,text,120,80,460,150
    band.jpg,stay,,600,500,900,640
    heel.jpg,,,,,,

    [{"file": "band.jpg", "go": [{"kind": "text", "box": [120, 80, 460, 150]}], "stay": [[600, 500, 900, 640]],
      "gone": ["Whitcombe"]}, {"file": "heel.jpg"}]

Boxes are x0, y0, x1, y1 in pixels of the picture as a viewer shows it. What must go is ``text`` (also where no kind is
given), a ``code`` or a ``face``. ``gone`` are words that may stand nowhere in the copy's bytes. A photo without a mark
is one in which nothing is to be covered. The photos stay where they are; nothing is written beside them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from medimg.errors import UsageError
from medimg.selftest.pictures import Mark
from medimg.types import Box, from_json

LISTS = ("labels.csv", "labels.json")
_TODO = "docs/checks.md says what it holds."

Pixel = Annotated[int, msgspec.Meta(ge=-1_000_000, le=1_000_000)]
Corners = tuple[Pixel, Pixel, Pixel, Pixel]
Kind = Literal["text", "code", "face"]


class _Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    box: Corners
    kind: Kind = "text"


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    file: str
    go: tuple[Corners | _Place, ...] = ()
    stay: tuple[Corners, ...] = ()
    gone: tuple[str, ...] = ()


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of ``labels.csv``; an empty cell is left out."""

    file: str
    must: Literal["go", "stay", ""] = ""
    kind: Kind = "text"
    x0: Pixel = 0
    y0: Pixel = 0
    x1: Pixel = 0
    y1: Pixel = 0


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """One photo of the list.

    Attributes:
        name: What it is called here: its number in the list, and its suffix.
        path: Where it is.
        marks: What must go and what must stay.
        gone: Bytes that may stand nowhere in the copy.
    """

    name: str
    path: Path
    marks: tuple[Mark, ...] = ()
    gone: tuple[bytes, ...] = ()


def labelled(folder: Path) -> list[Labelled]:
    """The photos of a folder that its list names, in the order of the list.

    Raises:
        UsageError: There is no list or more than one, it is not of that form, or a photo is not there.
    """
    lists = [folder / name for name in LISTS if (folder / name).is_file()]
    if len(lists) != 1:
        raise UsageError("the folder has to hold labels.csv or labels.json, and not both.", todo=_TODO)
    try:
        entries = _rows(lists[0]) if lists[0].suffix == ".csv" else _json(lists[0])
    except (OSError, ValueError, csv.Error) as error:  # msgspec's and Unicode's faults are ValueErrors
        raise UsageError("the list of labels could not be read.", todo=_TODO) from error
    if not entries:
        raise UsageError("the list of labels names no photo.", todo=_TODO)
    return [_labelled(folder, number, entry) for number, entry in enumerate(entries, 1)]


def _json(path: Path) -> list[_Entry]:
    return from_json(path.read_bytes(), list[_Entry])


def _rows(path: Path) -> list[_Entry]:
    by_file: dict[str, list[_Row]] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for cells in csv.DictReader(file, strict=True):
            if None in cells:  # csv's name for what is beyond the heading
                raise ValueError
            given = {name: cell.strip() for name, cell in cells.items() if cell and cell.strip()}
            row = msgspec.convert(given, _Row, strict=False)
            by_file.setdefault(row.file, []).append(row)
    return [
        _Entry(
            file=name,
            go=tuple(_Place(box=(r.x0, r.y0, r.x1, r.y1), kind=r.kind) for r in rows if r.must == "go"),
            stay=tuple((r.x0, r.y0, r.x1, r.y1) for r in rows if r.must == "stay"),
        )
        for name, rows in by_file.items()
    ]


def _labelled(folder: Path, number: int, entry: _Entry) -> Labelled:
    path = folder / entry.file
    if path.parent != folder or not path.is_file():
        raise UsageError(f"photo {number} of the list of labels is not in its folder.", todo=_TODO)
    marks = tuple(_marks(entry))
    if any(Box(*(int(v) for v in (*m.polygon[0], *m.polygon[2]))).area == 0 for m in marks):
        raise UsageError(f"a box of photo {number} of the list of labels is empty.", todo=_TODO)
    gone = tuple(word.encode() for word in entry.gone)
    return Labelled(name=f"own-{number:03}{path.suffix}", path=path, marks=marks, gone=gone)


def _marks(entry: _Entry) -> Iterator[Mark]:
    for place in entry.go:
        one = place if isinstance(place, _Place) else _Place(box=place)
        yield Mark(kind=one.kind, must="go", polygon=Box(*one.box).polygon, sorts={})
    for box in entry.stay:
        yield Mark(kind="keep", must="stay", polygon=Box(*box).polygon, sorts={})
