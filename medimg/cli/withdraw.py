"""``medimg withdraw``: the patient changed their mind."""

from __future__ import annotations

from pathlib import Path

import click

from medimg.cli import run_common
from medimg.plain import printable
from medimg.report.html import when
from medimg.report.words import INCIDENT
from medimg.run import release as releasing
from medimg.run.register import Entry
from medimg.run.share import Share
from medimg.run.state import RECORD_FOLDER, RunState
from medimg.system import files


@click.command()
@run_common.run_argument
@click.argument("group", metavar="GROUP")
@click.option("--note", default="", metavar="WORDS", help="For the record sheet and the register alone.")
@run_common.role_option
@run_common.register_option
def withdraw(run: Path, group: str, note: str, role: str, register_file: Path | None) -> None:
    """Note that a patient withdrew: list what went where, and say what to do. Deletes nothing."""
    opened, _ = run_common.opened(run)
    opened.groups([group])
    register = run_common.register(register_file)
    before = releasing.shared_before(opened, group, register)
    state = releasing.withdraw(opened, group, register, note=note, role=role)
    run_common.written(opened, state)
    noted = _note(state, group, before, releasing.in_share(opened.at(state), group))
    lines = [printable(line) for line in noted]
    path = opened.folder / RECORD_FOLDER / f"withdrawal-{group}.txt"
    files.write_private(path, ("\n".join(lines) + "\n").encode())
    click.echo("\n".join(lines))
    click.echo(f"This note is in {RECORD_FOLDER}/withdrawal-{group}.txt.")


def _note(state: RunState, group: str, before: list[Entry], share: Share) -> list[str]:
    at = next(w.at for w in reversed(state.withdrawn) if w.group == group)
    out = [f"Withdrawal, group {group}, run {state.run.tag}, {when(at)}.", "", "What was shared:"]
    shared = [e for e in before if e.event == "released"]
    for entry in shared:
        to = entry.sharing.recipients or "recipients not written down"
        names = ", ".join(entry.sharing.copies)
        out.append(f"- {when(entry.at)}: {names}; for: {entry.sharing.audience}; with: {to}.")
    if not shared:
        out.append("- The register holds no release of this group.")
    out += ["", "What to do now:"]
    steps = [*INCIDENT[1:4], INCIDENT[4]]
    if share.changed:
        steps.insert(0, f"Look at these files in share/: they are not the released copies: {', '.join(share.changed)}.")
    if share.lying:
        names = ", ".join(sorted(share.lying))
        steps.insert(0, f"Take these copies out of share/ yourself: {names}. medimg deletes nothing.")
    if share.linked:
        steps.insert(0, "Look at share/: it is a link to another place, or no folder.")
    steps.insert(0, "Tell the people who received the pictures that the patient withdrew.")
    out += [f"{n}. {step}" for n, step in enumerate(steps, 1)]
    contacts = state.run.site.contacts.lines() if state.run.site else []
    if contacts:
        out += ["", "Contacts, set by your organisation:", *(f"- {who}: {how}" for who, how in contacts)]
    return out
