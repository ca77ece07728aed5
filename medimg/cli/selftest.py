"""``medimg selftest``: planted marks go the whole way, and what came out is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medimg.cli import common
from medimg.types import to_json
from medimg.words import mark, said, tr

if TYPE_CHECKING:
    from medimg.selftest.score import Page

_KINDS = {
    "hidden": mark("hidden in the file"),
    "text": mark("text covered"),
    "code": mark("codes covered"),
    "face": mark("faces covered"),
    "keep": mark("wounds and rulers untouched"),
}


@click.command()
@click.option("--quick", is_flag=True, help="About a third of the drawn photos.")
@click.option(
    "--only", multiple=True, type=click.Choice(list(_KINDS)), help="Only this kind of mark; may be given several times."
)
@click.option(
    "--own",
    type=common.FILE,
    metavar="FOLDER",
    help="Instead: your own photos, and a list (labels.csv or labels.json) that says what must go and what must stay.",
)
@common.policy_options
@common.workers_option
@click.option("--json", "as_json", is_flag=True, help="The table as JSON.")
def selftest(
    quick: bool,
    only: tuple[str, ...],
    own: Path | None,
    policy_file: Path | None,
    metadata_only: bool,
    workers: int | None,
    as_json: bool,
) -> int:
    """Draw photos with planted marks, clean them, and say which marks are gone.

    Takes a minute or two, needs no network, and removes what it made. The copies are judged by their pixels and
    bytes. Exit code 0: nothing hidden is left, and as many drawn marks are gone as this version promises; 20:
    otherwise.

    Drawn photos are easier than real ones: a passed test says that the parts work together here. --own says on one
    page how often the checks miss on photos like yours. Exit code 0; 20 if a word that must be gone is in a copy.
    """
    from medimg.engine.loop import Progress
    from medimg.selftest.run import run, run_own

    def show(progress: Progress) -> None:
        click.echo(
            "\r" + tr("{settled} of {total} photos", settled=progress.settled, total=progress.total), nl=False, err=True
        )

    policy = common.read_policy(policy_file, metadata_only)
    if own is not None:
        if quick or only:
            raise click.UsageError("--own looks at your photos alone, all of them: leave out --quick and --only.")
        page = run_own(own, policy, workers=workers, progress=show)
        click.echo(err=True)
        return _show_page(page, as_json=as_json)
    outcome = run(
        policy,
        quick=quick,
        only=only,
        workers=workers,
        progress=show,
    )
    click.echo(err=True)
    if as_json:
        click.echo(to_json(outcome), nl=False)
        return 0 if outcome.passed else 20
    for line in outcome.lines:
        title = _KINDS[line.kind] if line.sort == "all" else f"  {line.sort}"
        click.echo(f"{tr(title):<34}" + tr("{n} of {of}", n=f"{line.right:>5}", of=line.of))
    if outcome.misses:
        click.echo(tr("\nNot as it must be:"))
        for miss in outcome.misses:
            click.echo(f"  {said(miss)}")
    click.echo(tr("\nPassed.") if outcome.passed else tr("\nNot passed."))
    return 0 if outcome.passed else 20


def _show_page(page: Page, *, as_json: bool) -> int:
    click.echo(to_json(page) if as_json else "\n".join(lines(page)), nl=not as_json)
    return 20 if page.words else 0


def lines(page: Page) -> Iterator[str]:
    """The page of a site's own photos, as it is printed."""
    yield tr("Your own photos: {photos}. The 95 % range says what so few photos can tell.", photos=page.photos)
    yield ""
    yield f"{'':<62}{'':>5}    {'':<5}{'share':>7}{'95 % range':>14}"
    for line in page.rates:
        share, low, high = (f"{v:.3f}" for v in (line.count / line.of, line.low, line.high))
        yield (
            f"{tr(line.what):<62}"
            + tr("{n} of {of}", n=f"{line.count:>5}", of=f"{line.of:<5}")
            + f"{share:>7}{low:>8} {high:>5}"
        )
    yield ""
    yield tr("Share of the frame that covers hide, median of the copies: {hidden}", hidden=f"{page.hidden:.3f}")
    if page.odd:
        yield ""
        yield tr("Not as it must be, by the number of the photo in the list:")
        yield from (f"  {said(odd)}" for odd in page.odd)
