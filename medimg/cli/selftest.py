"""``medimg selftest``: planted marks go the whole way, and what came out is looked at."""

from __future__ import annotations

from pathlib import Path

import click

from medimg.cli import common
from medimg.types import to_json

_KINDS = {
    "hidden": "hidden in the file",
    "text": "text covered",
    "code": "codes covered",
    "face": "faces covered",
    "keep": "wounds and rulers untouched",
}


@click.command()
@click.option("--quick", is_flag=True, help="About a third of the drawn photos.")
@click.option(
    "--only", multiple=True, type=click.Choice(list(_KINDS)), help="Only this kind of mark; may be given several times."
)
@click.option(
    "--cases",
    type=common.FILE,
    metavar="FOLDER",
    help="Your own cases besides: photos, and a cases.json that says what must go.",
)
@common.policy_options
@common.workers_option
@click.option("--json", "as_json", is_flag=True, help="The table as JSON.")
def selftest(
    quick: bool,
    only: tuple[str, ...],
    cases: Path | None,
    policy_file: Path | None,
    metadata_only: bool,
    workers: int | None,
    as_json: bool,
) -> int:
    """Draw photos with planted marks, clean them, and say which marks are gone.

    Takes a minute or two, needs no network, and removes what it made. The copies are judged by their pixels and
    bytes. Exit code 0: nothing hidden is left, and of the drawn marks as many are gone as this version promises;
    20: not so.

    Drawn photos are easier than real ones: a passed test says that the parts work together here.
    """
    from medimg.engine.loop import Progress
    from medimg.selftest.run import run

    def show(progress: Progress) -> None:
        click.echo(f"\r{progress.settled} of {progress.total} photos", nl=False, err=True)

    outcome = run(
        common.read_policy(policy_file, metadata_only),
        quick=quick,
        only=only,
        own_cases=cases,
        workers=workers,
        progress=show,
    )
    click.echo(err=True)
    if as_json:
        click.echo(to_json(outcome), nl=False)
        return 0 if outcome.passed else 20
    for line in outcome.lines:
        title = _KINDS[line.kind] if line.sort == "all" else f"  {line.sort}"
        click.echo(f"{title:<34}{line.right:>5} of {line.of}")
    if outcome.misses:
        click.echo("\nNot as it must be:")
        for miss in outcome.misses:
            click.echo(f"  {miss}")
    click.echo("\nPassed." if outcome.passed else "\nNot passed.")
    return 0 if outcome.passed else 20
