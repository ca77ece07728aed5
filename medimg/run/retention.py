"""Run folders that have served their time, removed whole, with an entry in the register that says so.

A run folder is removed when it is finished, is old enough, nobody works on it, no copy in it waits, and everything in
it is medimg's own. Its name is changed first, so that a removal that was cut short is ended by the next one.
"""

from __future__ import annotations

import contextlib
import datetime
import fnmatch
import os
import shutil
from collections.abc import Collection
from pathlib import Path

import msgspec

import medimg
from medimg.errors import CheckFailed, MedimgError, OutputError
from medimg.run import lock, share
from medimg.run.folder import (
    PREFIX,
    RECORD_FOLDER,
    REPORTS_NAME,
    SHARE_FOLDER,
    STATE_NAME,
    UNREVIEWED_FOLDER,
    RunFolder,
)
from medimg.run.lock import NAME as LOCK
from medimg.run.opened import OpenRun, open_run
from medimg.run.register import Entry, Register, Sharing
from medimg.words import mark

GOING = ".going"
"""Ending of a folder that is being removed."""
YOUNG = mark("it is not that old.")
OWN = {
    "": ("run.json", "share-sheet.html", "share-sheet.json", SHARE_FOLDER, UNREVIEWED_FOLDER, "hold", RECORD_FOLDER),
    "hold": ("why-held.*",),
    RECORD_FOLDER: (
        *(
            "record-sheet.html",
            "record-sheet.json",
            "record-sheet.pdf",
            "paste-into-notes.txt",
            STATE_NAME,
            "decisions*.json",
            REPORTS_NAME,
            "key.csv",
        ),
        *("seen.sqlite*", "journal.sqlite*", "withdrawal-*.txt", "consent-page-*", "consent-signed-*", LOCK),
    ),
}
"""What medimg writes into a run folder, and into each folder in it but those of copies."""


class Old(msgspec.Struct, frozen=True, kw_only=True):
    """One run folder.

    Attributes:
        folder: Where it is.
        tag: Its tag.
        finished: The day it was finished; empty when it is not.
        photos: How many it is of.
        released: How many copies were released.
        kept: Why it is not removed; empty when it can be.
    """

    folder: Path
    tag: str
    finished: str = ""
    photos: int = 0
    released: int = 0
    kept: str = ""


def runs_under(out: Path, before: datetime.date, *, waiting: bool = False) -> list[Old]:
    """Every run folder under ``out``, or the one that it is, and whether it can be removed.

    Args:
        out: A run folder, or the folder that run folders lie in.
        before: Only a run that was finished before this day.
        waiting: Also one in which copies wait that nobody released.
    """
    here = RunFolder(out)
    found = [here] if here.private.is_dir() else RunFolder.all_under(out)
    return [_old(f, before, waiting=waiting) for f in found if not f.path.is_symlink()]


def _old(folder: RunFolder, before: datetime.date, *, waiting: bool) -> Old:
    bare = Old(folder=folder.path, tag=folder.tag)
    try:
        opened = open_run(folder.path)
    except MedimgError as error:
        return msgspec.structs.replace(bare, kept=error.what)
    state = opened.state
    old = msgspec.structs.replace(
        bare,
        tag=state.run.tag,
        finished=state.run.finished[:10],
        photos=len(opened.reports),
        released=sum(len(state.released_names(g)) for g in state.run.groups),
    )
    try:
        return msgspec.structs.replace(old, kept=_kept(folder, opened, before, waiting=waiting))
    except CheckFailed as error:  # what was released could not be looked at
        return msgspec.structs.replace(old, kept=error.what)


def _kept(folder: RunFolder, opened: OpenRun, before: datetime.date, *, waiting: bool) -> str:
    finished = opened.state.run.finished[:10]
    if folder.is_locked() or folder.journal.exists():
        return mark("it is being worked on, or was stopped and waits.")
    if not finished or finished >= before.isoformat():
        return YOUNG
    left = (p.name.partition("-")[0] for p in folder.unreviewed.glob("P*"))
    if not waiting and not all(opened.state.is_withdrawn(group) for group in left):
        return mark("copies in it wait that nobody released.")
    copies = {r.copy.name for r in opened.reports if r.copy}
    copies |= {name for group in opened.state.run.groups for name in opened.state.released_names(group)}
    trouble = share.look(folder.path, share.in_force(opened.state)).trouble
    return mark("it holds something that medimg did not write.") if trouble or foreign(folder.path, copies) else ""


def foreign(folder: Path, copies: Collection[str]) -> bool:
    """Whether anything in a run folder is not medimg's own, a link among it.

    Args:
        folder: The run folder.
        copies: Names that copies of the run have.
    """
    for place, folders, files in os.walk(folder):
        there = Path(place).relative_to(folder).as_posix().removeprefix(".")
        names = copies if there in (SHARE_FOLDER, UNREVIEWED_FOLDER) else OWN.get(there, ())
        for name in (*folders, *files):
            if (Path(place) / name).is_symlink() or not any(fnmatch.fnmatchcase(name, own) for own in names):
                return True
    return False


def remove(old: Old, register: Register, at: str) -> Entry:
    """Remove a run folder, and note it in the register.

    Args:
        old: One of :func:`runs_under` that is not kept.
        register: Where it is noted.
        at: UTC time, ISO 8601.

    Raises:
        OutputError: It could not be noted, and stays; or not removed to its end, which the next call does.
        UsageError: Another process is working on it.
    """
    private = old.folder / RECORD_FOLDER
    lock.give_back(private, lock.claim(private))  # nobody works on it; Windows renames no folder with a file open in it
    going = old.folder.with_name(f".{old.folder.name}{GOING}")
    try:
        old.folder.rename(going)
    except OSError as error:
        raise OutputError("the run folder could not be removed.") from error
    try:
        entry = _noted(old.tag, register, at)
    except MedimgError:
        with contextlib.suppress(OSError):
            going.rename(old.folder)  # nothing goes that the register does not say
        raise
    _end(going)
    return entry


def sweep(out: Path, register: Register, at: str) -> int:
    """End removals that were cut short, and note those that nobody noted; how many.

    Raises:
        OutputError: One could not be removed, or not noted.
    """
    left = [p for p in out.glob(f".{PREFIX}*{GOING}") if p.is_dir() and not p.is_symlink()]
    said = {e.sharing.run for e in register.entries() if e.event == "run-removed"} if left else set()
    for going in left:
        tag = RunFolder(going.with_name(going.name.removeprefix(".").removesuffix(GOING))).tag
        if tag not in said:
            _noted(tag, register, at)
        _end(going)
    return len(left)


def _noted(tag: str, register: Register, at: str) -> Entry:
    return register.append("run-removed", Sharing(run=tag, group="", medimg=medimg.__version__), at)


def _end(going: Path) -> None:
    try:
        shutil.rmtree(going)
    except OSError as error:
        raise OutputError("a run folder could not be removed to its end.", todo="Give the command again.") from error
