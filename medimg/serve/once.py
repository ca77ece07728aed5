"""Requests that are sent again: what carries the same ``Idempotency-Key`` is done once.

The answers, never the photos, are held in memory for :data:`MINUTES`, and no more of them than :data:`MOST` bytes. When
one is gone, the same photo is done anew and gives the same copy. Of key and photo there are digests under a key of this
process.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request

from medimg.api import Scrubbed
from medimg.errors import MedimgError, UsageError
from medimg.serve.answers import STATUS, OtherBody
from medimg.types import KnownValues, to_json

MINUTES = 10
"""Longer than a sender waits for a photo (``limits.seconds``, 5 minutes) and asks once more."""
MOST = 64 << 20
"""Bytes of all answers together: a dozen copies of a phone's photos."""
LONGEST = 255
"""Characters of a key; a UUID has 36."""


class Once:
    """Answers by key."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(32)
        self._entries: dict[bytes, _Entry] = {}

    async def answer(
        self, key: str, data: bytes, known: KnownValues, job: Callable[[], Awaitable[Scrubbed]]
    ) -> Scrubbed:
        """What the job gives; for a key that is known, what it gave, or will give.

        Raises:
            OtherBody: The key was used for something else.
            MedimgError: What the job raised.
        """
        if not key:
            return await job()
        name, body = marks(self._salt, key, data, known)
        entry = self._entries.get(name)
        if entry is None:
            entry = self._entries[name] = _Entry(body, asyncio.ensure_future(job()))
            entry.future.add_done_callback(lambda _: self._over(name, entry))
        elif entry.body != body:
            raise OtherBody
        return await asyncio.shield(entry.future)

    def _over(self, name: bytes, entry: _Entry) -> None:
        if not _final(entry.future):
            del self._entries[name]
            return
        entry.size = _size(entry.future)
        asyncio.get_running_loop().call_later(60 * MINUTES, self._entries.pop, name, None)
        self._entries[name] = self._entries.pop(name)  # the newest last
        held = sum(e.size for e in self._entries.values())
        for old, one in list(self._entries.items()):
            if held <= MOST:
                break
            if one.size:
                held -= self._entries.pop(old).size


class _Entry:
    """What a key was used for: a digest of it, and its answer. ``size`` is 0 until it is there."""

    def __init__(self, body: bytes, future: asyncio.Future[Scrubbed]) -> None:
        self.body, self.future, self.size = body, future, 0


def key_of(request: Request) -> str:
    """The request's key; empty for none. Quotes around it, as the draft standard has them, count for nothing.

    Raises:
        UsageError: It is empty or too long.
    """
    given = request.headers.get("idempotency-key")
    if given is None:
        return ""
    key = given.strip().removeprefix('"').removesuffix('"')
    if not 0 < len(key) <= LONGEST:
        raise UsageError(f"an Idempotency-Key has 1 to {LONGEST} characters.")
    return key


def marks(salt: bytes, key: str, data: bytes, known: KnownValues) -> tuple[bytes, bytes]:
    """Keyed digests of a key, and of what was sent with it."""
    body = hashlib.sha256(data).digest() + msgspec.msgpack.encode(known)
    return hmac.digest(salt, b"key" + key.encode(), "sha256"), hmac.digest(salt, b"body" + body, "sha256")


def _final(future: asyncio.Future[Scrubbed]) -> bool:
    """Whether an answer would be the same another time: a report, or what the photo itself is the reason for."""
    if future.cancelled():
        return False
    error = future.exception()
    return error is None or (isinstance(error, MedimgError) and STATUS.get(error.exit_code) == 422)


def _size(future: asyncio.Future[Scrubbed]) -> int:
    if future.exception() is not None:
        return 1024  # an error is a sentence
    made = future.result()
    return len(made.data or b"") + len(to_json(made.report, indent=0))
