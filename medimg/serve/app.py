"""The HTTP worker's routes. Nothing of a photo is kept: its bytes live here and in a worker, and end there.

Every request needs the token. No message quotes what was sent, and nothing is logged.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

import medimg
from medimg import faults
from medimg.api import Scrubbed
from medimg.errors import MedimgError, MissingPart, TooLarge, Unreadable, UsageError
from medimg.serve import openapi, slots
from medimg.serve.records import Answer, Health, MadeCopy, Problem, Sent
from medimg.serve.slots import Busy, Slots
from medimg.types import NOTHING_KNOWN, KnownValues, Plan, to_json

PATIENCE = 60.0
"""Seconds a sender may take for the whole of a photo."""
STATUS = {2: 400, 3: 503, 20: 422, 21: 422, 30: 500}
"""Exit code of an error -> HTTP status."""

PAGE = "/consent"
"""Where a consent page is shown to a browser."""
_PAGE_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'",
}

Handler = Callable[[Request], Awaitable[Response]]


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

    def route(path: str, handler: Handler, method: str) -> Route:
        return Route(path, _in_words(handler), methods=[method])

    async def health(_: Request) -> Response:
        return _json(
            Health(
                status="ready", version=medimg.__version__, engines=pool.engines, workers=pool.size,
                policy=pool.setup.policy.digest,
            )
        )  # fmt: skip

    async def described(_: Request) -> Response:
        return _json(openapi.document(pool.setup.policy.limits.bytes))

    async def scrub(request: Request) -> Response:
        async with pool.place():
            data, known = await _sent(request, pool.setup.policy.limits.bytes)
            made: Scrubbed = await pool.do(slots.scrub, data, known)
        return _json(_answer(made), 200 if made.data is not None else STATUS.get(made.report.exit_code, 422))

    async def inspect(request: Request) -> Response:
        async with pool.place():
            data, known = await _sent(request, pool.setup.policy.limits.bytes)
            plan: Plan = await pool.do(slots.inspect, data, known)
        return _json(plan)

    async def consent(_: Request) -> Response:
        return Response(page, headers=_PAGE_HEADERS, media_type="text/html; charset=utf-8")

    served = Starlette(
        routes=[
            route("/health", health, "GET"),
            route("/openapi.json", described, "GET"),
            route("/v1/scrub", scrub, "POST"),
            route("/v1/inspect", inspect, "POST"),
            *([route(PAGE, consent, "GET")] if page else []),
        ],
        exception_handlers={HTTPException: _no_such, Exception: _fault},
        lifespan=lifespan,
        middleware=[Middleware(_Token, token=token, pages=frozenset({PAGE} if page else ()))],
    )
    served.router.redirect_slashes = False  # a redirect would repeat the Host that was sent
    return served


class _Token:
    """Lets nothing through without the token: no route, no redirect, no word of what there is."""

    def __init__(self, app: ASGIApp, token: bytes, pages: frozenset[str] = frozenset()) -> None:
        self._app, self._token, self._pages = app, token, pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            kind, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
            shown = scope["path"] in self._pages
            carried = _password(given) if shown and kind.lower() == "basic" else given.strip().encode()
            known = kind.lower() == "bearer" or (shown and kind.lower() == "basic")
            if not known or not hmac.compare_digest(carried, self._token):
                answer = _problem(401, "M-HTTP-TOKEN", "this request carries no valid token.")
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


def _in_words(handler: Handler) -> Handler:
    """The handler, with every error as a :class:`Problem`."""

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except Busy:
            answer = _problem(503, "M-HTTP-BUSY", "all workers are busy.", "Send it again in a few seconds.")
            answer.headers["retry-after"] = "5"
            return answer
        except TooLarge as error:
            return _problem(413, error.code, error.what, error.todo)
        except MissingPart as error:
            return _problem(503, error.code, error.what, error.todo)
        except MedimgError as error:
            return _problem(STATUS.get(error.exit_code, 500), error.code, error.what, error.todo)

    return answered


async def _sent(request: Request, most: int) -> tuple[bytes, KnownValues]:
    """The photo of a request, and what is known of the person.

    Raises:
        TooLarge: More than ``most`` bytes (a third more as base64).
        Unreadable: The sender was too slow, or went away.
        UsageError: There is no photo, or the JSON is not of the form described.
    """
    as_json = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"
    try:
        async with asyncio.timeout(PATIENCE):
            body = await _body(request, most * 4 // 3 + 65536 if as_json else most)
    except TimeoutError as error:
        raise Unreadable("the photo did not arrive in time.") from error
    except ClientDisconnect as error:
        raise Unreadable("the sender went away.") from error
    known = NOTHING_KNOWN
    if as_json:
        try:
            sent = msgspec.json.decode(body, type=Sent)
            body, known = base64.b64decode(sent.photo, validate=True), sent.known
        except (msgspec.DecodeError, binascii.Error, ValueError) as error:  # its text may quote a value
            raise UsageError("the JSON is not of the form that /openapi.json describes.") from error
    if not body:
        raise UsageError("there is no photo in this request.")
    if len(body) > most:
        raise TooLarge("the file is larger than the policy allows.")
    return body, known


async def _body(request: Request, most: int) -> bytes:
    claimed = request.headers.get("content-length", "")
    if claimed.isdigit() and int(claimed) > most:
        raise TooLarge("the file is larger than the policy allows.")
    out = bytearray()
    async for block in request.stream():
        out += block
        if len(out) > most:
            raise TooLarge("the file is larger than the policy allows.")
    return bytes(out)


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


def _json(content: Any, status: int = 200) -> Response:
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(to_json(content, indent=0), status, headers, media_type="application/json")


def _problem(status: int, code: str, what: str, todo: str = "") -> Response:
    return _json(Problem(code=code, what=what, todo=todo), status)


async def _no_such(_: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    answer = _problem(status, "M-HTTP-ROUTE", "there is nothing here, or not with this method.", "See /openapi.json.")
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)
    return answer


async def _fault(_: Request, error: Exception) -> Response:
    return _problem(500, "M-000", f"a fault in medimg itself ({faults.kind(error)}).")
