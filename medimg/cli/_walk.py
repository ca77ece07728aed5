"""A walk through the acts on the terminal: each act is saved as it is done, a release moves the copies at once."""

from __future__ import annotations

import datetime

import click
import msgspec

from medimg.acts import Walk, begin, screen, step
from medimg.cli import _acts
from medimg.consent.cards import Store
from medimg.errors import MedimgError
from medimg.report import build
from medimg.run import looking
from medimg.run import release as releasing
from medimg.run import state as runs
from medimg.run.register import Register
from medimg.run.release import OpenRun, now
from medimg.run.state import RunState


def walk(opened: OpenRun, groups: list[str], role: str, register: Register) -> RunState:
    """Go through what is open, and give the state as it was saved last.

    Raises:
        UsageError: The clock stands before the newest answer, or somebody else answered in the meantime.
    """
    store = Store()
    cards, unread = store.read()
    for trouble in unread:
        click.echo(trouble)
    here = begin(
        opened.state,
        opened.reports,
        cards,
        today=datetime.datetime.now(datetime.UTC).date(),
        at=now(),
        groups=groups,
        role=role,
        changed=looking.changed(opened),
    )
    try:
        while (shown := screen(here)) is not None:
            before = here
            here = _saved(opened, store, before, step(msgspec.structs.replace(before, at=now()), _acts.ask(shown)))
            if here.release != before.release:
                here = _released(opened, here, here.release[-1], register)
    except (_acts.Stopped, click.Abort):
        click.echo("\nKept so far. The same command goes on from here.")
    if here.trouble:
        click.echo(here.trouble)
    return here.state


def _saved(opened: OpenRun, store: Store, before: Walk, after: Walk) -> Walk:
    for card in after.new_cards[len(before.new_cards) :]:
        store.save(card)
    if after.state is before.state:
        return after
    return msgspec.structs.replace(after, state=runs.save(opened.folder, after.state))


def _released(opened: OpenRun, here: Walk, group: str, register: Register) -> Walk:
    """Move the copies of a group; what stands in the way is said on the next screen."""
    run = opened.at(here.state)
    try:
        results = build.results(here.state, opened.reports)
        state = releasing.release(run, results, [group], register, role=here.role)
    except MedimgError as error:
        return msgspec.structs.replace(here, trouble=f"{error.what} {error.todo}".strip())
    click.echo(f"{group}: released, in {runs.SHARE_FOLDER}/. File the record sheet in the patient's record.")
    return msgspec.structs.replace(here, state=state)
