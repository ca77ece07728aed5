"""``medimg serve``: the HTTP worker."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import click
import msgspec

from medimg.cli import _page, common, run_common
from medimg.errors import MissingPart, UsageError
from medimg.serve import KEEP_HOURS
from medimg.system import tls as secured
from medimg.words import tr


@click.command()
@click.option(
    "--socket", "socket_path", type=common.FILE, metavar="PATH", help="Listen on a socket file, for you alone."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen here; off this computer only with TLS.")
@click.option("--port", type=click.IntRange(1, 65535), help="Listen on this port.")
@click.option(
    "--token-file",
    type=common.FILE,
    metavar="FILE",
    help="The token every request must carry (chmod 600).",
)
@click.option("--certificate", type=common.FILE, metavar="FILE", help="TLS certificate chain (PEM).")
@click.option("--key", type=common.FILE, metavar="FILE", help="TLS private key (PEM).")
@click.option(
    "--client-ca",
    "clients",
    type=common.FILE,
    metavar="FILE",
    help="With TLS: take only senders whose certificate one of these has signed (PEM).",
)
@click.option(
    "--consent-page",
    "shown",
    nargs=2,
    metavar="RUN GROUP",
    help="Also show the consent page of this patient at /consent to a browser: any name, the token as password.",
)
@click.option(
    "--page",
    "page_out",
    type=common.FILE,
    metavar="OUT",
    help="Instead, a page for a browser on this computer: drop, look, answer, release. Run folders are made in OUT.",
)
@click.option(
    "--jobs",
    type=common.FILE,
    metavar="FOLDER",
    help="Also take photos at /v1/jobs, to be answered later. They lie in this private folder until they are answered.",
)
@click.option(
    "--keep-jobs",
    "hours",
    type=common.Finite(0, 87_600, min_open=True),
    default=KEEP_HOURS,
    show_default=True,
    metavar="HOURS",
    help="With --jobs: how long an answer is kept.",
)
@click.option(
    "--stow",
    type=common.FILE,
    metavar="FOLDER",
    help="Also take DICOM photographs at /dicom-web/studies (STOW-RS); their copies are kept in this folder.",
)
@click.option(
    "--lan",
    is_flag=True,
    help="With --page: for a phone or tablet on this network, at --host, with --certificate and --key.",
)
@run_common.register_option
@common.policy_options
@common.workers_option
def serve(
    socket_path: Path | None,
    host: str,
    port: int | None,
    token_file: Path | None,
    certificate: Path | None,
    key: Path | None,
    clients: Path | None,
    shown: tuple[str, str] | None,
    page_out: Path | None,
    jobs: Path | None,
    hours: float,
    stow: Path | None,
    lan: bool,
    register_file: Path | None,
    policy_file: Path | None,
    metadata_only: bool,
    workers: int | None,
) -> int:
    """Serve copies over HTTP to programs on this computer, or elsewhere behind TLS.

    POST a photo to /v1/scrub and get the copy and the report; /openapi.json describes the rest. Every request needs
    the token. Nothing is logged, and without --jobs nothing of a photo is kept.
    """
    common.refuse_to_serve()
    try:
        from medimg.serve import app, listen, who
    except ImportError as error:
        raise MissingPart("the HTTP worker needs more packages.", todo="pip install 'medimg[serve]'") from error
    if page_out is not None:
        tls = (certificate, key) if certificate and key else None
        if any((socket_path, token_file, clients, shown, jobs, stow, metadata_only, not lan and (certificate or key))):
            raise UsageError("--page takes --port, --policy, --workers, --register and --lan, and nothing else.")
        _page.serve(
            page_out,
            common.read_policy(policy_file, metadata_only=False),
            run_common.register(register_file),
            host=_page_host(host, tls, lan=lan),
            port=port or 0,
            tls=tls,
            workers=workers,
        )
        return 0
    if lan:
        raise UsageError("--lan goes with --page.")
    from medimg.engine.pool import suitable_workers
    from medimg.engine.worker import Setup
    from medimg.serve.onward import Onward
    from medimg.serve.slots import Slots

    _fit(socket_path, port, token_file, certificate, key, clients)
    assert token_file is not None  # noqa: S101 - said above
    secret = who.token(token_file)
    page = _consent_page(Path(shown[0]), shown[1]) if shown else b""
    if stow is not None and not stow.is_dir():
        raise UsageError("the folder for the copies is not there.")
    setup = Setup(policy=common.read_policy(policy_file, metadata_only))
    if stow is not None:  # what is sent again must get the same identifiers, after a restart too
        setup = msgspec.structs.replace(setup, key=common.dicom_key())
    slots = Slots(setup, workers or suitable_workers())
    served = app.build(slots, secret, page, jobs=jobs, hours=hours, onward=Onward(stow) if stow is not None else None)
    if socket_path is not None:
        listening, where = listen.unix(socket_path), tr("the socket")
    else:
        assert port is not None  # noqa: S101 - said above
        listening = listen.tcp(host, port, secured=certificate is not None)
        where = f"{'https' if certificate else 'http'}://{host}:{port}"
    click.echo(tr("Loading the checks, then listening on {where}. Ctrl-C ends it.", where=where), err=True)
    try:
        if not listen.serve(served, listening, certificate, key, clients):
            raise MissingPart("the HTTP worker could not start.")
    finally:
        listening.close()
        if socket_path is not None:
            socket_path.unlink(missing_ok=True)
    return 0


def _fit(
    socket_path: Path | None,
    port: int | None,
    token_file: Path | None,
    certificate: Path | None,
    key: Path | None,
    clients: Path | None,
) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: They do not.
    """
    if (socket_path is None) == (port is None):
        raise UsageError("name either --socket or --port; or, for a browser, --page.")
    if (certificate is None) != (key is None):
        raise UsageError("TLS needs both --certificate and --key.")
    if clients is not None and certificate is None:
        raise UsageError("--client-ca needs --certificate and --key.")
    if token_file is None:
        raise UsageError("--token-file is missing.")
    if certificate is not None and key is not None:
        secured.serving(certificate, key, clients)


def _page_host(host: str, tls: tuple[Path, Path] | None, *, lan: bool) -> str:
    """Where the page is served.

    Raises:
        UsageError: It is another place than this computer without ``--lan``, or one of no use to a phone.
    """
    if not lan:
        if host != "127.0.0.1":
            raise UsageError("the page is for a browser on this computer: 127.0.0.1.", todo="For a phone: --lan.")
        return host
    if tls is None:
        raise UsageError(
            "--lan needs TLS.", todo="Give --certificate and --key; docs/desktop.md says how they are made."
        )
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is None or address.is_unspecified or address.is_loopback:
        raise UsageError("--lan needs the address of this computer on the network: --host 192.168.1.20, for example.")
    return host


def _consent_page(run: Path, group: str) -> bytes:
    """The consent page of a group, for as long as the server runs."""
    from medimg.report import consent_page

    opened, _ = run_common.opened(run)
    opened.groups([group])
    return consent_page.html(consent_page.of(opened, group)).encode()
