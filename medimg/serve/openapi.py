"""The description of the HTTP worker (OpenAPI 3.1), made from the records it sends."""

from __future__ import annotations

from typing import Any

import msgspec

import medimg
from medimg.schemas import secret
from medimg.serve.once import LONGEST

EXAMPLES = {
    "Problem": {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "code": "M-HTTP-BUSY",
        "what": "all workers are busy.",
        "todo": "Send it again in a few seconds.",
    },
    "Answer": {
        "report": {"safe_id": "P01-001", "state": "unreviewed", "format": "png", "width": 80, "height": 60},
        "copy": {"media_type": "image/png", "suffix": ".png", "sha256": "9f86d081...", "data": "iVBORw0KGgo="},
    },
    "Job": {"id": "0f8fad5bd9cb469fa16570867728950e", "state": "waiting"},
    "JobList": {"jobs": [{"id": "0f8fad5bd9cb469fa16570867728950e", "state": "done"}]},
    "Removed": {"removed": 1},
}
BASE64 = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"


def document(most: int, *, jobs: bool = False) -> dict[str, Any]:
    """The whole document.

    Args:
        most: Bytes a photo may have.
        jobs: Whether jobs are taken.
    """
    from medimg import formats
    from medimg.serve import records
    from medimg.types import Plan

    kinds = [records.Answer, records.Health, Plan, records.Problem, records.Sent]
    kinds += [records.Job, records.JobList, records.Removed] if jobs else []
    _, parts = msgspec.json.schema_components(kinds, schema_hook=secret, ref_template="#/components/schemas/{name}")
    _same_items(parts)
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
                    "parameters": [_KEY],
                    "requestBody": _photo(most),
                    **_scrubbed(list(copies.values())),
                }
            },
            **(_jobs(most, list(copies.values())) if jobs else {}),
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


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[!-~]+$"},
    "description": "The same key and photo are done once; with another photo the answer is 422.",
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "example": "0f8fad5bd9cb469fa16570867728950e",
}


def _jobs(most: int, pictures: list[str]) -> dict[str, Any]:
    """Photos that are answered later."""
    taken = _answers(None, photo=True)["responses"]
    taken["202"] = _content("on the disk", "Job")
    taken["202"]["headers"] = {"location": {"description": "Where its answer will be", "schema": {"type": "string"}}}
    del taken["200"]
    answered = _scrubbed(pictures)["responses"]
    answered |= {"202": _content("it waits", "Job"), **_none_there()}
    for code in ("400", "413"):
        del answered[code]
    gone = {**_problems(), **_none_there(), "204": {"description": "gone"}}
    return {
        "/v1/jobs": {
            "post": {
                "operationId": "take",
                "summary": "Take a photo now and answer later",
                "parameters": [_KEY],
                "requestBody": _photo(most),
                "responses": taken,
            },
            "get": {"operationId": "jobs", "summary": "Every job", **_answers("JobList")},
            "delete": {"operationId": "purge", "summary": "Remove every job that is answered", **_answers("Removed")},
        },
        "/v1/jobs/{id}": {
            "get": {
                "operationId": "answer",
                "summary": "What /v1/scrub would have answered, once it is there",
                "parameters": [_ID],
                "responses": answered,
            },
            "delete": {
                "operationId": "remove",
                "summary": "Remove a job and all of it",
                "parameters": [_ID],
                "responses": gone,
            },
        },
    }


def _none_there() -> dict[str, Any]:
    return {"404": _content("no such job", "Problem", _PROBLEM_TYPE)}


def _same_items(part: Any) -> None:
    """Say of a tuple what its items are, where all are alike: ``items: false`` is not understood by every generator."""
    if isinstance(part, dict):
        kinds = part.get("prefixItems")
        if kinds and all(kind == kinds[0] for kind in kinds):
            del part["prefixItems"]
            part["items"] = kinds[0]
        for inner in part.values():
            _same_items(inner)
    elif isinstance(part, list):
        for inner in part:
            _same_items(inner)


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
    words |= {"507": "no room on the disk"} if photo else {}
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
    # First, and with both: generated clients take the first form that is named, whatever the answer says it is.
    either = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Answer", "Problem")]}
    answers["422"]["content"] = {"application/json": {"schema": either}, **answers["422"]["content"]}
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
    example = {"example": EXAMPLES[name]} if name in EXAMPLES else {}
    return {"description": words, "content": {media_type: {"schema": schema, **example}}}
