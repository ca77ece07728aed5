"""What a connection may cost a DICOM node before it has proved itself: little time, little memory, no other's place.

pynetdicom waits for a TLS handshake before it accepts the next connection, waits without end for the rest of a message
that has begun, believes a message that says it has four gigabytes, and counts what says nothing among the associations.
Here a handshake is a matter of the connection's own thread, an association must be asked for within :data:`SECONDS`,
however slowly that drips, and connections beyond :data:`WAITING` cost the oldest that has not asked. Where no place is
free for an association, the one that has been silent longest gives way. No title is needed to connect, and a title is
no proof, so none of these may keep a peer out.
"""

from __future__ import annotations

import contextlib
import math
import socket
import time
from typing import Any

from pynetdicom import evt
from pynetdicom.transport import ThreadedAssociationServer

SECONDS = 10.0
"""Most time from a connection to its association, TLS included."""
PATIENCE = 60.0
"""Seconds a peer may be silent, beside what its photo and the one before it take."""
WAITING = 16
"""Connections that may be open and have not asked for an association."""
LARGEST = 1 << 20
"""Bytes of one message of the upper layer (PS3.8, 9.3): 16 KiB are announced, and 128 contexts fit as well."""
NO_PLACE = (2, 3, 2)
"""An association is not accepted now: transient, presentation related, local limit exceeded (PS3.8, Table 9-21)."""


class Bounded(ThreadedAssociationServer):
    """pynetdicom's server, with these bounds.

    Attributes:
        most: Associations at a time.
    """

    most = 1

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._waiting: dict[Any, float] = {}  # the oldest first
        self._heard: dict[Any, float] = {}  # when something came last; infinity while it is worked on
        for event, told in (
            (evt.EVT_CONN_OPEN, self._opened),
            (evt.EVT_REQUESTED, self._asked),
            (evt.EVT_ESTABLISHED, self._stands),
            (evt.EVT_DATA_RECV, self._more),
            (evt.EVT_DIMSE_RECV, self._begins),
            (evt.EVT_DIMSE_SENT, self._answered),
            (evt.EVT_CONN_CLOSE, self._over),
        ):
            self.bind(event, told)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take a connection; its handshake is made by whoever reads from it first."""
        listening: Any = self.socket
        client, address = listening.accept()
        client.settimeout(SECONDS)
        if self.ssl_context is not None:
            client = self.ssl_context.wrap_socket(client, server_side=True, do_handshake_on_connect=False)
        return client, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: the standard library would print where the peer is, and what went wrong with it."""

    def service_actions(self) -> None:
        """End connections that took too long; called twice a second."""
        super().service_actions()
        late = time.monotonic() - SECONDS
        for one in [one for one, since in list(self._waiting.items()) if since < late]:
            self._end(one)

    def _opened(self, event: evt.Event) -> None:
        link: Any = event.assoc.dul.socket
        receive = link.recv

        def received(size: int) -> Any:
            if size > LARGEST:
                raise OSError("a message is larger than any may be")
            return receive(size)

        link.recv = received
        self._waiting[event.assoc] = time.monotonic()
        while len(self._waiting) > WAITING:
            self._end(next(iter(self._waiting)))

    def _asked(self, event: evt.Event) -> None:
        self._waiting.pop(event.assoc, None)
        standing = [one for one in self.active_associations if one.is_established]
        if len(standing) < self.most:
            return
        silent = min(standing, key=lambda one: self._heard.get(one, 0.0))
        if self._heard.get(silent, 0.0) < time.monotonic() - SECONDS:
            self._end(silent)
        else:
            event.assoc.acse.send_reject(*NO_PLACE)
            event.assoc.kill()

    def _stands(self, event: evt.Event) -> None:
        link: Any = event.assoc.dul.socket
        link.socket.settimeout(PATIENCE)
        self._heard[event.assoc] = time.monotonic()

    def _more(self, event: evt.Event) -> None:
        if self._heard.get(event.assoc, math.inf) < math.inf:
            self._heard[event.assoc] = time.monotonic()

    def _begins(self, event: evt.Event) -> None:
        self._heard[event.assoc] = math.inf

    def _answered(self, event: evt.Event) -> None:
        self._heard[event.assoc] = time.monotonic()

    def _over(self, event: evt.Event) -> None:
        self._heard.pop(event.assoc, None)
        if self._waiting.pop(event.assoc, None) is not None:
            _asks_no_more(event.assoc)

    def _end(self, one: Any) -> None:
        self._waiting.pop(one, None)
        self._heard.pop(one, None)
        with contextlib.suppress(OSError, AttributeError):  # it is closed already
            # Not an SSLSocket's own, which takes away what another thread reads from.
            socket.socket.shutdown(one.dul.socket.socket, socket.SHUT_RDWR)
        _asks_no_more(one)


def _asks_no_more(one: Any) -> None:
    """Let the thread of a connection end now that waits for a request, as it does when its time is up."""
    one.dul.to_user_queue.put(None)
