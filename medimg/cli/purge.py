"""``medimg purge``: run folders that have served their time are removed."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from medimg.cli import common, run_common
from medimg.run import retention
from medimg.run.events import now
from medimg.run.request import EXIT_CODES
from medimg.words import said, tr


@click.command()
@click.argument("out", type=common.FILE, metavar="OUT")
@click.option(
    "--older-than",
    "days",
    type=click.IntRange(0, 36_500),
    required=True,
    metavar="DAYS",
    help="Days since a run was finished; 0 for any.",
)
@click.option("--with-waiting", is_flag=True, help="Also runs in which copies wait that nobody released.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask once more.")
@run_common.register_option
@run_common.json_option
def purge(out: Path, days: int, with_waiting: bool, yes: bool, register_file: Path | None, as_json: bool) -> int:
    """Remove old run folders: copies, sheets, answers. Originals are never touched; the register keeps its entries.

    OUT is the folder that run folders lie in, or one run folder. File the record sheets in the patients' records first.
    Afterwards 'withdraw' has no run to work on; the register still says with whom a picture was shared, and 'find'
    still finds it. Files are deleted, not overwritten; backups are not touched. --json without --yes only lists.

    Exit code: 0 removed, or nothing is that old; 10 a run was left, because copies wait or something foreign is in it.
    """
    register = run_common.register(register_file)
    before = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=days - 1)
    swept = retention.sweep(out, register, now()) if yes or not as_json else 0
    found = retention.runs_under(out, before, waiting=with_waiting)
    old = [r for r in found if not r.kept]
    if old and not yes and not as_json:
        for run in old:
            common.say(
                tr(
                    "{run}, finished {day}: {photos}, {released} released.",
                    run=run.tag,
                    day=run.finished,
                    photos=common.plural(run.photos, "photo"),
                    released=run.released,
                )
            )
        click.confirm(
            tr("Remove {folders}? This cannot be undone", folders=common.plural(len(old), "run folder")), abort=True
        )
    noted = [retention.remove(run, register, now()).seq for run in old] if yes or not as_json else []
    left = [r for r in found if r.kept and r.kept != retention.YOUNG]
    if as_json:
        rows = [{"run": r.tag, "finished": r.finished, "photos": r.photos, "released": r.released, "kept": r.kept}
                for r in found]  # fmt: skip
        common.say_json({"schema": "medimg.purge/1", "runs": rows, "entries": noted, "ended": swept})
    else:
        _say(noted, left, swept)
    return EXIT_CODES["review"] if left else 0


def _say(noted: list[int], left: list[retention.Old], swept: int) -> None:
    for run in left:
        common.say(tr("{run} is left: {kept}", run=run.tag, kept=said(run.kept)))
    if swept:
        common.say(tr("{removals} that was cut short is ended.", removals=common.plural(swept, "removal")))
    entries = tr("; in the register as {noted}", noted=", ".join(map(str, noted))) if noted else ""
    common.say(tr("{folders} removed{entries}.", folders=common.plural(len(noted), "run folder"), entries=entries))
