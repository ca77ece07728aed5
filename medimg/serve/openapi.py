"""The description of the HTTP worker (OpenAPI 3.1), made from the records it sends."""

from __future__ import annotations

from typing import Any

import msgspec

import medimg
from medimg.schemas import secret

BASE64 = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"


def document(most: int) -> dict[str, Any]:
    """The whole document.

    Args:
        most: Bytes a photo may have.
    """
    from medimg import formats
    from medimg.serve.records import Answer, Health, Problem, Sent
    from medimg.types import Plan

    kinds = (Answer, Health, Plan, Problem, Sent)
    _, parts = msgspec.json.schema_components(kinds, schema_hook=secret, ref_template="#/components/schemas/{name}")
    parts["Sent"]["properties"]["photo"] |= {"contentEncoding": "base64", "minLength": 4, "pattern": BASE64}
    copies = formats.media_types(formats.written())
    parts["MadeCopy"]["properties"]["media_type"] |= {"enum": list(copies.values())}
    parts["MadeCopy"]["properties"]["suffix"] |= {"enum": list(copies)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "medimg",
            "version": medimg.__version__,
            "description": "Covered copies of clinical photographs. A copy that comes back passed every check; a person"
            " looks at it before it is shared.",
        },
        "security": [{"token": []}],
        "paths": {
            "/healthz": {"get": _word("alive", "ok", "200")},
            "/readyz": {"get": _word("ready", "ready, or busy", "200", "503")},
            "/metrics": {
                "get": {
                    "operationId": "metrics",
                    "summary": "Counts and durations for Prometheus",
                    "responses": {**_problems(), "200": _plain("done")},
                }
            },
            "/health": {"get": {"operationId": "health", "summary": "With what the workers run", **_answers("Health")}},
            "/openapi.json": {"get": {"operationId": "describe", "summary": "This document", **_answers(None)}},
            "/v1/scrub": {
                "post": {
                    "operationId": "scrub",
                    "summary": "The covered copy of a photo and its report",
                    "description": "With an Accept header of image types alone, the answer is the copy itself.",
                    "requestBody": _photo(most),
                    **_scrubbed(list(copies.values())),
                }
            },
            "/v1/inspect": {
                "post": {
                    "operationId": "inspect",
                    "summary": "What is found in a photo and what would be done",
                    "requestBody": _photo(most),
                    **_answers("Plan", photo=True),
                }
            },
        },
        "components": {
            "schemas": parts,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _photo(most: int) -> dict[str, Any]:
    raw = {"schema": {"type": "string", "format": "binary", "minLength": 1, "maxLength": most}}
    words = {"type": "array", "items": {"type": "string"}}
    form = {
        "type": "object",
        "required": ["photo"],
        "additionalProperties": False,
        "properties": {"photo": raw["schema"], "names": words, "numbers": words, "dates": words},
    }
    return {
        "required": True,
        "description": "The bytes of the file; or a form or JSON, when something is known of the person.",
        "content": {
            "application/octet-stream": raw,
            "multipart/form-data": {"schema": form},
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Sent"},
                "example": {"photo": "iVBORw0KGgo=", "known": {"names": ["Ann Example"], "numbers": ["0000000"]}},
            },
        },
    }


_PROBLEM_TYPE = "application/problem+json"


def _problems(*, photo: bool = False) -> dict[str, Any]:
    words = {"401": "no valid token", "500": "a fault in medimg", "503": "busy, or a part is missing"}
    if photo:
        words |= {"400": "no photo, or not the form described", "413": "larger than the policy allows"}
        words |= {"422": "held or refused: no copy"}
    return {code: _content(said, "Problem", _PROBLEM_TYPE) for code, said in sorted(words.items())}


def _answers(name: str | None, *, photo: bool = False) -> dict[str, Any]:
    return {"responses": {**_problems(photo=photo), "200": _content("done", name)}}


def _scrubbed(pictures: list[str]) -> dict[str, Any]:
    """A copy and its report, or the copy alone; without a copy a report, or a problem."""
    answers = _answers("Answer", photo=True)["responses"]
    answers["200"]["content"] |= {kind: {"schema": {"type": "string", "format": "binary"}} for kind in pictures}
    answers["200"]["headers"] = {
        "medimg-report": {"description": "With a picture: what became of it, as JSON", "schema": {"type": "string"}}
    }
    answers["422"]["content"] |= _content("", "Answer")["content"]
    return {"responses": answers}


def _word(operation: str, said: str, *codes: str) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": f"One word without a token: {said}",
        "security": [],
        "responses": {code: _plain(said) for code in codes},
    }


def _plain(words: str) -> dict[str, Any]:
    return {"description": words, "content": {"text/plain": {"schema": {"type": "string"}}}}


def _content(words: str, name: str | None, media_type: str = "application/json") -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"} if name else {"type": "object"}
    return {"description": words, "content": {media_type: {"schema": schema}}}
