"""``medimg status``: where a run stands."""

from __future__ import annotations

from pathlib import Path

import click

from medimg.cli import run_common
from medimg.types import to_json


@click.command()
@run_common.run_argument
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def status(ctx: click.Context, run: Path, as_json: bool) -> None:
    """Say which groups of a run are answered, which questions wait, and what was released.

    Exit code: 0 every group is answered, 11 blocking questions are open, 12 a group is at a stop.
    """
    opened, results = run_common.opened(run)
    if as_json:
        groups = {
            g: {
                "overall": r.overall,
                "status": run_common.words(r),
                **r.counts(),
                "waiting": [item for item, _, _ in run_common.waiting(r)],
                "released": sorted(opened.state.released_names(g)),
                "withdrawn": opened.state.is_withdrawn(g),
            }
            for g, r in results.items()
        }
        click.echo(
            to_json({"schema": "medimg.status/1", "run": opened.state.run.tag, "groups": groups}).decode(), nl=False
        )
    else:
        click.echo(f"Run {opened.state.run.tag}, for: {opened.state.context.audience}.")
        run_common.say(results, opened.state)
    ctx.exit(run_common.exit_code(results))
