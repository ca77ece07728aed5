"""Released copies in a folder: the files themselves, and pictures that look like them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from medimg.errors import MedimgError, UsageError
from medimg.run import likeness, share
from medimg.run.register import Entry
from medimg.types import Limits

FEW = 2 * 1024
"""Bytes below which no file is a picture worth looking at; icons of chats are smaller."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The copies that are looked for. A name is ``RUN NAME``, as a person finds it in the register.

    Attributes:
        exact: SHA-256 -> name.
        alike: Name -> perceptual hash.
    """

    exact: dict[str, str]
    alike: dict[str, str]

    @property
    def blind(self) -> list[str]:
        """Names of copies that are found as the very file alone: no hash of their look is kept."""
        return sorted(set(self.exact.values()) - set(self.alike))


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is a released copy, or looks like one; ``bits`` of 255 differ, 0 for the very file."""

    path: Path
    copy: str
    sort: Literal["same-file", "looks-alike"]
    bits: int = 0


class Looked(msgspec.Struct, kw_only=True):
    """How many files were looked at, and how many could not be."""

    pictures: int = 0
    others: int = 0
    unread: int = 0


def wanted(entries: Iterable[Entry], chosen: Callable[[Entry], bool]) -> Wanted:
    """The copies of the chosen releases."""
    exact: dict[str, str] = {}
    alike: dict[str, str] = {}
    for entry in entries:
        if entry.event != "released" or not chosen(entry):
            continue
        of = entry.sharing
        exact.update({digest: f"{of.run} {name}" for name, digest in of.copies.items()})
        alike.update({f"{of.run} {name}": h for name, h in of.likeness.items()})
    return Wanted(exact=exact, alike=alike)


def search(folder: Path, copies: Wanted, looked: Looked) -> Iterator[Found]:
    """Look through a folder and everything below it; links are not followed, and nothing is changed.

    Of a file with several pictures the first is looked at.

    Args:
        folder: Where to look.
        copies: What for.
        looked: Is counted up.

    Raises:
        UsageError: It is no folder.
    """
    if not folder.is_dir():
        raise UsageError("this is no folder.")
    for path in _files(folder, looked):
        found = _one(path, copies, looked)
        if found is not None:
            yield found


def _files(folder: Path, looked: Looked) -> Iterator[Path]:
    def unread(_: OSError) -> None:
        looked.unread += 1

    for place, folders, names in os.walk(folder, onerror=unread):
        folders.sort()
        yield from (Path(place, name) for name in sorted(names) if not Path(place, name).is_symlink())


def _one(path: Path, copies: Wanted, looked: Looked) -> Found | None:
    try:
        if not path.is_file() or not FEW <= path.stat().st_size <= Limits().bytes:
            looked.others += 1
            return None
        name = copies.exact.get(share.digest(path))
        if name is not None:
            looked.pictures += 1
            return Found(path=path, copy=name, sort="same-file")
        return _alike(path, copies.alike, looked)
    except (OSError, MedimgError):
        looked.unread += 1
        return None


def _alike(path: Path, known: Mapping[str, str], looked: Looked) -> Found | None:
    from medimg import formats

    data = path.read_bytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a warning may quote what is in a file
        square = likeness.square_of(data)
    if square is None:
        if formats.sniff(data[: formats.HEAD]):  # a picture, which nobody has looked at
            looked.unread += 1
        else:
            looked.others += 1
        return None
    looked.pictures += 1
    near = likeness.nearest(square, known)
    return Found(path=path, copy=near[0], sort="looks-alike", bits=near[1]) if near is not None else None
