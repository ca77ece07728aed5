"""``medimg consent-page``: a page for the patient to read and sign."""

from __future__ import annotations

from pathlib import Path

import click

from medimg.cli import run_common
from medimg.run.folder import RECORD_FOLDER
from medimg.words import tr


@click.command(name="consent-page")
@run_common.run_argument
@click.argument("group", metavar="PATIENT")
@click.option("--signed", type=run_common.FILE, metavar="FILE", help="It was signed: add this scan to the record.")
@click.option("--reference", default="", metavar="WORDS", help="It was signed: where the paper is.")
@run_common.role_option
def consent_page(run: Path, group: str, signed: Path | None, reference: str, role: str) -> None:
    """Make a page for the patient: the covered pictures, for whom, what cannot be taken back, lines to sign.

    It is written to the private folder as HTML, and as PDF with the extra medimg[pdf]. Print it, or show it on a tablet
    with 'medimg serve --consent-page'. With --signed or --reference: note that it was signed, for the copies as they
    are now. That answers no question; you say whether the consent is enough.
    """
    from medimg.report import consent_page as pages
    from medimg.report import pdf
    from medimg.run import signed as signing
    from medimg.system import files

    opened, _ = run_common.opened(run)
    opened.groups([group])
    if signed is not None or reference:
        state = signing.add(opened, group, signed, reference=reference, role=role)
        run_common.written(opened, state)
        click.echo(tr("Noted for {group}: signed, for the copies as they are now.", group=group))
        return
    sheet = pages.of(opened, group)
    names = [f"consent-page-{group}.html"]
    files.write_private(opened.folder / RECORD_FOLDER / names[0], pages.html(sheet).encode())
    if pdf.available():
        names.append(f"consent-page-{group}.pdf")
        files.write_private(opened.folder / RECORD_FOLDER / names[1], pages.pdf(sheet))
    click.echo(
        tr(
            "Written to {folder}/: {names}. Print it; the signed page belongs in the record.",
            folder=RECORD_FOLDER,
            names=", ".join(names),
        )
    )
    click.echo(
        tr("When it is signed: medimg consent-page RUN {group} --signed SCAN, or --reference WORDS.", group=group)
    )
