"""A walk through the acts on the terminal: each act is saved as it is done, a release moves the copies at once."""

from __future__ import annotations

import click

from medimg.acts.sitting import Sitting
from medimg.cli import _acts
from medimg.run import state as runs
from medimg.run.register import Register
from medimg.run.release import OpenRun
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
        while (shown := here.screen()) is not None:
            told = len(here.released)
            here.give(_acts.ask(shown))
            for group in here.released[told:]:
                click.echo(
                    f"{group}: released, in {runs.SHARE_FOLDER}/. File the record sheet in the patient's record."
                )
    except (_acts.Stopped, click.Abort):
        click.echo("\nKept so far. The same command goes on from here.")
    if here.walk.trouble:
        click.echo(here.walk.trouble)
    return here.walk.state
