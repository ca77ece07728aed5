"""``medimg desktop``: the window."""

from __future__ import annotations

from pathlib import Path

import click

from medimg.cli import common
from medimg.errors import MissingPart


@click.command()
@click.argument("paths", nargs=-1, type=common.FILE, metavar="[RUN | PHOTOS]...")
@click.option("--install", is_flag=True, help="Add the window to the desktop's menu and to Send to, for this user.")
@click.option("--uninstall", is_flag=True, help="Take those entries away again.")
@click.option("--photos", type=common.FILE, multiple=True, metavar="FOLDER", help="Where the photos of RUN are.")
@click.pass_context
def desktop(
    ctx: click.Context, paths: tuple[Path, ...], install: bool, uninstall: bool, photos: tuple[Path, ...]
) -> None:
    """Open the window: drop photos, look at what was found, correct it, answer the questions, release.

    RUN is a run folder of 'medimg clean' or of the window. PHOTOS are put into the window as if they were dropped.
    """
    try:
        if install or uninstall:
            from medimg.desktop import install as entries

            for path in entries.uninstall() if uninstall else entries.install():
                common.say(f"{'Removed' if uninstall else 'Added'}: {path}")
            return
        from medimg.desktop import app
    except ImportError as error:
        raise MissingPart(
            "the window's package is not installed.", todo="To install it: pip install 'medimg[desktop]'"
        ) from error
    ctx.exit(app.run(list(paths), list(photos)))
