"""``medimg dicom-node``: photographs by C-STORE in, covered copies out."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from medimg.cli import common
from medimg.errors import MissingPart, UsageError
from medimg.system import tls
from medimg.words import tr

if TYPE_CHECKING:
    from medimg.serve import node
    from medimg.serve.stow import Archive


@click.command()
@click.option("--aet", default="MEDIMG", show_default=True, help="Application Entity title of this node.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen here.")
@click.option("--port", type=click.IntRange(1, 65535), required=True, help="Listen on this port.")
@click.option(
    "--peer", "callers", multiple=True, required=True, metavar="AET", help="Listen to this title. May be repeated."
)
@click.option("--out", "-o", type=common.FILE, metavar="FOLDER", help="Keep the copies in this folder.")
@click.option(
    "--send-to",
    metavar="AET@HOST:PORT|URL",
    help="Send the copies on to this node, or to this DICOMweb server (https://host/dicom-web) by STOW-RS.",
)
@click.option("--send-token-file", type=common.FILE, metavar="FILE", help="The DICOMweb server's token (chmod 600).")
@click.option("--certificate", type=common.FILE, metavar="FILE", help="TLS certificate chain (PEM).")
@click.option("--key", type=common.FILE, metavar="FILE", help="TLS private key (PEM).")
@click.option(
    "--client-ca",
    "clients",
    type=common.FILE,
    metavar="FILE",
    help="Listen only to peers whose certificate one of these has signed.",
)
@click.option(
    "--send-ca",
    type=common.FILE,
    metavar="FILE",
    help="Send on by TLS, to a server whose certificate one of these has signed.",
)
@click.option(
    "--closed-network",
    is_flag=True,
    help="Listen and send on without TLS: the network itself keeps others out.",
)
@common.policy_options
@common.workers_option
def dicom_node(
    aet: str,
    host: str,
    port: int,
    callers: tuple[str, ...],
    out: Path | None,
    send_to: str | None,
    send_token_file: Path | None,
    certificate: Path | None,
    key: Path | None,
    clients: Path | None,
    send_ca: Path | None,
    closed_network: bool,
    policy_file: Path | None,
    metadata_only: bool,
    workers: int | None,
) -> int:
    """Take DICOM photographs by C-STORE, and keep or send on their covered copies.

    A copy is acknowledged once it is on the disk or the next node has acknowledged it. What is held or refused is
    answered with a failure, and nothing of it stays here. Nothing is logged.
    """
    common.refuse_to_serve()
    try:
        from medimg.serve import node, who
        from medimg.serve.onward import Onward
    except ImportError as error:
        raise MissingPart("the DICOM node needs more packages.", todo="pip install 'medimg[dicom-node]'") from error
    from medimg.engine.pool import suitable_workers
    from medimg.engine.worker import Setup
    from medimg.system import stops

    if out is None and send_to is None:
        raise UsageError("name a folder with --out, or the next node with --send-to.")
    if out is not None and not out.is_dir():
        raise UsageError("the folder for the copies is not there.")
    secured = _secured(certificate, key, clients)
    if not who.loopback(host) and secured is None and not closed_network:
        raise UsageError(
            "medimg listens on other than this computer's own addresses with TLS only.",
            todo="Give --certificate and --key; or --closed-network, where others cannot reach this network.",
        )
    trust = _trusting(send_ca, certificate, key)
    to = _next(send_to, aet, trust, send_token_file)
    if to is not None and not who.loopback(to.host) and to.trust is None and not closed_network:
        raise UsageError(
            "medimg sends copies on to other computers with TLS only.",
            todo="Give --send-ca; or --closed-network, where others cannot reach this network.",
        )
    working = node.Node(
        Setup(policy=common.read_policy(policy_file, metadata_only), key=common.dicom_key()),
        workers or suitable_workers(),
        title=aet,
        callers=list(callers),
        onward=Onward(out, to),
    )
    told = threading.Event()
    click.echo(
        tr(
            "Loading the checks, then listening as {aet} on {host}:{port}. Ctrl-C ends it.",
            aet=aet,
            host=host,
            port=port,
        ),
        err=True,
    )
    with stops.heeded(lambda *_: told.set()), working.running(host, port, secured):
        told.wait()
    stored = working.became.pop("stored", 0)
    made, not_taken = common.plural(stored, "copy", "copies"), common.plural(sum(working.became.values()), "photo")
    click.echo(tr("{made} made; {not_taken} not taken.", made=made, not_taken=not_taken), err=True)
    return 0


def _next(
    send_to: str | None, aet: str, trust: ssl.SSLContext | None, token_file: Path | None
) -> node.Peer | Archive | None:
    """Where copies are sent on to."""
    from medimg.serve import node, who

    if send_to is None:
        return None
    if "://" not in send_to:
        return node.Peer.of(send_to)._replace(own=aet, trust=trust)
    try:
        from medimg.serve.stow import Archive
    except ImportError as error:
        raise MissingPart("STOW-RS needs more packages.", todo="pip install 'medimg[serve]'") from error
    return Archive.of(send_to, trust, who.token(token_file).decode() if token_file else "")


def _secured(certificate: Path | None, key: Path | None, clients: Path | None) -> ssl.SSLContext | None:
    """TLS for those who send to this node."""
    if (certificate is None) != (key is None):
        raise UsageError("TLS needs both --certificate and --key.")
    if clients is not None and certificate is None:
        raise UsageError("--client-ca needs --certificate and --key.")
    return tls.serving(certificate, key, clients) if certificate is not None and key is not None else None


def _trusting(send_ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """TLS for the node that copies are sent on to; this node shows its own certificate where it has one."""
    return tls.reaching(send_ca, certificate, key) if send_ca is not None else None
