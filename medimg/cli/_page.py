"""The page for a browser, served until Ctrl-C."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from medimg.cli import common
from medimg.errors import MissingPart
from medimg.policy import Policy
from medimg.run.register import Register
from medimg.system import tls as secured
from medimg.words import mark, tr

_HERE = mark("Open this address in a browser on this computer.")


def serve(
    out: Path,
    policy: Policy,
    register: Register,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: tuple[Path, Path] | None = None,
    workers: int | None = None,
    run: Path | None = None,
    places: Sequence[Path] = (),
) -> None:
    """Print an address and serve the page there.

    Args:
        out: Where run folders are made.
        policy: The settings.
        register: Where releases are noted.
        host: The address that is listened on.
        port: Its port; any when 0.
        tls: A certificate and its key, for a phone.
        workers: Processes.
        run: A run folder to go on with.
        places: Where its photos lie.

    Raises:
        MissingPart: The packages for it are not there, or this system serves nothing.
        UsageError: The address cannot be used, or the certificate.
    """
    common.refuse_to_serve()
    try:
        from medimg.serve import listen
    except ImportError as error:
        raise MissingPart("the page needs more packages.", todo="pip install 'medimg[serve]'") from error
    from medimg.engine.batch import NO_HOOKS
    from medimg.serve.page import qr
    from medimg.serve.page.desk import Desk
    from medimg.serve.page.routes import Door, build

    if tls is not None:
        secured.serving(*tls)
    listening = listen.tcp(host, port, secured=tls is not None)
    try:
        named = f"[{host}]" if ":" in host else host
        door = Door(f"{named}:{listening.getsockname()[1]}", secured=tls is not None)
        desk = Desk(out, policy, register, NO_HOOKS, workers, run=run, places=places)
        told = tr("Point a phone's camera at the code, or open the address there.") if tls else tr(_HERE)
        click.echo(f"{told} " + tr("It works once; Ctrl-C ends it."), err=True)
        if tls and sys.stderr.isatty():
            click.echo("\n".join(qr.lines(door.address)), err=True)
        click.echo(door.address)
        listen.serve(build(desk, door, policy.limits.bytes), listening, *(tls or ()))
    finally:
        listening.close()
