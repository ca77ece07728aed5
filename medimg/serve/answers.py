"""How the server answers: records as JSON, every error in words, and the headers that keep an answer where it is."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from medimg import faults
from medimg.api import Scrubbed
from medimg.errors import MedimgError, MissingPart, TooLarge
from medimg.serve.records import Answer, MadeCopy, Problem
from medimg.serve.slots import Busy
from medimg.types import to_json
from medimg.words import said as in_language

STATUS = {2: 400, 3: 503, 20: 422, 21: 422, 30: 507}
"""Exit code of an error -> HTTP status."""

PLAIN = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
SHEET = {
    **PLAIN,
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'",
}

Handler = Callable[[Request], Awaitable[Response]]


class OtherBody(Exception):
    """An Idempotency-Key that was used for something else."""


def in_words(handler: Handler) -> Handler:
    """The handler, with every error as a :class:`Problem`."""

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except Busy:
            answer = problem(503, "M-HTTP-BUSY", "all workers are busy.", "Send it again in a few seconds.")
            answer.headers["retry-after"] = "5"
            return answer
        except OtherBody:
            return problem(422, "M-HTTP-KEY", "this Idempotency-Key was used for another photo.", "Make a new one.")
        except TooLarge as error:
            return problem(413, error.code, error.what, error.todo)
        except MissingPart as error:
            return problem(503, error.code, error.what, error.todo)
        except MedimgError as error:
            return problem(STATUS.get(error.exit_code, 500), error.code, error.what, error.todo)

    return answered


def json(content: Any, status: int = 200, media_type: str = "application/json") -> Response:
    """A record as JSON."""
    return Response(to_json(content, indent=0), status, PLAIN, media_type=media_type)


def scrubbed(request: Request, made: Scrubbed) -> Response:
    """A copy and its report; the copy alone, for a client that accepts a picture and not JSON."""
    if made.data is None or made.report.copy is None:
        return json(Answer(report=made.report), STATUS.get(made.report.exit_code, 422))
    accepted = request.headers.get("accept", "").lower()
    if "image/" in accepted and "json" not in accepted:
        row = msgspec.json.encode(made.report.row()).decode()
        return Response(made.data, headers={**PLAIN, "medimg-report": row}, media_type=made.media_type)
    copy = MadeCopy(
        media_type=made.media_type,
        suffix=made.suffix,
        sha256=made.report.copy.sha256,
        data=base64.b64encode(made.data).decode(),
    )
    return json(Answer(report=made.report, copy=copy))


def problem(status: int, code: str, what: str, todo: str = "") -> Response:
    """Why a request was not served."""
    said = Problem(
        title=HTTPStatus(status).phrase, status=status, code=code, what=in_language(what), todo=in_language(todo)
    )
    return json(said, status, "application/problem+json")


class OneLength:
    """Refuses a request that says its length in two ways, and ends the connection.

    A proxy before this server may have read the other one, and what follows as a part of it (RFC 9112, 6.3).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let every other request through."""
        if {b"content-length", b"transfer-encoding"} <= {name for name, _ in scope.get("headers", ())}:
            answer = problem(400, "M-HTTP-ROUTE", "this request says its length in two ways.")
            answer.headers["connection"] = "close"
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


async def no_such(_: Request, error: Exception) -> Response:
    """There is no such path, or not with this method."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    answer = problem(status, "M-HTTP-ROUTE", "there is nothing here, or not with this method.", "See /openapi.json.")
    if isinstance(error, HTTPException) and error.headers:
        answer.headers.update(error.headers)
    return answer


async def fault(_: Request, error: Exception) -> Response:
    """A fault of medimg itself; its text is not told."""
    return problem(500, "M-000", f"a fault in medimg itself ({faults.kind(error)}).")
