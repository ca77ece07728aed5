"""``medimg fhir``: a released group as a FHIR bundle."""

from __future__ import annotations

from pathlib import Path

import click

from medimg import strict
from medimg.cli import run_common
from medimg.errors import UsageError
from medimg.fhir import Settings, bundle, check, to_json
from medimg.run.opened import open_run
from medimg.run.state import RunState
from medimg.system import files, host
from medimg.words import tr


@click.command()
@run_common.run_argument
@click.option("--group", default="", metavar="PATIENT", help="The patient; when not given, the only released one.")
@click.option("--version", type=click.Choice(["R4", "R5"]), default="R4", show_default=True, help="FHIR version.")
@click.option("-o", "--out", type=run_common.FILE, metavar="FILE", help="Where the bundle goes.")
@click.option(
    "--send", metavar="URL", help="Send it to this FHIR server (https://host/fhir), as a transaction; tried 5 times."
)
@click.option("--token-file", type=run_common.FILE, metavar="FILE", help="With --send: the server's token (chmod 600).")
@click.option("--transaction", is_flag=True, help="A transaction to POST, instead of a collection.")
@click.option("--embed", is_flag=True, help="Put the pictures themselves into the bundle.")
@click.option("--subject", default="", metavar="REFERENCE", help="The patient on your server, like Patient/123.")
@click.option(
    "--originals",
    "originals_file",
    type=run_common.FILE,
    metavar="FILE",
    help="JSON: copy number (P01-001) to your own identifier of the original.",
)
@click.option(
    "--key", "key_file", type=run_common.FILE, metavar="FILE", help="Give those identifiers as HMAC under this key."
)
@click.option("--check", "validate", is_flag=True, help="Validate with fhir.resources before writing.")
def fhir(
    run: Path,
    group: str,
    version: str,
    out: Path | None,
    send: str | None,
    token_file: Path | None,
    transaction: bool,
    embed: bool,
    subject: str,
    originals_file: Path | None,
    key_file: Path | None,
    validate: bool,
) -> None:
    """Write a released patient's copies as a FHIR bundle, for a hospital's record, or send it there.

    It says what was shared, from what and by what it was made, for what purpose, and what people answered, and holds a
    draft consent for a person to accept. No name, no path, no free text.
    """
    if out is None and send is None:
        raise UsageError("say where the bundle goes: -o FILE, or --send URL.")
    opened = open_run(run)
    settings = Settings(
        version="R5" if version == "R5" else "R4",
        kind="transaction" if transaction or send else "collection",
        subject=subject,
        originals=_originals(originals_file),
        key=_key(key_file),
        embed=embed,
    )
    made = bundle(opened, group or _only(opened.state), settings)
    if validate:
        check(made, settings.version)
    if out is not None:
        run_common.write_new(out, to_json(made))
    if send is not None:
        from medimg.fhir.sending import send as sent

        sent(made, send, _token(token_file))
    count = len(made["entry"])
    done = tr(" and ").join([tr("written")] * (out is not None) + [tr("stored by the server")] * (send is not None))
    click.echo(
        tr(
            "FHIR {version} bundle of {count} resources {done}. Its consent is a draft: a person decides.",
            version=version,
            count=count,
            done=done,
        )
    )


def _token(path: Path | None) -> str:
    """The server's token.

    Raises:
        UsageError: Others may read it, it cannot be read, or is none.
    """
    if path is None:
        return ""
    try:
        if host.others_may_read(path):
            raise UsageError("others may read the token file.", todo="chmod 600 it.")
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeError) as error:
        raise UsageError("the token file could not be read.") from error
    if not token.isprintable() or not token or " " in token:
        raise UsageError("the token file holds no token, or more than one.")
    return token


def _only(state: RunState) -> str:
    """The one group that is released.

    Raises:
        UsageError: There is none, or there are several.
    """
    released = [g for g in state.run.groups if state.released_names(g) and not state.is_withdrawn(g)]
    if not released:
        raise UsageError("nothing of this run is released.", todo="'medimg status' says what is open.")
    if len(released) > 1:
        raise UsageError(f"several patients are released. Name one with --group: {', '.join(released)}.")
    return released[0]


def _originals(path: Path | None) -> dict[str, str]:
    """The host's identifiers.

    Raises:
        UsageError: The file is not of that form. It is not quoted.
    """
    if path is None:
        return {}
    try:
        return strict.from_json(files.read_named(path, files.VALUES), dict[str, str])
    except (OSError, ValueError) as error:
        raise UsageError("the file of originals must be JSON that gives each copy number a text.") from error


def _key(path: Path | None) -> bytes:
    if path is None:
        return b""
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        raise UsageError("the key file could not be read.") from error
    if len(key) < 16:
        raise UsageError("the key must be at least 16 bytes long.")
    return key
