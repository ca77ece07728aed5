"""``medimg incident``: what to do when a picture reached the wrong person."""

from __future__ import annotations

from pathlib import Path

import click

from medimg.cli import run_common
from medimg.consent import incident as card
from medimg.consent.checklist import ChecklistDefinition
from medimg.consent.site import SiteProfile
from medimg.plain import printable
from medimg.words import Table, tr

_HOW = Table({"text": "text", "authority": "authority", "summary": "summary"})


@click.command()
@click.argument("run", type=run_common.FILE, metavar="[RUN]", required=False)
@click.option("--where", multiple=True, metavar="COUNTRY", help="A country, as for 'medimg clean'. May be repeated.")
@click.option("--sources", "with_sources", is_flag=True, help="Print what was read, where and when.")
def incident(run: Path | None, where: tuple[str, ...], with_sources: bool) -> None:
    """Say what to do when a picture reached the wrong person, with the country's time limits and your contacts.

    With RUN: for its countries, with the contacts that your organisation has set. Not legal advice.
    """
    names = ChecklistDefinition.load().jurisdictions
    state = run_common.opened(run)[0].state if run is not None else None
    countries = [c for part in where for c in part.split(",")] or list(state.context.jurisdictions if state else ())
    site = state.run.site if state is not None else SiteProfile.installed()
    for number, step in enumerate(map(tr, card.STEPS), 1):
        click.echo(f"{number}. {step}")
    click.echo(tr("\nThe clock:"))
    for line in card.clocks(countries, names):
        click.echo(f"- {printable(line)}")
    contacts = site.contacts.lines() if site else []
    click.echo(
        tr("\nContacts, set by your organisation:") if contacts else tr("\nNo contact is set. Find out who it is.")
    )
    for who, how in contacts:
        click.echo(printable(f"- {who}: {how}"))
    for source in card.sources() if with_sources else ():
        click.echo(f"\n{source.title} ({source.year or tr('no year given')})\n  {source.url}")
        click.echo(
            tr(
                "  {paragraph}; read {day}: {how}\n  {point}",
                paragraph=source.paragraph,
                day=source.read,
                how=_HOW[source.how],
                point=tr(source.point),
            )
        )
