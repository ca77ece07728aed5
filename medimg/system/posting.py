"""One POST to a server that a person named: where it goes, and its answer, bounded, whatever the server says."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

PATIENCE = 60.0
"""Seconds a server may be silent."""
MOST = 64 << 20
"""Bytes of an answer: some servers send back what they stored."""


class Server(NamedTuple):
    """Where a POST goes.

    Attributes:
        secured: Whether by TLS.
        host: Its name or address.
        port: Its port.
        path: Path on it, without a stroke at the end.
    """

    secured: bool
    host: str
    port: int
    path: str


def server(url: str) -> Server | None:
    """The server of ``https://host:port/path``, or the same with ``http``.

    None for every other address: with a name or password, a query or a fragment, a host that no resolver takes, or
    signs that have to be written percent-encoded.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
        host.encode("idna")
    except ValueError:  # UnicodeError is one
        return None
    plain = url.isprintable() and " " not in url and parts.path.isascii()
    if not plain or parts.scheme not in ("http", "https") or not host or port == 0:
        return None
    if "@" in parts.netloc or parts.query or parts.fragment:
        return None
    secured = parts.scheme == "https"
    return Server(secured, host, port or (443 if secured else 80), parts.path.rstrip("/"))


def post(to: Server, data: bytes, headers: Mapping[str, str], trust: ssl.SSLContext | None = None) -> tuple[int, Any]:
    """Send, and give the status and the JSON of the answer; None for an answer that is none, or is too long.

    Args:
        to: Where to.
        data: What.
        headers: What goes with it.
        trust: TLS; the system's own when none is given.

    Raises:
        OSError: The server cannot be reached, the line was cut, or what came is no HTTP.
    """
    line: http.client.HTTPConnection
    if to.secured:
        trust = trust or ssl.create_default_context()
        line = http.client.HTTPSConnection(to.host, to.port, timeout=PATIENCE, context=trust)
    else:
        line = http.client.HTTPConnection(to.host, to.port, timeout=PATIENCE)
    try:
        line.request("POST", to.path or "/", data, dict(headers))
        answer = line.getresponse()
        return answer.status, _json(answer.read(MOST + 1))
    except (http.client.HTTPException, ValueError) as error:
        raise OSError("this is no HTTP.") from error
    finally:
        line.close()


def _json(said: bytes) -> Any:
    try:
        return json.loads(said) if len(said) <= MOST else None
    except (ValueError, RecursionError):
        return None
