"""TLS from the files that a command names: read before anything listens, so that a broken one is said by its kind."""

from __future__ import annotations

import ssl
from pathlib import Path

from medimg.errors import UsageError


def serving(certificate: Path, key: Path, clients: Path | None = None) -> ssl.SSLContext:
    """For a server.

    Args:
        certificate: Its certificate and those it leads to, PEM.
        key: The private key, PEM, without a password: nobody may be there to type one.
        clients: Certificates of whoever signs those of the senders; no sender without one gets through.

    Raises:
        UsageError: One of the files cannot be read, or is none such.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _own(context, certificate, key)
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            context.load_verify_locations(clients)
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise _unread() from error
    return context


def reaching(authority: Path, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """For who calls a server that ``authority`` has signed, showing its own certificate where it has one.

    Raises:
        UsageError: One of the files cannot be read, or is none such.
    """
    try:
        context = ssl.create_default_context(cafile=str(authority))
    except (OSError, ValueError) as error:
        raise _unread() from error
    if certificate is not None and key is not None:
        _own(context, certificate, key)
    return context


def _own(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        context.load_cert_chain(certificate, key, password=lambda: b"-")  # else OpenSSL asks the terminal for one
    except (OSError, ValueError) as error:
        raise _unread() from error


def _unread() -> UsageError:
    return UsageError(
        "a certificate or key could not be read.", todo="They are PEM files; a key has no password, and fits its own."
    )
