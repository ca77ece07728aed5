"""``medimg cards``: what is kept between runs about a workplace, a channel and a consent form."""

from __future__ import annotations

import datetime

import click

from medimg.cli import common
from medimg.consent.cards import FIELDS, Store
from medimg.words import many, tr


@click.command()
@click.option("--delete", is_flag=True, help="Delete every card.")
def cards(delete: bool) -> None:
    """List the cards of your workplace, channels and consent forms, or delete them.

    They lie in your settings folder, readable by you alone, and hold nothing about a patient.
    """
    store = Store()
    if delete:
        count = store.delete()
        common.say(many("{n} card deleted.", "{n} cards deleted.", count))
        return
    today = datetime.datetime.now(datetime.UTC).date()
    found, troubles = store.read()
    for card in found:
        trouble = card.trouble(today)
        common.say(
            tr(
                "{kind}, for {audience}, {countries}, {made}",
                kind=card.kind,
                audience=card.audience,
                countries="+".join(card.countries) or tr("no country named"),
                made=card.made,
            )
        )
        for name, value in card.fields.items():
            common.say(f"  {FIELDS[card.kind].get(name, name)}: {value}")
        for item, choice in card.answers.items():
            common.say(f"  {item}: {choice}")
        if trouble:
            common.say(f"  {trouble}")
    for trouble in troubles:
        common.say(trouble)
    if not found and not troubles:
        common.say(tr("There are no cards."))
