"""``medimg reopen``: take copies back and ask the questions about pictures again."""

from __future__ import annotations

from pathlib import Path

import click

from medimg.cli import common, run_common
from medimg.run import release as releasing
from medimg.run.folder import SHARE_FOLDER
from medimg.words import tr


@click.command()
@run_common.run_argument
@click.argument("groups", nargs=-1, metavar="[PATIENT]...")
@run_common.role_option
@run_common.register_option
@click.pass_context
def reopen(ctx: click.Context, run: Path, groups: tuple[str, ...], role: str, register_file: Path | None) -> None:
    """Move copies back from share/ to unreviewed/, and open the questions about pictures and recognition again.

    The decisions stay in decisions.json. What was shared before stays in the register.
    """
    opened, _ = run_common.opened(run)
    wanted = opened.groups(groups)
    register = run_common.register(register_file)
    gone = [n for g in wanted for n in sorted(opened.state.released_names(g) - releasing.in_share(opened, g).lying)]
    state = releasing.reopen(opened, wanted, register, role=role)
    results = run_common.written(opened, state)
    run_common.say({g: results[g] for g in wanted}, state, most=0)
    if gone:
        click.echo(
            tr("These released copies did not lie in {folder}/: {gone}.", folder=SHARE_FOLDER, gone=", ".join(gone))
        )
    for trouble in releasing.share_of(opened.at(state), register)[1]:
        common.say(trouble)
    click.echo(tr("Copies that were sent before cannot be called back by this."))
    ctx.exit(run_common.exit_code({g: results[g] for g in wanted}))
