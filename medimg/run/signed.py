"""A signed consent page is added to the record: a scan, a reference to the paper, or both."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from medimg.errors import InputError, TooLarge, UsageError
from medimg.run import state as runs
from medimg.run.events import Signed, now
from medimg.run.folder import RECORD_FOLDER
from medimg.run.opened import OpenRun
from medimg.run.state import RunState
from medimg.system import files

SUFFIXES = frozenset({".pdf", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".heic", ".webp"})
LARGEST = 64 * 1024 * 1024
"""Bytes of a scan."""


def add(opened: OpenRun, group: str, scan: Path | None = None, *, reference: str = "", role: str = "") -> RunState:
    """Note that the page of a group was signed, for the copies as they are now. The scan is copied, and not looked at.

    It answers no question: a person says whether the consent is enough.

    Args:
        opened: The run.
        group: Whose page it is.
        scan: A picture or PDF of the signed page; the file itself stays where it is.
        reference: Where the paper is, as typed.
        role: The role of the person who notes it, as typed.

    Raises:
        UsageError: There is neither scan nor reference, the scan cannot be read, is too large or of another kind, the
            patient withdrew, or somebody else changed the run.
        OutputError: It could not be written.
    """
    if opened.state.is_withdrawn(group):
        raise UsageError(f"patient {group} withdrew.")
    if scan is None and not reference.strip():
        raise UsageError("name the scan, or say where the signed paper is.")
    with runs.claimed(opened.folder, opened.state):
        name, digest = _kept(opened, group, scan) if scan is not None else ("", "")
        done = Signed(
            group=group,
            at=now(),
            reference=reference.strip(),
            file=name,
            sha256=digest,
            copies=opened.state.copies_of(group),
            role=role.strip(),
        )
        state = msgspec.structs.replace(opened.state, signed=(*opened.state.signed, done))
        return runs.save(opened.folder, state)


def _kept(opened: OpenRun, group: str, scan: Path) -> tuple[str, str]:
    suffix = scan.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError("a scan is a PDF or a picture.", todo=f"One of: {', '.join(sorted(SUFFIXES))}.")
    try:
        data = files.read_original(scan, LARGEST)
    except TooLarge as error:
        raise UsageError("the scan is larger than 64 MiB.") from error
    except InputError as error:
        raise UsageError("the scan could not be read.") from error
    number = 1 + sum(s.group == group for s in opened.state.signed)
    record = opened.folder / RECORD_FOLDER
    while any(record.glob(f"consent-signed-{group}-{number}.*")):  # the answers may have been put back from before
        number += 1
    name = f"consent-signed-{group}-{number}{suffix}"
    files.write_private(record / name, data, new=True)
    return name, hashlib.sha256(data).hexdigest()
