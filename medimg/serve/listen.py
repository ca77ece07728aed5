"""Where the HTTP worker listens: a socket file, loopback, or elsewhere behind TLS; never open to others by accident."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from medimg.errors import UsageError
from medimg.serve import bounds
from medimg.serve.who import loopback
from medimg.system import host, stops


def unix(path: Path) -> socket.socket:
    """A listening socket file that its owner alone may use.

    Raises:
        UsageError: It cannot be made, or something else is there.
    """
    try:
        listening = host.unix_socket()
    except OSError as error:
        raise UsageError("this system has no socket files.", todo="Give --port instead.") from error
    try:
        if path.is_socket() and not _answers(path):
            path.unlink()  # left by a server that was killed
        host.bind_private(listening, path)
    except OSError as error:
        listening.close()
        raise UsageError("the socket could not be made there, or is in use.") from error
    return listening


def _answers(path: Path) -> bool:
    with host.unix_socket() as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def tcp(host: str, port: int, *, secured: bool) -> socket.socket:
    """A listening socket.

    Raises:
        UsageError: It is not on loopback and there is no TLS, or it cannot be made.
    """
    if not loopback(host) and not secured:
        raise UsageError(
            "medimg listens on other than this computer's own addresses with TLS only.",
            todo="Give --certificate and --key, or use 127.0.0.1 or --socket.",
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(bounds.BACKLOG)  # whoever opens the printed address at once waits, and is not refused
    except OSError as error:
        listening.close()
        raise UsageError("this address and port cannot be used.", todo="Is another server there?") from error
    return listening


class _Server(uvicorn.Server):
    """Ends well when it is told to; uvicorn's own gives the signal on to itself afterwards."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take a request to stop as the end of serving."""
        with stops.heeded(self.handle_exit):
            yield


def serve(
    app: Starlette,
    listening: socket.socket,
    certificate: Path | None = None,
    key: Path | None = None,
    clients: Path | None = None,
) -> bool:
    """Serve until SIGINT or SIGTERM; True when it had started.

    Args:
        app: The application.
        listening: A listening socket.
        certificate: TLS certificate chain, PEM.
        key: Its private key.
        clients: Certificates (PEM) of whoever signs the senders' own; no sender without one gets through.
    """
    config = uvicorn.Config(
        app,
        log_config=None,  # no log: a request's path or a traceback may say too much
        log_level="critical",  # anybody can send what is no HTTP, and have a line printed for it
        access_log=False,
        server_header=False,
        date_header=False,
        lifespan="on",
        ws="none",
        http=bounds.Bounded,
        loop="medimg.serve.bounds:Loop",
        backlog=bounds.BACKLOG,
        timeout_graceful_shutdown=30,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_ca_certs=str(clients) if clients else None,
        ssl_cert_reqs=ssl.CERT_REQUIRED if clients else ssl.CERT_NONE,
    )
    server = _Server(config)
    server.run(sockets=[listening])
    return server.started
