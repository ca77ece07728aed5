"""The HTTP worker's routes. Nothing of a photo is kept: its bytes live here and in a worker, and end there.

Every request needs the token, except two that answer in one word. No message quotes what was sent, and nothing is
logged.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

import medimg
from medimg.api import Scrubbed
from medimg.serve import metrics, openapi, slots
from medimg.serve.answers import PLAIN, SHEET, STATUS, Handler, fault, in_words, json, no_such, problem
from medimg.serve.records import Answer, Health, MadeCopy
from medimg.serve.sending import sent
from medimg.serve.slots import Slots
from medimg.types import Plan

OPEN = frozenset({"/healthz", "/readyz"})
"""For a supervisor that has no token: they answer in one word."""
PAGE = "/consent"
"""Where a consent page is shown to a browser."""


class _Routes:
    """What each path answers."""

    def __init__(self, pool: Slots, page: bytes) -> None:
        self._pool, self._page = pool, page
        self._most = pool.setup.policy.limits.bytes
        self._counted = metrics.Metrics(lambda: pool.taken)

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
        return [Route(path, in_words(handler), methods=[method]) for path, handler, method in table + shown]

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
        return json(openapi.document(self._most))

    async def scrub(self, request: Request) -> Response:
        with self._counted.photo() as became:
            async with self._pool.place():
                data, known = await sent(request, self._most)
                made: Scrubbed = await self._pool.do(slots.scrub, data, known)
                became.append(str(made.report.state))
        if made.data is not None and _wants_picture(request):
            return _picture(made)
        return json(_answer(made), 200 if made.data is not None else STATUS.get(made.report.exit_code, 422))

    async def inspect(self, request: Request) -> Response:
        async with self._pool.place():
            data, known = await sent(request, self._most)
            plan: Plan = await self._pool.do(slots.inspect, data, known)
        return json(plan)

    async def consent(self, _: Request) -> Response:
        return Response(self._page, headers=SHEET, media_type="text/html; charset=utf-8")


def build(pool: Slots, token: bytes, page: bytes = b"") -> Starlette:
    """The application.

    Args:
        pool: The workers; they run while the application does.
        token: What ``Authorization: Bearer`` must carry.
        page: A consent page to be shown at :data:`PAGE`; held in memory alone. Empty for none.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with pool.running():
            yield

    served = Starlette(
        routes=_Routes(pool, page).all(),
        exception_handlers={HTTPException: no_such, Exception: fault},
        lifespan=lifespan,
        middleware=[Middleware(_Token, token=token, pages=frozenset({PAGE} if page else ()))],
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


def _answer(made: Scrubbed) -> Answer:
    if made.data is None or made.report.copy is None:
        return Answer(report=made.report)
    copy = MadeCopy(
        media_type=made.media_type,
        suffix=made.suffix,
        sha256=made.report.copy.sha256,
        data=base64.b64encode(made.data).decode(),
    )
    return Answer(report=made.report, copy=copy)


def _wants_picture(request: Request) -> bool:
    """Whether the sender accepts a picture and not JSON."""
    accepted = request.headers.get("accept", "").lower()
    return "image/" in accepted and "json" not in accepted


def _picture(made: Scrubbed) -> Response:
    """The copy itself; what a program has to know of it stands in a header."""
    row = msgspec.json.encode(made.report.row()).decode()
    return Response(made.data, headers={**PLAIN, "medimg-report": row}, media_type=made.media_type)
