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
            "/health": {"get": {"summary": "That the workers run, and with what", **_answers(("200", "Health"))}},
            "/openapi.json": {"get": {"summary": "This document", **_answers(("200", None))}},
            "/v1/scrub": {
                "post": {
                    "summary": "The covered copy of a photo and its report",
                    "requestBody": _photo(most),
                    **_answers(("200", "Answer"), ("422", "Answer"), photo=True),
                }
            },
            "/v1/inspect": {
                "post": {
                    "summary": "What is found in a photo and what would be done",
                    "requestBody": _photo(most),
                    **_answers(("200", "Plan"), ("422", "Problem"), photo=True),
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
    return {
        "required": True,
        "description": "The bytes of the file; or JSON, when something is known of the person.",
        "content": {
            "application/octet-stream": raw,
            "application/json": {"schema": {"$ref": "#/components/schemas/Sent"}},
        },
    }


def _answers(*named: tuple[str, str | None], photo: bool = False) -> dict[str, Any]:
    problems = {"401": "no valid token", "500": "a fault in medimg", "503": "busy, or a part is missing"}
    if photo:
        problems |= {"400": "no photo, or not the form described", "413": "larger than the policy allows"}
        problems |= {"422": "held or refused: no copy"}
    out: dict[str, Any] = {code: _content(words, "Problem") for code, words in problems.items()}
    for code, name in named:
        out[code] = _content(problems.get(code, "done"), name)
    if photo and "Answer" in {name for _, name in named}:
        both = [{"$ref": f"#/components/schemas/{name}"} for name in ("Answer", "Problem")]
        out["422"]["content"]["application/json"]["schema"] = {"anyOf": both}
    return {"responses": dict(sorted(out.items()))}


def _content(words: str, name: str | None) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"} if name else {"type": "object"}
    return {"description": words, "content": {"application/json": {"schema": schema}}}
