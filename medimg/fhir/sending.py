"""A transaction, sent to a FHIR server until it says that all of it is there.

An answer that was lost is asked for again: every entry is created only if it is not there yet, so nothing is doubled,
and a consent that a person has accepted in the meantime stays as it is.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from medimg.errors import OutputError, UsageError
from medimg.fhir.resources import Resource
from medimg.system import posting
from medimg.words import mark

PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try: a server that restarts is back by then."""
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
    to = posting.server(url)
    if bundle.get("type") != "transaction":
        raise UsageError("only a transaction can be sent.")
    if to is None:
        raise UsageError("a FHIR server is written as https://host/fhir.")
    if not to.secured and to.host not in ("127.0.0.1", "::1", "localhost"):
        raise UsageError("medimg sends to other computers with TLS only.")
    headers = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data, why = msgspec.json.encode(bundle), ""
    for pause in (*PAUSES, None):
        try:
            status, said = posting.post(to, data, headers)
            if status == 200 and _taken(said, len(bundle["entry"])):
                return
            why = (
                mark(f"it answered {status}")
                if status != 200
                else mark("its answer does not say that all of it was stored")
            )
            if status not in AGAIN:
                break
        except OSError:
            why = mark("it cannot be reached, or the line was cut")
        if pause is not None:
            time.sleep(pause)
    raise OutputError(f"the FHIR server did not take the bundle: {why}.", todo="Send it again: nothing is doubled.")


def _taken(said: Any, count: int) -> bool:
    """Whether each entry was created, or was there."""
    try:
        states = [str(e["response"]["status"])[:3] for e in said["entry"]]
        return said["type"] == "transaction-response" and len(states) == count and set(states) <= {"200", "201"}
    except (LookupError, TypeError):
        return False
