"""``medimg find``: released copies in a folder."""

from __future__ import annotations

from pathlib import Path

import click

from medimg.cli import run_common
from medimg.cli.common import plural
from medimg.plain import printable
from medimg.run import search
from medimg.run.register import Entry


@click.command()
@click.argument("folder", type=run_common.FILE, metavar="FOLDER")
@click.option("--run", default="", metavar="TAG", help="Only copies of this run.")
@click.option("--group", default="", metavar="PATIENT", help="Only copies of this group.")
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
        click.echo("The register holds no such release: there is nothing to look for.")
        return
    looked, count = search.Looked(), 0
    for found in search.search(folder, copies, looked):
        count += 1
        how = "is" if found.sort == "same-file" else f"looks like ({found.bits} of 255 bits differ)"
        click.echo(f"{printable(str(found.path))} {how} {found.copy}")
    click.echo(
        f"{plural(looked.pictures, 'picture')} looked at for {plural(len(copies.exact), 'copy', 'copies')}:"
        f" {count} found. {plural(looked.others, 'other file')}. A cropped picture or a screenshot is not found."
    )
    if looked.unread:
        click.echo(f"{looked.unread} could not be read: what is in them is not known.")
    if copies.blind:
        click.echo(f"Looked for as the very file alone: {', '.join(copies.blind)}.")
    ctx.exit(10 if count else 0)
