"""What people do with a run folder: open it, release groups, take them back, note a withdrawal.

No original is touched, and no copy is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from medimg.consent.answers import Answer
from medimg.consent.standing import GroupResult
from medimg.errors import CheckFailed, MedimgError, OutputError, UsageError
from medimg.run import decisions, share
from medimg.run import state as runs
from medimg.run.events import Released, Reopened, Withdrawn, now
from medimg.run.folder import SHARE_FOLDER, UNREVIEWED_FOLDER, refuse_links
from medimg.run.opened import OpenRun
from medimg.run.register import Entry, Register, Sharing
from medimg.run.state import RunState
from medimg.vocabulary import PhotoState
from medimg.words import mark

_AGAIN = mark("Clean it again, with --again; nothing of this patient was released.")
"""Without the option a photo counts as done while a file with the name of its copy is there."""


def release(
    opened: OpenRun,
    results: dict[str, GroupResult],
    groups: Sequence[str],
    register: Register,
    *,
    role: str = "",
    recipients: str = "",
) -> RunState:
    """Move the copies of answered groups from ``unreviewed/`` to ``share/``. All of a group, or nothing of it.

    A group that was released before, to the same people, and whose copies lie in ``share/`` is passed over.

    Args:
        opened: The run.
        results: Where each group stands now.
        groups: The groups to release; every one must be answered.
        register: Asked first, and written before the first file moves.
        role: The role of the person who releases, as typed; the one that the newest answer names when it is empty.
        recipients: With whom, as typed; for the private part and the register alone. What was said before counts
            when it is empty.

    Raises:
        UsageError: A group is not answered, is at a stop, was withdrawn or taken back, has decisions that no copy
            shows yet, or nobody said with whom it is shared or by whom; another process is working on the run.
            Nothing was moved.
        CheckFailed: A copy is missing or is not the one that was checked, or ``share/`` holds something else.
            Nothing was moved.
        OutputError: A file could not be moved; the register says that the release is incomplete.
    """
    with runs.claimed(opened.folder, opened.state):
        state = opened.state
        for group in groups if recipients.strip() else ():
            state = runs.with_recipients(state, group, recipients)
        entries = register.entries(state.run.tag)
        undecided = decisions.keep_back(opened.folder, opened.reports)
        for group in groups:
            _may_be_released(state, group, results[group], entries, undecided)
            if not (role.strip() or role_of(state, group)):
                raise UsageError(
                    f"patient {group} is not released: by whom is not written down.",
                    todo="Say your role, not your name, with --role WORDS, or in the window.",
                )
        refuse_links(opened.folder)
        moves = {group: _checked_copies(opened, group) for group in groups}
        _nothing_else(opened, state, entries, moves)
        for group, copies in moves.items():
            if not _done(state, group, copies, entries):
                state = _released(opened, state, group, results[group], register, role, copies)
        return state


def _may_be_released(
    state: RunState, group: str, result: GroupResult, entries: list[Entry], undecided: dict[str, tuple[str, str]]
) -> None:
    if group in undecided:
        why, todo = undecided[group]
        raise UsageError(f"patient {group} is not released: {why}", todo=todo)
    if group in share.withdrawn(state, entries):
        raise UsageError(f"patient {group} was withdrawn by the patient. It is not released.")
    if share.taken_back(state, group, entries):
        raise UsageError(
            f"patient {group} is not released: it was taken back after its answers were written.",
            todo="Take it back once more: medimg reopen RUN. Then answer what is open.",
        )
    if result.overall != "answered":
        raise UsageError(f"patient {group} is not released: {result.overall}.")
    if not state.recipients.get(group, "").strip():
        raise UsageError(
            f"patient {group} is not released: with whom it is shared is not written down.",
            todo="Say it with --to WORDS, or in the window; it stays in the private part and the register.",
        )


def role_of(state: RunState, group: str) -> str:
    """The role that the newest answer about a group, its copies or the whole run names; empty when none does."""
    mine = (a for a in state.answers if a.by == "person" and a.subject.partition("-")[0] in ("batch", group))
    return next((a.role for a in sorted(mine, key=lambda a: a.at, reverse=True) if a.role.strip()), "")


def _nothing_else(
    opened: OpenRun, state: RunState, entries: list[Entry], moves: Mapping[str, Mapping[Path, str]]
) -> None:
    """Refuse to add to a share folder that holds anything but released copies: it is attached as a whole.

    Copies of a patient who withdrew are no longer among them.
    """
    begun = [g for g in state.run.groups if g not in moves and share.cut_short(state, g, entries)]
    if begun:
        raise UsageError(
            f"nothing was released: the release of {', '.join(begun)} was cut short.",
            todo="Go on with it, or take it back with 'medimg reopen'.",
        )
    mine = {p.name: d for copies in moves.values() for p, d in copies.items()}
    found = share.look(opened.folder, share.in_force(state, share.withdrawn(state, entries)) | mine)
    if found.trouble:
        raise CheckFailed(f"nothing was released: {' '.join(found.trouble)}")


def _done(state: RunState, group: str, copies: Mapping[Path, str], entries: list[Entry]) -> bool:
    """Whether exactly this was released already, to the same people and with the same text."""
    held = state.releases(group)
    said = {(e.sharing.recipients, e.sharing.caption) for e in entries if held and e.receipt == held[-1].receipt}
    lying = {p.name: d for p, d in copies.items() if p.parent.name == SHARE_FOLDER}
    known = {n: d for r in held for n, d in r.copies.items()}
    return (
        lying == known
        and len(lying) == len(copies)
        and said == {(state.recipients[group], state.caption_text_of(group))}
    )


def _released(
    opened: OpenRun,
    state: RunState,
    group: str,
    result: GroupResult,
    register: Register,
    role: str,
    copies: Mapping[Path, str],
) -> RunState:
    from medimg.run import likeness  # numpy, which no other command about a run needs

    at = now()
    sharing = msgspec.structs.replace(
        _sharing(state, group, result, role.strip() or role_of(state, group), {p.name: d for p, d in copies.items()}),
        likeness={p.name: h for p in copies if (h := likeness.of_file(p))},
        until=_until(state, group),
    )
    entry = register.append("released", sharing, at)
    try:
        share.move([p for p in copies if p.parent.name != SHARE_FOLDER], opened.folder / SHARE_FOLDER)
    except OutputError:
        register.append("release-incomplete", sharing, now())
        raise
    done = Released(
        group=group,
        at=at,
        copies=dict(sharing.copies),
        receipt=entry.receipt,
        revision=state.revision + 1,
        role=sharing.role,
    )
    return runs.save(opened.folder, msgspec.structs.replace(state, released=(*state.released, done)))


def reopen(opened: OpenRun, groups: Sequence[str], register: Register, *, role: str = "") -> RunState:
    """Take copies back from ``share/`` to ``unreviewed/``; pictures and recognition are asked again.

    Raises:
        UsageError: Another process is working on the run.
        CheckFailed: A file in ``share/`` is not the copy that was released. Nothing was moved.
        OutputError: A file could not be moved back.
    """
    with runs.claimed(opened.folder, opened.state):
        state = opened.state
        refuse_links(opened.folder)
        back = {group: _to_take_back(opened, group) for group in groups}
        for group, copies in back.items():
            state = _taken_back(opened, state, group, copies, register, role)
        return state


def _to_take_back(opened: OpenRun, group: str) -> dict[str, str]:
    """Name -> digest of the copies of a group that lie in ``share/``, whatever the answers say of them."""
    found = in_share(opened, group)
    if found.changed:
        raise CheckFailed(
            f"in {SHARE_FOLDER}/ these are not the copies that were released: {', '.join(found.changed)}."
            " Nothing was moved.",
            todo="Take them out yourself, and clean those photos again.",
        )
    return {n: d for n, d in _copies(opened, group).items() if n in found.lying}


def _taken_back(
    opened: OpenRun, state: RunState, group: str, copies: Mapping[str, str], register: Register, role: str
) -> RunState:
    at = now()
    names = state.released_names(group)
    if names or copies or share.taken_back(state, group, register.entries(state.run.tag, group)):
        every = {**copies, **_of_names(state, names)}
        register.append("reopened", _sharing(state, group, None, role, every), at)
        place = opened.folder / SHARE_FOLDER
        share.move([place / n for n in copies], opened.folder / UNREVIEWED_FOLDER)
    files = set(state.run.groups[group])

    def again(answer: Answer) -> bool:
        return answer.item.startswith(("img.", "id.")) and answer.subject in {group, *files}

    return runs.save(
        opened.folder,
        msgspec.structs.replace(
            state,
            reopened=(*state.reopened, Reopened(group=group, at=at, revision=state.revision + 1)),
            answers=tuple(a for a in state.answers if not again(a)),
        ),
    )


def withdraw(opened: OpenRun, group: str, register: Register, *, note: str = "", role: str = "") -> RunState:
    """Note that the patient withdrew, and take the copies out of ``share/``. Nothing is deleted.

    The note is written before a file moves. A file in ``share/`` that is not the copy that was released stays there.

    Raises:
        UsageError: Another process is working on the run.
        OutputError: The note could not be written, or, when it was, a copy could not be moved.
        CheckFailed: ``share/`` could not be read; the note was written.
    """
    with runs.claimed(opened.folder, opened.state):
        state, at = opened.state, now()
        every = {n: d for r in state.released if r.group == group for n, d in r.copies.items()}
        sharing = msgspec.structs.replace(_sharing(state, group, None, role, every), note=note)
        register.append("withdrawn", sharing, at)
        state = runs.save(
            opened.folder,
            msgspec.structs.replace(state, withdrawn=(*state.withdrawn, Withdrawn(group=group, at=at, note=note))),
        )
        found = in_share(opened, group)
        if found.lying and not found.linked:
            refuse_links(opened.folder)
            place = opened.folder / SHARE_FOLDER
            share.move([place / n for n in sorted(found.lying)], opened.folder / UNREVIEWED_FOLDER)
        return state


def withdrawal_told(opened: OpenRun, group: str, register: Register, *, note: str = "", role: str = "") -> Entry:
    """Note that everybody who had the copies was told of the withdrawal, so that it waits no longer.

    Raises:
        UsageError: Nobody withdrew.
        OutputError: It could not be written.
    """
    if group not in share.withdrawn(opened.state, register.entries(opened.state.run.tag, group)):
        raise UsageError(f"patient {group} did not withdraw.", todo="Note that first: medimg withdraw RUN PATIENT.")
    sharing = msgspec.structs.replace(_sharing(opened.state, group, None, role, {}), note=note)
    return register.append("withdrawal-told", sharing, now())


def in_share(opened: OpenRun, group: str) -> share.Share:
    """What lies in ``share/`` of the copies of one group, whatever the answers say of them."""
    return share.look(opened.folder, _copies(opened, group))


def _copies(opened: OpenRun, group: str) -> dict[str, str]:
    """Name -> digest of the copies a group has, and of those released before that it has no more."""
    released = {n: d for r in opened.state.releases(group) for n, d in r.copies.items()}
    return released | {r.copy.name: r.copy.sha256 for r in opened.of(group) if r.copy is not None}


def share_of(opened: OpenRun, register: Register) -> tuple[share.Share, list[str]]:
    """What lies in ``share/``, and where the folder, the answers and the register disagree, in plain words.

    Raises:
        CheckFailed: The folder could not be read.
    """
    unread = []
    try:
        entries = register.entries(opened.state.run.tag)
    except MedimgError as error:
        entries, unread = [], [error.what]
    groups, known = opened.state.run.groups, share.in_force(opened.state)
    begun = {n: d for g in groups for n, d in share.cut_short(opened.state, g, entries).items()}
    gone = {n for g in groups if opened.state.is_withdrawn(g) for n in opened.state.released_names(g)}
    found = share.look(opened.folder, begun | known)
    found = msgspec.structs.replace(found, missing=tuple(n for n in found.missing if n in known and n not in gone))
    return found, [*found.trouble, *share.disagreements(opened.state, entries), *unread]


def shared_before(opened: OpenRun, group: str, register: Register) -> list[Entry]:
    """What the register says of a group of this run."""
    return register.entries(opened.state.run.tag, group)


def _checked_copies(opened: OpenRun, group: str) -> dict[Path, str]:
    """The copies of a group, each the file that was checked; in ``share/`` when a release was cut short."""
    out: dict[Path, str] = {}
    for report in opened.of(group):
        if report.copy is None or report.state != PhotoState.UNREVIEWED:
            continue
        name = report.copy.name
        if Path(name).name != name or not name.startswith(report.safe_id):
            raise CheckFailed("a copy has a name that medimg does not give.", safe_id=report.safe_id)
        places = [opened.folder / p / name for p in (UNREVIEWED_FOLDER, SHARE_FOLDER)]
        found = [p for p in places if p.is_file() and not p.is_symlink()]
        if len(found) != 1:
            raise CheckFailed("the copy is not where it was written.", todo=_AGAIN, safe_id=report.safe_id)
        digest = share.digest(found[0])
        if digest != report.copy.sha256:
            raise CheckFailed(
                "the copy is not the one that was checked: it was changed afterwards.",
                todo=_AGAIN,
                safe_id=report.safe_id,
            )
        out[found[0]] = digest
    if not out:
        raise UsageError(f"patient {group} has no copy to release.")
    return out


def _sharing(state: RunState, group: str, result: GroupResult | None, role: str, copies: dict[str, str]) -> Sharing:
    return Sharing(
        run=state.run.tag,
        group=group,
        copies=copies,
        audience=state.context.audience,
        countries=state.context.jurisdictions,
        basis=result.context.basis if result else "",
        medimg=state.run.version,
        checklist=state.checklist,
        checklist_digest=state.checklist_digest,
        role=role,
        recipients=state.recipients.get(group, ""),
        caption=state.caption_text_of(group),
    )


def _until(state: RunState, group: str) -> str:
    """The day until which what was answered about a patient holds: the earliest that was said."""
    return min((a.valid_until for a in state.answers if a.subject == group and a.valid_until), default="")


def _of_names(state: RunState, names: frozenset[str]) -> dict[str, str]:
    return {n: d for r in state.released for n, d in r.copies.items() if n in names}
