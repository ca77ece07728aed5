"""When a patient withdraws: the note for the record, and the letter to those who have the copies."""

from __future__ import annotations

from collections.abc import Sequence

from medimg.plain import printable
from medimg.report.html import when
from medimg.report.words import INCIDENT
from medimg.run.register import Entry
from medimg.run.share import Share
from medimg.run.state import RunState


def note(state: RunState, group: str, before: Sequence[Entry], share: Share) -> list[str]:
    """What was shared with whom, and what to do now, one line each; for the private part alone.

    Args:
        state: The state after the withdrawal.
        group: The patient's group.
        before: What the register says of the group.
        share: What lay in ``share/`` when the patient withdrew.
    """
    at = next(w.at for w in reversed(state.withdrawn) if w.group == group)
    out = [f"Withdrawal, patient {group}, run {state.run.tag}, {when(at)}.", "", "What was shared:"]
    shared = _shared(before)
    for entry in shared:
        names = ", ".join(entry.sharing.copies)
        out.append(f"- {when(entry.at)}: {names}; for: {entry.sharing.audience}; with: {_whom(entry)}.")
        if entry.sharing.role:
            out.append(f"  Shared by: {entry.sharing.role}.")
        if entry.sharing.caption.strip():
            out.append(f"  With this text: {' '.join(entry.sharing.caption.split())}")
    if not shared:
        out.append("- The register holds no release of this patient.")
    if share.lying and not share.linked:
        names = ", ".join(sorted(share.lying))
        out += ["", f"Taken out of share/, to unreviewed/: {names}. Nothing was deleted."]
    out += ["", "What to do now:"]
    out += [f"{n}. {step}" for n, step in enumerate(_steps(group, shared, share), 1)]
    contacts = state.run.site.contacts.lines() if state.run.site else []
    if contacts:
        out += ["", "Contacts, set by your organisation:", *(f"- {who}: {how}" for who, how in contacts)]
    return [printable(line) for line in out]


def _shared(before: Sequence[Entry]) -> list[Entry]:
    return [e for e in before if e.event == "released"]


def _whom(entry: Entry) -> str:
    return entry.sharing.recipients or ("taken out of the register" if entry.purged else "recipients not written down")


def _steps(group: str, shared: Sequence[Entry], share: Share) -> list[str]:
    steps = [*INCIDENT[1:4], INCIDENT[4]]
    if shared:
        steps.append(f"Look for copies on your computers and in chat exports: medimg find FOLDER --group {group}.")
        steps.append(f"When everybody was told: medimg withdraw RUN {group} --told. Until then the register lists it.")
    if share.changed:
        steps.insert(0, f"Look at these files in share/: they are not the released copies: {', '.join(share.changed)}.")
    if share.linked:
        steps.insert(0, "Look at share/: it is a link to another place, or no folder. Nothing was taken out of it.")
    whom = ", ".join(dict.fromkeys(map(_whom, shared)))
    if whom:
        steps.insert(0, f"Send the letter to: {whom}.")
    else:
        steps.insert(0, "If anybody has a copy, tell them that the patient withdrew.")
    return steps


def letter(state: RunState, group: str, before: Sequence[Entry]) -> list[str]:
    """What to write to those who have the copies, to be sent as it is; it names no patient and no reason.

    Args:
        state: The state after the withdrawal.
        group: The patient's group.
        before: What the register says of the group.
    """
    names = list(dict.fromkeys(n for e in _shared(before) for n in e.sharing.copies))
    many = len(names) != 1
    it, them = ("pictures", "them") if many else ("picture", "it")
    lines = [
        "Please delete clinical pictures" if many else "Please delete a clinical picture",
        "",
        f"Some time ago I shared {'these' if many else 'this'} {it} with you: {', '.join(names)}.",
        "The patient has withdrawn their agreement. That is their right, and they need give no reason.",
        "",
        "Please",
        f"1. delete the {it} and every copy: on phones, in the recently deleted album, in chats, slides and backups;",
        f"2. take {them} down where you posted or printed {them};",
        f"3. do not forward {them}; if you did, tell me to whom, and ask them the same;",
        "4. answer this message when it is done, or say what cannot be done.",
        "",
        "Please do not try to find out who the patient is.",
        f"Reference: {state.run.tag} {group}.",
    ]
    return [printable(line) for line in lines]
