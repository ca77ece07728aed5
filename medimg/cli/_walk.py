"""A walk through the acts on the terminal: each act is saved as it is done, a release moves the copies at once."""

from __future__ import annotations

import click

from medimg.acts import Screen
from medimg.acts.sitting import Sitting
from medimg.cli import _acts, common
from medimg.run.folder import SHARE_FOLDER
from medimg.run.opened import OpenRun
from medimg.run.register import Register
from medimg.run.state import RunState


def walk(opened: OpenRun, groups: list[str], role: str, register: Register) -> RunState:
    """Go through what is open, and give the state as it was saved last.

    Raises:
        UsageError: The clock stands before the newest answer, or somebody else answered in the meantime.
    """
    here = Sitting(opened, groups, register, role)
    for trouble in here.troubles:
        click.echo(trouble)
    try:
        notes: list[str] = []
        while (shown := here.screen()) is not None:
            told = len(here.released)
            here.give(_acts.ask(shown, notes))
            notes = [*_released(here.released[told:]), *_something_shows(here, shown, opened)]
        for note in notes:
            common.say(note)
    except (_acts.Stopped, click.Abort):
        click.echo("\nKept so far. The same command goes on from here.")
    if here.walk.trouble:
        click.echo(here.walk.trouble)
    return here.walk.state


def _released(groups: list[str]) -> list[str]:
    return [f"{g}: released, in {SHARE_FOLDER}/. File the record sheet in the patient's record." for g in groups]


def _something_shows(here: Sitting, shown: Screen, opened: OpenRun) -> list[str]:
    """The command that covers what a person saw on a copy."""
    kind, _, safe_id = shown.act.partition(":")
    said = {a.choice for a in here.walk.state.answers if a.act == shown.act}
    if kind != "look" or "no" not in said or (now := here.screen()) is None or now.act == shown.act:
        return []
    run = common.shown(opened.folder)
    return [f"Cover what shows on {safe_id}:  medimg cover {run} {safe_id} PHOTOS --box X,Y,W,H"]
