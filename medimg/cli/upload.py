"""``medimg upload``: what is released, put into a storage."""

from __future__ import annotations

from pathlib import Path

import click

from medimg.cli import common, run_common
from medimg.errors import UsageError
from medimg.run import storage
from medimg.words import tr


@click.command()
@run_common.run_argument
@click.argument("url")
@run_common.register_option
@run_common.json_option
def upload(run: Path, url: str, register_file: Path | None, as_json: bool) -> int:
    """Put the released copies of a run into a storage, and nothing else of it.

    URL is s3://bucket/folder, sftp://..., whatever fsspec reaches; the copies go to URL/medimg-R7Q4/share. What was
    uploaded before and is no longer released is taken out. Give the command again after a fault, a release or a
    withdrawal: it goes on.

    Exit code: 0 the storage holds what is released; 20 share/ holds something else; 30 the storage did not take it.
    """
    place = storage.plain(url)
    if place != url:
        place = f"local://{Path(place).absolute()}"
    if not storage.is_url(place):
        raise UsageError("name a URL such as s3://bucket/folder.", todo="A local folder is file:///its/path.")
    from medimg.run.upload import upload as put

    opened, _ = run_common.opened(run)
    done = put(opened, run_common.register(register_file), place)
    if as_json:
        common.say_json({"schema": "medimg.upload/1", "put": done.put, "there": done.there, "removed": done.removed})
        return 0
    common.say(
        tr(
            "{copies} uploaded, {there} there already, {removed} taken out.",
            copies=common.plural(len(done.put), "copy", "copies"),
            there=len(done.there),
            removed=len(done.removed),
        )
    )
    if not (done.put or done.there):
        common.say(tr("Nothing of this run is released: 'medimg answer', then 'medimg release'."))
    return 0
