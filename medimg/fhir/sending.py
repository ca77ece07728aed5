"""A transaction, sent to a FHIR server until it says that all of it is there.

An answer that was lost is asked for again: every entry is created only if it is not there yet, so nothing is doubled,
and a consent that a person has accepted in the meantime stays as it is.
"""

from __future__ import annotations

import http.client
import json
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

import msgspec

from medimg.errors import OutputError, UsageError
from medimg.fhir.resources import Resource

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try: a server that restarts is back by then."""
PATIENCE = 60.0
AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Status after which another try may help (RFC 9110, RFC 6585)."""


def send(bundle: Resource, url: str, token: str = "") -> None:
    """Send a transaction.

    Args:
        bundle: One of :func:`medimg.fhir.bundle` of the kind ``transaction``.
        url: Base of the server, ``https://host/fhir``; ``http`` for this computer alone.
        token: What ``Authorization: Bearer`` carries; empty for none.

    Raises:
        UsageError: It is no transaction, or the address is none.
        OutputError: The server did not take it; sending it again is safe.
    """
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        raise UsageError("the port of the FHIR server is none.") from None
    if bundle.get("type") != "transaction":
        raise UsageError("only a transaction can be sent.")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.username:
        raise UsageError("a FHIR server is written as https://host/fhir.")
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise UsageError("medimg sends to other computers with TLS only.")
    data, why = msgspec.json.encode(bundle), ""
    for pause in (*PAUSES, None):
        try:
            status, said = _asked(parts.scheme, parts.hostname, port, parts.path.rstrip("/") or "/", data, token)
            if status == 200 and _taken(said, len(bundle["entry"])):
                return
            why = f"it answered {status}" if status != 200 else "its answer does not say that all of it was stored"
            if status not in AGAIN:
                break
        except (OSError, http.client.HTTPException):
            why = "it cannot be reached, or the line was cut"
        if pause is not None:
            time.sleep(pause)
    raise OutputError(f"the FHIR server did not take the bundle: {why}.", todo="Send it again: nothing is doubled.")


def _asked(scheme: str, host: str, port: int | None, path: str, data: bytes, token: str) -> tuple[int, bytes]:
    line: http.client.HTTPConnection
    if scheme == "https":
        line = http.client.HTTPSConnection(host, port, timeout=PATIENCE, context=ssl.create_default_context())
    else:
        line = http.client.HTTPConnection(host, port, timeout=PATIENCE)
    headers = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        line.request("POST", path, data, headers)
        answer = line.getresponse()
        return answer.status, answer.read()
    finally:
        line.close()


def _taken(said: bytes, count: int) -> bool:
    """Whether each entry was created, or was there."""
    try:
        answer: dict[str, Any] = json.loads(said)
        states = [str(e["response"]["status"])[:3] for e in answer["entry"]]
        return answer["type"] == "transaction-response" and len(states) == count and set(states) <= {"200", "201"}
    except (ValueError, LookupError, TypeError):
        return False
