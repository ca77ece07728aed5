"""The HTTP worker's routes. Nothing of a photo is kept: its bytes live here and in a worker, and end there.

Every request needs the token, except two that answer in one word. No message quotes what was sent, and nothing is
logged.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

import medimg
from medimg.serve import KEEP_HOURS, metrics, openapi, slots
from medimg.serve.answers import PLAIN, SHEET, Handler, OneLength, fault, in_words, json, no_such, problem, scrubbed
from medimg.serve.jobs import Jobs
from medimg.serve.later import Later
from medimg.serve.once import Once, key_of
from medimg.serve.onward import Onward
from medimg.serve.records import Health
from medimg.serve.sending import sent
from medimg.serve.slots import Slots
from medimg.serve.stow import Store
from medimg.types import Plan

OPEN = frozenset({"/healthz", "/readyz"})
"""For a supervisor that has no token: they answer in one word."""
PAGE = "/consent"
"""Where a consent page is shown to a browser."""


class _Routes:
    """What each path answers."""

    def __init__(
        self, pool: Slots, page: bytes, later: Later | None, store: Store | None, counted: metrics.Metrics
    ) -> None:
        self._pool, self._page, self._later, self._store, self._counted = pool, page, later, store, counted
        self._most = pool.setup.policy.limits.bytes
        self._once = Once()

    def all(self) -> list[Route]:
        """Path, handler and method of each."""
        shown: list[tuple[str, Handler, str]] = [(PAGE, self.consent, "GET")] if self._page else []
        table: list[tuple[str, Handler, str]] = [
            ("/healthz", self.alive, "GET"),
            ("/readyz", self.ready, "GET"),
            ("/metrics", self.metrics, "GET"),
            ("/health", self.health, "GET"),
            ("/openapi.json", self.described, "GET"),
            ("/v1/scrub", self.scrub, "POST"),
            ("/v1/inspect", self.inspect, "POST"),
        ]
        for more in (self._later, self._store):
            shown += more.table() if more is not None else []
        table += shown
        return [Route(path, in_words(handler), methods=[method]) for path, handler, method in table]

    async def alive(self, _: Request) -> Response:
        return PlainTextResponse("ok", headers=PLAIN)

    async def ready(self, _: Request) -> Response:
        said, status = ("busy", 503) if self._pool.full else ("ready", 200)
        return PlainTextResponse(said, status, PLAIN)

    async def metrics(self, _: Request) -> Response:
        return Response(self._counted.exposition(), headers=PLAIN, media_type=metrics.CONTENT_TYPE)

    async def health(self, _: Request) -> Response:
        pool = self._pool
        return json(
            Health(
                status="ready", version=medimg.__version__, engines=pool.engines, workers=pool.size,
                policy=pool.setup.policy.digest,
            )
        )  # fmt: skip

    async def described(self, _: Request) -> Response:
        return json(openapi.document(self._most, jobs=self._later is not None))

    async def scrub(self, request: Request) -> Response:
        key = key_of(request)
        with self._counted.photo() as became:
            async with self._pool.place():
                data, known = await sent(request, self._most)
                made = await self._once.answer(key, data, known, lambda: self._pool.do(slots.scrub, data, known))
                became.append(str(made.report.state))
        return scrubbed(request, made)

    async def inspect(self, request: Request) -> Response:
        async with self._pool.place():
            data, known = await sent(request, self._most)
            plan: Plan = await self._pool.do(slots.inspect, data, known)
        return json(plan)

    async def consent(self, _: Request) -> Response:
        return Response(self._page, headers=SHEET, media_type="text/html; charset=utf-8")


def build(
    pool: Slots,
    token: bytes,
    page: bytes = b"",
    *,
    jobs: Path | None = None,
    hours: float = KEEP_HOURS,
    onward: Onward | None = None,
) -> Starlette:
    """The application.

    Args:
        pool: The workers; they run while the application does.
        token: What ``Authorization: Bearer`` must carry.
        page: A consent page to be shown at :data:`PAGE`; held in memory alone. Empty for none.
        jobs: A private folder for photos that are answered later; None to take none of them.
        hours: How long their answers are kept.
        onward: Where the copies of DICOM photographs go that arrive by STOW-RS; None to take none.

    Raises:
        UsageError: The folder cannot be used.
    """
    counted = metrics.Metrics(lambda: pool.taken)
    kept = Jobs(jobs, hours, pool, counted) if jobs is not None else None

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with pool.running(), kept.running() if kept is not None else nullcontext():
            yield

    later = Later(kept, pool.setup.policy.limits.bytes) if kept is not None else None
    store = Store(pool, onward, counted) if onward is not None else None
    served = Starlette(
        routes=_Routes(pool, page, later, store, counted).all(),
        exception_handlers={HTTPException: no_such, Exception: fault},
        lifespan=lifespan,
        middleware=[Middleware(OneLength), Middleware(_Token, token=token, pages=frozenset({PAGE} if page else ()))],
    )
    served.router.redirect_slashes = False  # a redirect would repeat the Host that was sent
    return served


class _Token:
    """Lets nothing but :data:`OPEN` through without the token: no route, no redirect, no word of what there is."""

    def __init__(self, app: ASGIApp, token: bytes, pages: frozenset[str] = frozenset()) -> None:
        self._app, self._token, self._pages = app, token, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN:
            kind, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
            shown = scope["path"] in self._pages
            carried = _password(given) if shown and kind.lower() == "basic" else given.strip().encode()
            known = kind.lower() == "bearer" or (shown and kind.lower() == "basic")
            if not known or not hmac.compare_digest(carried, self._token):
                answer = problem(401, "M-HTTP-TOKEN", "this request carries no valid token.")
                # A browser asks a person for the token as a password; programs send it as they always do.
                answer.headers["www-authenticate"] = 'Basic realm="medimg", charset="UTF-8"' if shown else "Bearer"
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _password(given: str) -> bytes:
    """What a browser sends as the password; empty where it is of another form."""
    try:
        return base64.b64decode(given.strip(), validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""
