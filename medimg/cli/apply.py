"""``medimg apply``: decisions about photos, applied without the window."""

from __future__ import annotations

from pathlib import Path

import click

from medimg.cli import common, decide, run_common
from medimg.engine import apply as applying
from medimg.policy import Policy


@click.command()
@run_common.run_argument
@click.argument("photos", nargs=-1, required=True, type=common.FILE)
@click.option("--policy", "policy_file", type=common.FILE, metavar="FILE", help="The settings the run was made with.")
@common.known_option
@common.workers_option
@run_common.json_option
@click.pass_context
def apply(
    ctx: click.Context,
    run: Path,
    photos: tuple[Path, ...],
    policy_file: Path | None,
    known_file: Path | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Make again the copies whose plan was changed in decisions.json, and check them again.

    PHOTOS are the files and folders the run was made from: an original is known by its digest, because its name is
    written nowhere. Nothing is looked for in the originals again. The questions about a changed copy are asked again.
    """
    outcome = applying.apply(
        run,
        photos,
        policy=Policy.load(policy_file) if policy_file else None,
        known=common.read_known(known_file),
        workers=workers,
    )
    ctx.exit(decide.say_applied(outcome, common.shown(run), as_json=as_json))
