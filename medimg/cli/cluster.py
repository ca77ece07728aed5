"""``medimg cluster``: certificates, a scheduler, workers."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click

from medimg.cli import common
from medimg.cluster import certificates as authority
from medimg.cluster import nodes
from medimg.cluster.adaptive import Adapt
from medimg.engine.pool import MOST_WORKERS, suitable_workers
from medimg.errors import UsageError
from medimg.words import tr

_certificates = click.option(
    "--certificates", "folder", required=True, type=common.FILE, metavar="DIR", help="Folder of this node's identity."
)


@click.group()
def cluster() -> None:
    """Run a batch on several computers: certificates, a scheduler, workers.

    Every connection is TLS with a certificate on both sides.
    """
    common.refuse_to_serve()


@cluster.command()
@click.argument("folder", type=common.FILE, metavar="DIR")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="How many days they are valid."
)
def certificates(folder: Path, names: tuple[str, ...], days: int) -> int:
    """Make an identity for each node: a host name, an address, or any word for the one who starts batches.

    The first time an authority is made too. DIR/NAME goes to the node of that name; DIR/ca-key.pem stays here.
    """
    for place in authority.make(folder, list(names), days):
        common.say(tr("Made: {folder}", folder=common.shown(place)))
    return 0


@cluster.command()
@_certificates
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Where it listens.")
@click.option("--port", type=click.IntRange(0, 65535), default=nodes.PORT, show_default=True, metavar="N")
@click.option("--adapt", type=click.IntRange(min=1), metavar="N", help="Start workers when photos wait, N at most.")
@click.option(
    "--least",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Workers that stay without work.",
)
@click.option(
    "--idle",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="End a worker that had no work for this long.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Photos that a worker does at once.",
)
@click.option("--worker-certificates", type=common.FILE, metavar="DIR", help="Folder of the workers' identity.")
@click.option("--start-with", default="", metavar="COMMAND", help="What starts a worker elsewhere, such as 'srun'.")
def scheduler(folder: Path, host: str, port: int, **adapt: Any) -> int:
    """Run the scheduler until it is stopped.

    With --adapt it starts its workers itself, on this computer or by --start-with, which has to run for as long as the
    worker does. --least, --idle, --threads, --worker-certificates and --start-with only count with --adapt.
    """
    nodes.scheduler(nodes.Identity(folder), host, port, _ready, _adapt(host, **adapt))
    return 0


def _adapt(
    host: str,
    *,
    adapt: int | None,
    least: int,
    idle: int,
    threads: int,
    worker_certificates: Path | None,
    start_with: str,
) -> Adapt | None:
    if adapt is None:
        return None
    if worker_certificates is None:
        raise UsageError("--adapt needs --worker-certificates.")
    nodes.Identity(worker_certificates)
    try:
        before = tuple(shlex.split(start_with))
    except ValueError as error:
        raise UsageError("--start-with has a quotation mark that is not closed.") from error
    return Adapt(
        most=max(adapt, least),
        least=least,
        idle=idle,
        threads=threads,
        certificates=worker_certificates,
        before=before,
        host=None if before else host,
    )


@cluster.command()
@click.argument("address", metavar="tls://HOST:PORT")
@_certificates
@click.option("--host", metavar="ADDRESS", help="This computer's address for the others; found out when not given.")
@click.option(
    "--threads", type=click.IntRange(1, MOST_WORKERS), metavar="N", help="Photos at once; as many as suit by default."
)
@click.option("--name", default="", hidden=True)
def worker(address: str, folder: Path, host: str | None, threads: int | None, name: str) -> int:
    """Run a worker until it is stopped. It needs the same medimg, models and programs as the others."""
    nodes.worker(nodes.Identity(folder), address, host, threads or suitable_workers(), _ready, name)
    return 0


def _ready(address: str) -> None:
    click.echo(tr("Ready: {address}", address=address))
