"""``medimg reopen``: take copies back and ask the questions about pictures again."""

from __future__ import annotations

from pathlib import Path

import click

from medimg.cli import run_common
from medimg.consent import release as releasing


@click.command()
@run_common.run_argument
@click.argument("groups", nargs=-1, metavar="[GROUP]...")
@run_common.role_option
@run_common.register_option
@click.pass_context
def reopen(ctx: click.Context, run: Path, groups: tuple[str, ...], role: str, register_file: Path | None) -> None:
    """Move copies back from share/ to unreviewed/, and open the questions about pictures and recognition again.

    The decisions stay in decisions.json. What was shared before stays in the register.
    """
    opened, _ = run_common.opened(run)
    wanted = opened.groups(groups)
    state = releasing.reopen(opened, wanted, run_common.register(register_file), role=role)
    results = run_common.written(opened, state)
    run_common.say({g: results[g] for g in wanted}, state, most=0)
    click.echo("Copies that were sent before cannot be called back by this.")
    ctx.exit(run_common.exit_code({g: results[g] for g in wanted}))
