"""When a patient withdraws: the note, the copies out of ``share/``, and the letter, in one step."""

from __future__ import annotations

from medimg.report import refresh, withdrawal
from medimg.run import release as releasing
from medimg.run.folder import RECORD_FOLDER
from medimg.run.opened import OpenRun
from medimg.run.register import Register
from medimg.system import files


def withdraw(
    opened: OpenRun, group: str, register: Register, *, note: str = "", role: str = ""
) -> tuple[list[str], list[str]]:
    """Note that a patient withdrew, take the copies out of ``share/``, and write what follows. Nothing is deleted.

    Returns:
        What was shared with whom and what to do now; and the letter to those who have the copies, empty when nobody
        has any. Both lie in the private part, too.

    Raises:
        UsageError: Another process is working on the run.
        OutputError: Something could not be written or moved.
        CheckFailed: ``share/`` could not be read.
    """
    before = releasing.shared_before(opened, group, register)
    lay = releasing.in_share(opened, group)
    state = releasing.withdraw(opened, group, register, note=note, role=role)
    refresh(state, opened.reports, opened.folder)
    noted = withdrawal.note(state, group, before, lay)
    letter = withdrawal.letter(state, group, before) if any(e.event == "released" for e in before) else []
    private = opened.folder / RECORD_FOLDER
    files.write_private(private / f"withdrawal-{group}.txt", _text(noted))
    if letter:
        files.write_private(private / f"withdrawal-letter-{group}.txt", _text(letter))
    return noted, letter


def _text(lines: list[str]) -> bytes:
    return ("\n".join(lines) + "\n").encode()
