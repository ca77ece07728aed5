"""The run folder: where everything of one run is put, and nothing else.

::

    OUT/medimg-R7Q4/             random tag: no date, no name
      share/                     only released copies
      unreviewed/                verified copies that wait for a person
      hold/                      why-held.json and .txt; never an original
      share-sheet.*              may travel with the pictures
      PRIVATE-patient-record/    stays where the patient's record is
      run.json                   machine summary without patient information
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from medimg.errors import CheckFailed, OutputError, UsageError
from medimg.run import lock, storage
from medimg.run.scan import Root
from medimg.system import host

PREFIX = "medimg-"
RECORD_FOLDER, SHARE_FOLDER, UNREVIEWED_FOLDER = "PRIVATE-patient-record", "share", "unreviewed"
HOLD_FOLDER = "hold"
STATE_NAME, REPORTS_NAME = "answers.json", "reports.json"
"""In the record folder: what people said of the run, and what became of each photo."""
BESIDE = "medimg-runs"
"""Folder of run folders beside a folder of photos. Its name says nothing: names of folders can be patients."""
STAGING = ".staging"
"""Where a cluster's workers put copies before the run gives them their names."""
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that reads like something else
_TAG_LENGTH = 10
"""Of 32 letters each: among 10,000 runs, two have the same with odds of 10,000^2 / 2 / 32^10, 1 in 20 million. The
register knows a run by its tag alone."""


class RunFolder:
    """The places of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.share = path / SHARE_FOLDER
        self.unreviewed = path / UNREVIEWED_FOLDER
        self.hold = path / HOLD_FOLDER
        self.private = path / RECORD_FOLDER
        self.journal = self.private / "journal.sqlite"
        self.reports = self.private / REPORTS_NAME
        self.key = self.private / "key.csv"
        self.summary = path / "run.json"
        self.share_sheet = path / "share-sheet.html"
        self.record_sheet = self.private / "record-sheet.html"

    @property
    def tag(self) -> str:
        """The random part of its name."""
        return self.path.name.removeprefix(PREFIX)

    @classmethod
    def of(cls, out: Path, tag: str) -> RunFolder:
        """The one of a tag."""
        return cls(out / f"{PREFIX}{tag}")

    @classmethod
    def create(cls, out: Path) -> RunFolder:
        """Make a new one under ``out``; only its owner may enter.

        Raises:
            OutputError: It could not be made.
        """
        try:
            out.mkdir(parents=True, exist_ok=True)
            for _ in range(100):
                tag = "".join(secrets.choice(_ALPHABET) for _ in range(_TAG_LENGTH))
                run = cls(out / f"{PREFIX}{tag}")
                try:
                    host.private_folder(run.path)
                except FileExistsError:
                    continue
                for folder in (run.share, run.unreviewed, run.hold, run.private):
                    host.private_folder(folder)
                for folder in (run.path, out):
                    host.sync_folder(folder)
                return run
        except OSError as error:
            raise OutputError(
                "the output folder could not be made.",
                todo="Choose a folder you may write to, on a disk with free space.",
            ) from error
        raise OutputError("there are too many runs in the output folder.", todo="Choose another output folder.")

    @classmethod
    def all_under(cls, out: Path) -> list[RunFolder]:
        """Every run folder under ``out``."""
        try:
            return [cls(p) for p in sorted(out.glob(f"{PREFIX}*")) if (p / RECORD_FOLDER).is_dir()]
        except OSError:
            return []

    def sweep(self) -> None:
        """Remove what a run that was killed left half-written."""
        self.sweep_parts(0.0)
        shutil.rmtree(self.path / STAGING, ignore_errors=True)

    def sweep_parts(self, age: float = 3600.0) -> None:
        """Remove files that a command that was killed left half-written.

        Args:
            age: Seconds since they were written: answers are written without the run's lock, in less than one.
        """
        for folder in (self.path, self.unreviewed, self.hold, self.private):
            with contextlib.suppress(OSError):
                for part in folder.glob(".medimg-*.part"):
                    if not age or time.time() - part.lstat().st_ctime >= age:
                        part.unlink(missing_ok=True)

    def remove_if_bare(self) -> bool:
        """Remove a folder whose run died before it knew its photos. Nothing but our own empty places is removed."""
        if self.summary.exists() or any(self.unreviewed.glob("P*")) or any(self.share.glob("P*")):
            return False
        with contextlib.suppress(OSError):
            for name in (lock.NAME, "journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"):
                (self.private / name).unlink(missing_ok=True)
            for folder in (self.share, self.unreviewed, self.hold, self.private, self.path):
                folder.rmdir()
            return True
        return False

    def lock(self) -> int:
        """Claim the run for this process; the claim ends with the process.

        Returns:
            A file descriptor to keep open.

        Raises:
            UsageError: Another process is working on it.
            CheckFailed: One of its folders is a link: what is written there would leave the run.
        """
        refuse_links(self.path)
        return lock.claim(self.private)

    def is_locked(self) -> bool:
        """Whether a process is working on the run. The lock is only looked at."""
        return lock.held(self.private)

    def unlock(self, handle: int) -> None:
        """Give the run back and remove the lock's file."""
        lock.give_back(self.private, handle)


def refuse_links(folder: Path) -> None:
    """Refuse a run of which a folder is a link: what is moved or written there would leave the run.

    Raises:
        CheckFailed: One is.
    """
    for name in (SHARE_FOLDER, UNREVIEWED_FOLDER, RECORD_FOLDER, HOLD_FOLDER):
        if is_link(folder / name):
            raise CheckFailed(
                f"{name}/ is a link to another place, or no folder. Nothing was moved.",
                todo="Put a plain folder in its place.",
            )


def is_link(path: Path) -> bool:
    """Whether something other than a plain folder is there."""
    return path.is_symlink() or (os.path.lexists(path) and not path.is_dir())


def beside(roots: Sequence[Root]) -> Path:
    """Where run folders are made when nobody says it: in a folder of our own beside the first folder of photos.

    Raises:
        UsageError: There is no such place, because the photos are far away or lie at the top of a disk.
    """
    first = os.fsdecode(roots[0].folder)
    place = Path(first)
    if storage.is_url(first) or place.parent == place:
        raise UsageError("there is no folder beside these photos.", todo="Say where the run folder is made: -o OUT.")
    return place.parent / BESIDE


def refuse_among(out: Path, roots: Sequence[Root]) -> None:
    """Refuse an output folder that is, or lies in, a folder of photos, or in which a single photo that is named lies.

    Raises:
        UsageError: It does.
    """
    refuse_inside(out, [Path(os.fsdecode(r.folder)) for r in roots if not r.only])
    for root in roots:
        folder = Path(os.fsdecode(root.folder))
        # A photo may be named by a link: neither its folder nor the one it leads to gets a run folder.
        named = [folder / os.fsdecode(name) for name in root.only]
        homes = {folder} | {path.resolve().parent for path in named if path.is_symlink()}
        if root.only and any(_same(out, home) for home in homes):
            raise UsageError("a photo that was named lies in the output folder.", todo="Choose another output folder.")


def refuse_inside(out: Path, roots: Sequence[Path]) -> None:
    """Refuse an output folder that is, or lies in, a folder the photos come from.

    Raises:
        UsageError: It does.
    """
    here = out.resolve()
    if any(_same(place, root) for place in (here, *here.parents) for root in roots):
        raise UsageError(
            "the output folder lies in a folder the photos come from.", todo="Choose an output folder beside it."
        )


def _same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one folder: through links, mounts and letter case, which resolve() does not tell."""
    try:
        return one.samefile(other)
    except OSError:
        return False
