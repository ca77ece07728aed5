"""A walk through the acts on the terminal: each act is saved as it is done, a release moves the copies at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click
import msgspec

from medimg.acts import Screen
from medimg.acts.sitting import Sitting
from medimg.cli import _acts, common
from medimg.run.folder import SHARE_FOLDER, UNREVIEWED_FOLDER
from medimg.run.opened import OpenRun, open_run
from medimg.run.register import Register
from medimg.words import tr

Remake = Callable[[Path], list[str]]
"""Applies what was decided in a run, and says what became of it."""


def walk(opened: OpenRun, groups: list[str], role: str, register: Register, remake: Remake | None = None) -> OpenRun:
    """Go through what is open, and give the run as it was saved last.

    Args:
        opened: The run.
        groups: The groups that are asked about.
        role: Of the person, as far as it is known.
        register: Where releases are noted.
        remake: Where the originals are at hand: has a copy made again in which an area is to be covered.

    Raises:
        UsageError: The clock stands before the newest answer, or somebody else answered in the meantime.
    """
    here = Sitting(opened, groups, register, role)
    for trouble in here.troubles:
        common.say_prose(trouble)
    try:
        notes: list[str] = []
        while (shown := here.screen()) is not None:
            told, waits = len(here.released), here.walk.waits
            here.give(_acts.ask(_placed(shown, opened), notes))
            notes = [*_released(here.released[told:]), *_something_shows(here, shown, opened)]
            if here.walk.waits - waits:
                if remake is None:
                    notes += _to_apply(here.walk.waits - waits, opened)
                else:
                    notes += remake(opened.folder)
                    here = Sitting(open_run(opened.folder), groups, register, here.walk.role)
        for note in notes:
            common.say(note)
    except (_acts.Stopped, click.Abort):
        click.echo(tr("\nKept so far. The same command goes on from here."))
    if here.walk.trouble:
        common.say_prose(here.walk.trouble)
    return open_run(opened.folder)


def _placed(shown: Screen, opened: OpenRun) -> Screen:
    """The screen with the whole path of a copy, to be opened in another program."""
    folder = f"{UNREVIEWED_FOLDER}/"
    return msgspec.structs.replace(shown, lead=shown.lead.replace(folder, f"{common.shown(opened.folder)}/{folder}", 1))


def _to_apply(photos: Iterable[str], opened: OpenRun) -> list[str]:
    run = common.shown(opened.folder)
    return [
        tr("{photo}: to be covered. Have the copy made again:  medimg apply {run} PHOTOS", photo=i, run=run)
        for i in sorted(photos)
    ]


def _released(groups: list[str]) -> list[str]:
    return [
        tr(
            "{group}: released, in {folder}/. File the record sheet in the patient's record.",
            group=g,
            folder=SHARE_FOLDER,
        )
        for g in groups
    ]


def _something_shows(here: Sitting, shown: Screen, opened: OpenRun) -> list[str]:
    """The command that covers what a person saw on a copy."""
    kind, _, safe_id = shown.act.partition(":")
    said = {a.choice for a in here.walk.state.answers if a.act == shown.act}
    if kind != "look" or "no" not in said or (now := here.screen()) is None or now.act == shown.act:
        return []
    run = common.shown(opened.folder)
    return [
        tr(
            "Cover what shows on {safe_id}:  medimg cover {run} {safe_id} PHOTOS --box X,Y,W,H",
            safe_id=safe_id,
            run=run,
        )
    ]
