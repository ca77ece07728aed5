"""When a patient withdraws: the note for the record, and the letter to those who have the copies."""

from __future__ import annotations

from collections.abc import Sequence

from medimg.plain import printable
from medimg.report.html import when
from medimg.report.words import incident
from medimg.run.register import Entry
from medimg.run.share import Share
from medimg.run.state import RunState
from medimg.words import many, tr


def note(state: RunState, group: str, before: Sequence[Entry], share: Share) -> list[str]:
    """What was shared with whom, and what to do now, one line each; for the private part alone.

    Args:
        state: The state after the withdrawal.
        group: The patient's group.
        before: What the register says of the group.
        share: What lay in ``share/`` when the patient withdrew.
    """
    at = next(w.at for w in reversed(state.withdrawn) if w.group == group)
    out = [
        tr("Withdrawal, patient {group}, run {tag}, {at}.", group=group, tag=state.run.tag, at=when(at)),
        "",
        tr("What was shared:"),
    ]
    shared = _shared(before)
    for entry in shared:
        names = ", ".join(entry.sharing.copies)
        out.append(
            tr(
                "- {at}: {names}; for: {audience}; with: {whom}.",
                at=when(entry.at),
                names=names,
                audience=entry.sharing.audience,
                whom=_whom(entry),
            )
        )
        if entry.sharing.role:
            out.append(tr("  Shared by: {role}.", role=entry.sharing.role))
        if entry.sharing.caption.strip():
            out.append(tr("  With this text: {text}", text=" ".join(entry.sharing.caption.split())))
    if not shared:
        out.append(tr("- The register holds no release of this patient."))
    if share.lying and not share.linked:
        names = ", ".join(sorted(share.lying))
        out += ["", tr("Taken out of share/, to unreviewed/: {names}. Nothing was deleted.", names=names)]
    out += ["", tr("What to do now:")]
    out += [f"{n}. {step}" for n, step in enumerate(_steps(group, shared, share), 1)]
    contacts = state.run.site.contacts.lines() if state.run.site else []
    if contacts:
        out += ["", tr("Contacts, set by your organisation:"), *(f"- {who}: {how}" for who, how in contacts)]
    return [printable(line) for line in out]


def _shared(before: Sequence[Entry]) -> list[Entry]:
    return [e for e in before if e.event == "released"]


def _whom(entry: Entry) -> str:
    return entry.sharing.recipients or (
        tr("taken out of the register") if entry.purged else tr("recipients not written down")
    )


def _steps(group: str, shared: Sequence[Entry], share: Share) -> list[str]:
    steps = list(incident()[1:])
    if shared:
        steps.append(
            tr(
                "Look for copies on your computers and in chat exports: medimg find FOLDER --group {group}.",
                group=group,
            )
        )
        steps.append(
            tr(
                "When everybody was told: medimg withdraw RUN {group} --told. Until then the register lists it.",
                group=group,
            )
        )
    if share.changed:
        steps.insert(
            0,
            tr(
                "Look at these files in share/: they are not the released copies: {changed}.",
                changed=", ".join(share.changed),
            ),
        )
    if share.linked:
        steps.insert(0, tr("Look at share/: it is a link to another place, or no folder. Nothing was taken out of it."))
    whom = ", ".join(dict.fromkeys(map(_whom, shared)))
    if whom:
        steps.insert(0, tr("Send the letter to: {whom}.", whom=whom))
    else:
        steps.insert(0, tr("If anybody has a copy, tell them that the patient withdrew."))
    return steps


def letter(state: RunState, group: str, before: Sequence[Entry]) -> list[str]:
    """What to write to those who have the copies, to be sent as it is; it names no patient and no reason.

    Args:
        state: The state after the withdrawal.
        group: The patient's group.
        before: What the register says of the group.
    """
    names = list(dict.fromkeys(n for e in _shared(before) for n in e.sharing.copies))
    n = len(names)
    lines = [
        many("Please delete a clinical picture", "Please delete clinical pictures", n),
        "",
        many(
            "Some time ago I shared this picture with you: {names}.",
            "Some time ago I shared these pictures with you: {names}.",
            n,
            names=", ".join(names),
        ),
        tr("The patient has withdrawn their agreement. That is their right, and they need give no reason."),
        "",
        tr("Please"),
        many(
            "1. delete the picture and every copy: on phones, in the recently deleted album, in chats, slides and"
            " backups;",
            "1. delete the pictures and every copy: on phones, in the recently deleted album, in chats, slides and"
            " backups;",
            n,
        ),
        many(
            "2. take it down where you posted or printed it;", "2. take them down where you posted or printed them;", n
        ),
        many(
            "3. do not forward it; if you did, tell me to whom, and ask them the same;",
            "3. do not forward them; if you did, tell me to whom, and ask them the same;",
            n,
        ),
        tr("4. answer this message when it is done, or say what cannot be done."),
        "",
        tr("Please do not try to find out who the patient is."),
        tr("Reference: {run} {group}.", run=state.run.tag, group=group),
    ]
    return [printable(line) for line in lines]
