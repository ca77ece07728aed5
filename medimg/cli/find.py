"""``medimg find``: released copies in a folder."""

from __future__ import annotations

from pathlib import Path

import click

from medimg.cli import common, run_common
from medimg.run import search
from medimg.run.register import Entry
from medimg.words import tr


@click.command()
@click.argument("folder", type=run_common.FILE, metavar="FOLDER")
@click.option("--run", default="", metavar="TAG", help="Only copies of this run.")
@click.option("--group", default="", metavar="PATIENT", help="Only copies of this patient.")
@run_common.register_option
@click.pass_context
def find(ctx: click.Context, folder: Path, run: str, group: str, register_file: Path | None) -> None:
    """Look for released copies in a folder, also for those that were made smaller, saved again, turned or mirrored.

    On this computer alone; nothing is changed. A picture that was cropped by more than about a fiftieth on each side,
    or that stands in a screenshot, is not found. What looks alike has to be looked at by a person.

    Exit code: 0 nothing was found, 10 something was.
    """
    register = run_common.register(register_file)

    def chosen(entry: Entry) -> bool:
        return run in ("", entry.sharing.run) and group in ("", entry.sharing.group)

    copies = search.wanted(register.entries(), chosen)
    if not copies.exact:
        click.echo(tr("The register holds no such release: there is nothing to look for."))
        return
    looked, count = search.Looked(), 0
    for found in search.search(folder, copies, looked):
        count += 1
        how = tr("is") if found.sort == "same-file" else tr("looks like ({bits} of 255 bits differ)", bits=found.bits)
        common.say(f"{found.path} {how} {found.copy}")
    click.echo(
        tr(
            "{pictures} looked at for {copies}: {count} found. {others}. A cropped picture or a "
            "screenshot is not found.",
            pictures=common.plural(looked.pictures, "picture"),
            copies=common.plural(len(copies.exact), "copy", "copies"),
            count=count,
            others=common.plural(looked.others, "other file"),
        )
    )
    if looked.unread:
        click.echo(tr("{unread} could not be read: what is in them is not known.", unread=looked.unread))
    if copies.blind:
        common.say(tr("Looked for as the very file alone: {blind}.", blind=", ".join(copies.blind)))
    ctx.exit(10 if count else 0)
