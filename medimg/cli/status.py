"""``medimg status``: where a run stands."""

from __future__ import annotations

import time
from pathlib import Path

import click

from medimg.cli import common, run_common
from medimg.run import progress
from medimg.run import release as releasing
from medimg.run.folder import SHARE_FOLDER
from medimg.run.progress import Unfinished
from medimg.types import to_json
from medimg.words import Table, said, tr

_WORDS = Table(
    {
        "M-HOLD-CRASH": "its worker ended",
        "M-HOLD-FAIL": "the copy did not pass a check",
        "M-HOLD-MEMORY": "not enough memory",
        "M-HOLD-NOTRUN": "a check could not be run",
        "M-HOLD-TIME": "it took too long",
        "M-IN-BAD": "damaged",
        "M-IN-CHANGED": "changed while it was worked on",
        "M-IN-KIND": "of a kind that is not handled",
        "M-IN-LARGE": "larger than the policy allows",
        "M-IN-NOTPIC": "no picture",
        "M-IN-READ": "could not be read",
        "M-OUT": "its copy could not be written",
    }
)


@click.command()
@run_common.run_argument
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@run_common.register_option
@click.pass_context
def status(ctx: click.Context, run: Path, as_json: bool, register_file: Path | None) -> None:
    """Say which patients of a run are answered, which questions wait, and what was released.

    What lies in share/ is compared with what was released, and the answers with the register.

    For an unfinished run: how far it is, how fast it goes, and what to do.

    Exit code: 0 every patient is answered, or medimg is working on the run; 11 blocking questions are open; 12 a
    patient is at a stop; 20 otherwise, when share/, the answers and the register do not agree; 130 the run was stopped
    and waits for --resume.
    """
    unfinished = progress.unfinished(run)
    if unfinished is not None:
        _say_unfinished(unfinished, as_json)
        ctx.exit(0 if unfinished.working else 130)
    opened, results = run_common.opened(run)
    share, trouble = releasing.share_of(opened, run_common.register(register_file))
    if as_json:
        click.echo(
            to_json(
                {
                    "schema": "medimg.status/1",
                    "run": opened.state.run.tag,
                    "finished": True,
                    "groups": run_common.record(results, opened.state),
                    "share": {
                        "copies": len(share.lying),
                        "strangers": share.strangers,
                        "changed": share.changed,
                        "missing": share.missing,
                        "trouble": trouble,
                    },
                }
            ).decode(),
            nl=False,
        )
    else:
        common.say(tr("Run {run}, for: {audience}.", run=opened.state.run.tag, audience=opened.state.context.audience))
        run_common.say(results, opened.state)
        run_common.say_held(opened, run)
        if share.lying:
            click.echo(
                tr(
                    "In {folder}/: {copies}.",
                    folder=SHARE_FOLDER,
                    copies=common.plural(len(share.lying), "released copy", "released copies"),
                )
            )
        if share.missing:
            click.echo(
                tr(
                    "Not in {folder}/ any more, though released: {missing}.",
                    folder=SHARE_FOLDER,
                    missing=", ".join(share.missing),
                )
            )
        for group in filter(opened.state.is_withdrawn, results):
            if names := sorted(opened.state.released_names(group) & share.lying):
                click.echo(
                    tr(
                        "Still in {folder}/, though the patient withdrew: {names}.",
                        folder=SHARE_FOLDER,
                        names=", ".join(names),
                    )
                )
        for line in trouble:
            common.say(tr("Look: {line}", line=said(line)))
    code = run_common.exit_code(results)
    ctx.exit(20 if trouble and code != 12 else code)


def _say_unfinished(run: Unfinished, as_json: bool) -> None:
    if as_json:
        click.echo(
            to_json(
                {
                    "schema": "medimg.status/1",
                    "run": run.tag,
                    "finished": False,
                    "working": run.working,
                    "total": run.total,
                    "counts": run.counts,
                    "rate": run.rate,
                    "left": run.left,
                    "kept_back": run.codes,
                }
            ).decode(),
            nl=False,
        )
        return
    how = tr("medimg is working on it") if run.working else tr("not finished, and nobody is working on it")
    common.say(tr("Run {run}: {how}.", run=run.tag, how=how))
    counts = run.counts
    click.echo(
        tr(
            "  {settled} of {photos} settled: {done} cleaned,",
            settled=run.settled,
            photos=common.plural(run.total, "photo"),
            done=counts["done"],
        ),
        nl=False,
    )
    click.echo(tr(" {held} held, {failed} not cleaned.", held=counts["held"], failed=counts["failed"]))
    click.echo(
        tr("  {running} being worked on, {pending} waiting.", running=counts["running"], pending=counts["pending"])
    )
    for code, count in run.codes.items():
        common.say(f"  {count}: {_WORDS.get(code, tr('see the reports'))} [{code}]")
    if run.working and run.left is not None:
        click.echo(
            tr("  {rate} photos a second, about {time} left.", rate=f"{run.rate:.1f}", time=common.duration(run.left))
        )
    elif run.at is not None:
        click.echo(tr("  Last settled {time} ago.", time=common.duration(max(0.0, time.time() - run.at))))
    if not run.working:
        click.echo(tr("To go on: the same 'medimg clean' command with --resume added."))
