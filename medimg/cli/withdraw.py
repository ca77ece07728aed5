"""``medimg withdraw``: the patient changed their mind."""

from __future__ import annotations

from pathlib import Path

import click

from medimg.acts import withdrawing
from medimg.cli import common, run_common
from medimg.run import release as releasing
from medimg.run.folder import RECORD_FOLDER
from medimg.words import tr


@click.command()
@run_common.run_argument
@click.argument("group", metavar="PATIENT")
@click.option("--note", default="", metavar="WORDS", help="For the record sheet and the register alone.")
@click.option("--told", is_flag=True, help="Everybody who had the copies was told: the withdrawal waits no longer.")
@run_common.role_option
@run_common.register_option
def withdraw(run: Path, group: str, note: str, told: bool, role: str, register_file: Path | None) -> None:
    """Note that a patient withdrew: take the copies out of share/, say to whom they went, print the letter.

    Deletes nothing. With --told: note that everybody was told; until then 'medimg register due' lists it.
    """
    opened, _ = run_common.opened(run)
    opened.groups([group])
    register = run_common.register(register_file)
    if told:
        releasing.withdrawal_told(opened, group, register, note=note, role=role)
        click.echo(tr("Noted: everybody who had copies of {group} was told.", group=group))
        return
    noted, letter = withdrawing.withdraw(opened, group, register, note=note, role=role)
    for line in noted:
        common.say(line)
    if letter:
        click.echo(tr("\nThe letter:\n"))
        for line in letter:
            common.say(f"  {line}".rstrip())
    also = (
        tr(", the letter in {folder}/withdrawal-letter-{group}.txt", folder=RECORD_FOLDER, group=group)
        if letter
        else ""
    )
    click.echo(
        tr("\nThis note is in {folder}/withdrawal-{group}.txt{also}.", folder=RECORD_FOLDER, group=group, also=also)
    )
