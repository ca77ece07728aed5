"""What a connection may cost before it has shown the token: little time, and a place that is taken back when needed.

A request's head must arrive within :data:`HEAD_SECONDS`, however slowly it drips, and so must the next one on the same
connection. At most :data:`CONNECTIONS` are open: one more, and the oldest that asks for nothing, or does not take its
answer, is closed. So silent or half-said connections, however many, do not keep anybody else out.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from medimg.system import host

HEAD_SECONDS = 10.0
"""Most time for the head of a request, and for a TLS handshake."""
CONNECTIONS = 256
"""Most open connections; fewer where the system allows fewer open files."""
BACKLOG = 64
"""Connections that the system holds until they are taken, all of them at once in the worst case."""
_RESERVED = 128
"""Open files that the worker processes and the program itself need."""


class Bounded(H11Protocol):
    """uvicorn's HTTP/1.1 connection, with these bounds. ``waiting`` holds the connections that may be closed."""

    waiting: ClassVar[dict[Bounded, None]] = {}  # the oldest first

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection; when there are too many, an older silent one goes."""
        super().connection_made(transport)
        self._deadline: asyncio.TimerHandle | None = None
        self._await_head()
        if len(self.connections) > most():
            oldest = next(iter(self.waiting))
            oldest._stop_waiting()
            oldest.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes, and look whether a head is now complete."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete and not self.flow.write_paused:
            self._stop_waiting()  # the head is there

    def pause_writing(self) -> None:
        """An answer is not taken: asked for by hundreds, such answers would keep everybody else out."""
        super().pause_writing()
        self.waiting.setdefault(self, None)

    def resume_writing(self) -> None:
        """It is taken."""
        super().resume_writing()
        if self._deadline is None:
            self.waiting.pop(self, None)

    def on_response_complete(self) -> None:
        """Wait for the next head.

        A connection on which it is there already is closed: one that asks without end would never be among those that
        may be closed for others. RFC 9112, 9.3.2, has such a client ask again.
        """
        if self.conn.trailing_data[0]:
            self.transport.close()
        super().on_response_complete()
        if self.cycle.response_complete and self._deadline is None:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self.waiting[self] = None
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        self.waiting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def most() -> int:
    """How many connections may be open."""
    return min(CONNECTIONS, max(8, host.open_files() - BACKLOG - _RESERVED))


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose servers give a TLS handshake no more time than a head, and that prints nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.set_exception_handler(lambda *_: None)  # a traceback may say too much
        host.allow_open_files(4096)

    async def create_server(  # type: ignore[override]
        self, *args: Any, ssl: ssl.SSLContext | None = None, **more: Any
    ) -> asyncio.Server:
        """A server, with a short time for TLS."""
        return await super().create_server(
            *args, ssl=ssl, ssl_handshake_timeout=HEAD_SECONDS if ssl is not None else None, **more
        )
