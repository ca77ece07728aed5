"""How the server answers: records as JSON, every error in words, and the headers that keep an answer where it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from medimg import faults
from medimg.errors import MedimgError, MissingPart, TooLarge
from medimg.serve.records import Problem
from medimg.serve.slots import Busy
from medimg.types import to_json

STATUS = {2: 400, 3: 503, 20: 422, 21: 422, 30: 500}
"""Exit code of an error -> HTTP status."""

PLAIN = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
SHEET = {
    **PLAIN,
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'",
}

Handler = Callable[[Request], Awaitable[Response]]


def in_words(handler: Handler) -> Handler:
    """The handler, with every error as a :class:`Problem`."""

    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except Busy:
            answer = problem(503, "M-HTTP-BUSY", "all workers are busy.", "Send it again in a few seconds.")
            answer.headers["retry-after"] = "5"
            return answer
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


def problem(status: int, code: str, what: str, todo: str = "") -> Response:
    """Why a request was not served."""
    said = Problem(title=HTTPStatus(status).phrase, status=status, code=code, what=what, todo=todo)
    return json(said, status, "application/problem+json")


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


__all__ = ["PLAIN", "SHEET", "STATUS", "Handler", "fault", "in_words", "json", "no_such", "problem"]
